//! Memory that strangers fill has a bottom: ten times as many as there is room for, and the next attack is still seen.

use std::sync::LazyLock;

use tollgate::attempt::client::Client;
use tollgate::attempt::phone::{Reader, ReaderKind};
use tollgate::attempt::{Attempt, Timestamp};
use tollgate::config::Config;
use tollgate::risk::{Destinations, Engine, Event};

static READER: LazyLock<Reader> = LazyLock::new(|| Reader::builtin(ReaderKind::Google).unwrap());

/// Keys of each kind that the engine may remember.
const CAPACITY: usize = 400;

#[test]
fn ten_times_its_capacity_leaves_every_table_within_it() {
    let engine = flooded();
    for size in engine.tables() {
        assert!(size.n_keys <= size.capacity, "{size:?}");
        assert!(size.capacity <= CAPACITY, "{size:?}");
    }
}

#[test]
fn a_flood_fills_the_tables_it_aims_at() {
    let engine = flooded();
    let n_full = engine.tables().iter().filter(|size| size.capacity * 8 / 10 <= size.n_keys).count();
    assert!(3 <= n_full, "{:?}", engine.tables());
}

#[test]
fn an_attack_on_one_block_is_still_stopped_after_a_flood() {
    let engine = flooded();
    let scores: Vec<u8> = (0..60)
        .map(|n| {
            let at = FLOOD_END + 90_000 + 2_000 * n;
            engine.maintain(Timestamp::from_millis(at));
            engine.assess(&attempt(at, &format!("+99891234{:04}", 5000 + 7 * n), 9_000 + n)).score.get()
        })
        .collect();
    let n_passed = scores.iter().filter(|score| **score < 50).count();
    assert!(n_passed <= 8, "{scores:?}");
}

#[test]
fn an_attack_on_one_block_is_stopped_in_the_middle_of_a_flood() {
    let engine = flooded();
    let mut scores = Vec::new();
    for n in 0..400 {
        let at = FLOOD_END + 100 * n;
        engine.maintain(Timestamp::from_millis(at));
        engine.assess(&attempt(at, &stranger(100_000 + n as usize), 50_000 + n));
        if n % 10 == 0 {
            scores.push(engine.assess(&attempt(at, &format!("+99891234{:04}", 1000 + 3 * n), 90_000 + n)).score.get());
        }
    }
    let n_passed = scores.iter().filter(|score| **score < 50).count();
    assert!(n_passed <= 8, "{scores:?}");
}

#[test]
fn a_customer_who_typed_a_code_is_remembered_through_a_flood() {
    let engine = engine();
    let customer = attempt(START, "+13105550100", 1);
    engine.assess(&customer);
    engine.fold(&Event::Verified { at: Timestamp::from_millis(START), number: customer.number, client: None });
    flood(&engine);
    let stranger = engine.preview(&attempt(FLOOD_END, "+13105550150", 2)).score;
    let customer = engine.preview(&attempt(FLOOD_END, "+13105550100", 1)).score;
    assert!(customer < stranger, "{customer:?} of a customer, {stranger:?} of a stranger");
}

fn engine() -> Engine {
    let text = format!("[state]\nnumbers = {CAPACITY}\nblocks = {CAPACITY}\nclients = {CAPACITY}\n");
    let config = Config::parse(&text).unwrap();
    Engine::new(config.state, config.limits, Destinations::builtin().unwrap())
}

fn flooded() -> Engine {
    let engine = engine();
    flood(&engine);
    engine
}

/// A stranger every 50 milliseconds, each with a number, blocks, a host and a network of his own.
fn flood(engine: &Engine) {
    for n in 0..10 * CAPACITY {
        let at = START + 50 * n as u64;
        engine.maintain(Timestamp::from_millis(at));
        let attempt = attempt(at, &stranger(n), n as u64);
        engine.assess(&attempt);
        // Full tables refuse; that they do is the point.
        let _refused = engine.reserve(&[attempt]);
    }
}

fn attempt(at: u64, phone: &str, host: u64) -> Attempt {
    let ip = std::net::Ipv6Addr::from_bits((0x2001_0db8 << 96) | (u128::from(host) << 64));
    let (at, client) = (Timestamp::from_millis(at), Some(Client::new(ip.into())));
    Attempt { at, client, number: READER.read(phone, None).unwrap() }
}

/// Spread over area codes, so that each is in blocks of its own as far as there are any.
fn stranger(n: usize) -> String {
    let area = crate::harness::AREAS[n % crate::harness::AREAS.len()];
    format!("+1{area}555{:04}", n * 37 % 10_000)
}

const START: u64 = 1_700_000_000_000;
const FLOOD_END: u64 = START + 50 * 10 * CAPACITY as u64;
