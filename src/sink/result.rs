//! The rows of a sink that can be looked at while its query runs.

use std::fmt::Debug;
use std::ops::RangeInclusive;

use arrow::array::Array;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use crate::error::Result;
use crate::sink::OutputMode;

/// The rows of a memory sink, shared with the running query; every call is a consistent look at one version.
pub trait ResultTable: Debug + Send + Sync {
    /// The columns.
    fn schema(&self) -> SchemaRef;

    /// What the rows mean: an append table grows, an update table changes in place, a complete one is replaced.
    fn mode(&self) -> OutputMode;

    /// Grows whenever the rows change.
    fn version(&self) -> u64;

    /// How many rows there are now.
    fn num_rows(&self) -> usize;

    /// Up to `limit` rows from `offset` on, in table order (append: arrival; update: first arrival of the key;
    /// complete: the query's own order). Costs only the rows that it returns.
    fn page(&self, offset: usize, limit: usize) -> Result<ResultPage>;

    /// All rows, as batches, for queries.
    fn batches(&self) -> Result<Vec<RecordBatch>>;

    /// The batches as of which [`Self::marked_page`] can show the table; bounded. `None` if it has no rows, or keeps no
    /// history.
    fn history(&self) -> Option<RangeInclusive<u64>> {
        None
    }

    /// As [`Self::page`], of the table as it was after batch `as_of` and all before it (`None`: as it is), with what the
    /// last of them changed; `None` if that is not known any more. Of a complete table a row is compared with the row of
    /// the same key.
    ///
    /// # Errors
    ///
    /// None that a table can cause.
    fn marked_page(&self, as_of: Option<u64>, offset: usize, limit: usize) -> Result<Option<MarkedPage>> {
        Ok(match as_of {
            None => Some(MarkedPage::unmarked(self.page(offset, limit)?)),
            Some(_) => None,
        })
    }

    /// A page of the rows that one batch gave, as they were then: the change log. `num_rows` is how many it gave. `None` if
    /// that is not known any more; a batch that gave none has an empty page.
    ///
    /// # Errors
    ///
    /// None that a table can cause.
    fn batch_rows(&self, batch_id: u64, offset: usize, limit: usize) -> Result<Option<MarkedPage>> {
        let _ = (batch_id, offset, limit);
        Ok(None)
    }

    /// The columns and all rows of one version, chunk by chunk: for exports, which need not have all of them at once.
    ///
    /// # Errors
    ///
    /// None that a table can cause.
    fn rows(&self) -> Result<(SchemaRef, RowChunks)> {
        Ok((self.schema(), Box::new(self.batches()?.into_iter().map(Ok))))
    }
}

/// A page with what the last batch did to its rows.
#[derive(Debug, Clone)]
pub struct MarkedPage {
    /// The page. Its `num_rows` is that of the table as of the batch that was asked for.
    pub page: ResultPage,
    /// The last batch that changed the table until then; `None`: none has, or what it changed is not known any more, as
    /// after a restart. No row is marked then.
    pub batch_id: Option<u64>,
    /// What it did to each row of the page.
    pub changes: Vec<RowChange>,
    /// The rows that it changed, as they were before; [`RowChange::Changed`] points into them.
    pub before: RecordBatch,
}

/// What a batch did to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowChange {
    /// Nothing.
    Unchanged,
    /// It brought it.
    New,
    /// It gave it again, by key, and with other values but where these are the same: [`MarkedPage::is_cell_changed`].
    Changed {
        /// The row of [`MarkedPage::before`] that it was.
        before: usize,
    },
}

impl MarkedPage {
    /// A page of which nothing more is known.
    pub fn unmarked(page: ResultPage) -> Self {
        Self {
            batch_id: None,
            changes: vec![RowChange::Unchanged; page.rows.num_rows()],
            before: RecordBatch::new_empty(page.rows.schema()),
            page,
        }
    }

    /// Whether the last batch has changed a cell: it is new, or its value was another one before.
    pub fn is_cell_changed(&self, row: usize, column: usize) -> bool {
        match self.changes.get(row) {
            Some(RowChange::New) => true,
            Some(RowChange::Changed { before }) => {
                let now = self.page.rows.column(column).slice(row, 1);
                now.to_data() != self.before.column(column).slice(*before, 1).to_data()
            }
            Some(RowChange::Unchanged) | None => false,
        }
    }
}

/// Rows, chunk by chunk.
pub type RowChunks = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// Some rows of a result table.
#[derive(Debug, Clone)]
pub struct ResultPage {
    /// The table's version that the page shows.
    pub version: u64,
    /// How many rows that version has in all.
    pub num_rows: usize,
    /// The rows asked for.
    pub rows: RecordBatch,
    /// For each of them, the batch that brought or last changed it.
    pub changed_in: Vec<u64>,
}
