//! A query as its owner sees it, over all its runs: Spark's `StreamingQuery`.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use parking_lot::Mutex;
use tokio::sync::{Notify, RwLock, watch};
use uuid::Uuid;

use crate::checkpoint::Checkpoint;
use crate::checkpoint::open::{peek, put_aside};
use crate::clock::Clock;
use crate::error::{Error, ErrorReport, Result};
use crate::execution::definition::QueryDefinition;
use crate::execution::event::{EventBus, QueryEvent};
use crate::execution::event_time::EventTimeFacts;
use crate::execution::lints::{self, QueryFacts, Warning};
use crate::execution::micro_batch::{MicroBatchExecution, blocking};
use crate::execution::plan_nodes::{PlanNode, PlanNumbers};
use crate::execution::progress::StreamingQueryProgress;
use crate::execution::recovery;
use crate::execution::state_page::{self, KeptView, StateLease, StatePage, StateRequest};
use crate::execution::storage::Storage;
use crate::operators::context::OperatorFacts;
use crate::sink::export::{self, export};
use crate::sink::result::ResultTable;

/// What a query is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum QueryState {
    /// Planning, opening its checkpoint.
    Starting,
    /// Running batches or waiting for data.
    Running,
    /// Asked to stop; the batch in hand is being finished.
    Stopping,
    /// Stopped by a person, or not started yet; START goes on from the checkpoint.
    #[default]
    Stopped,
    /// Ended by itself: AVAILABLE NOW or ONCE have read everything.
    Finished,
    /// Ended by an error; RESTART goes on from the checkpoint.
    Failed,
}

impl QueryState {
    /// The word for it: `running`, `failed`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Finished => "finished",
            Self::Failed => "failed",
        }
    }

    /// Whether a run is under way.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Starting | Self::Running | Self::Stopping)
    }
}

/// What a query is doing at one moment.
#[derive(Debug, Clone)]
pub struct QueryStatus {
    /// Its state.
    pub state: QueryState,
    /// One sentence, as Spark's `StreamingQueryStatus.message`.
    pub message: String,
    /// The query's id, the same over all its runs.
    pub id: Uuid,
    /// The current or last run.
    pub run_id: Option<Uuid>,
    /// Why the last run failed.
    pub exception: Option<ErrorReport>,
    /// The last batch that the checkpoint holds as committed.
    pub last_committed: Option<u64>,
    /// The physical plan as text, once a run has made it.
    pub plan: Arc<str>,
    /// The sources' descriptions.
    pub sources: Vec<String>,
    /// Where it stands in event time, as of the last batch; `None` without a watermark.
    pub event_time: Option<Arc<EventTimeFacts>>,
    /// Its stateful operators, by number, once a run has placed them.
    pub operators: Arc<[OperatorFacts]>,
    /// How many rows the largest known key of each of them has; 0 where that is not known.
    pub largest_keys: Arc<[u64]>,
}

/// What queries share with their manager.
#[derive(Debug)]
pub struct QueryContext {
    /// Tells processing time.
    pub clock: Arc<dyn Clock>,
    /// Holds checkpoints and the files of sinks.
    pub storage: Arc<dyn Storage>,
    /// Where batches are computed.
    pub runtime: tokio::runtime::Handle,
    /// Who is told what happens.
    pub events: EventBus,
    /// Woken whenever something that a front end shows has changed.
    pub changed: Notify,
}

/// What is worth a look, as of a batch of a run.
#[derive(Debug, Default)]
struct KnownWarnings {
    as_of: Option<(Uuid, u64)>,
    warnings: Arc<[Warning]>,
}

/// The checkpoint that a run has open, shared with those who look at it.
pub(crate) type SharedCheckpoint = Arc<RwLock<Option<Arc<Checkpoint>>>>;

/// A named query: running, or ready to run again. Cheap to clone; all clones are the same query.
#[derive(Debug, Clone)]
pub struct StreamingQuery {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    definition: QueryDefinition,
    context: Arc<QueryContext>,
    status: Mutex<QueryStatus>,
    progress: Mutex<Arc<VecDeque<Arc<StreamingQueryProgress>>>>,
    /// Set to true to ask the current run to stop; a new channel each run.
    stop: Mutex<watch::Sender<bool>>,
    /// Follows the state, for whoever waits for an end.
    state: watch::Sender<QueryState>,
    /// How many triggers found nothing to do: for `process_all_available`.
    idle: watch::Sender<u64>,
    /// Makes a run that waits look for data at once.
    poke: Notify,
    /// The plan of the last batch, with its metrics.
    last_plan: Mutex<Option<(u64, Arc<dyn ExecutionPlan>)>>,
    /// What the nodes of the run's plan did lately.
    plan_numbers: Mutex<PlanNumbers>,
    warnings: Mutex<KnownWarnings>,
    /// The checkpoint, while a run has it open. Whoever looks at the checkpoint, open or not, holds this for reading: a
    /// run opens and closes it for writing.
    checkpoint: SharedCheckpoint,
    /// What of the state somebody looks at.
    kept_view: KeptView,
    state_lease: Mutex<Weak<StateLease>>,
}

impl StreamingQuery {
    /// A stopped query.
    pub fn new(definition: QueryDefinition, context: Arc<QueryContext>) -> Self {
        let status = QueryStatus {
            state: QueryState::Stopped,
            message: "not started".to_owned(),
            id: Uuid::new_v4(),
            run_id: None,
            exception: None,
            last_committed: None,
            plan: Arc::from(""),
            sources: Vec::new(),
            event_time: None,
            operators: Arc::default(),
            largest_keys: Arc::default(),
        };
        let inner = Inner {
            definition,
            context,
            status: Mutex::new(status),
            progress: Mutex::default(),
            stop: Mutex::new(watch::channel(false).0),
            state: watch::channel(QueryState::Stopped).0,
            idle: watch::channel(0).0,
            poke: Notify::new(),
            last_plan: Mutex::default(),
            plan_numbers: Mutex::default(),
            warnings: Mutex::default(),
            checkpoint: SharedCheckpoint::default(),
            kept_view: KeptView::default(),
            state_lease: Mutex::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// What it was made from.
    pub fn definition(&self) -> &QueryDefinition {
        &self.inner.definition
    }

    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.inner.definition.name
    }

    /// Its id: the checkpoint keeps it, so it is the same over all runs.
    pub fn id(&self) -> Uuid {
        self.inner.status.lock().id
    }

    /// The current run's id, or the last one's.
    pub fn run_id(&self) -> Option<Uuid> {
        self.inner.status.lock().run_id
    }

    /// What it is doing.
    pub fn status(&self) -> QueryStatus {
        self.inner.status.lock().clone()
    }

    /// Whether a run is under way.
    pub fn is_active(&self) -> bool {
        self.inner.status.lock().state.is_active()
    }

    /// Why the last run failed.
    pub fn exception(&self) -> Option<ErrorReport> {
        self.inner.status.lock().exception.clone()
    }

    /// The progress of this run's last batches, oldest first.
    pub fn recent_progress(&self) -> Arc<VecDeque<Arc<StreamingQueryProgress>>> {
        Arc::clone(&self.inner.progress.lock())
    }

    /// The progress of the last batch.
    pub fn last_progress(&self) -> Option<Arc<StreamingQueryProgress>> {
        self.inner.progress.lock().back().cloned()
    }

    /// The physical plan as text; empty before the first run has made it.
    pub fn explain(&self) -> Arc<str> {
        Arc::clone(&self.inner.status.lock().plan)
    }

    /// The physical plan as text, with what each node did in the last batch: rows out, and times. `None` before a
    /// batch has run.
    pub fn explain_analyze(&self) -> Option<String> {
        let last = self.inner.last_plan.lock();
        let (batch_id, plan) = last.as_ref()?;
        let text = DisplayableExecutionPlan::with_metrics(plan.as_ref()).indent(false);
        Some(format!("batch {batch_id}\n{text}"))
    }

    /// What is worth a look, as of the last batch.
    pub fn warnings(&self) -> Arc<[Warning]> {
        let recent = self.recent_progress();
        let Some(last) = recent.back().map(|progress| (progress.run_id, progress.batch_id)) else {
            return Arc::default();
        };
        let mut known = self.inner.warnings.lock();
        if known.as_of != Some(last) {
            let status = self.status();
            let found = lints::warnings(&QueryFacts {
                recent: &recent,
                operators: &status.operators,
                largest_keys: &status.largest_keys,
                event_time: status.event_time.as_deref(),
                trigger: self.definition().trigger,
                output_mode: self.definition().output_mode,
            });
            *known = KnownWarnings {
                as_of: Some(last),
                warnings: found.into(),
            };
        }
        Arc::clone(&known.warnings)
    }

    /// Keys and values of one of its stateful operators, as of a committed batch. Reads the checkpoint, whether the query
    /// runs or not, and holds no batch up.
    ///
    /// # Errors
    ///
    /// A statement error for an operator that there is not; a checkpoint error if there is no checkpoint yet, if another
    /// process has it, or if the batch is kept no more.
    pub async fn read_state(&self, request: StateRequest) -> Result<StatePage> {
        let mut operators = self.status().operators;
        if operators.is_empty() {
            operators = self.definition().plan().await?.operator_facts();
        }
        let shared = self.shared_checkpoint().read_owned().await;
        let folder = self.definition().checkpoint.clone();
        let kept = Arc::clone(&self.inner.kept_view);
        let page = blocking(move || {
            let mut kept = kept.lock();
            let known = operators.get(request.operator as usize);
            let mut look = |checkpoint: &Checkpoint| state_page::read(checkpoint, &request, known, &mut kept);
            match shared.as_ref() {
                Some(checkpoint) => look(checkpoint).map(Some),
                None => peek(&folder, look),
            }
        });
        let mut page = page.await?.ok_or_else(|| {
            Error::checkpoint(format!(
                "query \"{}\" has no checkpoint that can be read now",
                self.name()
            ))
            .hint("START it first; if another process runs it, look there.")
        })?;
        let mut known = self.inner.state_lease.lock();
        let lease = known.upgrade().unwrap_or_else(|| {
            let lease = Arc::new(StateLease::new(Arc::clone(&self.inner.kept_view)));
            *known = Arc::downgrade(&lease);
            lease
        });
        page.lease = Some(lease);
        Ok(page)
    }

    /// Writes all rows of its memory sink to a file, as the end of the file's name says, and gives their number.
    ///
    /// # Errors
    ///
    /// A statement error if it has no memory sink, or for a name that says no format; a sink error if the file cannot be
    /// written.
    pub async fn export(&self, path: &Path) -> Result<u64> {
        let table = self.exportable(path)?;
        let path = path.to_owned();
        blocking(move || export(table.as_ref(), &path)).await
    }

    /// The rows of its memory sink, if they can go to a file of that name.
    ///
    /// # Errors
    ///
    /// The statement errors of [`Self::export`].
    pub fn exportable(&self, path: &Path) -> Result<Arc<dyn ResultTable>> {
        export::check(path)?;
        self.definition().result.clone().ok_or_else(|| {
            Error::statement(format!("query \"{}\" has no rows to export", self.name()))
                .hint("Only a memory sink keeps the rows: the others have written them already.")
        })
    }

    /// Puts the checkpoint aside, so that the next run begins anew, and says where it is now.
    ///
    /// # Errors
    ///
    /// A statement error if the query runs or has no checkpoint; a checkpoint error if another process has it, or if it
    /// cannot be moved.
    pub async fn reset_checkpoint(&self) -> Result<PathBuf> {
        // Nobody looks at it, and no run opens it, before it is gone.
        let _shared = self.shared_checkpoint().write_owned().await;
        let state = self.status().state;
        if state.is_active() {
            return Err(Error::statement(format!(
                "query \"{}\" is {}: its checkpoint is in use",
                self.name(),
                state.as_str()
            ))
            .hint("STOP QUERY it first."));
        }
        let folder = self.definition().checkpoint.clone();
        let now_ms = self.inner.context.clock.now_ms();
        let aside = blocking(move || put_aside(&folder, now_ms)).await?;
        *self.inner.progress.lock() = Arc::default();
        *self.inner.last_plan.lock() = None;
        *self.inner.plan_numbers.lock() = PlanNumbers::default();
        self.inner.kept_view.lock().take();
        recovery::forget(self).await?;
        tracing::info!(query = %self.name(), "begins anew; its checkpoint is in {}", aside.display());
        Ok(aside)
    }

    /// The checkpoint, for a run and for those who look at it.
    pub(crate) fn shared_checkpoint(&self) -> SharedCheckpoint {
        Arc::clone(&self.inner.checkpoint)
    }

    /// The physical plan as a tree, with what each node did in the last batch and lately; empty before the first run has
    /// made it.
    pub fn plan_nodes(&self) -> Vec<PlanNode> {
        self.inner.plan_numbers.lock().nodes()
    }

    /// Begins to count what the nodes of a run's plan do.
    pub(crate) fn planned(&self, plan: &Arc<dyn ExecutionPlan>) {
        *self.inner.plan_numbers.lock() = PlanNumbers::new(plan);
    }

    /// Keeps the plan that a batch ran, for its metrics.
    pub(crate) fn ran(&self, batch_id: u64, plan: Arc<dyn ExecutionPlan>) {
        self.inner.plan_numbers.lock().ran(&plan);
        *self.inner.last_plan.lock() = Some((batch_id, plan));
    }

    /// Starts a run from the checkpoint and returns once it is under way or has failed to begin.
    ///
    /// # Errors
    ///
    /// A statement error if it runs already. What fails from then on is the query's [`Self::exception`].
    pub async fn start(&self) -> Result<()> {
        let run_id = Uuid::new_v4();
        let (stop, stopped) = watch::channel(false);
        {
            let mut status = self.inner.status.lock();
            if status.state.is_active() {
                return Err(Error::statement(format!(
                    "query \"{}\" is {}",
                    self.name(),
                    status.state.as_str()
                ))
                .hint("STOP QUERY it first, or use RESTART QUERY."));
            }
            status.state = QueryState::Starting;
            "initializing".clone_into(&mut status.message);
            status.run_id = Some(run_id);
            status.exception = None;
            self.inner.state.send_replace(QueryState::Starting);
            // Under the lock of the status: whoever sees the query starting stops this run and no earlier one.
            *self.inner.stop.lock() = stop;
        }
        *self.inner.progress.lock() = Arc::default();
        let query = self.clone();
        self.inner.context.runtime.spawn(async move {
            // A task of its own, so that a panic in an operator ends this query and nothing else.
            let runner = query.clone();
            let run = tokio::spawn(async move { MicroBatchExecution::run(runner, run_id, stopped).await });
            let result = run.await.unwrap_or_else(|panic| {
                Err(
                    Error::internal("the query ended by a panic, which is a bug in highwater")
                        .caused_by(panic),
                )
            });
            // The run has let go of it; the last reader closes it before anybody is told that the run has ended.
            *query.inner.checkpoint.write().await = None;
            query.ended(run_id, result.err());
        });
        // The sender lives as long as this query, so waiting cannot fail.
        let _ = self
            .inner
            .state
            .subscribe()
            .wait_for(|state| *state != QueryState::Starting)
            .await;
        Ok(())
    }

    /// Asks a run to stop after the batch in hand, and waits until it has. A query that does not run stays as it is.
    pub async fn stop(&self) {
        {
            let mut status = self.inner.status.lock();
            if !status.state.is_active() {
                return;
            }
            status.state = QueryState::Stopping;
            "stopping after the batch in hand".clone_into(&mut status.message);
            self.inner.stop.lock().send_replace(true);
        }
        self.changed();
        self.ended_state().await;
    }

    /// Waits until the run has ended, at most for `timeout`; says whether it has.
    ///
    /// # Errors
    ///
    /// The error that ended the run.
    pub async fn await_termination(&self, timeout: Option<Duration>) -> Result<bool> {
        let ended = if let Some(timeout) = timeout {
            tokio::time::timeout(timeout, self.ended_state()).await.is_ok()
        } else {
            self.ended_state().await;
            true
        };
        match self.exception() {
            Some(report) if ended => Err(Error::from(report)),
            _ => Ok(ended),
        }
    }

    /// Waits until a trigger that begins after this call has found nothing more to do, or the run has ended.
    ///
    /// # Errors
    ///
    /// The error that ended the run.
    pub async fn process_all_available(&self) -> Result<()> {
        // The trigger that is under way may have looked before this call: the one after it counts.
        let quiet = async {
            for _ in 0..2 {
                let mut idle = self.inner.idle.subscribe();
                let seen = *idle.borrow_and_update();
                self.inner.poke.notify_one();
                // The sender lives as long as this query, so waiting cannot fail.
                let _ = idle.wait_for(|count| *count > seen).await;
            }
        };
        tokio::select! {
            () = quiet => Ok(()),
            () = self.ended_state() => self.await_termination(Some(Duration::ZERO)).await.map(|_| ()),
        }
    }

    /// What queries share.
    pub(crate) fn context(&self) -> &Arc<QueryContext> {
        &self.inner.context
    }

    pub(crate) fn update_status(&self, update: impl FnOnce(&mut QueryStatus)) {
        {
            let mut status = self.inner.status.lock();
            let before = status.state;
            update(&mut status);
            if status.state != before {
                self.inner.state.send_replace(status.state);
            }
        }
        self.changed();
    }

    pub(crate) fn push_progress(&self, progress: StreamingQueryProgress) {
        let progress = Arc::new(progress);
        {
            let mut recent = self.inner.progress.lock();
            let ring = Arc::make_mut(&mut recent);
            while ring.len() >= self.inner.definition.options.num_recent_progress.max(1) {
                ring.pop_front();
            }
            ring.push_back(Arc::clone(&progress));
        }
        let name = Arc::clone(self.name());
        self.inner
            .context
            .events
            .send(&QueryEvent::Progress { name, progress });
        self.changed();
    }

    /// Returns when somebody wants the run to look for data at once.
    pub(crate) async fn poked(&self) {
        self.inner.poke.notified().await;
    }

    /// Says that a trigger found nothing to do.
    pub(crate) fn went_idle(&self) {
        self.inner.idle.send_modify(|count| *count += 1);
    }

    pub(crate) fn changed(&self) {
        self.inner.context.changed.notify_one();
    }

    async fn ended_state(&self) {
        let mut state = self.inner.state.subscribe();
        // The sender lives as long as this query, so waiting cannot fail.
        let _ = state.wait_for(|state| !state.is_active()).await;
    }

    fn ended(&self, run_id: Uuid, error: Option<Error>) {
        let exception = error.as_ref().map(ErrorReport::from);
        if error.is_none() {
            let last = self.status().last_committed;
            let last = last.map_or_else(|| "no batch".to_owned(), |batch_id| format!("batch {batch_id}"));
            tracing::info!(query = %self.name(), "the run has ended; committed is {last}");
        }
        if let Some(error) = error {
            tracing::error!(query = %self.name(), "{}", error.report());
        }
        let (id, state) = {
            let status = self.inner.status.lock();
            (status.id, status.state)
        };
        let stopped = *self.inner.stop.lock().borrow();
        if state == QueryState::Starting {
            // It failed before it ran: listeners still see a whole life.
            self.inner.context.events.send(&QueryEvent::Started {
                name: Arc::clone(self.name()),
                id,
                run_id,
            });
        }
        self.inner.context.events.send(&QueryEvent::Terminated {
            name: Arc::clone(self.name()),
            id,
            run_id,
            exception: exception.clone(),
        });
        self.update_status(|status| {
            (status.state, status.message) = match (&exception, stopped) {
                (Some(report), _) => (QueryState::Failed, report.message.clone()),
                (None, true) => (QueryState::Stopped, "stopped".to_owned()),
                (None, false) => (QueryState::Finished, "read everything that was there".to_owned()),
            };
            status.exception = exception;
        });
    }
}
