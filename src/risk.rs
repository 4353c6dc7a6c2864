//! Decides how suspicious an attempt is: every signal adds evidence in decibans, and the sum is the score's log-odds.
//!
//! The engine is deterministic and keeps no clock: the same attempts and events with the same timestamps give the
//! same assessments, live and in replay. It knows nothing of thresholds, modes or HTTP.

mod adjacency;
mod carriers;
mod destination;
mod evidence;
mod history;
mod hosting;
mod node;
mod quota;
mod table;
mod velocity;
mod verified;
mod window;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Deserialize;

use crate::attempt::client::Client;
use crate::attempt::phone::Number;
use crate::attempt::{Attempt, Timestamp};

pub use carriers::{Carrier, Carriers};
pub use destination::{Destinations, Money};
pub use evidence::{Assessment, Evidence, Fact, Points, Score, ScoreError, Signal};
pub use hosting::Hosting;
pub use quota::{Dimension, Exceeded, Limit, LimitError, Limits, Reservation, WhenFull};
pub use table::TableError;
pub use verified::Verified;

use adjacency::Adjacency;
use history::{History, Past};
use node::Totals;
use quota::Quotas;
use velocity::Velocity;
use window::Occupancy;

/// How much the engine may remember, in keys; full tables are reported in metrics and become evidence.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StateConfig {
    /// Numbers with a history, and separately numbers under a limit.
    pub numbers: Capacity,
    /// Blocks of adjacent numbers: those of 1,000 and 100,000, separately those of 10,000, and those under a limit.
    pub blocks: Capacity,
    /// Client hosts and networks, and separately each of them under a limit.
    pub clients: Capacity,
}

/// A number of keys, from 16 to 100 million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u64")]
pub struct Capacity(usize);

/// A capacity that no table can have.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("{0} keys is out of bounds, a capacity is between 16 and 100000000")]
pub struct CapacityError(u64);

/// Everything remembered about traffic, and the signals that look at it.
#[derive(Debug)]
pub struct Engine {
    destinations: Destinations,
    adjacency: Adjacency,
    velocity: Velocity,
    history: History,
    quotas: Quotas,
    totals: Mutex<Totals>,
    /// When a code was last typed, in milliseconds.
    verified_at: AtomicU64,
    /// When `maintain` last swept a table, in milliseconds, what was assessed since, and whose turn is next.
    swept_at: AtomicU64,
    n_unswept: AtomicU64,
    turn: AtomicU64,
}

/// What happened after an attempt was permitted.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The code was typed: whoever asked does hold the number.
    Verified {
        /// When.
        at: Timestamp,
        /// The number whose code was typed.
        number: Number,
        /// Who typed it, as far as that is known.
        client: Option<Client>,
    },
    /// The challenge was solved; says a little in the number's favour.
    ChallengePassed {
        /// When.
        at: Timestamp,
        /// The number that was asked for.
        number: Number,
    },
}

/// How full one table is.
#[derive(Clone, Copy, Debug)]
pub struct TableSize {
    /// The table's name, as metrics show it.
    pub table: &'static str,
    /// Keys in it now.
    pub n_keys: usize,
    /// Keys it can hold.
    pub capacity: usize,
}

// === impl Engine ===

impl Engine {
    /// An engine that has seen nothing yet.
    pub fn new(state: StateConfig, limits: Limits, destinations: Destinations) -> Self {
        Self {
            destinations,
            adjacency: Adjacency::new(state.blocks),
            velocity: Velocity::new(state.clients),
            history: History::new(state.numbers),
            quotas: Quotas::new(limits, state),
            totals: Mutex::new(Totals::default()),
            verified_at: AtomicU64::new(0),
            swept_at: AtomicU64::new(0),
            n_unswept: AtomicU64::new(0),
            turn: AtomicU64::new(0),
        }
    }

    /// Scores the attempt and remembers it. Costs about a microsecond.
    pub fn assess(&self, attempt: &Attempt) -> Assessment {
        self.n_unswept.fetch_add(1, Ordering::Relaxed);
        let past = self.history.recall(attempt);
        let seen = Past::seen(past, attempt.at);
        let assessment = self.weigh(attempt, past);
        let looks_clean = assessment.score <= CLEAN;
        let lesson = if looks_clean && !self.has_verify_feed(attempt.at) { Lesson::Clean } else { Lesson::Suspect };
        self.history.observe(attempt);
        if seen == Seen::Never {
            self.destinations.observe(attempt, lesson);
            self.adjacency.observe(attempt, lesson);
            self.velocity.observe(attempt, lesson);
        }
        if seen == Seen::Never && looks_clean {
            let mut totals = self.totals();
            totals.sent(attempt.at);
            if lesson == Lesson::Clean {
                totals.learn(attempt.at);
            }
        }
        assessment
    }

    /// Scores the attempt as [`Engine::assess`] would, and remembers nothing.
    pub fn preview(&self, attempt: &Attempt) -> Assessment {
        self.weigh(attempt, self.history.recall(attempt))
    }

    /// Takes one message out of every limit the attempts fall under, all or nothing.
    ///
    /// Exact under any concurrency: of attempts racing for one key, as many succeed as its limit has left.
    ///
    /// # Errors
    /// [`Exceeded`] names the limit that is used up; then nothing was taken.
    pub fn reserve(&self, attempts: &[Attempt]) -> Result<Reservation, Exceeded> {
        self.quotas.reserve(attempts)
    }

    /// Whether the number itself has a place left: the cheapest question, to be asked first.
    ///
    /// # Errors
    /// [`Exceeded`] names the limit that is used up.
    pub fn check_number(&self, attempt: &Attempt) -> Result<(), Exceeded> {
        self.quotas.check_number(attempt)
    }

    /// Says what [`Engine::reserve`] would, and takes nothing.
    ///
    /// # Errors
    /// [`Exceeded`] names the limit that is used up.
    pub fn would_reserve(&self, attempt: &Attempt) -> Result<(), Exceeded> {
        self.quotas.check(attempt)
    }

    /// Gives back what was reserved for messages that certainly never left.
    pub fn refund(&self, reservation: Reservation) {
        self.quotas.refund(reservation);
    }

    /// Learns from what happened after an attempt.
    pub fn fold(&self, event: &Event) {
        match *event {
            Event::Verified { at, number, client } => {
                self.verified_at.store(at.millis(), Ordering::Relaxed);
                self.totals().learn(at);
                self.history.verified(number, at);
                self.adjacency.verified(number, at);
                self.destinations.verified(number, at);
                if let Some(client) = client {
                    self.velocity.verified(client, at);
                }
            }
            Event::ChallengePassed { at, number } => self.history.challenge_passed(number, at),
        }
    }

    /// What one message to the number costs, for totals of money.
    pub fn price(&self, number: Number) -> Money {
        self.destinations.price(number)
    }

    /// Forgets what has expired; call it about once a second of the attempts' time, off the request's path.
    ///
    /// Sweeps one table at a time, each about once a minute, or once an hour when little happens. A table over nine
    /// tenths full is swept at once, and then keys that hold the least knowledge go first: a flood of strangers pushes
    /// out strangers, not campaigns or customers.
    pub fn maintain(&self, at: Timestamp) {
        let since = at.since(Timestamp::from_millis(self.swept_at.load(Ordering::Relaxed)));
        let n_unswept = self.n_unswept.load(Ordering::Relaxed);
        let due = LONGEST_UNSWEPT <= since || (SWEEP_PERIOD <= since && MOST_UNSWEPT <= n_unswept);
        let turn = if due {
            self.swept_at.store(at.millis(), Ordering::Relaxed);
            self.n_unswept.store(0, Ordering::Relaxed);
            Some(self.turn.fetch_add(1, Ordering::Relaxed) % N_TABLES)
        } else {
            None
        };
        let is_due = |table| turn == Some(table);
        self.adjacency.sweep(at, is_due(0), is_due(1));
        self.velocity.sweep(at, is_due(2));
        self.history.sweep(at, is_due(3));
        self.quotas.sweep(at, [4, 5, 6, 7].map(is_due));
    }

    /// How full each table is.
    pub fn tables(&self) -> Vec<TableSize> {
        let mut tables = vec![self.velocity.size().named("clients"), self.history.size().named("numbers")];
        tables.extend(self.adjacency.sizes());
        tables.extend(self.quotas.sizes());
        tables
    }

    fn weigh(&self, attempt: &Attempt, past: Option<Past>) -> Assessment {
        let seen = Past::seen(past, attempt.at);
        let totals = self.totals().at(attempt.at);
        let mut assessment = Assessment::default();
        assessment.add(Evidence { signal: Signal::Prior, points: PRIOR, fact: Fact::Because("fraud is rare") });
        let share = self.destinations.weigh(attempt, &totals, &mut assessment);
        self.adjacency.weigh(attempt, seen, &totals, share, &mut assessment);
        self.velocity.weigh(attempt, seen, &totals, &mut assessment);
        History::weigh(attempt, past, &mut assessment);
        assessment.conclude();
        assessment
    }

    /// Whether typed codes are seen at all. Then they alone teach what is normal, which an attack cannot imitate;
    /// without them traffic that looks clean has to do.
    fn has_verify_feed(&self, at: Timestamp) -> bool {
        let verified_at = self.verified_at.load(Ordering::Relaxed);
        0 < verified_at && at.since(Timestamp::from_millis(verified_at)) < FEED_LIVES
    }

    fn totals(&self) -> std::sync::MutexGuard<'_, Totals> {
        self.totals.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

// === impl StateConfig ===

impl Default for StateConfig {
    fn default() -> Self {
        Self { numbers: Capacity(500_000), blocks: Capacity(1_000_000), clients: Capacity(500_000) }
    }
}

// === impl Capacity ===

impl Capacity {
    fn get(self) -> usize {
        self.0
    }
}

impl TryFrom<u64> for Capacity {
    type Error = CapacityError;

    fn try_from(keys: u64) -> Result<Self, CapacityError> {
        match usize::try_from(keys) {
            Ok(n_keys) if (16..=100_000_000).contains(&n_keys) => Ok(Self(n_keys)),
            Ok(_) | Err(_) => Err(CapacityError(keys)),
        }
    }
}

// === impl Occupancy ===

impl Occupancy {
    fn named(self, table: &'static str) -> TableSize {
        TableSize { table, n_keys: self.n_keys, capacity: self.capacity }
    }
}

/// Whether this number was asked for lately: a resend or a corrected typo is not a new number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Never,
    Lately,
}

/// What an attempt may teach the baselines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lesson {
    /// It looked like a customer.
    Clean,
    /// It did not: it counts as pressure, and never as normal traffic.
    Suspect,
}

/// The share of attempts believed fraudulent in ordinary times, 0.6 %, as log-odds.
const PRIOR: Points = Points::new(-22.0);

/// Attempts up to this score count as ordinary traffic.
const CLEAN: Score = Score::saturating(20);

/// After so long without a typed code the feed counts as broken.
const FEED_LIVES: Duration = Duration::from_hours(24);

/// A sweep looks at every key, so it waits until there may be something to find.
const SWEEP_PERIOD: Duration = Duration::from_secs(7);
const MOST_UNSWEPT: u64 = 512;
const LONGEST_UNSWEPT: Duration = Duration::from_mins(7);

/// Tables that take turns in being swept.
const N_TABLES: u64 = 8;
