//! The values everything else talks about: one attempt to have a message sent, when, by whom, to which number.
//!
//! Nothing here waits, reads a clock, logs or remembers.

pub mod agent;
pub mod client;
pub mod country;
pub mod origin;
pub mod phone;

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use agent::Agent;
use client::Client;
use origin::Origin;
use phone::Number;

/// One request that would cost one message: a request with three recipients is three attempts.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// When the request arrived, stamped once at the edge.
    pub at: Timestamp,
    /// Who asked; `None` where nobody can know, and then no signal about clients speaks.
    pub client: Option<Client>,
    /// Where the client's address is used, as far as anybody knows.
    pub origin: Origin,
    /// What the client's software looks like, where that was seen.
    pub agent: Option<Agent>,
    /// The number that would be texted.
    pub number: Number,
    /// How the code would be delivered.
    pub channel: Channel,
}

/// How a code is delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// As a text message.
    #[default]
    Text,
    /// Read out in a call, which costs several times as much.
    Voice,
}

/// The decision about an attempt, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Send it.
    Allow,
    /// Ask for proof of effort or of a person first.
    Challenge,
    /// Send nothing.
    Block,
}

/// Milliseconds since the Unix epoch.
///
/// The live proxy derives it from a monotonic clock, replay from the event file, so it never runs backwards there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

// === impl Attempt ===

impl Attempt {
    /// A text to the number at `at`, asked for by nobody that is known.
    pub fn new(at: Timestamp, number: Number) -> Self {
        Self { at, client: None, origin: Origin::default(), agent: None, number, channel: Channel::default() }
    }

    /// The same, asked for by `client`.
    #[must_use]
    pub fn from(self, client: Client) -> Self {
        Self { client: Some(client), ..self }
    }
}

// === impl Channel ===

impl Channel {
    /// The name in configuration, logs and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Voice => "voice",
        }
    }
}

// === impl Verdict ===

impl Verdict {
    /// The name in logs, metrics and replay.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Challenge => "challenge",
            Self::Block => "block",
        }
    }
}

// === impl Timestamp ===

impl Timestamp {
    /// The moment `millis` milliseconds after the Unix epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// The moment `seconds` after the Unix epoch; negative and non-finite values become the epoch itself.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the range first; a millisecond is the resolution"
    )]
    pub fn from_seconds(seconds: f64) -> Self {
        Self((seconds.max(0.0) * 1000.0).round() as u64)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Seconds since `earlier`, zero when that is later.
    pub fn seconds_since(self, earlier: Self) -> f32 {
        self.0.saturating_sub(earlier.0) as f32 / 1000.0
    }

    /// The time since `earlier`, zero when that is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// This moment moved `by` into the future.
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(millis_of(by)))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds, as every log line writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = i64::try_from(self.0).unwrap_or(i64::MAX);
        match jiff::Timestamp::from_millisecond(millis) {
            Ok(timestamp) => write!(f, "{timestamp:.3}"),
            Err(_) => f.write_str("9999-12-30T22:00:00.000Z"),
        }
    }
}

fn millis_of(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
