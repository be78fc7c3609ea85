//! A bounded map that forgets what was not used for a while.
//!
//! Two halves: entries go into the young one; when it is full it becomes the old one and the old one is
//! dropped; a hit in the old one moves back. At most twice the capacity is held, each step takes constant
//! time, and there is no list to keep in order.

use core::{fmt, hash::Hash};

use hashbrown::{Equivalent, HashMap};

#[derive(Clone)]
pub(super) struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    capacity: usize,
}

/// What is remembered may be a token or a person: only how much it is goes into debug output.
impl<K, V> fmt::Debug for Generations<K, V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Generations").field("young", &self.young.len()).field("old", &self.old.len()).finish()
    }
}

impl<K: Eq + Hash + Clone, V> Generations<K, V> {
    /// Holds between `capacity` and twice as many of the entries used last.
    pub(super) fn new(capacity: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), capacity }
    }

    pub(super) fn get_mut<Q: Equivalent<K> + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut V> {
        if let Some((key, value)) = self.old.remove_entry(key) {
            self.insert(key, value);
        }
        self.young.get_mut(key)
    }

    pub(super) fn get_or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        let value = self.old.remove(&key).or_else(|| self.young.remove(&key)).unwrap_or_default();
        if self.young.len() >= self.capacity {
            self.age();
        }
        self.young.entry(key).insert(value).into_mut()
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.capacity && !self.young.contains_key(&key) {
            self.age();
        }
        self.old.remove(&key);
        self.young.insert(key, value);
    }

    pub(super) fn remove<Q: Equivalent<K> + Hash + ?Sized>(&mut self, key: &Q) {
        self.young.remove(key);
        self.old.remove(key);
    }

    /// The young half is the old one from now on. What was in that is forgotten, but not its room in memory, which need
    /// not grow anew.
    fn age(&mut self) {
        core::mem::swap(&mut self.young, &mut self.old);
        self.young.clear();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_is_forgotten() {
        let mut map = Generations::new(10);
        map.insert(0, "kept");
        for key in 1..1000 {
            map.insert(key, "other");
            assert_eq!(map.get_mut(&0), Some(&mut "kept"), "{key}");
            assert!(map.len() <= 20);
        }
        assert_eq!(map.get_mut(&1), None);
        map.remove(&0);
        assert_eq!(map.get_mut(&0), None);
    }
}
