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

// === impl Pseudonyms ===

impl Pseudonyms {
    /// Pseudonyms that nobody can link after this process has ended.
    pub fn ephemeral() -> Self {
        let mut secret = [0; 32];
        // Without randomness there is nothing to fall back on: a fixed key would be a published one.
        #[expect(clippy::expect_used, reason = "the system's randomness does not fail on any supported platform")]
        aws_lc_rs::rand::fill(&mut secret).expect("the system gives random bytes");
        Self::from_secret(&secret)
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
        let mut context = hmac::Context::with_key(&self.key);
        context.update(b"phone|");
        context.update(number.e164().as_bytes());
        let tag = context.sign();
        let mut text = String::with_capacity(22);
        text.push('k');
        text.push_str(&self.id);
        text.push(':');
        for byte in tag.as_ref().iter().take(8) {
            text.extend([byte >> 4, byte & 0xf].map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0')));
        }
        text
    }

    fn from_secret(secret: &[u8]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let id = hmac::sign(&key, b"key id").as_ref().iter().take(2).map(|byte| format!("{byte:02x}")).collect();
        Self { key, id }
    }
}

impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pseudonyms(k{})", self.id)
    }
}
