//! A histogram with fixed bounds, in whole units: bytes, recipients, microseconds.

use std::sync::atomic::{AtomicU64, Ordering};

use super::text::Exposition;

/// Counts observations up to each of its bounds, and sums them.
#[derive(Debug)]
pub(super) struct Histogram {
    bounds: &'static [u64],
    /// One per bound, and one for what lies above the last.
    buckets: [AtomicU64; MAX_BUCKETS],
    sum: AtomicU64,
}

impl Histogram {
    /// A histogram with up to nine bounds, in rising order.
    pub(super) const fn new(bounds: &'static [u64]) -> Self {
        assert!(bounds.len() < MAX_BUCKETS, "more bounds than buckets");
        let buckets = [const { AtomicU64::new(0) }; MAX_BUCKETS];
        Self { bounds, buckets, sum: AtomicU64::new(0) }
    }

    pub(super) fn observe(&self, value: u64) {
        let bucket = self.bounds.partition_point(|&bound| bound < value);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Prints all samples; `per` whole units make one unit of the name.
    pub(super) fn render(&self, text: &mut Exposition, name: &str, labels: &str, per: f64) {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut total = 0;
        for (bucket, bound) in self.buckets.iter().zip(self.bounds) {
            total += bucket.load(Ordering::Relaxed);
            let bound = *bound as f64 / per;
            text.sample(name, "_bucket", &format!("{labels}{comma}le=\"{bound}\""), total);
        }
        total += self.buckets[self.bounds.len()].load(Ordering::Relaxed);
        text.sample(name, "_bucket", &format!("{labels}{comma}le=\"+Inf\""), total);
        text.sample(name, "_sum", labels, self.sum.load(Ordering::Relaxed) as f64 / per);
        text.sample(name, "_count", labels, total);
    }
}

const MAX_BUCKETS: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_add_up_and_a_value_on_a_bound_lies_below_it() {
        let histogram = Histogram::new(&[1_000, 2_000]);
        for value in [0, 1_000, 1_001, 5_000] {
            histogram.observe(value);
        }
        let mut text = Exposition::default();
        histogram.render(&mut text, "x_seconds", "stage=\"a\"", 1e3);
        let expected = "x_seconds_bucket{stage=\"a\",le=\"1\"} 2\n\
                        x_seconds_bucket{stage=\"a\",le=\"2\"} 3\n\
                        x_seconds_bucket{stage=\"a\",le=\"+Inf\"} 4\n\
                        x_seconds_sum{stage=\"a\"} 7.001\n\
                        x_seconds_count{stage=\"a\"} 4\n";
        assert_eq!(text.finish(), expected);
    }
}
