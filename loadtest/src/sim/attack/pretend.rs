//! Attacks that type codes, since whoever owns the numbers can read them.

use super::blocks::N_MESSAGES;
use super::{Campaign, HOUR};
use crate::sim::network;

impl Campaign<'_> {
    pub(super) fn fake_codes(&mut self) {
        let country = self.country();
        let block = self.block(country);
        for at in self.arrivals(N_MESSAGES, 0.2, self.start) {
            let home = self.home();
            let line = self.ask_within(at, &block, home);
            self.pretend(at, line, 0.45);
        }
    }

    pub(super) fn fake_codes_matching(&mut self) {
        let country = self.country();
        let block = self.block(country);
        for at in self.arrivals(N_MESSAGES, 0.2, self.start) {
            let home = self.home_in(country);
            let line = self.ask_within(at, &block, home);
            self.pretend(at, line, 0.45);
        }
    }

    pub(super) fn fake_codes_wide(&mut self) {
        let country = self.country();
        for at in self.arrivals(N_MESSAGES, 0.1, self.start) {
            let (phone, home) = (self.numbers.mobile(country, &mut self.dice), self.home_in(country));
            let line = self.ask(at, phone, home);
            self.pretend(at, line, 0.7);
        }
    }

    pub(super) fn warm_up(&mut self) {
        let country = self.country();
        let block = self.block(country);
        let warm_up = self.arrivals(48, 1.0 / 1800.0, (self.start - 24.0).max(0.0));
        let end = self.start * HOUR;
        for at in warm_up.into_iter().filter(|&at| at < end) {
            let home = self.home_in(country);
            let line = self.ask_within(at, &block, home);
            self.pretend(at, line, 1.0);
        }
        for at in self.arrivals(N_MESSAGES, 0.25, self.start) {
            let home = self.home_in(country);
            self.ask_within(at, &block, home);
        }
    }

    pub(super) fn phased(&mut self) {
        for phase in PHASES {
            let country = self.country();
            let block = self.block(country);
            for at in self.arrivals(400, 0.3, self.start + phase.hours_later) {
                let place = match phase.from {
                    Origin::Servers => network::server(self.dice.below(60), usize::MAX),
                    Origin::Homes => self.home(),
                    Origin::MatchingHomes => self.home_in(country),
                };
                let line = if phase.is_wide {
                    let phone = self.numbers.mobile(country, &mut self.dice);
                    self.ask(at, phone, place)
                } else {
                    self.ask_within(at, &block, place)
                };
                self.pretend(at, line, phase.typed);
            }
        }
    }
}

/// What an attacker tries next when the last thing no longer paid.
struct Phase {
    hours_later: f64,
    from: Origin,
    /// All over the country instead of one block.
    is_wide: bool,
    typed: f64,
}

enum Origin {
    Servers,
    Homes,
    MatchingHomes,
}

const PHASES: &[Phase] = &[
    Phase { hours_later: 0.0, from: Origin::Servers, is_wide: false, typed: 0.0 },
    Phase { hours_later: 2.5, from: Origin::Homes, is_wide: false, typed: 0.0 },
    Phase { hours_later: 5.0, from: Origin::MatchingHomes, is_wide: false, typed: 0.0 },
    Phase { hours_later: 7.5, from: Origin::MatchingHomes, is_wide: true, typed: 0.0 },
    Phase { hours_later: 10.0, from: Origin::MatchingHomes, is_wide: false, typed: 0.3 },
    Phase { hours_later: 12.5, from: Origin::MatchingHomes, is_wide: true, typed: 0.5 },
];
