//! The statements of the pipeline language, as they were written.
//!
//! Every part that may turn out to be wrong later, when it meets the catalog or a file, carries its place.

use std::fmt;
use std::time::Duration;

use crate::error::Position;
use crate::execution::Trigger;
use crate::sink::OutputMode;
use crate::sql::query::QueryText;

/// One statement of a script.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The statement exactly as it was written, without the `;`.
    pub text: String,
    /// Where it starts.
    pub position: Position,
    /// What it says.
    pub kind: StatementKind,
}

/// What a statement says.
#[derive(Debug, Clone, PartialEq)]
pub enum StatementKind {
    /// `CREATE STREAM`
    CreateStream(CreateStream),
    /// `CREATE TABLE`: static rows
    CreateTable(CreateTable),
    /// `CREATE VIEW`
    CreateView(CreateView),
    /// `CREATE STREAMING QUERY`
    CreateStreamingQuery(Box<CreateStreamingQuery>),
    /// `START QUERY q`
    Start(Name),
    /// `STOP QUERY q`
    Stop(Name),
    /// `RESTART QUERY q`
    Restart(Name),
    /// `RESET QUERY q`: its checkpoint is put aside
    Reset(Name),
    /// `EXPORT QUERY q TO 'rows.csv'`
    Export(Export),
    /// `DROP QUERY | STREAM | TABLE | VIEW`
    Drop(Drop),
    /// `AWAIT QUERY q [TIMEOUT '60 seconds']`
    Await(Await),
    /// `SHOW STREAMS`, and its kin
    Show(Show),
    /// `SHOW PROGRESS FOR q`
    ShowProgress(Name),
    /// `SHOW STATE FOR q`, and its keys and values
    ShowState(ShowState),
    /// `DESCRIBE [QUERY] name`
    Describe(Describe),
    /// `EXPLAIN [ANALYZE] QUERY q | SELECT ...`
    Explain(Explain),
    /// `SET key = value`
    Set(Set),
    /// A batch SELECT
    Select(QueryText),
}

impl StatementKind {
    /// Whether it could change queries, checkpoints, settings or the catalog.
    pub fn changes_something(&self) -> bool {
        match self {
            Self::CreateStream(_)
            | Self::CreateTable(_)
            | Self::CreateView(_)
            | Self::CreateStreamingQuery(_)
            | Self::Start(_)
            | Self::Stop(_)
            | Self::Restart(_)
            | Self::Reset(_)
            | Self::Drop(_)
            | Self::Set(_) => true,
            Self::Export(_)
            | Self::Await(_)
            | Self::Show(_)
            | Self::ShowProgress(_)
            | Self::ShowState(_)
            | Self::Describe(_)
            | Self::Explain(_)
            | Self::Select(_) => false,
        }
    }
}

/// `EXPORT QUERY q TO 'rows.csv'`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Export {
    /// The query.
    pub query: Name,
    /// The file.
    pub path: Text,
}

/// `SHOW STATE FOR q [OPERATOR n] [AS OF BATCH n] [LIKE 'text'] [LIMIT n]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ShowState {
    /// The query.
    pub query: Name,
    /// Which keys and values are shown; `None`: no clause asks for some, the operators are listed.
    pub keys: Option<StateKeys>,
}

/// Which keys of a state are shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct StateKeys {
    /// The operator's number; 0 unless written.
    pub operator: u32,
    /// The batch after which the state is looked at.
    pub as_of: Option<u64>,
    /// What a key has in it.
    pub find: Option<String>,
    /// How many keys at most; [`usize::MAX`] unless written.
    pub limit: Option<usize>,
}

/// A name, without its back-quotes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name {
    /// The name.
    pub value: String,
    /// Where it stands.
    pub position: Position,
}

/// A quoted text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Text {
    /// The text, without its quotes, escapes resolved.
    pub value: String,
    /// Where it stands.
    pub position: Position,
}

/// What happens to something of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Creation {
    /// It is an error.
    #[default]
    New,
    /// `OR REPLACE`: it makes room.
    OrReplace,
    /// `IF NOT EXISTS`: it stays, and the statement does nothing.
    IfNotExists,
}

/// `CREATE [OR REPLACE] STREAM [IF NOT EXISTS] name [(schema)] USING format [OPTIONS (...)] [WATERMARK ...]`
#[derive(Debug, Clone, PartialEq)]
pub struct CreateStream {
    /// The stream's name.
    pub name: Name,
    /// What happens to a stream that is there.
    pub creation: Creation,
    /// The declared columns.
    pub schema: Option<SchemaText>,
    /// The connector.
    pub format: Name,
    /// The connector's options.
    pub options: Vec<OptionEntry>,
    /// The event-time column and how late it may be.
    pub watermark: Option<WatermarkClause>,
}

/// `CREATE [OR REPLACE] TABLE [IF NOT EXISTS] name [(schema)] USING format [OPTIONS (...)]`
#[derive(Debug, Clone, PartialEq)]
pub struct CreateTable {
    /// The table's name.
    pub name: Name,
    /// What happens to a table that is there.
    pub creation: Creation,
    /// The declared columns.
    pub schema: Option<SchemaText>,
    /// The format of the files.
    pub format: Name,
    /// The format's options.
    pub options: Vec<OptionEntry>,
}

/// `CREATE [OR REPLACE] VIEW [IF NOT EXISTS] name [WATERMARK ...] AS SELECT ...`
#[derive(Debug, Clone, PartialEq)]
pub struct CreateView {
    /// The view's name.
    pub name: Name,
    /// What happens to a view that is there.
    pub creation: Creation,
    /// The event-time column that the view makes, and how late it may be.
    pub watermark: Option<WatermarkClause>,
    /// The SELECT.
    pub query: QueryText,
}

/// `CREATE [OR REPLACE] STREAMING QUERY [IF NOT EXISTS] name clauses AS SELECT ...`
#[derive(Debug, Clone, PartialEq)]
pub struct CreateStreamingQuery {
    /// The query's name.
    pub name: Name,
    /// What happens to a query that is there.
    pub creation: Creation,
    /// `OUTPUT MODE`, append if it is not said.
    pub output_mode: OutputMode,
    /// Where the output mode stands, if it is said.
    pub output_mode_position: Option<Position>,
    /// `TRIGGER`.
    pub trigger: Trigger,
    /// `CHECKPOINT`: the folder, if it is said.
    pub checkpoint: Option<Text>,
    /// `SINK`.
    pub sink: SinkClause,
    /// The SELECT.
    pub query: QueryText,
}

/// A schema in Spark's DDL, unread: `event_id STRING, amount DOUBLE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaText {
    /// The text between the parentheses.
    pub text: String,
    /// Where that text starts.
    pub position: Position,
}

/// `name [=] value` in OPTIONS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionEntry {
    /// The option's name, in the user's spelling.
    pub name: String,
    /// The value as text.
    pub value: String,
    /// Where the name stands.
    pub position: Position,
    /// Where the value stands.
    pub value_position: Position,
}

/// `WATERMARK column DELAY OF INTERVAL ...`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatermarkClause {
    /// The event-time column.
    pub column: Name,
    /// How late a row may be.
    pub delay: Duration,
    /// Where the clause stands.
    pub position: Position,
}

/// `SINK format [OPTIONS (...)] [PARTITIONED BY (...)]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkClause {
    /// The connector.
    pub format: String,
    /// The connector's options.
    pub options: Vec<OptionEntry>,
    /// The columns that name the folders.
    pub partition_by: Vec<Name>,
    /// Where the connector's name stands; `None` if the clause is not there and the sink is memory.
    pub position: Option<Position>,
}

impl Default for SinkClause {
    fn default() -> Self {
        Self {
            format: "memory".to_owned(),
            options: Vec::new(),
            partition_by: Vec::new(),
            position: None,
        }
    }
}

/// `DROP QUERY | STREAM | TABLE | VIEW [IF EXISTS] name`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drop {
    /// What is dropped.
    pub object: DropObject,
    /// Its name.
    pub name: Name,
    /// Whether it is no error if there is none.
    pub if_exists: bool,
}

/// What can be dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DropObject {
    /// A streaming query; its checkpoint stays.
    Query,
    /// A stream.
    Stream,
    /// A static table.
    Table,
    /// A view.
    View,
}

/// `AWAIT QUERY q [TIMEOUT '60 seconds']`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Await {
    /// The query that is waited for.
    pub query: Name,
    /// How long at most.
    pub timeout: Option<Duration>,
}

/// What SHOW lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Show {
    /// Streams.
    Streams,
    /// Static tables.
    Tables,
    /// Streaming queries.
    Queries,
    /// Views.
    Views,
    /// Functions.
    Functions,
}

/// What DESCRIBE describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Describe {
    /// A streaming query.
    Query(Name),
    /// A stream, a table, a view, or a query's result.
    Relation(Name),
    /// A function.
    Function(Name),
}

/// `EXPLAIN [ANALYZE] ...`
#[derive(Debug, Clone, PartialEq)]
pub struct Explain {
    /// Whether the plan comes with what it measured.
    pub analyze: bool,
    /// What is explained.
    pub target: ExplainTarget,
}

/// What EXPLAIN explains.
#[derive(Debug, Clone, PartialEq)]
pub enum ExplainTarget {
    /// A streaming query.
    Query(Name),
    /// A SELECT.
    Select(QueryText),
}

/// `SET key = value`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// The setting.
    pub key: Name,
    /// Its value as text.
    pub value: Text,
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` @ {}:{}",
            self.value, self.position.line, self.position.column
        )
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} @ {}:{}",
            self.value, self.position.line, self.position.column
        )
    }
}
