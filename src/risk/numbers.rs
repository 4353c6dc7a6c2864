//! What each number did before: how often it was texted for nothing, and whether it ever typed a code.

use super::open::OpenId;
use super::store::{Store, Worth};
use crate::attempt::Timestamp;

/// What is remembered of one number: 32 bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Past {
    asked_at: Timestamp,
    /// Messages since the last typed code, with a half-life of six hours.
    unverified: f32,
    /// The first and the last send that still wait for a code.
    pub(super) first: Option<OpenId>,
    pub(super) last: Option<OpenId>,
    /// It was challenged, and nobody has passed.
    pub(super) is_unsolved: bool,
}

/// A number that typed a code.
#[derive(Clone, Copy, Debug, Default)]
struct Customer {
    typed_at: Timestamp,
}

#[derive(Debug)]
pub(super) struct Numbers {
    pub(super) pasts: Store<Past>,
    customers: Store<Customer>,
}

// === impl Numbers ===

impl Numbers {
    pub(super) fn new(capacity: usize) -> Self {
        Self { pasts: Store::new(capacity), customers: Store::new(capacity) }
    }

    pub(super) fn past(&self, print: u64) -> Option<Past> {
        self.pasts.find(print).map(|(_, past)| *past)
    }

    pub(super) fn is_customer(&self, print: u64) -> bool {
        self.customers.find(print).is_some()
    }

    pub(super) fn ask(&mut self, print: u64, at: Timestamp) -> &mut Past {
        let (_, past) = self.pasts.entry(print, at);
        past.unverified = past.unverified(at) + 1.0;
        past.asked_at = at;
        past
    }

    pub(super) fn past_mut(&mut self, print: u64) -> Option<&mut Past> {
        let (place, _) = self.pasts.find(print)?;
        self.pasts.at(place)
    }

    /// Somebody passed the challenge.
    pub(super) fn solve(&mut self, print: u64) {
        if let Some(past) = self.past_mut(print) {
            past.is_unsolved = false;
        }
    }

    /// The number's owner typed a code.
    pub(super) fn convert(&mut self, print: u64, at: Timestamp) {
        self.customers.entry(print, at).1.typed_at = at;
        if let Some(past) = self.past_mut(print) {
            *past = Past { asked_at: at, ..Past::default() };
        }
    }
}

// === impl Past ===

impl Past {
    /// Messages since the last typed code, as they still count.
    pub(super) fn unverified(&self, at: Timestamp) -> f32 {
        self.unverified * (-at.seconds_since(self.asked_at) * std::f32::consts::LN_2 / HALF_LIFE).exp()
    }

    /// Whether asking now is a resend, a double click or a corrected typo, and not a new number.
    pub(super) fn is_lately(&self, at: Timestamp) -> bool {
        at.seconds_since(self.asked_at) <= LATELY
    }
}

impl Worth for Past {
    fn worth(&self, now: Timestamp) -> f32 {
        self.unverified(now) + if now.seconds_since(self.asked_at) < 120.0 { 1.0 } else { 0.0 }
    }
}

impl Worth for Customer {
    fn worth(&self, now: Timestamp) -> f32 {
        // Never so little that the first one that is looked at goes: the oldest does.
        2.0 + 1.0 / (1.0 + now.seconds_since(self.typed_at))
    }
}

const LATELY: f32 = 1_800.0;
const HALF_LIFE: f32 = 21_600.0;
