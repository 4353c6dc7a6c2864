//! Whether typed codes are seen at all.
//!
//! Where they are, only they teach what is normal, and their absence is evidence. Where no verify endpoint is watched,
//! clean sends have to teach, which an attacker can imitate, and silence says nothing.

use serde::Deserialize;

use crate::attempt::Timestamp;

/// What the operator says about it: `conversion.feed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedMode {
    /// Seen as soon as one code was typed; missed after 40 sends to different numbers without any, or a day.
    #[default]
    Auto,
    /// Always there: silence is evidence from the first send.
    Always,
    /// Never there.
    Never,
}

/// Whether typed codes are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedState {
    /// None was typed yet, and too little was sent to tell why.
    Unknown,
    /// They are seen: they teach, and silence is evidence.
    Present,
    /// They are not: clean sends teach, and silence says nothing.
    Missing,
}

/// What was seen of typed codes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Feed {
    mode: FeedMode,
    typed_at: Option<Timestamp>,
    n_silent: u32,
}

// === impl FeedState ===

impl FeedState {
    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Present => "present",
            Self::Missing => "missing",
        }
    }
}

// === impl Feed ===

impl Feed {
    pub(super) fn new(mode: FeedMode) -> Self {
        Self { mode, typed_at: None, n_silent: 0 }
    }

    pub(super) fn state(&self, at: Timestamp) -> FeedState {
        match (self.mode, self.typed_at) {
            (FeedMode::Always, _) => FeedState::Present,
            (FeedMode::Never, _) => FeedState::Missing,
            (FeedMode::Auto, None) if self.n_silent < MOST_SILENT => FeedState::Unknown,
            (FeedMode::Auto, None) => FeedState::Missing,
            (FeedMode::Auto, Some(typed_at)) if self.n_silent < MOST_SILENT || at.since(typed_at) < LIVES => {
                FeedState::Present
            }
            (FeedMode::Auto, Some(_)) => FeedState::Missing,
        }
    }

    /// A code was typed.
    pub(super) fn typed(&mut self, at: Timestamp) {
        self.typed_at = Some(at);
        self.n_silent = 0;
    }

    /// A code could have been typed by now, and was not.
    pub(super) fn silent(&mut self) {
        self.n_silent = self.n_silent.saturating_add(1);
    }
}

/// With seven of ten codes typed, forty silent ones in a row are no chance.
const MOST_SILENT: u32 = 40;

/// After a day without a typed code the feed counts as broken.
const LIVES: std::time::Duration = std::time::Duration::from_hours(24);
