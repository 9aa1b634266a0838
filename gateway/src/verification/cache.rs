//! What is remembered of addresses, as many as fit.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use mailweir_filters::verification::{Keep, Record};
use mailweir_mail::Address;

/// Records by address. The one that was not used for the longest makes room.
#[derive(Debug)]
pub(super) struct Cache {
    entries: HashMap<Arc<Address>, Entry>,
    by_use: BTreeMap<u64, Arc<Address>>,
    uses: u64,
    most: usize,
    changed: bool,
}

/// An address and what is known of it.
pub(super) type Known = (Arc<Address>, Arc<Record>);

#[derive(Debug)]
struct Entry {
    record: Arc<Record>,
    used: u64,
}

impl Cache {
    /// Nothing, with room for `most` addresses.
    pub(super) fn new(most: usize) -> Self {
        let (entries, by_use) = (HashMap::new(), BTreeMap::new());
        Self { entries, by_use, uses: 0, most, changed: false }
    }

    /// What is known of an address. It counts as used.
    pub(super) fn get(&mut self, address: &Address) -> Option<&Record> {
        let entry = self.entries.get_mut(address)?;
        let key = self.by_use.remove(&entry.used)?;
        self.uses += 1;
        entry.used = self.uses;
        self.by_use.insert(self.uses, key);
        Some(&entry.record)
    }

    /// Remembers or forgets.
    pub(super) fn keep(&mut self, address: &Address, keep: Keep) {
        match keep {
            Keep::Unchanged => return,
            Keep::Nothing => self.remove(address),
            Keep::Record(record) => self.put(address, record),
        }
        self.changed = true;
    }

    /// Takes what a file holds, the least used first. It counts as unchanged.
    pub(super) fn restore(&mut self, address: &Address, record: Record) {
        self.put(address, record);
    }

    /// All that is remembered, the least used first, if anything has changed since this was asked
    /// last.
    pub(super) fn take_changed(&mut self) -> Option<Vec<Known>> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let known = |address: &Arc<Address>| {
            Some((Arc::clone(address), Arc::clone(&self.entries.get(address)?.record)))
        };
        Some(self.by_use.values().filter_map(known).collect())
    }

    /// What was taken could not be written.
    pub(super) const fn set_changed(&mut self) {
        self.changed = true;
    }

    fn put(&mut self, address: &Address, record: Record) {
        self.remove(address);
        if self.entries.len() >= self.most
            && let Some((_, oldest)) = self.by_use.pop_first()
        {
            self.entries.remove(&oldest);
        }
        let key = Arc::new(address.clone());
        self.uses += 1;
        self.by_use.insert(self.uses, Arc::clone(&key));
        self.entries.insert(key, Entry { record: Arc::new(record), used: self.uses });
    }

    fn remove(&mut self, address: &Address) {
        if let Some(entry) = self.entries.remove(address) {
            self.by_use.remove(&entry.used);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn address(number: usize) -> Address {
        format!("user{number}@a.example").parse().unwrap()
    }

    fn record(text: &str) -> Keep {
        Keep::Record(format!("0:0:{NOW}:{text}").parse().unwrap())
    }

    fn taken(cache: &mut Cache) -> Option<Vec<String>> {
        let known = cache.take_changed()?;
        Some(known.iter().map(|(address, record)| format!("{address} {}", record.text)).collect())
    }

    #[test]
    fn what_was_not_used_for_the_longest_makes_room() {
        let mut cache = Cache::new(3);
        (0..3).for_each(|number| cache.keep(&address(number), record("ok")));
        assert!(cache.get(&address(0)).is_some());
        cache.keep(&address(3), record("ok"));
        assert!(cache.get(&address(1)).is_none());
        (4..1_000).for_each(|number| cache.keep(&address(number), record("ok")));
        assert_eq!((cache.entries.len(), cache.by_use.len()), (3, 3));
        (997..1_000).for_each(|number| cache.keep(&address(number), Keep::Nothing));
        assert_eq!((cache.entries.len(), cache.by_use.len()), (0, 0));
    }

    #[test]
    fn changes_are_given_out_once_in_the_order_of_use() {
        let mut cache = Cache::new(9);
        assert_eq!(taken(&mut cache), None);
        cache.keep(&address(1), record("one"));
        cache.keep(&address(2), record("two"));
        assert!(cache.get(&address(1)).is_some());
        let expected = ["user2@a.example two", "user1@a.example one"].map(str::to_owned).to_vec();
        assert_eq!(taken(&mut cache), Some(expected));
        assert_eq!(taken(&mut cache), None);
        cache.set_changed();
        assert!(taken(&mut cache).is_some());
        cache.keep(&address(1), Keep::Unchanged);
        assert_eq!(taken(&mut cache), None);
    }
}
