//! Memory that strangers fill has a bottom: ten times as many as there is room for, and the next attack is still seen.

use std::sync::LazyLock;

use tollgate::app::{Judge, Materials};
use tollgate::attempt::client::Client;
use tollgate::attempt::phone::{Reader, ReaderKind};
use tollgate::attempt::{Attempt, Timestamp, Verdict};
use tollgate::config::Config;
use tollgate::risk::{Event, Evidence, Fact};

static READER: LazyLock<Reader> = LazyLock::new(|| Reader::builtin(ReaderKind::Google).unwrap());

/// Keys of each kind that the engine may remember.
const CAPACITY: usize = 400;

#[test]
fn ten_times_its_capacity_leaves_every_table_within_it() {
    let judge = flooded();
    for size in judge.engine.tables() {
        assert!(size.n_keys <= size.capacity, "{size:?}");
        // Sends wait a quarter of an hour at most, and their room is fixed.
        assert!(size.capacity <= CAPACITY || size.table == "open_sends", "{size:?}");
    }
}

#[test]
fn a_flood_fills_the_tables_it_aims_at() {
    let judge = flooded();
    let is_full = |table| judge.engine.tables().iter().any(|size| size.table == table && size.n_keys == size.capacity);
    assert!(is_full("sources") && is_full("numbers"), "{:?}", judge.engine.tables());
}

#[test]
fn an_attack_on_one_block_is_still_stopped_after_a_flood() {
    let judge = flooded();
    let verdicts: Vec<Verdict> = (0..60)
        .map(|n| {
            let at = FLOOD_END + 90_000 + 2_000 * n;
            decide(&judge, &attempt(at, &format!("+99891234{:04}", 5000 + 7 * n), 9_000 + n))
        })
        .collect();
    assert!(n_passed(&verdicts) <= 8, "{verdicts:?}");
}

#[test]
fn an_attack_on_one_block_is_stopped_in_the_middle_of_a_flood() {
    let judge = flooded();
    let mut verdicts = Vec::new();
    for n in 0..400 {
        let at = FLOOD_END + 100 * n;
        decide(&judge, &attempt(at, &stranger(100_000 + n as usize), 50_000 + n));
        if n % 10 == 0 {
            verdicts.push(decide(&judge, &attempt(at, &format!("+99891234{:04}", 1000 + 3 * n), 90_000 + n)));
        }
    }
    assert!(n_passed(&verdicts) <= 8, "{verdicts:?}");
}

#[test]
fn a_customer_who_typed_a_code_is_remembered_through_a_flood() {
    let judge = judge();
    let customer = attempt(START, "+13105550100", 1);
    decide(&judge, &customer);
    judge.engine.fold(&Event::Verified { at: Timestamp::from_millis(START), number: customer.number });
    flood(&judge);
    let assessment = judge.engine.assess(&attempt(FLOOD_END, "+13105550100", 1));
    let is_known = |evidence: &Evidence| matches!(evidence.fact, Fact::VerifiedBefore);
    assert!(assessment.evidence.iter().any(is_known), "{assessment:?}");
}

fn judge() -> Judge {
    let text = format!("[state]\nnumbers = {CAPACITY}\nblocks = {CAPACITY}\nclients = {CAPACITY}\n");
    let config = Config::parse(&text).unwrap();
    Materials::load(&config).unwrap().into_judge(&config)
}

fn flooded() -> Judge {
    let judge = judge();
    flood(&judge);
    judge
}

/// A stranger every 50 milliseconds, each with a number, blocks, a host and a network of his own.
fn flood(judge: &Judge) {
    for n in 0..10 * CAPACITY {
        // Full tables refuse; that they do is the point.
        decide(judge, &attempt(START + 50 * n as u64, &stranger(n), n as u64));
    }
}

fn decide(judge: &Judge, attempt: &Attempt) -> Verdict {
    judge.engine.maintain(attempt.at);
    judge.policy.decide(&judge.engine, &[*attempt]).verdict
}

fn n_passed(verdicts: &[Verdict]) -> usize {
    verdicts.iter().filter(|verdict| **verdict == Verdict::Allow).count()
}

fn attempt(at: u64, phone: &str, host: u64) -> Attempt {
    let ip = std::net::Ipv6Addr::from_bits((0x2001_0db8 << 96) | (u128::from(host) << 64));
    Attempt::new(Timestamp::from_millis(at), READER.read(phone, None).unwrap()).from(Client::new(ip.into()))
}

/// Spread over area codes, so that each is in blocks of its own as far as there are any.
fn stranger(n: usize) -> String {
    let area = crate::harness::AREAS[n % crate::harness::AREAS.len()];
    format!("+1{area}555{:04}", n * 37 % 10_000)
}

const START: u64 = 1_700_000_000_000;
const FLOOD_END: u64 = START + 50 * 10 * CAPACITY as u64;
