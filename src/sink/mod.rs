//! Where a query's rows go: one file a connector.
//!
//! A batch reaches its sink as one stream of rows with the batch's id. Delivery is idempotent by batch id: after
//! a crash between [`Sink::write`] and the checkpoint's commit the same batch comes again under the same id, and
//! the sink ends up as if it had come once.
//!
//! # Layout
//!
//! - [`memory`]: a table that is readable while the query runs
//! - [`console`]: hands every batch to whoever prints
//! - [`file`]: a folder of JSON or Parquet files, exactly once
//! - [`export`]: a table's rows to a file, once
//! - [`noop`]: counts rows and forgets them

pub mod console;
pub mod export;
pub mod file;
pub mod foreach_batch;
pub mod memory;
pub mod noop;
#[cfg(test)]
pub(crate) mod test_support;

pub mod result;

use std::fmt::Debug;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::physical_plan::SendableRecordBatchStream;
use serde::{Deserialize, Serialize};

use crate::error::Result;

/// What a batch's rows mean: Spark's output modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum OutputMode {
    /// Rows that will never change.
    #[default]
    Append,
    /// Rows that are new or changed since the last batch.
    Update,
    /// The whole result, every batch.
    Complete,
}

impl std::fmt::Display for OutputMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Append => "append",
            Self::Update => "update",
            Self::Complete => "complete",
        })
    }
}

/// What a sink learns once, before the first batch of a run.
#[derive(Debug, Clone)]
pub struct SinkStart {
    /// The columns of every batch.
    pub schema: SchemaRef,
    /// What the rows of a batch mean.
    pub mode: OutputMode,
    /// Update mode: the output columns whose values name a row, where the query has such columns; a later row
    /// with the same values replaces the earlier one. `Some` of an empty list: the result is one row.
    pub keys: Option<Vec<usize>>,
    /// The query's id, the same over all its runs.
    pub query_id: uuid::Uuid,
    /// The query's name.
    pub query_name: String,
    /// The last batch that the checkpoint holds as committed. Whatever the sink finds of later batches is left
    /// over from a crash, and it takes it away.
    pub last_committed: Option<u64>,
    /// What the sink had given to the checkpoint with each committed batch ([`SinkCommit::log_entry`]), oldest first.
    pub log: Vec<(u64, Vec<u8>)>,
}

/// What a sink says of a batch that it has taken.
#[derive(Debug, Clone, Default)]
pub struct SinkCommit {
    /// How many rows the batch had.
    pub num_output_rows: u64,
    /// Bytes to keep with the batch in the checkpoint, in the same transaction as its commit record.
    pub log_entry: Option<Vec<u8>>,
    /// Set: all earlier log entries are superseded by this batch's one and may be forgotten.
    pub log_replaces: bool,
}

/// A connector that takes batches of rows. Errors are [`crate::error::ErrorKind::Sink`]; errors that come out of
/// `rows` are passed on as they are.
#[async_trait]
pub trait Sink: Debug + Send + Sync {
    /// How progress names it: `MemorySink`, `FileSink[/tmp/out]`.
    fn description(&self) -> String;

    /// Whether what it shows is made of what every batch of the query has given to it, and is kept in the
    /// checkpoint. Such a sink cannot take over from another one.
    fn keeps_rows(&self) -> bool {
        false
    }

    /// Begins a run.
    async fn start(&self, start: SinkStart) -> Result<()>;

    /// Takes a batch, wholly and durably, or fails. A batch id that was written before is replaced.
    async fn write(&self, batch_id: u64, rows: SendableRecordBatchStream) -> Result<SinkCommit>;

    /// The batch is committed in the checkpoint.
    async fn committed(&self, batch_id: u64) -> Result<()> {
        let _ = batch_id;
        Ok(())
    }
}

/// A sink that several owners share.
pub type SinkRef = Arc<dyn Sink>;
