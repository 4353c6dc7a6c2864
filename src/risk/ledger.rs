//! All memory of the scoring, behind one lock: what an attempt finds in it, and what it leaves there.
//!
//! Deterministic: time comes with the attempts, and whatever became due before an attempt is done before it.

mod outcomes;

use std::collections::HashMap;

use smallvec::SmallVec;

use super::budget::{Budgets, Charge, Overspent};
use super::campaign::Campaign;
use super::coherence::{Coherence, Familiarities, Familiarity, Relation};
use super::country::CountryRow;
use super::destination::Money;
use super::evidence::Trace;
use super::feed::{Feed, FeedState};
use super::key::{Facet, Family, Key, Keyring, Level, Pool};
use super::node::Node;
use super::numbers::{Numbers, Past};
use super::open::{Open, OpenId, Opens, State, Told};
use super::store::{Place, Store};
use super::{Fate, Settings, TableSize};
use crate::attempt::country::Country;
use crate::attempt::phone::{Prefix, Scale};
use crate::attempt::{Attempt, Timestamp, Verdict};

#[derive(Debug)]
pub(super) struct Ledger {
    keyring: Keyring,
    prefixes: Store<Node>,
    sources: Store<Node>,
    /// Everything that was let through, as one node, and everything that was asked for.
    total: Node,
    asked: Node,
    /// There are only so many countries.
    countries: HashMap<Country, CountryRow, foldhash::fast::FixedState>,
    coherence: Coherence,
    familiarities: Familiarities,
    campaign: Campaign,
    numbers: Numbers,
    opens: Opens,
    feed: Feed,
    budgets: Budgets,
}

/// What an attempt finds under one of its keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) key: Key,
    pub(super) place: Option<Place>,
    pub(super) node: Node,
}

/// By the order of the keys.
pub(super) type Looks = SmallVec<[Look; 11]>;

#[derive(Debug)]
pub(super) struct Found {
    pub(super) looks: Looks,
    pub(super) carrier: Prefix,
    pub(super) total: Node,
    /// New numbers asked for in the last hours, whatever became of them.
    pub(super) asked: f32,
    pub(super) country: CountryRow,
    pub(super) past: Option<Past>,
    pub(super) is_customer: bool,
    pub(super) relation: Option<(Relation, bool)>,
    pub(super) coherence: f32,
    pub(super) familiarity: Option<(Familiarity, f32)>,
    pub(super) prior: f32,
    pub(super) feed: FeedState,
    pub(super) host: u16,
}

// === impl Ledger ===

impl Ledger {
    pub(super) fn new(settings: &Settings) -> Self {
        let Settings { state, feed, budget, seed, .. } = *settings;
        Self {
            keyring: Keyring::new(seed),
            prefixes: Store::new(state.blocks.get()),
            sources: Store::new(state.clients.get()),
            total: Node::default(),
            asked: Node::default(),
            countries: HashMap::default(),
            coherence: Coherence::default(),
            familiarities: Familiarities::default(),
            campaign: Campaign::default(),
            numbers: Numbers::new(state.numbers.get()),
            opens: Opens::new(MOST_OPEN),
            feed: Feed::new(feed),
            budgets: Budgets::new(budget, state.blocks.get()),
        }
    }

    /// What is known of everything the attempt touches.
    pub(super) fn look(&mut self, attempt: &Attempt, carrier: Prefix, price: Money) -> Found {
        let at = attempt.at;
        self.advance(at);
        self.total.age(at);
        let relation = self.relation(attempt);
        let pool = Pool { price_class: price_class(price), relation };
        let look_up = |key: &Key| self.look_up(*key, at);
        let sources: Looks = self.keyring.sources(attempt).iter().map(look_up).collect();
        let familiarity = familiarity(&sources);
        let facet = Facet { relation, familiarity };
        let prefixes = self.keyring.prefixes(attempt.number, carrier, pool, facet);
        let looks: Looks = prefixes.iter().map(look_up).chain(sources).collect();
        let country = looks.iter().find(|look| look.key.level == Level::Country).map_or(0.0, |look| look.node.week);
        let is_home_number = HOME * (self.total.week + 30.0) < country + 0.12;
        let familiarity = familiarity.map(|degree| (degree, self.familiarities.weigh(degree)));
        let number = self.keyring.print(attempt.number.digits());
        Found {
            looks,
            carrier,
            total: self.total,
            asked: self.asked.aged(at).long,
            country: self.countries.get(&attempt.number.country()).copied().unwrap_or_default().aged(at),
            past: self.numbers.past(number),
            is_customer: self.numbers.is_customer(number),
            relation: relation.map(|relation| (relation, is_home_number)),
            coherence: relation.map_or(0.0, |relation| self.coherence.weigh(relation, is_home_number)),
            familiarity,
            prior: self.campaign.prior(at),
            feed: self.feed.state(at),
            host: self.host(attempt),
        }
    }

    /// Learns from an attempt, and from what was decided about it.
    pub(super) fn record(&mut self, attempt: &Attempt, trace: &Trace, verdict: Verdict, fate: Fate) -> Option<OpenId> {
        let price = trace.price;
        let at = attempt.at;
        self.advance(at);
        if !trace.is_customer {
            self.campaign.learn(at, trace.probability);
        }
        let places = self.blame(attempt, trace, verdict);
        if trace.is_fresh {
            self.asked.age(at);
            self.asked.count();
        }
        if trace.is_fresh && verdict == Verdict::Allow {
            self.total.age(at);
            self.total.count();
        }
        let number = self.keyring.print(attempt.number.digits());
        let charge = self.charge_of(attempt, price);
        let past = self.numbers.ask(number, at);
        past.is_unsolved |= fate == Fate::Asked;
        let state = match fate {
            Fate::Sent => State::Sent,
            Fate::Asked => State::Challenged,
            Fate::Refused => return None,
        };
        let open = Open {
            at,
            asked_at: at,
            state,
            told: places,
            charge,
            number,
            is_fresh: trace.is_fresh,
            is_clean: trace.is_clean,
            is_customer: trace.is_customer,
            is_coherent: trace.relation.is_none_or(|(relation, _)| relation != Relation::Elsewhere),
            relation: trace.relation,
            familiarity: trace.familiarity,
        };
        let id = self.opens.open(open)?;
        past.last = Some(id);
        let first = past.first.filter(|_| !trace.is_fresh);
        let is_waiting = first.and_then(|first| self.opens.get(first)).is_some_and(|open| open.state != State::Over);
        if !is_waiting && let Some(past) = self.numbers.past_mut(number) {
            past.first = Some(id);
        }
        if state == State::Sent && !trace.is_customer {
            self.spend(at, attempt.number.country(), price, trace.familiarity);
        }
        Some(id)
    }

    /// Takes the price out of the budgets, if all have room.
    pub(super) fn charge(&mut self, attempt: &Attempt, price: Money) -> Result<(), Overspent> {
        let charge = self.charge_of(attempt, price);
        self.budgets.take(&charge)
    }

    pub(super) fn check_budget(&self, attempt: &Attempt, price: Money) -> Result<(), Overspent> {
        self.budgets.check(&self.charge_of(attempt, price))
    }

    /// Gives back what was taken for a message that never left.
    pub(super) fn uncharge(&mut self, attempt: &Attempt, price: Money) {
        let charge = self.charge_of(attempt, price);
        self.budgets.give_back(&charge);
    }

    pub(super) fn feed(&self, at: Timestamp) -> FeedState {
        self.feed.state(at)
    }

    pub(super) fn tables(&self) -> [TableSize; 4] {
        let size = |table, n_keys, capacity, n_evicted| TableSize { table, n_keys, capacity, n_evicted };
        [
            size("prefixes", self.prefixes.n_keys(), self.prefixes.capacity(), self.prefixes.n_evicted()),
            size("sources", self.sources.n_keys(), self.sources.capacity(), self.sources.n_evicted()),
            size("numbers", self.numbers.pasts.n_keys(), self.numbers.pasts.capacity(), self.numbers.pasts.n_evicted()),
            size("open_sends", self.opens.len(), self.opens.capacity(), 0),
        ]
    }

    fn charge_of(&self, attempt: &Attempt, price: Money) -> Charge {
        let range = self.keyring.print(attempt.number.block(Scale::TenThousand));
        Charge { at: attempt.at, range, country: attempt.number.country(), price }
    }

    fn look_up(&self, key: Key, at: Timestamp) -> Look {
        let found = self.nodes(key.level.family()).find(key.print);
        let place = found.map(|(place, _)| place);
        let node = found.map_or_else(Node::default, |(_, node)| node.aged(at));
        Look { key, place, node }
    }

    fn relation(&self, attempt: &Attempt) -> Option<Relation> {
        let country = attempt.origin.country?;
        if country == attempt.number.country() {
            return Some(Relation::Same);
        }
        let found = self.prefixes.find(self.keyring.country(country).print);
        let learned = found.map_or(0.0, |(_, node)| node.learned(attempt.at));
        let is_home = 20.0 < self.total.week && HOME * self.total.week < learned;
        Some(if is_home { Relation::Home } else { Relation::Elsewhere })
    }

    fn host(&self, attempt: &Attempt) -> u16 {
        attempt.client.map_or(0, |client| {
            let [low, high, ..] = self.keyring.print(client.host()).to_le_bytes();
            u16::from_le_bytes([low, high]) | 1
        })
    }

    /// Counts the attempt under its keys: under all of them if it was allowed, under those that are to blame if not.
    fn blame(&mut self, attempt: &Attempt, trace: &Trace, verdict: Verdict) -> SmallVec<[Told; 11]> {
        let at = attempt.at;
        let host = self.host(attempt);
        let mut told = SmallVec::new();
        let mut is_parent_known = true;
        for (key, place) in &trace.keys {
            let family = key.level.family();
            if verdict != Verdict::Allow && !trace.blames(key.level) {
                continue;
            }
            // The narrowest keys are made only where the next wider one has seen somebody else: strangers who come
            // once fill no table.
            // What customers share with whoever is refused is not to blame where something narrower is.
            let is_other = verdict != Verdict::Allow && family != trace.culprit.family();
            if is_other && place.and_then(|place| self.nodes(family).peek(place)).is_some_and(|node| TYPED <= node.week)
            {
                continue;
            }
            let is_lazy = matches!(key.level, Level::Thousand | Level::Host);
            let nodes = match family {
                Family::Prefix => &mut self.prefixes,
                Family::Source => &mut self.sources,
            };
            let known = place.filter(|place| nodes.peek(*place).is_some());
            if known.is_none() && is_lazy && !is_parent_known {
                continue;
            }
            is_parent_known = known.is_some();
            let (place, node) = nodes.entry(key.print, at);
            node.age(at);
            if trace.is_fresh {
                let is_household = family == Family::Prefix && host != 0 && node.knows(host);
                if !is_household {
                    if family == Family::Prefix && host != 0 {
                        node.meet(host);
                    }
                    if key.level == Level::TenThousand {
                        node.follow((attempt.number.digits() % 10_000) as u16);
                    }
                    node.count();
                }
            }
            told.push(Told { place, is_prefix: family == Family::Prefix, silence: 0.0, halves: 0.0 });
        }
        told
    }

    fn nodes(&self, family: Family) -> &Store<Node> {
        match family {
            Family::Prefix => &self.prefixes,
            Family::Source => &self.sources,
        }
    }
}

/// Whether codes were typed from where the client is; nothing where that is not known.
fn familiarity(sources: &[Look]) -> Option<Familiarity> {
    let learned = |level| sources.iter().find(|look| look.key.level == level).map(|look| look.node.week);
    let (net, host) = (learned(Level::Net)?, learned(Level::Host)?);
    Some(match (TYPED <= host, TYPED <= net) {
        (true, _) => Familiarity::Host,
        (false, true) => Familiarity::Net,
        (false, false) => Familiarity::Stranger,
    })
}

/// From so many conversions on a host or a network is known.
const TYPED: f32 = 0.5;

/// From this share of ordinary traffic on a country is one of the company's markets.
const HOME: f32 = 0.05;

/// Destinations of about one price: what a campaign chooses among.
fn price_class(price: Money) -> u8 {
    match price.micros() {
        0..50_000 => 0,
        50_000..160_000 => 1,
        _ => 2,
    }
}

/// Sends that may wait for their codes at once: about 450 bytes each.
const MOST_OPEN: usize = 65_536;
