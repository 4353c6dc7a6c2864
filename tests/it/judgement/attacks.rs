//! Attacks, and how many messages each gets before it is stopped. Origins are known, as a real attack would have them.

use tollgate::attempt::Verdict;

use super::day::{Day, HOUR, MINUTE, Party, SECOND, Setting, Tally, Then};
use super::places::{DEAR, Place, home_number, number_in, random_number};
use super::random::Random;

#[test]
fn a_single_server_gets_a_handful() {
    let server = Place::server("192.0.2.66");
    let mut day = Day::after(30, Setting::FULL);
    day.attack(30 * HOUR, (1_000, 10 * SECOND), |_, random| (server, number_in("UZ", random)));
    // Measured: none to two of 1,000.
    leaks_at_most(day, 2);
}

#[test]
fn a_single_server_at_home_prices_gets_a_handful() {
    let server = Place::server("192.0.2.67");
    let mut day = Day::after(30, Setting::FULL);
    day.attack(30 * HOUR, (1_000, 10 * SECOND), |_, random| (server, home_number(random)));
    // Measured: 2 of 1,000.
    leaks_at_most(day, 5);
}

#[test]
fn a_range_asked_for_from_homes_gets_a_handful() {
    let mut day = Day::after(30, Setting::FULL);
    day.attack(30 * HOUR, (1_000, 15 * SECOND), |_, random| {
        (Place::proxy(random), random_number("+99890123", 4, random))
    });
    // Measured: 1 of 1,000.
    leaks_at_most(day, 3);
}

#[test]
fn a_range_asked_for_from_its_own_country_gets_a_handful() {
    let mut day = Day::after(30, Setting::FULL);
    day.attack(30 * HOUR, (1_000, 15 * SECOND), |_, random| {
        (Place::home("UZ", random), random_number("+99890123", 4, random))
    });
    // Measured: 2 of 1,000.
    leaks_at_most(day, 8);
}

#[test]
fn a_walk_through_one_block_gets_a_handful() {
    let mut day = Day::after(30, Setting::FULL);
    day.attack(30 * HOUR, (500, 30 * SECOND), |n, random| (Place::proxy(random), format!("+998901234{n:03}")));
    // Measured: 1 of 500.
    leaks_at_most(day, 3);
}

#[test]
fn many_ranges_get_less_than_a_message_each() {
    let mut day = Day::after(30, Setting::FULL);
    day.attack(30 * HOUR, (1_200, 12 * SECOND), |n, random| {
        let country = DEAR[n as usize % 10];
        let range = &number_in(country, &mut Random::new(n % 40))[..8];
        (Place::proxy(random), format!("{range}{}", &number_in(country, random)[8..]))
    });
    // Measured: 4 of 1,200 for 40 ranges: what they share is blamed.
    leaks_at_most(day, 10);
}

#[test]
fn resends_to_few_numbers_meet_score_and_limit() {
    let mut day = Day::after(30, Setting::FULL);
    let mut random = Random::new(24);
    let numbers: Vec<String> = (0..10).map(|_| number_in("UZ", &mut random)).collect();
    day.attack(30 * HOUR, (1_000, 40 * SECOND), |n, random| (Place::proxy(random), numbers[n as usize % 10].clone()));
    // Measured: 3 of 1,000.
    leaks_at_most(day, 10);
}

#[test]
fn a_trickle_over_dear_countries_is_bounded_by_the_number_of_countries() {
    let mut day = Day::after(24, Setting::FULL);
    day.attack(24 * HOUR, (130, 10 * MINUTE), |n, random| {
        (Place::proxy(random), number_in(DEAR[n as usize % DEAR.len()], random))
    });
    // Measured: 14 of 130.
    leaks_at_most(day, DEAR.len() + 5);
}

#[test]
fn conversions_of_half_the_codes_buy_little() {
    let mut day = Day::after(30, Setting::FULL);
    let mut random = Random::new(26);
    for n in 0..600 {
        let then = if n % 2 == 0 { Then::Typed } else { Then::Forgotten };
        let phone = random_number("+99890123", 4, &mut random);
        day.ask(30 * HOUR + n * 30 * SECOND, Party::Attacker, Place::proxy(&mut random), &phone, then);
    }
    // Measured: 2 of 600.
    leaks_at_most(day, 10);
}

#[test]
fn conversions_from_the_right_country_buy_a_budget() {
    let mut day = Day::after(30, Setting::FULL);
    let mut random = Random::new(27);
    for n in 0..1_000 {
        let then = if n % 10 < 8 { Then::Typed } else { Then::Forgotten };
        let (place, phone) = (Place::home("UZ", &mut random), random_number("+99890123", 4, &mut random));
        day.ask(30 * HOUR + n * 30 * SECOND, Party::Attacker, place, &phone, then);
    }
    // Measured: 19 of 1,000.
    leaks_at_most(day, 40);
}

#[test]
fn a_slow_ramp_teaches_itself_little() {
    let mut day = Day::after(12, Setting::FULL);
    let mut random = Random::new(28);
    // Twelve hours of a few typed codes, then as many messages as it can get.
    for n in 0..36 {
        let (place, phone) = (Place::proxy(&mut random), number_in("UZ", &mut random));
        day.ask(12 * HOUR + n * 20 * MINUTE, Party::Subject, place, &phone, Then::Typed);
    }
    day.attack(24 * HOUR, (1_500, 20 * SECOND), |_, random| (Place::proxy(random), number_in("UZ", random)));
    // Measured: 1 of 1,500.
    leaks_at_most(day, 5);
}

#[test]
fn low_and_slow_is_stopped_within_the_day() {
    let mut day = Day::after(12, Setting::FULL);
    day.attack(12 * HOUR, (72, 30 * MINUTE), |_, random| (Place::proxy(random), random_number("+99890123", 4, random)));
    // Measured: 1 of 72.
    leaks_at_most(day, 5);
}

#[test]
fn a_range_of_the_home_market_gets_a_few_and_few_of_its_neighbours_are_refused() {
    let mut day = Day::after(30, Setting::FULL);
    // One customer in forty is in the range as well, and the proxies are in the customers' networks.
    day.attack(30 * HOUR, (1_000, 15 * SECOND), |_, random| {
        (Place::home("US", random), random_number("+1201555", 4, random))
    });
    // Measured: 22 of 1,000; of 1,533 customers 13 are challenged and 3 blocked: strangers in the very thousand that is
    // under attack, where hardly anybody typed a code.
    let customers = leaks_at_most(day, 30);
    assert!(customers.n_blocked <= 3, "customers: {customers}");
    assert!(customers.n_challenged <= 20, "customers: {customers}");
}

#[test]
fn a_range_of_the_home_market_where_nobody_lives_gets_a_handful() {
    let mut day = Day::after(30, Setting::FULL);
    day.attack(30 * HOUR, (1_000, 15 * SECOND), |_, random| {
        (Place::home("US", random), random_number("+1503555", 4, random))
    });
    // Measured: 7 of 1,000, and no customer is asked.
    let customers = leaks_at_most(day, 10);
    assert_eq!((customers.n_blocked, customers.n_challenged), (0, 0), "customers: {customers}");
}

#[test]
fn a_range_of_a_country_where_a_few_customers_are_gets_a_handful() {
    let mut day = Day::after(30, Setting::FULL);
    day.attack(30 * HOUR, (1_000, 15 * SECOND), |_, random| {
        (Place::proxy(random), random_number("+44740012", 4, random))
    });
    // Measured: 3 of 1,000, and no customer is asked.
    let customers = leaks_at_most(day, 10);
    assert_eq!(customers.n_blocked, 0, "customers: {customers}");
    assert!(customers.n_challenged <= 8, "customers: {customers}");
}

#[test]
fn an_attack_that_went_on_for_an_hour_is_still_blocked() {
    let mut day = Day::after(30, Setting::FULL);
    day.attack(30 * HOUR, (1_000, 5 * SECOND), |_, random| {
        (Place::proxy(random), random_number("+99890123", 4, random))
    });
    day.play_until(32 * HOUR);
    let late = day.verdicts(Party::Attacker).split_off(200);
    let n_allowed = late.iter().filter(|verdict| **verdict == Verdict::Allow).count();
    assert_eq!(n_allowed, 0, "of {}", late.len());
}

#[test]
fn an_attack_on_the_first_day_is_stopped_where_codes_are_seen() {
    let mut day = Day::empty(Setting::FULL);
    day.customers(8 * HOUR..16 * HOUR, 60);
    day.attack(9 * HOUR, (500, 30 * SECOND), |_, random| (Place::proxy(random), random_number("+99890123", 4, random)));
    // Measured: 1 of 500.
    leaks_at_most(day, 5);
}

#[test]
fn premium_rate_numbers_are_blocked_from_the_first() {
    let mut day = Day::empty(Setting::FULL);
    for phone in ["+19002345678", "+449012345678", "+499001234567", "+33891123456"] {
        day.ask(HOUR, Party::Attacker, Place::gateway("192.0.2.1", "US"), phone, Then::Forgotten);
    }
    day.play_until(2 * HOUR);
    assert_eq!(day.verdicts(Party::Attacker), [Verdict::Block; 4]);
}

#[test]
fn satellite_numbers_get_a_handful() {
    let mut day = Day::after(30, Setting::FULL);
    day.attack(30 * HOUR, (60, 30 * SECOND), |_, random| (Place::proxy(random), random_number("+88216", 6, random)));
    // Measured: 1 of 60.
    leaks_at_most(day, 3);
}

/// Plays the day to its end; returns what became of the customers.
#[track_caller]
fn leaks_at_most(mut day: Day, most_sent: usize) -> Tally {
    day.play_until(48 * HOUR);
    let (attack, customers) = (day.tally(Party::Attacker), day.tally(Party::Customer));
    eprintln!("attack: {attack}; customers: {customers}");
    assert!(attack.n_sent <= most_sent, "{attack}");
    customers
}
