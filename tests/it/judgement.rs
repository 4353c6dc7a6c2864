//! Who is stopped and who is not: traces of attacks and of ordinary days, through the engine and the policy as they
//! run live.

use std::net::IpAddr;
use std::sync::LazyLock;

use tollgate::attempt::client::Client;
use tollgate::app::{Judge, Materials};
use tollgate::attempt::phone::{Reader, ReaderKind};
use tollgate::attempt::{Attempt, Timestamp, Verdict};
use tollgate::config::Config;
use tollgate::risk::Event;

use crate::harness::AREAS;

// === attacks ===

#[test]
fn a_walk_through_one_block_is_blocked_within_the_first_handful() {
    let mut day = Day::after_a_quiet_morning();
    let verdicts = day.attack(30, 60, |n| format!("+99891234{:04}", 5000 + n));
    assert!(n_let_through(&verdicts) <= 5, "{verdicts:?}");
}

#[test]
fn a_walk_through_one_block_is_blocked_on_the_first_day_too() {
    let mut day = Day::new();
    let verdicts = day.attack(30, 60, |n| format!("+99891234{:04}", 5000 + n));
    assert!(n_let_through(&verdicts) <= 6, "{verdicts:?}");
}

#[test]
fn a_walk_through_a_cheap_block_is_blocked() {
    let mut day = Day::after_a_quiet_morning();
    let verdicts = day.attack(60, 60, |n| format!("+1987555{:04}", 100 + n));
    assert!(n_let_through(&verdicts) <= 8, "{verdicts:?}");
}

#[test]
fn a_slow_walk_is_blocked_as_well() {
    let mut day = Day::after_a_quiet_morning();
    let verdicts = day.attack(40, 600, |n| format!("+99891234{:04}", 5000 + n));
    assert!(n_let_through(&verdicts) <= 8, "{verdicts:?}");
}

#[test]
fn random_numbers_in_a_block_of_a_thousand_are_blocked() {
    let mut day = Day::after_a_quiet_morning();
    let mut random = Random::new(7);
    let verdicts = day.attack(60, 45, move |_| format!("+998912345{:03}", random.below(1000)));
    assert!(n_let_through(&verdicts) <= 6, "{verdicts:?}");
}

#[test]
fn random_numbers_in_a_block_of_ten_thousand_are_blocked() {
    let mut day = Day::after_a_quiet_morning();
    let mut random = Random::new(8);
    let verdicts = day.attack(60, 45, move |_| format!("+99891234{:04}", random.below(10_000)));
    assert!(n_let_through(&verdicts) <= 6, "{verdicts:?}");
}

#[test]
fn a_block_of_another_dear_country_is_blocked_the_same() {
    let mut day = Day::after_a_quiet_morning();
    let mut random = Random::new(9);
    let verdicts = day.attack(60, 45, move |_| format!("+23276{:06}", 250_000 + random.below(1000)));
    assert!(n_let_through(&verdicts) <= 6, "{verdicts:?}");
}

#[test]
fn an_attack_that_went_on_for_an_hour_is_still_blocked() {
    let mut day = Day::after_a_quiet_morning();
    let mut random = Random::new(10);
    let verdicts = day.attack(900, 5, move |_| format!("+99891234{:04}", random.below(10_000)));
    assert!(n_let_through(&verdicts[100..]) <= 8, "{} of 800", n_let_through(&verdicts[100..]));
}

#[test]
fn an_attack_does_not_stop_the_home_market() {
    let mut day = Day::after_a_quiet_morning();
    let mut random = Random::new(11);
    let mut home = Vec::new();
    for n in 0..600 {
        day.send(6, &stranger(n), &format!("+99891234{:04}", random.below(10_000)));
        if n % 4 == 0 {
            home.push(day.customer());
        }
    }
    assert_eq!(n_let_through(&home), home.len());
}

#[test]
fn one_host_that_asks_for_many_numbers_is_stopped() {
    let mut day = Day::after_a_quiet_morning();
    let verdicts: Vec<Verdict> =
        (0..80).map(|n| day.send(20, "192.0.2.1", &crate::harness::fictional(97 * n))).collect();
    assert!(n_let_through(&verdicts) <= 30, "{}", n_let_through(&verdicts));
}

#[test]
fn one_host_that_asks_for_many_dear_numbers_is_stopped_early() {
    let mut day = Day::after_a_quiet_morning();
    let verdicts: Vec<Verdict> = (0..60)
        .map(|n| day.send(20, "192.0.2.1", &format!("+9989{}{:07}", 1 + n % 9, 1_000_003 * n % 10_000_000)))
        .collect();
    assert!(n_let_through(&verdicts) <= 12, "{}", n_let_through(&verdicts));
}

#[test]
fn premium_rate_numbers_are_blocked_from_the_first() {
    let mut day = Day::after_a_quiet_morning();
    for phone in ["+19002345678", "+449012345678", "+499001234567", "+33891123456"] {
        assert_eq!(day.send(60, "192.0.2.1", phone), Verdict::Block, "{phone}");
    }
}

#[test]
fn satellite_numbers_are_refused_before_they_become_many() {
    let mut day = Day::after_a_quiet_morning();
    let verdicts = day.attack(30, 60, |n| format!("+88216{:06}", 100_000 + 37 * n));
    assert!(n_let_through(&verdicts) <= 5, "{verdicts:?}");
}

#[test]
fn the_same_number_again_and_again_meets_its_limit() {
    let mut day = Day::after_a_quiet_morning();
    let verdicts: Vec<Verdict> = (0..60).map(|n| day.send(30, &stranger(n), "+12245550100")).collect();
    assert!(n_let_through(&verdicts) <= 10, "{verdicts:?}");
}

// === ordinary days ===

#[test]
fn ordinary_mixed_traffic_is_never_refused() {
    let mut day = Day::new();
    let verdicts: Vec<Verdict> = (0..DAY).map(|_| day.customer()).collect();
    assert_eq!(n_let_through(&verdicts), verdicts.len());
}

#[test]
fn ordinary_traffic_whose_codes_nobody_reports_is_never_refused() {
    let mut day = Day::new();
    day.reports_codes = false;
    let verdicts: Vec<Verdict> = (0..DAY).map(|_| day.customer()).collect();
    assert_eq!(n_let_through(&verdicts), verdicts.len());
}

#[test]
fn a_burst_after_a_campaign_in_the_home_market_is_not_refused() {
    let mut day = Day::after_a_quiet_morning();
    day.pace = 2;
    let verdicts: Vec<Verdict> = (0..900).map(|_| day.customer()).collect();
    assert_eq!(n_let_through(&verdicts), verdicts.len());
}

#[test]
fn resends_of_one_person_are_not_refused() {
    let mut day = Day::after_a_quiet_morning();
    let verdicts: Vec<Verdict> = (0..4).map(|_| day.send(40, "192.0.2.7", "+12255550100")).collect();
    assert_eq!(verdicts, [Verdict::Allow; 4]);
}

#[test]
fn typos_of_one_person_are_not_refused() {
    let mut day = Day::after_a_quiet_morning();
    let typos = ["+12255550110", "+12255550111", "+12255550101", "+12255551101"];
    let verdicts: Vec<Verdict> = typos.into_iter().map(|phone| day.send(40, "192.0.2.8", phone)).collect();
    assert_eq!(verdicts, [Verdict::Allow; 4]);
}

#[test]
fn a_single_visitor_from_a_dear_country_is_not_refused() {
    let mut day = Day::after_a_quiet_morning();
    assert_eq!(day.send(60, "192.0.2.9", "+998912345678"), Verdict::Allow);
}

#[test]
fn a_few_visitors_from_as_many_countries_are_not_refused() {
    let mut day = Day::after_a_quiet_morning();
    let visitors =
        ["+447400123456", "+4915123456789", "+33612345678", "+61412345678", "+819012345678", "+5511961234567"];
    let verdicts: Vec<Verdict> =
        visitors.into_iter().enumerate().map(|(n, phone)| day.send(300, &stranger(n), phone)).collect();
    assert_eq!(n_let_through(&verdicts), verdicts.len(), "{verdicts:?}");
}

#[test]
fn a_customer_who_typed_a_code_is_not_refused_in_the_middle_of_an_attack() {
    let mut day = Day::after_a_quiet_morning();
    assert_eq!(day.send(60, "192.0.2.10", "+998912345678"), Verdict::Allow);
    day.verified("+998912345678");
    day.at += 3_600_000;
    day.attack(40, 20, |n| format!("+99891234{:04}", 5600 + n));
    assert_eq!(day.send(20, "192.0.2.10", "+998912345678"), Verdict::Allow);
}

#[test]
fn an_office_behind_one_address_is_not_refused() {
    let mut day = Day::after_a_quiet_morning();
    let verdicts: Vec<Verdict> =
        (0..10).map(|n| day.send(400, "192.0.2.11", &crate::harness::fictional(97 * n))).collect();
    assert_eq!(n_let_through(&verdicts), verdicts.len(), "{verdicts:?}");
}

// === the same and the same again ===

#[test]
fn the_same_trace_gives_the_same_verdicts() {
    let play = || {
        let mut day = Day::after_a_quiet_morning();
        let mut random = Random::new(12);
        day.attack(100, 30, move |_| format!("+99891234{:04}", random.below(10_000)))
    };
    assert_eq!(play(), play());
}

/// The engine and the policy, in the trace's own time.
struct Day {
    judge: Judge,
    /// Milliseconds since the epoch.
    at: u64,
    maintained_at: u64,
    random: Random,
    n_customers: usize,
    /// Seconds between customers, on average.
    pace: u64,
    reports_codes: bool,
}

struct Random(u64);

// === impl Day ===

impl Day {
    fn new() -> Self {
        let config = Config::default();
        let judge = Materials::load(&config).unwrap().into_judge(&config);
        let (at, random) = (1_700_000_000_000, Random::new(1));
        Self { judge, at, maintained_at: 0, random, n_customers: 0, pace: 20, reports_codes: true }
    }

    /// Six hours of ordinary traffic, three customers a minute.
    fn after_a_quiet_morning() -> Self {
        let mut day = Self::new();
        for _ in 0..6 * 180 {
            day.customer();
        }
        day
    }

    /// Sends, so many seconds after the last.
    fn send(&mut self, seconds: u64, ip: &str, phone: &str) -> Verdict {
        self.at += 1000 * seconds;
        let at = Timestamp::from_millis(self.at);
        if 1000 <= self.at - self.maintained_at {
            self.judge.engine.maintain(at);
            self.maintained_at = self.at;
        }
        let ip: IpAddr = ip.parse().unwrap();
        let attempt = Attempt::new(at, READER.read(phone, None).unwrap()).from(Client::new(ip));
        self.judge.policy.decide(&self.judge.engine, &[attempt]).verdict
    }

    fn verified(&self, phone: &str) {
        let number = READER.read(phone, None).unwrap();
        self.judge.engine.fold(&Event::Verified { at: Timestamp::from_millis(self.at), number });
    }

    /// So many numbers, each from an address of its own.
    fn attack(&mut self, n_numbers: usize, seconds: u64, mut number: impl FnMut(usize) -> String) -> Vec<Verdict> {
        (0..n_numbers).map(|n| self.send(seconds, &stranger(n), &number(n))).collect()
    }

    /// The next customer: most are from home, most type their code, some ask for it twice.
    fn customer(&mut self) -> Verdict {
        let n = self.n_customers;
        self.n_customers += 1;
        let area = AREAS[self.random.below(AREAS.len() as u64) as usize];
        let phone = match self.random.below(200) {
            0..10 => format!("+1{}555{:04}", [204, 416, 514, 604][n % 4], self.random.below(10_000)),
            10 => VISITORS[self.random.below(VISITORS.len() as u64) as usize].to_owned(),
            _ => format!("+1{area}555{:04}", self.random.below(10_000)),
        };
        let ip = format!("2001:db8:{:x}:{:x}::1", n / 60_000 + 0x100 + n % 500, n % 60_000);
        let seconds = 1 + self.random.below(2 * self.pace - 1);
        let mut verdict = self.send(seconds, &ip, &phone);
        if self.random.below(10) == 0 {
            verdict = verdict.max(self.send(45, &ip, &phone));
        }
        if self.reports_codes && self.random.below(10) < 8 {
            self.verified(&phone);
        }
        verdict
    }
}

// === impl Random ===

impl Random {
    fn new(seed: u64) -> Self {
        Self(0x9e37_79b9_7f4a_7c15 ^ seed)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % limit
    }
}

fn n_let_through(verdicts: &[Verdict]) -> usize {
    verdicts.iter().filter(|verdict| **verdict == Verdict::Allow).count()
}

/// An address that nobody else has, in a network that nobody else is in.
fn stranger(n: usize) -> String {
    format!("198.{}.{}.{}", 18 + n / 250 % 2, n % 250, 1 + n / 500)
}

/// Example numbers of Google's library, one a country.
const VISITORS: [&str; 12] = [
    "+447400123456",
    "+4915123456789",
    "+33612345678",
    "+61412345678",
    "+819012345678",
    "+5511961234567",
    "+393123456789",
    "+34612345678",
    "+31612345678",
    "+46701234567",
    "+523122345678",
    "+919876543210",
];

/// Customers of a day, at three a minute.
const DAY: usize = 24 * 60 * 3;

static READER: LazyLock<Reader> = LazyLock::new(|| Reader::builtin(ReaderKind::Google).unwrap());
