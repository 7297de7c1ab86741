//! What `run` does between the first statement and the exit code.
//!
//! ```text
//! execute the script           events and the rows of its statements are written as they come
//! wait                         until every query that it started has ended
//! ```
//!
//! A signal, the end of `--for` or a reader that went away cut this short: all queries are then stopped, each after
//! the batch in hand was committed.

use std::collections::{BTreeMap, HashSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{self, UnboundedReceiver};
use uuid::Uuid;

use super::output::{Output, OutputError};
use super::run::code_of;
use super::{FAILURE, INTERRUPTED, SUCCESS, Script, exit_code};
use crate::engine::{Command, Engine, QueryEvent, RowSender, Rows, Snapshot};
use crate::error::{Error, ErrorReport};

/// Runs a script to its end and gives the exit code.
pub(super) async fn drive(
    engine: &dyn Engine,
    script: &Script,
    run_for: Option<Duration>,
    interrupt: impl Future<Output = ()>,
    output: &mut Output,
) -> u8 {
    let mut run = Run {
        engine,
        script,
        events: engine.events(),
        output,
        active: HashSet::new(),
        totals: BTreeMap::new(),
        failures: Vec::new(),
        warned: HashSet::new(),
    };
    let end = run.until_end(run_for, interrupt).await;
    match run.wind_up(end).await {
        Ok(code) => code,
        // Whoever reads has enough; nothing is wrong with the run.
        Err(error) if error.is_broken_pipe() => run.stop_silently().await,
        Err(error) => {
            run.output.error(&ErrorReport::from(&Error::from(error)), None);
            run.stop_silently().await;
            FAILURE
        }
    }
}

/// Why a run came to its end.
enum End {
    /// All queries have ended.
    Ended,
    /// A statement was wrong or failed.
    Refused(Error),
    /// A signal came.
    Interrupted,
    /// `--for` is over.
    TimeIsUp,
    /// What there was to write could not be written.
    NotWritten(OutputError),
}

struct Run<'a> {
    engine: &'a dyn Engine,
    script: &'a Script,
    events: UnboundedReceiver<QueryEvent>,
    output: &'a mut Output,
    /// Runs that have started and not ended.
    active: HashSet<Uuid>,
    totals: BTreeMap<Uuid, Totals>,
    /// The messages of queries that failed.
    failures: Vec<String>,
    /// What was said to be worth a look, by query and lint.
    warned: HashSet<(String, &'static str)>,
}

/// What a query's run has done so far.
#[derive(Debug, Default)]
struct Totals {
    batches: u64,
    last_batch: Option<u64>,
    input_rows: u64,
    output_rows: u64,
}

impl Run<'_> {
    async fn until_end(&mut self, run_for: Option<Duration>, interrupt: impl Future<Output = ()>) -> End {
        let mut interrupt = pin!(interrupt);
        let mut time_is_up = pin!(async {
            match run_for {
                Some(duration) => tokio::time::sleep(duration).await,
                None => std::future::pending().await,
            }
        });
        let engine = self.engine;
        let (sender, mut rows) = mpsc::unbounded_channel();
        let mut execute = engine.execute(Command::Run {
            sql: self.script.sql.clone(),
            origin: self.script.origin.clone(),
            rows: Some(RowSender(sender)),
        });
        let reply = loop {
            tokio::select! {
                reply = &mut execute => break reply,
                Some(rows) = rows.recv() => {
                    if let Err(error) = self.write_rows(&rows) {
                        return End::NotWritten(error);
                    }
                }
                Some(event) = self.events.recv() => {
                    if let Err(error) = self.tell(&event) {
                        return End::NotWritten(error);
                    }
                }
                () = &mut interrupt => return End::Interrupted,
                () = &mut time_is_up => return End::TimeIsUp,
            }
        };
        // What happened before the reply is told before it.
        while let Ok(rows) = rows.try_recv() {
            if let Err(error) = self.write_rows(&rows) {
                return End::NotWritten(error);
            }
        }
        if let Err(error) = self.tell_waiting() {
            return End::NotWritten(error);
        }
        if let Err(error) = reply {
            return End::Refused(error);
        }
        tokio::select! {
            told = self.until_all_ended() => told.map_or_else(End::NotWritten, |()| End::Ended),
            () = &mut interrupt => End::Interrupted,
            () = &mut time_is_up => End::TimeIsUp,
        }
    }

    /// Returns when no query is active, neither by its events nor by the snapshot: events come first when a query
    /// starts, the snapshot when one is still being planned.
    async fn until_all_ended(&mut self) -> Result<(), OutputError> {
        let mut snapshots = self.engine.watch();
        let mut is_watching = true;
        loop {
            self.tell_waiting()?;
            let snapshot = Arc::clone(&snapshots.borrow_and_update());
            self.tell_warnings(&snapshot);
            let is_active = snapshot.queries.iter().any(|query| query.state.is_active());
            if self.active.is_empty() && !(is_active && is_watching) {
                return Ok(());
            }
            tokio::select! {
                event = self.events.recv() => match event {
                    Some(event) => self.tell(&event)?,
                    None => return Ok(()),
                },
                changed = snapshots.changed(), if is_watching => is_watching = changed.is_ok(),
            }
        }
    }

    /// Says what is worth a look, each lint of a query once: narration, since stdout has the events and nothing else.
    fn tell_warnings(&mut self, snapshot: &Snapshot) {
        for query in &snapshot.queries {
            for warning in &query.warnings {
                if self.warned.insert((query.name.clone(), warning.lint)) {
                    self.output
                        .narrate(&format!("query \"{}\": {warning}", query.name));
                }
            }
        }
    }

    /// Ends what is left and gives the exit code.
    async fn wind_up(&mut self, end: End) -> Result<u8, OutputError> {
        let snapshot = Arc::clone(&self.engine.watch().borrow());
        self.tell_warnings(&snapshot);
        match end {
            End::Ended => Ok(code_of(!self.failures.is_empty())),
            End::Refused(error) => {
                // A query's own failure was told when it ended; AWAIT only passes it on.
                if !self.failures.iter().any(|failure| failure == error.message()) {
                    self.output.error(&ErrorReport::from(&error), Some(self.script));
                }
                self.stop_all().await?;
                Ok(exit_code(&error))
            }
            End::Interrupted => {
                self.output
                    .narrate("stopping when the batch in hand is committed; interrupt again to stop at once");
                self.stop_all().await?;
                Ok(INTERRUPTED)
            }
            End::TimeIsUp => {
                self.output.narrate("the time is up, stopping");
                let is_stopped = self.stop_all().await?;
                Ok(code_of(!is_stopped || !self.failures.is_empty()))
            }
            End::NotWritten(error) => Err(error),
        }
    }

    /// Stops all queries and tells what happens meanwhile; says whether that worked.
    async fn stop_all(&mut self) -> Result<bool, OutputError> {
        let engine = self.engine;
        let mut stop = engine.execute(Command::StopAll);
        let reply = loop {
            tokio::select! {
                reply = &mut stop => break reply,
                Some(event) = self.events.recv() => self.tell(&event)?,
            }
        };
        self.tell_waiting()?;
        if let Err(error) = &reply {
            self.output.error(&ErrorReport::from(error), None);
        }
        Ok(reply.is_ok())
    }

    /// Stops all queries when there is nobody left to tell.
    async fn stop_silently(&mut self) -> u8 {
        let stopped = self.engine.execute(Command::StopAll).await;
        match stopped {
            Ok(_) if self.failures.is_empty() => SUCCESS,
            _ => FAILURE,
        }
    }

    /// Writes a statement's rows, after everything that happened before it ran.
    fn write_rows(&mut self, rows: &Rows) -> Result<(), OutputError> {
        self.tell_waiting()?;
        self.output.rows(rows)
    }

    fn tell_waiting(&mut self) -> Result<(), OutputError> {
        while let Ok(event) = self.events.try_recv() {
            self.tell(&event)?;
        }
        Ok(())
    }

    fn tell(&mut self, event: &QueryEvent) -> Result<(), OutputError> {
        self.output.event(event, self.script)?;
        match event {
            QueryEvent::Started { run_id, .. } => {
                self.active.insert(*run_id);
            }
            QueryEvent::Progress { progress, .. } => {
                let totals = self.totals.entry(progress.run_id).or_default();
                if totals.last_batch != Some(progress.batch_id) {
                    totals.batches += 1;
                    totals.last_batch = Some(progress.batch_id);
                }
                totals.input_rows += progress.num_input_rows;
                totals.output_rows += u64::try_from(progress.sink.num_output_rows).unwrap_or_default();
            }
            QueryEvent::Terminated {
                name,
                run_id,
                exception,
                ..
            } => {
                self.active.remove(run_id);
                let totals = self.totals.remove(run_id).unwrap_or_default();
                let how = if exception.is_some() { "failed" } else { "ended" };
                self.output
                    .narrate(&format!("query \"{name}\" {how} after {totals}"));
                if let Some(report) = exception {
                    self.failures.push(report.message.clone());
                }
            }
            QueryEvent::Batch { .. } | QueryEvent::Idle { .. } => {}
        }
        Ok(())
    }
}

impl std::fmt::Display for Totals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count =
            |number: u64, one: &str, many: &str| format!("{number} {}", if number == 1 { one } else { many });
        write!(
            f,
            "{}: {} in, {} out",
            count(self.batches, "batch", "batches"),
            count(self.input_rows, "row", "rows"),
            count(self.output_rows, "row", "rows"),
        )
    }
}

#[cfg(test)]
#[path = "headless_fake.rs"]
pub(super) mod fake;

#[cfg(test)]
#[path = "headless_tests.rs"]
mod tests;
