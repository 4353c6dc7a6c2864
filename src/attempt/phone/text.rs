//! The few spellings of a number that may leave it, on the stack.

use std::fmt;
use std::ops::Deref;

/// A number in full, `+15550100123`: for a provider's field or a keyed hash, never for a log.
///
/// Cannot be displayed, and its `Debug` shows nothing.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct E164(Ascii);

/// A spelling that hides at least four digits, so it may be shown.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Redacted(Ascii);

/// A plus and at most 15 digits.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Ascii {
    bytes: [u8; 16],
    length: u8,
}

// === impl E164 ===

impl E164 {
    pub(super) fn new(digits: u64) -> Self {
        Self(Ascii::with_plus(digits))
    }
}

impl AsRef<str> for E164 {
    fn as_ref(&self) -> &str {
        self.0.as_str()
    }
}

impl Deref for E164 {
    type Target = str;

    fn deref(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("+…")
    }
}

// === impl Redacted ===

impl Redacted {
    /// Shows the digits whose index is in `shown_before` or from `shown_from` on, stars for the rest.
    pub(super) fn masked(digits: u64, shown_before: u32, shown_from: u32) -> Self {
        let mut text = Ascii::with_plus(digits);
        let end = usize::from(text.length);
        let (start, stop) = (1 + shown_before as usize, 1 + shown_from as usize);
        for byte in text.bytes.iter_mut().take(end.min(stop)).skip(start) {
            *byte = b'*';
        }
        Self(text)
    }

    pub(super) fn prefix(digits: u64) -> Self {
        Self(Ascii::with_plus(digits))
    }
}

impl AsRef<str> for Redacted {
    fn as_ref(&self) -> &str {
        self.0.as_str()
    }
}

impl Deref for Redacted {
    type Target = str;

    fn deref(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.as_str())
    }
}

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

// === impl Ascii ===

impl Ascii {
    fn with_plus(digits: u64) -> Self {
        let n_digits = n_digits(digits).min(15);
        let mut bytes = [b'+'; 16];
        let mut rest = digits;
        for byte in bytes.iter_mut().skip(1).take(n_digits as usize).rev() {
            *byte = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        Self { bytes, length: 1 + n_digits as u8 }
    }

    fn as_str(&self) -> &str {
        let text = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }
}

/// No number is longer.
pub(super) const MOST_DIGITS: u32 = 15;

/// How many decimal digits a number has; one for zero.
pub(super) fn n_digits(digits: u64) -> u32 {
    digits.checked_ilog10().map_or(1, |log| log + 1)
}
