//! From event times to the watermark: Spark's `WatermarkTracker`.
//!
//! *Event time* is in the rows. Each WATERMARK of a query follows the newest event time that it has seen, less its
//! delay; the query's watermark is the minimum of them (or the maximum, by `multipleWatermarkPolicy`), is taken at
//! the end of a batch, counts from the next batch on, and never moves back. It is kept in whole milliseconds.
//!
//! Two values count in a batch: rows are late against the watermark that the *previous* batch ran with, state is
//! evicted against the one that *this* batch runs with. So a row may arrive up to one batch after the watermark
//! has passed it, and a window's last value appears one batch after the rows that moved the watermark past its end.

use serde::{Deserialize, Serialize};

use crate::operators::watermark::EventTimeStats;

/// How several watermarks become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WatermarkPolicy {
    /// The slowest counts: no row is dropped because another stream is ahead.
    #[default]
    Min,
    /// The fastest counts: slower streams lose rows.
    Max,
}

/// Follows a query's watermarks from batch to batch.
#[derive(Debug, Clone)]
pub struct WatermarkTracker {
    policy: WatermarkPolicy,
    each_ms: Vec<Option<i64>>,
    watermark_ms: i64,
}

impl WatermarkTracker {
    /// A tracker of `count` watermarks that have seen nothing.
    pub fn new(policy: WatermarkPolicy, count: usize) -> Self {
        Self {
            policy,
            each_ms: vec![None; count],
            watermark_ms: 0,
        }
    }

    /// Goes on from a commit record. A plan with another number of watermarks keeps the common one alone.
    pub fn restore(&mut self, watermark_ms: i64, each_ms: &[Option<i64>]) {
        self.watermark_ms = watermark_ms;
        if each_ms.len() == self.each_ms.len() {
            self.each_ms.copy_from_slice(each_ms);
        }
    }

    /// The query's watermark in milliseconds since the epoch; 0 while none is known.
    pub fn watermark_ms(&self) -> i64 {
        self.watermark_ms
    }

    /// Each watermark by itself.
    pub fn each_ms(&self) -> &[Option<i64>] {
        &self.each_ms
    }

    /// Which of several watermarks keep the query's behind the others: the slowest, where the slowest counts.
    pub fn holding_back(&self) -> Vec<usize> {
        let each = self.each_ms.iter().map(|each| each.unwrap_or(0));
        let (Some(slowest), Some(fastest)) = (each.clone().min(), each.clone().max()) else {
            return Vec::new();
        };
        if self.policy == WatermarkPolicy::Max || slowest == fastest {
            return Vec::new();
        }
        let slow = each.enumerate().filter(|(_, each)| *each == slowest);
        slow.map(|(index, _)| index).collect()
    }

    /// Which of the watermarks the query's waits for: the slowest where the slowest counts, else the fastest; several
    /// if they stand at the same time.
    pub fn deciding(&self) -> Vec<usize> {
        let each = self.each_ms.iter().map(|each| each.unwrap_or(0));
        let decides = match self.policy {
            WatermarkPolicy::Min => each.clone().min(),
            WatermarkPolicy::Max => each.clone().max(),
        };
        let deciding = each.enumerate().filter(|(_, each)| Some(*each) == decides);
        deciding.map(|(index, _)| index).collect()
    }

    /// Takes in what each watermark saw in a batch, with its delay.
    pub fn update(&mut self, seen: &[(EventTimeStats, i64)]) {
        for (each, (stats, delay_ms)) in self.each_ms.iter_mut().zip(seen) {
            if stats.count > 0 {
                let candidate = stats.max_us.div_euclid(1000) - delay_ms;
                *each = Some(each.map_or(candidate, |known| known.max(candidate)));
            }
        }
        // One that has seen nothing stands at 0, as in Spark: it holds the minimum back.
        let each = self.each_ms.iter().map(|each| each.unwrap_or(0));
        let chosen = match self.policy {
            WatermarkPolicy::Min => each.min(),
            WatermarkPolicy::Max => each.max(),
        };
        self.watermark_ms = self.watermark_ms.max(chosen.unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(max_ms: i64) -> EventTimeStats {
        EventTimeStats {
            count: 1,
            max_us: max_ms * 1000,
            min_us: 0,
            sum_us: 0,
        }
    }

    #[test]
    fn the_slowest_counts_and_nothing_moves_back() {
        let mut tracker = WatermarkTracker::new(WatermarkPolicy::Min, 2);
        tracker.update(&[(seen(100), 10), (EventTimeStats::default(), 5)]);
        assert_eq!(
            tracker.watermark_ms(),
            0,
            "a watermark without rows holds the others back"
        );
        assert_eq!(tracker.holding_back(), [1]);
        tracker.update(&[(seen(50), 10), (seen(70), 5)]);
        assert_eq!(
            (tracker.watermark_ms(), tracker.each_ms()),
            (65, &[Some(90), Some(65)][..])
        );
        tracker.update(&[(seen(10), 10), (seen(10), 5)]);
        assert_eq!(tracker.watermark_ms(), 65);
    }

    #[test]
    fn the_fastest_counts_if_told_so() {
        let mut tracker = WatermarkTracker::new(WatermarkPolicy::Max, 2);
        tracker.update(&[(seen(100), 10), (seen(70), 5)]);
        assert_eq!(tracker.watermark_ms(), 90);
        assert!(tracker.holding_back().is_empty());
    }
}
