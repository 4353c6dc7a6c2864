//! Attacks on one block of adjacent numbers, from servers and from homes.

use super::{Campaign, HOUR, caller};
use crate::sim::device::BOTS;
use crate::sim::event::SEND;
use crate::sim::network::{self, Access, Place};

impl Campaign<'_> {
    pub(super) fn one_server(&mut self) {
        let (country, place) = (self.country(), network::server(0, 1));
        let block = self.block(country);
        for (nth, at) in self.arrivals(N_MESSAGES, 1.0, self.start).into_iter().enumerate() {
            self.ask_as(at, block.nth(1000 + nth), &caller(place, &BOTS[0]), SEND);
        }
    }

    pub(super) fn forty_servers(&mut self) {
        let country = self.country();
        let block = self.block(country);
        for (nth, at) in self.arrivals(N_MESSAGES, 0.5, self.start).into_iter().enumerate() {
            let place = network::server(self.dice.below(40), 3);
            self.ask_as(at, block.nth(1000 + nth), &caller(place, &BOTS[1]), SEND);
        }
    }

    pub(super) fn server_fleet(&mut self) {
        let country = self.country();
        let block = self.block(country);
        for at in self.arrivals(N_MESSAGES, 0.4, self.start) {
            let place = network::server(self.dice.below(300), usize::MAX);
            let phone = self.numbers.within(&block, &mut self.dice);
            self.ask_as(at, phone, &caller(place, &BOTS[2]), SEND);
        }
    }

    pub(super) fn ipv6_hopping(&mut self) {
        let country = self.country();
        let (block, host) = (self.block(country), network::server(3, usize::MAX));
        for at in self.arrivals(N_MESSAGES, 0.4, self.start) {
            // All out of one /48: the upper half of what tells subscribers apart stays.
            let subscriber = 0x00A5_0000 | self.dice.below(1 << 16) as u32;
            let ip = network::address6(host.asn, subscriber, self.dice.bits()).into();
            let phone = self.numbers.within(&block, &mut self.dice);
            self.ask_as(at, phone, &caller(Place { ip, ..host }, &BOTS[1]), SEND);
        }
    }

    pub(super) fn residential_block(&mut self, start: f64) {
        let country = self.country();
        let block = self.block(country);
        for at in self.arrivals(N_MESSAGES, 0.25, start) {
            let home = self.home();
            self.ask_within(at, &block, home);
        }
    }

    pub(super) fn residential_carrier(&mut self) {
        let country = self.country();
        let block = self.numbers.carrier_block(country, &mut self.dice);
        for at in self.arrivals(N_MESSAGES, 0.25, self.start) {
            let home = self.home();
            self.ask_within(at, &block, home);
        }
    }

    pub(super) fn matching_block(&mut self) {
        let country = self.country();
        let block = self.block(country);
        for at in self.arrivals(N_MESSAGES, 0.25, self.start) {
            let home = self.home_in(country);
            self.ask_within(at, &block, home);
        }
    }

    pub(super) fn mobile_proxies(&mut self) {
        let (country, home) = (self.country(), self.traits.home);
        let block = self.block(country);
        for at in self.arrivals(N_MESSAGES, 0.25, self.start) {
            let carrier = network::carrier(home, Access::Mobile, &mut self.dice);
            let place = network::shared(carrier, home, &mut self.dice);
            self.ask_within(at, &block, place);
        }
    }

    pub(super) fn home_range(&mut self) {
        let home = self.traits.home;
        let block = self.block(home);
        for at in self.arrivals(N_MESSAGES, 0.2, self.start) {
            let place = self.home_in(home);
            self.ask_within(at, &block, place);
        }
    }

    pub(super) fn served_market(&mut self) {
        let country = self.dearest_served();
        let block = self.numbers.carrier_block(country, &mut self.dice);
        for at in self.arrivals(N_MESSAGES, 0.2, self.start) {
            let place = self.home_in(country);
            self.ask_within(at, &block, place);
        }
    }

    pub(super) fn burst(&mut self) {
        let blocks = self.blocks(12);
        let end = self.start + 0.025;
        for at in self.arrivals(1500, 16.7, self.start).into_iter().filter(|&at| at < end * HOUR) {
            let (block, home) = (self.dice.below(blocks.len()), self.home());
            self.ask_within(at, &blocks[block], home);
        }
    }

    pub(super) fn repeated_bursts(&mut self) {
        for nth in 0..20 {
            let country = self.country();
            let block = self.block(country);
            for at in self.arrivals(60, 1.0, self.start + f64::from(nth)) {
                let home = self.home();
                self.ask_within(at, &block, home);
            }
        }
    }
}

pub(super) const N_MESSAGES: usize = 3000;
