//! All runs in a handful of figures.

use std::collections::BTreeMap;

use serde::Serialize;

use super::metrics::{Metrics, People};
use super::table::Run;

/// What all runs together come to. The figures about leaks are over runs with an attack.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Summary {
    pub(crate) runs: usize,
    pub(crate) attacks: usize,
    pub(crate) leaked_median: f64,
    pub(crate) leaked_mean: f64,
    pub(crate) percent_of_dollars: f64,
    pub(crate) never_contained: usize,
    pub(crate) over_20: usize,
    pub(crate) over_100: usize,
    /// The profile whose people are challenged most when nothing attacks, per mille of their sends.
    pub(crate) challenged_in_peace: Option<Worst>,
    pub(crate) challenged_under_attack: Option<Worst>,
    /// Of all people's sends.
    pub(crate) blocked_per_mille: f64,
    pub(crate) lost_per_mille: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Worst {
    pub(crate) profile: String,
    pub(crate) per_mille: f64,
}

// === impl Summary ===

impl Summary {
    pub(crate) fn of(runs: &[Run]) -> Self {
        let attacks: Vec<&Metrics> =
            runs.iter().map(|run| &run.metrics).filter(|one| 0 < one.attack.messages).collect();
        let leaked: Vec<f64> = attacks.iter().map(|metrics| metrics.attack.leaked).collect();
        let over = |limit: f64| leaked.iter().filter(|&&leaked| limit < leaked).count();
        let dollars = |of: fn(&Metrics) -> f64| attacks.iter().map(|metrics| of(metrics)).sum::<f64>();
        let asked = dollars(|metrics| metrics.attack.dollars_asked);
        let people = runs.iter().fold(People::default(), |sum, run| sum.plus(&run.metrics.people));
        Self {
            runs: runs.len(),
            attacks: attacks.len(),
            leaked_median: median(leaked.clone()),
            leaked_mean: leaked.iter().sum::<f64>() / leaked.len().max(1) as f64,
            percent_of_dollars: 100.0 * dollars(|metrics| metrics.attack.dollars_leaked) / asked.max(f64::MIN_POSITIVE),
            never_contained: attacks.iter().filter(|metrics| metrics.attack.contained_after.is_none()).count(),
            over_20: over(20.0),
            over_100: over(100.0),
            challenged_in_peace: Worst::of(runs.iter().filter(|run| run.metrics.attack.messages == 0)),
            challenged_under_attack: Worst::of(runs.iter().filter(|run| 0 < run.metrics.attack.messages)),
            blocked_per_mille: people.blocked_per_mille(),
            lost_per_mille: people.lost_per_mille(),
        }
    }
}

// === impl Worst ===

impl Worst {
    /// Runs of one profile count together, so that a small company's single unlucky customer does not decide.
    fn of<'a>(runs: impl Iterator<Item = &'a Run>) -> Option<Self> {
        let mut profiles: BTreeMap<&str, People> = BTreeMap::new();
        for run in runs {
            let people = profiles.entry(&run.profile).or_default();
            *people = people.plus(&run.metrics.people);
        }
        let shares = profiles.iter().map(|(profile, people)| (profile, people.challenged_per_mille()));
        let (profile, per_mille) = shares.max_by(|(_, one), (_, other)| one.total_cmp(other))?;
        Some(Self { profile: (*profile).to_owned(), per_mille })
    }
}

/// The middle one, or the mean of the two in the middle; zero of none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    if n == 0 { 0.0 } else { f64::midpoint(values[(n - 1) / 2], values[n / 2]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::metrics::Attack;

    fn run(profile: &str, messages: u64, leaked: f64, challenged: u64) -> Run {
        let attack =
            Attack { messages, leaked, dollars_asked: messages as f64, dollars_leaked: leaked, ..Attack::default() };
        let people = People { sends: 1000, challenged, ..People::default() };
        Run { profile: profile.to_owned(), scenario: "x".to_owned(), seed: 1, metrics: Metrics { attack, people } }
    }

    #[test]
    fn peace_and_attack_are_told_apart() {
        let runs = [
            run("a", 0, 0.0, 1),
            run("b", 0, 0.0, 3),
            run("a", 100, 30.0, 9),
            run("b", 100, 1.0, 5),
            run("b", 100, 2.0, 6),
        ];
        let summary = Summary::of(&runs);
        assert_eq!((summary.runs, summary.attacks, summary.over_20, summary.over_100), (5, 3, 1, 0));
        assert_eq!((summary.leaked_median, summary.leaked_mean, summary.percent_of_dollars), (2.0, 11.0, 11.0));
        let worst = |profile: &str, per_mille| Some(Worst { profile: profile.to_owned(), per_mille });
        assert_eq!(summary.challenged_in_peace, worst("b", 3.0));
        assert_eq!(summary.challenged_under_attack, worst("a", 9.0));
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_two() {
        assert_eq!([median(vec![]), median(vec![3.0]), median(vec![9.0, 1.0])], [0.0, 3.0, 5.0]);
    }
}
