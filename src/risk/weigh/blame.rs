//! Which key explains the evidence, and whether real customers share it.
//!
//! The narrowest key that explains it is to blame: only it and narrower ones learn from an attempt that is not allowed,
//! so that a campaign in one block does not make its country suspicious. Where customers share what is to blame they are
//! asked, and not refused.

use super::super::coherence::{Familiarity, Relation};
use super::super::destination::Money;
use super::super::feed::FeedState;
use super::super::key::{Family, Level};
use super::super::ledger::Found;
use super::super::node::DECIBAN;
use super::keys::{Keys, Weighed};

/// What explains the evidence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blame {
    /// Of the family that says most; none where no key says much.
    culprit: Option<Weighed>,
    /// What the strongest key says.
    most: f32,
}

// === impl Blame ===

impl Blame {
    /// The narrowest key of the family that says nearly as much as the strongest, or enough by itself. `log_odds` are
    /// those of the whole assessment.
    pub(super) fn find(keys: &Keys, family: Family, log_odds: f32) -> Self {
        let most = keys.strongest(family).map_or(0.0, |strongest| strongest.nats);
        let rest = log_odds - most;
        let explains = |nats: f32| most - CLOSE <= nats || CERTAIN <= rest + nats;
        let culprit = keys.of(family).filter(|weighed| CLOSE <= weighed.nats && explains(weighed.nats));
        let culprit = culprit.max_by_key(|weighed| weighed.level).filter(|_| CLOSE <= most);
        Self { culprit, most }
    }

    /// The level that learns from a refusal; everything, where nothing is to blame.
    pub(super) fn level(&self) -> Level {
        self.culprit.map_or(Level::Pool, |culprit| culprit.level)
    }

    /// Whether whoever asks is to be asked in turn, however high the score.
    pub(super) fn spares(&self, found: &Found, country: f32, price: Money) -> bool {
        let is_first = found.past.is_none_or(|past| !past.is_unsolved);
        let Some(culprit) = self.culprit else { return found.is_customer || is_first };
        // Without codes nothing tells a busy day at home from an attack.
        let is_unseen_home = found.feed != FeedState::Present && HOME <= country;
        if found.is_customer || self.most < EXPLAINS || is_unseen_home {
            return true;
        }
        let relation = found.relation.map(|(relation, _)| relation);
        let is_coherent = relation != Some(Relation::Elsewhere);
        let is_host_known = found.familiarity.is_some_and(|(degree, _)| degree == Familiarity::Host);
        if culprit.level.family() == Family::Prefix && is_host_known && is_coherent {
            return true;
        }
        match culprit.level {
            // Too wide to refuse anybody who was not asked before.
            Level::Pool => is_first,
            Level::Country => is_coherent && (SOMEBODY <= culprit.learned || relation == Some(Relation::Same)),
            Level::Facet if HOME <= country && price < DEAR => true,
            // A market that is just being entered looks like this.
            Level::Facet if culprit.learned < CUSTOMERS && relation == Some(Relation::Same) && price < DEAR => true,
            Level::Facet => culprit.surprise.n_others < 9.0 * culprit.typed,
            Level::Carrier
            | Level::HundredThousand
            | Level::TenThousand
            | Level::Thousand
            | Level::Agent
            | Level::Asn
            | Level::Net
            | Level::Host => is_coherent && CUSTOMERS <= culprit.learned,
        }
    }
}

/// A narrower key this close to the strongest takes the blame.
const CLOSE: f32 = 5.0 * DECIBAN;

/// Log-odds at which a key explains a refusal by itself: 95 %.
const CERTAIN: f32 = 13.0 * DECIBAN;

/// What a key must say to explain a refusal at all; below, the attempt is only unlikely.
const EXPLAINS: f32 = 10.0 * DECIBAN;

/// So many conversions in a key are customers, or at least one.
const CUSTOMERS: f32 = 3.0;
const SOMEBODY: f32 = 0.5;

/// The share of ordinary traffic from which on a country is a market of the company.
const HOME: f32 = 0.05;

/// From this price on a message is worth more than the trouble of being refused.
const DEAR: Money = Money::from_micros(160_000);
