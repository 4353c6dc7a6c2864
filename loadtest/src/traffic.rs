//! Who asks for which number, from where: legitimate sign-ups, an attack, and the even load of the benchmark.
//!
//! Decides the contents of requests only. When they are due is [`crate::arrivals`]' business.

use std::net::Ipv4Addr;

use clap::ValueEnum;
use fastrand::Rng;

use crate::number::{self, Country, DEAR, ORDINARY};

/// Whose request it is; the report keeps them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Legitimate,
    Attack,
}

/// How the attacker chooses numbers and addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Random numbers of one block of 1,000, a new address for every request.
    Range,
    /// One number after the other, through block after block, a new address for every request.
    Sequential,
    /// The same number again and again, a new address for every request.
    OneNumber,
    /// Numbers all over the dear country, all from one address.
    OneClient,
    /// The four above in turn.
    Mixed,
}

/// What the benchmark sends; all of it legitimate in shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mix {
    /// Every request has its own number and address: passes all limits.
    Spread,
    /// One number, every request from another address.
    OneNumber,
    /// One address, every request for another number.
    OneAddress,
}

/// One request to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shot {
    pub(crate) phone: String,
    pub(crate) client: Option<Ipv4Addr>,
}

/// A source of shots.
#[derive(Debug)]
pub(crate) enum Traffic {
    Played(Played),
    Even(Even),
}

/// Sign-ups and an attack, drawn at random.
#[derive(Debug)]
pub(crate) struct Played {
    rng: Rng,
    home: &'static Country,
    scenario: Scenario,
    /// Sends `X-Forwarded-For`; without it every request comes from 127.0.0.1.
    forwarded: bool,
    n_addresses: u64,
    n_attacks: u64,
    /// Of the dear country's order: where the attacked block begins.
    block: u64,
    recent: Vec<Shot>,
}

/// The benchmark's load: the shot with a given index is always the same.
#[derive(Debug)]
pub(crate) struct Even {
    pub(crate) mix: Mix,
    pub(crate) next: u64,
}

// === impl Traffic ===

impl Traffic {
    pub(crate) fn shot(&mut self, class: Class) -> Shot {
        match self {
            Self::Played(played) => match class {
                Class::Legitimate => played.sign_up(),
                Class::Attack => played.attack(),
            },
            Self::Even(even) => even.shot(),
        }
    }
}

// === impl Played ===

impl Played {
    pub(crate) fn new(seed: u64, home: &'static Country, scenario: Scenario, forwarded: bool) -> Self {
        let mut rng = Rng::with_seed(seed);
        let n_addresses = rng.u64(..1 << 31);
        let block = rng.u64(..DEAR.capacity() / BLOCK) * BLOCK;
        Self { rng, home, scenario, forwarded, n_addresses, n_attacks: 0, block, recent: Vec::new() }
    }

    /// A person: mostly from the home market, now and then asking again for the message that did not come.
    fn sign_up(&mut self) -> Shot {
        if !self.recent.is_empty() && self.rng.u32(..RESEND_ONE_IN) == 0 {
            // Taken out, so that nobody asks more than twice.
            let at = self.rng.usize(..self.recent.len());
            return self.recent.swap_remove(at);
        }
        let country =
            if self.rng.u32(..100) < HOME_PERCENT { self.home } else { self.rng.choice(ORDINARY).unwrap_or(self.home) };
        let number = country.number(self.rng.u64(..country.capacity()));
        let phone = if self.rng.u32(..SPACED_ONE_IN) == 0 { number::typed_with_spaces(&number) } else { number };
        let shot = Shot { phone, client: self.new_address() };
        if self.recent.len() < N_RECENT {
            self.recent.push(shot.clone());
        }
        shot
    }

    fn attack(&mut self) -> Shot {
        let nth = self.n_attacks;
        self.n_attacks += 1;
        match self.scenario {
            Scenario::Mixed => self.attack_as(TURNS[(nth % 4) as usize], nth / 4),
            scenario => self.attack_as(scenario, nth),
        }
    }

    fn attack_as(&mut self, scenario: Scenario, nth: u64) -> Shot {
        match scenario {
            Scenario::Range | Scenario::Mixed => {
                let nth = self.rng.u64(..BLOCK);
                self.dear_number(self.block + nth)
            }
            Scenario::Sequential => self.dear_number(self.block + nth),
            Scenario::OneNumber => self.dear_number(self.block),
            Scenario::OneClient => {
                Shot { phone: DEAR.scattered(self.block + nth), client: self.forwarded.then_some(ONE_CLIENT) }
            }
        }
    }

    /// Asks for the `nth` number of the dear country, from an address that was not used before.
    fn dear_number(&mut self, nth: u64) -> Shot {
        Shot { phone: DEAR.number(nth), client: self.new_address() }
    }

    fn new_address(&mut self) -> Option<Ipv4Addr> {
        self.n_addresses += 1;
        self.forwarded.then(|| number::address(self.n_addresses))
    }
}

// === impl Even ===

impl Even {
    fn shot(&mut self) -> Shot {
        let nth = self.next;
        self.next += 1;
        Shot {
            phone: if self.mix == Mix::OneNumber { ONE_NUMBER.to_owned() } else { spread(nth) },
            client: Some(number::address(if self.mix == Mix::OneAddress { 0 } else { nth })),
        }
    }
}

/// Countries in turn, scattered numbers within each.
fn spread(nth: u64) -> String {
    let n_countries = ORDINARY.len() as u64;
    let country = usize::try_from(nth % n_countries).ok().and_then(|at| ORDINARY.get(at)).unwrap_or(&DEAR);
    country.scattered(nth / n_countries)
}

const TURNS: [Scenario; 4] = [Scenario::Range, Scenario::Sequential, Scenario::OneNumber, Scenario::OneClient];

/// Adjacent numbers that tollgate counts together.
const BLOCK: u64 = 1000;
const HOME_PERCENT: u32 = 80;
const SPACED_ONE_IN: u32 = 8;
const RESEND_ONE_IN: u32 = 12;
const N_RECENT: usize = 64;

/// In no block that [`spread`] uses: a refused number may take its neighbours with it.
const ONE_NUMBER: &str = "+12025550123";

/// The attacker that does not bother to change addresses.
const ONE_CLIENT: Ipv4Addr = Ipv4Addr::new(185, 1, 2, 3);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn attacks(scenario: Scenario, n: usize) -> Vec<Shot> {
        let mut played = Played::new(7, &ORDINARY[0], scenario, true);
        (0..n).map(|_| played.attack()).collect()
    }

    fn n_clients(shots: &[Shot]) -> usize {
        shots.iter().map(|shot| shot.client).collect::<HashSet<_>>().len()
    }

    fn n_phones(shots: &[Shot]) -> usize {
        shots.iter().map(|shot| &shot.phone).collect::<HashSet<_>>().len()
    }

    #[test]
    fn a_range_attack_stays_in_one_block_and_never_repeats_an_address() {
        let shots = attacks(Scenario::Range, 500);
        let blocks: HashSet<_> = shots.iter().map(|shot| &shot.phone[..shot.phone.len() - 3]).collect();
        assert_eq!(blocks.len(), 1);
        assert_eq!(n_clients(&shots), 500);
        assert!(300 < n_phones(&shots));
    }

    #[test]
    fn a_sequential_attack_walks_without_gaps() {
        let shots = attacks(Scenario::Sequential, 2500);
        let numbers: Vec<u64> = shots.iter().map(|shot| shot.phone[1..].parse().unwrap()).collect();
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));
    }

    #[test]
    fn one_number_and_one_client_are_what_they_say() {
        let one_number = attacks(Scenario::OneNumber, 100);
        assert_eq!((n_phones(&one_number), n_clients(&one_number)), (1, 100));
        let one_client = attacks(Scenario::OneClient, 100);
        assert_eq!((n_phones(&one_client), n_clients(&one_client)), (100, 1));
    }

    #[test]
    fn people_come_mostly_from_home_sometimes_with_spaces_and_never_from_the_dear_country() {
        let mut played = Played::new(1, Country::find("FR").unwrap(), Scenario::Mixed, true);
        let shots: Vec<_> = (0..2000).map(|_| played.sign_up()).collect();
        let n_home = shots.iter().filter(|shot| shot.phone.starts_with("+33")).count();
        assert!(1500 < n_home && n_home < 1800, "{n_home}");
        assert!(shots.iter().any(|shot| shot.phone.contains(' ')));
        assert!(shots.iter().all(|shot| !shot.phone.starts_with("+994")));
        assert!(n_phones(&shots) < shots.len(), "somebody asks again");
    }

    #[test]
    fn the_same_seed_plays_the_same_traffic() {
        assert_eq!(attacks(Scenario::Mixed, 50), attacks(Scenario::Mixed, 50));
    }

    #[test]
    fn without_forwarding_nobody_names_an_address() {
        let mut played = Played::new(1, &ORDINARY[0], Scenario::OneClient, false);
        assert_eq!(played.attack().client, None);
        assert_eq!(played.sign_up().client, None);
    }

    #[test]
    fn the_even_load_repeats_only_what_its_mix_says() {
        let shots = |mix| {
            let mut even = Even { mix, next: 5 };
            (0..9000).map(|_| even.shot()).collect::<Vec<_>>()
        };
        let spread = shots(Mix::Spread);
        assert_eq!((n_phones(&spread), n_clients(&spread)), (9000, 9000));
        assert_eq!(n_phones(&shots(Mix::OneNumber)), 1);
        assert!(
            spread.iter().all(|shot| !shot.phone.starts_with(&ONE_NUMBER[..5])),
            "the one number has no neighbours"
        );
        assert_eq!(n_clients(&shots(Mix::OneAddress)), 1);
    }
}
