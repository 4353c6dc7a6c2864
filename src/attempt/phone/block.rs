//! A run of adjacent numbers: what one operator is assigned, and one attacker can rent.

use std::fmt;

use super::text::n_digits;

/// How many adjacent numbers a block holds.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Scale {
    /// One thousand: the smallest run that a plan assigns.
    Thousand,
    /// Ten thousand: the usual run of an exchange.
    TenThousand,
    /// One hundred thousand: a small operator.
    HundredThousand,
}

/// The leading digits that the numbers of one run share.
///
/// Two blocks are equal only if their numbers have the same length and the same scale.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Block {
    leading: u64,
    scale: Scale,
}

// === impl Scale ===

impl Scale {
    /// Every scale, from small to large.
    pub const ALL: [Self; 3] = [Self::Thousand, Self::TenThousand, Self::HundredThousand];

    /// The count of numbers in a block.
    pub const fn size(self) -> u32 {
        10_u32.pow(self.n_digits())
    }

    /// The count of digits in which the numbers of a block differ.
    pub const fn n_digits(self) -> u32 {
        match self {
            Self::Thousand => 3,
            Self::TenThousand => 4,
            Self::HundredThousand => 5,
        }
    }
}

// === impl Block ===

impl Block {
    pub(super) fn containing(digits: u64, scale: Scale) -> Self {
        Self { leading: digits / u64::from(scale.size()), scale }
    }

    /// The shared digits, calling code included.
    pub fn leading(self) -> u64 {
        self.leading
    }

    /// How many numbers the block holds.
    pub fn scale(self) -> Scale {
        self.scale
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = self.scale.n_digits() as usize;
        write!(f, "+{}{:x<hidden$}", self.leading, "")
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n_hidden = self.scale.n_digits();
        write!(f, "+…({}+{n_hidden})", n_digits(self.leading))
    }
}
