//! The few decisions worth a look: customers who were stopped, and the dearest messages that nobody answered.

use std::cmp::Reverse;

use smallvec::SmallVec;

use super::session::Ruling;
use super::tape::{Outcome, Sent};
use crate::attempt::Verdict;
use crate::risk::{Assessment, Evidence};

/// Of each kind the worst ones, from worse to better.
#[derive(Debug, Default)]
pub(super) struct Worst {
    /// Customers, by score.
    pub(super) customers_blocked: Cases,
    /// Customers, by score.
    pub(super) customers_challenged: Cases,
    /// Messages that nobody answered, by price.
    pub(super) unanswered_allowed: Cases,
}

#[derive(Debug, Default)]
pub(super) struct Cases(Vec<Case>);

/// One decision, with all its reasons.
#[derive(Debug)]
pub(super) struct Case {
    /// The send, on the tape.
    pub(super) index: usize,
    pub(super) score: u8,
    pub(super) evidence: SmallVec<[Evidence; 8]>,
    rank: (Reverse<u64>, Reverse<u8>, usize),
}

// === impl Worst ===

impl Worst {
    pub(super) fn consider(&mut self, index: usize, sent: &Sent, ruling: &Ruling, assessment: &Assessment) {
        let (cases, weight) = match (sent.outcome, ruling.verdict) {
            (Outcome::Converted, Verdict::Block) => (&mut self.customers_blocked, 0),
            (Outcome::Converted, Verdict::Challenge) => (&mut self.customers_challenged, 0),
            (Outcome::Unconverted, Verdict::Allow) => (&mut self.unanswered_allowed, ruling.price.micros()),
            (Outcome::Converted, Verdict::Allow)
            | (Outcome::Unconverted, Verdict::Challenge | Verdict::Block)
            | (Outcome::Unknown, _) => return,
        };
        let score = assessment.score.get();
        let rank = (Reverse(weight), Reverse(score), index);
        cases.insert(rank, || Case { index, score, evidence: assessment.evidence.clone(), rank });
    }
}

// === impl Cases ===

impl Cases {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Case> {
        self.0.iter()
    }

    fn insert(&mut self, rank: (Reverse<u64>, Reverse<u8>, usize), case: impl FnOnce() -> Case) {
        let position = self.0.partition_point(|other| other.rank < rank);
        if position < MOST {
            self.0.insert(position, case());
            self.0.truncate(MOST);
        }
    }
}

/// Kept of each kind.
pub(super) const MOST: usize = 10;
