//! Chance that can be repeated: the same seed and the same name give the same draws.

use fastrand::Rng;

/// One stream of draws.
#[derive(Debug)]
pub(crate) struct Dice(Rng);

// === impl Dice ===

impl Dice {
    /// A stream of its own for every seed and name, so that a draw more in one place changes nothing in another.
    pub(crate) fn new(seed: u64, name: &[&str]) -> Self {
        Self(Rng::with_seed(mixed(seed ^ hash(name))))
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.0.f64() < probability
    }

    /// Evenly from `lo` to below `hi`.
    pub(crate) fn between(&mut self, lo: f64, hi: f64) -> f64 {
        lo + (hi - lo) * self.0.f64()
    }

    /// A whole number below `n`, which must not be zero.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0.usize(..n)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// The gap to the next event of a Poisson process.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.0.f64()).ln()
    }

    /// A positive quantity with a long tail; `spread` is the deviation of its logarithm.
    pub(crate) fn lognormal(&mut self, median: f64, spread: f64) -> f64 {
        let radius = (-2.0 * (1.0 - self.0.f64()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.0.f64()).cos();
        median * (spread * normal).exp()
    }

    /// One of `choices`, which must not be empty.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.0.usize(..choices.len())]
    }

    /// One of `choices`, which must not be empty, by weight.
    pub(crate) fn weighted<T: Copy>(&mut self, choices: &[(T, f64)]) -> T {
        let mut left = self.0.f64() * choices.iter().map(|(_, weight)| weight).sum::<f64>();
        for &(choice, weight) in choices {
            left -= weight;
            if left < 0.0 {
                return choice;
            }
        }
        choices[choices.len() - 1].0
    }

    /// The times of a Poisson process with `per_second`, `n` of them at most, from `from` to before `end`.
    pub(crate) fn arrivals(&mut self, n: usize, per_second: f64, from: f64, end: f64) -> Vec<f64> {
        let mut at = from;
        let mut next = || {
            at += self.exponential(1.0 / per_second);
            at
        };
        std::iter::repeat_with(&mut next).take(n).take_while(|&at| at < end).collect()
    }

    /// `n` times in order, evenly spread from `from` to `end`.
    pub(crate) fn spread(&mut self, n: usize, from: f64, end: f64) -> Vec<f64> {
        let mut times: Vec<f64> = (0..n).map(|_| self.between(from, end)).collect();
        times.sort_by(f64::total_cmp);
        times
    }
}

/// A share from 0 to below 1 that belongs to `n` and never changes.
pub(crate) fn share_of(n: u64) -> f64 {
    (mixed(n) >> 11) as f64 / (1_u64 << 53) as f64
}

/// FNV-1a over all parts, ends of parts included, then mixed.
pub(crate) fn hash(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0xFF]));
    mixed(bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)))
}

/// The finalizer of SplitMix64.
pub(crate) fn mixed(n: u64) -> u64 {
    let n = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ (n >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_repeats_and_another_one_does_not() {
        let draws = |seed, name| {
            let mut dice = Dice::new(seed, &[name]);
            (0..8).map(|_| dice.bits()).collect::<Vec<_>>()
        };
        assert_eq!(draws(1, "people"), draws(1, "people"));
        assert_ne!(draws(1, "people"), draws(1, "attack"));
        assert_ne!(draws(1, "people"), draws(2, "people"));
    }

    #[test]
    fn weights_are_kept() {
        let mut dice = Dice::new(7, &[]);
        let n_heavy = (0..10_000).filter(|_| dice.weighted(&[("heavy", 3.0), ("light", 1.0)]) == "heavy").count();
        assert!((7_300..7_700).contains(&n_heavy), "{n_heavy}");
    }

    #[test]
    fn arrivals_come_in_order_at_their_rate_and_end() {
        let times = Dice::new(3, &[]).arrivals(5_000, 0.5, 100.0, 2_100.0);
        assert!((900..1_100).contains(&times.len()), "{}", times.len());
        assert!(times.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!(times.iter().all(|at| (100.0..2_100.0).contains(at)));
    }

    #[test]
    fn half_of_a_lognormal_lies_below_its_median() {
        let mut dice = Dice::new(5, &[]);
        let n_below = (0..10_000).filter(|_| dice.lognormal(14.0, 0.65) < 14.0).count();
        assert!((4_800..5_200).contains(&n_below), "{n_below}");
    }

    #[test]
    fn shares_are_even() {
        let n_low = (0..100_000).filter(|&n| share_of(n) < 0.03).count();
        assert!((2_800..3_200).contains(&n_low), "{n_low}");
    }
}
