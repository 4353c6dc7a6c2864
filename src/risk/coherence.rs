//! Where the client is beside where the number is: a code for abroad, asked for from a third country, is unusual.
//!
//! How unusual is learned from those who typed their codes, separately for numbers of a home market and others.

use super::node::DECIBAN;

/// How the client's country relates to the number's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Relation {
    /// The same country.
    Same,
    /// A country where the company's customers are.
    Home,
    /// Any other.
    Elsewhere,
}

/// How often each relation was seen among those who typed their codes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coherence {
    /// For numbers of a home market, and for others.
    home: [f32; 3],
    abroad: [f32; 3],
}

// === impl Coherence ===

impl Coherence {
    /// What the relation says, in nats.
    pub(super) fn weigh(&self, relation: Relation, is_home_number: bool) -> f32 {
        let seen = if is_home_number { &self.home } else { &self.abroad };
        let usual = seen[relation as usize] / seen.iter().sum::<f32>();
        (ATTACKERS[relation as usize] / usual).ln().clamp(-4.0 * DECIBAN, 8.0 * DECIBAN)
    }

    /// Learns from somebody who typed a code.
    pub(super) fn learn(&mut self, relation: Relation, is_home_number: bool) {
        let seen = if is_home_number { &mut self.home } else { &mut self.abroad };
        seen[relation as usize] += 1.0;
        if MOST < seen.iter().sum() {
            for n in seen {
                *n *= 0.5;
            }
        }
    }
}

impl Default for Coherence {
    /// What is assumed before anything was seen, with the weight of 50 people each.
    fn default() -> Self {
        Self { home: [46.0, 2.5, 1.5], abroad: [30.0, 16.0, 4.0] }
    }
}

/// Whether codes were typed from where the client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Familiarity {
    /// From the same host.
    Host,
    /// From its network.
    Net,
    /// From neither.
    Stranger,
}

/// How often each degree was seen among those who typed their codes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Familiarities([f32; 3]);

impl Familiarities {
    /// What the degree says, in nats.
    pub(super) fn weigh(&self, familiarity: Familiarity) -> f32 {
        let usual = self.0[familiarity as usize] / self.0.iter().sum::<f32>();
        // However rare it is that people come back, having come before is nothing against anybody.
        let most = if familiarity == Familiarity::Stranger { 1.0 * DECIBAN } else { 0.0 };
        (ATTACKERS_KNOWN[familiarity as usize] / usual).ln().clamp(-8.0 * DECIBAN, most)
    }

    /// Learns from somebody who typed a code.
    pub(super) fn learn(&mut self, familiarity: Familiarity) {
        self.0[familiarity as usize] += 1.0;
        if MOST < self.0.iter().sum() {
            for n in &mut self.0 {
                *n *= 0.5;
            }
        }
    }
}

impl Default for Familiarities {
    fn default() -> Self {
        Self([4.0, 6.0, 40.0])
    }
}

const ATTACKERS_KNOWN: [f32; 3] = [0.08, 0.12, 0.80];

/// How often attackers' proxies are in these places: they rent what is cheap, in no country in particular.
const ATTACKERS: [f32; 3] = [0.15, 0.15, 0.70];

/// How many people are remembered before the older half fades.
const MOST: f32 = 2_000.0;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RELATIONS: [Relation; 3] = [Relation::Same, Relation::Home, Relation::Elsewhere];
    const DEGREES: [Familiarity; 3] = [Familiarity::Host, Familiarity::Net, Familiarity::Stranger];

    proptest! {
        #[test]
        fn whatever_was_learned_a_relation_says_little(
            seen in prop::collection::vec((0_usize..3, any::<bool>(), 1_u32..3000), 0..10),
        ) {
            let mut coherence = Coherence::default();
            for (which, is_home, n_times) in seen {
                (0..n_times).for_each(|_| coherence.learn(RELATIONS[which], is_home));
            }
            for (relation, is_home) in RELATIONS.into_iter().flat_map(|relation| [(relation, true), (relation, false)]) {
                let nats = coherence.weigh(relation, is_home);
                prop_assert!((-4.0 * DECIBAN..=8.0 * DECIBAN).contains(&nats), "{relation:?}: {nats}");
            }
        }

        #[test]
        fn whatever_was_learned_a_degree_accuses_hardly(seen in prop::collection::vec((0_usize..3, 1_u32..3000), 0..10)) {
            let mut familiarities = Familiarities::default();
            for (which, n_times) in seen {
                (0..n_times).for_each(|_| familiarities.learn(DEGREES[which]));
            }
            for degree in DEGREES {
                let nats = familiarities.weigh(degree);
                prop_assert!((-8.0 * DECIBAN..=1.0 * DECIBAN).contains(&nats), "{degree:?}: {nats}");
            }
        }
    }

    #[test]
    fn before_anything_was_seen_a_third_country_is_suspicious_and_the_own_speaks_for_one() {
        let coherence = Coherence::default();
        assert!(0.0 < coherence.weigh(Relation::Elsewhere, false));
        assert!(coherence.weigh(Relation::Same, false) < 0.0);
    }
}
