//! Leading digits of numbers: how operators name destinations in rules and tables.

use std::fmt;
use std::str::FromStr;

use super::Number;
use super::text::n_digits;

/// One to twelve leading digits, calling code first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Prefix(u64);

/// Not leading digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a prefix is 1 to 12 digits, the first of them not 0")]
pub struct NotAPrefix;

// === impl Prefix ===

impl Prefix {
    /// The first `length` digits of the number, if it has so many.
    pub fn of(number: Number, length: u32) -> Option<Self> {
        let excess = n_digits(number.digits()).checked_sub(length)?;
        Some(Self(number.digits() / 10_u64.pow(excess)))
    }

    /// The first `length` digits of the number, or all if it has fewer.
    pub fn up_to(number: Number, length: u32) -> Self {
        let excess = n_digits(number.digits()).saturating_sub(length);
        Self(number.digits() / 10_u64.pow(excess))
    }

    /// Whether the number starts with these digits.
    pub fn holds(self, number: Number) -> bool {
        Self::of(number, self.length()) == Some(self)
    }

    /// The digits as one integer: a key.
    pub fn digits(self) -> u64 {
        self.0
    }

    /// How many digits it has.
    pub fn length(self) -> u32 {
        n_digits(self.0)
    }
}

impl FromStr for Prefix {
    type Err = NotAPrefix;

    /// Takes digits only, without a plus.
    fn from_str(text: &str) -> Result<Self, NotAPrefix> {
        let is_prefix =
            (1..=12).contains(&text.len()) && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_prefix { text.parse().map(Self).map_err(|_| NotAPrefix) } else { Err(NotAPrefix) }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
