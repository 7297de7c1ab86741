//! The engine in this process: a [`Session`] behind the handle.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{mpsc, watch};

use crate::engine::log::LogRing;
use crate::engine::snapshot::{QuerySnapshot, Snapshot};
use crate::engine::{Answer, Command, Engine, QueryEvent, Reply, RowSender, Words};
use crate::error::{Error, Result};
use crate::execution::StreamingQuery;
use crate::execution::micro_batch::blocking;
use crate::session::Session;
use crate::session::script::ScriptOptions;
use crate::sql::KEYWORDS;

/// Snapshots follow each other at this distance at least: a screen draws no faster, and a busy engine is not slowed.
const SNAPSHOT_INTERVAL: Duration = Duration::from_millis(33);

/// A session behind the engine handle.
#[derive(Debug)]
pub struct LocalEngine {
    session: Session,
    options: ScriptOptions,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    /// Goes away with the engine: where a demo leaves its files.
    _folder: Option<tempfile::TempDir>,
}

impl LocalEngine {
    /// Puts `session` behind the handle and makes again what its workspace remembers. `folder` is removed together
    /// with the engine. What cannot be made again is logged and stays remembered. Must not be called on a runtime.
    pub fn open(session: Session, options: ScriptOptions, folder: Option<tempfile::TempDir>) -> Self {
        let runtime = session.context().runtime.clone();
        for (name, error) in runtime.block_on(session.restore()) {
            tracing::warn!(
                "\"{name}\" of the workspace cannot be made again: {}",
                error.report()
            );
        }
        let (sender, snapshots) = watch::channel(Arc::new(snapshot(&session, 0)));
        runtime.spawn(publish(session.downgrade(), sender));
        Self {
            session,
            options,
            snapshots,
            _folder: folder,
        }
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    async fn carry_out(session: Session, options: ScriptOptions, command: Command) -> Result<Reply> {
        match command {
            Command::Run { sql, origin, rows } => {
                let on_rows = |next| {
                    if let Some(RowSender(sender)) = &rows {
                        // A front end that has gone needs no rows.
                        let _ = sender.send(next);
                    }
                };
                session.run_script(&sql, options, on_rows).await?;
                Ok(Reply::done(format!("ran {}", name_of(origin))))
            }
            Command::Open(path) => {
                let sql = read_pipeline(&path).await?;
                session.run_script(&sql, options, |_| {}).await?;
                Ok(Reply::done(format!("ran {}", path.display())))
            }
            Command::Check { sql, origin } => {
                let checked = session.check_script(&sql).await?;
                let reply = Reply::done(format!("{} is right", name_of(origin)));
                Ok(reply.with(Answer::Checked(checked)))
            }
            Command::Start(name) => {
                session.streams().get_by_name(&name)?.start().await?;
                Ok(Reply::done(format!("started {name}")))
            }
            Command::Stop(name) => {
                session.streams().get_by_name(&name)?.stop().await;
                Ok(Reply::done(format!("stopped {name}")))
            }
            Command::Restart(name) => {
                let query = session.streams().get_by_name(&name)?;
                query.stop().await;
                query.start().await?;
                Ok(Reply::done(format!("restarted {name}")))
            }
            Command::Drop(name) => {
                let query = session.streams().get_by_name(&name)?;
                session.drop_query(&query).await?;
                Ok(Reply::done(format!("dropped {name}; its checkpoint stays")))
            }
            Command::ResetCheckpoint(name) => {
                let query = session.streams().get_by_name(&name)?;
                let aside = query.reset_checkpoint().await?;
                Ok(Reply::done(format!(
                    "{name} begins anew; its checkpoint is in {}",
                    aside.display()
                )))
            }
            Command::ReadState { query, request } => {
                let query = session.streams().get_by_name(&query)?;
                let page = query.read_state(request).await?;
                let (shown, found) = (page.rows.num_rows(), page.num_found);
                let reply = Reply::done(format!("{shown} of {found} keys of {}", query.name()));
                Ok(reply.with(Answer::State(Box::new(page))))
            }
            Command::Export { query, path } => {
                let query = session.streams().get_by_name(&query)?;
                let rows = query.export(&path).await?;
                let rows = format!("{rows} {}", if rows == 1 { "row" } else { "rows" });
                Ok(Reply::done(format!(
                    "wrote {rows} of {} to {}",
                    query.name(),
                    path.display()
                )))
            }
            Command::Words => {
                let words = words(&session);
                let reply = Reply::done(format!("{} functions", words.functions.len()));
                Ok(reply.with(Answer::Words(Arc::new(words))))
            }
            Command::StopAll => {
                session.streams().stop_all().await;
                Ok(Reply::done("stopped all queries".to_owned()))
            }
        }
    }
}

#[async_trait]
impl Engine for LocalEngine {
    async fn execute(&self, command: Command) -> Result<Reply> {
        // On the engine's own threads: a front end may have one, and it draws.
        let work = Self::carry_out(self.session.clone(), self.options, command);
        self.session.spawn(work).await
    }

    fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    fn events(&self) -> mpsc::UnboundedReceiver<QueryEvent> {
        self.session.streams().add_listener()
    }
}

async fn read_pipeline(path: &Path) -> Result<String> {
    let name = path.to_owned();
    blocking(move || {
        std::fs::read_to_string(&name).map_err(|error| {
            Error::statement(format!("pipeline \"{}\" cannot be read", name.display()))
                .hint("Name a file of statements, in UTF-8.")
                .caused_by(error)
        })
    })
    .await
}

/// What may be written in a pipeline now.
fn words(session: &Session) -> Words {
    let catalog = session.catalog().lock();
    let entries = catalog.entries();
    let columns = entries.iter().flat_map(|entry| entry.schema.fields().iter());
    let columns = columns.map(|field| field.name().clone()).collect::<BTreeSet<_>>();
    let queries = session.streams().all();
    Words {
        keywords: &KEYWORDS,
        functions: catalog.functions().into_iter().collect(),
        relations: entries.iter().map(|entry| entry.name.clone()).collect(),
        columns: columns.into_iter().collect(),
        queries: queries.iter().map(|query| query.name().to_string()).collect(),
    }
}

fn name_of(origin: Option<PathBuf>) -> String {
    origin.map_or_else(|| "the script".to_owned(), |path| path.display().to_string())
}

/// Publishes a snapshot whenever something has changed, until nobody looks or the session is gone.
async fn publish(session: crate::session::WeakSession, sender: watch::Sender<Arc<Snapshot>>) {
    let mut sequence = 0;
    let mut log = LogRing::of_process().watch();
    loop {
        // The session is not held while nothing happens: it ends when its owner lets go of it.
        let Some(context) = session.upgrade().map(|session| Arc::clone(session.context())) else {
            return;
        };
        tokio::select! {
            () = context.changed.notified() => {}
            // The ring lives as long as the process.
            _ = log.changed() => {}
        }
        // A log that is quiet must not be seen as changed once more.
        log.mark_unchanged();
        let Some(session) = session.upgrade() else { return };
        sequence += 1;
        if sender.send(Arc::new(snapshot(&session, sequence))).is_err() {
            return;
        }
        drop(session);
        tokio::time::sleep(SNAPSHOT_INTERVAL).await;
    }
}

fn snapshot(session: &Session, sequence: u64) -> Snapshot {
    Snapshot {
        sequence,
        at_ms: session.clock().now_ms(),
        queries: session
            .streams()
            .all()
            .iter()
            .map(|query| Arc::new(query_snapshot(query)))
            .collect(),
        catalog: Arc::new(session.catalog().lock().entries()),
        log: LogRing::of_process().entries(),
    }
}

fn query_snapshot(query: &StreamingQuery) -> QuerySnapshot {
    let (status, definition) = (query.status(), query.definition());
    let recent_progress = query.recent_progress();
    QuerySnapshot {
        id: status.id,
        run_id: status.run_id,
        name: definition.name.to_string(),
        state: status.state,
        status_message: status.message,
        output_mode: definition.output_mode,
        trigger: definition.trigger.to_string(),
        checkpoint: definition.checkpoint.clone(),
        sql: Arc::clone(&definition.sql),
        sources: status.sources,
        sink: definition.sink.description(),
        warnings: query.warnings().to_vec(),
        recent_progress,
        last_committed: status.last_committed,
        result: definition.result.clone(),
        exception: status.exception,
        plan: status.plan,
        plan_nodes: query.plan_nodes(),
        event_time: status.event_time,
    }
}
