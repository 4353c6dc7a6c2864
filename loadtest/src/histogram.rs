//! Latencies in constant memory: a log-linear histogram in the manner of HdrHistogram.
//!
//! Every power of two of nanoseconds is cut into 128 equal steps, so a quantile is at most 0.8 % above the value that
//! was recorded. The largest value is kept exactly.

use std::time::Duration;

/// Counts of durations from 1 ns to [`LONGEST`]; 36 KiB, whatever it holds.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    n_recorded: u64,
    largest: u64,
}

// === impl Histogram ===

impl Histogram {
    pub(crate) fn new() -> Self {
        Self { counts: vec![0; index(LONGEST) + 1], n_recorded: 0, largest: 0 }
    }

    /// Counts one duration; what is longer than [`LONGEST`] counts as that.
    pub(crate) fn record(&mut self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX).min(LONGEST);
        if let Some(count) = self.counts.get_mut(index(nanoseconds)) {
            *count += 1;
        }
        self.n_recorded += 1;
        self.largest = self.largest.max(nanoseconds);
    }

    pub(crate) fn n_recorded(&self) -> u64 {
        self.n_recorded
    }

    pub(crate) fn largest(&self) -> Duration {
        Duration::from_nanos(self.largest)
    }

    /// The least value that `per_mille` thousandths of the recorded ones do not exceed; zero if there are none.
    pub(crate) fn quantile(&self, per_mille: u64) -> Duration {
        let wanted = (self.n_recorded * per_mille).div_ceil(1000).max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if wanted <= seen {
                return Duration::from_nanos(upper_edge(index).min(self.largest));
            }
        }
        self.largest()
    }
}

/// Values below `2 * STEPS` have a cell each; above, the leading eight bits choose the cell.
fn index(nanoseconds: u64) -> usize {
    let power = u64::from(nanoseconds.max(1).ilog2()).saturating_sub(u64::from(STEP_BITS));
    let cell = power * STEPS + (nanoseconds >> power);
    usize::try_from(cell).unwrap_or(usize::MAX)
}

fn upper_edge(index: usize) -> u64 {
    let index = index as u64;
    let power = (index / STEPS).saturating_sub(1);
    let leading = index - power * STEPS;
    ((leading + 1) << power) - 1
}

const STEP_BITS: u32 = 7;
const STEPS: u64 = 1 << STEP_BITS;

/// Ten minutes, the longest a run may take.
const LONGEST: u64 = 600 * 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_its_cell_and_within_one_percent_of_its_edge() {
        let mut value = 1;
        while value < LONGEST {
            let edge = upper_edge(index(value));
            assert!(value <= edge && edge <= value + value / 128, "{value} {edge}");
            value += 1 + value / 97;
        }
    }

    #[test]
    fn cells_are_in_order_and_leave_no_gap() {
        for cell in 0..index(LONGEST) {
            assert_eq!(index(upper_edge(cell)), cell);
            assert_eq!(index(upper_edge(cell) + 1), cell + 1);
        }
    }

    #[test]
    fn quantiles_of_an_even_spread_are_where_they_should_be() {
        let mut histogram = Histogram::new();
        (1..=1000).for_each(|microseconds| histogram.record(Duration::from_micros(microseconds)));
        for per_mille in [500, 900, 990, 999] {
            let found = histogram.quantile(per_mille).as_nanos() as f64;
            let exact = per_mille as f64 * 1000.0;
            assert!(exact <= found && found <= exact * 1.008, "{per_mille}: {found}");
        }
    }

    #[test]
    fn the_largest_is_exact_and_no_quantile_exceeds_it() {
        let mut histogram = Histogram::new();
        histogram.record(Duration::from_nanos(1_234_567));
        assert_eq!(histogram.largest(), Duration::from_nanos(1_234_567));
        assert_eq!(histogram.quantile(999), histogram.largest());
    }

    #[test]
    fn an_empty_histogram_answers_zero() {
        assert_eq!(Histogram::new().quantile(500), Duration::ZERO);
    }

    #[test]
    fn a_value_beyond_the_end_counts_as_the_longest() {
        let mut histogram = Histogram::new();
        histogram.record(Duration::from_secs(86_400));
        assert_eq!(histogram.largest(), Duration::from_nanos(LONGEST));
        assert_eq!(histogram.n_recorded(), 1);
    }
}
