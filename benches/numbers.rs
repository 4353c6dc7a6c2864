//! What reading one number costs, and what making a reader costs.

#![expect(clippy::unwrap_used, reason = "a benchmark has no caller to tell")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tollgate::attempt::phone::{Reader, ReaderKind, Region};

fn numbers(criterion: &mut Criterion) {
    let reader = Reader::builtin(ReaderKind::Google).unwrap();
    let region: Region = "GB".parse().unwrap();
    for (name, text, region) in [
        ("north america", "+12015550123", None),
        ("uzbekistan", "+998912345678", None),
        ("separators", "+1 (201) 555-0123", None),
        ("unassigned", "+15550100123", None),
        ("left to the library", "+78001234567", None),
        ("national", "07400 123456", Some(region)),
        ("refused", "+44 (0) 7400 123456", None),
    ] {
        criterion.bench_function(&format!("read/{name}"), |bencher| {
            bencher.iter(|| reader.read(black_box(text), region));
        });
    }
    let second = Reader::builtin(ReaderKind::Phonenumber).unwrap();
    criterion.bench_function("read/phonenumber crate", |bencher| {
        bencher.iter(|| second.read(black_box("+12015550123"), None));
    });
}

fn start(criterion: &mut Criterion) {
    criterion.bench_function("start", |bencher| bencher.iter(|| Reader::builtin(ReaderKind::Google)));
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = numbers, start
}
criterion_main!(benches);
