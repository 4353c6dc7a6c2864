//! What was seen and how much it says: points, facts, and the score they add up to.

mod fact;

use serde::Deserialize;
use smallvec::SmallVec;

use super::Money;
use super::coherence::Relation;
use super::expect::Expected;
use super::key::{Family, Key, Level};
use super::store::Place;

pub use fact::{Crowd, Fact, Range, Source};

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
    /// The client's country beside the number's.
    ClientCountry,
    /// Whether codes were typed from the client's host or network before.
    FamiliarClient,
    /// The client is in a hosting network, where no customers live.
    HostingNetwork,
    /// Who else asked for numbers of the same range, at seven widths, and whether they typed their codes.
    Prefix,
    /// Numbers that follow one another.
    Sequence,
    /// What else the same host, network or software asked for, and whether the codes were typed.
    Source,
    /// What this very number did before.
    NumberHistory,
    /// Money spent on the country and not answered with codes.
    UnverifiedSpend,
    /// Money about to be spent on unknown numbers of the country within an hour.
    SpendSurge,
    /// Policy: the destination is denied, or not among the allowed ones.
    CountryDenied,
    /// Policy: the kind of number is denied.
    TypeDenied,
    /// An exact limit is used up.
    Limit,
    /// A budget is used up.
    Budget,
    /// A declared event explains what other signals saw.
    Expected,
    /// No number, or more than one meaning, could be read from the request.
    Unreadable,
}

/// All evidence about one attempt, and the score it adds up to.
#[derive(Clone, Debug, Default)]
pub struct Assessment {
    /// The probability of fraud, in per cent.
    pub score: Score,
    /// What it rests on.
    pub evidence: SmallVec<[Evidence; 8]>,
    /// Whether real customers share what is to blame, so that they are to be asked and not refused.
    pub spares_customers: bool,
    pub(super) trace: Option<Box<Trace>>,
}

/// What the engine needs to learn from an attempt once it is decided.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    pub(super) keys: SmallVec<[(Key, Option<Place>); 11]>,
    /// The narrowest key that explains the evidence.
    pub(super) culprit: Level,
    pub(super) is_fresh: bool,
    pub(super) is_clean: bool,
    pub(super) is_customer: bool,
    pub(super) probability: f32,
    /// What the message would cost.
    pub(super) price: Money,
    /// And whether the number is of a home market.
    pub(super) relation: Option<(Relation, bool)>,
    pub(super) familiarity: Option<super::coherence::Familiarity>,
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

    /// The probability that these are the log-odds of.
    pub fn probability(self) -> f32 {
        1.0 / (1.0 + 10f32.powf(-self.0.clamp(-300.0, 300.0) / 10.0))
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
        Self((100.0 * points.probability()).round() as u8)
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
            Self::ClientCountry => "client_country",
            Self::FamiliarClient => "familiar_client",
            Self::HostingNetwork => "hosting_network",
            Self::Prefix => "prefix",
            Self::Sequence => "sequence",
            Self::Source => "source",
            Self::NumberHistory => "number_history",
            Self::UnverifiedSpend => "unverified_spend",
            Self::SpendSurge => "spend_surge",
            Self::CountryDenied => "country_denied",
            Self::TypeDenied => "type_denied",
            Self::Limit => "limit",
            Self::Budget => "budget",
            Self::Expected => "expected",
            Self::Unreadable => "unreadable",
        }
    }
}

// === impl Assessment ===

impl Assessment {
    /// An assessment that rests on one fact of policy, which no evidence outweighs.
    pub fn certain(signal: Signal, fact: Fact) -> Self {
        let evidence = Evidence { signal, points: RULE, fact };
        Self { score: Score::CERTAIN, evidence: SmallVec::from_slice(&[evidence]), ..Self::default() }
    }

    /// The signal that decided against the attempt: a used-up limit, or else the strongest evidence.
    pub fn deciding(&self) -> Option<Signal> {
        let is_exact = |last: &&Evidence| matches!(last.signal, Signal::Limit | Signal::Budget);
        if let Some(last) = self.evidence.last().filter(is_exact) {
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

    /// Takes out again what the event explains, and shows that.
    pub(super) fn explain(&mut self, expected: &Expected) {
        let silenced = self.evidence.iter().filter(|evidence| expected.silences(evidence.signal));
        let points: f32 = silenced.map(|evidence| evidence.points.0.max(0.0)).sum();
        self.add(Evidence { signal: Signal::Expected, points: Points(-points), fact: Fact::Expected(expected.name()) });
    }

    /// Adds what is missing to even odds, if that is anything.
    pub(super) fn raise(&mut self, signal: Signal, fact: Fact) {
        let missing = -self.sum().0;
        if 0.0 < missing {
            self.evidence.push(Evidence { signal, points: Points(missing), fact });
            self.conclude();
        }
    }

    pub(super) fn conclude(&mut self) {
        self.score = Score::from_log_odds(self.sum());
    }

    /// The probability of fraud.
    pub(super) fn probability(&self) -> f32 {
        self.sum().probability()
    }

    /// The log-odds of fraud, in nats.
    pub(super) fn nats(&self) -> f32 {
        self.sum().0 / 10.0 * std::f32::consts::LN_10
    }

    fn sum(&self) -> Points {
        Points(self.evidence.iter().map(|evidence| evidence.points.0).sum())
    }
}

// === impl Trace ===

impl Trace {
    /// Whether keys of the level learn from an attempt that was not allowed: those as narrow as what is to blame, and
    /// the narrow ones of the other family.
    pub(super) fn blames(&self, level: Level) -> bool {
        if self.culprit == Level::Facet {
            return level == Level::Facet || Level::Net <= level;
        }
        if level.family() == self.culprit.family() {
            return self.culprit <= level && level != Level::Facet;
        }
        match level.family() {
            Family::Prefix => Level::Carrier <= level,
            Family::Source => Level::Net <= level,
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
