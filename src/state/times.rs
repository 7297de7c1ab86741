//! When entries of a state are evicted: their event times, in buckets.
//!
//! ```text
//!   bucket 1767225600   (time, entry) (time, entry) ...       a quarter of a second of event time each;
//!   bucket 1767225601   (time, entry)                         a BTreeMap of vectors
//! ```
//!
//! Adding appends to a vector that is mostly in the cache, and taking what a watermark has passed takes whole vectors
//! and splits one. Nothing is removed before its time: an entry that is gone, or has another time now, leaves its old
//! pair behind, which counts for nothing. The owner knows the times that hold and says so.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Bits of a time in microseconds that are within a bucket: 0.26 seconds.
const BUCKET_BITS: u32 = 18;
/// So many pairs that count for nothing are always allowed.
const MIN_STALE: usize = 4096;

/// Pairs of an event time in microseconds and an entry.
#[derive(Debug, Default)]
pub(super) struct TimeIndex {
    buckets: BTreeMap<i64, Bucket>,
    num_pairs: usize,
}

/// The pairs of about one event time.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    pub(super) pairs: Vec<(i64, u32)>,
    /// How many of the pairs count: one at least.
    pub(super) live: usize,
    /// No pair is older.
    oldest: i64,
}

impl TimeIndex {
    /// Adds a pair.
    pub(super) fn add(&mut self, time: i64, entry: u32) {
        let bucket = self.buckets.entry(time >> BUCKET_BITS).or_default();
        bucket.oldest = if bucket.live == 0 {
            time
        } else {
            bucket.oldest.min(time)
        };
        bucket.live += 1;
        bucket.pairs.push((time, entry));
        self.num_pairs += 1;
    }

    /// Notes that a pair of this time counts no more.
    pub(super) fn forget(&mut self, time: i64) {
        if let Entry::Occupied(mut bucket) = self.buckets.entry(time >> BUCKET_BITS) {
            bucket.get_mut().live -= 1;
            if bucket.get().live == 0 {
                self.num_pairs -= bucket.remove().pairs.len();
            }
        }
    }

    /// Takes the pairs out whose time is at or before `watermark_us`. Those that count are still to be forgotten.
    pub(super) fn take_until(&mut self, watermark_us: i64) -> Vec<(i64, u32)> {
        let mut taken = Vec::new();
        while let Some(mut first) = self.buckets.first_entry() {
            let last_time = (*first.key() << BUCKET_BITS) | ((1 << BUCKET_BITS) - 1);
            if last_time <= watermark_us {
                taken.append(&mut first.remove().pairs);
                continue;
            }
            let bucket = first.get_mut();
            if bucket.oldest <= watermark_us {
                taken.extend(bucket.pairs.extract_if(.., |(time, _)| *time <= watermark_us));
                let times = bucket.pairs.iter().map(|(time, _)| *time);
                bucket.oldest = times.min().unwrap_or(i64::MAX);
            }
            break;
        }
        self.num_pairs -= taken.len();
        taken
    }

    /// How many buckets there are: different event times, where they are further apart than a quarter of a second.
    pub(super) fn num_buckets(&self) -> usize {
        self.buckets.len()
    }

    /// The buckets, oldest first.
    pub(super) fn buckets(&self) -> impl DoubleEndedIterator<Item = &Bucket> {
        self.buckets.values()
    }

    /// Drops the pairs that count for nothing, once they are more than the `live` entries.
    pub(super) fn tidy(&mut self, live: usize, holds: impl Fn(i64, u32) -> bool) {
        if self.num_pairs <= 2 * live + MIN_STALE {
            return;
        }
        for bucket in self.buckets.values_mut() {
            bucket.pairs.retain(|&(time, entry)| holds(time, entry));
        }
        self.num_pairs = self.buckets.values().map(|bucket| bucket.pairs.len()).sum();
    }

    /// Bytes in memory, near enough.
    pub(super) fn memory_bytes(&self) -> usize {
        self.num_pairs * size_of::<(i64, u32)>() + self.buckets.len() * size_of::<(i64, Bucket)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_watermark_has_passed_is_taken_once() {
        let times = [-3_000_000, -1, 0, 1, 262_143, 262_144, 5_000_000, i64::MAX];
        let mut all = TimeIndex::default();
        for (entry, time) in (0..).zip(times) {
            all.add(time, entry);
        }
        let mut taken_before = 0;
        for watermark in [
            i64::MIN,
            -3_000_001,
            -2,
            -1,
            0,
            1_048_575,
            4_000_000,
            5_000_000,
            i64::MAX,
        ] {
            let mut taken = all.take_until(watermark);
            taken.sort_unstable();
            for (time, _) in &taken {
                all.forget(*time);
            }
            let until = times.partition_point(|&time| time <= watermark);
            let expected = (0..).zip(times).skip(taken_before).take(until - taken_before);
            assert_eq!(
                taken,
                expected.map(|(entry, time)| (time, entry)).collect::<Vec<_>>()
            );
            taken_before = until;
        }
        assert_eq!(all.num_pairs, 0);
        assert!(all.buckets.is_empty());
    }

    #[test]
    fn pairs_that_no_longer_hold_are_dropped_when_they_are_many() {
        let mut times = TimeIndex::default();
        for round in 0..20_000 {
            times.add(round, 7);
            if round > 0 {
                times.forget(round - 1);
            }
            times.tidy(1, |time, entry| (time, entry) == (round, 7));
        }
        assert!(times.num_pairs <= MIN_STALE + 2);
        let last = times
            .buckets()
            .next_back()
            .map(|bucket| (bucket.live, bucket.pairs.last().copied()));
        assert_eq!(last, Some((1, Some((19_999, 7)))));
    }
}
