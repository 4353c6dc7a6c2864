//! How common fraud is right now: a campaign that runs makes the next attempt more suspicious.

use crate::attempt::Timestamp;

/// The share of recent attempts that is believed to be fraud.
#[derive(Clone, Copy, Debug)]
pub(super) struct Campaign {
    at: Timestamp,
    share: f32,
}

// === impl Campaign ===

impl Campaign {
    /// The log-odds of fraud before anything is known of an attempt, in nats.
    pub(super) fn prior(&self, at: Timestamp) -> f32 {
        let share = self.aged(at).share.min(MOST);
        (share / (1.0 - share)).ln()
    }

    /// Learns how likely the last attempt was fraud.
    pub(super) fn learn(&mut self, at: Timestamp, probability: f32) {
        *self = self.aged(at);
        self.share += (probability - self.share) * WEIGHT;
    }

    fn aged(mut self, at: Timestamp) -> Self {
        let elapsed = at.seconds_since(self.at);
        if 0.0 < elapsed {
            self.at = at;
            self.share = LEAST + (self.share - LEAST) * (-elapsed * std::f32::consts::LN_2 / HALF_LIFE).exp();
        }
        self
    }
}

impl Default for Campaign {
    fn default() -> Self {
        Self { at: Timestamp::default(), share: LEAST }
    }
}

/// In ordinary times 6 in 1,000, -22 dB; in the middle of a campaign 15 in 100, -7.5 dB.
const LEAST: f32 = 0.006;
const MOST: f32 = 0.15;

/// How much one attempt moves the share, and how fast it is forgotten, in seconds.
const WEIGHT: f32 = 1.0 / 150.0;
const HALF_LIFE: f32 = 1_800.0;
