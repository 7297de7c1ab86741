//! Keeps the log short: garbage goes, and small batches become one.
//!
//! It runs between epochs.
//!
//! - Once more than half of the log is garbage, the live rows are copied into one batch: a constant cost a put.
//! - Once the log has many batches, the newest ones become one, as far back as they are together not small beside
//!   the batch before them. So each row is copied a number of times that grows with the logarithm of the state, and
//!   a big old batch is left alone.

use super::{StateStore, to_u32};
use crate::error::Result;

/// A log with less garbage than this is left alone.
pub(super) const MIN_GARBAGE_ROWS: usize = 4096;
/// How many batches the log may have: each look-up touches no more of them.
pub(super) const MAX_BATCHES: usize = 64;
/// How many of the newest batches become one at least.
const MIN_MERGED_BATCHES: usize = MAX_BATCHES / 2;

impl StateStore {
    pub(super) fn compact_if_worthwhile(&mut self) -> Result<()> {
        let garbage = self.log_rows - self.num_rows();
        if garbage > MIN_GARBAGE_ROWS && garbage > self.num_rows() {
            self.merge_from(0)
        } else if self.log.len() > MAX_BATCHES {
            self.merge_from(self.oldest_worth_merging())
        } else {
            Ok(())
        }
    }

    fn oldest_worth_merging(&self) -> usize {
        let mut oldest = self.log.len() - MIN_MERGED_BATCHES;
        let mut rows = self.log[oldest..]
            .iter()
            .map(|batch| batch.rows.num_rows())
            .sum::<usize>();
        while oldest > 0 && self.log[oldest - 1].rows.num_rows() <= 2 * rows {
            oldest -= 1;
            rows += self.log[oldest].rows.num_rows();
        }
        oldest
    }

    /// Makes one batch of the live rows of `oldest` and all newer batches.
    fn merge_from(&mut self, oldest: usize) -> Result<()> {
        let mut live = Vec::new();
        let mut places = Vec::new();
        for batch in oldest..self.log.len() {
            for (entry, row) in self.live_rows(batch) {
                live.push(entry);
                places.push((batch, row as usize));
            }
        }
        let rows = self.gather(&places)?;
        for merged in self.log.drain(oldest..) {
            self.log_rows -= merged.rows.num_rows();
            self.memory_bytes -= merged.memory_bytes();
        }
        let Some(rows) = rows else { return Ok(()) };
        let keys = self.encode_keys(&rows.columns()[..self.layout.num_keys])?;
        let batch = to_u32(self.log.len());
        self.push(rows, keys);
        for (row, entry) in live.into_iter().enumerate() {
            self.entries[entry as usize].batch = batch;
            self.entries[entry as usize].row = to_u32(row);
        }
        Ok(())
    }
}
