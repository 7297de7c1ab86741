//! Defines queries: Spark's `DataStreamWriter`.

use std::fmt::{self, Display};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;

use crate::error::{Error, Result};
use crate::execution::definition::QueryDefinition;
use crate::execution::{StreamingQuery, Trigger};
use crate::options::Options;
use crate::session::connectors::{self, NewSink};
use crate::session::{DataFrame, Session};
use crate::sink::OutputMode;
use crate::sink::foreach_batch::{BatchFunction, ForeachBatchSink};

/// Defines a query step by step; [`DataStreamWriter::start`] runs it.
#[derive(Clone)]
pub struct DataStreamWriter {
    frame: DataFrame,
    name: Option<String>,
    sql: Option<Arc<str>>,
    format: Option<String>,
    mode: OutputMode,
    trigger: Trigger,
    checkpoint: Option<PathBuf>,
    options: Options,
    partition_by: Vec<String>,
    function: Option<BatchFunction>,
}

impl fmt::Debug for DataStreamWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataStreamWriter")
            .field("name", &self.name)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

impl DataStreamWriter {
    pub(crate) fn new(frame: DataFrame) -> Self {
        Self {
            frame,
            name: None,
            sql: None,
            format: None,
            mode: OutputMode::Append,
            trigger: Trigger::Default,
            checkpoint: None,
            options: Options::new(),
            partition_by: Vec::new(),
            function: None,
        }
    }

    /// The sink: `memory` (the default), `console`, `parquet`, `json`, `noop`.
    #[must_use]
    pub fn format(mut self, format: impl Into<String>) -> Self {
        self.format = Some(format.into());
        self
    }

    /// What a batch's rows mean; append by default.
    #[must_use]
    pub fn output_mode(mut self, mode: OutputMode) -> Self {
        self.mode = mode;
        self
    }

    /// When batches run; as soon as there is data by default.
    #[must_use]
    pub fn trigger(mut self, trigger: Trigger) -> Self {
        self.trigger = trigger;
        self
    }

    /// An option of the sink, or `checkpointLocation`.
    #[must_use]
    pub fn option(mut self, name: impl Into<String>, value: impl Display) -> Self {
        let name = name.into();
        if name.eq_ignore_ascii_case("checkpointLocation") {
            self.checkpoint = Some(PathBuf::from(value.to_string()));
        } else {
            self.options.set(name, value.to_string());
        }
        self
    }

    /// All of the sink's options, their places kept.
    #[must_use]
    pub(crate) fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// The statement that the query is made from, for showing.
    #[must_use]
    pub(crate) fn sql(mut self, text: &str) -> Self {
        self.sql = Some(Arc::from(text));
        self
    }

    /// The query's name; a memory sink's rows are a table of that name.
    #[must_use]
    pub fn query_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Columns whose values name the folders of a file sink.
    #[must_use]
    pub fn partition_by<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.partition_by = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Calls an async function with each batch's rows and id, instead of a sink. A batch comes again under the same
    /// id after a crash.
    #[must_use]
    pub fn foreach_batch<F, Fut>(mut self, function: F) -> Self
    where
        F: Fn(Vec<RecordBatch>, u64) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        self.function = Some(Arc::new(move |rows, batch_id| Box::pin(function(rows, batch_id))));
        self
    }

    /// Checks the query, adds it to the session and starts it.
    ///
    /// # Errors
    ///
    /// A statement error if it is refused; nothing of it stays then.
    pub async fn start(self) -> Result<StreamingQuery> {
        let query = self.add().await?;
        query.start().await?;
        Ok(query)
    }

    async fn add(self) -> Result<StreamingQuery> {
        let session = self.frame.session().clone();
        let (definition, sink) = self.define(&session)?;
        definition.check().await?;
        session.add_query(definition, sink)
    }

    /// The query as it would be added.
    pub(crate) fn define(self, session: &Session) -> Result<(QueryDefinition, NewSink)> {
        let Some(name) = self.name.map(Arc::<str>::from) else {
            return Err(Error::statement("a query needs a name").hint("Give it one with query_name(...)."));
        };
        let settings = session.settings();
        let root = settings
            .checkpoint_root()
            .map_or_else(|| session.checkpoint_root().to_owned(), PathBuf::from);
        let state = session.catalog().lock().context().state();
        let schema = self.frame.schema();
        let sink = if let Some(function) = self.function {
            NewSink {
                sink: Arc::new(ForeachBatchSink::new(function)),
                table: None,
            }
        } else {
            let format = self.format.as_deref().unwrap_or("memory");
            connectors::sink(
                format,
                &self.options,
                self.partition_by,
                &schema,
                self.mode,
                &name,
                session,
            )?
        };
        let definition = QueryDefinition {
            sql: self.sql.unwrap_or_else(|| Arc::from("")),
            plan: self.frame.logical_plan().clone(),
            output_mode: self.mode,
            trigger: self.trigger,
            checkpoint: self.checkpoint.unwrap_or_else(|| root.join(name.as_ref())),
            sink: Arc::clone(&sink.sink),
            result: sink.table.as_ref().map(|table| Arc::clone(table) as _),
            options: settings.query_options(),
            state,
            name,
        };
        Ok((definition, sink))
    }
}
