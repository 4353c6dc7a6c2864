//! The coarse ceiling per client, in front of everything that costs: tower-governor's GCRA over our own client key.
//!
//! It knows no numbers and reads no body. It counts every request, guarded or not, so it is set well above what a
//! person does; what a person does too often is the engine's to say.

use std::hash::BuildHasher;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum_core::body::Body;
use http::{Request, Response};
use serde::Deserialize;
use tower_governor::governor::{GovernorConfig, GovernorConfigBuilder};
use tower_governor::key_extractor::KeyExtractor;
use tower_governor::{GovernorError, GovernorLayer};

use super::caller::Caller;
use super::rescue::Refusal;
use crate::attempt::client::ClientNet;
use crate::telemetry::Metrics;
use crate::telemetry::metrics::Refused;

/// The `[ceiling]` section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CeilingConfig {
    /// Requests that one client (IPv4 /32, IPv6 /64) may send at once.
    pub burst: NonZeroU32,
    /// Requests a second that it may go on with.
    pub per_second: NonZeroU32,
    /// Clients remembered; when more are active at once, they share 65,536 buckets until it is quieter.
    pub clients: usize,
}

/// The ceiling: one for all listeners and threads.
#[derive(Clone, Debug)]
pub struct Ceiling {
    config: Arc<Governed>,
    metrics: Arc<Metrics>,
    most_clients: usize,
    is_full: Arc<AtomicBool>,
    ticks: Arc<AtomicU64>,
}

type Governed = GovernorConfig<ByClient, governor::middleware::NoOpMiddleware<governor::clock::QuantaInstant>>;

pub(super) type CeilingLayer =
    GovernorLayer<ByClient, governor::middleware::NoOpMiddleware<governor::clock::QuantaInstant>, Body>;

/// The key: the client as the rest of tollgate sees it, stamped on the request by us.
#[derive(Clone, Debug)]
pub struct ByClient {
    is_full: Arc<AtomicBool>,
}

/// What one bucket of the ceiling belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CeilingKey {
    /// One client.
    Client(ClientNet),
    /// All clients with the same hash: the state of too many clients is bounded by sharing it.
    Shared(u16),
    /// Everybody whose address nobody knows.
    Unknown,
}

// === impl Ceiling ===

impl Ceiling {
    /// A ceiling that has seen nobody yet.
    pub fn new(config: CeilingConfig, metrics: Arc<Metrics>) -> Self {
        let period = Duration::from_secs(1) / config.per_second.get();
        let is_full = Arc::new(AtomicBool::new(false));
        let built = GovernorConfigBuilder::default()
            .period(period.max(Duration::from_nanos(1)))
            .burst_size(config.burst.get())
            .key_extractor(ByClient { is_full: Arc::clone(&is_full) })
            .finish();
        let Some(built) = built else { unreachable!("neither the burst nor the period is zero") };
        Self { config: Arc::new(built), metrics, most_clients: config.clients, is_full, ticks: Arc::default() }
    }

    pub(super) fn layer(&self) -> CeilingLayer {
        let metrics = Arc::clone(&self.metrics);
        GovernorLayer::new(Arc::clone(&self.config)).error_handler(move |error| refuse(&error, &metrics))
    }

    /// Clients remembered now, and the most there should be.
    pub fn size(&self) -> (usize, usize) {
        (self.config.limiter().len(), self.most_clients)
    }

    /// Forgets clients whose burst is whole again, now and then. Call it about once a second.
    ///
    /// Looking at every client takes milliseconds when there are many, so it is done every few seconds only, and giving
    /// memory back, which moves them all, every few minutes.
    pub fn maintain(&self) {
        let limiter = self.config.limiter();
        let tick = self.ticks.fetch_add(1, Ordering::Relaxed);
        let is_full = self.most_clients <= limiter.len();
        self.is_full.store(is_full, Ordering::Relaxed);
        if is_full || tick.is_multiple_of(TICKS_TO_FORGET) {
            limiter.retain_recent();
        }
        if tick.is_multiple_of(TICKS_TO_SHRINK) {
            limiter.shrink_to_fit();
        }
    }
}

impl KeyExtractor for ByClient {
    type Key = CeilingKey;

    fn extract<T>(&self, request: &Request<T>) -> Result<Self::Key, GovernorError> {
        let caller = request.extensions().get::<Caller>().ok_or(GovernorError::UnableToExtractKey)?;
        let Some(client) = caller.client else { return Ok(CeilingKey::Unknown) };
        if !self.is_full.load(Ordering::Relaxed) {
            return Ok(CeilingKey::Client(client.host()));
        }
        let hash = foldhash::fast::FixedState::default().hash_one(client.host());
        Ok(CeilingKey::Shared((hash >> 48) as u16))
    }
}

impl Default for CeilingConfig {
    fn default() -> Self {
        Self {
            burst: NonZeroU32::MIN.saturating_add(199),
            per_second: NonZeroU32::MIN.saturating_add(99),
            clients: 500_000,
        }
    }
}

fn refuse(error: &GovernorError, metrics: &Metrics) -> Response<Body> {
    metrics.refused(Refused::Ceiling);
    match error {
        // Whole seconds, rounded down: one more is always enough.
        GovernorError::TooManyRequests { wait_time, .. } => {
            Refusal::OverLimit(Duration::from_secs(wait_time + 1)).answer()
        }
        GovernorError::UnableToExtractKey | GovernorError::Other { .. } => Refusal::Malformed.answer(),
    }
}

const TICKS_TO_FORGET: u64 = 5;
const TICKS_TO_SHRINK: u64 = 300;
