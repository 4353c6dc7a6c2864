//! Attacks where typed codes are not seen: clean traffic has to teach, and yet no attack teaches itself normal.

use super::day::{Day, HOUR, Party, SECOND, Setting};
use super::places::{Place, random_number};

#[test]
fn a_range_is_stopped_where_codes_are_not_seen() {
    // Measured: 1 and 2 of 500.
    for (setting, most_sent) in without_feed([5, 8]) {
        let mut day = Day::after(30, setting);
        attack_a_range(&mut day, 30 * HOUR);
        leaks_at_most(day, setting, most_sent);
    }
}

#[test]
fn a_range_is_stopped_on_the_first_day_where_codes_are_not_seen() {
    // Measured: 1 and 2 of 500.
    for (setting, most_sent) in without_feed([5, 8]) {
        let mut day = Day::empty(setting);
        day.customers(8 * HOUR..16 * HOUR, 60);
        attack_a_range(&mut day, 9 * HOUR);
        leaks_at_most(day, setting, most_sent);
    }
}

#[test]
fn a_range_is_stopped_where_nobody_else_ever_came() {
    // Measured: 2 and 4 of 500.
    for (setting, most_sent) in without_feed([5, 8]) {
        let mut day = Day::empty(setting);
        attack_a_range(&mut day, HOUR);
        leaks_at_most(day, setting, most_sent);
    }
}

fn attack_a_range(day: &mut Day, at: u64) {
    day.attack(at, (500, 60 * SECOND), |_, random| (Place::proxy(random), random_number("+99890123", 4, random)));
}

/// Without typed codes: with origins and without, and a bound for each.
fn without_feed(bounds: [usize; 2]) -> [(Setting, usize); 2] {
    let [with, without] = bounds;
    [(Setting { feed: false, origin: true }, with), (Setting { feed: false, origin: false }, without)]
}

#[track_caller]
fn leaks_at_most(mut day: Day, setting: Setting, most_sent: usize) {
    day.play_until(48 * HOUR);
    let attack = day.tally(Party::Attacker);
    eprintln!("{setting}: {attack}");
    assert!(attack.n_sent <= most_sent, "{setting}: {attack}");
}
