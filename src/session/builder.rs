//! A session's settings and threads.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Result};
use crate::execution::event::EventBus;
use crate::execution::query::QueryContext;
use crate::execution::storage::{LocalStorage, Storage};
use crate::session::catalog::Catalog;
use crate::session::settings::Settings;
use crate::session::workspace::Workspace;
use crate::session::{Inner, Session, StreamingQueryManager};

/// Makes a [`Session`].
#[derive(Debug, Default)]
pub struct SessionBuilder {
    checkpoint_root: Option<PathBuf>,
    workspace: Option<PathBuf>,
    clock: Option<Arc<dyn Clock>>,
    storage: Option<Arc<dyn Storage>>,
    threads: Option<usize>,
}

impl SessionBuilder {
    /// Where checkpoints go that are not told a folder; `checkpoints` in the current folder by default.
    #[must_use]
    pub fn checkpoint_root(mut self, folder: impl Into<PathBuf>) -> Self {
        self.checkpoint_root = Some(folder.into());
        self
    }

    /// Remembers streams, tables, views and queries in this folder, and keeps checkpoints there that are not told
    /// a folder; nothing is remembered by default. [`Session::restore`] brings back what is remembered.
    #[must_use]
    pub fn workspace(mut self, folder: impl Into<PathBuf>) -> Self {
        self.workspace = Some(folder.into());
        self
    }

    /// What tells processing time; the wall clock by default.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Test support: where checkpoints and file sinks put their bytes; the machine's files by default.
    #[must_use]
    pub fn storage(mut self, storage: Arc<dyn Storage>) -> Self {
        self.storage = Some(storage);
        self
    }

    /// How many threads compute, and into how many parts a batch is split; one a core by default.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads.max(1));
        self
    }

    /// Makes the session and its threads.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Internal`] if the threads cannot be made, a statement error for a workspace that
    /// is of no use.
    pub fn build(self) -> Result<Session> {
        let threads = self
            .threads
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("highwater-query")
            .thread_stack_size(STACK_BYTES)
            .enable_all()
            .build()
            .map_err(|error| Error::internal("no threads for queries can be made").caused_by(error))?;
        let context = Arc::new(QueryContext {
            clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock)),
            storage: self.storage.unwrap_or_else(|| Arc::new(LocalStorage)),
            runtime: runtime.handle().clone(),
            events: EventBus::default(),
            changed: Notify::new(),
        });
        let workspace = self.workspace.as_deref().map(Workspace::open).transpose()?;
        let default_root = self.workspace.unwrap_or_default().join("checkpoints");
        let inner = Inner {
            catalog: Mutex::new(Catalog::new(threads)),
            settings: Mutex::new(Settings::default()),
            queries: StreamingQueryManager::new(Arc::clone(&context)),
            context,
            checkpoint_root: self.checkpoint_root.unwrap_or(default_root),
            workspace: workspace.map(Mutex::new),
            _runtime: OwnedRuntime(Some(runtime)),
        };
        Ok(Session::over(inner))
    }
}

/// Plans are trees that are walked by recursion: generated SQL has thousands of operators in a row. Only what is
/// used of a stack takes memory.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// A runtime that may be dropped on any thread, a worker of another runtime included.
#[derive(Debug, Default)]
pub(super) struct OwnedRuntime(Option<Runtime>);

impl Drop for OwnedRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Queries end where they stand: their checkpoints are made for that.
            runtime.shutdown_background();
        }
    }
}
