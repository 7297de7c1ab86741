//! Both ends of the index by event time: what a state will evict next, and last.

use arrow::record_batch::RecordBatch;

use super::StateStore;
use crate::state::times::Bucket;

/// What a state holds by event time. Times within a quarter of a second of each other may count as one.
#[derive(Debug)]
pub struct EventTimes {
    /// How many different event times there are.
    pub num_times: usize,
    /// The oldest ones, oldest first.
    pub first: Vec<KeysAtTime>,
    /// The newest one.
    pub last: Option<KeysAtTime>,
}

/// The keys of one event time.
#[derive(Debug)]
pub struct KeysAtTime {
    /// The event time in microseconds since the epoch.
    pub time_us: i64,
    /// How many keys have it.
    pub num_keys: usize,
    /// The row of one of them, if that was asked for.
    pub example: Option<RecordBatch>,
}

impl StateStore {
    /// What is evicted next, the `limit` oldest event times, and last; with a row of each if `with_examples`.
    /// Costs what it gives, not what there is.
    pub fn event_times(&self, limit: usize, with_examples: bool) -> EventTimes {
        let keys_at = |bucket: &Bucket| {
            let holds = |&&(time, entry): &&(i64, u32)| self.entries[entry as usize].holds(time);
            let &(time_us, entry) = bucket.pairs.iter().find(holds)?;
            let (batch, row) = self.place(entry);
            Some(KeysAtTime {
                time_us,
                num_keys: bucket.live,
                example: with_examples.then(|| self.log[batch].rows.slice(row, 1)),
            })
        };
        EventTimes {
            num_times: self.times.num_buckets(),
            first: self.times.buckets().filter_map(keys_at).take(limit).collect(),
            last: self.times.buckets().rev().find_map(keys_at),
        }
    }
}
