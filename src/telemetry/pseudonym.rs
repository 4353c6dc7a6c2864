//! Turns numbers into pseudonyms: the same number is the same pseudonym, and only the key leads back.
//!
//! An unkeyed hash of a phone number is no protection: all numbers of a country are tried in seconds.

use std::fmt;
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;

use crate::attempt::phone::Number;

/// Makes pseudonyms with one key.
pub struct Pseudonyms {
    key: hmac::Key,
    id: String,
    /// Whether another process would make the same ones.
    is_lasting: bool,
}

/// A key file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It cannot be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is too short to be a secret.
    #[error("{}: {n_bytes} bytes are too few, expected at least 32 random ones, as from `openssl rand -out FILE 32`", path.display())]
    Short {
        /// Which file.
        path: PathBuf,
        /// How long it is.
        n_bytes: usize,
    },
}

/// A text that is no pseudonym of this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPseudonym {
    /// There is no key to have made it.
    #[error("a pseudonym says nothing without the key it was made with, set `block_log.hash_key`")]
    NoKey,
    /// Its prefix is that of another key.
    #[error("the pseudonym was made with another key than the one in `block_log.hash_key`")]
    OtherKey,
    /// It has other characters, or another length.
    #[error("expected a number such as +14155550123, or a pseudonym: `kXXXX:` and 16 to 64 hexadecimal digits")]
    Spelling,
}

// === impl Pseudonyms ===

impl Pseudonyms {
    /// Pseudonyms that nobody can link after this process has ended.
    pub fn ephemeral() -> Self {
        let mut secret = [0; 32];
        // Without randomness there is nothing to fall back on: a fixed key would be a published one.
        #[expect(clippy::expect_used, reason = "the system's randomness does not fail on any supported platform")]
        aws_lc_rs::rand::fill(&mut secret).expect("the system gives random bytes");
        Self { is_lasting: false, ..Self::from_secret(&secret) }
    }

    /// Pseudonyms that stay the same for as long as the key file does.
    ///
    /// # Errors
    /// [`KeyError`] if the file cannot be read or is shorter than 32 bytes.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let secret = std::fs::read(path).map_err(|error| KeyError::Unreadable { path: path.to_owned(), error })?;
        if secret.len() < 32 {
            return Err(KeyError::Short { path: path.to_owned(), n_bytes: secret.len() });
        }
        Ok(Self::from_secret(&secret))
    }

    /// `kXXXX:` and sixteen hexadecimal digits of HMAC-SHA256 over `phone|+…`; `XXXX` tells keys apart.
    pub fn of(&self, number: Number) -> String {
        let mut text = String::with_capacity(22);
        text.push('k');
        text.push_str(&self.id);
        text.push(':');
        for byte in self.tag(number) {
            text.extend([byte >> 4, byte & 0xf].map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0')));
        }
        text
    }

    /// What [`of`](Self::of) spells: the first eight bytes of the keyed hash.
    pub fn tag(&self, number: Number) -> [u8; 8] {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(b"phone|");
        context.update(number.e164().as_bytes());
        context.sign().as_ref().first_chunk().copied().unwrap_or_default()
    }

    /// Reads what [`of`](Self::of) spells, or the keyed hash alone or in full: 16 to 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`NotAPseudonym`] where the text is none, or none of this key.
    pub fn parse(&self, text: &str) -> Result<[u8; 8], NotAPseudonym> {
        let (id, digits) = match text.split_once(':') {
            Some((id, digits)) => (Some(id.strip_prefix('k').ok_or(NotAPseudonym::Spelling)?), digits),
            None => (None, text),
        };
        if !(16..=64).contains(&digits.len()) || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(NotAPseudonym::Spelling);
        }
        if !self.is_lasting {
            return Err(NotAPseudonym::NoKey);
        }
        if id.is_some_and(|id| id != self.id) {
            return Err(NotAPseudonym::OtherKey);
        }
        let first = digits.get(..16).unwrap_or_default();
        u64::from_str_radix(first, 16).map(u64::to_be_bytes).map_err(|_| NotAPseudonym::Spelling)
    }

    fn from_secret(secret: &[u8]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let id = hmac::sign(&key, b"key id").as_ref().iter().take(2).map(|byte| format!("{byte:02x}")).collect();
        Self { key, id, is_lasting: true }
    }
}

impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pseudonyms(k{})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::phone::{Reader, ReaderKind};

    fn number() -> Number {
        Reader::builtin(ReaderKind::Google).unwrap().read("+12015550123", None).unwrap()
    }

    #[test]
    fn a_pseudonym_is_read_as_it_was_spelled_whole_or_bare() {
        let (pseudonyms, number) = (Pseudonyms::from_secret(&[7; 32]), number());
        let spelled = pseudonyms.of(number);
        let bare = spelled.split_once(':').map(|(_, digits)| digits).unwrap();
        let whole = hmac::sign(&pseudonyms.key, b"phone|+12015550123");
        let whole: String = whole.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        for text in [&spelled, bare, &whole, &format!("k{}:{whole}", pseudonyms.id)] {
            assert_eq!(pseudonyms.parse(text), Ok(pseudonyms.tag(number)), "{text}");
        }
    }

    #[test]
    fn what_another_key_made_is_not_read() {
        let spelled = Pseudonyms::from_secret(&[7; 32]).of(number());
        assert_eq!(Pseudonyms::from_secret(&[8; 32]).parse(&spelled), Err(NotAPseudonym::OtherKey));
        assert_eq!(Pseudonyms::ephemeral().parse(&spelled), Err(NotAPseudonym::NoKey));
    }

    #[test]
    fn other_texts_are_no_pseudonyms() {
        let pseudonyms = Pseudonyms::from_secret(&[7; 32]);
        let long = "0".repeat(65);
        for text in ["", "12015550123", "0123456789abcde", &long, "0123456789abcdeg", ":0123456789abcdef", "k:é"] {
            assert_eq!(pseudonyms.parse(text), Err(NotAPseudonym::Spelling), "{text}");
        }
    }
}
