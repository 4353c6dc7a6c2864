//! What a replay came to: verdicts by country and by reason, and the money not spent.

use std::collections::BTreeMap;
use std::fmt;

use super::stand_ins::StandIns;
use crate::attempt::Verdict;
use crate::attempt::country::Country;
use crate::risk::{Assessment, Money, Signal};

#[derive(Debug, Default)]
pub(super) struct Summary {
    totals: Counts,
    countries: BTreeMap<Option<Country>, Counts>,
    reasons: BTreeMap<(Verdict, Signal), u64>,
    n_unreadable_clients: u64,
    warnings: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    n_allowed: u64,
    n_challenged: u64,
    n_blocked: u64,
    not_spent: Money,
}

// === impl Summary ===

impl Summary {
    pub(super) fn decided(
        &mut self,
        verdict: Verdict,
        country: Option<Country>,
        assessment: &Assessment,
        price: Option<Money>,
    ) {
        let price = price.unwrap_or_default();
        self.totals.count(verdict, price);
        self.countries.entry(country).or_default().count(verdict, price);
        if verdict != Verdict::Allow {
            let reason = assessment.deciding().unwrap_or(Signal::Prior);
            *self.reasons.entry((verdict, reason)).or_default() += 1;
        }
    }
}

impl Summary {
    pub(super) fn unreadable_client(&mut self, is_unreadable: bool) {
        self.n_unreadable_clients += u64::from(is_unreadable);
    }

    pub(super) fn stand_ins(&mut self, stand_ins: &StandIns) {
        self.warnings = stand_ins.warnings();
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<12}{:>10}{:>12}{:>10}{:>14}", "", "allowed", "challenged", "blocked", "not spent")?;
        let mut countries: Vec<_> = self.countries.iter().collect();
        countries.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.n_stopped()));
        for (country, counts) in countries.iter().take(MOST_COUNTRIES) {
            let name = country.map_or_else(|| "unreadable".to_owned(), |country| country.to_string());
            row(f, &name, counts)?;
        }
        if MOST_COUNTRIES < countries.len() {
            writeln!(f, "… and {} more countries", countries.len() - MOST_COUNTRIES)?;
        }
        row(f, "all", &self.totals)?;
        for ((verdict, reason), n) in &self.reasons {
            writeln!(f, "{:<12}{:<20}{n:>10}", verdict.as_str(), reason.as_str())?;
        }
        if 0 < self.n_unreadable_clients {
            writeln!(f, "{} events with an unreadable client address", self.n_unreadable_clients)?;
        }
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        Ok(())
    }
}

// === impl Counts ===

impl Counts {
    fn count(&mut self, verdict: Verdict, price: Money) {
        match verdict {
            Verdict::Allow => self.n_allowed += 1,
            Verdict::Challenge => self.n_challenged += 1,
            Verdict::Block => self.n_blocked += 1,
        }
        if verdict != Verdict::Allow {
            self.not_spent = self.not_spent.plus(price);
        }
    }

    fn n_stopped(&self) -> u64 {
        self.n_challenged + self.n_blocked
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, counts: &Counts) -> fmt::Result {
    let Counts { n_allowed, n_challenged, n_blocked, not_spent } = counts;
    writeln!(f, "{name:<12}{n_allowed:>10}{n_challenged:>12}{n_blocked:>10}{:>14}", not_spent.to_string())
}

const MOST_COUNTRIES: usize = 20;
