//! Networks of hosting providers: where software runs, and people do not sign up from.
//!
//! A list of facts with no weight of its own. What it means for an attempt is said by the signals.

use std::path::Path;

use super::table::{TableError, read, rows};
use crate::attempt::origin::Asn;

/// The networks on the list.
#[derive(Debug)]
pub struct Hosting {
    /// Sorted.
    asns: Vec<Asn>,
}

// === impl Hosting ===

impl Hosting {
    /// Our own list, as shipped.
    ///
    /// # Errors
    /// [`TableError`] where the shipped list is broken, which the tests rule out.
    pub fn builtin() -> Result<Self, TableError> {
        Self::parse(include_str!("../../data/hosting_asns.csv"), Path::new("data/hosting_asns.csv"))
    }

    /// Reads `asn,name` from a file, which replaces the shipped list. The name may be left out.
    ///
    /// # Errors
    /// [`TableError`] names the file, the line and what is wrong with it.
    pub fn load(path: Option<&Path>) -> Result<Self, TableError> {
        path.map_or_else(Self::builtin, |path| Self::parse(&read(path)?, path))
    }

    /// Whether the network is a hosting provider's. Costs about 10 ns.
    pub fn contains(&self, asn: Asn) -> bool {
        self.asns.binary_search(&asn).is_ok()
    }

    fn parse(text: &str, path: &Path) -> Result<Self, TableError> {
        let mut asns = Vec::new();
        for (line, row) in rows(text, "asn,") {
            let asn = parse_row(row).ok_or_else(|| {
                let problem = format!(
                    "`{row}` is not a row, expected the number of a network and its name, such as `14061,DigitalOcean`"
                );
                TableError::in_line(path, line, problem)
            })?;
            asns.push(asn);
        }
        // Lists are put together from others: twice is no mistake.
        asns.sort_unstable();
        asns.dedup();
        Ok(Self { asns })
    }
}

fn parse_row(row: &str) -> Option<Asn> {
    let number = row.split(',').next()?.trim();
    let number = number.strip_prefix("AS").unwrap_or(number);
    Asn::new(number.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asn(number: u32) -> Asn {
        Asn::new(number).unwrap()
    }

    fn parse(text: &str) -> Result<Hosting, String> {
        Hosting::parse(text, Path::new("hosting.csv")).map_err(|error| error.to_string())
    }

    #[test]
    fn the_shipped_list_has_the_large_providers() {
        let hosting = Hosting::builtin().unwrap();
        for number in [9_009, 14_061, 14_618, 16_276, 16_509, 20_473, 24_940, 45_102, 51_167, 63_949, 396_982] {
            assert!(hosting.contains(asn(number)), "{number}");
        }
    }

    #[test]
    fn the_shipped_list_has_no_network_of_subscribers() {
        let hosting = Hosting::builtin().unwrap();
        // AT&T, Comcast, Verizon, T-Mobile US and DE, BT, Orange, Jio, Airtel, China Telecom, MTN, Starlink, Cloudflare.
        for number in [7_018, 7_922, 701, 21_928, 3_320, 2_856, 3_215, 55_836, 24_560, 4_134, 29_465, 14_593, 13_335] {
            assert!(!hosting.contains(asn(number)), "{number}");
        }
    }

    #[test]
    fn a_row_is_a_number_with_or_without_a_name() {
        let hosting = parse("asn,name\n64496\nAS64497, One, Ltd\n64496,again\n").unwrap();
        assert!(hosting.contains(asn(64_496)) && hosting.contains(asn(64_497)));
        assert!(!hosting.contains(asn(64_498)));
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        for text in ["asn,name\nDigitalOcean,14061\n", "# head\n0,none\n", "64496\n-1\n", "64496\n4294967296,x\n"] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with("hosting.csv:2: `"), "{error}");
        }
    }
}
