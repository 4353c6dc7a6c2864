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
    /// The leading digits, and the scale in the two lowest bits: one word, since tables hold many.
    packed: u64,
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
        Self { packed: (digits / u64::from(scale.size())) << 2 | scale as u64 }
    }

    /// The shared digits, calling code included.
    pub fn leading(self) -> u64 {
        self.packed >> 2
    }

    /// How many numbers the block holds.
    pub fn scale(self) -> Scale {
        match self.packed & 0b11 {
            0 => Scale::Thousand,
            1 => Scale::TenThousand,
            _ => Scale::HundredThousand,
        }
    }
}

impl fmt::Display for Block {
    /// The leading digits, with at least four hidden: a block of 1,000 is shown as the 10,000 around it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scale() {
            Scale::Thousand => write!(f, "1,000 numbers of +{}xxxx", self.leading() / 10),
            Scale::TenThousand => write!(f, "+{}xxxx", self.leading()),
            Scale::HundredThousand => write!(f, "+{}xxxxx", self.leading()),
        }
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n_hidden = self.scale().n_digits();
        write!(f, "+…({}+{n_hidden})", n_digits(self.leading()))
    }
}
