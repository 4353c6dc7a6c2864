//! Numbers that were customers' before tollgate came: imported, so that the first days need no learning.
//!
//! A row is a number, or the pseudonym that the block log writes for one. Knows no key: whoever loads says how a
//! pseudonym is read, and whoever asks how it is made. No error shows a row, since a row is somebody's number.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::table::TableError;
use crate::attempt::phone::{Number, Reader};

/// A set of numbers, 8 bytes each.
#[derive(Default)]
pub struct Verified {
    /// The digits, sorted.
    numbers: Vec<u64>,
    /// The first eight bytes of pseudonyms, sorted. Two numbers of ten million share them once in 400,000 such sets.
    pseudonyms: Vec<u64>,
}

/// What one row says.
enum Row {
    Number(u64),
    Pseudonym(u64),
}

// === impl Verified ===

impl Verified {
    /// Nobody.
    pub const fn empty() -> Self {
        Self { numbers: Vec::new(), pseudonyms: Vec::new() }
    }

    /// Reads a file of numbers (`+14155550123`) and of pseudonyms, one a line; further columns are skipped.
    ///
    /// `parse` reads a pseudonym, or says why it is none. Reads a million numbers in about a quarter of a second.
    ///
    /// # Errors
    /// [`TableError`] names the file, the first line that cannot be read, and how many there are.
    pub fn load<E: ToString>(
        path: &Path,
        reader: &Reader,
        parse: impl Fn(&str) -> Result<[u8; 8], E>,
    ) -> Result<Self, TableError> {
        let file = File::open(path).map_err(|error| TableError::in_file(path, error.to_string()))?;
        Self::read(BufReader::with_capacity(1 << 18, file), path, |row| parse_row(row, reader, &parse))
    }

    /// Whether the number was imported. Asks for its pseudonym only where pseudonyms were imported.
    pub fn contains(&self, number: Number, pseudonym: impl FnOnce() -> [u8; 8]) -> bool {
        self.numbers.binary_search(&number.digits()).is_ok()
            || (!self.pseudonyms.is_empty() && self.pseudonyms.binary_search(&u64::from_be_bytes(pseudonym())).is_ok())
    }

    /// How many numbers there are; one that was imported in both forms counts twice.
    pub fn len(&self) -> usize {
        self.numbers.len() + self.pseudonyms.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn read(file: impl BufRead, path: &Path, parse: impl Fn(&str) -> Result<Row, String>) -> Result<Self, TableError> {
        let mut verified = Self::empty();
        let (mut is_first, mut first_bad, mut n_bad) = (true, None, 0_u64);
        for (index, line) in file.lines().enumerate() {
            let line = line.map_err(|error| TableError::in_line(path, index + 1, error.to_string()))?;
            let row = line.trim();
            let is_empty = row.is_empty() || row.starts_with('#');
            if is_empty || (std::mem::take(&mut is_first) && row.starts_with(HEADER)) {
                continue;
            }
            match parse(row) {
                Ok(Row::Number(digits)) => verified.numbers.push(digits),
                Ok(Row::Pseudonym(tag)) => verified.pseudonyms.push(tag),
                Err(problem) => {
                    n_bad += 1;
                    first_bad.get_or_insert((index + 1, problem));
                }
            }
        }
        if let Some((line, problem)) = first_bad {
            let problem = format!("{problem} (rows that cannot be read: {n_bad}; not shown, since they are numbers)");
            return Err(TableError::in_line(path, line, problem));
        }
        verified.settle();
        Ok(verified)
    }

    fn settle(&mut self) {
        for list in [&mut self.numbers, &mut self.pseudonyms] {
            list.sort_unstable();
            list.dedup();
            list.shrink_to_fit();
        }
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verified({})", self.len())
    }
}

fn parse_row<E: ToString>(
    row: &str,
    reader: &Reader,
    parse: impl Fn(&str) -> Result<[u8; 8], E>,
) -> Result<Row, String> {
    let text = row.split(',').next().unwrap_or(row).trim().trim_matches('"');
    if text.starts_with('+') {
        return reader.read(text, None).map(|number| Row::Number(number.digits())).map_err(|error| error.to_string());
    }
    parse(text).map(|tag| Row::Pseudonym(u64::from_be_bytes(tag))).map_err(|error| error.to_string())
}

/// How a header starts: `number`, or `number_hash` as in the block log.
const HEADER: &str = "number";

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::attempt::phone::ReaderKind;

    static READER: LazyLock<Reader> = LazyLock::new(|| Reader::builtin(ReaderKind::Google).unwrap());

    fn load(text: &str) -> Result<Verified, String> {
        let parse = |text: &str| u64::from_str_radix(text, 16).map(u64::to_be_bytes).map_err(|_| "no pseudonym");
        Verified::read(text.as_bytes(), Path::new("verified.csv"), |row| parse_row(row, &READER, parse))
            .map_err(|error| error.to_string())
    }

    /// The `n`th of a thousand fictional numbers.
    fn number(n: u32) -> Number {
        READER.read(&spelled(n), None).unwrap()
    }

    fn spelled(n: u32) -> String {
        format!("+1{}55501{:02}", [201, 202, 203, 205, 206, 207, 208, 209, 210, 212][(n / 100 % 10) as usize], n % 100)
    }

    fn pseudonym(number: Number) -> [u8; 8] {
        number.digits().wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()
    }

    proptest! {
        #[test]
        fn who_was_imported_is_found_and_nobody_else(
            whole in prop::collection::hash_set(0_u32..1000, 0..50),
            hashed in prop::collection::hash_set(0_u32..1000, 0..50),
        ) {
            let whole_rows = whole.iter().map(|n| spelled(*n));
            let hashed_rows = hashed.iter().map(|n| format!("{:016x}", u64::from_be_bytes(pseudonym(number(*n)))));
            let text: String = whole_rows.chain(hashed_rows).map(|row| row + "\n").collect();
            let verified = load(&text).unwrap();
            let imported: HashSet<u32> = whole.union(&hashed).copied().collect();
            for n in 0..1000 {
                prop_assert_eq!(verified.contains(number(n), || pseudonym(number(n))), imported.contains(&n));
            }
            prop_assert_eq!(verified.len(), whole.len() + hashed.len());
        }
    }

    #[test]
    fn a_pseudonym_is_made_only_where_pseudonyms_were_imported() {
        let verified = load(&format!("{}\n", spelled(1))).unwrap();
        assert!(!verified.contains(number(2), || unreachable!("no pseudonym was imported")));
    }

    #[test]
    fn headers_comments_quotes_and_columns_are_taken() {
        let text = format!("# ours\r\nnumber,since\r\n\"{}\",2024\r\n\r\n{}\r\n", spelled(1), spelled(1));
        let verified = load(&text).unwrap();
        assert!(verified.contains(number(1), || unreachable!("no pseudonym was imported")));
        assert_eq!(verified.len(), 1);
    }

    #[test]
    fn a_mistake_is_told_with_its_line_and_without_the_row() {
        for (row, expected) in [
            ("+1415555", "verified.csv:2: the number is too short"),
            ("14155550123x", "verified.csv:2: no pseudonym (rows that cannot be read: 2;"),
            ("+999155550123", "verified.csv:2: the calling code is unknown"),
        ] {
            let error = load(&format!("{}\n{row}\n{row}\n", spelled(1))).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
            assert!(!error.contains("5555"), "{error}");
        }
    }

    #[test]
    fn what_is_no_text_is_told_with_its_line() {
        let bytes: &[u8] = b"\xff\xfe\n";
        let read = Verified::read(bytes, Path::new("verified.csv"), |_| Ok(Row::Number(1)));
        assert!(read.unwrap_err().to_string().starts_with("verified.csv:1: "));
    }

    #[test]
    fn nothing_is_shown_of_the_set() {
        assert_eq!(format!("{:?}", load(&spelled(1)).unwrap()), "Verified(1)");
    }
}
