//! The values everything else talks about: one attempt to have a message sent, when, by whom, to which number.
//!
//! Nothing here waits, reads a clock, logs or remembers.

pub mod client;
pub mod country;
pub mod origin;
pub mod phone;

use std::fmt;
use std::time::Duration;

use client::Client;
use phone::Number;

/// One request that would cost one message: a request with three recipients is three attempts.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// When the request arrived, stamped once at the edge.
    pub at: Timestamp,
    /// Who asked; `None` where nobody can know, and then no signal about clients speaks.
    pub client: Option<Client>,
    /// The number that would be texted.
    pub number: Number,
}

/// Milliseconds since the Unix epoch.
///
/// The live proxy derives it from a monotonic clock, replay from the event file, so it never runs backwards there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

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
