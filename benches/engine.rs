//! What one assessment and one reservation cost with a million numbers remembered, and what a key costs in memory.

#![expect(clippy::unwrap_used, reason = "a benchmark has no caller to tell")]
#![expect(clippy::print_stdout, reason = "memory is printed beside the timings")]

use std::hint::black_box;
use std::net::Ipv6Addr;

use criterion::{Criterion, criterion_group, criterion_main};
use tollgate::attempt::client::Client;
use tollgate::attempt::phone::{Number, Reader, ReaderKind};
use tollgate::attempt::{Attempt, Timestamp};
use tollgate::config::Config;
use tollgate::risk::{Destinations, Engine};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn assess(criterion: &mut Criterion) {
    let numbers = numbers();
    let engine = filled(&numbers);
    let mut group = criterion.benchmark_group("engine");
    let mut turn = 0;
    let mut next = |n_before: usize| {
        turn += 1;
        // A stride that is prime to the count visits all numbers in an order that no cache likes.
        attempt(&numbers, turn * 7_919 % n_before, turn as u64)
    };
    group.bench_function("assess/known number", |bencher| {
        bencher.iter(|| engine.assess(black_box(&next(N_NUMBERS))));
    });
    group.bench_function("preview/known number", |bencher| {
        bencher.iter(|| engine.preview(black_box(&next(N_NUMBERS))));
    });
    group.bench_function("reserve/known number", |bencher| {
        bencher.iter(|| engine.reserve(black_box(&[next(N_NUMBERS)])));
    });
    group.bench_function("assess and reserve", |bencher| {
        bencher.iter(|| {
            let attempt = next(N_NUMBERS);
            (engine.assess(black_box(&attempt)), engine.reserve(black_box(&[attempt])))
        });
    });
    group.finish();
}

/// An engine in which every number was asked for once, from a host of its own; prints what that costs.
fn filled(numbers: &[Number]) -> Engine {
    let text = "[state]\nnumbers = 2000000\nblocks = 4000000\nclients = 4000000\n";
    let config = Config::parse(text).unwrap();
    let engine = Engine::new(config.state, config.limits, Destinations::builtin().unwrap());
    let mut before = resident();
    for n in 0..N_NUMBERS {
        engine.assess(&attempt(numbers, n, 0));
    }
    before = report("assessed", &engine, &["numbers", "blocks", "clients"], before);
    for n in 0..N_NUMBERS {
        engine.reserve(&[attempt(numbers, n, 0)]).unwrap();
    }
    report("reserved", &engine, &["limit_numbers", "limit_clients", "limit_nets", "limit_ranges"], before);
    engine
}

fn report(what: &str, engine: &Engine, tables: &[&str], before: usize) -> usize {
    let now = resident();
    let tables: Vec<_> = engine.tables().into_iter().filter(|size| tables.contains(&size.table)).collect();
    let n_keys: usize = tables.iter().map(|size| size.n_keys).sum();
    let sizes: Vec<String> = tables.iter().map(|size| format!("{} {}", size.n_keys, size.table)).collect();
    println!(
        "{what}: {} bytes a key, {} a number ({})",
        now.saturating_sub(before) / n_keys.max(1),
        now.saturating_sub(before) / N_NUMBERS,
        sizes.join(", ")
    );
    now
}

fn attempt(numbers: &[Number], index: usize, seconds: u64) -> Attempt {
    // A network of its own for each, in the range for documentation that is large enough.
    let ip = Ipv6Addr::from_bits((0x3fff << 112) | ((index as u128) << 80));
    let at = Timestamp::from_millis(1_700_000_000_000 + seconds);
    Attempt { at, client: Some(Client::new(ip.into())), number: numbers[index] }
}

/// A million fictional numbers: the exchange 555 in a hundred area codes.
fn numbers() -> Vec<Number> {
    let reader = Reader::builtin(ReaderKind::Google).unwrap();
    let areas = (201..1000).filter(|area| reader.read(&format!("+1{area}5550100"), None).is_ok());
    let numbers = areas.take(100).flat_map(|area| (0..10_000).map(move |tail| format!("+1{area}555{tail:04}")));
    numbers.map(|text| reader.read(&text, None).unwrap()).collect()
}

/// Bytes in memory now, as the kernel counts them.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap() * 4096
}

const N_NUMBERS: usize = 1_000_000;

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = assess
}
criterion_main!(benches);
