//! A session: a catalog of streams, tables and views, and the queries over them. Spark's `SparkSession`.
//!
//! # Layout
//!
//! - [`builder`]: a session's settings and threads
//! - [`catalog`]: the names that SQL sees
//! - [`connectors`]: sources and sinks by name, with their options
//! - [`settings`]: what SET knows
//! - [`planning`]: DataFusion configured to Spark's ways; a SELECT becomes a plan
//! - [`dataframe`], [`reader`], [`writer`]: the builder API, PySpark's in Rust
//! - [`static_table`], [`parquet_table`]: tables that are no streams
//! - `progress_table`: a query's recent batches as a table
//! - [`manager`]: the queries by name
//! - [`script`]: statements, checked all and then run in order
//! - [`workspace`]: what is remembered from one session to the next

pub mod builder;
pub mod catalog;
pub mod connectors;
pub mod dataframe;
pub mod manager;
pub mod parquet_table;
pub mod planning;
mod progress_table;
pub mod reader;
pub mod script;
pub mod settings;
pub mod show;
pub mod static_table;
pub mod workspace;
pub mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::task::JoinHandle;

pub use builder::SessionBuilder;
pub use dataframe::{DataFrame, GroupedData};
pub use manager::StreamingQueryManager;
pub use reader::DataStreamReader;
pub use writer::DataStreamWriter;

use crate::clock::Clock;
use crate::engine::snapshot::CatalogKind;
use crate::error::{Error, Result};
use crate::execution::StreamingQuery;
use crate::execution::definition::QueryDefinition;
use crate::execution::query::QueryContext;
use crate::session::catalog::Catalog;
use crate::session::connectors::NewSink;
use crate::session::progress_table::ProgressFunction;
use crate::session::settings::Settings;
use crate::session::static_table::StaticTable;
use crate::session::workspace::Workspace;
use crate::source::memory::MemoryStream;

/// An entry to the engine. Cheap to clone; all clones are the same session.
#[derive(Debug, Clone)]
pub struct Session {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    catalog: Mutex<Catalog>,
    settings: Mutex<Settings>,
    context: Arc<QueryContext>,
    queries: StreamingQueryManager,
    checkpoint_root: PathBuf,
    /// What is remembered; `None`: nothing.
    workspace: Option<Mutex<Workspace>>,
    /// The threads that compute; `None` where the caller's runtime is used.
    _runtime: builder::OwnedRuntime,
}

/// A task that ends with whoever waits for it.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A session that may be gone.
#[derive(Debug, Clone)]
pub(crate) struct WeakSession {
    inner: Weak<Inner>,
}

impl WeakSession {
    pub(crate) fn upgrade(&self) -> Option<Session> {
        self.inner.upgrade().map(|inner| Session { inner })
    }
}

impl Session {
    /// A session with default settings, in the current folder.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Internal`] if the threads cannot be made.
    pub fn new() -> Result<Self> {
        Self::builder().build()
    }

    /// A session to be configured.
    pub fn builder() -> SessionBuilder {
        SessionBuilder::default()
    }

    /// Begins to define a stream: `session.read_stream().format("json").schema("id INT").load(path)`.
    pub fn read_stream(&self) -> DataStreamReader {
        DataStreamReader::new(self.clone())
    }

    /// A stream, table, view or query result by its name.
    ///
    /// # Errors
    ///
    /// A statement error if there is none.
    pub fn table(&self, name: &str) -> Result<DataFrame> {
        Ok(DataFrame::new(
            self.clone(),
            self.inner.catalog.lock().plan_of(name)?,
        ))
    }

    /// A stream whose rows the program adds itself, under a name that SQL can use.
    ///
    /// # Errors
    ///
    /// A statement error if the name is taken.
    pub fn add_memory_stream(&self, name: &str, stream: &MemoryStream) -> Result<DataFrame> {
        let table = reader::memory_table(name, stream);
        let plan = self.inner.catalog.lock().add_stream(table, "memory".to_owned())?;
        Ok(DataFrame::new(self.clone(), plan))
    }

    /// The queries.
    pub fn streams(&self) -> &StreamingQueryManager {
        &self.inner.queries
    }

    /// Changes a setting, by Spark's name.
    ///
    /// # Errors
    ///
    /// A statement error for an unknown setting or a wrong value.
    pub fn set(&self, key: &str, value: &str) -> Result<()> {
        let zone = {
            let mut settings = self.inner.settings.lock();
            settings.set(key, value)?;
            settings.time_zone().to_owned()
        };
        self.inner.catalog.lock().set_time_zone(&zone);
        Ok(())
    }

    /// Tells processing time.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.context.clock
    }

    /// Where checkpoints go that are not told a folder.
    pub fn checkpoint_root(&self) -> &Path {
        &self.inner.checkpoint_root
    }

    /// What is remembered from one session to the next, if anything is.
    pub(crate) fn workspace(&self) -> Option<&Mutex<Workspace>> {
        self.inner.workspace.as_ref()
    }

    pub(crate) fn downgrade(&self) -> WeakSession {
        WeakSession {
            inner: Arc::downgrade(&self.inner),
        }
    }

    /// Runs work on the session's threads and waits for it. Whoever stops waiting stops the work too: a script does
    /// not go on behind the back of a front end that has ended.
    pub(crate) async fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let mut run = AbortOnDrop(self.inner.context.runtime.spawn(work));
        (&mut run.0)
            .await
            .unwrap_or_else(|panic| Err(Error::internal("the engine panicked").caused_by(panic)))
    }

    /// Adds a checked query, stopped, and the rows of its memory sink under its name.
    pub(crate) fn add_query(&self, definition: QueryDefinition, sink: NewSink) -> Result<StreamingQuery> {
        let name = definition.name.to_string();
        let mut catalog = self.inner.catalog.lock();
        if let Some(rows) = sink.table {
            let table = Arc::new(StaticTable::of_sink(rows));
            catalog.add_table(&name, CatalogKind::Result, "memory sink".to_owned(), table)?;
        }
        let added = self.inner.queries.add(definition);
        if added.is_err() {
            catalog.remove(&name);
        }
        added
    }

    /// Stops a query and forgets it and its rows. Its checkpoint stays.
    pub(crate) async fn drop_query(&self, query: &StreamingQuery) -> Result<()> {
        self.inner.queries.drop_query(query).await;
        if query.definition().result.is_some() {
            self.inner.catalog.lock().remove(query.name());
        }
        self.forget(query.name())
    }

    /// Forgets what made a name.
    pub(crate) fn forget(&self, name: &str) -> Result<()> {
        self.inner
            .workspace
            .as_ref()
            .map_or(Ok(()), |workspace| workspace.lock().forget(name))
    }

    /// A session with other names, and no queries, on the same threads and settings.
    pub(crate) fn with_catalog(&self, catalog: Catalog) -> Self {
        let inner = Inner {
            catalog: Mutex::new(catalog),
            settings: Mutex::new(self.settings()),
            queries: StreamingQueryManager::new(Arc::clone(&self.inner.context)),
            context: Arc::clone(&self.inner.context),
            checkpoint_root: self.inner.checkpoint_root.clone(),
            workspace: None,
            _runtime: builder::OwnedRuntime::default(),
        };
        Self::over(inner)
    }

    fn over(inner: Inner) -> Self {
        let inner = Arc::new(inner);
        let session = WeakSession {
            inner: Arc::downgrade(&inner),
        };
        let progress = ProgressFunction::new(session);
        let catalog = inner.catalog.lock();
        catalog
            .context()
            .register_udtf(ProgressFunction::NAME, Arc::new(progress));
        drop(catalog);
        Self { inner }
    }

    pub(crate) fn catalog(&self) -> &Mutex<Catalog> {
        &self.inner.catalog
    }

    pub(crate) fn replace_settings(&self, settings: Settings) {
        *self.inner.settings.lock() = settings;
    }

    pub(crate) fn settings(&self) -> Settings {
        self.inner.settings.lock().clone()
    }

    pub(crate) fn context(&self) -> &Arc<QueryContext> {
        &self.inner.context
    }
}
