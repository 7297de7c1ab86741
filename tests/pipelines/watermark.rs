//! Spark's rule of the watermark, as a test says it: which batches run, and what each runs with.

use crate::rows::{Row, Side};

/// What the watermark of a pipeline follows.
#[derive(Debug, Clone)]
pub(crate) struct Watermarks {
    /// One WATERMARK each, with its delay in microseconds.
    pub(crate) each: Vec<(Reaching, i64)>,
    /// Whether the newest of them counts, and not the slowest: `multipleWatermarkPolicy`.
    pub(crate) is_max: bool,
    /// Whether a batch without data runs when the watermark alone has moved.
    pub(crate) no_data_batches: bool,
}

/// The rows that reach a WATERMARK: conditions go below it where they can.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reaching {
    pub(crate) side: Side,
    /// Only rows with `v` above it.
    pub(crate) above: Option<i64>,
    /// Only rows with a key: others cannot match in a join.
    pub(crate) with_key: bool,
}

/// A batch as it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ran {
    /// The batch of rows that it reads; `None`: a batch without data.
    pub(crate) rows: Option<usize>,
    /// Rows at or before it are late.
    pub(crate) late_us: i64,
    /// State at or before it goes.
    pub(crate) eviction_us: i64,
}

impl Watermarks {
    /// The batches that run over some batches of rows, one after the other.
    pub(crate) fn play(&self, batches: &[Vec<Row>]) -> Vec<Ran> {
        let mut ran = Vec::new();
        let (mut last_ms, mut watermark_ms) = (0, 0);
        let mut seen_ms = vec![None; self.each.len()];
        for (index, rows) in batches.iter().enumerate() {
            ran.push(Ran {
                rows: Some(index),
                late_us: last_ms * 1000,
                eviction_us: watermark_ms * 1000,
            });
            last_ms = watermark_ms;
            for ((reaching, delay_us), seen) in self.each.iter().zip(&mut seen_ms) {
                let reaching = rows.iter().filter(|row| reaching.has(row));
                let newest = reaching.filter_map(|row| row.at_us).max();
                let newest_ms = newest.map(|us: i64| us.div_euclid(1000) - delay_us / 1000);
                *seen = (*seen).max(newest_ms);
            }
            let each = seen_ms.iter().map(|seen| seen.unwrap_or(0));
            let chosen = if self.is_max { each.max() } else { each.min() };
            watermark_ms = watermark_ms.max(chosen.unwrap_or(0));
            if self.no_data_batches && watermark_ms > last_ms {
                ran.push(Ran {
                    rows: None,
                    late_us: last_ms * 1000,
                    eviction_us: watermark_ms * 1000,
                });
                last_ms = watermark_ms;
            }
        }
        ran
    }
}

impl Reaching {
    pub(crate) fn has(&self, row: &Row) -> bool {
        row.side == self.side
            && self.above.is_none_or(|above| row.v.is_some_and(|v| v > above))
            && (row.k.is_some() || !self.with_key)
    }
}
