//! Attacks that misuse what a service offers to people: asking again, and having the code spoken.

use super::blocks::N_MESSAGES;
use super::{Campaign, caller};
use crate::sim::block::Block;
use crate::sim::device::{self, BOTS};
use crate::sim::event::{RESEND, SEND, VOICE};

impl Campaign<'_> {
    pub(super) fn number_reuse(&mut self) {
        let country = self.country();
        let phones: Vec<String> = (0..60).map(|_| self.numbers.mobile(country, &mut self.dice)).collect();
        for at in self.arrivals(N_MESSAGES, 0.1, self.start) {
            let (nth, home) = (self.dice.below(phones.len()), self.home());
            self.ask(at, phones[nth].clone(), home);
        }
    }

    pub(super) fn resend_abuse(&mut self) {
        let end = self.hours * super::HOUR;
        for mut at in self.arrivals(340, 0.04, self.start) {
            let country = self.country();
            let (phone, home) = (self.numbers.mobile(country, &mut self.dice), self.home());
            let caller = caller(home, self.dice.weighted(device::PEOPLE));
            for nth in 0..9 {
                if at < end {
                    let path = if nth == 0 { SEND } else { RESEND };
                    self.ask_as(at, phone.clone(), &caller, path);
                }
                at += self.dice.between(31.0, 60.0);
            }
        }
    }

    pub(super) fn voice(&mut self) {
        let country = self.country();
        let [satellite, network, personal] = [("+8816", 8), ("+88213", 6), ("+4470", 8)].map(Block::of);
        for at in self.arrivals(600, 0.1, self.start) {
            let draw = self.dice.between(0.0, 1.0);
            let phone = if draw < 0.2 {
                self.readable(&satellite)
            } else if draw < 0.35 {
                self.readable(&network)
            } else if draw < 0.5 {
                self.readable(&personal)
            } else {
                self.numbers.mobile(country, &mut self.dice)
            };
            let caller = caller(self.home(), &BOTS[1]);
            self.ask_as(at, phone, &caller, VOICE);
        }
    }

    fn readable(&mut self, block: &Block) -> String {
        loop {
            let phone = block.random(&mut self.dice);
            if self.numbers.read(&phone, None).is_some() {
                return phone;
            }
        }
    }
}
