//! Keeps state per key under a hard capacity, reachable only through closures.
//!
//! The only place that touches a concurrent map. A full table is an answer, [`Full`], and the caller says what it means.

use std::fmt;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use foldhash::fast::RandomState;

use super::Capacity;

/// A bounded map from keys that strangers choose.
pub(super) struct Window<K, V> {
    map: DashMap<K, V, RandomState>,
    n_keys: AtomicUsize,
    capacity: usize,
}

/// The table has no room for another key: nothing can be known about this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

/// How full a window is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occupancy {
    pub(super) n_keys: usize,
    pub(super) capacity: usize,
}

/// What a sweep should let go of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pressure {
    /// Only what has expired.
    None,
    /// Room is short: also what says little.
    High,
}

// === impl Window ===

impl<K: Eq + Hash, V> Window<K, V> {
    pub(super) fn new(capacity: Capacity) -> Self {
        Self {
            map: DashMap::with_hasher_and_shard_amount(RandomState::default(), N_SHARDS),
            n_keys: AtomicUsize::new(0),
            capacity: capacity.get(),
        }
    }

    /// Runs `change` on the key's state, which starts as `V::default()`.
    pub(super) fn update<R>(&self, key: K, change: impl FnOnce(&mut V) -> R) -> Result<R, Full>
    where
        V: Default,
    {
        match self.map.entry(key) {
            Entry::Occupied(mut entry) => Ok(change(entry.get_mut())),
            Entry::Vacant(entry) => {
                if self.capacity <= self.n_keys.fetch_add(1, Ordering::Relaxed) {
                    self.n_keys.fetch_sub(1, Ordering::Relaxed);
                    return Err(Full);
                }
                Ok(change(entry.insert(V::default()).value_mut()))
            }
        }
    }

    /// Runs `change` on the key's state if there is any.
    pub(super) fn update_known<R>(&self, key: &K, change: impl FnOnce(&mut V) -> R) -> Option<R> {
        self.map.get_mut(key).map(|mut value| change(&mut value))
    }

    /// Runs `look` on the key's state if there is any.
    pub(super) fn read<R>(&self, key: &K, look: impl FnOnce(&V) -> R) -> Option<R> {
        self.map.get(key).map(|value| look(&value))
    }


    /// Drops every key that `keep` does not want, when `due` or when room is short. Locks one shard at a time.
    pub(super) fn sweep(&self, due: bool, keep: impl Fn(&V, Pressure) -> bool) {
        let pressure = if self.is_crowded() { Pressure::High } else { Pressure::None };
        if !due && pressure == Pressure::None {
            return;
        }
        self.map.retain(|_, value| {
            let keeps = keep(value, pressure);
            if !keeps {
                self.n_keys.fetch_sub(1, Ordering::Relaxed);
            }
            keeps
        });
        let n_keys = self.n_keys.load(Ordering::Relaxed);
        if due && n_keys * 4 < self.map.capacity() {
            self.map.shrink_to_fit();
        }
    }

    pub(super) fn size(&self) -> Occupancy {
        Occupancy { n_keys: self.n_keys.load(Ordering::Relaxed), capacity: self.capacity }
    }

    fn is_crowded(&self) -> bool {
        self.capacity / 10 * 9 <= self.n_keys.load(Ordering::Relaxed)
    }
}

impl<K, V> fmt::Debug for Window<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Window({} of {})", self.n_keys.load(Ordering::Relaxed), self.capacity)
    }
}

/// An insert that grows one shard moves a 64th of the table; more shards would crowd the cache with their heads.
const N_SHARDS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_times_its_capacity_in_keys_leaves_it_at_its_capacity() {
        let window: Window<u64, u32> = Window::new(Capacity(100));
        let n_taken = (0..1000).filter(|key| window.update(*key, |n| *n += 1).is_ok()).count();
        assert_eq!(n_taken, 100);
        assert_eq!(window.size().n_keys, 100);
        assert_eq!(window.update(5, |n| *n), Ok(1), "a known key is served when the table is full");
    }

    #[test]
    fn swept_keys_make_room() {
        let window: Window<u64, u64> = Window::new(Capacity(100));
        for key in 0..100 {
            window.update(key, |value| *value = key).unwrap();
        }
        window.sweep(true, |value, _| *value < 40);
        assert_eq!(window.size().n_keys, 40);
        assert!(window.update(1000, |_| ()).is_ok());
    }
}
