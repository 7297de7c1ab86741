//! Defines streams: Spark's `DataStreamReader`.

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use crate::error::Result;
use crate::options::Options;
use crate::plan::stream_table::{SourceFactory, StreamTable};
use crate::session::connectors::{self, StreamSpec};
use crate::session::{DataFrame, Session};
use crate::source::SourceRef;
use crate::source::memory::MemoryStream;

/// Defines a stream step by step; nothing is read before a query starts.
#[derive(Debug, Clone)]
pub struct DataStreamReader {
    session: Session,
    format: String,
    schema: Option<String>,
    options: Options,
}

impl DataStreamReader {
    pub(super) fn new(session: Session) -> Self {
        Self {
            session,
            format: "json".to_owned(),
            schema: None,
            options: Options::new(),
        }
    }

    /// The connector: `json`, `text`, `rate`, ...
    #[must_use]
    pub fn format(mut self, format: impl Into<String>) -> Self {
        self.format = format.into();
        self
    }

    /// The columns, in Spark's DDL: `"id INT, at TIMESTAMP"`.
    #[must_use]
    pub fn schema(mut self, ddl: impl Into<String>) -> Self {
        self.schema = Some(ddl.into());
        self
    }

    /// An option, by Spark's name.
    #[must_use]
    pub fn option(mut self, name: impl Into<String>, value: impl Display) -> Self {
        self.options.set(name, value.to_string());
        self
    }

    /// The stream of a folder, a file or a glob.
    ///
    /// # Errors
    ///
    /// A statement error for an unknown connector, a wrong option, a wrong schema or a missing folder.
    pub fn load(mut self, path: impl AsRef<Path>) -> Result<DataFrame> {
        self.options.set("path", path.as_ref().display().to_string());
        self.load_unnamed()
    }

    /// The stream of a connector that has no path.
    ///
    /// # Errors
    ///
    /// As [`Self::load`].
    pub fn load_unnamed(self) -> Result<DataFrame> {
        // Its own options are the name under which checkpoints know it.
        let name = match self.options.string("path")? {
            Some(path) => format!("{}:{path}", self.format),
            None => self.format.clone(),
        };
        self.table(&name)
    }

    /// The stream under a name of the caller's: checkpoints know it by that name.
    ///
    /// # Errors
    ///
    /// As [`Self::load`].
    pub fn table(self, name: &str) -> Result<DataFrame> {
        let spec = StreamSpec {
            format: self.format,
            schema: self.schema,
            options: self.options,
        };
        let schema = connectors::declared_schema(&spec, &self.session)?;
        let table = connectors::stream_table(name, &spec, schema, &self.session)?;
        let source = datafusion::datasource::provider_as_source(Arc::new(table));
        let reference = datafusion::common::TableReference::bare(name);
        let plan = datafusion::logical_expr::LogicalPlanBuilder::scan(reference, source, None)?.build()?;
        Ok(DataFrame::new(self.session, plan))
    }
}

#[derive(Debug)]
struct MemoryFactory(MemoryStream);

impl SourceFactory for MemoryFactory {
    fn create(&self) -> Result<SourceRef> {
        Ok(Arc::new(self.0.source()))
    }
}

pub(super) fn memory_table(name: &str, stream: &MemoryStream) -> StreamTable {
    StreamTable {
        name: Arc::from(name),
        schema: stream.schema(),
        factory: Arc::new(MemoryFactory(stream.clone())),
    }
}
