//! What front ends can ask of the engine.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use tokio::sync::mpsc;

pub use crate::execution::definition::{CheckedQuery, Resumes};
use crate::execution::state_page::{StatePage, StateRequest};
use crate::sql::parse_script;

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
    /// Reads a pipeline's file and runs it.
    Open(PathBuf),
    /// Checks the statements of a pipeline text, runs none. The answer is [`Answer::Checked`].
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
    /// Puts the checkpoint of a query that does not run aside, so that it begins anew with the next START. Nothing is
    /// deleted: the sentence says where it is. Rows that its sink has written to files or elsewhere stay.
    ResetCheckpoint(String),
    /// Looks into a query's state. The answer is [`Answer::State`].
    ReadState {
        /// The query.
        query: String,
        /// What is to be seen of it.
        request: StateRequest,
    },
    /// Writes all rows of a query's result table to a file, as the end of its name says: `.csv`, `.json` or `.jsonl` (an
    /// object a line), `.parquet`. A file that is there is replaced, in one step.
    Export {
        /// The query, which must have a memory sink.
        query: String,
        /// The file.
        path: PathBuf,
    },
    /// Asks for the words of the pipeline language, for completion and highlighting. The answer is [`Answer::Words`].
    Words,
    /// Stops every query and waits for it: before the process ends.
    StopAll,
}

impl Command {
    /// Whether it could change queries, checkpoints or the catalog; looking, checking and exporting do not. A text counts
    /// by its statements, and one that is none changes nothing, for it is refused.
    pub fn changes_something(&self) -> bool {
        match self {
            Self::Run { sql, .. } => {
                let statements = parse_script(sql).unwrap_or_default();
                statements
                    .iter()
                    .any(|statement| statement.kind.changes_something())
            }
            Self::Open(_)
            | Self::Start(_)
            | Self::Stop(_)
            | Self::Restart(_)
            | Self::Drop(_)
            | Self::ResetCheckpoint(_)
            | Self::StopAll => true,
            Self::Check { .. } | Self::ReadState { .. } | Self::Export { .. } | Self::Words => false,
        }
    }
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
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// A sentence for the status line.
    pub sentence: String,
    /// What was asked for, where something was.
    pub answer: Answer,
}

/// What a request asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Answer {
    /// Nothing beyond the sentence.
    #[default]
    None,
    /// What the queries of a checked text will be, in its order; those that are made already are left out.
    Checked(Vec<CheckedQuery>),
    /// Keys and values of a state.
    State(Box<StatePage>),
    /// The words of the pipeline language.
    Words(Arc<Words>),
}

/// What may be written in a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// Words of statements and clauses, in capitals.
    pub keywords: &'static [&'static str],
    /// Functions with their kind (`scalar`, `aggregate`, ...), by name.
    pub functions: Vec<(String, &'static str)>,
    /// Streams, tables, views and query results.
    pub relations: Vec<String>,
    /// The columns of all of them, each name once.
    pub columns: Vec<String>,
    /// Queries.
    pub queries: Vec<String>,
}

impl Reply {
    /// It is done, as the sentence says.
    pub fn done(sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            answer: Answer::None,
        }
    }

    /// The same with what was asked for.
    #[must_use]
    pub fn with(self, answer: Answer) -> Self {
        Self { answer, ..self }
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
