//! What front ends can ask of the engine.

use std::path::PathBuf;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

/// A typed request. Every action of the workbench and every statement of a script is one of these.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Runs the statements of a pipeline text in order, after all of them were checked.
    Run {
        /// The text.
        sql: String,
        /// The file it came from, for messages.
        origin: Option<PathBuf>,
    },
    /// Checks the statements of a pipeline text, runs none.
    Check {
        /// The text.
        sql: String,
        /// The file it came from, for messages.
        origin: Option<PathBuf>,
    },
    /// Starts a stopped, finished or failed query from its checkpoint.
    Start(String),
    /// Stops a query after the batch in hand was committed.
    Stop(String),
    /// Stops, if it runs, and starts again.
    Restart(String),
    /// Stops, if it runs, and forgets the query. Its checkpoint stays.
    Drop(String),
    /// Stops every query and waits for it: before the process ends.
    StopAll,
}

/// What a request came to.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Done; a sentence for the status line.
    Done(String),
    /// The rows of a statement that has some: one entry a statement, in order.
    Rows(Vec<Rows>),
}

/// The rows of a SELECT, SHOW, DESCRIBE or EXPLAIN.
#[derive(Debug, Clone)]
pub struct Rows {
    /// The columns.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
}
