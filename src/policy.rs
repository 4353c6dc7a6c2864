//! Turns evidence into a verdict: country rules, number kinds, thresholds, and whether verdicts are carried out.
//!
//! 1. A denied destination or kind of number is blocked, whatever else is known.
//! 2. The score is compared with the thresholds.
//!
//! A policy never changes. Exact limits are the engine's, which counts them.

mod decision;

use std::collections::HashSet;
use std::str::FromStr;

use serde::Deserialize;

use crate::attempt::Verdict;
use crate::attempt::country::{Country, UnknownCountry};
use crate::attempt::phone::{Kind, Number, Prefix, Reader};
use crate::risk::{Assessment, Fact, Score, Signal};

pub use decision::Decision;

/// The `[policy]` section.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyConfig {
    /// Whether verdicts are carried out or only logged.
    pub mode: Mode,
    /// From which score on an attempt is challenged or blocked.
    pub thresholds: Thresholds,
}

/// The `[countries]` section.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CountriesConfig {
    /// Never sent to.
    pub deny: Vec<Place>,
    /// When not empty, everything else is denied.
    pub allow: Vec<Place>,
}

/// A country, or a calling prefix such as `+882` or `+4470`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Place {
    /// By ISO 3166-1 code.
    Country(Country),
    /// By leading digits.
    Prefix(Prefix),
}

/// Neither a country nor a calling prefix.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Letters that are no country.
    #[error(transparent)]
    Country(#[from] UnknownCountry),
    /// A plus without 1 to 12 digits after it.
    #[error("`{0}` is not a calling prefix, expected a plus and 1 to 12 digits, such as `+882`")]
    Prefix(String),
}

/// Whether verdicts are carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Refuse what is to be refused.
    #[default]
    Enforce,
    /// Decide and log, and refuse nothing.
    Monitor,
}

/// The scores from which on an attempt is challenged or blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawThresholds")]
pub struct Thresholds {
    challenge: Score,
    block: Score,
}

/// Thresholds in the wrong order.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("`challenge` ({challenge}) must not be above `block` ({block})")]
pub struct Inverted {
    challenge: u8,
    block: u8,
}

/// Everything that judges.
#[derive(Debug)]
pub struct Policy {
    mode: Mode,
    thresholds: Thresholds,
    deny: Vec<Place>,
    allow: Vec<Place>,
    denied_kinds: Vec<Kind>,
    /// Calling codes that hold a denied country: a number in no assigned range of theirs might be in it.
    tainted: HashSet<u16>,
    /// Whether whoever is challenged has a way to answer.
    can_ask: bool,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawThresholds {
    challenge: Score,
    block: Score,
}

// === impl Policy ===

impl Policy {
    /// A policy; `reader` tells which countries share a calling code.
    pub fn new(policy: PolicyConfig, countries: CountriesConfig, denied_kinds: Vec<Kind>, reader: &Reader) -> Self {
        let CountriesConfig { deny, allow } = countries;
        let mut policy = Self {
            mode: policy.mode,
            thresholds: policy.thresholds,
            deny,
            allow,
            denied_kinds,
            tainted: HashSet::new(),
            can_ask: true,
        };
        policy.tainted = (1..1000)
            .filter(|code| reader.regions_of(*code).iter().any(|country| policy.denies_country(*country)))
            .collect();
        policy
    }

    /// The same where a challenge cannot be answered, and is a refusal that says nothing about who was asked.
    #[must_use]
    pub fn without_answers(self) -> Self {
        Self { can_ask: false, ..self }
    }

    /// Whether verdicts are carried out.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// What the rules say of a number before any evidence is weighed; `None` where they say nothing.
    pub fn rule(&self, number: Number) -> Option<Assessment> {
        if self.denies(number) {
            return Some(Assessment::certain(Signal::CountryDenied, Fact::Country(number.country())));
        }
        if self.denied_kinds.contains(&number.kind()) {
            return Some(Assessment::certain(Signal::TypeDenied, Fact::Kind(number.kind())));
        }
        None
    }

    /// The verdict on an assessment.
    pub fn judge(&self, assessment: &Assessment) -> Verdict {
        match assessment.score {
            score if score == Score::CERTAIN && assessment.rests_on_a_rule() => Verdict::Block,
            // Real customers share what is to blame: they are asked, and not refused.
            score if self.thresholds.block <= score && assessment.spares_customers => Verdict::Challenge,
            score if self.thresholds.block <= score => Verdict::Block,
            score if self.thresholds.challenge <= score => Verdict::Challenge,
            _ => Verdict::Allow,
        }
    }

    fn denies(&self, number: Number) -> bool {
        let names = |place: &Place| place.holds(number);
        let is_denied = self.deny.iter().any(names);
        let is_left_out = !self.allow.is_empty() && !self.allow.iter().any(names);
        let is_doubtful = number.kind() == Kind::Unassigned
            && self.tainted.contains(&number.calling_code())
            && !self.allow.iter().any(|place| matches!(place, Place::Prefix(_)) && place.holds(number));
        is_denied || is_left_out || is_doubtful
    }

    fn denies_country(&self, country: Country) -> bool {
        let named = |places: &[Place]| places.contains(&Place::Country(country));
        let is_left_out = !self.allow.is_empty() && !named(&self.allow);
        named(&self.deny) || is_left_out
    }
}

// === impl Place ===

impl Place {
    fn holds(&self, number: Number) -> bool {
        match *self {
            Self::Country(country) => number.country() == country,
            Self::Prefix(prefix) => prefix.holds(number),
        }
    }
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let Some(digits) = text.strip_prefix('+') else { return Ok(Self::Country(text.parse()?)) };
        digits.parse().map(Self::Prefix).map_err(|_| PlaceError::Prefix(text.to_owned()))
    }
}

impl TryFrom<String> for Place {
    type Error = PlaceError;

    fn try_from(text: String) -> Result<Self, PlaceError> {
        text.parse()
    }
}

// === impl Thresholds ===

impl Default for Thresholds {
    fn default() -> Self {
        Self { challenge: Score::saturating(50), block: Score::saturating(95) }
    }
}

impl Default for RawThresholds {
    fn default() -> Self {
        let Thresholds { challenge, block } = Thresholds::default();
        Self { challenge, block }
    }
}

impl TryFrom<RawThresholds> for Thresholds {
    type Error = Inverted;

    fn try_from(raw: RawThresholds) -> Result<Self, Inverted> {
        let RawThresholds { challenge, block } = raw;
        if block < challenge {
            return Err(Inverted { challenge: challenge.get(), block: block.get() });
        }
        Ok(Self { challenge, block })
    }
}

// === impl Mode ===

impl Mode {
    /// The name in config and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Monitor => "monitor",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Reader::builtin(crate::attempt::phone::ReaderKind::Google).unwrap().read(text, None).unwrap()
    }

    fn policy(deny: &[&str], allow: &[&str]) -> Policy {
        let places = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
        let reader = Reader::builtin(crate::attempt::phone::ReaderKind::Google).unwrap();
        let countries = CountriesConfig { deny: places(deny), allow: places(allow) };
        Policy::new(PolicyConfig::default(), countries, vec![Kind::PremiumRate], &reader)
    }

    #[test]
    fn a_denied_country_is_denied_and_its_neighbour_on_the_same_calling_code_is_not() {
        let policy = policy(&["CA"], &[]);
        assert!(policy.rule(number("+14165550123")).is_some());
        assert!(policy.rule(number("+14155550123")).is_none());
    }

    #[test]
    fn a_number_in_no_assigned_range_is_denied_with_any_country_of_its_calling_code() {
        let policy = policy(&["CA"], &[]);
        assert!(policy.rule(number("+15550001234")).is_some());
    }

    #[test]
    fn what_is_not_on_the_allow_list_is_denied() {
        let policy = policy(&[], &["GB", "+1415"]);
        assert!(policy.rule(number("+447400123456")).is_none());
        assert!(policy.rule(number("+14155550123")).is_none());
        assert!(policy.rule(number("+12125550123")).is_some());
    }

    #[test]
    fn a_prefix_is_denied_across_countries() {
        let policy = policy(&["+4474"], &[]);
        assert!(policy.rule(number("+447400123456")).is_some());
        assert!(policy.rule(number("+447900123456")).is_none());
    }
}
