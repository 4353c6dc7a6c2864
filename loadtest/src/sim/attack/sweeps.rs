//! Attacks on many blocks at once or one after the other.

use super::Campaign;
use super::blocks::N_MESSAGES;
use crate::sim::block::Block;

impl Campaign<'_> {
    pub(super) fn many_ranges(&mut self) {
        let blocks = self.blocks(40);
        // The seller of the numbers shows that messages arrive.
        let tests = self.arrivals(blocks.len(), 0.01, (self.start - 6.0).max(0.0));
        let pumping = self.arrivals(4000, 0.5, self.start);
        for times in [tests, pumping] {
            for (nth, at) in times.into_iter().enumerate() {
                let home = self.home();
                self.ask_within(at, &blocks[nth % blocks.len()], home);
            }
        }
    }

    pub(super) fn range_hopping(&mut self) {
        let countries = self.countries(8);
        let times = self.arrivals(N_MESSAGES, 0.2, self.start);
        for few in times.chunks(8) {
            let country = self.dice.pick(&countries);
            let block = self.block(country);
            for &at in few {
                let home = self.home();
                self.ask_within(at, &block, home);
            }
        }
    }

    pub(super) fn trickle(&mut self) {
        for at in self.arrivals(600, 1.0 / 120.0, self.start) {
            let (country, home) = (self.country(), self.home());
            let phone = self.numbers.mobile(country, &mut self.dice);
            self.ask(at, phone, home);
        }
    }

    /// Blocks in eight countries.
    pub(super) fn blocks(&mut self, n: usize) -> Vec<Block> {
        let countries = self.countries(8);
        (0..n).map(|nth| self.block(countries[nth % countries.len()])).collect()
    }

    fn countries(&mut self, n: usize) -> Vec<&'static str> {
        (0..n).map(|_| self.country()).collect()
    }
}
