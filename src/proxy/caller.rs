//! Stamps each request once, at the edge: when it came, who sent it, and what it is called in every log.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT};

use super::activity::Activity;
use super::client_addr::{Peer, TrustedProxies};
use super::headers::Introduction;
use super::serve::Place;
use crate::attempt::Timestamp;
use crate::attempt::agent::Agent;
use crate::attempt::client::Client;

/// What is known of a request before it is read.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) at: Timestamp,
    pub(super) arrived: Instant,
    pub(super) is_trusted: bool,
    pub(super) introduction: Arc<Introduction>,
    pub(super) client: Option<Client>,
    pub(super) request_id: HeaderValue,
    pub(super) link: Link,
}

/// The client's connection, for what outlives the head of an answer.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// Told of answers under way.
    pub(super) activity: Arc<Activity>,
    /// The connection's place among all of them, held until nobody needs it.
    pub(super) place: Arc<Place>,
}

/// The wall clock as it was at the start, carried on by the monotonic one: a step of the wall clock opens no window.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    started_at: Timestamp,
    speed: NonZeroU32,
}

// === impl Caller ===

impl Caller {
    pub(super) fn new(
        clock: Clock,
        trusted: &TrustedProxies,
        peer: Peer,
        introduction: Arc<Introduction>,
        link: Link,
        headers: &HeaderMap,
    ) -> Self {
        let arrived = clock.instant();
        let is_trusted = trusted.trusts(peer);
        Self {
            at: clock.at(arrived),
            arrived,
            is_trusted,
            introduction,
            client: trusted.client(peer, headers),
            link,
            request_id: if is_trusted { given_id(headers).unwrap_or_else(fresh_id) } else { fresh_id() },
        }
    }

    /// What the client's software looks like: its `User-Agent`, and what a trusted hop saw of its TLS hello.
    pub(super) fn agent(&self, headers: &HeaderMap, fingerprint: Option<&HeaderName>) -> Option<Agent> {
        let seen = fingerprint.filter(|_| self.is_trusted).and_then(|name| headers.get(name));
        let properties = [seen, headers.get(USER_AGENT)];
        properties
            .iter()
            .any(Option::is_some)
            .then(|| Agent::of(properties.map(|property| property.map(HeaderValue::as_bytes).unwrap_or_default())))
    }

    /// The request's name as text; it was made of visible ASCII only.
    pub(super) fn request_id(&self) -> &str {
        self.request_id.to_str().unwrap_or_default()
    }
}

// === impl Clock ===

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self::at_speed(NonZeroU32::MIN)
    }

    /// A clock that starts now and runs so many times as fast: for benchmarks that play days in minutes.
    #[expect(clippy::disallowed_methods, reason = "this is the edge where time is stamped")]
    pub fn at_speed(speed: NonZeroU32) -> Self {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), started_at: Timestamp::from_millis(0).after(since_epoch), speed }
    }

    /// The time now.
    pub fn now(self) -> Timestamp {
        self.at(self.instant())
    }

    #[expect(clippy::disallowed_methods, reason = "this is the edge where time is stamped")]
    pub(super) fn instant(self) -> Instant {
        Instant::now()
    }

    fn at(self, instant: Instant) -> Timestamp {
        let elapsed = instant.saturating_duration_since(self.started);
        self.started_at.after(elapsed.saturating_mul(self.speed.get()))
    }
}

/// The name that a trusted hop gave the request.
fn given_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(REQUEST_ID)?;
    let is_name = (1..=128).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic);
    is_name.then(|| id.clone())
}

/// 128 random bits: only uniqueness matters, nobody is kept from guessing it.
fn fresh_id() -> HeaderValue {
    let mut id = Vec::with_capacity(32);
    for byte in fastrand::u128(..).to_be_bytes() {
        let [high, low] =
            [byte >> 4, byte & 0xf].map(|digit| if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
        id.extend_from_slice(&[high, low]);
    }
    HeaderValue::from_maybe_shared(Bytes::from(id)).unwrap_or(HeaderValue::from_static("unnamed"))
}

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
