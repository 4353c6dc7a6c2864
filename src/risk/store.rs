//! A table with a hard capacity, whose keys are fingerprints: what matters least is forgotten for what is new.
//!
//! When it is full, candidates all over the table are looked at, and one of little worth makes room. A stranger's flood
//! therefore replaces a stranger's keys: what was learned from customers, and what a campaign did, outlives it.

use hashbrown::HashTable;

use crate::attempt::Timestamp;

/// What an entry is worth keeping, beside others of its store.
pub(super) trait Worth {
    /// The more the longer it is kept; zero is nothing left to know.
    fn worth(&self, now: Timestamp) -> f32;
}

/// Entries by fingerprint.
pub(super) struct Store<V> {
    index: HashTable<u32>,
    entries: Vec<Entry<V>>,
    capacity: usize,
    /// Whose turn it is to be compared.
    hand: usize,
    n_evicted: u64,
}

#[derive(Clone, Copy)]
struct Entry<V> {
    key: u64,
    value: V,
}

/// Where an entry was; it may have been replaced since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    key: u64,
    at: u32,
}

// === impl Store ===

impl<V: Worth + Default> Store<V> {
    pub(super) fn new(capacity: usize) -> Self {
        let capacity = capacity.min(u32::MAX as usize);
        Self { index: HashTable::new(), entries: Vec::new(), capacity, hand: 0, n_evicted: 0 }
    }

    /// The entry of the key, if there is one.
    pub(super) fn find(&self, key: u64) -> Option<(Place, &V)> {
        let at = *self.index.find(key, |at| self.holds(*at, key))?;
        let entry = self.entries.get(at as usize)?;
        Some((Place { key, at }, &entry.value))
    }

    /// The entry that was there, unless another took its place.
    pub(super) fn at(&mut self, place: Place) -> Option<&mut V> {
        let entry = self.entries.get_mut(place.at as usize).filter(|entry| entry.key == place.key)?;
        Some(&mut entry.value)
    }

    /// As [`Store::at`], to look only.
    pub(super) fn peek(&self, place: Place) -> Option<&V> {
        let entry = self.entries.get(place.at as usize).filter(|entry| entry.key == place.key)?;
        Some(&entry.value)
    }

    /// The entry of the key, made if there is none.
    pub(super) fn entry(&mut self, key: u64, now: Timestamp) -> (Place, &mut V) {
        let at = match self.find(key) {
            Some((place, _)) => place.at,
            None => self.insert(key, now),
        };
        (Place { key, at }, &mut self.entries[at as usize].value)
    }

    pub(super) fn n_keys(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many entries had to go so far.
    pub(super) fn n_evicted(&self) -> u64 {
        self.n_evicted
    }

    fn insert(&mut self, key: u64, now: Timestamp) -> u32 {
        let entry = Entry { key, value: V::default() };
        let at = if self.entries.len() < self.capacity {
            self.entries.push(entry);
            self.entries.len() - 1
        } else {
            let at = self.least(now);
            let gone = std::mem::replace(&mut self.entries[at], entry).key;
            if let Ok(found) = self.index.find_entry(gone, |other| *other == at as u32) {
                found.remove();
            }
            self.n_evicted += 1;
            at
        };
        let entries = &self.entries;
        self.index.insert_unique(key, at as u32, |at| entries[*at as usize].key);
        at as u32
    }

    /// The first entry that is worth little, or else the one of least worth among those looked at. They are spread over
    /// the whole table, since entries that were made together are often worth alike.
    fn least(&mut self, now: Timestamp) -> usize {
        let n_entries = self.entries.len();
        let (mut least, mut least_worth) = (self.hand, f32::INFINITY);
        for _ in 0..MOST_LOOKS {
            self.hand = (self.hand + STRIDE) % n_entries;
            let worth = self.entries[self.hand].value.worth(now);
            if worth < least_worth {
                (least, least_worth) = (self.hand, worth);
            }
            if least_worth < LITTLE {
                break;
            }
        }
        least
    }

    fn holds(&self, at: u32, key: u64) -> bool {
        self.entries.get(at as usize).is_some_and(|entry| entry.key == key)
    }
}

impl<V> std::fmt::Debug for Store<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({} of {})", self.entries.len(), self.capacity)
    }
}

/// How many entries are looked at before one goes, and how far they are apart: a prime, so that all have their turn.
const MOST_LOOKS: usize = 64;
const STRIDE: usize = 1_000_003;

/// What one unanswered request is worth at most.
const LITTLE: f32 = 1.0;

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Copy, Debug, Default)]
    struct Weight(f32);

    impl Worth for Weight {
        fn worth(&self, _: Timestamp) -> f32 {
            self.0
        }
    }

    fn key(n: u64) -> u64 {
        n.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    #[test]
    fn ten_times_its_capacity_leaves_it_at_its_capacity() {
        let mut store: Store<Weight> = Store::new(100);
        for n in 0..1000 {
            store.entry(key(n), Timestamp::default());
        }
        assert_eq!((store.n_keys(), store.n_evicted()), (100, 900));
        let n_found = (0..1000).filter(|n| store.find(key(*n)).is_some()).count();
        assert_eq!(n_found, 100, "exactly those that are held can be found");
    }

    #[test]
    fn what_is_worth_something_outlives_a_flood_of_what_is_not() {
        let mut store: Store<Weight> = Store::new(100);
        for n in 0..50 {
            store.entry(key(n), Timestamp::default()).1.0 = 2.0;
        }
        for n in 1000..100_000 {
            store.entry(key(n), Timestamp::default());
        }
        assert!((0..50).all(|n| store.find(key(n)).is_some()));
    }

    #[test]
    fn a_place_that_another_key_took_is_nobody_s() {
        let mut store: Store<Weight> = Store::new(1);
        let (place, _) = store.entry(key(1), Timestamp::default());
        store.entry(key(2), Timestamp::default());
        assert!(store.at(place).is_none() && store.peek(place).is_none());
    }

    proptest! {
        #[test]
        fn exactly_what_is_held_is_found_with_its_own_value(
            capacity in 1_usize..40,
            asked in prop::collection::vec((0_u64..60, 0.0_f32..10.0), 0..300),
        ) {
            let mut store: Store<Weight> = Store::new(capacity);
            let mut model: HashMap<u64, f32> = HashMap::new();
            for (n, worth) in asked {
                let is_new = store.find(key(n)).is_none();
                if is_new {
                    model.remove(&n);
                }
                store.entry(key(n), Timestamp::default()).1.0 = worth;
                model.insert(n, worth);
                prop_assert!(store.n_keys() <= capacity && store.n_keys() == store.index.len());
            }
            let held: Vec<(u64, f32)> =
                (0..60).filter_map(|n| store.find(key(n)).map(|(_, weight)| (n, weight.0))).collect();
            prop_assert_eq!(held.len(), store.n_keys());
            for (n, worth) in held {
                prop_assert_eq!(model.get(&n), Some(&worth));
            }
        }

        #[test]
        fn where_all_are_worth_something_the_least_worthy_goes(worths in prop::collection::vec(LITTLE..10.0, 8)) {
            let mut store: Store<Weight> = Store::new(worths.len());
            for (n, worth) in worths.iter().enumerate() {
                store.entry(key(n as u64), Timestamp::default()).1.0 = *worth;
            }
            store.entry(key(1_000), Timestamp::default());
            let least = worths.iter().copied().fold(f32::INFINITY, f32::min);
            let gone: Vec<f32> =
                worths.iter().enumerate().filter(|(n, _)| store.find(key(*n as u64)).is_none()).map(|(_, worth)| *worth).collect();
            prop_assert_eq!(gone, [least]);
        }
    }
}
