//! A finished run as tables for people or as JSON for programs.

use std::fmt;

use serde_json::{Value, json};

use super::session::Outcome;
use crate::judge::Run;
use crate::report::write_counts;
use crate::tally::quantiles_json;

/// A finished run.
#[derive(Debug)]
pub(crate) struct Report {
    pub(super) run: Run,
    pub(super) outcome: Outcome,
    pub(super) arrived: Arrived,
    pub(super) speed: u32,
}

/// Sends that reached the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrived {
    pub(super) n_legitimate: u64,
    pub(super) n_attack: u64,
}

// === impl Report ===

impl Report {
    /// Whether the application saw exactly the sends that were answered with 2xx.
    pub(super) fn agrees(&self) -> bool {
        let Outcome { legitimate, attack, .. } = &self.outcome;
        self.arrived == Arrived { n_legitimate: legitimate.n_passed(), n_attack: attack.n_passed() }
    }

    pub(crate) fn json(&self) -> Value {
        let outcome = &self.outcome;
        let seconds = outcome.elapsed.as_secs_f64();
        json!({
            "run": self.run,
            "seconds": seconds,
            "speed": self.speed,
            "legitimate": outcome.legitimate.json(seconds),
            "attack": outcome.attack.json(seconds),
            "verifies": outcome.verifies.json(seconds),
            "sent_late_us": quantiles_json(&outcome.lateness),
            "upstream": { "legitimate": self.arrived.n_legitimate, "attack": self.arrived.n_attack },
            "upstream_agrees": self.agrees(),
            "first_fault": outcome.fault,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = &self.outcome;
        let classes = [("legitimate", &outcome.legitimate), ("attack", &outcome.attack), ("codes", &outcome.verifies)];
        write_counts(f, &classes, outcome.elapsed.as_secs_f64())?;
        let agrees = if self.agrees() { "which agrees" } else { "WHICH DISAGREES" };
        let Arrived { n_legitimate, n_attack } = self.arrived;
        writeln!(
            f,
            "the application was asked for {n_attack} of the attack's and {n_legitimate} of the people's, {agrees}"
        )?;
        let late = outcome.lateness.quantile(990).as_secs_f64();
        let simulated = late * f64::from(self.speed);
        writeln!(
            f,
            "sent late: one in a hundred by more than {:.1} ms, {simulated:.1} s of the company's time",
            late * 1e3
        )?;
        if let Some(fault) = &outcome.fault {
            writeln!(f, "first error: {fault}")?;
        }
        write!(f, "\n{}", self.run.with_head())
    }
}
