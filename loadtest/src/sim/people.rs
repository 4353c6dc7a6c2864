//! Customers: their numbers, their devices, and the addresses they are seen at.

use std::borrow::Cow;
use std::net::IpAddr;

use super::Setting;
use super::device::{self, Device};
use super::dice::Dice;
use super::event::Caller;
use super::habits::Habits;
use super::network::{self, Access, Place};
use super::numbers::{Numbers, Typed};
use super::profile::Traits;

/// One customer.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) user: Cow<'static, str>,
    pub(super) country: &'static str,
    pub(super) phone: String,
    pub(super) typed: Typed,
    device: &'static Device,
    line: Line,
    /// An address of their own that they are seen at instead, most of the time.
    pub(super) office: Option<Place>,
    uses_vpn: bool,
    habits: Habits,
}

/// How somebody is connected where they live.
#[derive(Clone, Copy, Debug)]
pub(super) enum Line {
    /// Behind a carrier's few addresses.
    CarrierNat { asn: u32, country: &'static str },
    /// With an IPv6 network of their own.
    Network6 { asn: u32, country: &'static str, subscriber: u32 },
    /// With one IPv4 address.
    Address(Place),
}

/// Somebody about to become a customer.
#[derive(Debug)]
pub(super) struct Newcomer {
    pub(super) country: &'static str,
    pub(super) phone: String,
    pub(super) line: Line,
    pub(super) office: Option<Place>,
}

/// All customers of a company, oldest first.
#[derive(Debug)]
pub(super) struct People<'a> {
    numbers: &'a Numbers,
    traits: &'static Traits,
    habits: Habits,
    people: Vec<Person>,
    offices: Vec<(Place, f64)>,
}

// === impl Person ===

impl Person {
    /// Who makes the requests of one session, and where from.
    pub(super) fn caller(&self, dice: &mut Dice) -> Caller {
        Caller { place: self.place(dice), device: self.device, user: self.user.clone() }
    }

    fn place(&self, dice: &mut Dice) -> Place {
        if self.uses_vpn && dice.chance(0.7) {
            return network::vpn(dice);
        }
        if let Some(office) = self.office.filter(|_| dice.chance(AT_WORK)) {
            return office;
        }
        let country = self.line.country();
        if dice.chance(ON_THE_ROAD) {
            return network::shared(network::carrier(country, Access::Mobile, dice), country, dice);
        }
        if dice.chance(self.habits.abroad()) {
            let country = network::anywhere(dice);
            return network::shared(network::carrier(country, Access::Mobile, dice), country, dice);
        }
        self.line.place(dice)
    }
}

// === impl Line ===

impl Line {
    pub(super) fn new(country: &'static str, dice: &mut Dice) -> Self {
        let draw = dice.between(0.0, 1.0);
        if draw < 0.4 {
            return Self::CarrierNat { asn: network::carrier(country, Access::Mobile, dice), country };
        }
        if draw < 0.6 {
            let asn = network::carrier(country, Access::Mobile, dice);
            return Self::Network6 { asn, country, subscriber: dice.bits() as u32 };
        }
        let asn = network::carrier(country, Access::Fixed, dice);
        Self::Address(Place { ip: network::address(asn, dice.bits()).into(), asn, country })
    }

    fn country(self) -> &'static str {
        match self {
            Self::CarrierNat { country, .. } | Self::Network6 { country, .. } => country,
            Self::Address(place) => place.country,
        }
    }

    fn place(self, dice: &mut Dice) -> Place {
        match self {
            Self::CarrierNat { asn, country } => network::shared(asn, country, dice),
            Self::Network6 { asn, country, subscriber } => {
                let ip = IpAddr::from(network::address6(asn, subscriber, dice.bits()));
                Place { ip, asn, country }
            }
            Self::Address(place) => place,
        }
    }
}

// === impl People ===

impl<'a> People<'a> {
    /// The customers that the company has at the start.
    pub(super) fn new(numbers: &'a Numbers, setting: Setting, dice: &mut Dice) -> Self {
        let (traits, habits) = (setting.profile.traits(), setting.habits);
        let mut offices = Vec::new();
        for _ in 0..traits.n_offices {
            let country = dice.weighted(traits.markets);
            offices.push((office(country, dice), dice.lognormal(0.6, 1.1)));
        }
        let mut people = Self { numbers, traits, habits, people: Vec::new(), offices };
        for _ in 0..traits.n_known {
            people.join(dice);
        }
        people
    }

    /// Somebody new, from anywhere.
    pub(super) fn join(&mut self, dice: &mut Dice) -> Person {
        let office = (!self.offices.is_empty() && dice.chance(0.7)).then(|| dice.weighted(&self.offices));
        let country = match office {
            Some(office) if dice.chance(0.85) => office.country,
            _ => dice.weighted(self.traits.markets),
        };
        let lives_in = if country == self.traits.home && dice.chance(0.97) || dice.chance(self.traits.stays) {
            country
        } else if dice.chance(0.8) {
            self.traits.home
        } else {
            network::anywhere(dice)
        };
        let (line, phone) = (Line::new(lives_in, dice), self.numbers.mobile(country, dice));
        self.add(Newcomer { country, phone, line, office }, dice)
    }

    /// Somebody new of one country, who lives there.
    pub(super) fn join_from(&mut self, country: &'static str, dice: &mut Dice) -> Person {
        let (line, phone) = (Line::new(country, dice), self.numbers.mobile(country, dice));
        self.add(Newcomer { country, phone, line, office: None }, dice)
    }

    /// A relative on the same plan: the number next door, the same home.
    pub(super) fn join_relative(&mut self, of: &Person, dice: &mut Dice) -> Option<Person> {
        let step = dice.below(3) as u64 + 1;
        let phone = format!("+{}", of.phone.get(1..)?.parse::<u64>().ok()? + step);
        self.numbers.read(&phone, None)?;
        Some(self.add(Newcomer { country: of.country, phone, line: of.line, office: of.office }, dice))
    }

    /// One who has been here, more likely one of the oldest.
    pub(super) fn regular(&self, dice: &mut Dice) -> Person {
        let at = dice.between(0.0, 1.0).powf(1.4) * self.people.len() as f64;
        self.people[at as usize].clone()
    }

    /// Whoever works in one of the `n_offices` largest offices.
    pub(super) fn staff(&self, n_offices: usize, most: usize) -> Vec<Person> {
        let mut offices = self.offices.clone();
        offices.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        offices.truncate(n_offices);
        let works_there =
            |person: &&Person| person.office.is_some_and(|office| offices.iter().any(|(place, _)| *place == office));
        self.people.iter().filter(works_there).take(most).cloned().collect()
    }

    pub(super) fn add(&mut self, newcomer: Newcomer, dice: &mut Dice) -> Person {
        let Newcomer { country, phone, line, office } = newcomer;
        let person = Person {
            user: Cow::Owned(format!("p{}", self.people.len())),
            country,
            typed: self.numbers.typed(&phone, country, self.traits.national, dice),
            phone,
            device: dice.weighted(device::PEOPLE),
            line,
            office,
            uses_vpn: dice.chance(self.habits.with_vpn()),
            habits: self.habits,
        };
        self.people.push(person.clone());
        person
    }
}

/// An address in that country that a whole office is seen at.
pub(super) fn office(country: &'static str, dice: &mut Dice) -> Place {
    let asn = network::carrier(country, Access::Fixed, dice);
    Place { ip: network::address(asn, dice.bits()).into(), asn, country }
}

/// The share of sessions that people who have an office make there.
const AT_WORK: f64 = 0.85;
/// The share of sessions over the mobile network by people who are connected otherwise at home.
const ON_THE_ROAD: f64 = 0.15;
