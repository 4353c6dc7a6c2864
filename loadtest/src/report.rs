//! A finished run as a table for people or as JSON for programs.

use std::fmt;

use serde_json::{Value, json};

use crate::run::Report;
use crate::tally::{Tally, quantiles, quantiles_json};

impl Report {
    pub(crate) fn json(&self) -> Value {
        let seconds = self.outcome.elapsed.as_secs_f64();
        json!({
            "seconds": seconds,
            "loop": if self.closed { "closed" } else { "open" },
            "legitimate": self.outcome.legitimate.json(seconds),
            "attack": self.outcome.attack.json(seconds),
            "sent_late_us": quantiles_json(&self.outcome.lateness),
            "stale_connections": self.outcome.n_stale,
            "first_fault": self.outcome.fault,
            "upstream": self.upstream.map(|arrived| json!({ "legitimate": arrived.n_legitimate, "attack": arrived.n_attack })),
            "upstream_agrees": self.agrees(),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = &self.outcome;
        let classes = [("legitimate", &outcome.legitimate), ("attack", &outcome.attack)];
        let seconds = outcome.elapsed.as_secs_f64();
        write_counts(f, &classes, seconds)?;
        self.write_latency(f)?;
        self.write_passed(f)?;
        if let Some(fault) = &outcome.fault {
            writeln!(f, "first error: {fault}")?;
        }
        if outcome.n_stale != 0 {
            writeln!(f, "{} kept connections had been closed by the other side and were replaced", outcome.n_stale)?;
        }
        Ok(())
    }
}

impl Report {
    fn write_latency(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = &self.outcome;
        let since = if self.closed { "it was sent; closed loop, not a user's latency" } else { "it was due" };
        writeln!(f, "\nlatency in µs, each request from the moment {since}")?;
        write!(f, "{:<11}", "")?;
        for (name, _) in quantiles(&outcome.lateness) {
            write!(f, "{name:>11}")?;
        }
        writeln!(f)?;
        let lateness = (!self.closed).then_some(("sent late", &outcome.lateness));
        let latencies = [("legitimate", &outcome.legitimate.latency), ("attack", &outcome.attack.latency)];
        for (name, histogram) in latencies.into_iter().chain(lateness) {
            write!(f, "{name:<11}")?;
            for (_, microseconds) in quantiles(histogram) {
                write!(f, "{microseconds:>11.0}")?;
            }
            writeln!(f)?;
        }
        writeln!(f)
    }

    fn write_passed(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (legitimate, attack) = (&self.outcome.legitimate, &self.outcome.attack);
        writeln!(
            f,
            "got through: {} of the attack's requests, {} of the people's",
            share(attack.n_passed(), attack.n_sent()),
            share(legitimate.n_passed(), legitimate.n_sent())
        )?;
        let Some(arrived) = self.upstream else {
            return writeln!(f, "not checked against the application; --upstream-stats does that");
        };
        let agrees = if self.agrees() == Some(true) { "which agrees" } else { "WHICH DISAGREES" };
        writeln!(
            f,
            "the application counted {} of the attack's and {} of the people's, {agrees}",
            arrived.n_attack, arrived.n_legitimate
        )
    }
}

/// A table of answers by status, a row for each class.
pub(crate) fn write_counts(f: &mut fmt::Formatter<'_>, classes: &[(&str, &Tally)], seconds: f64) -> fmt::Result {
    writeln!(
        f,
        "{:<11}{:>9}{:>9}{:>9}{:>9}{:>9}{:>8}{:>8}{:>8}{:>10}",
        "", "sent", "2xx", "403", "429", "422", "other", "errors", "unsent", "answers/s"
    )?;
    classes.iter().try_for_each(|(name, tally)| counts(f, name, tally, seconds))
}

fn counts(f: &mut fmt::Formatter<'_>, name: &str, tally: &Tally, seconds: f64) -> fmt::Result {
    let one = |status| tally.n_between(status, status);
    writeln!(
        f,
        "{:<11}{:>9}{:>9}{:>9}{:>9}{:>9}{:>8}{:>8}{:>8}{:>10.0}",
        name,
        tally.n_sent(),
        tally.n_passed(),
        one(403),
        one(429),
        one(422),
        tally.n_other(),
        tally.n_errors,
        tally.n_unsent,
        tally.latency.n_recorded() as f64 / seconds.max(1e-9)
    )
}

fn share(part: u64, whole: u64) -> String {
    format!("{part} ({:.1} %)", 100.0 * part as f64 / whole.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::play::Outcome;
    use crate::run::Arrived;

    fn report(n_attack: u64) -> Report {
        let mut outcome = Outcome::new();
        outcome.attack.answered(200, Duration::from_micros(10));
        outcome.attack.answered(429, Duration::from_micros(20));
        Report { outcome, closed: false, upstream: Some(Arrived { n_legitimate: 0, n_attack }) }
    }

    #[test]
    fn a_report_says_whether_the_application_agrees() {
        assert!(report(1).to_string().contains("which agrees"));
        assert!(report(2).to_string().contains("WHICH DISAGREES"));
        assert_eq!(report(2).json()["upstream_agrees"], false);
    }

    #[test]
    fn what_got_through_is_a_share_of_what_was_sent() {
        assert!(report(1).to_string().contains("got through: 1 (50.0 %) of the attack's requests"));
        assert_eq!(report(1).json()["attack"]["statuses"]["429"], 1);
    }
}
