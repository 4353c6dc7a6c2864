//! What is remembered about one key: how many different numbers were asked for, and how much of that is normal.
//!
//! Counts decay exponentially, so that a window has no edge to wait for and a node is a few words.

use super::Lesson;
use super::evidence::Points;
use crate::attempt::Timestamp;

/// One client, network or country: 24 bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Node {
    at: Timestamp,
    /// Different numbers asked for, over ten minutes and over four hours.
    short: f32,
    long: f32,
    /// Ordinary traffic over a week, and the part of it that is too young to be trusted as normal.
    clean: f32,
    young: f32,
}

/// One block of numbers, and the hosts that asked last, so that one household is not a crowd: 32 bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BlockNode {
    pub(super) node: Node,
    /// Fingerprints; zero is empty.
    hosts: [u16; 4],
}

/// A block of 10,000, and the last four digits of the numbers asked for last in it, plus one; zero is empty.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RunNode {
    pub(super) block: BlockNode,
    tails: [u16; 6],
}

/// Ordinary traffic of the whole product.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    at: Timestamp,
    short: f32,
    long: f32,
    clean: f32,
}

/// How many others there are, and how surprising that is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Surprise {
    pub(super) nats: f32,
    pub(super) n_others: f32,
    pub(super) within: Scale,
}

/// Which of the two windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    Short,
    Long,
}

/// How fast a key's own traffic becomes its normal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// At once: countries.
    Prompt,
    /// After about an hour, so that an attack in a fresh block does not teach itself normal as it goes.
    Patient,
}

// === impl Node ===

impl Node {
    /// The node as it would be at `at`.
    pub(super) fn aged(mut self, at: Timestamp) -> Self {
        let elapsed = at.seconds_since(self.at);
        if 0.0 < elapsed {
            self.at = at;
            self.short *= decay(elapsed, SHORT);
            self.long *= decay(elapsed, LONG);
            self.clean *= decay(elapsed, CLEAN);
            self.young *= decay(elapsed, YOUNG);
        }
        self
    }

    /// Counts a new number.
    pub(super) fn count(&mut self, at: Timestamp, lesson: Lesson) {
        *self = self.aged(at);
        self.short += 1.0;
        self.long += 1.0;
        if lesson == Lesson::Clean {
            self.clean += 1.0;
            self.young += 1.0;
        }
    }

    /// A number of this key turned out to be a customer's: it is pressure no longer, and normal at once.
    pub(super) fn vouch(&mut self, at: Timestamp) {
        *self = self.aged(at);
        self.short = (self.short - 1.0).max(0.0);
        self.long = (self.long - 1.0).max(0.0);
        if 1.0 <= self.young {
            self.young -= 1.0;
        } else {
            self.clean += 1.0;
        }
    }

    /// Ordinary traffic learned, as far as it may be trusted at this pace.
    pub(super) fn normal(&self, pace: Pace) -> f32 {
        match pace {
            Pace::Prompt => self.clean,
            Pace::Patient => (self.clean - self.young).max(0.0),
        }
    }

    /// How surprising the others in this key are, when it usually has `share` of all ordinary traffic.
    ///
    /// The count of others is compared with a geometric law of mean `mu` (arrivals come in bursts, so not Poisson);
    /// the tail probability `p` becomes evidence by Vovk and Wang's p-to-e calibrator, `1 / (2 sqrt p)`, which stays
    /// valid however often it is looked at.
    pub(super) fn surprise(&self, own: f32, share: f32, totals: &Totals) -> Surprise {
        let usual = share / (1.0 - share);
        let [short, long] = [(self.short, totals.short), (self.long, totals.long)].map(|(seen, total)| {
            let n_others = seen - own;
            (e_value((total * usual).max(LEAST_EXPECTED), n_others), n_others)
        });
        if long.0 <= short.0 {
            Surprise { nats: short.0, n_others: short.1, within: Scale::Short }
        } else {
            Surprise { nats: long.0, n_others: long.1, within: Scale::Long }
        }
    }

    /// Whether nothing worth keeping is left.
    pub(super) fn is_spent(&self, at: Timestamp) -> bool {
        let node = self.aged(at);
        node.long < 0.05 && node.clean < 0.5
    }

    /// Whether little would be lost: one number, none of it learned, and not of the last minute.
    pub(super) fn is_slight(&self, at: Timestamp) -> bool {
        60.0 < at.seconds_since(self.at) && self.long < 1.5 && self.normal(Pace::Patient) < 0.5
    }
}

// === impl BlockNode ===

impl BlockNode {
    /// Counts a new number, unless its host is one that asked lately.
    pub(super) fn count(&mut self, at: Timestamp, host: Option<u16>, lesson: Lesson) {
        if let Some(host) = host {
            if self.knows(host) {
                return;
            }
            self.hosts.rotate_right(1);
            self.hosts[0] = host;
        }
        self.node.count(at, lesson);
    }

    /// Whether the host asked lately.
    pub(super) fn knows(&self, host: u16) -> bool {
        self.hosts.contains(&host)
    }
}

// === impl RunNode ===

impl RunNode {
    /// Remembers the number's last four digits for runs.
    pub(super) fn follow(&mut self, tail: u16) {
        if !self.tails.contains(&(tail + 1)) {
            self.tails.rotate_right(1);
            self.tails[0] = tail + 1;
        }
    }

    /// How many remembered numbers stand in one row with `tail`, each at most two from the next.
    pub(super) fn run(&self, tail: u16) -> u32 {
        let mut tails = self.tails.map(i32::from);
        tails.sort_unstable();
        let here = i32::from(tail) + 1;
        let mut n_others = 0;
        let mut edge = here;
        for other in tails.into_iter().filter(|other| here < *other) {
            if STRIDE < other - edge {
                break;
            }
            n_others += 1;
            edge = other;
        }
        edge = here;
        for other in tails.into_iter().rev().filter(|other| 0 < *other && *other < here) {
            if STRIDE < edge - other {
                break;
            }
            n_others += 1;
            edge = other;
        }
        n_others
    }
}

// === impl Totals ===

impl Totals {
    /// The totals as they are at `at`.
    pub(super) fn at(mut self, at: Timestamp) -> Self {
        let elapsed = at.seconds_since(self.at);
        if 0.0 < elapsed {
            self.at = at;
            self.short *= decay(elapsed, SHORT);
            self.long *= decay(elapsed, LONG);
            self.clean *= decay(elapsed, CLEAN);
        }
        self
    }

    /// Counts one attempt that looked ordinary.
    pub(super) fn sent(&mut self, at: Timestamp) {
        *self = self.at(at);
        self.short += 1.0;
        self.long += 1.0;
    }

    /// Learns one piece of ordinary traffic.
    pub(super) fn learn(&mut self, at: Timestamp) {
        *self = self.at(at);
        self.clean += 1.0;
    }

    /// Ordinary traffic learned in all.
    pub(super) fn normal(&self) -> f32 {
        self.clean
    }
}

// === impl Surprise ===

impl Surprise {
    /// As points, less what looking in many places costs, between zero and `cap`.
    pub(super) fn points(self, cap: f32) -> Points {
        let points = Points::from_nats(self.nats).decibans().min(cap) - LOOK_ELSEWHERE;
        Points::new(points.max(0.0))
    }
}

// === impl Scale ===

impl Scale {
    /// The window's length.
    pub(super) const fn duration(self) -> std::time::Duration {
        match self {
            Self::Short => std::time::Duration::from_mins(10),
            Self::Long => std::time::Duration::from_hours(4),
        }
    }
}

fn decay(elapsed: f32, time_constant: f32) -> f32 {
    (-elapsed / time_constant).exp()
}

fn e_value(mu: f32, n_others: f32) -> f32 {
    if n_others <= 0.3 {
        return 0.0;
    }
    (0.5 * n_others * ((1.0 + mu) / mu).ln() - std::f32::consts::LN_2).max(0.0)
}

/// Time constants in seconds: pressure over ten minutes and four hours, normality over a week, and the hour that
/// traffic takes to become normal.
const SHORT: f32 = 600.0;
const LONG: f32 = 14_400.0;
const CLEAN: f32 = 604_800.0;
const YOUNG: f32 = 3_600.0;

/// The least number of others expected anywhere.
const LEAST_EXPECTED: f32 = 0.001;

/// The price of looking at several keys at once, in decibans.
const LOOK_ELSEWHERE: f32 = 6.0;

/// The widest step inside a run.
const STRIDE: i32 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_000 * seconds)
    }

    #[test]
    fn what_was_counted_fades() {
        let mut node = Node::default();
        node.count(at(0), Lesson::Suspect);
        let later = node.aged(at(600));
        assert!((later.short - 0.368).abs() < 0.01);
        assert!(!node.is_spent(at(600)));
        assert!(node.is_spent(at(100_000)));
    }

    #[test]
    fn one_household_is_not_a_crowd() {
        let mut block = BlockNode::default();
        for _ in 0..5 {
            block.count(at(0), Some(7), Lesson::Clean);
        }
        assert!((block.node.short - 1.0).abs() < 0.01);
    }

    #[test]
    fn an_attack_does_not_teach_a_block_to_be_normal_while_it_runs() {
        let mut node = Node::default();
        for second in 0..20 {
            node.count(at(second * 10), Lesson::Clean);
        }
        assert!(node.normal(Pace::Patient) < 1.0);
        assert!(19.0 < node.normal(Pace::Prompt));
        assert!(15.0 < node.aged(at(20_000)).normal(Pace::Patient), "yesterday's traffic is normal");
    }

    #[test]
    fn numbers_two_apart_stand_in_a_row() {
        let mut block = RunNode::default();
        for tail in [100, 102, 103, 900] {
            block.follow(tail);
        }
        assert_eq!(block.run(104), 3);
        assert_eq!(block.run(101), 3);
        assert_eq!(block.run(500), 0);
    }
}
