//! Rows in the order of their arrival.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use super::chunks;
use super::undo::gather;
use super::versions::Versions;
use crate::error::Result;

/// A growing list of rows. Which batch brought a row is kept by spans, one a batch.
#[derive(Debug, Clone)]
pub(super) struct ArrivalRows {
    schema: SchemaRef,
    chunks: Vec<Chunk>,
    /// The first row that each batch brought.
    spans: Vec<(usize, u64)>,
    num_rows: usize,
    /// The batch whose rows these all are, where each batch replaces all rows.
    replaced_in: Option<u64>,
    /// What they were before.
    earlier: Versions,
}

#[derive(Debug, Clone)]
struct Chunk {
    first_row: usize,
    rows: RecordBatch,
    bytes: usize,
}

impl ArrivalRows {
    pub(super) fn new(schema: SchemaRef) -> Self {
        Self {
            schema,
            chunks: Vec::new(),
            spans: Vec::new(),
            num_rows: 0,
            replaced_in: None,
            earlier: Versions::default(),
        }
    }

    /// Puts the rows of a batch in the place of all.
    pub(super) fn replace(&mut self, batch_id: u64, batches: Vec<RecordBatch>) -> Result<()> {
        let mut earlier = std::mem::take(&mut self.earlier);
        let before = std::mem::replace(self, Self::new(Arc::clone(&self.schema)));
        if let Some(replaced_in) = before.replaced_in {
            earlier.push(replaced_in, before);
        }
        self.earlier = earlier;
        self.replaced_in = Some(batch_id);
        self.push(batch_id, batches)
    }

    /// The batch whose rows these all are, where each batch replaces all rows.
    pub(super) fn replaced_in(&self) -> Option<u64> {
        self.replaced_in
    }

    /// What the rows were before, where each batch replaces all rows.
    pub(super) fn earlier(&self) -> &Versions {
        &self.earlier
    }

    /// The last batch that brought rows.
    pub(super) fn last_batch(&self) -> Option<u64> {
        self.spans.last().map(|(_, batch_id)| *batch_id)
    }

    /// How many rows there were after a batch, and which batch until then was the last that brought some.
    pub(super) fn as_of(&self, batch_id: u64) -> (usize, Option<u64>) {
        let span = self
            .spans
            .partition_point(|(_, brought_in)| *brought_in <= batch_id);
        let num_rows = self.spans.get(span).map_or(self.num_rows, |(first, _)| *first);
        (num_rows, span.checked_sub(1).map(|last| self.spans[last].1))
    }

    /// Adds the rows of a batch.
    pub(super) fn push(&mut self, batch_id: u64, batches: Vec<RecordBatch>) -> Result<()> {
        for rows in batches {
            if rows.num_rows() == 0 {
                continue;
            }
            if self.spans.last().is_none_or(|(_, last)| *last != batch_id) {
                self.spans.push((self.num_rows, batch_id));
            }
            let chunk = Chunk {
                first_row: self.num_rows,
                bytes: rows.get_array_memory_size(),
                rows,
            };
            self.num_rows += chunk.rows.num_rows();
            self.chunks.push(chunk);
            self.merge_tail()?;
        }
        Ok(())
    }

    /// Puts the last chunks together while they are small and alike, so that batches of single rows end up in few
    /// chunks and a row is copied only as often as the logarithm of their number.
    fn merge_tail(&mut self) -> Result<()> {
        while let [.., before, last] = self.chunks.as_slice() {
            let rows = before.rows.num_rows() + last.rows.num_rows();
            let is_alike = before.rows.num_rows() <= 2 * last.rows.num_rows();
            if !is_alike || !chunks::fit_together(rows, before.bytes + last.bytes) {
                break;
            }
            let rows = chunks::join(&[before.rows.clone(), last.rows.clone()])?;
            let merged = Chunk {
                first_row: before.first_row,
                bytes: rows.get_array_memory_size(),
                rows,
            };
            self.chunks.truncate(self.chunks.len() - 2);
            self.chunks.push(merged);
        }
        Ok(())
    }

    pub(super) fn num_rows(&self) -> usize {
        self.num_rows
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.bytes).sum()
    }

    pub(super) fn batches(&self) -> Vec<RecordBatch> {
        self.chunks.iter().map(|chunk| chunk.rows.clone()).collect()
    }

    /// The rows of a range that lies within the table, and the batches that brought them.
    pub(super) fn page(&self, start: usize, end: usize) -> Result<(RecordBatch, Vec<u64>)> {
        let mut slices = Vec::new();
        let first = self
            .chunks
            .partition_point(|chunk| chunk.first_row + chunk.rows.num_rows() <= start);
        for chunk in &self.chunks[first..] {
            if chunk.first_row >= end {
                break;
            }
            let from = start.saturating_sub(chunk.first_row);
            let to = (end - chunk.first_row).min(chunk.rows.num_rows());
            slices.push(chunk.rows.slice(from, to - from));
        }
        let rows = if slices.is_empty() {
            RecordBatch::new_empty(Arc::clone(&self.schema))
        } else {
            chunks::join(&slices)?
        };
        Ok((rows, self.changed_in(start, end)))
    }

    /// Rows by their places.
    pub(super) fn rows_at(&self, places: &[usize]) -> Result<RecordBatch> {
        let chunks = self.chunks.iter().map(|chunk| &chunk.rows).collect::<Vec<_>>();
        let indices = places.iter().map(|&place| {
            let chunk = self.chunks.partition_point(|chunk| chunk.first_row <= place) - 1;
            (chunk, place - self.chunks[chunk].first_row)
        });
        gather(&self.schema, &chunks, &indices.collect::<Vec<_>>())
    }

    /// The batch that brought each row of a range.
    pub(super) fn changed_in(&self, start: usize, end: usize) -> Vec<u64> {
        let mut span = self
            .spans
            .partition_point(|(first, _)| *first <= start)
            .saturating_sub(1);
        (start..end)
            .map(|row| {
                while self.spans.get(span + 1).is_some_and(|(first, _)| *first <= row) {
                    span += 1;
                }
                self.spans[span].1
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::test_support::{ints, read, schema};

    #[test]
    fn single_rows_end_up_in_few_chunks_and_pages_are_right() {
        let mut table = ArrivalRows::new(schema());
        for row in 0..1000 {
            table
                .push(row / 3, vec![ints(&[i64::try_from(row).expect("small")])])
                .expect("a row");
        }
        assert!(table.chunks.len() < 16, "{} chunks", table.chunks.len());
        assert_eq!(read(&table.batches()).len(), 1000);
        for (start, end) in [(0, 1000), (0, 0), (999, 1000), (500, 777), (1000, 1000)] {
            let (rows, changed_in) = table.page(start, end).expect("a page");
            let numbers: Vec<usize> = read(&[rows])
                .iter()
                .map(|(_, number)| usize::try_from(*number).expect("small"))
                .collect();
            assert_eq!(numbers, (start..end).collect::<Vec<_>>());
            assert_eq!(
                changed_in,
                (start..end).map(|row| row as u64 / 3).collect::<Vec<_>>()
            );
        }
    }
}
