//! Decides how suspicious an attempt is: every signal adds evidence in decibans, and the sum is the score's log-odds.
//!
//! The engine is deterministic and keeps no clock: the same attempts and events with the same timestamps give the
//! same assessments, live and in replay. It knows nothing of thresholds, modes or HTTP.

mod budget;
mod campaign;
mod carriers;
mod coherence;
mod country;
mod destination;
mod evidence;
mod expect;
mod feed;
mod hosting;
mod key;
mod ledger;
mod node;
mod numbers;
mod open;
mod quota;
mod share;
mod store;
mod table;
mod verified;
mod volume;
mod weigh;
mod window;

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Deserialize;

use crate::attempt::phone::Number;
use crate::attempt::{Attempt, Channel, Timestamp, Verdict};

pub use budget::{Budget, BudgetConfig, Overspent, Scope};
pub use carriers::{Carrier, Carriers};
pub use destination::{Destinations, Money, NotMoney};
pub use evidence::{Assessment, Crowd, Evidence, Fact, Points, Range, Score, ScoreError, Signal, Source};
pub use expect::{ExpectError, Expected, Name};
pub use feed::{FeedMode, FeedState};
pub use hosting::Hosting;
pub use open::OpenId;
pub use quota::{Dimension, Exceeded, Limit, LimitError, Limits, Reservation, WhenFull};
pub use table::TableError;
pub use verified::Verified;

use ledger::Ledger;
use quota::{Counts, Quotas};
use weigh::Case;
use window::Occupancy;

/// How much the engine may remember, in keys; full tables are reported in metrics and become evidence.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StateConfig {
    /// Numbers with a history, separately numbers that typed a code, and numbers under a limit.
    pub numbers: Capacity,
    /// Ranges of numbers of all widths, and separately those under a limit.
    pub blocks: Capacity,
    /// Hosts, networks and software of clients, and separately each of them under a limit.
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
    data: Data,
    expected: Vec<Expected>,
    ledger: Mutex<Ledger>,
    quotas: Quotas,
}

/// What the operator decides about the engine.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How much is remembered.
    pub state: StateConfig,
    /// Exact counts.
    pub limits: Limits,
    /// Whether typed codes are seen.
    pub feed: FeedMode,
    /// Exact money.
    pub budget: BudgetConfig,
    /// Events that are known beforehand.
    pub expected: Vec<Expected>,
    /// Keys the fingerprints, so that strangers cannot choose theirs; replays use the same one always.
    pub seed: u64,
}

/// What is known of the world before any traffic.
#[derive(Debug)]
pub struct Data {
    /// Prices, and the operator's risk table.
    pub destinations: Destinations,
    /// Whose numbers are whose.
    pub carriers: Carriers,
    /// Networks of servers.
    pub hosting: Hosting,
    /// Numbers that were customers' before.
    pub verified: Verified,
    /// Makes the pseudonyms among them.
    pub tag: Tag,
}

/// A keyed hash of numbers, made elsewhere.
pub struct Tag(Box<dyn Fn(Number) -> [u8; 8] + Send + Sync>);

/// What becomes of an attempt; beside a verdict, since one that is only monitored is sent all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is sent.
    Sent,
    /// It is sent once a challenge is passed.
    Asked,
    /// It is not sent.
    Refused,
}

/// What happened after an attempt was decided.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The code was typed: whoever asked does hold the number.
    Verified {
        /// When.
        at: Timestamp,
        /// The number whose code was typed.
        number: Number,
    },
    /// The challenge was solved, and the message is sent after all.
    ChallengePassed {
        /// When.
        at: Timestamp,
        /// Which challenged attempt it was.
        send: OpenId,
    },
    /// The message certainly never left.
    Unsent {
        /// When.
        at: Timestamp,
        /// Which attempt it was.
        send: OpenId,
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
    /// Keys that had to go for others.
    pub n_evicted: u64,
}

// === impl Engine ===

impl Engine {
    /// An engine that has seen nothing yet.
    pub fn new(settings: Settings, data: Data) -> Self {
        let ledger = Mutex::new(Ledger::new(&settings));
        let Settings { state, limits, expected, .. } = settings;
        Self { data, expected, ledger, quotas: Quotas::new(limits, state) }
    }

    /// Scores the attempt. Learns nothing from it: [`Engine::record`] does, once it is decided.
    pub fn assess(&self, attempt: &Attempt) -> Assessment {
        let price = self.price(attempt);
        let carrier = self.data.carriers.find(attempt.number).prefix;
        let mut found = self.ledger().look(attempt, carrier, price);
        found.is_customer |= self.data.verified.contains(attempt.number, || (self.data.tag.0)(attempt.number));
        let expected = self.expected(attempt);
        Case { attempt, found: &found, data: &self.data, price, expected }.assess()
    }

    /// Learns from the attempt, from what was decided about it and from what becomes of it. The name is for events that
    /// follow; an attempt that a rule decided has none.
    pub fn record(&self, attempt: &Attempt, assessment: &Assessment, verdict: Verdict, fate: Fate) -> Option<OpenId> {
        let trace = assessment.trace.as_ref()?;
        self.ledger().record(attempt, trace, verdict, fate)
    }

    /// Takes one message out of every limit and budget the attempts fall under, all or nothing.
    ///
    /// Exact under any concurrency: of attempts racing for one key, as many succeed as its limit has left.
    ///
    /// # Errors
    /// [`Exceeded`] names the limit or budget that is used up; then nothing was taken.
    pub fn reserve(&self, attempts: &[Attempt]) -> Result<Reservation, Exceeded> {
        let mut reservation = Reservation::default();
        for attempt in attempts {
            let reserved = self.quotas.reserve(attempt, self.counts_source(attempt), || self.charge(attempt));
            if let Err(exceeded) = reserved {
                self.refund(reservation);
                return Err(exceeded);
            }
            reservation.push(*attempt);
        }
        Ok(reservation)
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
    /// [`Exceeded`] names the limit or budget that is used up.
    pub fn would_reserve(&self, attempt: &Attempt) -> Result<(), Exceeded> {
        self.quotas.check(attempt, self.counts_source(attempt))?;
        self.ledger().check_budget(attempt, self.price(attempt)).map_err(Exceeded::Overspent)
    }

    /// Gives back what was reserved for messages that certainly never left.
    pub fn refund(&self, reservation: Reservation) {
        for attempt in reservation {
            self.quotas.refund(&attempt, self.counts_source(&attempt));
            self.ledger().uncharge(&attempt, self.price(&attempt));
        }
    }

    /// Learns from what happened after an attempt.
    pub fn fold(&self, event: &Event) {
        self.ledger().fold(event);
    }

    /// What the message would cost, for totals of money.
    pub fn price(&self, attempt: &Attempt) -> Money {
        let text = self.data.destinations.price(attempt.number);
        match attempt.channel {
            Channel::Text => text,
            Channel::Voice => text.times(VOICE),
        }
    }

    /// Does what became due and forgets what has expired; call it about once a second of the attempts' time, off the
    /// request's path.
    pub fn maintain(&self, at: Timestamp) {
        self.ledger().advance(at);
        self.quotas.maintain(at);
    }

    /// Whether typed codes are seen.
    pub fn feed(&self, at: Timestamp) -> FeedState {
        self.ledger().feed(at)
    }

    /// How full each table is.
    pub fn tables(&self) -> Vec<TableSize> {
        let mut tables = self.ledger().tables().to_vec();
        tables.extend(self.quotas.sizes());
        tables
    }

    fn charge(&self, attempt: &Attempt) -> Result<(), Exceeded> {
        self.ledger().charge(attempt, self.price(attempt)).map_err(Exceeded::Overspent)
    }

    fn expected(&self, attempt: &Attempt) -> Option<&Expected> {
        self.expected.iter().find(|expected| expected.explains(attempt))
    }

    /// Whether limits per client and network count the attempt; a declared event of its source lifts them.
    fn counts_source(&self, attempt: &Attempt) -> Counts {
        let is_lifted = self.expected.iter().any(|expected| expected.names_sources() && expected.explains(attempt));
        if is_lifted { Counts::NumberOnly } else { Counts::Everything }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Tag ===

impl Tag {
    /// Hashes as `tag` does.
    pub fn new(tag: impl Fn(Number) -> [u8; 8] + Send + Sync + 'static) -> Self {
        Self(Box::new(tag))
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tag")
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
        TableSize { table, n_keys: self.n_keys, capacity: self.capacity, n_evicted: 0 }
    }
}

/// What a call costs beside a text, about.
const VOICE: u32 = 4;

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::attempt::client::Client;
    use crate::attempt::origin::Origin;
    use crate::attempt::phone::{Reader, ReaderKind};

    /// What may happen, in any order.
    #[derive(Clone, Debug)]
    enum Step {
        Send { after: u64, host: u8, number: usize, country: usize, is_sent: bool },
        Typed { number: usize },
        Solved { nth: usize },
        Unsent { nth: usize },
    }

    /// What was seen on the way.
    struct Played {
        engine: Engine,
        at: Timestamp,
        assessments: Vec<Assessment>,
    }

    fn play(feed: FeedMode, steps: &[Step]) -> Played {
        let data = Data {
            destinations: Destinations::builtin().unwrap(),
            carriers: Carriers::load(None).unwrap(),
            hosting: Hosting::builtin().unwrap(),
            verified: Verified::empty(),
            tag: Tag::new(|_| [0; 8]),
        };
        let engine = Engine::new(Settings { feed, ..Settings::default() }, data);
        let mut played = Played { engine, at: Timestamp::from_millis(1_700_000_000_000), assessments: Vec::new() };
        let mut sends = Vec::new();
        for step in steps {
            let at = played.at;
            match *step {
                Step::Send { after, host, number, country, is_sent } => {
                    played.at = Timestamp::from_millis(at.millis() + after);
                    let attempt = attempt(played.at, host, number, country);
                    let assessment = played.engine.assess(&attempt);
                    let (verdict, fate) =
                        if is_sent { (Verdict::Allow, Fate::Sent) } else { (Verdict::Challenge, Fate::Asked) };
                    sends.extend(played.engine.record(&attempt, &assessment, verdict, fate));
                    played.assessments.push(assessment);
                }
                Step::Typed { number } => played.engine.fold(&Event::Verified { at, number: NUMBERS[number] }),
                Step::Solved { nth } => {
                    if let Some(send) = sends.get(nth) {
                        played.engine.fold(&Event::ChallengePassed { at, send: *send });
                    }
                }
                Step::Unsent { nth } => {
                    if let Some(send) = sends.get(nth) {
                        played.engine.fold(&Event::Unsent { at, send: *send });
                    }
                }
            }
        }
        played
    }

    fn attempt(at: Timestamp, host: u8, number: usize, country: usize) -> Attempt {
        let ip = Ipv6Addr::from_bits((0x2001_0db8 << 96) | (u128::from(host) << 64));
        let origin = Origin { asn: None, country: ["US", "UZ", "BR"][country].parse().ok() };
        Attempt { origin, ..Attempt::new(at, NUMBERS[number]).from(Client::new(ip.into())) }
    }

    fn send() -> impl Strategy<Value = Step> {
        let after = prop_oneof![0_u64..5_000, 0_u64..120_000, 0_u64..20_000_000];
        (after, 0_u8..3, 0..N_NUMBERS, 0_usize..3, any::<bool>())
            .prop_map(|(after, host, number, country, is_sent)| Step::Send { after, host, number, country, is_sent })
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => send(),
            2 => (0..N_NUMBERS).prop_map(|number| Step::Typed { number }),
            1 => (0_usize..40).prop_map(|nth| Step::Solved { nth }),
            1 => (0_usize..40).prop_map(|nth| Step::Unsent { nth }),
        ];
        prop::collection::vec(step, 0..80)
    }

    /// What the engine has learned of ordinary traffic, in all and under every key of every number.
    fn learned(played: &Played) -> f32 {
        let mut ledger = played.engine.ledger();
        let mut learned = 0.0;
        for (number, host) in (0..N_NUMBERS).flat_map(|number| (0..3).map(move |host| (number, host))) {
            let attempt = attempt(played.at, host, number, 0);
            let carrier = played.engine.data.carriers.find(attempt.number).prefix;
            let found = ledger.look(&attempt, carrier, played.engine.price(&attempt));
            learned += found.looks.iter().map(|look| look.node.week + look.node.day).sum::<f32>();
            learned += found.total.week + found.total.day;
        }
        learned
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn the_points_of_an_assessment_add_up_to_its_score(steps in steps()) {
            for assessment in play(FeedMode::Auto, &steps).assessments {
                let sum: f32 = assessment.evidence.iter().map(|evidence| evidence.points.decibans()).sum();
                let expected = 100.0 * Points::new(sum).probability();
                prop_assert!((expected - f32::from(assessment.score.get())).abs() <= 0.51, "{assessment:?}");
            }
        }

        #[test]
        fn the_same_events_give_the_same_assessments(steps in steps()) {
            let seen = || play(FeedMode::Auto, &steps).assessments;
            for (one, other) in seen().iter().zip(&seen()) {
                prop_assert_eq!(format!("{:?} {:?}", one.score, one.evidence), format!("{:?} {:?}", other.score, other.evidence));
                prop_assert_eq!(one.spares_customers, other.spares_customers);
            }
        }

        #[test]
        fn looking_changes_nothing(steps in steps(), number in 0..N_NUMBERS) {
            let played = play(FeedMode::Auto, &steps);
            let attempt = attempt(played.at, 1, number, 1);
            let first = played.engine.assess(&attempt);
            let n_keys = |played: &Played| played.engine.tables().iter().map(|size| size.n_keys).sum::<usize>();
            let n_before = n_keys(&played);
            prop_assert_eq!(played.engine.assess(&attempt).score, first.score);
            prop_assert_eq!(n_keys(&played), n_before);
        }

        #[test]
        fn sends_without_typed_codes_teach_nothing_where_codes_are_seen(
            steps in prop::collection::vec(send(), 0..80),
            solved in prop::collection::vec(0_usize..80, 0..20),
        ) {
            let solved = solved.into_iter().map(|nth| Step::Solved { nth });
            let steps: Vec<Step> = steps.into_iter().chain(solved).collect();
            prop_assert_eq!(learned(&play(FeedMode::Always, &steps)), 0.0);
        }
    }

    #[test]
    fn typed_codes_teach() {
        let steps = [Step::Send { after: 0, host: 1, number: 0, country: 0, is_sent: true }, Step::Typed { number: 0 }];
        assert!(0.0 < learned(&play(FeedMode::Always, &steps)));
    }

    #[test]
    fn a_code_typed_after_an_abandoned_challenge_teaches_the_keys_as_any_other() {
        let send = |after, is_sent| Step::Send { after, host: 1, number: 0, country: 0, is_sent };
        let played = play(FeedMode::Always, &[send(0, false), send(70_000, true), Step::Typed { number: 0 }]);
        let mut ledger = played.engine.ledger();
        let attempt = attempt(played.at, 1, 0, 0);
        let carrier = played.engine.data.carriers.find(attempt.number).prefix;
        let found = ledger.look(&attempt, carrier, played.engine.price(&attempt));
        assert_eq!(found.total.week, 1.0);
        let known: Vec<f32> =
            found.looks.iter().filter(|look| look.place.is_some()).map(|look| look.node.week).collect();
        assert_eq!(known, vec![1.0; known.len()]);
    }

    #[test]
    fn a_message_that_never_left_leaves_no_debt() {
        let send = Step::Send { after: 0, host: 1, number: 0, country: 0, is_sent: true };
        let played = play(FeedMode::Always, &[send, Step::Unsent { nth: 0 }]);
        let mut ledger = played.engine.ledger();
        let attempt = attempt(played.at, 1, 0, 0);
        let carrier = played.engine.data.carriers.find(attempt.number).prefix;
        let country = ledger.look(&attempt, carrier, played.engine.price(&attempt)).country;
        assert_eq!((country.overdraft(0.8), country.surge()), (0.0, 0.0));
    }

    const N_NUMBERS: usize = 24;

    /// Twelve fictional numbers of two blocks, and as many of a dear country, in one.
    static NUMBERS: LazyLock<Vec<Number>> = LazyLock::new(|| {
        let reader = Reader::builtin(ReaderKind::Google).unwrap();
        let home = (0..12).map(|n| format!("+1{}55501{n:02}", [201, 202][n % 2]));
        let dear = (0..12).map(|n| format!("+9989012345{n:02}"));
        home.chain(dear).map(|text| reader.read(&text, None).unwrap()).collect()
    });
}
