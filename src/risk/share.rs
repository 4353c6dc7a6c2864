//! What share of ordinary traffic a key usually has, learned from conversions only.
//!
//! Countries are smoothed towards a small constant; the runs of numbers below them by a Pólya tree, one level per
//! digit, so that a run never seen inherits a tenth of what the run around it has. Sources get a little for granted.

use super::key::Level;
use super::node::Node;

/// A share in 0 to 1, and what it rests on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    pub(super) share: f32,
    week: f32,
    day: f32,
}

// === impl Share ===

impl Share {
    /// The share of a key in all learned traffic, by itself: a country, a pool, a source.
    ///
    /// As long as little was learned, what is asked for most counts as what is usual: a company's first customers are
    /// not a campaign. `observed` is the key's share of all that was asked for in the last hours.
    pub(super) fn whole(level: Level, node: &Node, total: &Node, observed: f32) -> Self {
        let (granted, least) = match level {
            Level::Pool => (0.5, 3e-4),
            Level::Country
            | Level::Facet
            | Level::Carrier
            | Level::HundredThousand
            | Level::TenThousand
            | Level::Thousand => (0.12, 1e-4),
            Level::Agent => (1.0, 3e-4),
            Level::Asn => (0.3, 3e-4),
            Level::Net => (0.03, 3e-4),
            Level::Host => (0.01, 3e-4),
        };
        let week = (node.week + granted) / (total.week + 30.0);
        let day = (node.day + granted) / (total.day + 30.0);
        let is_new = (1.0 - total.week / LEARNED).max(0.0);
        Self::new(week.max(day).max(least).max(is_new * observed), node)
    }

    /// The share of a run of numbers inside the run around it.
    pub(super) fn inside(self, node: &Node) -> Self {
        let week = (node.week + WEIGHT * TENTH) / (self.week + WEIGHT);
        let day = (node.day + WEIGHT * TENTH) / (self.day + WEIGHT);
        Self::new((self.share * week.max(day)).max(LEAST), node)
    }

    fn new(share: f32, node: &Node) -> Self {
        Self { share: share.min(0.999), week: node.week, day: node.day }
    }
}

/// After so many conversions only they count.
const LEARNED: f32 = 50.0;

/// How many conversions a run needs before its own weigh as much as what it inherits.
const WEIGHT: f32 = 4.0;
const TENTH: f32 = 0.1;

const LEAST: f32 = 1e-9;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn learned(n_typed: u32) -> Node {
        let mut node = Node::default();
        for _ in 0..n_typed {
            node.learn(1.0);
        }
        node
    }

    proptest! {
        #[test]
        fn a_share_is_between_nothing_and_everything(
            levels in prop::sample::select(vec![
                Level::Pool, Level::Country, Level::Agent, Level::Asn, Level::Net, Level::Host,
            ]),
            typed in 0_u32..2000,
            others in 0_u32..2000,
            inside in prop::collection::vec(0.0_f32..=1.0, 4),
        ) {
            let mut share = Share::whole(levels, &learned(typed), &learned(typed + others), 0.0);
            let mut n_typed = typed;
            prop_assert!(0.0 < share.share && share.share < 1.0, "{}", share.share);
            for part in inside {
                n_typed = (n_typed as f32 * part) as u32;
                let narrower = share.inside(&learned(n_typed));
                prop_assert!(0.0 < narrower.share && narrower.share <= share.share, "{share:?}, inside {narrower:?}");
                share = narrower;
            }
        }

        #[test]
        fn whoever_typed_more_has_the_larger_share(typed in 0_u32..1000, more in 1_u32..1000, all in 2000_u32..4000) {
            let share = |n_typed| Share::whole(Level::Country, &learned(n_typed), &learned(all), 0.0).share;
            prop_assert!(share(typed) <= share(typed + more));
        }
    }

    #[test]
    fn a_run_never_seen_inherits_a_tenth() {
        let around = Share::whole(Level::Country, &learned(0), &learned(0), 0.0);
        let inside = around.inside(&learned(0));
        assert!((inside.share / around.share - 0.1).abs() < 1e-6);
    }
}
