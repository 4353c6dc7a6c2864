//! What holds for all traffic, and the shape of each attack; and what tests of other modules share.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::LazyLock;

use clap::ValueEnum;

use super::*;

static SIMULATOR: LazyLock<Simulator> = LazyLock::new(|| Simulator::new().unwrap());

/// Made once, since it takes long to make without optimization.
pub(crate) fn numbers() -> &'static Numbers {
    &SIMULATOR.numbers
}

/// An event that differs from others in nothing else.
pub(crate) fn event(ts: f64, kind: Kind, label: Label, user: &'static str, phone: &str) -> Event {
    let seen = Seen {
        line: 1,
        ts,
        kind,
        client_ip: [192, 0, 2, 7].into(),
        phone: phone.to_owned(),
        region: None,
        path: event::SEND.into(),
        user_agent: "".into(),
        ja4: "".into(),
        asn: None,
        ip_country: None,
        success: (kind == Kind::Verify).then_some(true),
        send_line: None,
    };
    Event { seen, label, user_id: user.into() }
}

fn startup(seed: u64) -> Setting {
    Setting { profile: Profile::Startup, seed, hours: 24.0, habits: Habits::Usual }
}

fn events(setting: Setting, scenario: Scenario) -> Vec<Event> {
    SIMULATOR.with_attack(setting, &SIMULATOR.people(setting), scenario)
}

/// The attack's sends on the start-up, in the order of time.
fn sends(scenario: Scenario) -> Vec<Seen> {
    let events = events(startup(1), scenario).into_iter();
    let sends = events.filter(|event| event.label == Label::Attack && event.seen.kind == Kind::Send);
    sends.map(|event| event.seen).collect()
}

fn distinct<T: Eq + std::hash::Hash>(values: impl IntoIterator<Item = T>) -> usize {
    values.into_iter().collect::<HashSet<_>>().len()
}

fn country(seen: &Seen) -> String {
    numbers().read(&seen.phone, None).unwrap().country().to_string()
}

/// Everything but the last four digits.
fn block(seen: &Seen) -> &str {
    &seen.phone[..seen.phone.len() - 4]
}

/// The share of an attack's sends whose code is typed.
fn typed(scenario: Scenario) -> f64 {
    let events = events(startup(1), scenario);
    let of = |kind| events.iter().filter(|event| event.label == Label::Attack && event.seen.kind == kind).count();
    of(Kind::Verify) as f64 / of(Kind::Send) as f64
}

#[test]
fn the_same_seed_gives_the_same_lines_and_another_one_does_not() {
    let lines = |seed| {
        let mut out = Vec::new();
        write_lines(&events(startup(seed), Scenario::Phased), &mut out).unwrap();
        out
    };
    assert_eq!(lines(1), lines(1));
    assert_ne!(lines(1), lines(2));
}

#[test]
fn people_do_the_same_in_every_scenario() {
    let people = |scenario| -> Vec<Event> {
        let legit = events(startup(3), scenario).into_iter().filter(|event| event.label == Label::Legit);
        let without_lines = legit.map(|mut event| {
            (event.seen.line, event.seen.send_line) = (0, None);
            event
        });
        without_lines.collect()
    };
    let undisturbed = people(Scenario::None);
    for &scenario in Scenario::value_variants() {
        assert_eq!(people(scenario), undisturbed, "{scenario:?}");
    }
}

#[test]
fn every_number_can_be_read() {
    for &profile in Profile::ALL {
        let setting = Setting { profile, seed: 1, hours: 3.0, habits: Habits::Usual };
        for event in events(setting, Scenario::Voice) {
            let Seen { phone, region, .. } = &event.seen;
            assert!(numbers().read(phone, region.as_deref()).is_some(), "{phone} {region:?}");
        }
    }
}

#[test]
fn every_country_of_the_tables_has_numbers() {
    let markets = Profile::ALL.iter().flat_map(|profile| profile.traits().markets.iter().map(|(country, _)| *country));
    let mut dice = Dice::new(1, &[]);
    for iso in markets.chain(attack::DEAR.iter().copied()).chain(attack::MIDDLING.iter().copied()).chain(["PE"]) {
        let phone = numbers().mobile(iso, &mut dice);
        assert_eq!(numbers().read(&phone, None).unwrap().country().to_string(), iso);
    }
}

#[test]
fn lines_count_from_one_and_a_verify_follows_its_send() {
    let events = events(startup(2), Scenario::FakeCodes);
    for (event, line) in events.iter().zip(1..) {
        assert_eq!(event.seen.line, line);
        let Kind::Verify = event.seen.kind else { continue };
        let send = &events[event.seen.send_line.unwrap() as usize - 1];
        assert_eq!((send.seen.kind, &send.seen.phone, &send.user_id), (Kind::Send, &event.seen.phone, &event.user_id));
        assert!(send.seen.ts <= event.seen.ts && send.seen.line < line);
    }
    assert!(events.windows(2).all(|pair| pair[0].seen.ts <= pair[1].seen.ts));
}

#[test]
fn people_type_most_of_their_codes() {
    let setting = Setting { profile: Profile::HkBank, seed: 1, hours: 6.0, habits: Habits::Usual };
    let events = events(setting, Scenario::None);
    let sends = events.iter().filter(|event| event.seen.kind == Kind::Send).count();
    let right = events.iter().filter(|event| event.seen.success == Some(true)).count();
    assert!((0.70..0.85).contains(&(right as f64 / sends as f64)), "{right} of {sends}");
}

#[test]
fn hard_people_type_fewer_codes_and_roam_more() {
    let of = |habits| {
        let setting = Setting { profile: Profile::HkBank, seed: 1, hours: 6.0, habits };
        let events = events(setting, Scenario::None);
        let n_right = events.iter().filter(|event| event.seen.success == Some(true)).count();
        let n_abroad = events.iter().filter(|event| event.seen.ip_country.as_deref() != Some("HK")).count();
        (n_right as f64 / events.len() as f64, n_abroad as f64 / events.len() as f64)
    };
    let (usual, hard) = (of(Habits::Usual), of(Habits::Hard));
    assert!(hard.0 < usual.0 && usual.1 < hard.1, "{usual:?} {hard:?}");
}

#[test]
fn people_come_from_all_kinds_of_networks() {
    let setting = Setting { profile: Profile::UsConsumer, seed: 1, hours: 2.0, habits: Habits::Usual };
    let events = events(setting, Scenario::None);
    let users =
        |holds: fn(&Event) -> bool| distinct(events.iter().filter(|event| holds(event)).map(|event| &event.user_id));
    let n_people = users(|_| true);
    assert!(n_people / 10 < users(|event| event.seen.client_ip.is_ipv6()));
    assert!(n_people / 3 < users(|event| event.seen.region.is_some()));
    let mut guests: HashMap<IpAddr, HashSet<&str>> = HashMap::new();
    for event in &events {
        guests.entry(event.seen.client_ip).or_default().insert(&event.user_id);
    }
    assert!(guests.values().any(|users| 2 < users.len()), "carriers put several people behind one address");
}

#[test]
fn a_company_s_staff_have_consecutive_numbers_behind_one_address() {
    let setting = Setting { profile: Profile::B2bSaas, seed: 1, hours: 36.0, habits: Habits::Usual };
    let events = events(setting, Scenario::None);
    let mut offices: HashMap<IpAddr, HashSet<u64>> = HashMap::new();
    for event in events.iter().filter(|event| event.seen.ip_country.as_deref() == Some("GB")) {
        let number = numbers().read(&event.seen.phone, event.seen.region.as_deref()).unwrap();
        offices.entry(event.seen.client_ip).or_default().insert(number.digits());
    }
    let has_staff = |staff: &HashSet<u64>| staff.iter().filter(|digits| staff.contains(&(*digits + 1))).count();
    assert!(offices.values().map(has_staff).max().unwrap() > 100);
}

#[test]
fn only_peace_has_no_attack() {
    for &scenario in Scenario::value_variants() {
        assert_eq!(sends(scenario).is_empty(), scenario == Scenario::None, "{scenario:?}");
    }
}

#[test]
fn one_server_walks_through_one_block() {
    let sends = sends(Scenario::OneServer);
    assert_eq!(distinct(sends.iter().map(|seen| seen.client_ip)), 1);
    let digits = |seen: &Seen| seen.phone[1..].parse::<u64>().unwrap();
    assert!(sends.windows(2).all(|pair| digits(&pair[0]) + 1 == digits(&pair[1])));
}

#[test]
fn fleets_have_as_many_servers_as_they_say() {
    assert_eq!(distinct(sends(Scenario::FortyServers).iter().map(|seen| seen.client_ip)), 40);
    assert_eq!(distinct(sends(Scenario::ServerFleet).iter().map(|seen| seen.client_ip)), 300);
}

#[test]
fn a_residential_attack_has_one_block_and_many_homes() {
    for scenario in [Scenario::ResidentialBlock, Scenario::MatchingBlock, Scenario::ColdStart] {
        let sends = sends(scenario);
        assert_eq!(distinct(sends.iter().map(block)), 1);
        assert!(sends.len() * 9 / 10 < distinct(sends.iter().map(|seen| seen.client_ip)));
    }
}

#[test]
fn an_ipv6_server_has_one_network_and_a_new_subscriber_for_every_message() {
    let sends = sends(Scenario::Ipv6Hopping);
    let nets = |n_bits: u32| {
        distinct(sends.iter().map(|seen| match seen.client_ip {
            IpAddr::V6(ip) => ip.to_bits() >> (128 - n_bits),
            IpAddr::V4(ip) => panic!("{ip}"),
        }))
    };
    assert_eq!(nets(48), 1);
    assert!(sends.len() * 9 / 10 < nets(64));
}

#[test]
fn where_it_matches_the_homes_are_in_the_numbers_country() {
    for scenario in [Scenario::MatchingBlock, Scenario::FakeCodesMatching, Scenario::FakeCodesWide, Scenario::DayCurve]
    {
        let sends = sends(scenario);
        assert!(sends.iter().all(|seen| seen.ip_country.as_deref() == Some(country(seen).as_str())), "{scenario:?}");
    }
}

#[test]
fn mobile_proxies_share_the_addresses_of_people_at_home() {
    let sends = sends(Scenario::MobileProxies);
    assert!(sends.iter().all(|seen| seen.ip_country.as_deref() == Some("DE")));
    assert!(distinct(sends.iter().map(|seen| seen.client_ip)) < 50);
}

#[test]
fn range_hopping_changes_its_block_every_eight_messages() {
    let sends = sends(Scenario::RangeHopping);
    assert!(sends.chunks(8).all(|few| distinct(few.iter().map(block)) == 1));
    assert!(sends.len() / 8 * 9 / 10 < distinct(sends.iter().map(block)));
}

#[test]
fn many_ranges_are_tested_hours_before() {
    let sends = sends(Scenario::ManyRanges);
    assert_eq!(distinct(sends.iter().map(block)), 40);
    assert!(3600.0 < sends[40].ts - sends[39].ts);
}

#[test]
fn bursts_are_short() {
    let burst = sends(Scenario::Burst);
    assert!(1000 < burst.len() && burst[burst.len() - 1].ts - burst[0].ts <= 90.0);
    assert!(distinct(burst.iter().map(block)) <= 12);
    let repeated = sends(Scenario::RepeatedBursts);
    assert_eq!(distinct(repeated.iter().map(block)) * 60, repeated.len());
}

#[test]
fn patient_attacks_are_slow() {
    for (scenario, per_hour) in [(Scenario::LowAndSlow, 20.0), (Scenario::Trickle, 30.0)] {
        let n_expected = per_hour * 24.0 * 0.33;
        let n_sends = sends(scenario).len() as f64;
        assert!((n_expected * 0.7..n_expected * 1.3).contains(&n_sends), "{scenario:?} {n_sends}");
    }
    assert!(10 < distinct(sends(Scenario::Trickle).iter().map(country)));
    let ramp = sends(Scenario::SlowRamp);
    let middle = f64::midpoint(ramp[0].ts, ramp[ramp.len() - 1].ts);
    let n_early = ramp.iter().filter(|seen| seen.ts < middle).count();
    assert!(n_early * 2 < ramp.len());
}

#[test]
fn numbers_are_asked_for_again_and_again_where_that_is_the_attack() {
    assert_eq!(distinct(sends(Scenario::NumberReuse).into_iter().map(|seen| seen.phone)), 60);
    let resends = sends(Scenario::ResendAbuse);
    let n_first = resends.iter().filter(|seen| seen.path == event::SEND).count();
    assert!((8.0..9.1).contains(&(resends.len() as f64 / n_first as f64)));
}

#[test]
fn voice_goes_to_satellites_and_personal_numbers_too() {
    let sends = sends(Scenario::Voice);
    assert!(sends.iter().all(Seen::is_voice));
    for prefix in ["+8816", "+88213", "+4470"] {
        assert!(sends.iter().any(|seen| seen.phone.starts_with(prefix)), "{prefix}");
    }
}

#[test]
fn codes_are_typed_as_often_as_the_scenario_says() {
    assert!((0.41..0.49).contains(&typed(Scenario::FakeCodes)));
    assert!((0.41..0.49).contains(&typed(Scenario::FakeCodesMatching)));
    assert!((0.66..0.74).contains(&typed(Scenario::FakeCodesWide)));
    assert_eq!(typed(Scenario::ResidentialBlock), 0.0);
}

#[test]
fn a_warm_up_types_every_code_in_the_block_that_is_pumped_later() {
    let setting = Setting { hours: 72.0, ..startup(1) };
    let events: Vec<Event> =
        events(setting, Scenario::WarmUp).into_iter().filter(|event| event.label == Label::Attack).collect();
    assert_eq!(distinct(events.iter().map(|event| block(&event.seen))), 1);
    let typed: HashSet<u64> = events.iter().filter_map(|event| event.seen.send_line).collect();
    assert!((30..=48).contains(&typed.len()));
    assert!(
        events
            .iter()
            .filter(|event| event.seen.kind == Kind::Send)
            .take(typed.len())
            .all(|event| typed.contains(&event.seen.line))
    );
}

#[test]
fn the_home_range_is_at_home_and_the_served_market_is_served() {
    assert!(sends(Scenario::HomeRange).iter().all(|seen| country(seen) == "DE"));
    let markets: Vec<_> = Profile::Startup.traits().markets.iter().map(|(country, _)| *country).collect();
    assert!(sends(Scenario::ServedMarket).iter().all(|seen| markets.contains(&country(seen).as_str())));
}

#[test]
fn an_attack_in_phases_changes_country_and_network() {
    let setting = Setting { hours: 72.0, ..startup(1) };
    let events = events(setting, Scenario::Phased);
    let attack: Vec<_> = events.iter().filter(|event| event.label == Label::Attack).collect();
    let sends: Vec<_> = attack.iter().filter(|event| event.seen.kind == Kind::Send).map(|event| &event.seen).collect();
    assert_eq!(sends.len(), 6 * 400);
    assert!(3 <= distinct(sends.iter().map(|seen| country(seen))));
    let n_typed = attack.len() - sends.len();
    assert!((250..400).contains(&n_typed), "{n_typed}");
}
