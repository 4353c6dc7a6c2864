//! Messages that wait for their codes, and when to look at them again.
//!
//! A send is looked at after 30 and 90 seconds, a challenge after 60; after a quarter of an hour nobody waits any
//! longer. The ring is bounded: when it is full, the oldest send is given up before its time.

use std::collections::VecDeque;
use std::num::NonZero;
use std::time::Duration;

use smallvec::SmallVec;

use super::destination::Money;
use super::store::Place;
use crate::attempt::Timestamp;
use crate::attempt::country::Country;

/// Names a send for as long as the engine lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpenId(NonZero<u64>);

/// A send, or a challenge that may become one.
#[derive(Clone, Debug)]
pub(super) struct Open {
    /// When it was sent, and when it was asked for.
    pub(super) at: Timestamp,
    pub(super) asked_at: Timestamp,
    pub(super) state: State,
    /// The keys that learn from it, and what it told each of them so far.
    pub(super) told: SmallVec<[Told; 11]>,
    pub(super) country: Country,
    pub(super) number: u64,
    pub(super) price: Money,
    /// First send to its number in half an hour.
    pub(super) is_fresh: bool,
    /// Nothing spoke against it.
    pub(super) is_clean: bool,
    /// The number typed a code before.
    pub(super) is_customer: bool,
    /// The client's country fits the number's, as far as it is known.
    pub(super) is_coherent: bool,
    pub(super) relation: Option<(super::coherence::Relation, bool)>,
    pub(super) familiarity: Option<super::coherence::Familiarity>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// On its way; its code may be typed.
    Sent,
    /// Its code was typed.
    Converted,
    /// Not sent unless the challenge is passed.
    Challenged,
    /// Will never be sent.
    Over,
}

/// A key, and the evidence that is taken back when the code is typed after all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) place: Place,
    pub(super) is_prefix: bool,
    pub(super) silence: f32,
    pub(super) halves: f32,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// A send had 30 seconds.
    Soon,
    /// A send had 90 seconds.
    Matured,
    /// A challenge had 60 seconds.
    Unsolved,
}

#[derive(Debug)]
pub(super) struct Opens {
    ring: VecDeque<Open>,
    first: u64,
    capacity: usize,
    soon: VecDeque<(Timestamp, OpenId)>,
    matured: VecDeque<(Timestamp, OpenId)>,
    unsolved: VecDeque<(Timestamp, OpenId)>,
}

// === impl Opens ===

impl Opens {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            ring: VecDeque::new(),
            first: 1,
            capacity,
            soon: VecDeque::new(),
            matured: VecDeque::new(),
            unsolved: VecDeque::new(),
        }
    }

    pub(super) fn open(&mut self, open: Open) -> Option<OpenId> {
        if self.capacity <= self.ring.len() {
            self.ring.pop_front();
            self.first += 1;
        }
        let id = OpenId(NonZero::new(self.first + self.ring.len() as u64)?);
        let (at, state) = (open.at, open.state);
        self.ring.push_back(open);
        match state {
            State::Sent => self.wait(id, at),
            State::Challenged => self.unsolved.push_back((at.after(Due::Unsolved.delay()), id)),
            State::Converted | State::Over => {}
        }
        Some(id)
    }

    /// Starts to wait for the code of a send.
    pub(super) fn wait(&mut self, id: OpenId, at: Timestamp) {
        self.soon.push_back((at.after(Due::Soon.delay()), id));
    }

    pub(super) fn get(&mut self, id: OpenId) -> Option<&mut Open> {
        let index = usize::try_from(id.0.get().checked_sub(self.first)?).ok()?;
        self.ring.get_mut(index)
    }

    /// The next that is due by `at`, and when it was.
    pub(super) fn next_due(&mut self, at: Timestamp) -> Option<(Timestamp, OpenId, Due)> {
        if let Some((when, id)) = pop(&mut self.soon, at) {
            let delay = Due::Matured.delay().saturating_sub(Due::Soon.delay());
            self.matured.push_back((when.after(delay), id));
            return Some((when, id, Due::Soon));
        }
        if let Some((when, id)) = pop(&mut self.matured, at) {
            return Some((when, id, Due::Matured));
        }
        pop(&mut self.unsolved, at).map(|(when, id)| (when, id, Due::Unsolved))
    }

    /// Gives up what waited for too long.
    pub(super) fn close(&mut self, at: Timestamp) {
        while self.ring.front().is_some_and(|open| PATIENCE < at.since(open.at)) {
            self.ring.pop_front();
            self.first += 1;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ring.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }
}

// === impl Due ===

impl Due {
    const fn delay(self) -> Duration {
        match self {
            Self::Soon => Duration::from_secs(30),
            Self::Matured => Duration::from_secs(90),
            Self::Unsolved => Duration::from_secs(60),
        }
    }

    /// The share of all codes that are typed by then, of those that ever are.
    pub(super) const fn typed_by_then(self) -> f32 {
        match self {
            Self::Soon => 0.70,
            Self::Matured | Self::Unsolved => 0.97,
        }
    }
}

fn pop(queue: &mut VecDeque<(Timestamp, OpenId)>, at: Timestamp) -> Option<(Timestamp, OpenId)> {
    queue.front().filter(|(when, _)| *when <= at)?;
    queue.pop_front()
}

/// How long a code may be typed and still count for its send.
const PATIENCE: Duration = Duration::from_mins(15);
