//! Turns what an attempt found into evidence: each signal is a log-likelihood ratio with a bound, and they add up.
//!
//! ```text
//! log-odds = prior + destination + risk table + number type + client country + familiar client + hosting network
//!          + the stronger of (prefix, source) + half of the weaker + sequence + number history + unverified spend
//! ```
//!
//! The keys of a family overlap, so only the strongest of them speaks. `docs/detection.md` says where each formula is
//! from.

mod blame;
mod keys;

use super::Data;
use super::coherence::{Familiarity, Relation};
use super::country::delivery;
use super::destination::Money;
use super::evidence::{Assessment, Crowd, Evidence, Fact, Points, Range, Score, Signal, Source, Trace};
use super::expect::Expected;
use super::feed::FeedState;
use super::key::{Family, Level};
use super::ledger::{Found, Look};
use super::node::DECIBAN;
use crate::attempt::Attempt;
use crate::attempt::phone::Scale;
use blame::Blame;
use keys::{Keys, Weighed};

/// All that is known about one attempt.
#[derive(Debug)]
pub(super) struct Case<'a> {
    pub(super) attempt: &'a Attempt,
    pub(super) found: &'a Found,
    pub(super) data: &'a Data,
    pub(super) price: Money,
    /// The declared event that it belongs to.
    pub(super) expected: Option<&'a Expected>,
}

// === impl Case ===

impl Case<'_> {
    /// All evidence, and what the engine has to remember until the attempt is decided.
    pub(super) fn assess(&self) -> Assessment {
        let found = self.found;
        let is_fresh = found.past.is_none_or(|past| !past.is_lately(self.attempt.at));
        let keys = Keys::weigh(found, is_fresh);
        let mut assessment = Assessment::default();
        let prior = Points::from_nats(found.prior);
        assessment.add(Evidence { signal: Signal::Prior, points: prior, fact: Fact::Prior });
        self.data.destinations.weigh(self.attempt.number, self.price, keys.country, &mut assessment);
        let family = self.crowds(&keys, &mut assessment);
        let single =
            [self.client_country(), self.familiar_client(), self.hosting(), self.sequence(is_fresh), self.history()];
        single.into_iter().flatten().for_each(|evidence| assessment.add(evidence));
        self.overdraft(keys.is_home).into_iter().for_each(|evidence| assessment.add(evidence));
        if let Some(expected) = self.expected {
            assessment.explain(expected);
        }
        assessment.conclude();
        let probability = assessment.probability();
        let blame = Blame::find(&keys, family, assessment.nats());
        if let Some(fact) = self.surge(keys.is_home) {
            assessment.raise(Signal::SpendSurge, fact);
        }
        assessment.spares_customers = blame.spares(found, keys.country, self.price);
        assessment.trace = Some(Box::new(Trace {
            keys: found.looks.iter().map(|look| (look.key, look.place)).collect(),
            culprit: blame.level(),
            is_fresh,
            is_clean: assessment.score < CLEAN,
            is_customer: found.is_customer,
            probability,
            price: self.price,
            relation: found.relation,
            familiarity: found.familiarity.map(|(degree, _)| degree),
        }));
        assessment
    }

    /// Who else asked: the strongest key of both families, the weaker one by half. Says which family leads.
    fn crowds(&self, keys: &Keys, assessment: &mut Assessment) -> Family {
        let [prefix, source] = [Family::Prefix, Family::Source].map(|family| keys.strongest(family));
        let nats = |weighed: Option<Weighed>| weighed.map_or(f32::NEG_INFINITY, |weighed| weighed.nats);
        let leads = if nats(prefix) < nats(source) { Family::Source } else { Family::Prefix };
        for weighed in [prefix, source].into_iter().flatten() {
            let family = weighed.level.family();
            let nats = if family == leads { weighed.nats } else { 0.5 * weighed.nats.max(0.0) };
            let is_spared = self.found.is_customer && family == Family::Prefix;
            let nats = if is_spared { nats.min(MOST_AGAINST_CUSTOMERS) } else { nats };
            assessment.add(self.crowd(&weighed, nats));
        }
        leads
    }

    fn crowd(&self, weighed: &Weighed, nats: f32) -> Evidence {
        let crowd = Crowd {
            nth: whole(weighed.surprise.n_others) + 1,
            within: weighed.surprise.scale.duration(),
            n_typed: (self.found.feed == FeedState::Present).then(|| whole(weighed.typed)),
        };
        let Attempt { number, client, origin, .. } = self.attempt;
        let block = |scale| Fact::Range(Range::Block(number.block(scale)), crowd);
        let fact = match (weighed.level, client, origin.asn) {
            (Level::Pool, ..) => Fact::Range(Range::Pool, crowd),
            (Level::Country, ..) => Fact::Range(Range::Country(number.country()), crowd),
            (Level::Facet, ..) => Fact::Range(Range::Facet(number.country()), crowd),
            (Level::Carrier, ..) => Fact::Range(Range::Carrier(self.found.carrier), crowd),
            (Level::HundredThousand, ..) => block(Scale::HundredThousand),
            (Level::TenThousand, ..) => block(Scale::TenThousand),
            (Level::Thousand, ..) => block(Scale::Thousand),
            (Level::Asn, _, Some(asn)) => Fact::Clients(Source::Asn(asn), crowd),
            (Level::Net, Some(client), _) => Fact::Clients(Source::Net(client.net()), crowd),
            (Level::Host, Some(client), _) => Fact::Clients(Source::Net(client.host()), crowd),
            (Level::Agent | Level::Asn | Level::Net | Level::Host, ..) => Fact::Clients(Source::Agent, crowd),
        };
        let signal = match weighed.level.family() {
            Family::Prefix => Signal::Prefix,
            Family::Source => Signal::Source,
        };
        Evidence { signal, points: Points::from_nats(nats), fact }
    }

    fn client_country(&self) -> Option<Evidence> {
        let (relation, _) = self.found.relation?;
        let fact = Fact::ClientCountry {
            client: self.attempt.origin.country?,
            number: self.attempt.number.country(),
            is_home: relation == Relation::Home,
        };
        Some(Evidence { signal: Signal::ClientCountry, points: Points::from_nats(self.found.coherence), fact })
    }

    fn familiar_client(&self) -> Option<Evidence> {
        let (degree, nats) = self.found.familiarity?;
        let fact = Fact::Because(match degree {
            Familiarity::Host => "codes were typed from this host before",
            Familiarity::Net => "codes were typed from this network before",
            Familiarity::Stranger => "no code was ever typed from this network",
        });
        Some(Evidence { signal: Signal::FamiliarClient, points: Points::from_nats(nats), fact })
    }

    fn hosting(&self) -> Option<Evidence> {
        let asn = self.attempt.origin.asn.filter(|asn| self.data.hosting.contains(*asn))?;
        let has_customers = self.look(Level::Asn).is_some_and(|look| 3.0 <= look.node.week);
        let evidence = Evidence { signal: Signal::HostingNetwork, points: HOSTING, fact: Fact::Hosting(asn) };
        (!has_customers).then_some(evidence)
    }

    /// Numbers that stand in a row, each asked for by somebody else: neighbours happen in families, rows do not.
    fn sequence(&self, is_fresh: bool) -> Option<Evidence> {
        let node = &self.look(Level::TenThousand)?.node;
        if !is_fresh || self.found.is_customer || (self.found.host != 0 && node.knows(self.found.host)) {
            return None;
        }
        let n_others = node.run(self.attempt.number.suffix(Scale::TenThousand) as u16);
        let points = Points::new((PER_STEP * (n_others as f32 - 1.0)).clamp(0.0, MOST_SEQUENCE));
        let fact = Fact::Run { block: self.attempt.number.block(Scale::TenThousand), n_others };
        Some(Evidence { signal: Signal::Sequence, points, fact })
    }

    fn history(&self) -> Option<Evidence> {
        let found = self.found;
        let unverified = found.past.map_or(0.0, |past| past.unverified(self.attempt.at));
        let (points, fact) = if found.is_customer {
            (TRUST + (4.0 * (unverified - 4.0)).max(0.0), Fact::VerifiedBefore)
        } else {
            let points = (5.0 * (unverified - 1.5)).clamp(0.0, MOST_HISTORY);
            (points * self.delivery(), Fact::Unverified(whole(unverified)))
        };
        Some(Evidence { signal: Signal::NumberHistory, points: Points::new(points), fact })
    }

    /// How much an untyped code says.
    fn delivery(&self) -> f32 {
        match (self.found.feed, self.look(Level::Country)) {
            (FeedState::Present, Some(country)) => delivery(&self.found.total, &country.node),
            (FeedState::Present, None) => 1.0,
            (FeedState::Unknown | FeedState::Missing, _) => 0.4,
        }
    }

    fn overdraft(&self, is_home: bool) -> Option<Evidence> {
        let row = self.found.country;
        let times = row.overdraft(row.conversion_rate(self.price));
        let is_judged = self.found.feed == FeedState::Present && !self.found.is_customer && !is_home;
        let fact = Fact::Overdraft { country: self.attempt.number.country(), tenths: tenths(times) };
        let points = Points::new(OVERDRAFT * times.min(1.5));
        (is_judged && 1.0 < times).then_some(Evidence { signal: Signal::UnverifiedSpend, points, fact })
    }

    /// Strangers would cost more within the hour than an hour may.
    fn surge(&self, is_home: bool) -> Option<Fact> {
        let found = self.found;
        let times = found.country.surge();
        let is_stranger = found.familiarity.is_none_or(|(degree, _)| degree == Familiarity::Stranger);
        let is_expected = self.expected.is_some_and(|expected| expected.silences(Signal::SpendSurge));
        let is_judged = is_stranger && !found.is_customer && !is_expected && !is_home;
        let fact = Fact::Surge { country: self.attempt.number.country(), tenths: tenths(times) };
        (is_judged && 1.0 < times).then_some(fact)
    }

    fn look(&self, level: Level) -> Option<&Look> {
        self.found.looks.iter().find(|look| look.key.level == level)
    }
}

/// A count as people read it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range first")]
fn whole(count: f32) -> u32 {
    count.clamp(0.0, 1e9).round() as u32
}

fn tenths(times: f32) -> u32 {
    whole(times * 10.0)
}

/// Attempts below this score count as ordinary.
const CLEAN: Score = Score::saturating(20);

const HOSTING: Points = Points::new(8.0);

/// The most that a range says against a number that typed a code, in nats.
const MOST_AGAINST_CUSTOMERS: f32 = 10.0 * DECIBAN;

/// What each further number of a row says, in decibans, and the most that a row says.
const PER_STEP: f32 = 6.0;
const MOST_SEQUENCE: f32 = 12.0;

/// What a number that typed a code is worth, in decibans, and the most that unanswered messages say.
const TRUST: f32 = -20.0;
const MOST_HISTORY: f32 = 20.0;

/// What an overdrawn allowance says, in decibans, for each time over.
const OVERDRAFT: f32 = 12.0;
