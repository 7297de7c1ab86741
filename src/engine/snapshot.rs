//! What front ends see of the engine: plain data, immutable once published.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use uuid::Uuid;

pub use super::log::{LogEntries, LogEntry, LogLevel};
pub use crate::error::ErrorReport;
pub use crate::execution::event_time::{
    EventTimeFacts, LateRows, OpenState, OpenWindow, Waiting, WaitingKind, WatermarkSource,
};
pub use crate::execution::lints::Warning;
pub use crate::execution::plan_nodes::{NodeNumbers, PlanNode};
use crate::execution::progress::StreamingQueryProgress;
pub use crate::execution::query::QueryState;
pub use crate::execution::state_page::{StateOrder, StatePage, StateRequest, StateWeight};
use crate::sink::OutputMode;
pub use crate::sink::result::{ResultPage, ResultTable};

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
    /// What the engine said lately, of all queries, oldest first; bounded.
    pub log: LogEntries,
}

/// One query at one moment.
#[derive(Debug, Clone, Default)]
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
    /// What is worth a look as of the last batch, by the lints of [`crate::execution::lints`], the worst first.
    pub warnings: Vec<Warning>,
    /// Why the last run failed.
    pub exception: Option<ErrorReport>,
    /// The physical plan with its stateful operators, as indented text.
    pub plan: Arc<str>,
    /// The same plan as a tree, root first, each node before its inputs, with what each did in the last batch and lately;
    /// empty before a run has made it.
    pub plan_nodes: Vec<PlanNode>,
    /// Where the query stands in event time as of its last batch, in this run; `None` without a watermark.
    pub event_time: Option<Arc<EventTimeFacts>>,
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

impl CatalogKind {
    /// The word for it: `stream`, `table`, `view`, `result`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Table => "table",
            Self::View => "view",
            Self::Result => "query's result",
        }
    }
}
