//! Attacks that take their time, so as to look like nothing or like the company's own traffic.

use super::{Campaign, HOUR};

impl Campaign<'_> {
    pub(super) fn low_and_slow(&mut self) {
        let country = self.country();
        let block = self.numbers.block(country, 5, &mut self.dice);
        for at in self.arrivals(430, 1.0 / 180.0, self.start) {
            let home = self.home();
            self.ask_within(at, &block, home);
        }
    }

    pub(super) fn slow_ramp(&mut self) {
        let country = self.country();
        let mut at = self.start;
        for _ in 0..5000 {
            let per_hour = 4.0 * ((at - self.start) / 2.0).exp2();
            at += self.dice.exponential(1.0 / per_hour);
            if self.hours <= at {
                return;
            }
            let (phone, home) = (self.numbers.mobile(country, &mut self.dice), self.home());
            self.ask(at * HOUR, phone, home);
        }
    }

    pub(super) fn day_curve(&mut self) {
        let (country, day) = (self.dearest_served(), self.traits.day);
        for at in self.arrivals(4000, 0.05, self.start) {
            if self.dice.chance(day.at(at / HOUR + self.traits.utc_offset) / day.peak()) {
                let (phone, home) = (self.numbers.mobile(country, &mut self.dice), self.home_in(country));
                self.ask(at, phone, home);
            }
        }
    }
}
