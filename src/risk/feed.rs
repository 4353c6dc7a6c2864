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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: u64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + 3_600_000 * hours)
    }

    fn silent(mut feed: Feed, n_sends: u32) -> Feed {
        (0..n_sends).for_each(|_| feed.silent());
        feed
    }

    #[test]
    fn before_any_code_was_typed_forty_silent_sends_tell_that_none_ever_is() {
        let feed = Feed::new(FeedMode::Auto);
        assert_eq!(silent(feed, 39).state(at(0)), FeedState::Unknown);
        assert_eq!(silent(feed, 40).state(at(0)), FeedState::Missing);
    }

    #[test]
    fn one_typed_code_tells_that_they_are_seen() {
        let mut feed = silent(Feed::new(FeedMode::Auto), 1000);
        feed.typed(at(1));
        assert_eq!(feed.state(at(1)), FeedState::Present);
    }

    #[test]
    fn neither_an_outage_nor_a_quiet_week_turns_the_feed_off_and_both_do() {
        let mut feed = Feed::new(FeedMode::Auto);
        feed.typed(at(0));
        assert_eq!(silent(feed, 10_000).state(at(23)), FeedState::Present, "an outage, or an attack");
        assert_eq!(silent(feed, 39).state(at(24 * 7)), FeedState::Present, "a quiet week");
        assert_eq!(silent(feed, 40).state(at(24)), FeedState::Missing);
    }

    #[test]
    fn what_the_operator_says_is_believed() {
        let mut feed = silent(Feed::new(FeedMode::Never), 1000);
        feed.typed(at(0));
        assert_eq!(feed.state(at(0)), FeedState::Missing);
        assert_eq!(silent(Feed::new(FeedMode::Always), 1000).state(at(1000)), FeedState::Present);
    }
}
