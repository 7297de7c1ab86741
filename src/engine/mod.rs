//! The handle through which every front end drives the engine: typed commands in, snapshots and events out.
//!
//! The engine never prints and knows no screen. The workbench and the headless mode see it through [`Engine`]
//! alone, so a second implementation (a remote one) can stand behind the same front ends.

pub mod command;
pub mod inspect;
pub mod local;
pub mod log;
pub mod snapshot;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{mpsc, watch};

pub use crate::execution::event;
pub use crate::execution::event::QueryEvent;
pub use command::{Answer, CheckedQuery, Command, Reply, Resumes, RowSender, Rows, Words};
pub use local::LocalEngine;
pub use snapshot::Snapshot;

use crate::error::Result;

/// A running engine. Cheap to share; all methods may be called from any task.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Carries out one command and says what it came to.
    async fn execute(&self, command: Command) -> Result<Reply>;

    /// The latest snapshot, now and whenever it changes.
    fn watch(&self) -> watch::Receiver<Arc<Snapshot>>;

    /// Every event from now on, none lost: headless output is made of them, so a bounded broadcast would not do.
    fn events(&self) -> mpsc::UnboundedReceiver<QueryEvent>;
}
