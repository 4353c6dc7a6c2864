//! Seven crowds that look like an attack and are none: nobody of them is blocked, and few are asked.
//!
//! Each is played in every setting: with typed codes seen or not, with the origins of clients known or not. Measured:
//! at most 4 of 1,200 are challenged in any of them, but in the launch of a dear country where no codes are seen, 92 of
//! 132 unless it is declared. The bounds leave room for a few.

use tollgate::attempt::Verdict;

use super::day::{Day, HOUR, MINUTE, Party, SECOND, Setting, Tally, Then};
use super::places::{Place, home_number, number_in, random_number};
use super::random::Random;

#[test]
fn a_bulk_sender_behind_one_gateway_is_not_refused() {
    let gateway = Place::gateway("192.0.2.1", "US");
    for setting in Setting::ALL {
        let mut day = Day::after(30, setting);
        let mut random = Random::new(11);
        for n in 0..300 {
            day.ask(30 * HOUR + n * 36 * SECOND, Party::Subject, gateway, &home_number(&mut random), mostly(n));
        }
        day.play_until(34 * HOUR);
        nobody_is_blocked_and_few_are_asked(&setting.to_string(), day.tally(Party::Subject), 6);
    }
}

#[test]
fn many_tenants_behind_one_nat_are_not_refused() {
    for setting in Setting::ALL {
        let mut day = Day::after(30, setting);
        let mut random = Random::new(12);
        for n in 0..400 {
            let place = Place::gateway("192.0.2.2", "US").with_any_software(&mut random);
            let at = 30 * HOUR + random.below(10 * HOUR);
            day.ask(at, Party::Subject, place, &home_number(&mut random), mostly(n));
        }
        day.play_until(41 * HOUR);
        nobody_is_blocked_and_few_are_asked(&setting.to_string(), day.tally(Party::Subject), 8);
    }
}

#[test]
fn an_app_that_retries_ten_times_in_seconds_is_not_refused() {
    for setting in Setting::ALL {
        let mut day = Day::after(30, setting);
        let mut random = Random::new(13);
        for n in 0..40 {
            let (place, phone) = (Place::home("US", &mut random), home_number(&mut random));
            for retry in 0..10 {
                let then = if retry < 9 { Then::Forgotten } else { Then::Typed };
                day.ask(30 * HOUR + n * 6 * MINUTE + retry * 2 * SECOND, Party::Subject, place, &phone, then);
            }
        }
        day.play_until(35 * HOUR);
        nobody_is_blocked_and_few_are_asked(&setting.to_string(), day.tally(Party::Subject), 8);
    }
}

#[test]
fn a_recovery_drill_of_known_customers_is_not_refused() {
    for setting in Setting::WITH_FEED {
        let mut day = Day::empty(setting);
        let mut random = Random::new(14);
        let staff: Vec<String> = (0..600).map(|_| random_number("+1312555", 4, &mut random)).collect();
        for phone in &staff {
            let place = Place::home("US", &mut random);
            day.ask(random.below(28 * HOUR), Party::Customer, place, phone, Then::Typed);
        }
        day.customers(0..48 * HOUR, 60);
        day.play_until(30 * HOUR);
        for (n, phone) in staff.iter().enumerate() {
            let ip = format!("198.51.100.{}", 1 + n % 3);
            let place = Place::gateway(&ip, "US").with_any_software(&mut random);
            day.ask(30 * HOUR + random.below(15 * MINUTE), Party::Subject, place, phone, mostly(n as u64));
        }
        day.play_until(32 * HOUR);
        nobody_is_blocked_and_few_are_asked(&setting.to_string(), day.tally(Party::Subject), 0);
    }
}

#[test]
fn an_outage_of_the_provider_accuses_nobody() {
    for setting in Setting::ALL {
        let mut day = Day::empty(setting);
        day.customers(0..48 * HOUR, 120);
        day.breaks_down(38 * HOUR..38 * HOUR + 25 * MINUTE);
        day.play_until(38 * HOUR);
        let before = day.tally(Party::Customer);
        day.play_until(40 * HOUR);
        let during = day.tally(Party::Customer).since(before);
        nobody_is_blocked_and_few_are_asked(&setting.to_string(), during, 6);
    }
}

#[test]
fn an_upstream_that_cannot_be_reached_accuses_nobody() {
    for setting in Setting::ALL {
        let mut day = Day::empty(setting);
        day.customers(0..48 * HOUR, 120);
        day.is_cut_off(38 * HOUR..38 * HOUR + 25 * MINUTE);
        day.play_until(38 * HOUR);
        let before = day.tally(Party::Customer);
        day.play_until(40 * HOUR);
        let during = day.tally(Party::Customer).since(before);
        nobody_is_blocked_and_few_are_asked(&setting.to_string(), during, 6);
    }
}

#[test]
fn a_new_company_whose_numbers_follow_one_another_is_not_refused() {
    for setting in Setting::ALL {
        let mut day = Day::after(30, setting);
        let mut random = Random::new(16);
        for n in 0..160 {
            let place = Place::gateway("203.0.113.7", "US").with_any_software(&mut random);
            let at = 30 * HOUR + random.below(30 * MINUTE);
            day.ask(at, Party::Subject, place, &format!("+1503555{:04}", 2000 + n), mostly(n));
        }
        day.play_until(32 * HOUR);
        nobody_is_blocked_and_few_are_asked(&setting.to_string(), day.tally(Party::Subject), 10);
    }
}

#[test]
fn a_launch_in_a_country_never_seen_is_not_refused() {
    // In a dear country it takes codes to tell a launch from an attack.
    let with_codes = [Setting::FULL, Setting { origin: false, ..Setting::FULL }];
    for (country, settings) in [("PL", &Setting::ALL[..]), ("BR", &Setting::ALL), ("ID", &with_codes)] {
        for setting in settings {
            let launched = launch(Day::empty(*setting), country);
            nobody_is_blocked_and_few_are_asked(&format!("{country}, {setting}"), launched, 6);
        }
    }
}

#[test]
fn a_launch_in_a_dear_country_without_codes_is_asked_unless_it_is_declared() {
    let setting = Setting { feed: false, ..Setting::FULL };
    let surprising = launch(Day::empty(setting), "ID");
    assert_eq!(surprising.n_blocked, 0, "{surprising}");
    let event = "[[expect]]\nname = \"launch\"\nuntil = \"2100-01-01T00:00:00Z\"\ncountries = [\"ID\"]\n";
    let declared = launch(Day::expecting(setting, event), "ID");
    // Measured: 92 of 132 challenged; declared, none.
    assert!(declared.n_challenged < surprising.n_challenged, "{declared}, {surprising}");
    nobody_is_blocked_and_few_are_asked("declared", declared, 3);
}

/// 120 people of a new country over six hours, after 30 hours of ordinary traffic.
fn launch(mut day: Day, country: &str) -> Tally {
    day.customers(0..48 * HOUR, 60);
    day.play_until(30 * HOUR);
    let mut random = Random::new(17);
    for n in 0..120 {
        let place = Place::home(country, &mut random);
        let at = 30 * HOUR + random.below(6 * HOUR);
        day.ask(at, Party::Subject, place, &number_in(country, &mut random), mostly(n));
    }
    day.play_until(37 * HOUR);
    day.tally(Party::Subject)
}

#[test]
fn an_ordinary_day_beside_an_attack_is_an_ordinary_day() {
    for setting in Setting::ALL {
        let mut day = Day::after(30, setting);
        day.attack(30 * HOUR, (1_000, 10 * SECOND), |_, random| {
            (Place::proxy(random), random_number("+998901234", 3, random))
        });
        day.play_until(34 * HOUR);
        nobody_is_blocked_and_few_are_asked(&setting.to_string(), day.tally(Party::Customer), 3);
        assert!(day.verdicts(Party::Attacker).contains(&Verdict::Block));
    }
}

/// Most people type their code, a few only after a second message, and one in twenty never does.
fn mostly(n: u64) -> Then {
    match n % 20 {
        7 => Then::Forgotten,
        11 | 17 => Then::Retried(1),
        _ => Then::Typed,
    }
}

#[track_caller]
fn nobody_is_blocked_and_few_are_asked(what: &str, tally: Tally, most_challenged: usize) {
    eprintln!("{what}: {tally}");
    assert_eq!(tally.n_blocked, 0, "{what}: {tally}");
    assert!(tally.n_challenged <= most_challenged, "{what}: {tally}");
}
