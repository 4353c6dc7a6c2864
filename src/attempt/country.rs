//! A destination: a country, or a network that belongs to no country.
//!
//! Knows which codes exist. Refuses to know prices, risk, or which calling code leads where.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// An ISO 3166-1 alpha-2 code, or a calling code that belongs to no country (`+882`).
///
/// Only what libphonenumber knows can be made, so a misspelt rule is an error and not a rule that never matches.
#[derive(Clone, Copy, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[serde(try_from = "String")]
pub struct Country(u16);

/// A text that names no known destination.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("unknown country `{0}`: expected an ISO 3166-1 code such as `US`, or one of {NON_GEOGRAPHIC_TEXT}")]
pub struct UnknownCountry(String);

// === impl Country ===

impl Country {
    /// The two letters, upper case; `None` for a network without a country.
    pub fn iso(self) -> Option<[u8; 2]> {
        let [high, low] = self.0.to_be_bytes();
        high.is_ascii_uppercase().then_some([high, low])
    }

    /// Whether this is a network without a country (`+800`, `+882`), which is reached at any price.
    pub fn is_non_geographic(self) -> bool {
        self.iso().is_none()
    }

    /// Takes `US` or `us`, and nothing that is no region of libphonenumber.
    pub(crate) fn from_iso(text: &str) -> Option<Self> {
        let &[first, second] = text.as_bytes() else {
            return None;
        };
        let code = [first.to_ascii_uppercase(), second.to_ascii_uppercase()];
        REGIONS.as_chunks().0.binary_search(&code).ok()?;
        Some(Self(u16::from_be_bytes(code)))
    }

    pub(crate) fn from_non_geographic(calling_code: u16) -> Option<Self> {
        NON_GEOGRAPHIC.contains(&calling_code).then_some(Self(calling_code))
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.iso() {
            Some([first, second]) => write!(f, "{}{}", char::from(first), char::from(second)),
            None => write!(f, "+{}", self.0),
        }
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Country {
    type Err = UnknownCountry;

    fn from_str(text: &str) -> Result<Self, UnknownCountry> {
        let country = match text.strip_prefix('+') {
            Some(digits) if digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().and_then(Self::from_non_geographic)
            }
            Some(_) => None,
            None => Self::from_iso(text),
        };
        country.ok_or_else(|| UnknownCountry(text.to_owned()))
    }
}

impl TryFrom<String> for Country {
    type Error = UnknownCountry;

    fn try_from(text: String) -> Result<Self, UnknownCountry> {
        text.parse()
    }
}

// Sorted, two letters each. A unit test of `numbering` holds both lists against the shipped metadata.
pub(crate) const REGIONS: &[u8] = b"\
    ACADAEAFAGAIALAMAOARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBWBYBZCACCCDCFCGCHCICKCLCMCNCOCRCUCV\
    CWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGTGUGWGYHKHNHRHTHUIDIEILIMIN\
    IOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMW\
    MXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSS\
    STSVSXSYSZTATCTDTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUSUYUZVAVCVEVGVIVNVUWFWSXKYEYTZAZMZW";
pub(crate) const NON_GEOGRAPHIC: [u16; 9] = [800, 808, 870, 878, 881, 882, 883, 888, 979];
const NON_GEOGRAPHIC_TEXT: &str = "+800, +808, +870, +878, +881, +882, +883, +888, +979";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_read_in_any_case_and_shown_in_capitals() {
        let country: Country = "us".parse().unwrap();
        assert_eq!(country.to_string(), "US");
        assert_eq!(country, "US".parse().unwrap());
        assert!(!country.is_non_geographic());
    }

    #[test]
    fn a_network_without_a_country_is_its_calling_code() {
        let country: Country = "+882".parse().unwrap();
        assert_eq!(country.to_string(), "+882");
        assert!(country.is_non_geographic());
    }

    #[test]
    fn what_is_no_destination_is_refused_by_name() {
        for text in ["", "U", "USA", "ZZ", "001", "+1", "+0882", "+999", "882", "+8ö", "ü", "U S"] {
            let error = text.parse::<Country>().unwrap_err();
            assert!(error.to_string().starts_with(&format!("unknown country `{text}`")), "{text}");
        }
    }
}
