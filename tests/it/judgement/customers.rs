//! What single customers do that looks odd, and ordinary days: nobody is refused for it.

use tollgate::attempt::Verdict;

use super::day::{Day, HOUR, MINUTE, Party, SECOND, Setting, Then};
use super::places::{Place, VISITORS, home_number, number_in};
use super::random::Random;

#[test]
fn ordinary_days_are_hardly_ever_asked_and_never_blocked() {
    for setting in Setting::ALL {
        let mut day = Day::empty(setting);
        day.customers(0..48 * HOUR, 120);
        day.play_until(48 * HOUR);
        let tally = day.tally(Party::Customer);
        eprintln!("{setting}: {tally}");
        assert_eq!(tally.n_blocked, 0, "{setting}: {tally}");
        assert!(tally.n_challenged * 1000 <= tally.n_asked, "{setting}: {tally}");
    }
}

#[test]
fn a_burst_after_a_campaign_in_the_home_market_is_not_refused() {
    for setting in Setting::ALL {
        let mut day = Day::after(30, setting);
        day.customers(30 * HOUR..31 * HOUR, 900);
        day.play_until(32 * HOUR);
        let tally = day.tally(Party::Customer);
        eprintln!("{setting}: {tally}");
        assert_eq!((tally.n_blocked, tally.n_challenged), (0, 0), "{setting}: {tally}");
    }
}

#[test]
fn resends_of_one_person_are_not_refused() {
    let verdicts = one_person(&["+12255550100"; 4], 40 * SECOND);
    assert_eq!(verdicts, [Verdict::Allow; 4]);
}

#[test]
fn typos_of_one_person_are_not_refused() {
    let verdicts = one_person(&["+12255550110", "+12255550111", "+12255550101", "+12255551101"], 40 * SECOND);
    assert_eq!(verdicts, [Verdict::Allow; 4]);
}

#[test]
fn the_same_number_again_and_again_meets_its_limit() {
    let mut day = Day::after(30, Setting::FULL);
    day.attack(30 * HOUR, (60, 30 * SECOND), |_, random| (Place::home("US", random), "+12245550100".to_owned()));
    day.play_until(31 * HOUR);
    let tally = day.tally(Party::Attacker);
    assert!(tally.n_sent <= 30, "fifteen in ten minutes and thirty in a day: {tally}");
}

#[test]
fn a_single_visitor_from_a_dear_country_is_not_refused() {
    for setting in Setting::ALL {
        let mut day = Day::after(30, setting);
        let place = Place::home("UZ", &mut Random::new(31));
        day.ask(30 * HOUR, Party::Subject, place, "+998912345678", Then::Typed);
        day.play_until(31 * HOUR);
        assert_eq!(day.verdicts(Party::Subject), [Verdict::Allow], "{setting}");
    }
}

#[test]
fn a_few_visitors_from_as_many_countries_are_not_refused() {
    for setting in Setting::ALL {
        let mut day = Day::after(30, setting);
        let mut random = Random::new(32);
        for (n, country) in VISITORS.into_iter().enumerate() {
            let (place, phone) = (Place::home(country, &mut random), number_in(country, &mut random));
            day.ask(30 * HOUR + n as u64 * 5 * MINUTE, Party::Subject, place, &phone, Then::Typed);
        }
        day.play_until(31 * HOUR);
        assert_eq!(day.verdicts(Party::Subject), [Verdict::Allow; VISITORS.len()], "{setting}");
    }
}

#[test]
fn a_customer_who_typed_a_code_is_not_refused_in_the_middle_of_an_attack_on_his_block() {
    let mut day = Day::after(30, Setting::FULL);
    let place = Place::home("UZ", &mut Random::new(33));
    day.ask(30 * HOUR, Party::Subject, place, "+998912345678", Then::Typed);
    day.attack(31 * HOUR, (40, 20 * SECOND), |n, random| (Place::proxy(random), format!("+99891234{:04}", 5600 + n)));
    day.ask(31 * HOUR + 15 * MINUTE, Party::Subject, place, "+998912345678", Then::Typed);
    day.play_until(32 * HOUR);
    assert_eq!(day.verdicts(Party::Subject), [Verdict::Allow; 2]);
}

#[test]
fn an_office_of_ten_behind_one_address_is_not_refused() {
    for setting in Setting::ALL {
        let mut day = Day::after(30, setting);
        let mut random = Random::new(34);
        for n in 0..10 {
            let office = Place::gateway("192.0.2.11", "US").with_any_software(&mut random);
            day.ask(30 * HOUR + n * 400 * SECOND, Party::Subject, office, &home_number(&mut random), Then::Typed);
        }
        day.play_until(32 * HOUR);
        assert_eq!(day.verdicts(Party::Subject), [Verdict::Allow; 10], "{setting}");
    }
}

#[test]
fn the_same_trace_gives_the_same_verdicts() {
    let play = || {
        let mut day = Day::after(24, Setting::FULL);
        day.attack(24 * HOUR, (300, 30 * SECOND), |_, random| (Place::proxy(random), number_in("UZ", random)));
        day.play_until(30 * HOUR);
        (day.verdicts(Party::Customer), day.verdicts(Party::Attacker))
    };
    assert!(play() == play());
}

/// What one person is told who asks for one number after the other and types no code.
fn one_person(phones: &[&str], every: u64) -> Vec<Verdict> {
    let mut day = Day::after(30, Setting::FULL);
    let place = Place::home("US", &mut Random::new(35));
    for (n, phone) in phones.iter().enumerate() {
        day.ask(30 * HOUR + n as u64 * every, Party::Subject, place, phone, Then::Forgotten);
    }
    day.play_until(31 * HOUR);
    day.verdicts(Party::Subject)
}
