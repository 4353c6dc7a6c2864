//! Numbers of the shape that mobile subscribers have, by country, and addresses of the shape that homes have.
//!
//! The numbers are valid ones by their shape; whether one is in service nobody here knows or asks, since no message is ever sent.

use std::net::Ipv4Addr;

/// A country's mobile numbers: every stem, followed by `n_free` digits.
#[derive(Debug)]
pub(crate) struct Country {
    pub(crate) iso: &'static str,
    calling_code: u16,
    stems: &'static [&'static str],
    n_free: u32,
}

// === impl Country ===

impl Country {
    pub(crate) fn find(iso: &str) -> Option<&'static Self> {
        ORDINARY.iter().find(|country| country.iso.eq_ignore_ascii_case(iso))
    }

    /// How many different numbers there are.
    pub(crate) fn capacity(&self) -> u64 {
        self.stems.len() as u64 * self.per_stem()
    }

    /// The `nth` number in numerical order within each stem, stems in turn; wraps at the capacity.
    pub(crate) fn number(&self, nth: u64) -> String {
        let n_stems = self.stems.len() as u64;
        let stem = usize::try_from(nth % n_stems).ok().and_then(|at| self.stems.get(at)).unwrap_or(&"");
        let free = nth / n_stems % self.per_stem();
        format!("+{}{stem}{free:0width$}", self.calling_code, width = self.n_free as usize)
    }

    /// The `nth` number of an order in which neighbours lie far apart and none repeats before the capacity.
    pub(crate) fn scattered(&self, nth: u64) -> String {
        let n_stems = self.stems.len() as u64;
        // Near the golden section and coprime to ten, so it visits everything and never walks along one block.
        let stride = self.per_stem() / 1000 * 618 + 33;
        let free = (nth / n_stems % self.per_stem()) * stride % self.per_stem();
        self.number(free * n_stems + nth % n_stems)
    }

    fn per_stem(&self) -> u64 {
        10_u64.pow(self.n_free)
    }
}

/// As people type it: `+33 6 12 34 56 78` becomes groups of three digits after the calling code.
pub(crate) fn typed_with_spaces(number: &str) -> String {
    let mut typed = String::with_capacity(number.len() * 4 / 3 + 1);
    for (at, character) in number.chars().enumerate() {
        if at % 3 == 0 && at != 0 {
            typed.push(' ');
        }
        typed.push(character);
    }
    typed
}

/// The `nth` public address of an order in which neighbours lie far apart and none repeats for three thousand million.
pub(crate) fn address(nth: u64) -> Ipv4Addr {
    let n_addresses = FIRST_OCTETS.len() as u64 * (1 << 24);
    let at = nth.wrapping_mul(2_654_435_761) % n_addresses;
    let first = usize::try_from(at >> 24).ok().and_then(|octet| FIRST_OCTETS.get(octet)).unwrap_or(&1);
    let [_, _, _, _, _, second, third, fourth] = at.to_be_bytes();
    Ipv4Addr::new(*first, second, third, fourth)
}

/// Countries ordinary people sign up from. No attack uses them.
pub(crate) const ORDINARY: &[Country] = &[
    Country {
        iso: "US",
        calling_code: 1,
        stems: &["2122", "2123", "3052", "3124", "4152", "4155", "5123", "6462", "7133", "9175"],
        n_free: 6,
    },
    Country { iso: "GB", calling_code: 44, stems: &["74", "75", "78"], n_free: 8 },
    Country { iso: "FR", calling_code: 33, stems: &["60", "61", "62", "64", "65", "66", "67", "68"], n_free: 7 },
    Country { iso: "DE", calling_code: 49, stems: &["151", "152", "157"], n_free: 8 },
    Country { iso: "ES", calling_code: 34, stems: &["6"], n_free: 8 },
    Country { iso: "IT", calling_code: 39, stems: &["32", "33", "34"], n_free: 8 },
    Country { iso: "NL", calling_code: 31, stems: &["61", "62", "64"], n_free: 7 },
    Country { iso: "IN", calling_code: 91, stems: &["98", "99"], n_free: 8 },
    Country { iso: "BR", calling_code: 55, stems: &["119", "219"], n_free: 8 },
];

/// The country whose numbers the attack uses: messages to it are dear. Azerbaijan's 50 range.
pub(crate) const DEAR: Country = Country { iso: "AZ", calling_code: 994, stems: &["50"], n_free: 7 };

/// What every number of [`DEAR`] begins with: the upstream counts by its first five digits.
pub(crate) const DEAR_PREFIX: &str = "99450";

/// First octets that hold public addresses only; those with private, shared, test or multicast parts are left out.
pub(crate) const FIRST_OCTETS: &[u8] = &[
    2, 5, 12, 24, 31, 37, 46, 50, 62, 66, 67, 68, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86,
    87, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 101, 103, 105, 106, 108, 109, 110, 111, 112, 113, 114, 115,
    116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 138, 139,
    140, 141, 142, 143, 144, 145, 146, 147, 148, 149, 150, 151, 152, 153, 154, 155, 156, 157, 158, 159, 160, 161, 162,
    163, 164, 165, 166, 167, 168, 170, 171, 173, 174, 175, 176, 177, 178, 179, 180, 181, 182, 183, 184, 185, 186, 187,
    188, 189, 190, 191, 193, 194, 195, 196, 197, 199, 200, 201, 202, 204, 205, 206, 207, 208, 209, 210, 211, 212, 213,
    216, 217, 218, 219, 220, 221, 222, 223,
];

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    #[test]
    fn numbers_have_the_length_of_their_country() {
        let lengths = [
            ("US", 12),
            ("GB", 13),
            ("FR", 12),
            ("DE", 14),
            ("ES", 12),
            ("IT", 13),
            ("NL", 12),
            ("IN", 13),
            ("BR", 14),
        ];
        for (iso, length) in lengths {
            let country = Country::find(iso).unwrap();
            for nth in [0, 1, 77, country.capacity() - 1, country.capacity() * 3 + 5] {
                let number = country.number(nth);
                assert_eq!(number.len(), length, "{iso} {number}");
                assert!(number.starts_with('+') && number[1..].bytes().all(|byte| byte.is_ascii_digit()));
            }
        }
    }

    #[test]
    fn scattered_numbers_are_distinct_and_crowd_no_block() {
        for country in ORDINARY {
            let numbers: HashSet<_> = (0..20_000).map(|nth| country.scattered(nth)).collect();
            assert_eq!(numbers.len(), 20_000, "{}", country.iso);
            let mut blocks = HashMap::new();
            for number in &numbers {
                *blocks.entry(&number[..number.len() - 3]).or_insert(0) += 1;
            }
            assert!(blocks.values().all(|&n| n <= 25), "{}: {:?}", country.iso, blocks.values().max());
        }
    }

    #[test]
    fn a_scattered_order_visits_every_number() {
        let small = Country { iso: "XX", calling_code: 999, stems: &["1", "2"], n_free: 4 };
        let numbers: HashSet<_> = (0..small.capacity()).map(|nth| small.scattered(nth)).collect();
        assert_eq!(numbers.len() as u64, small.capacity());
    }

    #[test]
    fn addresses_are_distinct_and_public() {
        let addresses: HashSet<_> = (0..100_000).map(address).collect();
        assert_eq!(addresses.len(), 100_000);
        assert!(
            addresses
                .iter()
                .all(|ip| !ip.is_private() && !ip.is_loopback() && !ip.is_multicast() && !ip.is_link_local())
        );
    }

    #[test]
    fn the_attack_s_prefix_is_its_own() {
        assert!(DEAR.number(12_345)[1..].starts_with(DEAR_PREFIX));
        assert!(ORDINARY.iter().all(|country| !country.number(0)[1..].starts_with("994")));
    }

    #[test]
    fn spaces_change_no_digit() {
        assert_eq!(typed_with_spaces("+33612345678"), "+33 612 345 678");
        assert_eq!(typed_with_spaces("+4915112345678").replace(' ', ""), "+4915112345678");
    }
}
