//! What one request says and a later one needs: the recipients of a mail, and who logged in.
//!
//! Bounded in number and time. What was forgotten is never taken for "there was nothing": whoever asks
//! gets `None`.

use std::{collections::BTreeMap, time::Duration};

/// Values by key, the oldest of which make room.
#[derive(Debug)]
pub struct Memory<V> {
    bounds: Bounds,
    entries: BTreeMap<Box<str>, Entry<V>>,
    /// Keys by the number of their entry: the order in which they began.
    order: BTreeMap<u64, Box<str>>,
    next: u64,
    weight: usize,
}

/// How much is kept, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How many bytes all keys and values have together, about.
    pub weight: usize,
    /// How long, from when it was begun.
    pub age: Duration,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    number: u64,
    /// Time since an arbitrary start.
    begun: Duration,
    weight: usize,
}

impl<V> Memory<V> {
    /// An empty memory.
    #[must_use]
    pub const fn new(bounds: Bounds) -> Self {
        Self { bounds, entries: BTreeMap::new(), order: BTreeMap::new(), next: 0, weight: 0 }
    }

    /// What is known under `key` at `now`.
    pub fn get(&mut self, key: &str, now: Duration) -> Option<&V> {
        self.forget_old(now);
        self.entries.get(key).map(|entry| &entry.value)
    }

    /// Keeps a value of so many bytes, instead of what was known under `key`.
    pub fn put(&mut self, key: &str, value: V, weight: usize, now: Duration) {
        self.forget_old(now);
        self.remove(key);
        let weight = weight + 2 * key.len() + OVERHEAD;
        let number = self.next;
        self.next += 1;
        self.weight += weight;
        self.order.insert(number, key.into());
        self.entries.insert(key.into(), Entry { value, number, begun: now, weight });
        self.make_room();
    }

    /// Changes what is known under `key`, which grows by so many bytes.
    pub fn grow(&mut self, key: &str, weight: usize, now: Duration, change: impl FnOnce(&mut V)) {
        self.forget_old(now);
        if let Some(entry) = self.entries.get_mut(key) {
            change(&mut entry.value);
            entry.weight += weight;
            self.weight += weight;
        }
        self.make_room();
    }

    /// Forgets what is known under `key`.
    pub fn remove(&mut self, key: &str) -> Option<V> {
        let entry = self.entries.remove(key)?;
        self.order.remove(&entry.number);
        self.weight -= entry.weight;
        Some(entry.value)
    }

    fn forget_old(&mut self, now: Duration) {
        while let Some(oldest) = self.oldest() {
            let begun = self.entries.get(&*oldest).map_or(Duration::ZERO, |entry| entry.begun);
            if now.saturating_sub(begun) <= self.bounds.age {
                return;
            }
            self.remove(&oldest);
        }
    }

    fn make_room(&mut self) {
        while self.weight > self.bounds.weight {
            let Some(oldest) = self.oldest() else { return };
            self.remove(&oldest);
        }
    }

    fn oldest(&self) -> Option<Box<str>> {
        self.order.first_key_value().map(|(_, key)| key.clone())
    }
}

/// Bytes that an entry costs besides its key and its value.
const OVERHEAD: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn small() -> Memory<Vec<u8>> {
        Memory::new(Bounds { weight: 1_000, age: at(60) })
    }

    #[test]
    fn what_is_too_old_is_not_known_any_more() {
        let mut memory = small();
        memory.put("a", vec![1], 1, at(0));
        memory.put("b", vec![2], 1, at(50));
        assert_eq!(memory.get("a", at(60)), Some(&vec![1]));
        assert_eq!(memory.get("a", at(61)), None);
        assert_eq!(memory.get("b", at(61)), Some(&vec![2]));
        // A clock that goes back takes nothing away.
        assert_eq!(memory.get("b", at(0)), Some(&vec![2]));
    }

    #[test]
    fn the_oldest_make_room_and_one_alone_cannot_grow_for_ever() {
        let mut memory = small();
        for key in ["a", "b", "c", "d", "e"] {
            memory.put(key, Vec::new(), 50, at(1));
        }
        assert_eq!(memory.get("a", at(1)), None);
        assert_eq!(memory.get("b", at(1)), None);
        assert!(memory.get("e", at(1)).is_some());
        memory.grow("e", 2_000, at(1), |value| value.push(1));
        assert_eq!(memory.get("e", at(1)), None);
        assert_eq!((memory.weight, memory.order.len(), memory.entries.len()), (0, 0, 0));
        memory.grow("nobody", 1, at(1), |value| value.push(1));
        assert_eq!(memory.weight, 0);
    }

    #[test]
    fn a_key_that_comes_again_begins_anew() {
        let mut memory = small();
        memory.put("a", vec![1], 1, at(0));
        memory.grow("a", 1, at(10), |value| value.push(2));
        assert_eq!(memory.get("a", at(10)), Some(&vec![1, 2]));
        memory.put("a", vec![3], 1, at(30));
        assert_eq!(memory.get("a", at(80)), Some(&vec![3]));
        assert_eq!(memory.remove("a"), Some(vec![3]));
        assert_eq!(memory.weight, 0);
    }
}
