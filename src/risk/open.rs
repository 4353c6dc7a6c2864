//! Messages that wait for their codes, and when to look at them again.
//!
//! A send is looked at after 30 and 90 seconds, a challenge after 60; after a quarter of an hour nobody waits any
//! longer. The ring is bounded: when it is full, the oldest send is given up before its time.

use std::collections::VecDeque;
use std::num::NonZero;
use std::time::Duration;

use smallvec::SmallVec;

use super::budget::Charge;
use super::store::Place;
use crate::attempt::Timestamp;

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
    /// Where it goes and what it costs.
    pub(super) charge: Charge,
    pub(super) number: u64,
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
            State::Challenged => push(&mut self.unsolved, (at.after(Due::Unsolved.delay()), id), self.capacity),
            State::Converted | State::Over => {}
        }
        Some(id)
    }

    /// Starts to wait for the code of a send.
    pub(super) fn wait(&mut self, id: OpenId, at: Timestamp) {
        push(&mut self.soon, (at.after(Due::Soon.delay()), id), self.capacity);
    }

    pub(super) fn get(&mut self, id: OpenId) -> Option<&mut Open> {
        let index = usize::try_from(id.0.get().checked_sub(self.first)?).ok()?;
        self.ring.get_mut(index)
    }

    /// The next that is due by `at`, and when it was, in the order of time.
    pub(super) fn next_due(&mut self, at: Timestamp) -> Option<(Timestamp, OpenId, Due)> {
        let queues = [(&self.soon, Due::Soon), (&self.matured, Due::Matured), (&self.unsolved, Due::Unsolved)];
        let fronts = queues.into_iter().filter_map(|(queue, due)| queue.front().map(|(when, _)| (*when, due)));
        let (_, due) = fronts.filter(|(when, _)| *when <= at).min_by_key(|(when, _)| *when)?;
        let (when, id) = match due {
            Due::Soon => self.soon.pop_front(),
            Due::Matured => self.matured.pop_front(),
            Due::Unsolved => self.unsolved.pop_front(),
        }?;
        if due == Due::Soon {
            let delay = Due::Matured.delay().saturating_sub(Due::Soon.delay());
            push(&mut self.matured, (when.after(delay), id), self.capacity);
        }
        Some((when, id, due))
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

/// A timer of a send that was given up goes first.
fn push(queue: &mut VecDeque<(Timestamp, OpenId)>, timer: (Timestamp, OpenId), capacity: usize) {
    if capacity <= queue.len() {
        queue.pop_front();
    }
    queue.push_back(timer);
}

/// How long a code may be typed and still count for its send.
const PATIENCE: Duration = Duration::from_mins(15);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::destination::Money;
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(START + millis)
    }

    fn open(at: Timestamp, state: State) -> Open {
        Open {
            at,
            asked_at: at,
            state,
            told: SmallVec::new(),
            charge: Charge { at, range: 1, country: "US".parse().unwrap(), price: Money::default() },
            number: 1,
            is_fresh: true,
            is_clean: true,
            is_customer: false,
            is_coherent: true,
            relation: None,
            familiarity: None,
        }
    }

    /// Times of sends, some of them challenged, in their order.
    fn sends() -> impl Strategy<Value = Vec<(u64, State)>> {
        let state = prop::sample::select(vec![State::Sent, State::Challenged]);
        prop::collection::vec((0_u64..200_000, state), 1..100).prop_map(|sends| {
            let mut now = 0;
            let stamped = sends.into_iter().map(|(gap, state)| {
                now += gap;
                (now, state)
            });
            stamped.collect()
        })
    }

    fn all_due(opens: &mut Opens, at: Timestamp) -> Vec<(Timestamp, OpenId, Due)> {
        std::iter::from_fn(|| opens.next_due(at)).collect()
    }

    proptest! {
        #[test]
        fn the_ring_never_holds_more_than_its_capacity_and_keeps_the_youngest(sends in sends(), capacity in 1_usize..20) {
            let mut opens = Opens::new(capacity);
            let ids: Vec<OpenId> =
                sends.iter().filter_map(|(millis, state)| opens.open(open(at(*millis), *state))).collect();
            prop_assert_eq!(ids.len(), sends.len());
            prop_assert_eq!(opens.len(), sends.len().min(capacity));
            let n_known = ids.iter().filter(|id| opens.get(**id).is_some()).count();
            prop_assert_eq!(n_known, opens.len());
            prop_assert!(ids.iter().rev().take(n_known).all(|id| opens.get(*id).is_some()));
        }

        #[test]
        fn every_send_is_looked_at_twice_and_every_challenge_once(sends in sends()) {
            let mut opens = Opens::new(1000);
            for (millis, state) in &sends {
                opens.open(open(at(*millis), *state));
            }
            let due = all_due(&mut opens, at(u64::from(u32::MAX)));
            let n_due = |wanted| due.iter().filter(|(_, _, due)| *due == wanted).count();
            let n_sent = sends.iter().filter(|(_, state)| *state == State::Sent).count();
            prop_assert_eq!((n_due(Due::Soon), n_due(Due::Matured)), (n_sent, n_sent));
            prop_assert_eq!(n_due(Due::Unsolved), sends.len() - n_sent);
        }

        #[test]
        fn what_is_due_comes_in_the_order_of_its_times(sends in sends()) {
            let mut opens = Opens::new(1000);
            for (millis, state) in &sends {
                opens.open(open(at(*millis), *state));
            }
            let due = all_due(&mut opens, at(u64::from(u32::MAX)));
            prop_assert!(due.is_sorted_by_key(|(when, ..)| *when), "{due:?}");
        }
    }

    #[test]
    fn nothing_is_due_before_its_time() {
        let mut opens = Opens::new(10);
        opens.open(open(at(0), State::Sent));
        assert_eq!(opens.next_due(at(29_999)), None);
        assert_eq!(opens.next_due(at(30_000)).map(|(when, _, due)| (when, due)), Some((at(30_000), Due::Soon)));
        assert_eq!(opens.next_due(at(89_999)), None);
        assert_eq!(opens.next_due(at(90_000)).map(|(when, _, due)| (when, due)), Some((at(90_000), Due::Matured)));
    }

    #[test]
    fn timers_are_bounded_as_the_ring_is() {
        let mut opens = Opens::new(16);
        for n in 0..160 {
            opens.open(open(at(n), State::Challenged));
            opens.open(open(at(n), State::Sent));
        }
        for queue in [&opens.soon, &opens.matured, &opens.unsolved] {
            assert!(queue.len() <= 16, "{}", queue.len());
        }
    }

    #[test]
    fn nobody_waits_longer_than_a_quarter_of_an_hour() {
        let mut opens = Opens::new(10);
        opens.open(open(at(0), State::Sent));
        opens.close(at(900_000));
        assert_eq!(opens.len(), 1);
        opens.close(at(900_001));
        assert_eq!(opens.len(), 0);
    }

    const START: u64 = 1_700_000_000_000;
}
