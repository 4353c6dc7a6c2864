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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::node::DECIBAN;
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + 1000 * seconds)
    }

    proptest! {
        #[test]
        fn the_prior_stays_between_quiet_times_and_the_middle_of_a_campaign(
            seen in prop::collection::vec((0_u64..10_000, 0.0_f32..=1.0), 0..500),
        ) {
            let (mut campaign, mut now) = (Campaign::default(), 0);
            for (elapsed, probability) in seen {
                now += elapsed;
                campaign.learn(at(now), probability);
                let decibans = campaign.prior(at(now)) / DECIBAN;
                // Customers who are surely none pull it below quiet times, by their own weight at most.
                prop_assert!(-60.0 < decibans && decibans <= -7.5, "{decibans}");
            }
            let later = campaign.prior(at(now + 86_400)) / DECIBAN;
            prop_assert!((later + 22.2).abs() < 0.1, "after a day of silence {later}");
        }
    }

    #[test]
    fn a_campaign_makes_the_next_attempt_more_suspicious() {
        let mut campaign = Campaign::default();
        let quiet = campaign.prior(at(0));
        (0..30).for_each(|n| campaign.learn(at(n), 1.0));
        assert!(quiet + 10.0 * DECIBAN < campaign.prior(at(30)));
    }
}
