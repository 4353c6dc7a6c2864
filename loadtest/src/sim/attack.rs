//! Attacks: which numbers they ask for, from where, how fast, and whether they type codes.
//!
//! Each scenario is a script of a dozen lines in one of the modules below; this one holds their names and what they
//! share.

mod blocks;
mod misuse;
mod patient;
mod pretend;
mod sweeps;

use std::borrow::Cow;

use clap::ValueEnum;

use super::block::Block;
use super::device::{self, Device};
use super::dice::Dice;
use super::event::{Caller, Event, Label, Log, SEND};
use super::network::{Place, Proxies};
use super::numbers::{Numbers, Typed};
use super::profile::Traits;

/// How an attacker goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub(crate) enum Scenario {
    /// No attack.
    None,
    /// One server walks through one block, a message a second.
    OneServer,
    /// Forty servers walk through one block.
    FortyServers,
    /// Three hundred servers, random numbers of one block of 10,000; the handshake contradicts the user agent.
    ServerFleet,
    /// One server takes a new IPv6 /64 for every message.
    Ipv6Hopping,
    /// Random numbers of one block of 10,000, a new home for each.
    ResidentialBlock,
    /// Random numbers of one carrier prefix, a new home for each.
    ResidentialCarrier,
    /// The same as the block, from homes in the numbers' country.
    MatchingBlock,
    /// From the addresses that a carrier's subscribers at home share.
    MobileProxies,
    /// Forty test messages, six hours later forty blocks in turn.
    ManyRanges,
    /// Eight messages a block, then the next.
    RangeHopping,
    /// 1,500 messages in 90 seconds, then nothing.
    Burst,
    /// Sixty messages a minute long, every hour into another block.
    RepeatedBursts,
    /// One message every three minutes into a block of 100,000.
    LowAndSlow,
    /// One message every two minutes to a random country.
    Trickle,
    /// Doubles every two hours, to become normal.
    SlowRamp,
    /// Follows the company's own day, to the dearest country it serves, from there.
    DayCurve,
    /// Sixty numbers, again and again.
    NumberReuse,
    /// One send and eight resends for each number, from one home.
    ResendAbuse,
    /// Codes by voice to satellites, personal numbers and dear mobiles.
    Voice,
    /// 45 % of codes are typed.
    FakeCodes,
    /// 45 % of codes are typed, from homes in the numbers' country.
    FakeCodesMatching,
    /// 70 % of codes are typed, all over one country, from there.
    FakeCodesWide,
    /// A day of real sign-ups in one block first, all codes typed; then pumping in it.
    WarmUp,
    /// A block in the company's home market, from there.
    HomeRange,
    /// A carrier prefix of the dearest country that the company serves, from there.
    ServedMarket,
    /// Random numbers of a block when the product is half an hour old.
    ColdStart,
    /// Six phases, each in a new country: servers, homes, matching homes, numbers all over it, then with typed codes.
    Phased,
}

/// An attack while it is written down.
pub(super) struct Campaign<'a> {
    numbers: &'a Numbers,
    traits: &'static Traits,
    hours: f64,
    /// When it begins, in hours.
    start: f64,
    dice: Dice,
    proxies: Proxies,
    log: Log,
}

// === impl Scenario ===

impl Scenario {
    /// The name on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

// === impl Campaign ===

impl<'a> Campaign<'a> {
    pub(super) fn new(numbers: &'a Numbers, traits: &'static Traits, hours: f64, dice: Dice) -> Self {
        let start = if 60.0 <= hours { 48.4 } else { hours * 0.67 };
        let (proxies, log) = (Proxies::default(), Log::new(Label::Attack));
        Self { numbers, traits, hours, start, dice, proxies, log }
    }

    /// Writes the whole attack down; events come in no order.
    pub(super) fn run(mut self, scenario: Scenario) -> Vec<Event> {
        match scenario {
            Scenario::None => {}
            Scenario::OneServer => self.one_server(),
            Scenario::FortyServers => self.forty_servers(),
            Scenario::ServerFleet => self.server_fleet(),
            Scenario::Ipv6Hopping => self.ipv6_hopping(),
            Scenario::ResidentialBlock => self.residential_block(self.start),
            Scenario::ResidentialCarrier => self.residential_carrier(),
            Scenario::MatchingBlock => self.matching_block(),
            Scenario::MobileProxies => self.mobile_proxies(),
            Scenario::ManyRanges => self.many_ranges(),
            Scenario::RangeHopping => self.range_hopping(),
            Scenario::Burst => self.burst(),
            Scenario::RepeatedBursts => self.repeated_bursts(),
            Scenario::LowAndSlow => self.low_and_slow(),
            Scenario::Trickle => self.trickle(),
            Scenario::SlowRamp => self.slow_ramp(),
            Scenario::DayCurve => self.day_curve(),
            Scenario::NumberReuse => self.number_reuse(),
            Scenario::ResendAbuse => self.resend_abuse(),
            Scenario::Voice => self.voice(),
            Scenario::FakeCodes => self.fake_codes(),
            Scenario::FakeCodesMatching => self.fake_codes_matching(),
            Scenario::FakeCodesWide => self.fake_codes_wide(),
            Scenario::WarmUp => self.warm_up(),
            Scenario::HomeRange => self.home_range(),
            Scenario::ServedMarket => self.served_market(),
            Scenario::ColdStart => self.residential_block(COLD_START),
            Scenario::Phased => self.phased(),
        }
        self.log.into_events()
    }

    /// Where messages pay: 60 % a dear country, and then as often as not one that the company serves.
    fn country(&mut self) -> &'static str {
        if self.dice.chance(0.4) {
            return self.dice.pick(MIDDLING);
        }
        let markets = self.traits.markets.iter();
        let served: Vec<_> = markets.map(|&(country, _)| country).filter(|country| DEAR.contains(country)).collect();
        if !served.is_empty() && self.dice.chance(0.5) { self.dice.pick(&served) } else { self.dice.pick(DEAR) }
    }

    /// Of the countries that the company serves, the one messages to which cost most.
    fn dearest_served(&self) -> &'static str {
        let price = |country| self.numbers.country_price(country);
        let markets = self.traits.markets.iter().map(|&(country, _)| country);
        markets.max_by(|one, other| price(one).total_cmp(&price(other))).unwrap_or(self.traits.home)
    }

    fn block(&mut self, country: &'static str) -> Block {
        self.numbers.block(country, 4, &mut self.dice)
    }

    /// `n` arrivals at most, from an hour on, until the end of the run.
    fn arrivals(&mut self, n: usize, per_second: f64, from: f64) -> Vec<f64> {
        self.dice.arrivals(n, per_second, from * HOUR, self.hours * HOUR)
    }

    /// A new home somewhere.
    fn home(&mut self) -> Place {
        let country = super::network::anywhere(&mut self.dice);
        self.proxies.exit(country, &mut self.dice)
    }

    fn home_in(&mut self, country: &'static str) -> Place {
        self.proxies.exit(country, &mut self.dice)
    }

    /// A random number of the block from that place, with a device like people's; returns the send's line.
    fn ask_within(&mut self, at: f64, block: &Block, place: Place) -> u64 {
        let phone = self.numbers.within(block, &mut self.dice);
        self.ask(at, phone, place)
    }

    fn ask(&mut self, at: f64, phone: String, place: Place) -> u64 {
        let device = self.dice.weighted(device::PEOPLE);
        self.ask_as(at, phone, &caller(place, device), SEND)
    }

    fn ask_as(&mut self, at: f64, phone: String, caller: &Caller, path: &'static str) -> u64 {
        self.log.send(at, caller, &Typed { phone, region: None }, path)
    }

    /// Types the code of that send, with that probability.
    fn pretend(&mut self, at: f64, line: u64, probability: f64) {
        if self.dice.chance(probability) {
            let later = self.dice.between(10.0, 40.0);
            self.log.verify(at + later, line, true);
        }
    }
}

fn caller(place: Place, device: &'static Device) -> Caller {
    Caller { place, device, user: Cow::Borrowed("attacker") }
}

const HOUR: f64 = 3600.0;
const COLD_START: f64 = 0.5;

/// Countries with the highest prices, and what pumpers are known to prefer.
pub(super) const DEAR: &[&str] = &[
    "UZ", "LK", "PK", "ID", "MG", "TJ", "AZ", "IQ", "TN", "BD", "KG", "NP", "LB", "ET", "MM", "KH", "RW", "NG", "GH",
    "DZ", "EG", "AF", "JO", "LY", "ZM", "CI", "SD", "YE", "HT", "ML",
];
/// Countries with prices in between.
pub(super) const MIDDLING: &[&str] =
    &["KE", "SN", "GE", "AM", "BY", "UA", "AL", "MD", "BO", "GT", "HN", "EC", "MA", "OM", "QA", "KW", "TZ", "UG"];
