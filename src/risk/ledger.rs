//! All memory of the scoring, behind one lock: what an attempt finds in it, and what it leaves there.
//!
//! Deterministic: time comes with the attempts, and whatever became due before an attempt is done before it.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::budget::{Budgets, Charge, Overspent};
use super::campaign::Campaign;
use super::coherence::{Coherence, Familiarities, Familiarity, Relation};
use super::country::{CountryRow, delivery};
use super::destination::Money;
use super::evidence::Trace;
use super::feed::{Feed, FeedState};
use super::key::{Facet, Family, Key, Keyring, Level, Pool};
use super::node::{DECIBAN, Node};
use super::numbers::{Numbers, Past};
use super::open::{Due, Open, OpenId, Opens, State, Told};
use super::store::{Place, Store};
use super::{Event, Fate, Settings, TableSize};
use crate::attempt::country::Country;
use crate::attempt::phone::{Number, Prefix, Scale};
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
        let (relation, is_home_number) = self.relation(attempt);
        let pool = Pool { price_class: price_class(price), relation };
        let look_up = |key: &Key| self.look_up(*key, at);
        let sources: Looks = self.keyring.sources(attempt).iter().map(look_up).collect();
        let familiarity = familiarity(&sources);
        let facet = Facet { relation, familiarity };
        let prefixes = self.keyring.prefixes(attempt.number, carrier, pool, facet);
        let looks: Looks = prefixes.iter().map(look_up).chain(sources).collect();
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
    pub(super) fn record(
        &mut self,
        attempt: &Attempt,
        price: Money,
        trace: &Trace,
        verdict: Verdict,
        fate: Fate,
    ) -> Option<OpenId> {
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

    pub(super) fn fold(&mut self, event: &Event) {
        match *event {
            Event::Verified { at, number } => self.verified(at, number),
            Event::ChallengePassed { at, send } => self.challenge_passed(at, send),
            Event::Unsent { at, send } => self.unsent(at, send),
        }
    }

    /// Does what became due by `at`.
    pub(super) fn advance(&mut self, at: Timestamp) {
        while let Some((when, id, due)) = self.opens.next_due(at) {
            match due {
                Due::Soon | Due::Matured => self.check(when, id, due),
                Due::Unsolved => self.give_up(when, id),
            }
        }
        self.opens.close(at);
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

    // --- looking

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

    fn relation(&self, attempt: &Attempt) -> (Option<Relation>, bool) {
        let Some(country) = attempt.origin.country else { return (None, false) };
        let learned = |country: Country| {
            let key = self.keyring.country(country);
            self.prefixes.find(key.print).map_or(0.0, |(_, node)| node.learned(attempt.at))
        };
        let number = attempt.number.country();
        let is_home_number = 0.05 * (self.total.week + 30.0) < learned(number) + 0.12;
        let relation = if country == number {
            Relation::Same
        } else if 20.0 < self.total.week && 0.05 * self.total.week < learned(country) {
            Relation::Home
        } else {
            Relation::Elsewhere
        };
        (Some(relation), is_home_number)
    }

    fn host(&self, attempt: &Attempt) -> u16 {
        attempt.client.map_or(0, |client| {
            let [low, high, ..] = self.keyring.print(client.host()).to_le_bytes();
            u16::from_le_bytes([low, high]) | 1
        })
    }

    // --- learning

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

    /// A send had `due` time for its code.
    fn check(&mut self, when: Timestamp, id: OpenId, due: Due) {
        let feed = self.feed.state(when);
        let Some(open) = self.opens.get(id) else { return };
        if open.state == State::Challenged || open.state == State::Over {
            return;
        }
        let has_converted = open.state == State::Converted;
        let row = self.countries.entry(open.charge.country).or_default();
        let lesson = if open.familiarity == Some(Familiarity::Stranger) { STRANGER } else { 1.0 };
        if due == Due::Matured {
            self.total.age(when);
            if open.is_clean {
                self.total.matured += 1.0;
                self.total.converted += f32::from(u8::from(has_converted));
            }
            if open.is_clean && open.is_fresh {
                row.mature(when, has_converted);
            }
            if feed != FeedState::Present && open.is_clean {
                // Nobody will say that it was answered; what looks like a customer is taken for one.
                row.presume(when, open.charge.price, lesson);
                if feed == FeedState::Missing {
                    self.budgets.answer(&open.charge);
                }
            }
            if open.is_fresh && !has_converted {
                self.feed.silent();
            }
            let teaches = feed != FeedState::Present && open.is_clean && open.is_fresh && open.is_coherent;
            for told in &open.told {
                let nodes = if told.is_prefix { &mut self.prefixes } else { &mut self.sources };
                let Some(node) = nodes.at(told.place) else { continue };
                node.age(when);
                node.matured += 1.0;
                node.converted += f32::from(u8::from(has_converted));
                if teaches {
                    node.learn(lesson);
                }
            }
            if teaches {
                self.total.learn(lesson);
            }
        }
        if has_converted || !open.is_fresh || feed != FeedState::Present {
            return;
        }
        let rate = row.aged(when).conversion_rate(open.charge.price);
        self.total.age(when);
        for told in &mut open.told {
            let nodes = if told.is_prefix { &mut self.prefixes } else { &mut self.sources };
            let Some(node) = nodes.at(told.place) else { continue };
            node.age(when);
            let expected = rate * delivery(&self.total, node) * due.typed_by_then();
            let silence = ((1.0 - ATTACKERS_TYPE * expected) / (1.0 - expected)).ln();
            let halves = ((1.0 - 0.5 * expected) / (1.0 - expected)).ln();
            node.weigh(silence - told.silence, halves - told.halves);
            (told.silence, told.halves) = (silence, halves);
        }
    }

    /// A challenge was not passed in time.
    fn give_up(&mut self, when: Timestamp, id: OpenId) {
        let Some(open) = self.opens.get(id) else { return };
        if open.state != State::Challenged {
            return;
        }
        open.state = State::Over;
        if open.is_fresh {
            let told = std::mem::take(&mut open.told);
            self.weigh_all(when, &told, CHALLENGE_FAILED);
        }
    }

    fn challenge_passed(&mut self, at: Timestamp, id: OpenId) {
        self.advance(at);
        let Some(open) = self.opens.get(id) else { return };
        if open.state != State::Challenged {
            return;
        }
        (open.state, open.at) = (State::Sent, at);
        let (country, price, is_customer) = (open.charge.country, open.charge.price, open.is_customer);
        let open = open.clone();
        self.numbers.solve(open.number);
        self.weigh_all(at, &open.told, CHALLENGE_PASSED);
        if self.feed.state(at) != FeedState::Present {
            // As near to a typed code as anything that is seen.
            self.convert(at, &open);
        }
        self.opens.wait(id, at);
        if !is_customer {
            self.spend(at, country, price, open.familiarity);
        }
    }

    fn spend(&mut self, at: Timestamp, country: Country, price: Money, familiarity: Option<Familiarity>) {
        let row = self.countries.entry(country).or_default();
        match familiarity {
            Some(Familiarity::Host | Familiarity::Net) => row.spend(at, price),
            Some(Familiarity::Stranger) | None => row.spend_on_stranger(at, price),
        }
    }

    /// The message never left: nobody can answer it, and it cost nothing.
    fn unsent(&mut self, at: Timestamp, id: OpenId) {
        self.advance(at);
        let Some(open) = self.opens.get(id).filter(|open| open.state == State::Sent) else { return };
        open.state = State::Over;
        let open = open.clone();
        if !open.is_customer {
            self.countries.entry(open.charge.country).or_default().refund(at, open.charge.price);
        }
        for told in open.told.iter().filter(|_| open.is_fresh) {
            if let Some(node) = self.node(told) {
                node.age(at);
                node.weigh(-told.silence, -told.halves);
                node.convert(at.seconds_since(open.asked_at));
            }
        }
    }

    fn verified(&mut self, at: Timestamp, number: Number) {
        self.advance(at);
        self.feed.typed(at);
        let print = self.keyring.print(number.digits());
        let past = self.numbers.past(print);
        self.numbers.convert(print, at);
        let Some(past) = past else { return };
        let Some(last) = past.last.and_then(|id| self.opens.get(id)) else { return };
        if last.state != State::Sent {
            return;
        }
        last.state = State::Converted;
        let (charge, is_customer) = (last.charge, last.is_customer);
        self.budgets.answer(&charge);
        if !is_customer {
            self.countries.entry(charge.country).or_default().verify(at, charge.price);
        }
        // The evidence stands with the first send to the number; a resend only led to the same code.
        let Some(first) = past.first.and_then(|id| self.opens.get(id)) else { return };
        first.state = State::Converted;
        let open = first.clone();
        for told in &open.told {
            if let Some(node) = self.node(told) {
                node.age(at);
                node.weigh(ATTACKERS_TYPE.ln() - told.silence, 0.5f32.ln() - told.halves);
            }
        }
        self.convert(at, &open);
        if let Some(familiarity) = open.familiarity {
            self.familiarities.learn(familiarity);
        }
        if let (Some((relation, is_home_number)), true) = (open.relation, open.is_clean) {
            self.coherence.learn(relation, is_home_number);
        }
    }

    /// The send's keys turn out to hold a customer: one who is not pressure any longer, and teaches what is normal if he
    /// asked from where his number is usual.
    fn convert(&mut self, at: Timestamp, open: &Open) {
        for told in &open.told {
            let Some(node) = self.node(told) else { continue };
            node.age(at);
            node.convert(at.seconds_since(open.asked_at));
            if open.is_coherent {
                node.short_typed += 1.0;
                node.long_typed += 1.0;
                node.learn(1.0);
            }
        }
        if open.is_coherent {
            self.total.age(at);
            self.total.learn(1.0);
        }
    }

    fn node(&mut self, told: &Told) -> Option<&mut Node> {
        let nodes = if told.is_prefix { &mut self.prefixes } else { &mut self.sources };
        nodes.at(told.place)
    }

    fn weigh_all(&mut self, at: Timestamp, told: &[Told], nats: f32) {
        for told in told {
            if let Some(node) = self.node(told) {
                node.age(at);
                node.weigh(nats, nats);
            }
        }
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

const STRANGER: f32 = 0.25;

/// Destinations of about one price: what a campaign chooses among.
fn price_class(price: Money) -> u8 {
    match price.micros() {
        0..50_000 => 0,
        50_000..160_000 => 1,
        _ => 2,
    }
}

/// How many of the codes an attacker types who only wants the messages, beside people.
const ATTACKERS_TYPE: f32 = 0.03;

/// What a challenge says, in nats.
const CHALLENGE_PASSED: f32 = -9.0 * DECIBAN;
const CHALLENGE_FAILED: f32 = 6.0 * DECIBAN;

/// Sends that may wait for their codes at once: about 450 bytes each.
const MOST_OPEN: usize = 65_536;
