//! Exact limits: at most so many messages per number, client, network or block in any window of that length.
//!
//! A sliding log of the messages that passed, so there is no window edge to wait for and no burst above the count.
//! Only messages that were permitted count: nobody can use up somebody else's limit by being refused.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Deserialize;
use smallvec::SmallVec;

use super::budget::Overspent;
use super::evidence::{Evidence, Fact, Points, Signal};
use super::window::{Full, Window};
use super::{StateConfig, TableSize};
use crate::attempt::client::{Client, ClientNet};
use crate::attempt::phone::{Block, Scale};
use crate::attempt::{Attempt, Timestamp};

/// The `[limits]` section: several windows each, all of them must hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Per number, in its canonical E.164 form however it was spelled.
    pub number: Vec<Limit>,
    /// Per subscriber: IPv4 /32, IPv6 /64.
    pub client: Vec<Limit>,
    /// Per network: IPv4 /24, IPv6 /48.
    pub net: Vec<Limit>,
    /// Per block of 1,000 adjacent numbers.
    pub range: Vec<Limit>,
    /// What a request meets when its key does not fit into the table of limits.
    pub when_full: WhenFull,
}

/// At most `count` messages in any time of length `per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawLimit")]
pub struct Limit {
    count: u32,
    per: Duration,
}

/// A limit that cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum LimitError {
    /// `count` out of bounds.
    #[error("`count` must be between 1 and 10000, not {0}; to send nothing use `countries.deny`")]
    Count(u64),
    /// `per` out of bounds.
    #[error("`per` must be between \"1s\" and \"30d\", not \"{0}\"")]
    Per(String),
}

/// What to do when a table of limits has no room for another key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenFull {
    /// Send it: nobody is turned away, and new keys are not limited until there is room.
    Allow,
    /// Refuse it: no message leaves uncounted. The default, since only permitted messages fill the tables.
    #[default]
    Block,
}

/// What a limit counts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// One phone number.
    Number,
    /// One subscriber's address.
    Client,
    /// One network.
    Net,
    /// One block of 1,000 numbers.
    Range,
}

/// The limit that an attempt met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceeded {
    /// It is used up for so long.
    UsedUp {
        /// What it counts by.
        dimension: Dimension,
        /// The most that may pass.
        count: u32,
        /// In which time.
        per: Duration,
        /// Until a retry can succeed, if nothing else happens.
        wait: Duration,
    },
    /// The table is full.
    Full(Dimension),
    /// A budget is used up.
    Overspent(Overspent),
}

/// Whose limits count an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    /// All of them.
    Everything,
    /// Not those of who asks.
    NumberOnly,
}

/// Places taken in limits; dropping it keeps them taken.
#[derive(Debug, Default)]
pub struct Reservation {
    taken: SmallVec<[Attempt; 1]>,
}

#[derive(Debug)]
pub(super) struct Quotas {
    numbers: Quota<u64>,
    clients: Quota<ClientNet>,
    nets: Quota<ClientNet>,
    ranges: Quota<Block>,
    when_full: WhenFull,
    /// When a table was last swept, in milliseconds, what was reserved since, and whose turn is next.
    swept_at: AtomicU64,
    n_unswept: AtomicU64,
    turn: AtomicU64,
}

#[derive(Debug)]
struct Quota<K> {
    dimension: Dimension,
    rules: Rules,
    passes: Window<K, Passes>,
}

/// The windows of one dimension, and what they need remembered.
#[derive(Debug)]
struct Rules {
    limits: Vec<Limit>,
    longest: Duration,
    most: usize,
}

/// When messages passed, oldest first.
#[derive(Debug, Default)]
struct Passes(SmallVec<[Timestamp; 2]>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimit {
    count: u64,
    per: String,
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        let limit = |count, per| Limit { count, per };
        let (minutes, hours) = (Duration::from_mins, Duration::from_hours);
        Self {
            number: vec![limit(15, minutes(10)), limit(30, hours(24))],
            client: Vec::new(),
            net: Vec::new(),
            range: Vec::new(),
            when_full: WhenFull::Block,
        }
    }
}

impl TryFrom<RawLimit> for Limit {
    type Error = LimitError;

    fn try_from(raw: RawLimit) -> Result<Self, LimitError> {
        let count = match u32::try_from(raw.count) {
            Ok(count) if (1..=10_000).contains(&count) => count,
            Ok(_) | Err(_) => return Err(LimitError::Count(raw.count)),
        };
        match humantime::parse_duration(&raw.per) {
            Ok(per) if Duration::from_secs(1) <= per && per <= Duration::from_hours(30 * 24) => Ok(Self { count, per }),
            Ok(_) | Err(_) => Err(LimitError::Per(raw.per)),
        }
    }
}

// === impl Dimension ===

impl Dimension {
    /// The name in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Client => "client",
            Self::Net => "net",
            Self::Range => "range",
        }
    }
}

// === impl Exceeded ===

impl Exceeded {
    /// As a reason: no evidence of fraud, so it says nothing in points.
    pub fn evidence(self) -> Evidence {
        let fact = match self {
            Self::UsedUp { dimension, count, per, .. } => Fact::Limit { dimension: dimension.as_str(), count, per },
            Self::Full(dimension) => Fact::Table(dimension.as_str()),
            Self::Overspent(Overspent { scope, allowed, .. }) => {
                let fact = Fact::Budget { scope: scope.as_str(), allowed };
                return Evidence { signal: Signal::Budget, points: Points::default(), fact };
            }
        };
        Evidence { signal: Signal::Limit, points: Points::default(), fact }
    }

    /// Until a retry can succeed, if nothing else happens.
    pub fn wait(self) -> Duration {
        match self {
            Self::UsedUp { wait, .. } => wait,
            Self::Full(_) => WAIT_WHEN_FULL,
            Self::Overspent(overspent) => overspent.wait,
        }
    }
}

// === impl Quotas ===

impl Quotas {
    pub(super) fn new(limits: Limits, state: StateConfig) -> Self {
        let quota =
            |dimension, limits| Quota { dimension, rules: Rules::new(limits), passes: Window::new(state.clients) };
        Self {
            numbers: Quota {
                dimension: Dimension::Number,
                rules: Rules::new(limits.number),
                passes: Window::new(state.numbers),
            },
            clients: quota(Dimension::Client, limits.client),
            nets: quota(Dimension::Net, limits.net),
            ranges: Quota {
                dimension: Dimension::Range,
                rules: Rules::new(limits.range),
                passes: Window::new(state.blocks),
            },
            when_full: limits.when_full,
            swept_at: AtomicU64::new(0),
            n_unswept: AtomicU64::new(0),
            turn: AtomicU64::new(0),
        }
    }

    pub(super) fn check_number(&self, attempt: &Attempt) -> Result<(), Exceeded> {
        self.numbers.check(&attempt.number.digits(), attempt.at)
    }

    pub(super) fn check(&self, attempt: &Attempt, counts: Counts) -> Result<(), Exceeded> {
        self.check_number(attempt)?;
        self.ranges.check(&attempt.number.block(Scale::Thousand), attempt.at)?;
        let Some(client) = counts.client(attempt) else { return Ok(()) };
        self.clients.check(&client.host(), attempt.at)?;
        self.nets.check(&client.net(), attempt.at)
    }

    pub(super) fn refund(&self, attempt: &Attempt, counts: Counts) {
        self.numbers.give_back(&attempt.number.digits(), attempt.at);
        self.ranges.give_back(&attempt.number.block(Scale::Thousand), attempt.at);
        if let Some(client) = counts.client(attempt) {
            self.clients.give_back(&client.host(), attempt.at);
            self.nets.give_back(&client.net(), attempt.at);
        }
    }

    /// Forgets what has expired: one table at a time, each about once a minute under load, or once an hour when little
    /// happens. A table over nine tenths full is swept at once.
    pub(super) fn maintain(&self, at: Timestamp) {
        let since = at.since(Timestamp::from_millis(self.swept_at.load(Ordering::Relaxed)));
        let n_unswept = self.n_unswept.load(Ordering::Relaxed);
        let due = LONGEST_UNSWEPT <= since || (SWEEP_PERIOD <= since && MOST_UNSWEPT <= n_unswept);
        let turn = due.then(|| {
            self.swept_at.store(at.millis(), Ordering::Relaxed);
            self.n_unswept.store(0, Ordering::Relaxed);
            self.turn.fetch_add(1, Ordering::Relaxed) % N_TABLES
        });
        self.numbers.sweep(at, turn == Some(0));
        self.clients.sweep(at, turn == Some(1));
        self.nets.sweep(at, turn == Some(2));
        self.ranges.sweep(at, turn == Some(3));
    }

    pub(super) fn sizes(&self) -> [TableSize; 4] {
        [
            self.numbers.passes.size().named("limit_numbers"),
            self.clients.passes.size().named("limit_clients"),
            self.nets.passes.size().named("limit_nets"),
            self.ranges.passes.size().named("limit_ranges"),
        ]
    }

    /// Takes a place in every limit of the attempt, if there is one in all and `rest` agrees.
    ///
    /// Holds all of the attempt's keys at once, always in this order, so that a place is taken in all or in none and no
    /// rival ever sees one taken that is given back.
    pub(super) fn reserve(
        &self,
        attempt: &Attempt,
        counts: Counts,
        rest: impl FnOnce() -> Result<(), Exceeded>,
    ) -> Result<(), Exceeded> {
        self.n_unswept.fetch_add(1, Ordering::Relaxed);
        let at = attempt.at;
        let on_full = self.when_full;
        self.numbers.pass(attempt.number.digits(), at, on_full, || {
            self.ranges.pass(attempt.number.block(Scale::Thousand), at, on_full, || {
                let Some(client) = counts.client(attempt) else { return rest() };
                self.clients.pass(client.host(), at, on_full, || self.nets.pass(client.net(), at, on_full, rest))
            })
        })
    }
}

// === impl Counts ===

impl Counts {
    fn client(self, attempt: &Attempt) -> Option<Client> {
        match self {
            Self::Everything => attempt.client,
            Self::NumberOnly => None,
        }
    }
}

// === impl Reservation ===

impl Reservation {
    pub(super) fn push(&mut self, attempt: Attempt) {
        self.taken.push(attempt);
    }
}

impl IntoIterator for Reservation {
    type Item = Attempt;
    type IntoIter = smallvec::IntoIter<[Attempt; 1]>;

    fn into_iter(self) -> Self::IntoIter {
        self.taken.into_iter()
    }
}

// === impl Quota ===

impl<K: Copy + Eq + std::hash::Hash> Quota<K> {
    /// Takes a place for the key if there is one and `rest` succeeds, which runs while the key is held.
    fn pass(
        &self,
        key: K,
        at: Timestamp,
        when_full: WhenFull,
        rest: impl FnOnce() -> Result<(), Exceeded>,
    ) -> Result<(), Exceeded> {
        if self.rules.limits.is_empty() {
            return rest();
        }
        let mut rest = Some(rest);
        let passed = self.passes.update(key, |passes| {
            passes.expire(&self.rules, at);
            passes.check(&self.rules, at).map_err(|used_up| used_up.of(self.dimension))?;
            rest.take().map_or(Ok(()), |rest| rest())?;
            passes.push(&self.rules, at);
            Ok(())
        });
        match (passed, when_full) {
            (Ok(passed), WhenFull::Allow | WhenFull::Block) => passed,
            (Err(Full), WhenFull::Allow) => rest.take().map_or(Ok(()), |rest| rest()),
            (Err(Full), WhenFull::Block) => Err(Exceeded::Full(self.dimension)),
        }
    }

    fn check(&self, key: &K, at: Timestamp) -> Result<(), Exceeded> {
        let checked = self.passes.read(key, |passes| passes.check(&self.rules, at));
        checked.unwrap_or(Ok(())).map_err(|used_up| used_up.of(self.dimension))
    }

    fn give_back(&self, key: &K, at: Timestamp) {
        self.passes.update_known(key, |passes| passes.remove(at));
    }

    fn sweep(&self, at: Timestamp, due: bool) {
        self.passes.sweep(due, |passes, _| passes.0.last().is_some_and(|last| at < last.after(self.rules.longest)));
    }
}

// === impl Rules ===

impl Rules {
    fn new(mut limits: Vec<Limit>) -> Self {
        limits.sort_unstable_by_key(|limit| Reverse(limit.per));
        let longest = limits.first().map_or(Duration::ZERO, |limit| limit.per);
        let most = limits.iter().map(|limit| limit.count as usize).max().unwrap_or(0);
        Self { limits, longest, most }
    }
}

// === impl Passes ===

/// A limit without a place left, before it is known what it counts by.
struct UsedUp {
    limit: Limit,
    wait: Duration,
}

impl Passes {
    fn expire(&mut self, rules: &Rules, at: Timestamp) {
        let n_expired = self.0.partition_point(|pass| pass.after(rules.longest) <= at);
        self.0.drain(..n_expired);
    }

    /// Whether every window has a place left; else the longest wait.
    fn check(&self, rules: &Rules, at: Timestamp) -> Result<(), UsedUp> {
        let used_up = rules.limits.iter().filter_map(|limit| {
            // The message `count` places back must have left the window.
            let index = self.0.len().checked_sub(limit.count as usize)?;
            let wait = self.0.get(index)?.after(limit.per).since(at);
            (wait != Duration::ZERO).then_some(UsedUp { limit: *limit, wait })
        });
        used_up.max_by_key(|used_up| used_up.wait).map_or(Ok(()), Err)
    }

    /// Remembers a message; one that was stamped before the last keeps the order by taking its time.
    fn push(&mut self, rules: &Rules, at: Timestamp) {
        if rules.most <= self.0.len() {
            self.0.remove(0);
        }
        let last = self.0.last().copied().unwrap_or_default();
        self.0.push(at.max(last));
    }

    fn remove(&mut self, at: Timestamp) {
        if let Some(index) = self.0.iter().rposition(|pass| at <= *pass) {
            self.0.remove(index);
        }
    }
}

// === impl UsedUp ===

impl UsedUp {
    fn of(self, dimension: Dimension) -> Exceeded {
        Exceeded::UsedUp { dimension, count: self.limit.count, per: self.limit.per, wait: self.wait }
    }
}

/// A sweep looks at every key, so it waits until there may be something to find.
const SWEEP_PERIOD: Duration = Duration::from_secs(15);
const MOST_UNSWEPT: u64 = 512;
const LONGEST_UNSWEPT: Duration = Duration::from_mins(15);

/// Tables that take turns in being swept.
const N_TABLES: u64 = 4;

/// How long to wait for room in a table.
const WAIT_WHEN_FULL: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(limits: &[(u32, u64)]) -> Rules {
        Rules::new(limits.iter().map(|(count, per)| Limit { count: *count, per: Duration::from_secs(*per) }).collect())
    }

    fn pass(passes: &mut Passes, rules: &Rules, seconds: u64) -> Option<u64> {
        let at = Timestamp::from_millis(seconds * 1000);
        passes.expire(rules, at);
        match passes.check(rules, at) {
            Ok(()) => {
                passes.push(rules, at);
                None
            }
            Err(used_up) => Some(used_up.wait.as_secs()),
        }
    }

    #[test]
    fn no_window_of_that_length_ever_holds_more_than_the_count() {
        let rules = rules(&[(3, 60)]);
        let mut passes = Passes::default();
        let passed: Vec<u64> = (0..600).filter(|second| pass(&mut passes, &rules, *second).is_none()).collect();
        assert_eq!(passed[..6], [0, 1, 2, 60, 61, 62]);
        assert!(passed.windows(4).all(|four| 60 <= four[3] - four[0]));
    }

    #[test]
    fn the_longest_wait_of_several_windows_is_told() {
        let rules = rules(&[(1, 10), (2, 100)]);
        let mut passes = Passes::default();
        assert_eq!(pass(&mut passes, &rules, 0), None);
        assert_eq!(pass(&mut passes, &rules, 4), Some(6));
        assert_eq!(pass(&mut passes, &rules, 10), None);
        assert_eq!(pass(&mut passes, &rules, 20), Some(80));
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let rules = rules(&[(1, 60)]);
        let mut passes = Passes::default();
        assert_eq!(pass(&mut passes, &rules, 0), None);
        passes.remove(Timestamp::from_millis(0));
        assert_eq!(pass(&mut passes, &rules, 1), None);
    }
}
