//! The rows of a sink that can be looked at while its query runs.

use std::fmt::Debug;

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

    /// The columns and all rows of one version, chunk by chunk: for exports, which need not have all of them at once.
    ///
    /// # Errors
    ///
    /// None that a table can cause.
    fn rows(&self) -> Result<(SchemaRef, RowChunks)> {
        Ok((self.schema(), Box::new(self.batches()?.into_iter().map(Ok))))
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
