//! What front ends see of the engine: plain data, immutable once published.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use uuid::Uuid;

use crate::error::{ErrorKind, Position, Result};
use crate::execution::progress::StreamingQueryProgress;
use crate::sink::OutputMode;

/// Everything a front end shows, at one moment. Published through a `watch` channel: the latest wins, and a slow
/// reader never holds the engine up.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Grows with every published snapshot.
    pub sequence: u64,
    /// When it was made, in milliseconds since the epoch.
    pub at_ms: i64,
    /// Every query that the session knows, running or not, in the order of their creation.
    pub queries: Vec<Arc<QuerySnapshot>>,
    /// Streams, tables, views and result tables.
    pub catalog: Arc<Vec<CatalogEntry>>,
}

/// One query at one moment.
#[derive(Debug, Clone)]
pub struct QuerySnapshot {
    /// The query's id, the same over all its runs: rows on a screen are keyed by it.
    pub id: Uuid,
    /// The current run, or the last one; `None` if it never ran in this process.
    pub run_id: Option<Uuid>,
    /// The query's name.
    pub name: String,
    /// What it is doing.
    pub state: QueryState,
    /// One sentence on what it is doing at this moment, as Spark's `StreamingQueryStatus.message`.
    pub status_message: String,
    /// What a batch's rows mean.
    pub output_mode: OutputMode,
    /// The trigger, as its clause reads: `PROCESSING TIME '1 second'`.
    pub trigger: String,
    /// The checkpoint's folder.
    pub checkpoint: PathBuf,
    /// The statement that created it, secrets masked.
    pub sql: Arc<str>,
    /// The sources' descriptions.
    pub sources: Vec<String>,
    /// The sink's description.
    pub sink: String,
    /// The progress of the last batches of this run, oldest first; bounded (`spark.sql.streaming.numRecentProgressUpdates`, 100).
    pub recent_progress: Arc<VecDeque<Arc<StreamingQueryProgress>>>,
    /// The last batch that the checkpoint holds as committed.
    pub last_committed: Option<u64>,
    /// The rows of a memory sink.
    pub result: Option<Arc<dyn ResultTable>>,
    /// What is worth a look: late rows, a held-back watermark, a starved source.
    pub warnings: Vec<Warning>,
    /// Why the last run failed.
    pub exception: Option<ErrorReport>,
    /// The physical plan with its stateful operators, as indented text.
    pub plan: Arc<str>,
}

/// What a query is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum QueryState {
    /// Planning, opening its checkpoint.
    Starting,
    /// Running batches or waiting for data.
    Running,
    /// Asked to stop; the batch in hand is being finished.
    Stopping,
    /// Stopped by a person, or not started yet; START goes on from the checkpoint.
    Stopped,
    /// Ended by itself: AVAILABLE NOW or ONCE have read everything.
    Finished,
    /// Ended by an error; RESTART goes on from the checkpoint.
    Failed,
}

impl QueryState {
    /// The word for it: `running`, `failed`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Finished => "finished",
            Self::Failed => "failed",
        }
    }

    /// Whether a run is under way.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Starting | Self::Running | Self::Stopping)
    }
}

/// Something worth a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// A short stable name: `late-rows`, `watermark-stuck`, `unbounded-state`.
    pub lint: &'static str,
    /// One sentence with the numbers.
    pub message: String,
}

/// An error as data, for showing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorReport {
    /// What a caller can do about it.
    pub kind: ErrorKind,
    /// The message.
    pub message: String,
    /// Its causes, outermost first.
    pub causes: Vec<String>,
    /// What to do instead.
    pub hint: Option<String>,
    /// Where in the statement.
    pub position: Option<Position>,
}

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

    /// All rows, as batches, for queries and exports.
    fn batches(&self) -> Result<Vec<RecordBatch>>;
}

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

/// A name in the catalog.
#[derive(Debug, Clone)]
pub struct CatalogEntry {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: CatalogKind,
    /// Its columns.
    pub schema: SchemaRef,
    /// Where its rows come from, in words: `json, sample-data/events`.
    pub detail: String,
}

/// What a name in the catalog stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CatalogKind {
    /// CREATE STREAM.
    Stream,
    /// CREATE TABLE: static rows.
    Table,
    /// CREATE VIEW.
    View,
    /// The rows of a query's memory sink.
    Result,
}
