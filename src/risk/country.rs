//! What is known of a destination country besides its node: how many of its codes are typed, and what it costs.

use super::destination::Money;
use super::node::Node;
use crate::attempt::Timestamp;

/// One destination country.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CountryRow {
    at: Timestamp,
    /// Clean sends that had time to convert, and those that did, with a half-life of a week.
    matured: f32,
    converted: f32,
    /// Dollars sent and not answered with a code, dollars that were, with a half-life of twelve hours.
    unverified: f32,
    verified: f32,
    /// Dollars to numbers that never typed a code, over an hour.
    hour: f32,
}

// === impl CountryRow ===

impl CountryRow {
    pub(super) fn aged(mut self, at: Timestamp) -> Self {
        let elapsed = at.seconds_since(self.at);
        if 0.0 < elapsed {
            let fade = |half_life: f32| (-elapsed * std::f32::consts::LN_2 / half_life).exp();
            self.at = at;
            self.matured *= fade(WEEK);
            self.converted *= fade(WEEK);
            self.unverified *= fade(HALF_DAY);
            self.verified *= fade(HALF_DAY);
            self.hour *= (-elapsed / HOUR).exp();
        }
        self
    }

    /// The probability that a code sent there is typed: learned, beginning at `0.82 - 0.012` per unit of price, since
    /// dear routes lose more messages. The prior weighs as much as 15 sends.
    pub(super) fn conversion_rate(&self, price: Money) -> f32 {
        let units = (price.dollars() / UNIT).clamp(1.0, 12.0);
        let prior = 0.82 - 0.012 * units;
        ((self.converted + 15.0 * prior) / (self.matured + 15.0)).clamp(0.35, 0.92)
    }

    /// A clean send had time to convert, and did or did not.
    pub(super) fn mature(&mut self, at: Timestamp, has_converted: bool) {
        *self = self.aged(at);
        self.matured += 1.0;
        self.converted += f32::from(u8::from(has_converted));
    }

    /// A message to somebody unknown is under way.
    pub(super) fn spend(&mut self, at: Timestamp, price: Money) {
        *self = self.aged(at);
        self.unverified += price.dollars();
    }

    /// The message never left.
    pub(super) fn refund(&mut self, at: Timestamp, price: Money) {
        *self = self.aged(at);
        self.unverified = (self.unverified - price.dollars()).max(0.0);
        self.hour = (self.hour - price.dollars()).max(0.0);
    }

    /// And nobody typed a code from where it was asked for.
    pub(super) fn spend_on_stranger(&mut self, at: Timestamp, price: Money) {
        self.spend(at, price);
        self.hour += price.dollars();
    }

    /// The message was answered with its code.
    pub(super) fn verify(&mut self, at: Timestamp, price: Money) {
        *self = self.aged(at);
        self.unverified = (self.unverified - price.dollars()).max(0.0);
        self.verified += price.dollars();
    }

    /// Nobody will tell whether the message was answered: a part of it is taken to be.
    pub(super) fn presume(&mut self, at: Timestamp, price: Money, part: f32) {
        *self = self.aged(at);
        self.verified += part * price.dollars();
    }

    /// How many times over its allowance the unverified spend is: a floor, and twice what usually stays unverified
    /// beside so much that was verified.
    pub(super) fn overdraft(&self, conversion_rate: f32) -> f32 {
        let usual = self.verified * (1.0 - conversion_rate) / conversion_rate;
        self.unverified / (UNVERIFIED_FLOOR + 2.0 * usual)
    }

    /// How many times over what is usual in an hour the spend on unknown numbers is.
    pub(super) fn surge(&self) -> f32 {
        let usual_hour = self.verified * std::f32::consts::LN_2 * HOUR / HALF_DAY;
        self.hour / (SURGE_FLOOR + 4.0 * usual_hour)
    }
}

/// Recent conversion of everything outside the node, beside what is normal: 1 is normal, and the less, the less an
/// untyped code says. So an outage of the SMS provider, in which everybody fails, accuses nobody.
pub(super) fn delivery(total: &Node, node: &Node) -> f32 {
    let matured = (total.matured - node.matured).max(0.0);
    let converted = (total.converted - node.converted).max(0.0);
    ((converted + 4.0) / (matured * 0.78 + 4.0)).clamp(0.05, 1.0)
}

/// What a text costs in the cheapest markets, in dollars: the unit of [`CountryRow::conversion_rate`].
const UNIT: f32 = 0.028;

const UNVERIFIED_FLOOR: f32 = 1.5;
const SURGE_FLOOR: f32 = 3.0;

const HOUR: f32 = 3_600.0;
const HALF_DAY: f32 = 43_200.0;
const WEEK: f32 = 604_800.0;
