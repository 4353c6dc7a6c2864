//! When requests are due: a Poisson process per class for the open loop, "now" for the closed one.
//!
//! The sum of two Poisson processes is one, so a single stream is drawn and each arrival's class is chosen by weight.

use std::time::Duration;

use fastrand::Rng;

use crate::traffic::Class;

/// Requests per second of each class; in the closed loop only their proportion counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    pub(crate) legitimate: f64,
    pub(crate) attack: f64,
}

/// How the next request comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// At its time, whether or not earlier ones have been answered.
    Open,
    /// As soon as a connection is free.
    Closed,
}

/// The times of all requests of a run, in order. Ends by itself, after a time or a count.
#[derive(Debug)]
pub(crate) struct Arrivals {
    rng: Rng,
    rates: Rates,
    pace: Pace,
    at: f64,
    seconds: f64,
    n_left: u64,
}

/// One request that is to be made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Arrival {
    /// Since the start of the run; none in the closed loop.
    pub(crate) due: Option<Duration>,
    pub(crate) class: Class,
}

// === impl Arrivals ===

impl Arrivals {
    pub(crate) fn new(seed: u64, rates: Rates, pace: Pace, seconds: f64, n_most: u64) -> Self {
        // Not the traffic's seed itself: times and contents must not be correlated.
        let rng = Rng::with_seed(seed ^ 0x5DEE_CE66_D1CE_4E5B);
        Self { rng, rates, pace, at: 0.0, seconds, n_left: n_most }
    }

    /// The next arrival, if there is one; `elapsed` ends the closed loop.
    pub(crate) fn next(&mut self, elapsed: Duration) -> Option<Arrival> {
        let total = self.rates.legitimate + self.rates.attack;
        if self.n_left == 0 || total <= 0.0 {
            return None;
        }
        self.at = match self.pace {
            Pace::Open => self.at - (1.0 - self.rng.f64()).ln() / total,
            Pace::Closed => elapsed.as_secs_f64(),
        };
        if self.seconds < self.at {
            self.n_left = 0;
            return None;
        }
        self.n_left -= 1;
        let attacks = self.rng.f64() * total < self.rates.attack;
        Some(Arrival {
            due: (self.pace == Pace::Open).then(|| Duration::from_secs_f64(self.at)),
            class: if attacks { Class::Attack } else { Class::Legitimate },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(rates: Rates, seconds: f64, n_most: u64) -> Vec<Arrival> {
        let mut arrivals = Arrivals::new(3, rates, Pace::Open, seconds, n_most);
        std::iter::from_fn(|| arrivals.next(Duration::ZERO)).collect()
    }

    #[test]
    fn the_open_loop_keeps_its_rates_and_its_order() {
        let arrivals = drawn(Rates { legitimate: 300.0, attack: 100.0 }, 50.0, u64::MAX);
        let n_attacks = arrivals.iter().filter(|arrival| arrival.class == Class::Attack).count();
        assert!((19_500..20_500).contains(&arrivals.len()), "{}", arrivals.len());
        assert!((4_750..5_250).contains(&n_attacks), "{n_attacks}");
        assert!(arrivals.windows(2).all(|pair| pair[0].due <= pair[1].due));
    }

    #[test]
    fn gaps_are_as_uneven_as_those_of_a_poisson_process() {
        let arrivals = drawn(Rates { legitimate: 1000.0, attack: 0.0 }, 20.0, u64::MAX);
        let gaps: Vec<f64> =
            arrivals.windows(2).map(|pair| (pair[1].due.unwrap() - pair[0].due.unwrap()).as_secs_f64()).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let deviation = (gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64).sqrt();
        assert!((0.93..1.07).contains(&(deviation / mean)), "{}", deviation / mean);
    }

    #[test]
    fn a_run_ends_by_count_or_by_time() {
        assert_eq!(drawn(Rates { legitimate: 1e6, attack: 0.0 }, 600.0, 10).len(), 10);
        let mut closed = Arrivals::new(1, Rates { legitimate: 1.0, attack: 0.0 }, Pace::Closed, 1.0, 10);
        assert!(closed.next(Duration::from_millis(999)).is_some());
        assert!(closed.next(Duration::from_millis(1001)).is_none());
        assert!(closed.next(Duration::ZERO).is_none(), "it stays over");
    }

    #[test]
    fn no_rate_means_no_request() {
        assert!(drawn(Rates { legitimate: 0.0, attack: 0.0 }, 1.0, 10).is_empty());
    }
}
