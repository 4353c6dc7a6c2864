//! What looking up an operator, a hosting network, an imported number and an address costs, and reading the tables.
//!
//! Addresses need a database in MaxMind's format: name one in `GEO_MMDB`, or they are left out.

#![expect(clippy::unwrap_used, reason = "a benchmark has no caller to tell")]

use std::hint::black_box;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use criterion::{Criterion, criterion_group, criterion_main};
use tollgate::attempt::origin::Asn;
use tollgate::attempt::phone::{Number, Reader, ReaderKind};
use tollgate::geo::{Geo, GeoConfig};
use tollgate::risk::{Carriers, Hosting, Verified};

fn lookups(criterion: &mut Criterion) {
    let numbers = numbers();
    let mut turn = 0;
    let mut next = move || {
        turn += 1;
        numbers[turn % numbers.len()]
    };
    let carriers = Carriers::builtin().unwrap();
    criterion.bench_function("carriers/all countries", |bencher| {
        bencher.iter(|| carriers.find(black_box(next())).prefix);
    });
    let hosting = Hosting::builtin().unwrap();
    let asn = Asn::new(20_473).unwrap();
    criterion.bench_function("hosting", |bencher| bencher.iter(|| hosting.contains(black_box(asn))));
    let verified = imported();
    criterion.bench_function("verified/a million numbers", |bencher| {
        bencher.iter(|| verified.contains(black_box(next()), || [0; 8]));
    });
    if let Some(path) = std::env::var_os("GEO_MMDB") {
        let geo = Geo::load(&GeoConfig { country: Some(path.into()), ..GeoConfig::default() }).unwrap();
        let mut address = 1_u32;
        criterion.bench_function("geo/random addresses", |bencher| {
            bencher.iter(|| {
                address = address.wrapping_mul(0x9e37_79b1).wrapping_add(0x7f4a_7c15);
                geo.lookup(IpAddr::V4(Ipv4Addr::from_bits(black_box(address))))
            });
        });
    }
}

fn start(criterion: &mut Criterion) {
    criterion.bench_function("carriers/start", |bencher| bencher.iter(Carriers::builtin));
    criterion.bench_function("hosting/start", |bencher| bencher.iter(Hosting::builtin));
    criterion.bench_function("verified/start, a million numbers", |bencher| bencher.iter(imported));
}

/// Some thousand numbers of all countries.
fn numbers() -> Vec<Number> {
    let reader = Reader::builtin(ReaderKind::Google).unwrap();
    let table = include_str!("../tests/testdata/numbers.csv");
    table.lines().filter_map(|line| reader.read(line.split(',').nth(2)?, None).ok()).collect()
}

/// A million imported numbers.
fn imported() -> Verified {
    let reader = Reader::builtin(ReaderKind::Google).unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let rows: String = (0..1_000_000).map(|n| format!("+1201{:07}\n", 2_000_000 + n * 7)).collect();
    file.write_all(rows.as_bytes()).unwrap();
    Verified::load(file.path(), &reader, |_| Err::<[u8; 8], _>("no pseudonym")).unwrap()
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = lookups, start
}
criterion_main!(benches);
