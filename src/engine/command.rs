//! What front ends can ask of the engine.

use std::path::PathBuf;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use tokio::sync::mpsc;

/// A typed request. Every action of the workbench and every statement of a script is one of these.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Runs the statements of a pipeline text in order, after all of them were checked.
    Run {
        /// The text.
        sql: String,
        /// The file it came from, for messages.
        origin: Option<PathBuf>,
        /// Where the rows of its statements go, each as soon as the statement has run; `None`: nobody wants them.
        rows: Option<RowSender>,
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

/// The way of a script's rows to the front end that wants them.
#[derive(Debug, Clone)]
pub struct RowSender(pub mpsc::UnboundedSender<Rows>);

impl PartialEq for RowSender {
    fn eq(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }
}

/// What a request came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// A sentence for the status line.
    pub sentence: String,
}

impl Reply {
    /// It is done, as the sentence says.
    pub fn done(sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
        }
    }
}

/// The rows of a SELECT, SHOW, DESCRIBE or EXPLAIN.
#[derive(Debug, Clone)]
pub struct Rows {
    /// The columns.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
}
