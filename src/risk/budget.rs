//! Bounded loss: what was spent on messages that nobody has answered may not exceed a budget, whatever the score says.
//!
//! For each block of 10,000 numbers, each country and everything together, whenever a message is let through:
//!
//! ```text
//! unanswered + price  <=  floor + percent_of_answered / 100 x answered
//! ```
//!
//! Both sums run over the current and the previous day (UTC), so that the bound holds in every stretch of 24 hours. A
//! message is unanswered from the moment it is let through until its code is typed. Amounts are whole millionths of a
//! dollar, and nothing is rounded in an attacker's favour.

use std::collections::HashMap;
use std::time::Duration;

use serde::Deserialize;

use super::destination::Money;
use super::store::{Store, Worth};
use crate::attempt::Timestamp;
use crate::attempt::country::Country;

/// The `[budget]` section.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BudgetConfig {
    /// For each block of 10,000 adjacent numbers.
    pub range: Budget,
    /// For each country.
    pub country: Budget,
    /// For everything.
    pub total: Budget,
}

/// How much may be unanswered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// What may be unanswered where nothing was answered.
    pub floor: Money,
    /// What may be unanswered besides, in per cent of what was answered; from 0 to 10,000.
    #[serde(default = "as_much", deserialize_with = "percent")]
    pub percent_of_answered: u32,
}

/// Which budget is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A block of 10,000 numbers.
    Range,
    /// A country.
    Country,
    /// Everything.
    Total,
}

/// A budget that has no room for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overspent {
    /// Which.
    pub scope: Scope,
    /// How much it allows now.
    pub allowed: Money,
    /// Until the day ends, when a part of what is unanswered may be forgotten.
    pub wait: Duration,
}

/// What a message is charged to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Charge {
    pub(super) at: Timestamp,
    pub(super) range: u64,
    pub(super) country: Country,
    pub(super) price: Money,
}

#[derive(Debug)]
pub(super) struct Budgets {
    config: BudgetConfig,
    ranges: Store<Account>,
    /// There are only so many countries.
    countries: HashMap<Country, Account, foldhash::fast::FixedState>,
    total: Account,
}

/// Millionths of a dollar of today and the day before.
#[derive(Clone, Copy, Debug, Default)]
struct Account {
    day: u64,
    unanswered: [u64; 2],
    answered: [u64; 2],
}

// === impl Budgets ===

impl Budgets {
    pub(super) fn new(config: BudgetConfig, n_ranges: usize) -> Self {
        Self { config, ranges: Store::new(n_ranges), countries: HashMap::default(), total: Account::default() }
    }

    /// Charges a message, to all three accounts or to none.
    pub(super) fn take(&mut self, charge: &Charge) -> Result<(), Overspent> {
        self.check(charge)?;
        self.each(charge, |account| account.take(charge));
        Ok(())
    }

    /// Whether a message could be charged.
    pub(super) fn check(&self, charge: &Charge) -> Result<(), Overspent> {
        let range = self.ranges.find(charge.range).map(|(_, account)| *account).unwrap_or_default();
        let country = self.countries.get(&charge.country).copied().unwrap_or_default();
        range.check(charge, self.config.range, Scope::Range)?;
        country.check(charge, self.config.country, Scope::Country)?;
        self.total.check(charge, self.config.total, Scope::Total)
    }

    /// The message that was charged never left.
    pub(super) fn give_back(&mut self, charge: &Charge) {
        self.each(charge, |account| account.give_back(charge));
    }

    /// The code of the message that was charged was typed.
    pub(super) fn answer(&mut self, charge: &Charge) {
        self.each(charge, |account| account.answer(charge));
    }

    fn each(&mut self, charge: &Charge, change: impl Fn(&mut Account)) {
        change(self.ranges.entry(charge.range, charge.at).1);
        change(self.countries.entry(charge.country).or_default());
        change(&mut self.total);
    }
}

// === impl Account ===

impl Account {
    fn check(&self, charge: &Charge, budget: Budget, scope: Scope) -> Result<(), Overspent> {
        let account = self.on(day(charge.at));
        let [today, before] = account.answered;
        let earned = today.saturating_add(before).saturating_mul(u64::from(budget.percent_of_answered)) / 100;
        let allowed = budget.floor.micros().saturating_add(earned);
        let [today, before] = account.unanswered;
        if today.saturating_add(before).saturating_add(charge.price.micros()) <= allowed {
            return Ok(());
        }
        Err(Overspent { scope, allowed: Money::from_micros(allowed), wait: until_midnight(charge.at) })
    }

    fn take(&mut self, charge: &Charge) {
        *self = self.on(day(charge.at));
        self.unanswered[0] = self.unanswered[0].saturating_add(charge.price.micros());
    }

    fn give_back(&mut self, charge: &Charge) {
        *self = self.on(self.day);
        let which = self.day.saturating_sub(day(charge.at)) as usize;
        if let Some(unanswered) = self.unanswered.get_mut(which) {
            *unanswered = unanswered.saturating_sub(charge.price.micros());
        }
    }

    fn answer(&mut self, charge: &Charge) {
        self.give_back(charge);
        self.answered[0] = self.answered[0].saturating_add(charge.price.micros());
    }

    /// The account as it is on that day; one that was stamped a little before midnight counts for the new day.
    fn on(self, day: u64) -> Self {
        match day.saturating_sub(self.day) {
            0 => self,
            1 => Self { day, unanswered: [0, self.unanswered[0]], answered: [0, self.answered[0]] },
            _ => Self { day, ..Self::default() },
        }
    }
}

impl Worth for Account {
    fn worth(&self, now: Timestamp) -> f32 {
        let account = self.on(day(now));
        account.unanswered.iter().sum::<u64>() as f32
    }
}

// === impl BudgetConfig ===

impl Default for BudgetConfig {
    fn default() -> Self {
        let budget = |dollars: u64| Budget { floor: Money::from_micros(dollars * 1_000_000), percent_of_answered: 100 };
        Self { range: budget(10), country: budget(50), total: budget(250) }
    }
}

// === impl Scope ===

impl Scope {
    /// The name in reasons.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Range => "this range of 10,000 numbers",
            Self::Country => "this country",
            Self::Total => "all destinations",
        }
    }
}

fn as_much() -> u32 {
    100
}

fn percent<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let percent = u64::deserialize(deserializer)?;
    match u32::try_from(percent) {
        Ok(percent) if percent <= 10_000 => Ok(percent),
        Ok(_) | Err(_) => {
            Err(serde::de::Error::custom(format!("`percent_of_answered` must be between 0 and 10000, not {percent}")))
        }
    }
}

fn day(at: Timestamp) -> u64 {
    at.millis() / DAY
}

fn until_midnight(at: Timestamp) -> Duration {
    Duration::from_millis(DAY - at.millis() % DAY)
}

/// In milliseconds.
const DAY: u64 = 86_400_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PRICE: u64 = 336_000;

    fn budgets(floor: u64, percent_of_answered: u32) -> Budgets {
        let budget = |times| Budget { floor: Money::from_micros(floor * times), percent_of_answered };
        Budgets::new(BudgetConfig { range: budget(1), country: budget(3), total: budget(5) }, 1000)
    }

    fn charge(seconds: u64, range: u64, country: &str) -> Charge {
        let at = Timestamp::from_millis(1_000 * seconds);
        Charge { at, range, country: country.parse().unwrap(), price: Money::from_micros(PRICE) }
    }

    #[test]
    fn what_nobody_answers_stops_at_the_floor() {
        let mut budgets = budgets(10 * PRICE, 100);
        let n_taken = (0..100).filter(|n| budgets.take(&charge(*n, 7, "UZ")).is_ok()).count();
        assert_eq!(n_taken, 10);
        assert_eq!(budgets.take(&charge(200, 7, "UZ")).unwrap_err().scope, Scope::Range);
        assert!(budgets.take(&charge(200, 8, "UZ")).is_ok(), "another range has its own");
    }

    #[test]
    fn answers_give_back_and_earn() {
        let mut budgets = budgets(2 * PRICE, 100);
        let first = charge(0, 7, "US");
        budgets.take(&first).unwrap();
        budgets.answer(&first);
        let n_taken = (1..100).filter(|n| budgets.take(&charge(*n, 7, "US")).is_ok()).count();
        assert_eq!(n_taken, 3, "two of the floor, and one for the one that was answered");
    }

    #[test]
    fn a_day_later_nothing_is_forgotten_and_after_two_all_is() {
        let mut budgets = budgets(PRICE, 0);
        budgets.take(&charge(86_399, 7, "UZ")).unwrap();
        assert!(budgets.take(&charge(86_401, 7, "UZ")).is_err());
        assert!(budgets.take(&charge(2 * 86_400, 7, "UZ")).is_ok());
    }

    proptest! {
        #[test]
        fn no_sequence_without_answers_gets_more_than_the_budget_through_in_any_24_hours(
            sends in prop::collection::vec((0u64..40_000, 0u64..6, prop::sample::select(vec!["UZ", "LK", "US"])), 1..400),
        ) {
            let mut budgets = budgets(5 * PRICE, 100);
            let mut at = 0;
            let mut taken: Vec<Charge> = Vec::new();
            for (wait, range, country) in sends {
                at += wait / 10;
                let charge = charge(at, range, country);
                if budgets.take(&charge).is_ok() {
                    taken.push(charge);
                }
            }
            let spent = |within: &dyn Fn(&Charge) -> bool| within_a_day(&taken, within);
            prop_assert!(spent(&|_| true) <= 25 * PRICE);
            for country in ["UZ", "LK", "US"] {
                prop_assert!(spent(&|charge| charge.country.to_string() == country) <= 15 * PRICE);
            }
            for range in 0..6 {
                prop_assert!(spent(&|charge| charge.range == range) <= 5 * PRICE);
            }
        }
    }

    /// The most that was spent in any 24 hours.
    fn within_a_day(taken: &[Charge], counts: &dyn Fn(&Charge) -> bool) -> u64 {
        let taken: Vec<&Charge> = taken.iter().filter(|charge| counts(charge)).collect();
        let from = |first: &Charge| {
            let inside = taken
                .iter()
                .filter(|charge| first.at <= charge.at && charge.at.since(first.at) < Duration::from_millis(DAY));
            inside.map(|charge| charge.price.micros()).sum::<u64>()
        };
        taken.iter().map(|first| from(first)).max().unwrap_or(0)
    }
}
