//! From text to number: the grammar first, then the numbering plans, then the proof that nothing was lost.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use prost::Message as _;
use rlibphonenumber::PhoneMetadataCollection;
use serde::Deserialize;

use super::google::Google;
use super::grammar::{Digits, Spelling};
use super::numbering::Numbering;
use super::rules::Classified;
use super::unreadable::Unreadable;
use super::{Kind, Number, Region, crate_reader};
use crate::attempt::country::Country;

/// Whose reading of numbers is followed.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum ReaderKind {
    /// Google's libphonenumber, as nearly every app reads numbers.
    #[default]
    Google,
    /// The `phonenumber` crate, for apps that use it: refuses more, and costs 0.1 to 0.4 ms a number.
    Phonenumber,
}

/// Reads numbers. Takes about 70 ms and 6 MB to make, so make it once and share it.
pub struct Reader {
    kind: ReaderKind,
    numbering: Numbering,
    google: Google,
}

/// Metadata that no reader can be made from.
#[derive(Debug, thiserror::Error)]
pub enum ReaderError {
    /// The bytes are no serialized `PhoneMetadataCollection`.
    #[error("the phone metadata cannot be decoded: {0}")]
    Decode(#[from] prost::DecodeError),
    /// The metadata has a region that this version does not know.
    #[error("the phone metadata has an unknown region `{0}`")]
    Region(String),
    /// The metadata has a region without a calling code from 1 to 999.
    #[error("the phone metadata has no calling code for `{0}`")]
    CallingCode(String),
    /// The metadata has a pattern that is not wrapped in anchors.
    #[error("the phone metadata has a pattern without anchors: `{0}`")]
    Pattern(String),
    /// The patterns of one calling code cannot be compiled.
    #[error("the phone metadata cannot be compiled: {0}")]
    Table(String),
}

// === impl ReaderKind ===

impl ReaderKind {
    /// The name in configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::Phonenumber => "phonenumber",
        }
    }
}

impl fmt::Display for ReaderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Reader ===

impl Reader {
    /// Compiles a serialized libphonenumber metadata collection, as in `data/phone_metadata.bin`.
    pub fn new(kind: ReaderKind, metadata: &[u8]) -> Result<Self, ReaderError> {
        let collection = PhoneMetadataCollection::decode(metadata)?;
        let numbering = Numbering::new(&collection)?;
        let google = Google::new(collection)?;
        match kind {
            ReaderKind::Google => {}
            ReaderKind::Phonenumber => crate_reader::warm(),
        }
        Ok(Self { kind, numbering, google })
    }

    /// Compiles the metadata that is shipped inside the program.
    pub fn builtin(kind: ReaderKind) -> Result<Self, ReaderError> {
        Self::new(kind, METADATA)
    }

    /// Reads an international number, or with a region also a national one, which has to be valid.
    pub fn read(&self, text: &str, region: Option<Region>) -> Result<Number, Unreadable> {
        match Spelling::parse(text)? {
            Spelling::International(digits) => self.international(&digits),
            Spelling::National(digits) => self.national(&digits, region.ok_or(Unreadable::NotInternational)?),
        }
    }

    /// Like [`read`](Self::read), for a field of a form or query: one leading space may be a plus that was decoded.
    ///
    /// With a region set, a text that is one number with the plus and another without it is refused.
    pub fn read_form(&self, text: &str, region: Option<Region>) -> Result<Number, Unreadable> {
        let rest = text.strip_prefix(' ').filter(|rest| !rest.trim_start_matches(' ').starts_with('+'));
        let Some(rest) = rest else {
            return self.read(text, region);
        };
        let with_plus = self.read_behind_plus(rest);
        let without = self.read(rest, region);
        match (with_plus, without) {
            (Ok(with_plus), Ok(without)) if with_plus.digits != without.digits => Err(Unreadable::Ambiguous),
            (Ok(_) | Err(_), Ok(number)) => Ok(number),
            (with_plus, Err(_)) if !rest.starts_with(' ') => with_plus,
            (Ok(_) | Err(_), Err(error)) => Err(error),
        }
    }

    /// The countries that share a calling code, the main one first; empty if nobody has it.
    pub fn regions_of(&self, calling_code: u16) -> &[Country] {
        self.numbering.plan(calling_code).map_or(&[], |plan| plan.countries())
    }

    fn read_behind_plus(&self, text: &str) -> Result<Number, Unreadable> {
        match Spelling::parse_behind_plus(text)? {
            Spelling::International(digits) => self.international(&digits),
            Spelling::National(_) => Err(Unreadable::NotInternational),
        }
    }

    fn international(&self, digits: &Digits) -> Result<Number, Unreadable> {
        let split = self.numbering.split(digits.as_bytes());
        let (plan, national) = split.ok_or(Unreadable::UnknownCallingCode)?;
        let mut classified = match plan.classify(national) {
            Classified::Ask => guarded(|| self.google.classify(digits.with_plus(), plan))?,
            known @ (Classified::Assigned(..) | Classified::Unassigned | Classified::NotPossible) => known,
        };
        // Asked second, so that a number in which Google's library drops a digit is ambiguous to both.
        if self.kind == ReaderKind::Phonenumber {
            classified = guarded(|| crate_reader::classify(digits.with_plus(), plan, national.len()))?;
        }
        let (country, kind) = match classified {
            Classified::Assigned(country, kind) => (country, kind),
            Classified::Unassigned => (plan.main_country(), Kind::Unassigned),
            Classified::NotPossible | Classified::Ask => return Err(Unreadable::NotPossible),
        };
        Ok(Number::new(digits.value(), plan.calling_code(), country, kind))
    }

    fn national(&self, digits: &Digits, region: Region) -> Result<Number, Unreadable> {
        if digits.as_str().starts_with("011") && self.regions_of(NORTH_AMERICA).contains(&region.country()) {
            return Err(Unreadable::DiallingPrefix);
        }
        let e164 = match self.kind {
            ReaderKind::Google => guarded(|| self.google.national(digits.as_str(), region))?,
            ReaderKind::Phonenumber => guarded(|| crate_reader::national(digits.as_str(), region))?,
        };
        let Spelling::International(digits) = Spelling::parse(&e164)? else {
            return Err(Unreadable::NotValid);
        };
        let number = self.international(&digits)?;
        if !self.regions_of(number.calling_code).contains(&region.country()) {
            return Err(Unreadable::DiallingPrefix);
        }
        if number.kind == Kind::Unassigned { Err(Unreadable::NotValid) } else { Ok(number) }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reader").field(&self.kind).finish()
    }
}

/// A panic of a library costs one number, not the process. (The `phonenumber` crate keeps its patterns behind a lock,
/// which a panic poisons: from then on each number is a fault, and none is let through.)
fn guarded<T>(read: impl FnOnce() -> Result<T, Unreadable>) -> Result<T, Unreadable> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(Unreadable::Fault))
}

/// Dials abroad with `011`, which is a city's code elsewhere.
const NORTH_AMERICA: u16 = 1;
pub(super) const METADATA: &[u8] = include_bytes!("../../../data/phone_metadata.bin");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_say_what_the_library_says() {
        let reader = Reader::builtin(ReaderKind::Google).unwrap();
        let numbers: Vec<&str> = TABLE.lines().filter_map(|line| line.split(',').nth(2)?.strip_prefix('+')).collect();
        let mut n_asked = 0;
        for number in &numbers {
            n_asked += u32::from(compare(&reader, number));
        }
        let mut random = Random(0x2545_f491_4f6c_dd1d);
        for _ in 0..N_RANDOM {
            let index = random.below(numbers.len());
            let number = random.near(numbers[index]);
            n_asked += u32::from(compare(&reader, &number));
        }
        eprintln!("{n_asked} of {} were left to the library", numbers.len() + N_RANDOM);
    }

    /// Holds the tables against the library, and says whether they left it to it.
    fn compare(reader: &Reader, number: &str) -> bool {
        let (plan, national) = reader.numbering.split(number.as_bytes()).unwrap();
        let from_tables = plan.classify(national);
        let from_library = reader.google.classify(&format!("+{number}"), plan);
        if from_tables == Classified::Ask {
            return true;
        }
        assert_eq!(Ok(from_tables), from_library, "+{number}");
        false
    }

    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 16) as usize % limit
        }

        /// Keeps the calling code and some more digits, and varies the rest and the length.
        fn near(&mut self, number: &str) -> String {
            let keep = 3 + self.below(number.len() - 3);
            let length = (number.len() + self.below(4)).saturating_sub(self.below(3)).clamp(8, 15).max(keep);
            let tail = (keep..length).map(|_| char::from(b'0' + self.below(10) as u8));
            number[..keep].chars().chain(tail).collect()
        }
    }

    /// The library takes 20 times as long without optimization.
    const N_RANDOM: usize = if cfg!(debug_assertions) { 10_000 } else { 200_000 };
    const TABLE: &str = include_str!("../../../tests/testdata/numbers.csv");
}
