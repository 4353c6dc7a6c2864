//! Turns what an attempt found into evidence: each signal is a log-likelihood ratio with a bound, and they add up.

use super::Data;
use super::coherence::{Familiarity, Relation};
use super::country::delivery;
use super::destination::Money;
use super::evidence::{Assessment, Crowd, Evidence, Fact, Points, Range, Score, Signal, Source, Trace};
use super::feed::FeedState;
use super::key::{Family, Level};
use super::ledger::{Found, Look};
use super::node::{DECIBAN, Node, Scale as Window};
use super::share::Share;
use super::volume::{Surprise, surprise};
use crate::attempt::Attempt;
use crate::attempt::phone::Scale;

/// The evidence of one key.
#[derive(Clone, Copy, Debug)]
struct Weighed {
    level: Level,
    nats: f32,
    surprise: Surprise,
    typed: f32,
    learned: f32,
}

pub(super) fn weigh(attempt: &Attempt, found: &Found, data: &Data, price: Money) -> Assessment {
    let mut assessment = Assessment::default();
    let shares = shares(found);
    let country = share_of(found, &shares, Level::Country);
    assessment.add(Evidence {
        signal: Signal::Prior,
        points: Points::from_nats(found.prior),
        fact: Fact::Because("fraud is rare"),
    });
    data.destinations.weigh(attempt, country, &mut assessment);
    if let Some((relation, _)) = found.relation {
        assessment.add(client_country(attempt, relation, found.coherence));
    }
    if let Some((_degree, nats)) = found.familiarity {
        assessment.add(Evidence {
            signal: Signal::FamiliarClient,
            points: Points::from_nats(nats),
            fact: Fact::Because(""),
        });
    }
    if let Some(asn) = attempt.origin.asn
        && data.hosting.contains(asn)
        && found.looks.iter().all(|look| look.key.level != Level::Asn || look.node.week < 3.0)
    {
        assessment.add(Evidence { signal: Signal::HostingNetwork, points: HOSTING, fact: Fact::Hosting(asn) });
    }
    let is_fresh = found.past.is_none_or(|past| !past.is_lately(attempt.at));
    let weighed: smallvec::SmallVec<[Weighed; 11]> = found
        .looks
        .iter()
        .zip(&shares)
        .map(|(look, share)| weigh_key(look, share.share, found, is_fresh, country))
        .collect();
    let prefix = strongest(&weighed, Family::Prefix);
    let source = strongest(&weighed, Family::Source);
    let (leads, most) = match (prefix, source) {
        (Some(prefix), Some(source)) if prefix.nats < source.nats => (Family::Source, source.nats),
        (Some(prefix), _) => (Family::Prefix, prefix.nats),
        (None, Some(source)) => (Family::Source, source.nats),
        (None, None) => (Family::Prefix, 0.0),
    };
    for (family, strongest) in [(Family::Prefix, prefix), (Family::Source, source)] {
        let Some(strongest) = strongest else { continue };
        let mut nats = if family == leads { strongest.nats } else { 0.5 * strongest.nats.max(0.0) };
        if found.is_customer && family == Family::Prefix {
            // What others did in the same range says little of somebody who typed a code before.
            nats = nats.min(MOST_AGAINST_CUSTOMERS);
        }
        assessment.add(key_evidence(attempt, found, strongest, nats));
    }
    if let Some(evidence) = sequence(attempt, found, is_fresh) {
        assessment.add(evidence);
    }
    number_history(attempt, found, &mut assessment);
    let rate = found.country.conversion_rate(price);
    let overdraft = found.country.overdraft(rate);
    if 1.0 < overdraft && !found.is_customer && found.feed == FeedState::Present && country < BUSY {
        let points = Points::from_nats(OVERDRAFT * overdraft.min(1.5));
        let fact = Fact::Overdraft { country: attempt.number.country(), tenths: tenths(overdraft) };
        assessment.add(Evidence { signal: Signal::UnverifiedSpend, points, fact });
    }
    assessment.conclude();
    let probability = assessment.probability();
    let surge = found.country.surge();
    let is_stranger = found.familiarity.is_none_or(|(degree, _)| degree == Familiarity::Stranger);
    if 1.0 < surge && !found.is_customer && is_stranger && country < BUSY {
        let fact = Fact::Surge { country: attempt.number.country(), tenths: tenths(surge) };
        assessment.raise(Signal::SpendSurge, fact);
    }
    let rest = assessment.nats() - most;
    let culprit = weighed
        .iter()
        .filter(|weighed| weighed.level.family() == leads)
        .filter(|weighed| most - CLOSE <= weighed.nats || (CLOSE <= weighed.nats && CERTAIN <= rest + weighed.nats))
        .filter(|_| CLOSE <= most)
        .max_by_key(|weighed| weighed.level);
    let is_coherent = found.relation.is_none_or(|(relation, _)| relation != Relation::Elsewhere);
    let is_first = found.past.is_none_or(|past| !past.is_unsolved);
    let is_unknown_home = found.feed != FeedState::Present && 0.05 <= country;
    let is_local = found.relation.is_some_and(|(relation, _)| relation == Relation::Same);
    let is_host_known = found.familiarity.is_some_and(|(degree, _)| degree == Familiarity::Host);
    assessment.spares_customers = found.is_customer
        || match culprit {
            None => is_first,
            Some(_) if is_unknown_home => true,
            // No key explains it: it is only unlikely.
            Some(_) if most < EXPLAINS => true,
            Some(culprit) if culprit.level.family() == Family::Prefix && is_host_known && is_coherent => true,
            Some(culprit) if culprit.level == Level::Pool => is_first,
            Some(culprit) if culprit.level == Level::Country => (0.5 <= culprit.learned || is_local) && is_coherent,
            Some(culprit) if culprit.level == Level::Facet && 0.05 <= country && price < DEAR => true,
            Some(culprit) if culprit.level == Level::Facet => culprit.surprise.n_others < 9.0 * culprit.typed,
            Some(culprit) => SPARED <= culprit.learned && is_coherent,
        };
    assessment.trace = Some(Box::new(Trace {
        keys: found.looks.iter().map(|look| (look.key, look.place)).collect(),
        culprit: culprit.map_or(Level::Pool, |culprit| culprit.level),
        is_fresh,
        is_clean: assessment.score < CLEAN,
        is_customer: found.is_customer,
        probability,
        relation: found.relation,
        familiarity: found.familiarity.map(|(degree, _)| degree),
    }));
    assessment
}

/// The learned share of each key, in the order of the looks.
fn shares(found: &Found) -> smallvec::SmallVec<[Share; 11]> {
    let mut around: Option<Share> = None;
    let mut shares = smallvec::SmallVec::new();
    for look in &found.looks {
        let level = look.key.level;
        let share = match (level, around) {
            (
                Level::Facet | Level::Carrier | Level::HundredThousand | Level::TenThousand | Level::Thousand,
                Some(around),
            ) => around.inside(&look.node),
            _ => Share::whole(level, &look.node, &found.total),
        };
        if level.family() == Family::Prefix && !matches!(level, Level::Pool | Level::Facet) {
            around = Some(share);
        }
        shares.push(share);
    }
    shares
}

fn share_of(found: &Found, shares: &[Share], level: Level) -> f32 {
    let index = found.looks.iter().position(|look| look.key.level == level);
    index.and_then(|index| shares.get(index)).map_or(0.0, |share| share.share)
}

fn weigh_key(look: &Look, share: f32, found: &Found, is_fresh: bool, country_share: f32) -> Weighed {
    let Look { key, node, .. } = look;
    let family = key.level.family();
    // What this very customer did before, a resend or a mistyped number, is no evidence about others.
    let is_own = !is_fresh || (family == Family::Prefix && found.host != 0 && node.knows(found.host));
    let own = if is_own { 1.0 } else { 0.0 };
    let is_busy = BUSY <= share;
    let mut codes = if is_busy { 0.0 } else { node.conversion().min(codes_cap(node, &found.total, share)) };
    if node.long - own < 0.5 {
        codes = codes.min(0.0);
    }
    let counts = !is_busy && !matches!(key.level, Level::Agent | Level::Asn);
    let mut surprise = surprise(node, &found.total, share, own);
    if !counts {
        surprise.nats = 0.0;
    }
    if found.feed != FeedState::Present && 0.05 <= country_share {
        surprise.nats *= HALF;
    }
    if found.feed != FeedState::Present && family == Family::Source {
        surprise.nats = surprise.nats.min(12.0 * DECIBAN);
    }
    let both = if 0.0 < surprise.nats || 0.0 < codes { codes + surprise.nats } else { codes.max(MOST_CREDIT) };
    let nats = match key.level {
        Level::Agent | Level::Asn => both.min(MOST_SHARED) * (1.0 - share),
        _ => both,
    };
    Weighed { level: key.level, nats, surprise, typed: node.long_typed, learned: node.week }
}

/// The most that untyped codes say where hardly more is asked for than usual: then it is more likely that messages do
/// not arrive, since an attack comes on top of the customers.
fn codes_cap(node: &Node, total: &Node, share: f32) -> f32 {
    let excess = Window::BOTH.map(|window| {
        let (silent, typed, _) = node.window(window);
        let usual = total.window(window).0 * share / (1.0 - share);
        (silent + typed) / (usual + 1.0)
    });
    let excess = excess[0].max(excess[1]);
    DELIVERY_FAILS + (MOST_CODES - DELIVERY_FAILS) * ((excess - 1.5) / 1.5).clamp(0.0, 1.0)
}

fn strongest(weighed: &[Weighed], family: Family) -> Option<Weighed> {
    let of_family = weighed.iter().filter(|weighed| weighed.level.family() == family);
    of_family.copied().reduce(|most, next| if most.nats < next.nats { next } else { most })
}

/// Numbers that stand in a row, each asked for by somebody else: neighbours happen in families, rows do not.
fn sequence(attempt: &Attempt, found: &Found, is_fresh: bool) -> Option<Evidence> {
    let look = found.looks.iter().find(|look| look.key.level == Level::TenThousand)?;
    if !is_fresh || found.is_customer || (found.host != 0 && look.node.knows(found.host)) {
        return None;
    }
    let n_others = look.node.run(attempt.number.suffix(Scale::TenThousand) as u16);
    let points = Points::new((PER_STEP * (n_others as f32 - 1.0)).clamp(0.0, MOST_SEQUENCE));
    let fact = Fact::Run { block: attempt.number.block(Scale::TenThousand), n_others };
    Some(Evidence { signal: Signal::Sequence, points, fact })
}

fn number_history(attempt: &Attempt, found: &Found, assessment: &mut Assessment) {
    let Some(past) = found.past else {
        if found.is_customer {
            assessment.add(Evidence {
                signal: Signal::NumberHistory,
                points: Points::new(-20.0),
                fact: Fact::VerifiedBefore,
            });
        }
        return;
    };
    let unverified = past.unverified(attempt.at);
    let country = found.looks.iter().find(|look| look.key.level == Level::Country);
    let factor = match (found.feed, country) {
        (FeedState::Present, Some(country)) => delivery(&found.total, &country.node),
        (FeedState::Present, None) => 1.0,
        (FeedState::Unknown | FeedState::Missing, _) => 0.4,
    };
    let (points, fact) = if found.is_customer {
        (-20.0 + (4.0 * (unverified - 4.0)).max(0.0), Fact::VerifiedBefore)
    } else {
        ((5.0 * (unverified - 1.5)).clamp(0.0, 20.0) * factor, Fact::Unverified(whole(unverified)))
    };
    assessment.add(Evidence { signal: Signal::NumberHistory, points: Points::new(points), fact });
}

fn client_country(attempt: &Attempt, relation: Relation, nats: f32) -> Evidence {
    Evidence {
        signal: Signal::ClientCountry,
        points: Points::from_nats(nats),
        fact: Fact::ClientCountry {
            client: attempt.origin.country,
            number: attempt.number.country(),
            is_home: relation == Relation::Home,
        },
    }
}

fn key_evidence(attempt: &Attempt, found: &Found, weighed: Weighed, nats: f32) -> Evidence {
    let Weighed { level, surprise, typed, .. } = weighed;
    let crowd = Crowd {
        nth: whole(surprise.n_others) + 1,
        within: surprise.scale.duration(),
        n_typed: (found.feed == FeedState::Present).then(|| whole(typed)),
    };
    let number = attempt.number;
    let range = |range| (Signal::Prefix, Fact::Range(range, crowd));
    let source = |source| (Signal::Source, Fact::Clients(source, crowd));
    let (signal, fact) = match (level, attempt.client, attempt.origin.asn) {
        (Level::Pool, ..) => range(Range::Pool),
        (Level::Country, ..) => range(Range::Country(number.country())),
        (Level::Facet, ..) => range(Range::Facet(number.country())),
        (Level::Carrier, ..) => range(Range::Carrier(found.carrier)),
        (Level::HundredThousand, ..) => range(Range::Block(number.block(Scale::HundredThousand))),
        (Level::TenThousand, ..) => range(Range::Block(number.block(Scale::TenThousand))),
        (Level::Thousand, ..) => range(Range::Block(number.block(Scale::Thousand))),
        (Level::Asn, _, Some(asn)) => source(Source::Asn(asn)),
        (Level::Net, Some(client), _) => source(Source::Net(client.net())),
        (Level::Host, Some(client), _) => source(Source::Net(client.host())),
        (Level::Agent | Level::Asn | Level::Net | Level::Host, ..) => source(Source::Agent),
    };
    Evidence { signal, points: Points::from_nats(nats), fact }
}

/// A count as people read it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range first")]
fn whole(count: f32) -> u32 {
    count.clamp(0.0, 1e9).round() as u32
}

fn tenths(times: f32) -> u32 {
    whole(times * 10.0)
}

/// Keys that hold this share of ordinary traffic are never judged: blocking them would be the outage.
const BUSY: f32 = 0.3;

const HOSTING: Points = Points::new(8.0);

/// The most that speaks for a key, in nats.
const MOST_CREDIT: f32 = -8.0 * DECIBAN;

/// The most that is held against everybody in a network or with the same software.
const MOST_SHARED: f32 = 8.0 * DECIBAN;

const OVERDRAFT: f32 = 12.0 * DECIBAN;

/// A narrower key this close to the strongest takes the blame.
const CLOSE: f32 = 5.0 * DECIBAN;

/// The most that a range says against a number that typed a code, in nats.
const MOST_AGAINST_CUSTOMERS: f32 = 10.0 * DECIBAN;

const DELIVERY_FAILS: f32 = 13.0 * DECIBAN;
const MOST_CODES: f32 = 40.0 * DECIBAN;

const DEAR: Money = Money::from_micros(160_000);

/// What each further number of a row says, in decibans, and the most that a row says.
const PER_STEP: f32 = 6.0;
const MOST_SEQUENCE: f32 = 12.0;

const EXPLAINS: f32 = 10.0 * DECIBAN;

/// Log-odds at which a key explains a refusal by itself: 95 %.
const CERTAIN: f32 = 13.0 * DECIBAN;

/// So many conversions of real customers in a key, and they are asked instead of refused.
const SPARED: f32 = 3.0;

/// Attempts below this score count as ordinary.
const CLEAN: Score = Score::saturating(20);

const HALF: f32 = 1.0;
