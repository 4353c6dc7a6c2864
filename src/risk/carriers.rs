//! Whose numbers these are: the range that an operator was assigned, which is what an attacker rents.
//!
//! Knows who was assigned a range, and refuses to know who serves a number now: numbers are taken along.

use std::collections::HashMap;
use std::path::Path;

use foldhash::fast::FixedState;

use super::table::{TableError, read, rows};
use crate::attempt::phone::{Number, Prefix};

/// Ranges of numbers by operator. Takes about 1.5 MB and a few milliseconds to make.
#[derive(Debug)]
pub struct Carriers {
    names: Vec<Box<str>>,
    /// Indices into `names`. Keyed by the operator's file and only looked up by strangers, so a fixed hash will do.
    ranges: HashMap<Prefix, u32, FixedState>,
    /// By the first three digits of numbers: the lengths of the ranges that start with them, as bits.
    lengths: Box<[u16; 1000]>,
}

/// An operator's range of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carrier<'a> {
    /// The digits that all numbers of the range start with.
    pub prefix: Prefix,
    /// The operator; `None` where no table has the range, which is then the calling code and three digits.
    pub name: Option<&'a str>,
}

// === impl Carriers ===

impl Carriers {
    /// libphonenumber's carriers, as shipped.
    ///
    /// # Errors
    /// [`TableError`] where the shipped table is broken, which the tests rule out.
    pub fn builtin() -> Result<Self, TableError> {
        Self::parse(include_str!("../../data/carriers.csv"), Path::new("data/carriers.csv"))
    }

    /// Reads `prefix,carrier` from a file, which replaces the shipped table.
    ///
    /// # Errors
    /// [`TableError`] names the file, the line and what is wrong with it.
    pub fn load(path: Option<&Path>) -> Result<Self, TableError> {
        path.map_or_else(Self::builtin, |path| Self::parse(&read(path)?, path))
    }

    /// The longest range that holds the number and is longer than its calling code. Costs about 20 ns.
    pub fn find(&self, number: Number) -> Carrier<'_> {
        let n_code = n_digits(number.calling_code());
        let mut lengths = self.lengths_of(number) & (u16::MAX << (n_code + 1));
        while let Some(length) = lengths.checked_ilog2() {
            let prefix = Prefix::up_to(number, length);
            if let Some(&name) = self.ranges.get(&prefix) {
                return Carrier { prefix, name: self.names.get(name as usize).map(AsRef::as_ref) };
            }
            lengths ^= 1 << length;
        }
        Carrier { prefix: Prefix::up_to(number, n_code + UNKNOWN), name: None }
    }

    fn lengths_of(&self, number: Number) -> u16 {
        let first = Prefix::up_to(number, 3).digits();
        usize::try_from(first).ok().and_then(|first| self.lengths.get(first)).copied().unwrap_or_default()
    }

    fn parse(text: &str, path: &Path) -> Result<Self, TableError> {
        let mut carriers = Self { names: Vec::new(), ranges: HashMap::default(), lengths: Box::new([0; 1000]) };
        let mut indices: HashMap<&str, u32, FixedState> = HashMap::default();
        for (line, row) in rows(text, "prefix,") {
            let Some((prefix, name)) = parse_row(row) else {
                let problem = format!(
                    "`{row}` is not a row, expected a calling prefix of 1 to {LONGEST} digits and a name, such as `99890,Beeline`"
                );
                return Err(TableError::in_line(path, line, problem));
            };
            let index = *indices.entry(name).or_insert_with(|| {
                carriers.names.push(name.into());
                (carriers.names.len() - 1) as u32
            });
            if carriers.ranges.insert(prefix, index).is_some() {
                return Err(TableError::in_line(path, line, format!("prefix {prefix} stands there twice")));
            }
            carriers.note_length(prefix);
        }
        Ok(carriers)
    }

    fn note_length(&mut self, prefix: Prefix) {
        let (length, digits) = (prefix.length(), prefix.digits() as usize);
        let first = match length {
            1 => digits * 100..(digits + 1) * 100,
            2 => digits * 10..(digits + 1) * 10,
            _ => {
                let first = digits / 10_usize.pow(length - 3);
                first..first + 1
            }
        };
        for lengths in self.lengths.get_mut(first).into_iter().flatten() {
            *lengths |= 1 << length;
        }
    }
}

fn parse_row(row: &str) -> Option<(Prefix, &str)> {
    let (prefix, name) = row.split_once(',')?;
    let (prefix, name) = (prefix.trim(), name.trim());
    let prefix: Prefix = prefix.strip_prefix('+').unwrap_or(prefix).parse().ok()?;
    (prefix.length() <= LONGEST && !name.is_empty()).then_some((prefix, name))
}

fn n_digits(calling_code: u16) -> u32 {
    calling_code.checked_ilog10().map_or(1, |log| log + 1)
}

/// Digits behind the calling code that stand for a range in no table: an area, or an operator's code.
const UNKNOWN: u32 = 3;

/// The longest range, in digits: calling code and a run of at least 1,000 numbers.
const LONGEST: u32 = 11;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::phone::{Reader, ReaderKind};

    fn find(carriers: &Carriers, number: &str) -> (String, Option<String>) {
        let number = Reader::builtin(ReaderKind::Google).unwrap().read(number, None).unwrap();
        let carrier = carriers.find(number);
        (carrier.prefix.to_string(), carrier.name.map(str::to_owned))
    }

    fn parse(text: &str) -> Result<Carriers, String> {
        Carriers::parse(text, Path::new("carriers.csv")).map_err(|error| error.to_string())
    }

    #[test]
    fn the_shipped_table_names_operators() {
        let carriers = Carriers::builtin().unwrap();
        assert_eq!(find(&carriers, "+998901234567"), ("99890".into(), Some("Beeline".into())));
        assert_eq!(carriers.ranges.len(), 29_120);
    }

    #[test]
    fn the_longest_range_wins() {
        let carriers = parse("prefix,carrier\n99890,outer\n9989012,inner\n").unwrap();
        assert_eq!(find(&carriers, "+998901234567"), ("9989012".into(), Some("inner".into())));
        assert_eq!(find(&carriers, "+998901334567"), ("99890".into(), Some("outer".into())));
    }

    #[test]
    fn a_range_in_no_table_is_the_calling_code_and_three_digits() {
        let carriers = Carriers::builtin().unwrap();
        assert_eq!(find(&carriers, "+12015550123"), ("1201".into(), None));
    }

    #[test]
    fn a_calling_code_alone_is_no_range() {
        let carriers = parse("998,everybody\n9,everybody\n").unwrap();
        assert_eq!(find(&carriers, "+998901234567"), ("998901".into(), None));
    }

    #[test]
    fn short_ranges_hold_all_that_starts_with_them() {
        let carriers = parse("12,two\n790,three\n").unwrap();
        assert_eq!(find(&carriers, "+12015550123"), ("12".into(), Some("two".into())));
        assert_eq!(find(&carriers, "+79031234567"), ("790".into(), Some("three".into())));
    }

    #[test]
    fn a_name_may_have_commas() {
        let carriers = parse("99890,One, Two and Sons").unwrap();
        assert_eq!(find(&carriers, "+998901234567").1.as_deref(), Some("One, Two and Sons"));
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        for (text, expected) in [
            ("prefix,carrier\n99890\n", "carriers.csv:2: `99890` is not a row"),
            ("99890,\n", "carriers.csv:1: `99890,` is not a row"),
            ("123456789012,x\n", "carriers.csv:1: `123456789012,x` is not a row"),
            ("# head\n\n99890,x\n99890,y\n", "carriers.csv:4: prefix 99890 stands there twice"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
