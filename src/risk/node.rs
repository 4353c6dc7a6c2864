//! What is remembered about one key, a run of numbers or a source: how many people asked, what became of it, and how
//! much of that is normal. Everything fades, so that a window has no edge to wait for.

use super::store::Worth;
use crate::attempt::Timestamp;

/// 64 bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Node {
    at: Timestamp,
    /// Evidence of the codes that were typed or not, in nats: against silence, and against half of all codes.
    pub(super) silence: f32,
    pub(super) halves: f32,
    /// Numbers asked for and not (yet) converted, over ten minutes and four hours.
    pub(super) short: f32,
    pub(super) long: f32,
    /// Conversions over the same windows: they explain their own failures and what is still under way.
    pub(super) short_typed: f32,
    pub(super) long_typed: f32,
    /// Learned ordinary traffic, with half-lives of a week and of six hours.
    pub(super) week: f32,
    pub(super) day: f32,
    /// Sends of the last minutes that had time to convert, and those that did: the control of delivery failures.
    pub(super) matured: f32,
    pub(super) converted: f32,
    /// Fingerprints of the hosts that asked last; zero is empty.
    hosts: [u16; 4],
    /// The last digits of the numbers asked for last, plus one; zero is empty.
    tails: [u16; 4],
}

/// One of the two windows of counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    Short,
    Long,
}

// === impl Node ===

impl Node {
    /// The node as it is at `at`.
    pub(super) fn age(&mut self, at: Timestamp) {
        let elapsed = at.seconds_since(self.at);
        if elapsed <= 0.0 {
            return;
        }
        self.at = at;
        fade(elapsed, EVIDENCE, [&mut self.silence, &mut self.halves]);
        fade(elapsed, SHORT, [&mut self.short, &mut self.short_typed]);
        fade(elapsed, LONG, [&mut self.long, &mut self.long_typed]);
        fade(elapsed, CONTROL, [&mut self.matured, &mut self.converted]);
        fade(elapsed, WEEK, [&mut self.week]);
        fade(elapsed, DAY, [&mut self.day]);
    }

    /// What was learned in all, as it is at `at`.
    pub(super) fn learned(&self, at: Timestamp) -> f32 {
        self.week * (-at.seconds_since(self.at) / WEEK).exp()
    }

    /// A copy, as it is at `at`.
    pub(super) fn aged(mut self, at: Timestamp) -> Self {
        self.age(at);
        self
    }

    /// Counts another number that was asked for.
    pub(super) fn count(&mut self) {
        self.short += 1.0;
        self.long += 1.0;
    }

    /// Whether the host is one of those that asked last.
    pub(super) fn knows(&self, host: u16) -> bool {
        self.hosts.contains(&host)
    }

    /// Remembers who asked.
    pub(super) fn meet(&mut self, host: u16) {
        self.hosts.rotate_right(1);
        self.hosts[0] = host;
    }

    /// Remembers a number's last digits, below 10,000, for runs.
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
        let above = row(here, tails.into_iter().filter(|other| here < *other));
        let below = row(here, tails.into_iter().rev().filter(|other| 0 < *other && *other < here));
        above + below
    }

    /// Moves the evidence of typed codes. What speaks for a key is bounded: credit cannot be hoarded.
    pub(super) fn weigh(&mut self, silence: f32, halves: f32) {
        self.silence = (self.silence + silence).max(FLOOR);
        self.halves = (self.halves + halves).max(FLOOR);
    }

    /// What typed and untyped codes say in all, in nats.
    pub(super) fn conversion(&self) -> f32 {
        self.silence.max(self.halves - LOOK_TWICE).min(MOST_CONVERSION)
    }

    /// A number of this key typed its code `elapsed` seconds after it was counted.
    pub(super) fn convert(&mut self, elapsed: f32) {
        self.short = (self.short - (-elapsed / SHORT).exp()).max(0.0);
        self.long = (self.long - (-elapsed / LONG).exp()).max(0.0);
    }

    /// Learns one piece of ordinary traffic.
    pub(super) fn learn(&mut self, weight: f32) {
        self.week += weight;
        self.day += weight;
    }

    /// Unconverted numbers, conversions and the length in seconds of a window.
    pub(super) fn window(&self, scale: Scale) -> (f32, f32, f32) {
        match scale {
            Scale::Short => (self.short, self.short_typed, SHORT),
            Scale::Long => (self.long, self.long_typed, LONG),
        }
    }
}

impl Worth for Node {
    /// What a campaign did weighs as much as what customers did; a single unanswered request weighs nothing.
    fn worth(&self, now: Timestamp) -> f32 {
        let node = self.aged(now);
        let evidence = node.silence.abs().max(node.halves.abs());
        let is_fresh = now.seconds_since(self.at) < FRESH;
        evidence + node.week + (node.long - 1.0).max(0.0) + if is_fresh { 0.5 } else { 0.0 }
    }
}

// === impl Scale ===

impl Scale {
    pub(super) const BOTH: [Self; 2] = [Self::Short, Self::Long];

    /// The window's length.
    pub(super) const fn duration(self) -> std::time::Duration {
        match self {
            Self::Short => std::time::Duration::from_mins(10),
            Self::Long => std::time::Duration::from_hours(4),
        }
    }
}

/// Lets quantities of one time constant fade; where all are zero, as most are, that costs nothing.
fn fade<const N: usize>(elapsed: f32, time_constant: f32, quantities: [&mut f32; N]) {
    if quantities.iter().all(|quantity| **quantity == 0.0) {
        return;
    }
    let factor = (-elapsed / time_constant).exp();
    for quantity in quantities {
        *quantity *= factor;
    }
}

/// How many of `others`, in their order from `here` on, follow one another.
fn row(here: i32, others: impl Iterator<Item = i32>) -> u32 {
    let mut edge = here;
    others
        .take_while(|other| {
            let is_next = (edge - other).abs() <= STRIDE;
            edge = *other;
            is_next
        })
        .count() as u32
}

/// One deciban in nats.
pub(super) const DECIBAN: f32 = std::f32::consts::LN_10 / 10.0;

/// Time constants, in seconds; a half-life is 0.693 of one.
const SHORT: f32 = 600.0;
const LONG: f32 = 14_400.0;
const CONTROL: f32 = 360.0;
const EVIDENCE: f32 = 8.0 * 3600.0 / std::f32::consts::LN_2;
const WEEK: f32 = 7.0 * 86_400.0 / std::f32::consts::LN_2;
const DAY: f32 = 6.0 * 3600.0 / std::f32::consts::LN_2;

/// Bounds of what codes can say, in nats.
const FLOOR: f32 = -12.0 * DECIBAN;
const MOST_CONVERSION: f32 = 40.0 * DECIBAN;

/// The price of asking two questions instead of one.
const LOOK_TWICE: f32 = 3.0 * DECIBAN;

/// The widest step inside a run.
const STRIDE: i32 = 2;

/// An entry younger than this, in seconds, is kept before one that is as empty and older.
const FRESH: f32 = 120.0;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(START + millis)
    }

    /// A node that some people asked under, of whom some typed their codes.
    fn node() -> impl Strategy<Value = Node> {
        let steps = prop::collection::vec((0_u8..4, 0_u64..3_600_000, -10.0_f32..10.0), 0..30);
        steps.prop_map(|steps| {
            let (mut node, mut now) = (Node::default(), 0);
            node.age(at(0));
            for (step, millis, nats) in steps {
                now += millis;
                node.age(at(now));
                match step {
                    0 => node.count(),
                    1 => node.learn(1.0),
                    2 => node.weigh(nats, 0.5 * nats),
                    _ => node.convert(nats.abs() * 100.0),
                }
            }
            node.at = at(0);
            node
        })
    }

    fn values(node: &Node) -> [f32; 10] {
        [
            node.silence,
            node.halves,
            node.short,
            node.long,
            node.short_typed,
            node.long_typed,
            node.week,
            node.day,
            node.matured,
            node.converted,
        ]
    }

    proptest! {
        #[test]
        fn ageing_in_two_steps_is_ageing_in_one(node in node(), a in 0_u64..200_000_000, b in 0_u64..200_000_000) {
            let stepwise = node.aged(at(a)).aged(at(a + b));
            let at_once = node.aged(at(a + b));
            for (one, other) in values(&stepwise).into_iter().zip(values(&at_once)) {
                prop_assert!((one - other).abs() <= 1e-4 + 1e-3 * one.abs(), "{one} and {other}");
            }
        }

        #[test]
        fn nothing_grows_with_time(node in node(), elapsed in 0_u64..2_000_000_000) {
            for (before, after) in values(&node).into_iter().zip(values(&node.aged(at(elapsed)))) {
                prop_assert!(after.abs() <= before.abs() && 0.0 <= after * before, "{before} became {after}");
            }
        }

        #[test]
        fn time_that_runs_backwards_changes_nothing(node in node(), now in 1_u64..1_000_000, earlier in 0_u64..1_000_000) {
            let node = node.aged(at(now));
            prop_assert_eq!(values(&node.aged(at(earlier.min(now)))), values(&node));
        }

        #[test]
        fn what_codes_say_is_bounded(told in prop::collection::vec((-50.0_f32..50.0, -50.0_f32..50.0), 0..50)) {
            let mut node = Node::default();
            for (silence, halves) in told {
                node.weigh(silence, halves);
            }
            let nats = node.conversion();
            prop_assert!((FLOOR..=MOST_CONVERSION).contains(&nats), "{nats}");
        }

        #[test]
        fn conversions_never_make_a_count_negative(elapsed in prop::collection::vec(0.0_f32..100_000.0, 0..20)) {
            let mut node = Node::default();
            node.count();
            for elapsed in elapsed {
                node.convert(elapsed);
            }
            prop_assert!(0.0 <= node.short && 0.0 <= node.long);
        }
    }

    #[test]
    fn a_node_takes_64_bytes() {
        assert_eq!(size_of::<Node>(), 64);
    }

    const START: u64 = 1_700_000_000_000;
}
