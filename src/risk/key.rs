//! The keys an attempt is counted under: where it goes, from wide to narrow, and who asks, from wide to narrow.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::FixedState;
use smallvec::SmallVec;

use super::coherence::{Familiarity, Relation};
use crate::attempt::Attempt;
use crate::attempt::country::Country;
use crate::attempt::phone::{Number, Prefix, Scale};

/// How wide a key is. Within a family the order is from wide to narrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Level {
    /// All destinations of one price class that are asked for from one kind of place.
    Pool,
    Country,
    /// Those of a country's numbers that are asked for from one kind of place, by strangers or by people who are known.
    Facet,
    Carrier,
    HundredThousand,
    TenThousand,
    Thousand,
    /// A client's software.
    Agent,
    /// An autonomous system.
    Asn,
    /// IPv4 /24, IPv6 /48.
    Net,
    /// IPv4 /32, IPv6 /64.
    Host,
}

/// The two questions: where to, and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Prefix,
    Source,
}

/// One key: its level, and a fingerprint of both.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) level: Level,
    pub(super) print: u64,
}

/// Makes keys; nobody outside can tell which ones collide.
#[derive(Clone, Debug)]
pub(super) struct Keyring(FixedState);

/// Keys of one attempt, in the order of their levels.
pub(super) type Keys = SmallVec<[Key; 11]>;

// === impl Keyring ===

impl Keyring {
    /// Fingerprints of this seed: live ones are drawn, those of a replay are always the same.
    pub(super) fn new(seed: u64) -> Self {
        Self(FixedState::with_seed(seed))
    }

    /// Where the attempt goes, from wide to narrow.
    pub(super) fn prefixes(&self, number: Number, carrier: Prefix, pool: Pool, facet: Facet) -> Keys {
        let mut keys = Keys::new();
        keys.push(self.key(Level::Pool, pool));
        keys.push(self.country(number.country()));
        keys.push(self.key(Level::Facet, (number.country(), facet)));
        keys.push(self.key(Level::Carrier, carrier));
        for (level, scale) in BLOCKS {
            if level == Level::Thousand || is_inside(number, scale, carrier) {
                keys.push(self.key(level, number.block(scale)));
            }
        }
        keys
    }

    /// Who asks, from wide to narrow.
    pub(super) fn sources(&self, attempt: &Attempt) -> Keys {
        let mut keys = Keys::new();
        keys.extend(attempt.agent.map(|agent| self.key(Level::Agent, agent)));
        keys.extend(attempt.origin.asn.map(|asn| self.key(Level::Asn, asn)));
        if let Some(client) = attempt.client {
            keys.push(self.key(Level::Net, client.net()));
            keys.push(self.key(Level::Host, client.host()));
        }
        keys
    }

    /// The key of a country.
    pub(super) fn country(&self, country: Country) -> Key {
        self.key(Level::Country, country)
    }

    /// A fingerprint of one thing, for tables of one kind.
    pub(super) fn print(&self, thing: impl Hash) -> u64 {
        self.0.hash_one(thing)
    }

    fn key(&self, level: Level, thing: impl Hash) -> Key {
        let mut hasher = self.0.build_hasher();
        level.hash(&mut hasher);
        thing.hash(&mut hasher);
        Key { level, print: hasher.finish() }
    }
}

/// What [`Level::Pool`] holds together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pool {
    pub(super) price_class: u8,
    pub(super) relation: Option<Relation>,
}

/// What [`Level::Facet`] holds together, besides the country.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Facet {
    pub(super) relation: Option<Relation>,
    pub(super) familiarity: Option<Familiarity>,
}

// === impl Level ===

impl Level {
    pub(super) fn family(self) -> Family {
        match self {
            Self::Pool
            | Self::Country
            | Self::Facet
            | Self::Carrier
            | Self::HundredThousand
            | Self::TenThousand
            | Self::Thousand => Family::Prefix,
            Self::Agent | Self::Asn | Self::Net | Self::Host => Family::Source,
        }
    }
}

/// A block no narrower than its carrier's prefix says what the prefix says.
fn is_inside(number: Number, scale: Scale, carrier: Prefix) -> bool {
    let n_digits = number.digits().ilog10() + 1;
    carrier.length() < n_digits.saturating_sub(scale.n_digits())
}

const BLOCKS: [(Level, Scale); 3] = [
    (Level::HundredThousand, Scale::HundredThousand),
    (Level::TenThousand, Scale::TenThousand),
    (Level::Thousand, Scale::Thousand),
];
