//! The country whose national spelling of numbers a route accepts.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use crate::attempt::country::Country;

/// A country, never a network without one: those have no national spelling.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq)]
#[serde(try_from = "String")]
pub struct Region(Country);

/// A text that names no country with a numbering plan.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("unknown region `{0}`: expected an ISO 3166-1 code such as `US`")]
pub struct UnknownRegion(String);

// === impl Region ===

impl Region {
    /// The country itself.
    pub fn country(self) -> Country {
        self.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Region {
    type Err = UnknownRegion;

    fn from_str(text: &str) -> Result<Self, UnknownRegion> {
        let country = Country::from_iso(text);
        country.map(Self).ok_or_else(|| UnknownRegion(text.to_owned()))
    }
}

impl TryFrom<String> for Region {
    type Error = UnknownRegion;

    fn try_from(text: String) -> Result<Self, UnknownRegion> {
        text.parse()
    }
}
