//! What a client's software looks like: a fingerprint that many people share and a script cannot easily vary well.

use std::hash::{BuildHasher, Hasher};

/// A fingerprint of a client's software, such as its TLS hello and its `User-Agent`.
///
/// Equal software has equal fingerprints, in every process. Keeps nothing of what it was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Agent(u64);

// === impl Agent ===

impl Agent {
    /// The fingerprint of these properties, in this order.
    pub fn of<'a>(properties: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = foldhash::fast::FixedState::with_seed(SEED).build_hasher();
        for property in properties {
            hasher.write(property);
            hasher.write_usize(property.len());
        }
        Self(hasher.finish())
    }

    /// The fingerprint with these bits, which [`bits`](Self::bits) gave before.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The fingerprint as one word, for logs that tell software apart.
    pub const fn bits(self) -> u64 {
        self.0
    }
}

const SEED: u64 = 0x746f_6c6c;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_software_has_the_same_fingerprint() {
        let phone = || Agent::of([b"t13d1516h2".as_slice(), b"Mozilla/5.0"]);
        assert_eq!(phone(), phone());
        assert_ne!(phone(), Agent::of([b"t13d1516h2M".as_slice(), b"ozilla/5.0"]));
    }
}
