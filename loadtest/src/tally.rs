//! What became of the requests of one class: statuses, faults and latencies.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::histogram::Histogram;

/// Counts for one class of traffic.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Sent without an answer: faults of the connection and requests that took too long.
    pub(crate) n_errors: u64,
    /// Due, but no connection was free for them before the run had to end.
    pub(crate) n_unsent: u64,
    pub(crate) latency: Histogram,
}

// === impl Tally ===

impl Tally {
    pub(crate) fn new() -> Self {
        Self { statuses: BTreeMap::new(), n_errors: 0, n_unsent: 0, latency: Histogram::new() }
    }

    pub(crate) fn answered(&mut self, status: u16, latency: Duration) {
        *self.statuses.entry(status).or_insert(0) += 1;
        self.latency.record(latency);
    }

    pub(crate) fn n_sent(&self) -> u64 {
        self.statuses.values().sum::<u64>() + self.n_errors
    }

    /// Answers with a status of `lo..=hi`.
    pub(crate) fn n_between(&self, lo: u16, hi: u16) -> u64 {
        self.statuses.range(lo..=hi).map(|(_, n)| n).sum()
    }

    pub(crate) fn n_passed(&self) -> u64 {
        self.n_between(200, 299)
    }

    /// Answers that are neither 2xx nor one of tollgate's refusals.
    pub(crate) fn n_other(&self) -> u64 {
        let refused: u64 = [403, 422, 429].iter().map(|&status| self.n_between(status, status)).sum();
        self.n_between(0, 999) - self.n_passed() - refused
    }

    pub(crate) fn json(&self, seconds: f64) -> Value {
        let statuses: serde_json::Map<_, _> =
            self.statuses.iter().map(|(status, n)| (status.to_string(), json!(n))).collect();
        json!({
            "sent": self.n_sent(),
            "2xx": self.n_passed(),
            "statuses": statuses,
            "errors": self.n_errors,
            "unsent": self.n_unsent,
            "per_second": self.latency.n_recorded() as f64 / seconds.max(1e-9),
            "latency_us": quantiles_json(&self.latency),
        })
    }
}

/// The quantiles of a report, in microseconds.
pub(crate) fn quantiles(histogram: &Histogram) -> [(&'static str, f64); 5] {
    let at = |per_mille| microseconds(histogram.quantile(per_mille));
    [
        ("p50", at(500)),
        ("p90", at(900)),
        ("p99", at(990)),
        ("p99.9", at(999)),
        ("max", microseconds(histogram.largest())),
    ]
}

pub(crate) fn quantiles_json(histogram: &Histogram) -> Value {
    quantiles(histogram)
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn microseconds(duration: Duration) -> f64 {
    (duration.as_nanos() / 100) as f64 / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_counted_in_exactly_one_column() {
        let mut tally = Tally::new();
        for status in [200, 201, 403, 422, 429, 429, 500, 404] {
            tally.answered(status, Duration::from_micros(10));
        }
        tally.n_errors = 3;
        assert_eq!((tally.n_sent(), tally.n_passed(), tally.n_other()), (11, 2, 2));
        assert_eq!(tally.json(1.0)["statuses"]["429"], 2);
    }
}
