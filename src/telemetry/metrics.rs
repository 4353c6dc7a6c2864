//! Counters and histograms in Prometheus form. Labels come from config and from fixed lists, never from strangers.

use std::fmt::{self, Write};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::attempt::Verdict;
use crate::attempt::country::Country;
use crate::risk::{FeedState, Money, Signal, TableSize};

/// Everything counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    decisions: Family<DecisionLabels, Counter>,
    countries: Family<CountryLabels, Counter>,
    reasons: Family<ReasonLabels, Counter>,
    saved: Counter,
    passed: Counter,
    refused: Family<RefusedLabels, Counter>,
    upstream: Family<OutcomeLabels, Counter>,
    outcomes: [Counter; Outcome::NAMES.len()],
    decision_time: Histogram,
    upstream_time: Histogram,
    verified: Counter,
    connections: Gauge,
    table_keys: Family<TableLabels, Gauge>,
    table_capacity: Family<TableLabels, Gauge>,
    table_evicted: Family<TableLabels, Gauge>,
    feed: Family<FeedLabels, Gauge>,
    log_lost: Gauge<i64>,
    geo_reloads: Family<ReloadLabels, Counter>,
    geo_built: Family<DatabaseLabels, Gauge>,
    is_ready: Gauge,
}

/// The counters of one endpoint, found once.
#[derive(Clone, Debug, Default)]
pub struct EndpointCounters {
    allowed: Counter,
    challenged: Counter,
    blocked: Counter,
}

/// How asking the upstream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It answered with this status.
    Answered(u16),
    /// No connection could be made: nothing was sent.
    Unreachable,
    /// It did not answer in time.
    TimedOut,
    /// The connection broke after something may have been sent.
    Broken,
}

/// Why a request was refused before any number was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The per-client ceiling.
    Ceiling,
    /// Too many requests at once.
    Overload,
    /// The body is larger than allowed.
    TooLarge,
    /// The body did not arrive in time, or not whole.
    SlowBody,
    /// The request line or framing is not one that can be forwarded safely.
    Malformed,
    /// The method is not one of the endpoint's.
    Method,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecisionLabels {
    endpoint: String,
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CountryLabels {
    country: CountryLabel,
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusedLabels {
    why: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TableLabels {
    table: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FeedLabels {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReloadLabels {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DatabaseLabels {
    database: &'static str,
}

/// A country, or `unknown` where no number could be read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct CountryLabel(Option<Country>);

impl EncodeLabelValue for CountryLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        match self.0 {
            Some(country) => write!(encoder, "{country}"),
            None => encoder.write_str("unknown"),
        }
    }
}

// === impl Metrics ===

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let upstream: Family<OutcomeLabels, Counter> = Family::default();
        let outcomes = Outcome::NAMES.map(|outcome| upstream.get_or_create_owned(&OutcomeLabels { outcome }));
        let mut metrics = Self {
            registry: Registry::with_prefix("tollgate"),
            decisions: Family::default(),
            countries: Family::default(),
            reasons: Family::default(),
            saved: Counter::default(),
            passed: Counter::default(),
            refused: Family::default(),
            upstream,
            outcomes,
            decision_time: Histogram::new(DECISION_BUCKETS),
            upstream_time: Histogram::new(UPSTREAM_BUCKETS),
            verified: Counter::default(),
            connections: Gauge::default(),
            table_keys: Family::default(),
            table_capacity: Family::default(),
            table_evicted: Family::default(),
            feed: Family::default(),
            log_lost: Gauge::default(),
            geo_reloads: Family::default(),
            geo_built: Family::default(),
            is_ready: Gauge::default(),
        };
        metrics.register();
        metrics
    }

    /// The counters of one endpoint; all verdicts are shown from the start, at zero.
    pub fn endpoint(&self, name: &str) -> EndpointCounters {
        let counter = |verdict: Verdict| {
            let labels = DecisionLabels { endpoint: name.to_owned(), verdict: verdict.as_str() };
            self.decisions.get_or_create_owned(&labels)
        };
        EndpointCounters {
            allowed: counter(Verdict::Allow),
            challenged: counter(Verdict::Challenge),
            blocked: counter(Verdict::Block),
        }
    }

    /// Counts one decision; `country` is the number's, where one was read.
    pub fn decided(&self, endpoint: &EndpointCounters, verdict: Verdict, country: Option<Country>, took: Duration) {
        match verdict {
            Verdict::Allow => endpoint.allowed.inc(),
            Verdict::Challenge => endpoint.challenged.inc(),
            Verdict::Block => endpoint.blocked.inc(),
        };
        let country = CountryLabel(country);
        self.countries.get_or_create(&CountryLabels { country, verdict: verdict.as_str() }).inc();
        self.decision_time.observe(took.as_secs_f64());
    }

    /// Counts what was not let through: its main reason, and the money kept.
    pub fn stopped(&self, verdict: Verdict, reason: Signal, saved: Money) {
        self.reasons.get_or_create(&ReasonLabels { reason: reason.as_str(), verdict: verdict.as_str() }).inc();
        self.saved.inc_by(saved.micros());
    }

    /// Counts a request that no endpoint guards.
    pub fn passed(&self) {
        self.passed.inc();
    }

    /// Counts a request refused before a number was read.
    pub fn refused(&self, why: Refused) {
        self.refused.get_or_create(&RefusedLabels { why: why.as_str() }).inc();
    }

    /// Counts one exchange with the upstream.
    pub fn upstream(&self, outcome: Outcome, took: Duration) {
        if let Some(counter) = self.outcomes.get(outcome.index()) {
            counter.inc();
        }
        self.upstream_time.observe(took.as_secs_f64());
    }

    /// Counts a typed code.
    pub fn verified(&self) {
        self.verified.inc();
    }

    /// A connection was accepted.
    pub fn connected(&self) {
        self.connections.inc();
    }

    /// A connection has ended.
    pub fn disconnected(&self) {
        self.connections.dec();
    }

    /// A database of addresses has changed and is in use.
    pub fn geo_loaded(&self) {
        self.geo_reloads.get_or_create(&ReloadLabels { result: "loaded" }).inc();
    }

    /// A database of addresses has changed and cannot be used: the one before stays.
    pub fn geo_kept(&self) {
        self.geo_reloads.get_or_create(&ReloadLabels { result: "kept" }).inc();
    }

    /// When a database of addresses was built, in seconds since the Unix epoch.
    pub fn geo_built(&self, database: &'static str, seconds: u64) {
        self.geo_built.get_or_create(&DatabaseLabels { database }).set(i64::try_from(seconds).unwrap_or(i64::MAX));
    }

    /// Whether typed codes are seen.
    pub fn set_feed(&self, state: FeedState) {
        for other in [FeedState::Unknown, FeedState::Present, FeedState::Missing] {
            self.feed.get_or_create(&FeedLabels { state: other.as_str() }).set(i64::from(other == state));
        }
    }

    /// Whether new traffic is wanted.
    pub fn set_ready(&self, is_ready: bool) {
        self.is_ready.set(i64::from(is_ready));
    }

    /// All of it as text, with the sizes of the tables as they are now.
    pub fn render(&self, tables: &[TableSize], n_lines_lost: u64) -> String {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        for size in tables {
            let labels = TableLabels { table: size.table };
            self.table_keys.get_or_create(&labels).set(count(size.n_keys));
            self.table_capacity.get_or_create(&labels).set(count(size.capacity));
            self.table_evicted.get_or_create(&labels).set(i64::try_from(size.n_evicted).unwrap_or(i64::MAX));
        }
        self.log_lost.set(i64::try_from(n_lines_lost).unwrap_or(i64::MAX));
        let mut out = String::with_capacity(16 << 10);
        // Writing into a string does not fail.
        let _written = text::encode(&mut out, &self.registry);
        out
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("decisions", "Decisions on guarded endpoints", self.decisions.clone());
        registry.register("decisions_by_country", "Decisions by destination", self.countries.clone());
        registry.register("stopped", "Challenges and blocks by main reason", self.reasons.clone());
        registry.register(
            "saved_usd_micros",
            "Price of the messages not sent, in millionths of a dollar",
            self.saved.clone(),
        );
        registry.register("passed_through", "Requests that no endpoint guards", self.passed.clone());
        registry.register("refused_early", "Requests refused before a number was read", self.refused.clone());
        registry.register("upstream_requests", "Exchanges with the upstream", self.upstream.clone());
        registry.register("verified", "Codes typed, as seen on verify endpoints", self.verified.clone());
        registry.register_with_unit("decision", "From arrival to decision", Unit::Seconds, self.decision_time.clone());
        registry.register_with_unit(
            "upstream",
            "From request to response head",
            Unit::Seconds,
            self.upstream_time.clone(),
        );
        registry.register("connections", "Open client connections", self.connections.clone());
        registry.register("state_keys", "Keys in a table", self.table_keys.clone());
        registry.register("state_capacity", "Keys a table can hold", self.table_capacity.clone());
        registry.register(
            "state_evicted",
            "Keys that had to go for others since the start",
            self.table_evicted.clone(),
        );
        registry.register("verify_feed", "1 for whether typed codes are seen", self.feed.clone());
        registry.register("block_log_lines_lost", "Lines the sink was too slow for", self.log_lost.clone());
        registry.register(
            "geo_reloads",
            "Databases of addresses that changed, and were loaded or kept as they were",
            self.geo_reloads.clone(),
        );
        registry.register(
            "geo_build_timestamp_seconds",
            "When a database of addresses was built, since the Unix epoch",
            self.geo_built.clone(),
        );
        registry.register("ready", "1 while new traffic is wanted", self.is_ready.clone());
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

// === impl Outcome ===

impl Outcome {
    const NAMES: [&'static str; 8] = ["1xx", "2xx", "3xx", "4xx", "5xx", "unreachable", "timed_out", "broken"];

    /// The place of its name among `NAMES`.
    const fn index(self) -> usize {
        match self {
            Self::Answered(100..=199) => 0,
            Self::Answered(200..=299) => 1,
            Self::Answered(300..=399) => 2,
            Self::Answered(400..=499) => 3,
            Self::Answered(_) => 4,
            Self::Unreachable => 5,
            Self::TimedOut => 6,
            Self::Broken => 7,
        }
    }
}

// === impl Refused ===

impl Refused {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ceiling => "ceiling",
            Self::Overload => "overload",
            Self::TooLarge => "too_large",
            Self::SlowBody => "slow_body",
            Self::Malformed => "malformed",
            Self::Method => "method",
        }
    }
}

/// Seconds: a decision takes microseconds, reading its body may take longer.
const DECISION_BUCKETS: [f64; 8] = [0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.01, 0.1, 1.0];
const UPSTREAM_BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0, 10.0];
