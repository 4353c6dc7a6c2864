//! Where a message goes: its price, the operator's risk table, and how usual the country is.
//!
//! Pumping pays where messages are dear, and it goes where a company's customers are not. The evidence compares the
//! country's attractiveness to an attacker, which grows with the square of its price, with its learned share of
//! ordinary traffic.

use std::fmt;
use std::path::Path;

use serde::Deserialize;

use super::evidence::{Assessment, Evidence, Fact, Points, Signal};
use super::table::{self, TableError, read};
use crate::attempt::phone::{Kind, Number, Prefix};

/// Prices and risk rows.
#[derive(Debug)]
pub struct Destinations {
    prices: PrefixTable<Money>,
    risks: PrefixTable<Points>,
    /// The sum of the squared prices of all prefixes: what attackers' interest is a share of.
    interest: f32,
}

/// An amount in millionths of a US dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Money(u64);

/// A text that is no amount.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an amount, expected dollars such as \"$25\" or \"$0.50\", at most $1000000000")]
pub struct NotMoney(String);

/// Values per calling prefix; the longest prefix of a number decides.
#[derive(Debug)]
struct PrefixTable<V> {
    /// Sorted by prefix; a prefix is kept with its length, so that 1 and 10 are different.
    rows: Vec<(Prefix, V)>,
    longest: u32,
}

// === impl Destinations ===

impl Destinations {
    /// The shipped price table, and no risk table.
    ///
    /// # Errors
    /// [`TableError`] where the shipped table is broken, which the tests rule out.
    pub fn builtin() -> Result<Self, TableError> {
        Self::new(include_str!("../../data/prices.csv"), Path::new("data/prices.csv"), None)
    }

    /// Reads tables from files: `prices` as `prefix,usd_micros`, `risks` as `prefix,points`.
    ///
    /// # Errors
    /// [`TableError`] names the file, the line and what is wrong with it.
    pub fn load(prices: Option<&Path>, risks: Option<&Path>) -> Result<Self, TableError> {
        let risks = risks.map(|path| Ok((read(path)?, path))).transpose()?;
        let risks = risks.as_ref().map(|(text, path)| (text.as_str(), *path));
        match prices {
            Some(path) => Self::new(&read(path)?, path, risks),
            None => Self::new(include_str!("../../data/prices.csv"), Path::new("data/prices.csv"), risks),
        }
    }

    /// What one message to the number costs.
    pub fn price(&self, number: Number) -> Money {
        self.prices.find(number).unwrap_or(UNKNOWN_PRICE)
    }

    /// What the destination says, when a message there costs so much and its country has this share of ordinary traffic.
    pub(super) fn weigh(&self, number: Number, price: Money, share: f32, assessment: &mut Assessment) {
        let interest = (price.interest() / self.interest).max(LEAST_INTEREST);
        let points = Points::from_nats((interest / share).ln()).decibans();
        let bounded = points.clamp(-MOST, MOST);
        let fact = Fact::Destination { country: number.country(), price, per_mille: per_mille(share) };
        assessment.add(Evidence { signal: Signal::Destination, points: Points::new(bounded), fact });
        if let Some((prefix, points)) = self.risks.row(number) {
            assessment.add(Evidence { signal: Signal::RiskTable, points, fact: Fact::Prefix(prefix) });
        }
        if number.kind() == Kind::Unassigned {
            // Nobody's number in an unlikely country is hardly more unlikely than a number there: one bound for both.
            let points = Points::new((points + UNASSIGNED).clamp(-MOST, MOST) - bounded);
            assessment.add(Evidence { signal: Signal::NumberType, points, fact: Fact::Kind(number.kind()) });
        }
    }

    fn new(prices: &str, path: &Path, risks: Option<(&str, &Path)>) -> Result<Self, TableError> {
        let prices = PrefixTable::parse(prices, path, |text| {
            text.parse().ok().filter(|micros| *micros <= MOST_MICROS).map(Money)
        })?;
        let risks = risks.map_or_else(
            || Ok(PrefixTable { rows: Vec::new(), longest: 0 }),
            |(text, path)| {
                PrefixTable::parse(text, path, |text| {
                    text.parse().ok().filter(|points: &f32| points.abs() <= 100.0).map(Points::new)
                })
            },
        )?;
        let interest = prices.rows.iter().map(|(_, price)| price.interest()).sum();
        Ok(Self { prices, risks, interest })
    }
}

// === impl Money ===

impl Money {
    /// So many millionths of a dollar.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Millionths of a dollar.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// Both together; the sum of all messages ever sent fits.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// So many times as much.
    #[must_use]
    pub const fn times(self, n: u32) -> Self {
        Self(self.0.saturating_mul(n as u64))
    }

    /// What an attacker is drawn by, who shares the revenue: the square of the price, which beyond that of the dearest
    /// countries stands for calls by satellite, whose numbers are refused anyway.
    fn interest(self) -> f32 {
        self.dollars().min(DEAREST).powi(2)
    }

    pub(super) fn dollars(self) -> f32 {
        self.0 as f32 / 1e6
    }
}

impl TryFrom<String> for Money {
    type Error = NotMoney;

    fn try_from(text: String) -> Result<Self, NotMoney> {
        let dollars = text.strip_prefix('$').unwrap_or(&text);
        let (whole, part) = dollars.split_once('.').unwrap_or((dollars, "0"));
        let is_amount =
            |digits: &str, most| (1..=most).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_amount(whole, 9) || !is_amount(part, 6) {
            return Err(NotMoney(text));
        }
        let micros = format!("{whole}{part:0<6}");
        micros.parse().map(Self).map_err(|_| NotMoney(text))
    }
}

impl fmt::Display for Money {
    /// Dollars with as many digits as say something: `$0.0083`, `$12.34`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1_000_000, self.0 % 1_000_000);
        if whole == 0 { write!(f, "$0.{:04}", rest / 100) } else { write!(f, "${whole}.{:02}", rest / 10_000) }
    }
}

// === impl PrefixTable ===

impl<V: Copy> PrefixTable<V> {
    fn parse(text: &str, path: &Path, value: impl Fn(&str) -> Option<V>) -> Result<Self, TableError> {
        let mut rows: Vec<(Prefix, V)> = Vec::new();
        for (line, row) in table::rows(text, "prefix,") {
            let pair = row.split_once(',').and_then(|(prefix, rest)| {
                let text = rest.split(',').next().unwrap_or(rest);
                let prefix = prefix.trim();
                Some((prefix.strip_prefix('+').unwrap_or(prefix).parse().ok()?, value(text.trim())?))
            });
            let Some(pair) = pair else {
                let problem = format!(
                    "`{row}` is not a row, expected a calling prefix of 1 to 12 digits and a number within bounds, such as `998,336000`"
                );
                return Err(TableError::in_line(path, line, problem));
            };
            rows.push(pair);
        }
        rows.sort_unstable_by_key(|(prefix, _)| *prefix);
        if let Some(twice) = rows.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(TableError::in_file(path, format!("prefix {} stands there twice", twice[0].0)));
        }
        let longest = rows.iter().map(|(prefix, _)| prefix.length()).max().unwrap_or(0);
        Ok(Self { rows, longest })
    }

    fn find(&self, number: Number) -> Option<V> {
        self.row(number).map(|(_, value)| value)
    }

    fn row(&self, number: Number) -> Option<(Prefix, V)> {
        (1..=self.longest).rev().find_map(|length| {
            let prefix = Prefix::of(number, length)?;
            let index = self.rows.binary_search_by_key(&prefix, |(prefix, _)| *prefix).ok()?;
            self.rows.get(index).copied()
        })
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share times 1000 fits")]
fn per_mille(share: f32) -> u32 {
    (share * 1000.0).round() as u32
}

/// What a message to a destination in no table is taken to cost: half of the dearest in the shipped one.
const UNKNOWN_PRICE: Money = Money(168_000);

/// Ten dollars: no price above it is a price.
const MOST_MICROS: u64 = 10_000_000;

const LEAST_INTEREST: f32 = 0.004;

/// The most that a destination can say either way, in decibans.
const MOST: f32 = 10.0;

/// What a number in no assigned range says.
const UNASSIGNED: f32 = 6.0;

const DEAREST: f32 = 0.35;
