//! Number adjacency across all clients: a pumper owns a block of numbers, customers do not live in blocks.
//!
//! Blocks of 1,000, 10,000 and 100,000 numbers are watched. Others in a block count against the share of ordinary
//! traffic that the block usually has, backed off digit by digit from its country, so that a busy prefix is quiet
//! evidence and a prefix nobody ever asked for is loud at its second number. Runs of numbers count by themselves.

use super::evidence::{Assessment, Evidence, Fact, Points, Signal};
use super::node::{BlockNode, Node, Pace, RunNode, Surprise, Totals};
use super::window::{Pressure, Window};
use super::{Capacity, Lesson, Seen, TableSize};
use crate::attempt::phone::{Block, Number, Scale};
use crate::attempt::{Attempt, Timestamp};

#[derive(Debug)]
pub(super) struct Adjacency {
    /// Of 100,000 and of 1,000 numbers.
    blocks: Window<Block, BlockNode>,
    /// Of 10,000.
    runs: Window<Block, RunNode>,
}

/// What a country's share becomes on its way down to a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct CountryShare {
    pub(super) share: f32,
    pub(super) normal: f32,
}

// === impl Adjacency ===

impl Adjacency {
    pub(super) fn new(capacity: Capacity) -> Self {
        Self { blocks: Window::new(capacity), runs: Window::new(capacity) }
    }

    pub(super) fn weigh(
        &self,
        attempt: &Attempt,
        seen: Seen,
        totals: &Totals,
        country: CountryShare,
        assessment: &mut Assessment,
    ) {
        let mut worst: Option<(Surprise, Block)> = None;
        let mut parent = country;
        let mut n_unknown = 0;
        let mut run = None;
        for scale in WIDE_TO_NARROW {
            let block = attempt.number.block(scale);
            let known = match scale {
                Scale::TenThousand => {
                    run = self.runs.read(&block, |run| *run);
                    run.map(|run| run.block)
                }
                Scale::HundredThousand | Scale::Thousand => self.blocks.read(&block, |known| *known),
            };
            n_unknown += u32::from(known.is_none());
            let known = known.unwrap_or_default();
            let node = known.node.aged(attempt.at);
            let normal = node.normal(Pace::Patient);
            let share = (parent.share * (normal + 0.4) / (parent.normal + 4.0)).clamp(LEAST_SHARE, 0.999);
            parent = CountryShare { share, normal };
            if BUSY <= share {
                continue;
            }
            let surprise = node.surprise(own(&known, attempt, seen), share, totals);
            if worst.is_none_or(|(most, _)| most.nats < surprise.nats) {
                worst = Some((surprise, block));
            }
        }
        // A company that enrols its own batch of numbers does so from one place.
        if let Some(run) = run.filter(|run| own(&run.block, attempt, seen) == 0.0) {
            assessment.add(sequence(&run, attempt));
        }
        if let Some((surprise, block)) = worst {
            let fact = Fact::Block { block, n_others: whole(surprise.n_others), within: surprise.within.duration() };
            assessment.add(Evidence { signal: Signal::Adjacency, points: surprise.points(MOST), fact });
        }
        if 0 < n_unknown && !(self.blocks.has_room() && self.runs.has_room()) {
            assessment.add(Evidence { signal: Signal::StateFull, points: BLIND, fact: Fact::Table("blocks") });
        }
    }

    pub(super) fn observe(&self, attempt: &Attempt, lesson: Lesson) {
        let host = attempt.client.map(|client| fingerprint(client.host()));
        let number = attempt.number;
        // A full table has no room for these blocks: `weigh` has said so as evidence.
        for scale in [Scale::HundredThousand, Scale::Thousand] {
            let _full = self.blocks.update(number.block(scale), |block| block.count(attempt.at, host, lesson));
        }
        let _full = self.runs.update(number.block(Scale::TenThousand), |run| {
            if !host.is_some_and(|host| run.block.knows(host)) {
                run.follow(tail(number));
            }
            run.block.count(attempt.at, host, lesson);
        });
    }

    pub(super) fn verified(&self, number: Number, at: Timestamp) {
        for scale in [Scale::HundredThousand, Scale::Thousand] {
            self.blocks.update_known(&number.block(scale), |block| block.node.vouch(at));
        }
        self.runs.update_known(&number.block(Scale::TenThousand), |run| run.block.node.vouch(at));
    }

    pub(super) fn sweep(&self, at: Timestamp, blocks_due: bool, runs_due: bool) {
        self.blocks.sweep(blocks_due, |block, pressure| keeps(&block.node, pressure, at));
        self.runs.sweep(runs_due, |run, pressure| keeps(&run.block.node, pressure, at));
    }

    pub(super) fn sizes(&self) -> [TableSize; 2] {
        [self.blocks.size().named("blocks"), self.runs.size().named("runs")]
    }
}

/// What a sweep keeps of a table of nodes.
pub(super) fn keeps(node: &Node, pressure: Pressure, at: Timestamp) -> bool {
    match pressure {
        Pressure::None => !node.is_spent(at),
        Pressure::High => !node.is_spent(at) && !node.is_slight(at),
    }
}

/// A host as fifteen bits, and one that is always set, since zero is empty; a clash makes two strangers one household,
/// in one block.
pub(super) fn fingerprint(host: crate::attempt::client::ClientNet) -> u16 {
    use std::hash::BuildHasher;
    let hash = foldhash::fast::FixedState::default().hash_one(host).to_le_bytes();
    u16::from_le_bytes([hash[0], hash[1]]) | 1
}

/// A count of others as people read it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range first")]
pub(super) fn whole(count: f32) -> u32 {
    count.clamp(0.0, 1e9).round() as u32
}

/// What this customer did before is no evidence about others.
fn own(block: &BlockNode, attempt: &Attempt, seen: Seen) -> f32 {
    let known_host = attempt.client.is_some_and(|client| block.knows(fingerprint(client.host())));
    if seen == Seen::Lately || known_host { 1.0 } else { 0.0 }
}

fn sequence(run: &RunNode, attempt: &Attempt) -> Evidence {
    let n_others = run.run(tail(attempt.number));
    let points = Points::new(n_others as f32 * PER_STEP).clamp(0.0, MOST);
    let block = attempt.number.block(Scale::TenThousand);
    Evidence { signal: Signal::Sequence, points, fact: Fact::Run { block, n_others } }
}

fn tail(number: Number) -> u16 {
    (number.digits() % 10_000) as u16
}

const WIDE_TO_NARROW: [Scale; 3] = [Scale::HundredThousand, Scale::TenThousand, Scale::Thousand];

/// Blocks that hold this share of ordinary traffic are never judged: blocking them would be the outage.
const BUSY: f32 = 0.3;

const LEAST_SHARE: f32 = 1e-7;

/// The most that adjacency or a run can say, in decibans.
const MOST: f32 = 40.0;

/// What each further number of a run says, in decibans: neighbours happen in families, rows do not.
const PER_STEP: f32 = 8.0;

/// What not knowing is worth.
const BLIND: Points = Points::new(10.0);
