//! Phone numbers: one reading or none.
//!
//! A text becomes a [`Number`] through a [`Reader`], which decides in three steps:
//!
//! 1. A grammar of our own: a plus and 8 to 15 ASCII digits, with a few separators; or, where a [`Region`] is set,
//!    a national spelling. What an app might read in another way is refused here, before any library sees it.
//! 2. The numbering plans of Google's libphonenumber (or those of the `phonenumber` crate).
//! 3. The reading must spell the same E.164 again, digit for digit. If it does not, it is refused as ambiguous.
//!
//! A number is never printed whole: there is no `Display`, no `Serialize`, and `Debug` shows the calling code and a
//! length. Refuses to know whether a number exists, or who answers it.

mod automaton;
mod block;
mod crate_reader;
mod google;
mod grammar;
mod kind;
mod numbering;
mod prefix;
mod reader;
mod region;
mod rules;
mod text;
mod unreadable;

use std::fmt;

use crate::attempt::country::Country;

pub use block::{Block, Scale};
pub use kind::{Kind, UnknownKind};
pub use prefix::{NotAPrefix, Prefix};
pub use reader::{Reader, ReaderError, ReaderKind};
pub use region::{Region, UnknownRegion};
pub use text::{E164, Redacted};
pub use unreadable::Unreadable;

/// An E.164 number with what its numbering plan says about it.
///
/// Only a [`Reader`] makes one, so holding it means that there was exactly one way to read the text.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Number {
    digits: u64,
    calling_code: u16,
    country: Country,
    kind: Kind,
}

// === impl Number ===

impl Number {
    fn new(digits: u64, calling_code: u16, country: Country, kind: Kind) -> Self {
        Self { digits, calling_code, country, kind }
    }

    /// The country calling code, 1 to 999.
    pub fn calling_code(&self) -> u16 {
        self.calling_code
    }

    /// The destination; the main country of the calling code if the number is [`Kind::Unassigned`].
    pub fn country(&self) -> Country {
        self.country
    }

    /// What the numbering plan uses the number for.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// All digits as one integer, calling code first: the key for counting, not for showing.
    pub fn digits(&self) -> u64 {
        self.digits
    }

    /// The number in full, on the stack.
    pub fn e164(&self) -> E164 {
        E164::new(self.digits)
    }

    /// Calling code, stars, and at most the last two digits: at least four stay hidden.
    pub fn masked(&self) -> Redacted {
        let n_tail = self.n_national().saturating_sub(HIDDEN).min(TAIL);
        Redacted::masked(self.digits, self.n_code(), text::n_digits(self.digits) - n_tail)
    }

    /// Everything but the last four digits: the range the number is in.
    pub fn range(&self) -> Redacted {
        Redacted::masked(self.digits, text::n_digits(self.digits).saturating_sub(HIDDEN), text::MOST_DIGITS)
    }

    /// Calling code and at most three digits: at least four stay hidden even beside [`masked`](Self::masked).
    pub fn prefix(&self) -> Redacted {
        let n_shown = self.n_national().saturating_sub(HIDDEN + TAIL).min(3);
        let n_cut = self.n_national() - n_shown;
        Redacted::prefix(self.digits / 10_u64.pow(n_cut))
    }

    /// The run of adjacent numbers that this one belongs to.
    pub fn block(&self, scale: Scale) -> Block {
        Block::containing(self.digits, scale)
    }

    /// The position inside [`block`](Self::block), below [`Scale::size`].
    pub fn suffix(&self, scale: Scale) -> u32 {
        (self.digits % u64::from(scale.size())) as u32
    }

    fn n_national(&self) -> u32 {
        text::n_digits(self.digits).saturating_sub(self.n_code())
    }

    fn n_code(&self) -> u32 {
        text::n_digits(u64::from(self.calling_code))
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}…({})", self.calling_code, self.n_national())
    }
}

const HIDDEN: u32 = 4;
const TAIL: u32 = 2;
