//! The queries of a session by name: Spark's `StreamingQueryManager`.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::execution::StreamingQuery;
use crate::execution::definition::QueryDefinition;
use crate::execution::event::QueryEvent;
use crate::execution::query::QueryContext;
use crate::suggest::did_you_mean;

/// The queries of a session, in the order of their making.
#[derive(Debug)]
pub struct StreamingQueryManager {
    context: Arc<QueryContext>,
    queries: Mutex<Vec<StreamingQuery>>,
}

impl StreamingQueryManager {
    pub(super) fn new(context: Arc<QueryContext>) -> Self {
        Self {
            context,
            queries: Mutex::default(),
        }
    }

    /// The queries that run now.
    pub fn active(&self) -> Vec<StreamingQuery> {
        self.queries
            .lock()
            .iter()
            .filter(|query| query.is_active())
            .cloned()
            .collect()
    }

    /// All queries, running or not.
    pub fn all(&self) -> Vec<StreamingQuery> {
        self.queries.lock().clone()
    }

    /// A query by its id.
    pub fn get(&self, id: Uuid) -> Option<StreamingQuery> {
        self.queries.lock().iter().find(|query| query.id() == id).cloned()
    }

    /// A query by its name.
    ///
    /// # Errors
    ///
    /// A statement error with "did you mean" if there is none.
    pub fn get_by_name(&self, name: &str) -> Result<StreamingQuery> {
        let queries = self.queries.lock();
        if let Some(query) = queries
            .iter()
            .find(|query| query.name().eq_ignore_ascii_case(name))
        {
            return Ok(query.clone());
        }
        let names = queries
            .iter()
            .map(|query| query.name().to_string())
            .collect::<Vec<_>>();
        let hint = match did_you_mean(name, names.iter().map(String::as_str)) {
            Some(known) => format!("Did you mean \"{known}\"?"),
            None if names.is_empty() => "There are no queries: begin with CREATE STREAMING QUERY.".to_owned(),
            None => format!("The queries are {}.", names.join(", ")),
        };
        Err(Error::statement(format!("there is no query \"{name}\"")).hint(hint))
    }

    /// Waits until a query that runs now has ended, at most for `timeout`; says whether one has.
    ///
    /// # Errors
    ///
    /// The error that ended it.
    pub async fn await_any_termination(&self, timeout: Option<Duration>) -> Result<bool> {
        let active = self.active();
        if active.is_empty() {
            return Ok(true);
        }
        let waits = active
            .iter()
            .map(|query| Box::pin(query.await_termination(timeout)));
        futures::future::select_all(waits).await.0
    }

    /// Everything that happens to queries from now on: started, progress, idle, terminated.
    pub fn add_listener(&self) -> mpsc::UnboundedReceiver<QueryEvent> {
        self.context.events.listen()
    }

    /// Adds a query that does not run yet.
    ///
    /// # Errors
    ///
    /// A statement error if there is a query of that name.
    pub(crate) fn add(&self, definition: QueryDefinition) -> Result<StreamingQuery> {
        let mut queries = self.queries.lock();
        if queries
            .iter()
            .any(|query| query.name().eq_ignore_ascii_case(&definition.name))
        {
            return Err(
                Error::statement(format!("there is a query \"{}\" already", definition.name))
                    .hint("Choose another name, or DROP QUERY it first; its checkpoint stays."),
            );
        }
        let query = StreamingQuery::new(definition, Arc::clone(&self.context));
        queries.push(query.clone());
        drop(queries);
        self.context.changed.notify_one();
        Ok(query)
    }

    /// Stops a query and forgets it. Its checkpoint stays.
    pub(crate) async fn drop_query(&self, query: &StreamingQuery) {
        query.stop().await;
        self.queries
            .lock()
            .retain(|other| !Arc::ptr_eq(other.name(), query.name()));
        self.context.changed.notify_one();
    }

    /// Stops every query and waits for all of them.
    pub async fn stop_all(&self) {
        let active = self.active();
        futures::future::join_all(active.iter().map(StreamingQuery::stop)).await;
    }
}
