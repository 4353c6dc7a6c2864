//! What each number did before: how often it was texted for nothing, and whether it ever typed a code.

use super::adjacency::whole;
use super::evidence::{Assessment, Evidence, Fact, Points, Signal};
use super::window::{Occupancy, Pressure, Window};
use super::{Capacity, Seen};
use crate::attempt::phone::Number;
use crate::attempt::{Attempt, Timestamp};

#[derive(Debug)]
pub(super) struct History {
    numbers: Window<u64, Past>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Past {
    at: Timestamp,
    /// Messages since the last typed code, with a half-life of six hours.
    unverified: f32,
    is_verified: bool,
}

// === impl History ===

impl History {
    pub(super) fn new(capacity: Capacity) -> Self {
        Self { numbers: Window::new(capacity) }
    }

    /// What is known of the attempt's number.
    pub(super) fn recall(&self, attempt: &Attempt) -> Option<Past> {
        self.numbers.read(&attempt.number.digits(), |past| *past)
    }

    pub(super) fn weigh(attempt: &Attempt, past: Option<Past>, assessment: &mut Assessment) {
        let Some(past) = past.map(|past| past.aged(attempt.at)) else { return };
        let (points, fact) = if past.is_verified {
            (TRUST + (4.0 * (past.unverified - 4.0)).max(0.0), Fact::VerifiedBefore)
        } else {
            (5.0 * (past.unverified - 1.5), Fact::Unverified(whole(past.unverified)))
        };
        let points = if past.is_verified { points } else { points.max(0.0) };
        assessment.add(Evidence { signal: Signal::NumberHistory, points: Points::new(points.min(-TRUST)), fact });
    }

    pub(super) fn observe(&self, attempt: &Attempt) {
        // Without room the number stays a stranger, which costs trust and never grants it.
        let _full = self.numbers.update(attempt.number.digits(), |past| {
            *past = past.aged(attempt.at);
            past.unverified += 1.0;
        });
    }

    pub(super) fn verified(&self, number: Number, at: Timestamp) {
        let _full = self.numbers.update(number.digits(), |past| {
            *past = Past { at: past.aged(at).at, unverified: 0.0, is_verified: true };
        });
    }

    pub(super) fn challenge_passed(&self, number: Number, at: Timestamp) {
        self.numbers.update_known(&number.digits(), |past| {
            *past = past.aged(at);
            past.unverified = (past.unverified - 1.0).max(0.0);
        });
    }

    pub(super) fn sweep(&self, at: Timestamp, due: bool) {
        self.numbers.sweep(due, |past, pressure| {
            let idle = at.seconds_since(past.at);
            match (past.is_verified, pressure) {
                (true, Pressure::None | Pressure::High) => idle < VERIFIED_KEPT,
                (false, Pressure::None) => idle < KEPT,
                (false, Pressure::High) => idle < 60.0 || 1.5 < past.aged(at).unverified,
            }
        });
    }

    pub(super) fn size(&self) -> Occupancy {
        self.numbers.size()
    }
}

// === impl Past ===

impl Past {
    pub(super) fn seen(past: Option<Self>, at: Timestamp) -> Seen {
        match past {
            Some(past) if at.seconds_since(past.at) < LATELY => Seen::Lately,
            Some(_) | None => Seen::Never,
        }
    }

    fn aged(mut self, at: Timestamp) -> Self {
        let elapsed = at.seconds_since(self.at);
        if 0.0 < elapsed {
            self.at = at;
            self.unverified *= 0.5f32.powf(elapsed / HALF_LIFE);
        }
        self
    }
}

/// A number asked for again within half an hour is a resend or a double click.
const LATELY: f32 = 1_800.0;

const HALF_LIFE: f32 = 21_600.0;
const KEPT: f32 = 86_400.0;
const VERIFIED_KEPT: f32 = 30.0 * 86_400.0;

/// What a number that typed a code before is worth, in decibans.
const TRUST: f32 = -20.0;
