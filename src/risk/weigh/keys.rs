//! What each key of an attempt says: who else asked for numbers of a range or from a source, and what became of it.

use smallvec::SmallVec;

use super::super::feed::FeedState;
use super::super::key::{Family, Level};
use super::super::ledger::{Found, Look};
use super::super::node::{DECIBAN, Node, Scale};
use super::super::share::Share;
use super::super::volume::{Surprise, surprise};

/// The evidence of one key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weighed {
    pub(super) level: Level,
    /// Typed and untyped codes and the surprise at the count together.
    pub(super) nats: f32,
    pub(super) surprise: Surprise,
    /// Codes typed in the last hours, and all that are remembered.
    pub(super) typed: f32,
    pub(super) learned: f32,
}

/// The evidence of all keys, and how usual the country is.
#[derive(Debug)]
pub(super) struct Keys {
    weighed: SmallVec<[Weighed; 11]>,
    /// The country's share of ordinary traffic, as learned.
    pub(super) country: f32,
    /// Whether the country is so much of the traffic that it is not judged.
    pub(super) is_home: bool,
}

// === impl Keys ===

impl Keys {
    pub(super) fn weigh(found: &Found, is_fresh: bool) -> Self {
        let shares = shares(found);
        let looks = || found.looks.iter().zip(&shares);
        let country = looks().find(|(look, _)| look.key.level == Level::Country);
        let learned = |look: &Look| Share::whole(Level::Country, &look.node, &found.total, 0.0).share;
        let is_home = country.is_some_and(|(_, share)| BUSY <= share.share);
        let country = country.map_or(0.0, |(look, _)| learned(look));
        let weighed = looks().map(|(look, share)| weigh(look, share.share, found, is_fresh)).collect();
        Self { weighed, country, is_home }
    }

    /// The key of the family that says most.
    pub(super) fn strongest(&self, family: Family) -> Option<Weighed> {
        self.of(family).reduce(|most, next| if most.nats < next.nats { next } else { most })
    }

    /// All keys of the family, from wide to narrow.
    pub(super) fn of(&self, family: Family) -> impl Iterator<Item = Weighed> {
        self.weighed.iter().copied().filter(move |weighed| weighed.level.family() == family)
    }
}

/// The learned share of each key, in the order of the looks.
fn shares(found: &Found) -> SmallVec<[Share; 11]> {
    let mut around: Option<Share> = None;
    let mut shares = SmallVec::new();
    for look in &found.looks {
        let Look { key, node, .. } = look;
        let (share, is_around) = match (key.level, around) {
            (Level::Carrier | Level::HundredThousand | Level::TenThousand | Level::Thousand, Some(around)) => {
                (around.inside(node), true)
            }
            (Level::Facet, Some(around)) => (around.inside(node), false),
            (level, _) => (Share::whole(level, node, &found.total, observed(look, found)), level == Level::Country),
        };
        if is_around {
            around = Some(share);
        }
        shares.push(share);
    }
    shares
}

/// The share of all that was asked for in the last hours, where that says anything.
fn observed(look: &Look, found: &Found) -> f32 {
    match look.key.level {
        Level::Pool | Level::Country => (look.node.long + look.node.long_typed) / found.asked.max(FEW),
        _ => 0.0,
    }
}

fn weigh(look: &Look, share: f32, found: &Found, is_fresh: bool) -> Weighed {
    let Look { key, node, .. } = look;
    let level = key.level;
    // What this very customer did before, a resend or a mistyped number, is no evidence about others.
    let is_household = level.family() == Family::Prefix && found.host != 0 && node.knows(found.host);
    let own = if !is_fresh || is_household { 1.0 } else { 0.0 };
    let surprise = surprise(node, &found.total, share, own);
    let nats =
        if BUSY <= share { 0.0 } else { bounded(level, share, codes(look, share, found, own), surprise.nats, found) };
    Weighed { level, nats, surprise, typed: node.long_typed, learned: node.week }
}

/// What the codes say that were typed or not, of others than the one who asks.
fn codes(look: &Look, share: f32, found: &Found, own: f32) -> f32 {
    let codes = look.node.conversion().min(codes_bound(&look.node, &found.total, share));
    if look.node.long - own < 0.5 { codes.min(0.0) } else { codes }
}

/// The most that untyped codes say where hardly more is asked for than usual: then it is more likely that messages do
/// not arrive, since an attack comes on top of the customers.
fn codes_bound(node: &Node, total: &Node, share: f32) -> f32 {
    let [short, long] = Scale::BOTH.map(|scale| {
        let (silent, typed, _) = node.window(scale);
        let usual = total.window(scale).0 * share / (1.0 - share);
        (silent + typed) / (usual + 1.0)
    });
    let excess = short.max(long);
    DELIVERY_FAILS + (MOST_CODES - DELIVERY_FAILS) * ((excess - 1.5) / 1.5).clamp(0.0, 1.0)
}

/// Codes and counts together, as far as keys of the level may speak.
fn bounded(level: Level, share: f32, codes: f32, counts: f32, found: &Found) -> f32 {
    let counts = match (level, found.feed) {
        // Thousands share these: that many of them ask says nothing.
        (Level::Agent | Level::Asn, _) => 0.0,
        // Without codes an office is no different from a script.
        (Level::Net | Level::Host, FeedState::Unknown | FeedState::Missing) => counts.min(MOST_UNSEEN),
        _ => counts,
    };
    let both = if 0.0 < counts || 0.0 < codes { codes + counts } else { codes.max(MOST_CREDIT) };
    match level {
        Level::Agent | Level::Asn => both.min(MOST_SHARED) * (1.0 - share),
        _ => both,
    }
}

/// Keys that hold this share of ordinary traffic are never judged: blocking them would be the outage.
const BUSY: f32 = 0.3;

/// Of fewer attempts no share is taken.
const FEW: f32 = 8.0;

/// The most that speaks for a key, in nats.
const MOST_CREDIT: f32 = -8.0 * DECIBAN;

/// The most that is held against everybody in a network or with the same software.
const MOST_SHARED: f32 = 8.0 * DECIBAN;

/// The most that counts of a source say where typed codes are not seen.
const MOST_UNSEEN: f32 = 12.0 * DECIBAN;

/// The most that untyped codes say: where delivery may fail, and where far more is asked for than usual.
const DELIVERY_FAILS: f32 = 13.0 * DECIBAN;
const MOST_CODES: f32 = 40.0 * DECIBAN;
