//! What becomes of attempts: codes that are typed or not in time, challenges, messages that never left.

use super::super::Event;
use super::super::coherence::Familiarity;
use super::super::country::delivery;
use super::super::destination::Money;
use super::super::feed::FeedState;
use super::super::node::{DECIBAN, Node};
use super::super::open::{Due, Open, OpenId, State, Told};
use super::Ledger;
use crate::attempt::Timestamp;
use crate::attempt::country::Country;
use crate::attempt::phone::Number;

impl Ledger {
    pub(in super::super) fn fold(&mut self, event: &Event) {
        match *event {
            Event::Verified { at, number } => self.verified(at, number),
            Event::ChallengePassed { at, send } => self.challenge_passed(at, send),
            Event::Unsent { at, send } => self.unsent(at, send),
        }
    }

    /// Does what became due by `at`.
    pub(in super::super) fn advance(&mut self, at: Timestamp) {
        while let Some((when, id, due)) = self.opens.next_due(at) {
            match due {
                Due::Soon | Due::Matured => self.check(when, id, due),
                Due::Unsolved => self.give_up(when, id),
            }
        }
        self.opens.close(at);
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

    pub(super) fn spend(&mut self, at: Timestamp, country: Country, price: Money, familiarity: Option<Familiarity>) {
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
}

/// What a send from where nobody typed a code teaches, where clean sends have to.
const STRANGER: f32 = 0.25;

/// How many of the codes an attacker types who only wants the messages, beside people.
const ATTACKERS_TYPE: f32 = 0.03;

/// What a challenge says, in nats.
const CHALLENGE_PASSED: f32 = -9.0 * DECIBAN;
const CHALLENGE_FAILED: f32 = 6.0 * DECIBAN;
