//! What was seen and how much it says: points, facts, and the score they add up to.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use smallvec::SmallVec;

use super::Money;
use crate::attempt::client::ClientNet;
use crate::attempt::country::Country;
use crate::attempt::phone::{Block, Kind, Prefix, Unreadable};

/// A log-likelihood ratio in decibans: +10 makes fraud ten times as likely, −10 a tenth.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Points(f32);

/// 0 to 100: the probability of fraud in per cent, `100 / (1 + 10^(-points/10))` of all points together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "u64")]
pub struct Score(u8);

/// A score outside its bounds.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("{0} is out of bounds, a score is between 0 and 101, where 101 is never reached")]
pub struct ScoreError(u64);

/// One thing that one signal saw.
#[derive(Clone, Copy, Debug)]
pub struct Evidence {
    /// Who saw it.
    pub signal: Signal,
    /// How much it says.
    pub points: Points,
    /// What it was, for people.
    pub fact: Fact,
}

/// A way of looking. The names are part of the block log's schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// How common fraud is before anything is known.
    Prior,
    /// The country's price against its share of ordinary traffic.
    Destination,
    /// The operator's own risk table.
    RiskTable,
    /// The kind of number: premium, satellite, or in no assigned range.
    NumberType,
    /// Other numbers of the same block, asked for by other clients.
    Adjacency,
    /// Numbers that follow one another.
    Sequence,
    /// Different numbers asked for by one client.
    ClientRate,
    /// Different numbers asked for by one client network.
    NetRate,
    /// What this very number did before.
    NumberHistory,
    /// A table was full, so something could not be known.
    StateFull,
    /// Policy: the destination is denied, or not among the allowed ones.
    CountryDenied,
    /// Policy: the kind of number is denied.
    TypeDenied,
    /// An exact limit is used up.
    Limit,
    /// No number, or more than one meaning, could be read from the request.
    Unreadable,
}

/// What a signal saw, rendered as a sentence for the block log only when it is written.
#[derive(Clone, Copy, Debug)]
pub enum Fact {
    /// Price and share of a destination.
    Destination {
        /// Where.
        country: Country,
        /// What one message costs there.
        price: Money,
        /// Its learned share of ordinary traffic, in per mille.
        per_mille: u32,
    },
    /// A row of the risk table.
    Prefix(Prefix),
    /// The kind of a number.
    Kind(Kind),
    /// Others in a block.
    Block {
        /// Which.
        block: Block,
        /// How many other numbers.
        n_others: u32,
        /// In which time.
        within: Duration,
    },
    /// A run of numbers.
    Run {
        /// Where.
        block: Block,
        /// How many numbers stand in a row with this one.
        n_others: u32,
    },
    /// Numbers asked for by a client or network.
    Clients {
        /// Which.
        net: ClientNet,
        /// How many other numbers.
        n_others: u32,
        /// In which time.
        within: Duration,
    },
    /// Sends to this number that nobody answered with a code.
    Unverified(u32),
    /// This number typed a code before.
    VerifiedBefore,
    /// The name of a full table.
    Table(&'static str),
    /// A country by policy.
    Country(Country),
    /// A limit: what it counts, how many, in which time.
    Limit {
        /// What is counted.
        dimension: &'static str,
        /// The most that may pass.
        count: u32,
        /// In which time.
        per: Duration,
    },
    /// Why a number could not be read.
    BadNumber(Unreadable),
    /// A fixed sentence.
    Because(&'static str),
}

/// All evidence about one attempt, and the score it adds up to.
#[derive(Clone, Debug, Default)]
pub struct Assessment {
    /// The probability of fraud, in per cent.
    pub score: Score,
    /// What it rests on.
    pub evidence: SmallVec<[Evidence; 8]>,
}

// === impl Points ===

impl Points {
    /// So many decibans.
    pub const fn new(decibans: f32) -> Self {
        Self(decibans)
    }

    /// A natural logarithm of a likelihood ratio as points.
    pub fn from_nats(nats: f32) -> Self {
        Self(nats * 10.0 / std::f32::consts::LN_10)
    }

    /// Decibans.
    pub const fn decibans(self) -> f32 {
        self.0
    }

    /// Tenths of a deciban, as logs show them.
    #[expect(clippy::cast_possible_truncation, reason = "points are far inside the range, and the cast saturates")]
    pub fn tenths(self) -> i32 {
        (self.0 * 10.0).round() as i32
    }

    /// Bounded on both sides.
    pub fn clamp(self, low: f32, high: f32) -> Self {
        Self(self.0.clamp(low, high))
    }
}

// === impl Score ===

impl Score {
    /// No evidence can be stronger.
    pub const CERTAIN: Self = Self(100);

    /// A score of so many per cent, at most [`Score::CERTAIN`].
    pub const fn saturating(per_cent: u8) -> Self {
        if per_cent < 100 { Self(per_cent) } else { Self::CERTAIN }
    }

    /// Per cent.
    pub const fn get(self) -> u8 {
        self.0
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a probability times 100 fits")]
    fn from_log_odds(points: Points) -> Self {
        let odds = 10f32.powf(-points.0.clamp(-400.0, 400.0) / 10.0);
        Self((100.0 / (1.0 + odds)).round() as u8)
    }
}

impl TryFrom<u64> for Score {
    type Error = ScoreError;

    fn try_from(score: u64) -> Result<Self, ScoreError> {
        match u8::try_from(score) {
            Ok(score) if score <= 101 => Ok(Self(score)),
            Ok(_) | Err(_) => Err(ScoreError(score)),
        }
    }
}

// === impl Signal ===

impl Signal {
    /// The name in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prior => "prior",
            Self::Destination => "destination",
            Self::RiskTable => "risk_table",
            Self::NumberType => "number_type",
            Self::Adjacency => "adjacency",
            Self::Sequence => "sequence",
            Self::ClientRate => "client_rate",
            Self::NetRate => "net_rate",
            Self::NumberHistory => "number_history",
            Self::StateFull => "state_full",
            Self::CountryDenied => "country_denied",
            Self::TypeDenied => "type_denied",
            Self::Limit => "limit",
            Self::Unreadable => "unreadable",
        }
    }
}

// === impl Assessment ===

impl Assessment {
    /// An assessment that rests on one fact of policy, which no evidence outweighs.
    pub fn certain(signal: Signal, fact: Fact) -> Self {
        let evidence = Evidence { signal, points: RULE, fact };
        Self { score: Score::CERTAIN, evidence: SmallVec::from_slice(&[evidence]) }
    }

    /// The signal that decided against the attempt: a used-up limit, or else the strongest evidence.
    pub fn deciding(&self) -> Option<Signal> {
        if let Some(last) = self.evidence.last().filter(|last| last.signal == Signal::Limit) {
            return Some(last.signal);
        }
        let strongest = |a: &&Evidence, b: &&Evidence| a.points.0.total_cmp(&b.points.0);
        self.evidence
            .iter()
            .filter(|evidence| 0.0 < evidence.points.0)
            .max_by(strongest)
            .map(|evidence| evidence.signal)
    }

    /// Whether a rule of policy decided, which no threshold overrules.
    pub fn rests_on_a_rule(&self) -> bool {
        self.evidence.iter().any(|evidence| RULE <= evidence.points)
    }

    /// Adds evidence; what rounds to nothing is left out, so that the log stays readable.
    pub(super) fn add(&mut self, evidence: Evidence) {
        if LEAST <= evidence.points.0.abs() {
            self.evidence.push(evidence);
        }
    }

    pub(super) fn conclude(&mut self) {
        let sum = self.evidence.iter().map(|evidence| evidence.points.0).sum();
        self.score = Score::from_log_odds(Points(sum));
    }
}

// === impl Fact ===

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Destination { country, price, per_mille } => {
                write!(
                    f,
                    "{country} costs {price} a message and is {}.{} % of ordinary traffic",
                    per_mille / 10,
                    per_mille % 10
                )
            }
            Self::Prefix(prefix) => write!(f, "+{prefix} is in the risk table"),
            Self::Kind(kind) => write!(f, "the number is {}", kind.as_str()),
            Self::Block { block, n_others, within } => {
                write!(f, "{n_others} other new numbers in {block} in {} from other clients", Span(within))
            }
            Self::Run { block, n_others } => write!(f, "stands in a row with {n_others} other numbers of {block}"),
            Self::Clients { net, n_others, within } => {
                write!(f, "{n_others} other new numbers asked for by {net} in {}", Span(within))
            }
            Self::Unverified(n_sends) => write!(f, "{n_sends} earlier messages to this number, no code typed"),
            Self::VerifiedBefore => f.write_str("this number typed a code before"),
            Self::Table(table) => write!(f, "the table of {table} is full"),
            Self::Country(country) => write!(f, "{country} is denied, or not among the allowed destinations"),
            Self::Limit { dimension, count, per } => write!(f, "{count} per {} and {dimension} are used up", Span(per)),
            Self::BadNumber(unreadable) => write!(f, "the number cannot be read: {unreadable}"),
            Self::Because(sentence) => f.write_str(sentence),
        }
    }
}

/// A duration as people write it: `10m`, `24h`.
struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            0 => write!(f, "{}ms", self.0.as_millis()),
            seconds if seconds % 3600 == 0 => write!(f, "{}h", seconds / 3600),
            seconds if seconds % 60 == 0 => write!(f, "{}m", seconds / 60),
            seconds => write!(f, "{seconds}s"),
        }
    }
}

/// Points that a rule of policy is shown with: a certainty of 1 in 10 billion that it is not meant.
const RULE: Points = Points(100.0);

/// Evidence weaker than this, in decibans, is not kept.
const LEAST: f32 = 0.5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_evidence_at_all_is_an_even_bet() {
        assert_eq!(Score::from_log_odds(Points(0.0)).get(), 50);
    }

    #[test]
    fn points_add_up_to_the_score() {
        let mut assessment = Assessment::default();
        for points in [-22.0, 10.0, 25.0] {
            assessment.add(Evidence { signal: Signal::Prior, points: Points(points), fact: Fact::Because("") });
        }
        assessment.conclude();
        assert_eq!(assessment.score.get(), 95, "13 decibans are odds of 20 to 1");
    }

    #[test]
    fn extreme_points_saturate() {
        assert_eq!(Score::from_log_odds(Points(1e9)), Score::CERTAIN);
        assert_eq!(Score::from_log_odds(Points(-1e9)).get(), 0);
    }
}
