//! Where a client's address is used: its network and its country, as far as a database says so.
//!
//! Absent means that nobody knows, which is neither suspicious nor a recommendation. Knows no database.

use std::fmt;
use std::num::NonZero;

use super::country::Country;

/// The number of an autonomous system: one network under one administration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Asn(NonZero<u32>);

/// What is known of a client's address; nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The network that announces the address.
    pub asn: Option<Asn>,
    /// The country in which the address is used.
    pub country: Option<Country>,
}

// === impl Asn ===

impl Asn {
    /// The number as registries write it; `None` for 0, which by RFC 7607 is no network.
    pub fn new(number: u32) -> Option<Self> {
        NonZero::new(number).map(Self)
    }

    /// The number itself.
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for Asn {
    /// As operators write it: `AS14061`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AS{}", self.0)
    }
}

impl fmt::Debug for Asn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_shown_as_operators_write_it() {
        assert_eq!(Asn::new(14_061).map(|asn| asn.to_string()).as_deref(), Some("AS14061"));
    }

    #[test]
    fn zero_is_no_network() {
        assert_eq!(Asn::new(0), None);
    }
}
