//! What is known of each token: in how many good and how many spam mails it was. Twelve bytes a token.
//!
//! Buckets of 16; the hash of a token says in which it is, so that looking for one that is not there, or that a sender has
//! made collide with others, costs one bucket. The table doubles until it has the places that it may have. After that, and
//! where a bucket is full before, the least valuable token of the bucket gives way: the one seen in the fewest mails, and of
//! those the one not learned for the longest time. So what is rare and old is forgotten first, and mail full of new words
//! cannot drive out what many mails have taught.

/// Tokens with their counts.
#[derive(Clone, Debug)]
pub(super) struct Table {
    buckets: Vec<Bucket>,
    most_buckets: usize,
    len: usize,
}

/// Free places have tag 0, and stand behind those in use.
#[derive(Clone, Debug, Default)]
struct Bucket {
    tags: [u32; PLACES],
    entries: [Entry; PLACES],
}

/// What is known of one token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// The upper 16 of the 48 bits that tell tokens apart; the rest is the tag.
    upper: u16,
    pub(super) counts: Counts,
    /// The epoch in which it was learned last.
    pub(super) seen: u16,
}

/// In how many mails of each class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) ham: u16,
    pub(super) spam: u16,
}

/// The 48 bits of a hash that tell tokens apart: two of a full table are taken for one once in 200 million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    upper: u16,
    tag: u32,
}

impl Key {
    pub(super) const fn of(hash: u64) -> Self {
        Self::from_parts((hash >> 48) as u16, (hash >> 16) as u32)
    }

    pub(super) const fn from_parts(upper: u16, tag: u32) -> Self {
        Self { upper, tag: if tag == 0 { 1 } else { tag } }
    }

    pub(super) const fn parts(self) -> (u16, u32) {
        (self.upper, self.tag)
    }

    /// Which of so many buckets. Those that share one of few are neighbours among many.
    const fn bucket(self, buckets: usize) -> usize {
        let bits = ((self.upper as u64) << 24) | (self.tag >> 8) as u64;
        ((bits * buckets as u64) >> 40) as usize
    }
}

impl Table {
    /// With room for about so many tokens, at least 16 and at most 2^26.
    pub(super) fn new(most: usize) -> Self {
        let most_buckets = (most.min(MOST) / PLACES).max(1);
        let buckets = vec![Bucket::default(); most_buckets.min(FIRST_BUCKETS)];
        Self { buckets, most_buckets, len: 0 }
    }

    /// The same, which grows no more until it has so many. Stored tokens come in the order of buckets: the first buckets of a
    /// table that is still small would be full before it grows, and forget them.
    pub(super) fn with_room(most: usize, tokens: usize) -> Self {
        let mut table = Self::new(most);
        let mut count = table.buckets.len();
        while tokens >= count.saturating_mul(PLACES / 2) && count < table.most_buckets {
            count = count.saturating_mul(2).min(table.most_buckets);
        }
        table.buckets.resize(count, Bucket::default());
        table
    }

    /// How many tokens are known.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Bytes of memory.
    pub(super) const fn size(&self) -> usize {
        self.buckets.capacity() * size_of::<Bucket>()
    }

    pub(super) fn get(&self, key: Key) -> Option<Counts> {
        let bucket = self.buckets.get(key.bucket(self.buckets.len()))?;
        let place = bucket.find(key)?;
        bucket.entries.get(place).map(|entry| entry.counts)
    }

    /// What is known of a token that is there.
    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Entry> {
        let count = self.buckets.len();
        let bucket = self.buckets.get_mut(key.bucket(count))?;
        let place = bucket.find(key)?;
        bucket.entries.get_mut(place)
    }

    /// What is known of a token; if it is new, another may be forgotten for it.
    pub(super) fn entry(&mut self, key: Key) -> Option<&mut Entry> {
        let is_half_full = self.len >= self.buckets.len() * (PLACES / 2);
        if is_half_full && self.buckets.len() < self.most_buckets {
            self.grow();
        }
        let count = self.buckets.len();
        let bucket = self.buckets.get_mut(key.bucket(count))?;
        let place = match bucket.find(key) {
            Some(place) => place,
            None => {
                let place = bucket.free().unwrap_or_else(|| bucket.least());
                if bucket.put(place, key) {
                    self.len += 1;
                }
                place
            }
        };
        bucket.entries.get_mut(place)
    }

    /// All tokens, in the order of their keys' buckets.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Key, &Entry)> {
        self.buckets.iter().flat_map(|bucket| {
            let used = bucket.tags.iter().zip(&bucket.entries).filter(|(tag, _)| **tag != 0);
            used.map(|(tag, entry)| (Key::from_parts(entry.upper, *tag), entry))
        })
    }

    /// Changes all counts, and forgets the tokens that have none left.
    pub(super) fn change(&mut self, change: impl Fn(&mut Counts)) {
        let mut len = 0;
        for bucket in &mut self.buckets {
            let old = std::mem::take(bucket);
            for (tag, mut entry) in old.tags.into_iter().zip(old.entries) {
                change(&mut entry.counts);
                if tag != 0
                    && entry.counts != Counts::default()
                    && let Some(place) = bucket.free()
                {
                    bucket.put(place, Key::from_parts(entry.upper, tag));
                    bucket.set(place, entry);
                    len += 1;
                }
            }
        }
        self.len = len;
    }

    fn grow(&mut self) {
        let count = self.buckets.len().saturating_mul(2).min(self.most_buckets);
        let mut grown = Self { buckets: Vec::new(), most_buckets: self.most_buckets, len: 0 };
        grown.buckets.reserve_exact(count);
        grown.buckets.resize(count, Bucket::default());
        for (key, entry) in self.iter() {
            let Some(bucket) = grown.buckets.get_mut(key.bucket(count)) else { continue };
            if let Some(place) = bucket.free() {
                bucket.put(place, key);
                bucket.set(place, *entry);
                grown.len += 1;
            }
        }
        *self = grown;
    }
}

impl Bucket {
    fn find(&self, key: Key) -> Option<usize> {
        let mut found = 0_u32;
        for (place, tag) in self.tags.iter().enumerate() {
            found |= u32::from(*tag == key.tag) << place;
        }
        while found != 0 {
            let place = usize::try_from(found.trailing_zeros()).ok()?;
            if self.entries.get(place).is_some_and(|entry| entry.upper == key.upper) {
                return Some(place);
            }
            found &= found - 1;
        }
        None
    }

    fn free(&self) -> Option<usize> {
        self.tags.iter().position(|tag| *tag == 0)
    }

    /// The place of the token that is worth least.
    fn least(&self) -> usize {
        let worth = |entry: &Entry| (entry.counts.sum(), entry.seen);
        let places = self.entries.iter().enumerate();
        places.min_by_key(|(_, entry)| worth(entry)).map_or(0, |(place, _)| place)
    }

    /// Makes a place that of a token of which nothing is known. Whether it was free.
    fn put(&mut self, place: usize, key: Key) -> bool {
        let Some(tag) = self.tags.get_mut(place) else { return false };
        let was_free = *tag == 0;
        *tag = key.tag;
        self.set(place, Entry { upper: key.upper, ..Entry::default() });
        was_free
    }

    fn set(&mut self, place: usize, entry: Entry) {
        if let Some(old) = self.entries.get_mut(place) {
            *old = entry;
        }
    }
}

impl Counts {
    pub(super) const fn sum(self) -> u32 {
        self.ham as u32 + self.spam as u32
    }
}

/// Tokens of a bucket.
const PLACES: usize = 16;

/// Buckets of a new table: 48 KiB.
const FIRST_BUCKETS: usize = 256;

/// Tokens that a table may have at most: 800 MB.
const MOST: usize = 1 << 26;
