//! Two policies' rulings over one tape, counted side by side.
//!
//! A customer is a send whose code was typed at the time. A message is saved if nobody typed its code and it would not
//! have been sent. Both are priced as the newer configuration has it, so that a difference is the policies'.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::session::{Outturn, Ruling};
use super::tape::{Knowledge, Outcome, Tape};
use crate::attempt::phone::Scale;
use crate::attempt::{Timestamp, Verdict};
use crate::risk::Money;

/// All counts.
#[derive(Debug)]
pub(super) struct Comparison {
    pub(super) totals: Row,
    /// Those with the most sends first.
    pub(super) countries: Vec<(String, Row)>,
    /// Those with the most messages that nobody answered first.
    pub(super) ranges: Vec<(String, Row)>,
    /// Those that stopped the most first.
    pub(super) reasons: Vec<(String, Row)>,
    /// In the order of time.
    pub(super) hours: Vec<(String, Row)>,
}

/// Sends as they were, and what either policy would have made of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Row {
    pub(super) sends: Sends,
    pub(super) old: Side<u64>,
    pub(super) new: Side<u64>,
}

/// What became of sends at the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Sends {
    pub(super) converted: u64,
    pub(super) unconverted: u64,
    pub(super) unknown: u64,
}

/// What one policy would have done; or, signed, what the newer one would have done more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Side<N> {
    /// Of sends whose outcome is known.
    #[serde(flatten)]
    pub(super) known: Verdicts<N>,
    pub(super) customers_challenged: N,
    pub(super) customers_blocked: N,
    pub(super) saved_messages: N,
    pub(super) saved_usd_micros: N,
    /// Of sends whose outcome is unknown.
    pub(super) unknown: Verdicts<N>,
    /// What those of them that are sent cost.
    pub(super) unknown_cost_usd_micros: N,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Verdicts<N> {
    pub(super) allowed: N,
    pub(super) challenged: N,
    pub(super) blocked: N,
}

/// Rows by what they have in common.
#[derive(Debug)]
struct Rows<K>(BTreeMap<K, Row>);

/// The beginning of an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Hour(u64);

// === impl Comparison ===

impl Comparison {
    pub(super) fn new(tape: &Tape, old: &Outturn, new: &Outturn) -> Self {
        let (mut totals, mut countries, mut ranges) = (Row::default(), Rows::new(), Rows::new());
        let (mut reasons, mut hours) = (Rows::new(), Rows::new());
        for (sent, (old, new)) in tape.sends.iter().zip(old.rulings.iter().zip(&new.rulings)) {
            let price = if new.price == Money::default() { old.price } else { new.price };
            let count = |row: &mut Row| row.count(sent.outcome, (old, new), price);
            count(&mut totals);
            count(countries.row(sent.number.map(|number| number.country())));
            count(hours.row(Hour::of(sent.ask.at)));
            if let (Some(number), Knowledge::Whole | Knowledge::Range) = (sent.number, sent.knowledge) {
                count(ranges.row(number.block(Scale::TenThousand)));
            }
            if old.verdict != Verdict::Allow {
                reasons.row(old.signal).old.count(sent.outcome, old, price);
            }
            if new.verdict != Verdict::Allow {
                reasons.row(new.signal).new.count(sent.outcome, new, price);
            }
        }
        let of_country = |country: Option<_>| country.map_or_else(|| "unreadable".to_owned(), |it| format!("{it}"));
        Self {
            totals,
            countries: countries.sorted(of_country, |row| row.sends.n()),
            ranges: ranges.sorted(|block| block.to_string(), |row| row.sends.unconverted + row.sends.unknown),
            reasons: reasons.sorted(|signal| signal.as_str().to_owned(), Row::n_stopped),
            hours: hours.sorted(|hour| hour.to_string(), |_| 0),
        }
    }
}

// === impl Row ===

impl Row {
    fn n_stopped(&self) -> u64 {
        self.old.n_stopped() + self.new.n_stopped()
    }

    fn count(&mut self, outcome: Outcome, (old, new): (&Ruling, &Ruling), price: Money) {
        match outcome {
            Outcome::Converted => self.sends.converted += 1,
            Outcome::Unconverted => self.sends.unconverted += 1,
            Outcome::Unknown => self.sends.unknown += 1,
        }
        self.old.count(outcome, old, price);
        self.new.count(outcome, new, price);
    }
}

// === impl Sends ===

impl Sends {
    pub(super) fn n(&self) -> u64 {
        self.converted + self.unconverted + self.unknown
    }
}

// === impl Side ===

impl Side<u64> {
    /// What is more here than in `old`.
    pub(super) fn less(&self, old: &Self) -> Side<i64> {
        Side {
            known: self.known.less(&old.known),
            customers_challenged: less(self.customers_challenged, old.customers_challenged),
            customers_blocked: less(self.customers_blocked, old.customers_blocked),
            saved_messages: less(self.saved_messages, old.saved_messages),
            saved_usd_micros: less(self.saved_usd_micros, old.saved_usd_micros),
            unknown: self.unknown.less(&old.unknown),
            unknown_cost_usd_micros: less(self.unknown_cost_usd_micros, old.unknown_cost_usd_micros),
        }
    }

    /// Challenged or blocked, whatever the outcome.
    pub(super) fn n_stopped(&self) -> u64 {
        [self.known, self.unknown].iter().map(|verdicts| verdicts.challenged + verdicts.blocked).sum()
    }

    pub(super) fn n_customers(&self) -> u64 {
        self.customers_challenged + self.customers_blocked
    }

    fn count(&mut self, outcome: Outcome, ruling: &Ruling, price: Money) {
        match (outcome, ruling.verdict) {
            (Outcome::Unknown, verdict) => {
                self.unknown_cost_usd_micros += if ruling.is_sent { price.micros() } else { 0 };
                return self.unknown.count(verdict);
            }
            (Outcome::Converted, Verdict::Challenge) => self.customers_challenged += 1,
            (Outcome::Converted, Verdict::Block) => self.customers_blocked += 1,
            (Outcome::Converted, Verdict::Allow) => {}
            (Outcome::Unconverted, _) if ruling.is_sent => {}
            (Outcome::Unconverted, _) => {
                self.saved_messages += 1;
                self.saved_usd_micros += price.micros();
            }
        }
        self.known.count(ruling.verdict);
    }
}

// === impl Verdicts ===

impl Verdicts<u64> {
    fn less(&self, old: &Self) -> Verdicts<i64> {
        Verdicts {
            allowed: less(self.allowed, old.allowed),
            challenged: less(self.challenged, old.challenged),
            blocked: less(self.blocked, old.blocked),
        }
    }

    fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Allow => self.allowed += 1,
            Verdict::Challenge => self.challenged += 1,
            Verdict::Block => self.blocked += 1,
        }
    }
}

// === impl Rows ===

impl<K: Ord> Rows<K> {
    fn new() -> Self {
        Self(BTreeMap::new())
    }

    fn row(&mut self, key: K) -> &mut Row {
        self.0.entry(key).or_default()
    }

    /// By falling weight; those of one weight by their keys.
    fn sorted(self, name: impl Fn(K) -> String, weight: impl Fn(&Row) -> u64) -> Vec<(String, Row)> {
        let mut rows: Vec<_> = self.0.into_iter().collect();
        rows.sort_by_key(|(_, row)| std::cmp::Reverse(weight(row)));
        rows.into_iter().map(|(key, row)| (name(key), row)).collect()
    }
}

// === impl Hour ===

impl Hour {
    fn of(at: Timestamp) -> Self {
        Self(at.millis() / HOUR_MILLIS)
    }
}

impl fmt::Display for Hour {
    /// `2026-11-22T09:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Timestamp::from_millis(self.0 * HOUR_MILLIS).to_string();
        write!(f, "{}Z", text.get(..16).unwrap_or_default())
    }
}

/// `new` less `old`; neither is anywhere near the end of its range.
pub(super) fn less(new: u64, old: u64) -> i64 {
    new.cast_signed().saturating_sub(old.cast_signed())
}

const HOUR_MILLIS: u64 = 3_600_000;

#[cfg(test)]
mod tests;
