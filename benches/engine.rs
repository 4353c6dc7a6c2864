//! What one assessment and one decision cost with a million nodes remembered, and what an entry costs in memory.
//!
//! The means of criterion hide the tail that a request feels, so each is also timed call by call.

#![expect(clippy::unwrap_used, reason = "a benchmark has no caller to tell")]
#![expect(clippy::print_stdout, reason = "percentiles and memory are printed beside the timings")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures the real clock")]

use std::hint::black_box;
use std::net::Ipv6Addr;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use tollgate::app::{Judge, Materials};
use tollgate::attempt::agent::Agent;
use tollgate::attempt::client::Client;
use tollgate::attempt::origin::{Asn, Origin};
use tollgate::attempt::phone::{Number, Reader};
use tollgate::attempt::{Attempt, Timestamp, Verdict};
use tollgate::config::Config;
use tollgate::risk::Event;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Traffic that goes on: every call a customer of a number, a host and a network of his own, 20 ms after the last.
struct Traffic {
    judge: Judge,
    numbers: Vec<Number>,
    n_asked: usize,
}

fn engine(criterion: &mut Criterion) {
    let mut traffic = Traffic::filled();
    traffic.percentiles("assess", |traffic, attempt| {
        black_box(traffic.judge.engine.assess(attempt));
    });
    traffic.percentiles("decide", |traffic, attempt| {
        black_box(traffic.judge.policy.decide(&traffic.judge.engine, &[*attempt]));
    });
    let mut group = criterion.benchmark_group("engine");
    group.bench_function("assess", |bencher| {
        bencher.iter(|| {
            let attempt = traffic.next();
            traffic.judge.engine.assess(black_box(&attempt))
        });
    });
    group.bench_function("decide", |bencher| {
        bencher.iter(|| {
            let attempt = traffic.next();
            traffic.judge.policy.decide(&traffic.judge.engine, black_box(&[attempt]))
        });
    });
    group.finish();
}

// === impl Traffic ===

impl Traffic {
    /// An engine with a million live nodes, of which four in five typed their code; prints what they cost.
    fn filled() -> Self {
        let text = "[state]\nnumbers = 2000000\nblocks = 4000000\nclients = 4000000\n";
        let config = Config::parse(text).unwrap();
        let judge = Materials::load(&config).unwrap().into_judge(&config);
        let numbers = numbers(&judge.reader);
        let mut traffic = Self { judge, numbers, n_asked: 0 };
        let before = resident();
        while traffic.n_nodes() < N_NODES {
            for _ in 0..10_000 {
                let attempt = traffic.next();
                let decision = traffic.judge.policy.decide(&traffic.judge.engine, &[attempt]);
                if decision.verdict == Verdict::Allow && !traffic.n_asked.is_multiple_of(5) {
                    traffic.judge.engine.fold(&Event::Verified { at: attempt.at, number: attempt.number });
                }
            }
        }
        traffic.report(resident().saturating_sub(before));
        traffic
    }

    fn next(&mut self) -> Attempt {
        let n = self.n_asked;
        self.n_asked += 1;
        // A stride that is prime to the count visits all numbers in an order that no cache likes.
        let number = self.numbers[n * 7_919 % self.numbers.len()];
        // Four hosts to a network, in the range for documentation that is large enough.
        let ip = Ipv6Addr::from_bits((0x3fff << 112) | ((n as u128 / 4) << 80) | ((n as u128 % 4) << 64));
        let agent = Some(Agent::of([[(n % 50) as u8].as_slice()]));
        let origin = Origin { asn: Asn::new(64_496 + n as u32 % 200), country: "US".parse().ok() };
        let at = Timestamp::from_millis(1_700_000_000_000 + 20 * n as u64);
        Attempt { agent, origin, ..Attempt::new(at, number).from(Client::new(ip.into())) }
    }

    /// Times so many calls one by one and prints how long they took.
    fn percentiles(&mut self, what: &str, call: impl Fn(&Self, &Attempt)) {
        let attempts: Vec<Attempt> = (0..N_CALLS).map(|_| self.next()).collect();
        let mut elapsed: Vec<Duration> = attempts
            .iter()
            .map(|attempt| {
                let start = Instant::now();
                call(self, attempt);
                start.elapsed()
            })
            .collect();
        elapsed.sort_unstable();
        let at = |per_mille: usize| elapsed[(elapsed.len() - 1) * per_mille / 1000];
        println!("{what}: median {:?}, p99 {:?}, p99.9 {:?} of {N_CALLS} calls", at(500), at(990), at(999));
    }

    fn n_nodes(&self) -> usize {
        let tables = self.judge.engine.tables();
        tables.iter().filter(|size| matches!(size.table, "prefixes" | "sources")).map(|size| size.n_keys).sum()
    }

    fn report(&self, n_bytes: usize) {
        let tables = self.judge.engine.tables();
        let n_keys: usize = tables.iter().map(|size| size.n_keys).sum();
        let sizes: Vec<String> = tables.iter().map(|size| format!("{} {}", size.n_keys, size.table)).collect();
        println!("{} nodes: {} bytes an entry ({})", self.n_nodes(), n_bytes / n_keys.max(1), sizes.join(", "));
    }
}

/// A million fictional numbers: the exchange 555 in a hundred area codes.
fn numbers(reader: &Reader) -> Vec<Number> {
    let areas = (201..1000).filter(|area| reader.read(&format!("+1{area}5550100"), None).is_ok());
    let numbers = areas.take(100).flat_map(|area| (0..10_000).map(move |tail| format!("+1{area}555{tail:04}")));
    numbers.map(|text| reader.read(&text, None).unwrap()).collect()
}

/// Bytes in memory now, as the kernel counts them.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap() * 4096
}

/// Prefixes and sources together.
const N_NODES: usize = 1_000_000;

const N_CALLS: usize = 200_000;

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = engine
}
criterion_main!(benches);
