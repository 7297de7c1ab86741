//! The change log of a result: the rows that each recent batch gave, one batch behind the other.
//!
//! The table is asked for as many rows as are in sight, batch by batch. How many rows a batch gave never changes, so it
//! is asked for once.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, UInt64Array};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use uuid::Uuid;

use crate::engine::snapshot::{ResultPage, ResultTable};
use crate::error::{Error, Result};
use crate::sink::result::RowChange;

/// How many batches back it goes at most.
const MAX_BATCHES: u64 = 100;

/// What is known of a result's recent batches.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChangeLog {
    query: Option<Uuid>,
    /// Batches with the number of their first row, counted since the log began, and of their rows.
    batches: VecDeque<(u64, usize, usize)>,
}

/// The rows of a change log up to a batch.
#[derive(Debug, Clone)]
pub(crate) struct LoggedRows {
    table: Arc<dyn ResultTable>,
    batches: Vec<(u64, usize, usize)>,
    version: u64,
}

impl ChangeLog {
    /// Takes in the batches that have run since it was looked at.
    pub(crate) fn update(&mut self, query: Uuid, table: &dyn ResultTable) -> Result<()> {
        if self.query != Some(query) {
            *self = Self {
                query: Some(query),
                batches: VecDeque::new(),
            };
        }
        let Some(history) = table.history() else {
            return Ok(());
        };
        let (oldest, newest) = history.into_inner();
        if self.batches.back().is_some_and(|(last, ..)| *last > newest) {
            // The query began anew.
            self.batches.clear();
        }
        let oldest = oldest.max(newest.saturating_sub(MAX_BATCHES - 1));
        let from = self.batches.back().map_or(oldest, |(last, ..)| last + 1);
        for batch in from.max(oldest)..=newest {
            let Some(page) = table.batch_rows(batch, 0, 0)? else {
                continue;
            };
            let first = self.batches.back().map_or(0, |(_, first, rows)| first + rows);
            self.batches.push_back((batch, first, page.page.num_rows));
        }
        while self.batches.front().is_some_and(|(batch, ..)| *batch < oldest) {
            self.batches.pop_front();
        }
        Ok(())
    }

    /// Its rows up to a batch, or all.
    pub(crate) fn rows(&self, table: &Arc<dyn ResultTable>, up_to: Option<u64>) -> LoggedRows {
        let known = self.batches.iter().copied();
        let batches: Vec<_> = known
            .filter(|(batch, ..)| up_to.is_none_or(|last| *batch <= last))
            .collect();
        LoggedRows {
            table: Arc::clone(table),
            version: batches.last().map_or(0, |(batch, ..)| batch + 1),
            batches,
        }
    }
}

impl LoggedRows {
    /// The batch and what it did, before the table's own columns.
    pub(crate) fn schema(&self) -> SchemaRef {
        let mut fields = vec![
            Arc::new(Field::new("batch", DataType::UInt64, false)),
            Arc::new(Field::new("change", DataType::Utf8, false)),
        ];
        fields.extend(self.table.schema().fields().iter().map(Arc::clone));
        Arc::new(Schema::new(fields))
    }

    /// Grows with every batch.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// The rows that there are, counted since the log began: first and one after the last.
    pub(crate) fn reach(&self) -> (usize, usize) {
        let first = self.batches.first().map_or(0, |(_, first, _)| *first);
        let end = self.batches.last().map_or(0, |(_, first, rows)| first + rows);
        (first, end)
    }

    /// Up to `limit` rows from `offset` on.
    pub(crate) fn page(&self, offset: usize, limit: usize) -> Result<ResultPage> {
        let (first, end) = self.reach();
        let offset = offset.max(first);
        let until = offset.saturating_add(limit).min(end);
        let schema = self.schema();
        let mut parts = Vec::new();
        let mut changed_in = Vec::new();
        for (batch, start, rows) in &self.batches {
            let from = offset.max(*start);
            let to = until.min(start + rows);
            if from < to {
                let part = self.part(*batch, from - start, to - from, &schema)?;
                changed_in.extend(std::iter::repeat_n(*batch, part.num_rows()));
                parts.push(part);
            }
        }
        Ok(ResultPage {
            version: self.version,
            num_rows: end,
            rows: concat_batches(&schema, &parts)?,
            changed_in,
        })
    }

    fn part(&self, batch: u64, offset: usize, limit: usize, schema: &SchemaRef) -> Result<RecordBatch> {
        let page = self.table.batch_rows(batch, offset, limit)?.ok_or_else(|| {
            Error::statement(format!("the rows of batch {batch} are not kept any more"))
                .hint("Later batches are further down.")
        })?;
        let count = page.page.rows.num_rows();
        let changes = page.changes.iter().map(|change| match change {
            RowChange::New => "new",
            RowChange::Changed { .. } => "changed",
            RowChange::Unchanged => "same",
        });
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(UInt64Array::from(vec![batch; count])),
            Arc::new(changes.map(Some).collect::<StringArray>()),
        ];
        columns.extend(page.page.rows.columns().iter().map(Arc::clone));
        RecordBatch::try_new(Arc::clone(schema), columns).map_err(Into::into)
    }
}
