//! Numbers in place of those of which a log hides digits: the visible digits stay, the hidden ones are made from the
//! pseudonym, so that one pseudonym is one number and two are two.
//!
//! What a numbering plan says of a stand-in (country, kind, price, operator) is what the log says of the number. Which
//! numbers were neighbours is lost: the last digits are made up.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use super::event::Masked;
use crate::attempt::phone::{Number, Reader};

#[derive(Debug, Default)]
pub(super) struct StandIns {
    /// By pseudonym; `None` where no filling is a number.
    made: HashMap<Box<str>, Option<Number>>,
    taken: HashSet<u64>,
    /// The names of the keys that the pseudonyms were made with.
    keys: HashSet<Box<str>>,
    n_without_range: u64,
}

// === impl StandIns ===

impl StandIns {
    /// The number that stands for the masked one, the same for the same pseudonym.
    pub(super) fn resolve(&mut self, masked: &Masked<'_>, reader: &Reader) -> Option<Number> {
        if !shows_range(&masked.shown) {
            self.n_without_range += 1;
        }
        if let Some(number) = self.made.get(&*masked.hash) {
            return *number;
        }
        if let Some((key, _)) = masked.hash.split_once(':')
            && !self.keys.contains(key)
        {
            self.keys.insert(key.into());
        }
        let number = self.make(masked, reader);
        self.made.insert(masked.hash.as_ref().into(), number);
        self.taken.extend(number.map(|number| number.digits()));
        number
    }

    /// How many numbers were made up.
    pub(super) fn n_numbers(&self) -> usize {
        self.made.values().flatten().count()
    }

    /// What is lost, and what to do about it.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if 0 < self.n_without_range {
            warnings.push(
                "of masked numbers only the calling code and three digits are known, so ranges and numbers in a row are \
                 not seen: set block_log.numbers = \"range\" and replay what is logged from then on"
                    .to_owned(),
            );
        } else if !self.made.is_empty() {
            warnings.push(
                "the last four digits of numbers are made up, so numbers in a row are not seen as such".to_owned(),
            );
        }
        let n_unreadable = self.made.values().filter(|number| number.is_none()).count();
        if 0 < n_unreadable {
            warnings.push(format!("{n_unreadable} masked numbers are none in any filling, and count as unreadable"));
        }
        if 1 < self.keys.len() {
            warnings.push(format!(
                "number_hash was made with {} keys, and a number is another one under each: set block_log.hash_key",
                self.keys.len()
            ));
        }
        warnings
    }

    /// The first filling that is a number like the one it stands for and that no other pseudonym has; else the first
    /// that is a number.
    fn make(&self, masked: &Masked<'_>, reader: &Reader) -> Option<Number> {
        let template = template(masked);
        let fillings = (0..MOST_TRIES).filter_map(|n| reader.read(&filled(&template, &masked.hash, n), None).ok());
        let mut second_best = None;
        for number in fillings {
            let is_alike = masked.country.is_none_or(|country| country == number.country())
                && masked.kind.is_none_or(|kind| kind == number.kind());
            if is_alike && !self.taken.contains(&number.digits()) {
                return Some(number);
            }
            second_best = second_best.or(Some(number));
        }
        second_best
    }
}

/// Whether only the last four digits are hidden.
pub(super) fn shows_range(shown: &str) -> bool {
    shown.strip_suffix("****").is_some_and(|rest| !rest.contains('*'))
}

/// What is shown of the number, and the digits of its prefix.
fn template(masked: &Masked<'_>) -> Vec<u8> {
    let prefix = masked.prefix.as_deref().unwrap_or_default().bytes().map(Some);
    let prefix = prefix.chain(std::iter::repeat(None));
    let merged = masked
        .shown
        .bytes()
        .zip(prefix)
        .map(|(shown, prefix)| if shown == b'*' { prefix.unwrap_or(shown) } else { shown });
    merged.collect()
}

/// The template with its stars replaced by digits: others for each `n`.
fn filled(template: &[u8], hash: &str, n: u32) -> String {
    let mut digits = FixedState::with_seed(SEED).hash_one((hash, n));
    let fill = |byte: &u8| match byte {
        b'*' => {
            let digit = digits % 10;
            digits /= 10;
            char::from(b'0' + digit as u8)
        }
        other => char::from(*other),
    };
    template.iter().map(fill).collect()
}

/// In a country whose numbers of one prefix have several kinds, some fillings are of another kind.
const MOST_TRIES: u32 = 64;

const SEED: u64 = 0x7374_616e_6420_696e;

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::attempt::phone::ReaderKind;

    #[test]
    fn the_same_pseudonym_is_the_same_number_with_the_digits_that_are_shown() {
        let reader = Reader::builtin(ReaderKind::Google).unwrap();
        let (mut one, mut other) = (StandIns::default(), StandIns::default());
        let number = one.resolve(&masked("+99891234****", "k0000:00000000000000aa"), &reader).unwrap();
        assert_eq!(&*number.range(), "+99891234****");
        assert_eq!(one.resolve(&masked("+99891234****", "k0000:00000000000000aa"), &reader), Some(number));
        assert_eq!(other.resolve(&masked("+99891234****", "k0000:00000000000000aa"), &reader), Some(number));
    }

    #[test]
    fn two_pseudonyms_are_two_numbers_even_in_a_crowded_range() {
        let reader = Reader::builtin(ReaderKind::Google).unwrap();
        let mut stand_ins = StandIns::default();
        let numbers: HashSet<u64> = (0..3000)
            .map(|n| stand_ins.resolve(&masked("+99891234****", &format!("k0000:{n:016x}")), &reader).unwrap().digits())
            .collect();
        assert_eq!(numbers.len(), 3000);
    }

    #[test]
    fn of_a_masked_number_the_prefix_and_the_last_two_digits_stay() {
        let reader = Reader::builtin(ReaderKind::Google).unwrap();
        let mut stand_ins = StandIns::default();
        let masked = Masked {
            prefix: Some(Cow::Borrowed("+44779")),
            country: Some("JE".parse().unwrap()),
            ..masked("+44********13", "k0000:00000000000000aa")
        };
        let number = stand_ins.resolve(&masked, &reader).unwrap();
        assert_eq!((&*number.masked(), &*number.prefix()), ("+44********13", "+44779"));
        assert_eq!(number.country().to_string(), "JE", "the country is in the digits that are hidden");
        assert!(stand_ins.warnings()[0].contains("block_log.numbers = \"range\""));
    }

    #[test]
    fn what_no_filling_makes_a_number_is_none() {
        let reader = Reader::builtin(ReaderKind::Google).unwrap();
        assert_eq!(StandIns::default().resolve(&masked("+998****", "k0000:00000000000000aa"), &reader), None);
    }

    fn masked<'a>(shown: &'a str, hash: &'a str) -> Masked<'a> {
        Masked { shown: Cow::Borrowed(shown), prefix: None, hash: Cow::Borrowed(hash), country: None, kind: None }
    }
}
