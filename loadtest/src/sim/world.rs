//! The legitimate traffic of one company: who asks for a code when, and what becomes of it.
//!
//! Knows nothing of attacks, so it is the same in every scenario.

use super::Setting;
use super::block::Block;
use super::dice::Dice;
use super::event::{Event, Label, Log, RESEND, SEND, VOICE};
use super::numbers::Numbers;
use super::people::{self, Line, Newcomer, People, Person};
use super::profile::{Occasion, Traits};

/// A company's customers while they sign up and log in.
pub(super) struct World<'a> {
    numbers: &'a Numbers,
    traits: &'static Traits,
    setting: Setting,
    dice: Dice,
    people: People<'a>,
    log: Log,
}

impl<'a> World<'a> {
    pub(super) fn new(numbers: &'a Numbers, setting: Setting) -> Self {
        let mut dice = Dice::new(setting.seed, &["people", setting.profile.name()]);
        let people = People::new(numbers, setting, &mut dice);
        let log = Log::new(Label::Legit);
        Self { numbers, traits: setting.profile.traits(), setting, dice, people, log }
    }

    /// Lives through all hours; events come in no order.
    pub(super) fn live(mut self) -> Vec<Event> {
        self.ordinary_days();
        let hours = self.setting.hours;
        let occasions = self.traits.occasions.iter();
        for occasion in occasions.filter(|occasion| occasion.hours().1 + 1.0 <= hours) {
            self.occasion(occasion);
        }
        self.log.into_events()
    }

    /// A Poisson process whose rate follows the day's curve.
    fn ordinary_days(&mut self) {
        let day = self.traits.day;
        let peak = day.peak() * 1.2;
        let mut at = 0.0;
        loop {
            at += self.dice.exponential(1.0 / (self.traits.sessions_per_hour * peak));
            if self.setting.hours <= at {
                return;
            }
            if self.dice.chance(day.at(at + self.traits.utc_offset) / peak) {
                self.ordinary_session(at * HOUR);
            }
        }
    }

    fn ordinary_session(&mut self, at: f64) {
        if self.dice.chance(self.traits.returning) {
            let person = self.people.regular(&mut self.dice);
            return self.session(&person, at, 0.0);
        }
        let person = self.people.join(&mut self.dice);
        self.session(&person, at, 0.0);
        if self.dice.chance(FAMILIES)
            && let Some(relative) = self.people.join_relative(&person, &mut self.dice)
        {
            let later = self.dice.between(60.0, 2400.0);
            self.session(&relative, at + later, 0.0);
        }
    }

    fn occasion(&mut self, occasion: &Occasion) {
        let (from, end) = occasion.hours();
        let times = |n, dice: &mut Dice| dice.spread(n, from * HOUR, end * HOUR);
        match *occasion {
            // These change what becomes of a message, in `delivered`.
            Occasion::Outage { .. } | Occasion::RouteFails { .. } => {}
            Occasion::Rush { n, country, .. } => {
                for at in times(n, &mut self.dice) {
                    let person = match country {
                        Some(country) => self.people.join_from(country, &mut self.dice),
                        None => self.people.join(&mut self.dice),
                    };
                    self.session(&person, at, 0.0);
                }
            }
            Occasion::Return { n, impatience, .. } => {
                for at in times(n, &mut self.dice) {
                    let person = self.people.regular(&mut self.dice);
                    self.session(&person, at, impatience);
                }
            }
            Occasion::SimBatch { n, country, n_free, shares_address, .. } => {
                let block = self.numbers.block(country, n_free, &mut self.dice);
                let line = shares_address.then(|| Line::Address(people::office(country, &mut self.dice)));
                for at in times(n, &mut self.dice) {
                    let phone = self.numbers.within(&block, &mut self.dice);
                    let line = line.unwrap_or_else(|| Line::new(country, &mut self.dice));
                    let person = self.people.add(Newcomer { country, phone, line, office: None }, &mut self.dice);
                    self.session(&person, at, 0.0);
                }
            }
            Occasion::Company { n, country, .. } => {
                let times = times(n, &mut self.dice);
                self.company(country, &times);
            }
            Occasion::Drill { n_offices, most, .. } => {
                let staff = self.people.staff(n_offices, most);
                for (person, at) in staff.iter().zip(times(staff.len(), &mut self.dice)) {
                    self.session(person, at, 0.0);
                }
            }
        }
    }

    fn company(&mut self, country: &'static str, times: &[f64]) {
        let office = people::office(country, &mut self.dice);
        let block = self.block_of(times.len(), country);
        for (nth, &at) in times.iter().enumerate() {
            let line = Line::new(country, &mut self.dice);
            let newcomer = Newcomer { country, phone: block.nth(100 + nth), line, office: Some(office) };
            let person = self.people.add(newcomer, &mut self.dice);
            self.session(&person, at, 0.0);
        }
    }

    /// A block of 1,000 whose numbers from 100 on can all be read.
    fn block_of(&mut self, n: usize, country: &'static str) -> Block {
        loop {
            let block = self.numbers.block(country, 3, &mut self.dice);
            if (100..100 + n).all(|nth| self.numbers.read(&block.nth(nth), None).is_some()) {
                return block;
            }
        }
    }

    /// One sign-up or log-in, from the first request to the code, or until the person gives up.
    fn session(&mut self, person: &Person, mut at: f64, impatience: f64) {
        let caller = person.caller(&mut self.dice);
        if self.dice.chance(MISTYPES)
            && let Some(wrong) = self.numbers.mistyped(&person.typed, &mut self.dice)
        {
            self.log.send(at, &caller, &wrong, SEND);
            at += self.dice.between(20.0, 60.0);
        }
        let mut path = SEND;
        for nth in 0..MOST_TRIES {
            let mut line = self.log.send(at, &caller, &person.typed, path);
            if nth == 0 && self.dice.chance(DOUBLE_CLICKS) {
                for _ in 0..=self.dice.below(2) {
                    at += self.dice.between(0.4, 6.0);
                    line = self.log.send(at, &caller, &person.typed, path);
                }
            }
            let (delivered, is_broken) = self.delivered(at / HOUR, person.country);
            if self.dice.chance(delivered) && !self.dice.chance(self.setting.habits.changes_mind()) {
                return self.types_code(line, at);
            }
            let patience = if nth == 0 { 0.5 } else { 0.6 } + impatience + if is_broken { 0.2 } else { 0.0 };
            if !self.dice.chance(patience) {
                return;
            }
            at += self.dice.between(25.0, 90.0);
            path = if 0 < nth && self.dice.chance(PREFERS_VOICE) { VOICE } else { RESEND };
        }
    }

    fn types_code(&mut self, line: u64, sent: f64) {
        let mut at = sent + 4.0 + self.dice.lognormal(14.0, 0.65);
        if self.dice.chance(WRONG_CODES) {
            self.log.verify(at, line, false);
            at += self.dice.between(6.0, 25.0);
        }
        self.log.verify(at, line, true);
    }

    /// The share of messages to a country that arrive in time, and whether that is less than usual.
    fn delivered(&self, hour: f64, country: &'static str) -> (f64, bool) {
        let usual = 0.985 - 0.015 * self.numbers.country_price(country) / 0.028;
        let now: f64 = self.traits.occasions.iter().filter_map(|occasion| loss(occasion, hour, country)).product();
        (usual * now * self.setting.habits.delivered(), now < 1.0)
    }
}

/// What an occasion leaves of the messages to a country.
fn loss(occasion: &Occasion, hour: f64, to: &'static str) -> Option<f64> {
    let (from, end) = occasion.hours();
    let delivered = match *occasion {
        Occasion::Outage { delivered, .. } => delivered,
        Occasion::RouteFails { country, delivered, .. } if country == to => delivered,
        Occasion::RouteFails { .. }
        | Occasion::Rush { .. }
        | Occasion::Return { .. }
        | Occasion::SimBatch { .. }
        | Occasion::Company { .. }
        | Occasion::Drill { .. } => return None,
    };
    (from <= hour && hour < end).then_some(delivered)
}

const HOUR: f64 = 3600.0;
/// The share of new customers whose relative signs up within the hour.
const FAMILIES: f64 = 0.04;
const MISTYPES: f64 = 0.02;
const DOUBLE_CLICKS: f64 = 0.01;
const WRONG_CODES: f64 = 0.05;
/// After two texts that did not come.
const PREFERS_VOICE: f64 = 0.1;
const MOST_TRIES: usize = 6;
