//! Declared events: what the operator knows beforehand and the engine would find surprising.
//!
//! An event silences what it explains, until it expires, and nothing else. One that names destinations explains that
//! many ask for these: a launch. One that names networks explains that many ask from there, for whatever reason: a
//! drill, a bulk sender's address, a partner's NAT. One that names both explains only what fits both. What it silences
//! is shown beside it in the reasons. Budgets and limits per number hold all the same.

use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;
use serde::Deserialize;

use super::evidence::Signal;
use crate::attempt::country::Country;
use crate::attempt::origin::Asn;
use crate::attempt::phone::Prefix;
use crate::attempt::{Attempt, Timestamp};

/// One `[[expect]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "RawExpected")]
pub struct Expected {
    name: Name,
    until: Timestamp,
    countries: Vec<Country>,
    prefixes: Vec<Prefix>,
    networks: Vec<IpNet>,
    asns: Vec<Asn>,
}

/// What reasons call an event: 1 to 24 letters, digits, `-`, `_` or `.`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name {
    bytes: [u8; MOST_LETTERS],
    length: u8,
}

/// An event that cannot be expected.
#[derive(Debug, thiserror::Error)]
pub enum ExpectError {
    /// The name would not survive in a log.
    #[error("`name` must be 1 to 24 letters, digits, `-`, `_` or `.`, not `{0}`")]
    Name(String),
    /// The end is no time.
    #[error("`until` must be a time such as \"2026-12-31T18:00:00Z\", not `{0}`")]
    Until(String),
    /// A prefix is none.
    #[error("`{0}` is not a calling prefix, expected a plus and 1 to 12 digits, such as `+8490`")]
    Prefix(String),
    /// An autonomous system is none.
    #[error("0 is no autonomous system, expected its number, such as 14061")]
    Asn,
    /// It would silence everything.
    #[error("an event must name at least one of `countries`, `prefixes`, `networks`, `asns`")]
    Everything,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExpected {
    name: String,
    until: String,
    #[serde(default)]
    countries: Vec<Country>,
    #[serde(default)]
    prefixes: Vec<String>,
    #[serde(default)]
    networks: Vec<IpNet>,
    #[serde(default)]
    asns: Vec<u32>,
}

// === impl Expected ===

impl Expected {
    /// What reasons call it.
    pub fn name(&self) -> Name {
        self.name
    }

    /// Whether it is over.
    pub fn is_over(&self, at: Timestamp) -> bool {
        self.until <= at
    }

    /// Whether the attempt belongs to it.
    pub(super) fn explains(&self, attempt: &Attempt) -> bool {
        let number = attempt.number;
        let fits_number = !self.names_destinations()
            || self.countries.contains(&number.country())
            || self.prefixes.iter().any(|prefix| prefix.holds(number));
        !self.is_over(attempt.at) && fits_number && (!self.names_sources() || self.fits_source(attempt))
    }

    /// Whether evidence of this kind is silenced by it.
    pub(super) fn silences(&self, signal: Signal) -> bool {
        let of_destinations = matches!(
            signal,
            Signal::Destination | Signal::ClientCountry | Signal::Prefix | Signal::UnverifiedSpend | Signal::SpendSurge
        );
        let of_sources = matches!(
            signal,
            Signal::ClientCountry
                | Signal::FamiliarClient
                | Signal::HostingNetwork
                | Signal::Prefix
                | Signal::Sequence
                | Signal::Source
                | Signal::UnverifiedSpend
                | Signal::SpendSurge
        );
        (self.names_destinations() && of_destinations) || (self.names_sources() && of_sources)
    }

    /// Whether it speaks of who asks, so that limits per client and network are lifted.
    pub(super) fn names_sources(&self) -> bool {
        !self.networks.is_empty() || !self.asns.is_empty()
    }

    fn names_destinations(&self) -> bool {
        !self.countries.is_empty() || !self.prefixes.is_empty()
    }

    fn fits_source(&self, attempt: &Attempt) -> bool {
        let is_inside = |net: &IpNet| attempt.client.is_some_and(|client| net.contains(&client.ip()));
        self.networks.iter().any(is_inside) || attempt.origin.asn.is_some_and(|asn| self.asns.contains(&asn))
    }
}

impl TryFrom<RawExpected> for Expected {
    type Error = ExpectError;

    fn try_from(raw: RawExpected) -> Result<Self, ExpectError> {
        let until: jiff::Timestamp = raw.until.parse().map_err(|_| ExpectError::Until(raw.until))?;
        let until = Timestamp::from_millis(u64::try_from(until.as_millisecond()).unwrap_or(0));
        let prefix = |text: String| {
            let digits = text.strip_prefix('+').and_then(|digits| digits.parse().ok());
            digits.ok_or(ExpectError::Prefix(text))
        };
        let expected = Self {
            name: raw.name.parse()?,
            until,
            countries: raw.countries,
            prefixes: raw.prefixes.into_iter().map(prefix).collect::<Result<_, _>>()?,
            networks: raw.networks,
            asns: raw.asns.into_iter().map(|asn| Asn::new(asn).ok_or(ExpectError::Asn)).collect::<Result<_, _>>()?,
        };
        if !expected.names_destinations() && !expected.names_sources() {
            return Err(ExpectError::Everything);
        }
        Ok(expected)
    }
}

// === impl Name ===

impl FromStr for Name {
    type Err = ExpectError;

    fn from_str(text: &str) -> Result<Self, ExpectError> {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let mut bytes = [0; MOST_LETTERS];
        match bytes.get_mut(..text.len()) {
            Some(place) if !text.is_empty() && text.bytes().all(is_letter) => place.copy_from_slice(text.as_bytes()),
            Some(_) | None => return Err(ExpectError::Name(text.to_owned())),
        }
        Ok(Self { bytes, length: text.len() as u8 })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.bytes.get(..usize::from(self.length)).and_then(|bytes| std::str::from_utf8(bytes).ok());
        f.write_str(text.unwrap_or_default())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const MOST_LETTERS: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::client::Client;
    use crate::attempt::phone::{Number, Reader, ReaderKind};

    fn expected(lines: &str) -> Result<Expected, String> {
        let text = format!("name = \"event\"\nuntil = \"2026-12-31T18:00:00Z\"\n{lines}");
        use figment::providers::{Format, Toml};
        figment::Figment::from(Toml::string(&text)).extract().map_err(|error| error.to_string())
    }

    fn number(text: &str) -> Number {
        Reader::builtin(ReaderKind::Google).unwrap().read(text, None).unwrap()
    }

    fn attempt(phone: &str, ip: &str) -> Attempt {
        let at = Timestamp::from_millis(1_790_000_000_000);
        Attempt::new(at, number(phone)).from(Client::new(ip.parse().unwrap()))
    }

    #[test]
    fn an_event_explains_what_fits_all_that_it_names() {
        let event = expected("countries = [\"VN\"]\nnetworks = [\"203.0.113.0/24\"]").unwrap();
        assert!(event.explains(&attempt("+84901234567", "203.0.113.9")));
        assert!(!event.explains(&attempt("+84901234567", "198.51.100.9")));
        assert!(!event.explains(&attempt("+998901234567", "203.0.113.9")));
    }

    #[test]
    fn an_event_that_is_over_explains_nothing() {
        let event = expected("countries = [\"VN\"]").unwrap();
        let mut late = attempt("+84901234567", "203.0.113.9");
        assert!(event.explains(&late));
        late.at = Timestamp::from_millis(1_800_000_000_000);
        assert!(!event.explains(&late));
    }

    #[test]
    fn a_launch_explains_its_country_and_not_a_hosting_network() {
        let event = expected("countries = [\"VN\"]").unwrap();
        assert!(event.silences(Signal::Destination) && event.silences(Signal::Prefix));
        assert!(!event.silences(Signal::HostingNetwork) && !event.silences(Signal::NumberHistory));
    }

    #[test]
    fn what_would_silence_everything_is_refused() {
        assert!(expected("").unwrap_err().contains("at least one of"));
        assert!(expected("asns = [0]").unwrap_err().contains("no autonomous system"));
        assert!(expected("prefixes = [\"84\"]").unwrap_err().contains("a plus and 1 to 12 digits"));
    }
}
