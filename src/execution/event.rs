//! What happens to queries, for whoever listens, as Spark's `StreamingQueryListener`.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::error::ErrorReport;
use crate::execution::progress::StreamingQueryProgress;

/// One thing that happened to a query.
#[derive(Debug, Clone)]
pub enum QueryEvent {
    /// A run began.
    Started {
        /// The query's name.
        name: Arc<str>,
        /// The query's id.
        id: Uuid,
        /// The run's id.
        run_id: Uuid,
    },
    /// A console sink took a batch, empty ones too.
    Batch {
        /// The query's name.
        name: Arc<str>,
        /// The batch's id.
        batch_id: u64,
        /// The columns.
        schema: SchemaRef,
        /// The rows.
        rows: Arc<Vec<RecordBatch>>,
    },
    /// A batch was committed.
    Progress {
        /// The query's name.
        name: Arc<str>,
        /// What it did.
        progress: Arc<StreamingQueryProgress>,
    },
    /// A trigger fired and there was nothing to do.
    Idle {
        /// The query's name.
        name: Arc<str>,
        /// The query's id.
        id: Uuid,
        /// The run's id.
        run_id: Uuid,
    },
    /// A run ended.
    Terminated {
        /// The query's name.
        name: Arc<str>,
        /// The query's id.
        id: Uuid,
        /// The run's id.
        run_id: Uuid,
        /// Why, if it failed.
        exception: Option<ErrorReport>,
    },
}

/// Hands every event to every listener; a listener that is gone is forgotten.
#[derive(Debug, Default)]
pub struct EventBus {
    listeners: Mutex<Vec<mpsc::UnboundedSender<QueryEvent>>>,
}

impl EventBus {
    /// Every event from now on.
    pub fn listen(&self) -> mpsc::UnboundedReceiver<QueryEvent> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.listeners.lock().push(sender);
        receiver
    }

    /// Tells everyone.
    pub fn send(&self, event: &QueryEvent) {
        self.listeners
            .lock()
            .retain(|listener| listener.send(event.clone()).is_ok());
    }
}
