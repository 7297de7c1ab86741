//! The micro-batch loop.
//!
//! ```text
//! run:
//!   open the checkpoint, refuse one of another query
//!   (n, offsets) = newest entry of the offset log;  m = newest entry of the commit log
//!   state, watermark, sink log := as of m
//!   if n == m + 1:  run batch n again over exactly `offsets`: its rows, its time, its watermarks
//!   loop until asked to stop:
//!     wait for the trigger
//!     ends := each source's next offset within its rate limit
//!     if nothing is new, and the watermark's last move cannot change a result: wait for data, go on
//!     write (ends, time, watermark) to the offset log, durably          -- from here on the batch is decided
//!     run the batch
//!
//! run batch n:
//!   late rows are measured by the watermark of batch n - 1, eviction by the one of batch n
//!   execute the plan over (start, end] of each source; its rows go to the sink
//!   sink has batch n, durably, under its id                           -- a crash here: the batch comes again
//!   state changes + next watermark + sink log + commit record of n, one transaction
//!   tell the sources and the sink that n is committed; publish the progress
//! ```
//!
//! A crash at any point finds either no entry for the batch (nothing has happened), or its offsets without its
//! commit (the batch is run again, the sink knows its id), or its commit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use datafusion::common::tree_node::TreeNode;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::watch;
use uuid::Uuid;

use crate::checkpoint::{BatchCommit, Checkpoint, CommitRecord, OffsetRecord};
use crate::error::{Error, Result};
use crate::execution::durations::Durations;
use crate::execution::event::QueryEvent;
use crate::execution::event_time::EventTimeWatch;
use crate::execution::progress::{SinkProgress, SourceProgress, StreamingQueryProgress, iso_millis};
use crate::execution::query::{QueryState, StreamingQuery};
use crate::execution::recovery::{self, OpenedCheckpoint};
use crate::execution::snapshots::SnapshotWriter;
use crate::execution::trigger::Trigger;
use crate::execution::watermark::WatermarkTracker;
use crate::operators::context::BatchWatermarks;
use crate::operators::stream_scan::StreamScanExec;
use crate::operators::watermark::{EventTimeStats, EventTimeWatermarkExec};
use crate::plan::physical::StreamingPlan;
use crate::plan::stream_table::streams_of;
use crate::sink::SinkCommit;
use crate::source::{Offset, ReadLimit, SourceRef};

/// One run of a query.
#[derive(Debug)]
pub struct MicroBatchExecution {
    query: StreamingQuery,
    run_id: Uuid,
    plan: StreamingPlan,
    watermark_nodes: Vec<Arc<dyn ExecutionPlan>>,
    sources: BTreeMap<String, SourceRef>,
    checkpoint: Arc<Checkpoint>,
    snapshots: SnapshotWriter,
    /// Where each source stands after the last committed batch.
    committed: BTreeMap<String, Offset>,
    tracker: WatermarkTracker,
    next_batch_id: u64,
    /// The watermark that the last batch ran with.
    last_watermark_ms: i64,
    /// When the last trigger fired, for rates.
    last_trigger_ms: Option<i64>,
    event_time: EventTimeWatch,
}

/// A batch that the offset log has.
#[derive(Debug)]
pub(super) struct DecidedBatch {
    pub(super) id: u64,
    pub(super) record: OffsetRecord,
    /// Where each source stood before it.
    pub(super) start: BTreeMap<String, Offset>,
    /// The watermark that the batch before it ran with.
    pub(super) late_ms: i64,
}

impl MicroBatchExecution {
    /// Runs a query until it ends, is asked to stop, or fails.
    pub(crate) async fn run(
        query: StreamingQuery,
        run_id: Uuid,
        mut stop: watch::Receiver<bool>,
    ) -> Result<()> {
        let (mut execution, replay) = Self::open(query, run_id).await?;
        let result = execution.run_all(replay, &mut stop).await;
        // A snapshot that is being written holds the checkpoint open.
        execution.snapshots.finish().await;
        result
    }

    async fn run_all(
        &mut self,
        replay: Option<DecidedBatch>,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<()> {
        if let Some(batch) = replay {
            let mut durations = Durations::begin();
            let batch_id = batch.id;
            tracing::info!(query = %self.query.name(), batch_id, "running a batch again that a crash cut off");
            self.run_batch(batch, &mut durations).await?;
        }
        self.run_batches(stop).await
    }

    async fn open(query: StreamingQuery, run_id: Uuid) -> Result<(Self, Option<DecidedBatch>)> {
        let definition = query.definition().clone();
        let plan = definition.plan().await?;
        let watermark_nodes = plan.watermarks();
        let explained = plan.explain();
        // Whoever looks at the checkpoint has ended, and waits from here on until it is open.
        let mut shared = query.shared_checkpoint().write_owned().await;
        let OpenedCheckpoint {
            checkpoint,
            metadata,
            has_changed,
        } = recovery::open(&query, &plan).await?;
        let id = metadata.query_id;

        let mut sources = BTreeMap::new();
        for stream in streams_of(&definition.plan) {
            let source = stream.factory.create()?;
            source.restore(checkpoint.source_log(&stream.name)?).await?;
            if definition.trigger.ends() {
                source.prepare_available_now().await?;
            }
            sources.insert(stream.name.to_string(), source);
        }
        let tracker = WatermarkTracker::new(metadata.shape.watermark_policy, watermark_nodes.len());
        let last = recovery::read_back(&checkpoint, &plan.operators, tracker).await?;
        let start = definition.sink_start(&plan, id, last.batch_id, checkpoint.sink_log()?);
        definition.sink.start(start).await?;
        // Only now is it sure that the changed query runs at all.
        if has_changed {
            checkpoint.set_metadata(&metadata)?;
        }
        let first = last.batch_id.map_or(0, |batch_id| batch_id + 1);
        tracing::info!(query = %definition.name, "a run begins with batch {first}");
        if has_changed {
            tracing::info!(query = %definition.name, "the query has changed and goes on from its checkpoint");
        }
        // Before the state says so: whoever waits for the start has the event already.
        let name = Arc::clone(&definition.name);
        query
            .context()
            .events
            .send(&QueryEvent::Started { name, id, run_id });
        query.update_status(|status| {
            if status.state == QueryState::Starting {
                status.state = QueryState::Running;
            }
            status.id = id;
            status.last_committed = last.batch_id;
            status.plan = Arc::from(explained);
            status.sources = sources.values().map(|source| source.description()).collect();
            status.operators = plan.operator_facts();
        });
        query.planned(&plan.root);
        let started_ms = query.context().clock.now_ms();
        let mode = definition.output_mode;
        let event_time = EventTimeWatch::new(&watermark_nodes, &plan.operators, mode, started_ms);
        let snapshots = SnapshotWriter::try_new(Arc::clone(&checkpoint), &plan.operators)?;
        let execution = Self {
            query,
            run_id,
            plan,
            watermark_nodes,
            sources,
            checkpoint,
            snapshots,
            committed: last.offsets,
            tracker: last.tracker,
            next_batch_id: last.batch_id.map_or(0, |batch_id| batch_id + 1),
            last_watermark_ms: last.watermark_ms,
            last_trigger_ms: None,
            event_time,
        };
        execution.publish_event_time();
        *shared = Some(Arc::clone(&execution.checkpoint));
        Ok((execution, last.replay))
    }

    async fn run_batches(&mut self, stop: &mut watch::Receiver<bool>) -> Result<()> {
        let trigger = self.query.definition().trigger;
        let clock = Arc::clone(&self.query.context().clock);
        loop {
            if *stop.borrow() {
                return Ok(());
            }
            let fired_ms = clock.now_ms();
            let mut durations = Durations::begin();
            let limit = if trigger == Trigger::Once {
                ReadLimit::Unlimited
            } else {
                ReadLimit::Configured
            };
            let ran = match self.decide_batch(fired_ms, limit, &mut durations).await? {
                Some(batch) => {
                    self.run_batch(batch, &mut durations).await?;
                    true
                }
                None => false,
            };
            if trigger == Trigger::Once || (trigger.ends() && !ran) {
                return Ok(());
            }
            if !ran {
                self.went_idle();
            }
            match trigger {
                Trigger::ProcessingTime(_) => {
                    let wait_ms = trigger.next_ms(fired_ms) - clock.now_ms();
                    let wait = Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0));
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = self.query.poked() => {}
                        _ = stop.wait_for(|stop| *stop) => {}
                    }
                }
                _ if !ran => {
                    tokio::select! {
                        () = self.wait_for_data() => {}
                        () = self.query.poked() => {}
                        _ = stop.wait_for(|stop| *stop) => {}
                    }
                }
                _ => {}
            }
        }
    }

    /// Asks every source for its next offset and writes the batch to the offset log; `None` if there is nothing
    /// to do.
    async fn decide_batch(
        &self,
        now_ms: i64,
        limit: ReadLimit,
        durations: &mut Durations,
    ) -> Result<Option<DecidedBatch>> {
        let mut ends = self.committed.clone();
        let mut entries = Vec::new();
        let mut is_new = false;
        for (name, source) in &self.sources {
            let start = self.committed.get(name);
            let planned = durations
                .step("latestOffset", source.latest_offset(start, limit))
                .await?;
            let Some(planned) = planned.filter(|planned| Some(&planned.end) != start) else {
                continue;
            };
            is_new = true;
            ends.insert(name.clone(), planned.end);
            entries.extend(planned.log_entry.map(|entry| (name.clone(), entry)));
        }
        let watermark_ms = self.tracker.watermark_ms();
        if !is_new && !self.wants_no_data_batch(watermark_ms) {
            return Ok(None);
        }
        let record = OffsetRecord {
            batch_timestamp_ms: now_ms,
            batch_watermark_ms: watermark_ms,
            sources: ends,
        };
        let id = self.next_batch_id;
        let (checkpoint, written) = (Arc::clone(&self.checkpoint), record.clone());
        durations
            .step(
                "walCommit",
                blocking(move || checkpoint.write_offsets(id, &written, &entries)),
            )
            .await?;
        Ok(Some(DecidedBatch {
            id,
            record,
            start: self.committed.clone(),
            late_ms: self.last_watermark_ms,
        }))
    }

    fn wants_no_data_batch(&self, watermark_ms: i64) -> bool {
        self.query.definition().options.no_data_batches
            && watermark_ms > self.last_watermark_ms
            && self.next_batch_id > 0
            && self
                .plan
                .operators
                .iter()
                .any(|operator| operator.wants_no_data_batch())
    }

    async fn run_batch(&mut self, batch: DecidedBatch, durations: &mut Durations) -> Result<()> {
        let fired_ms = self.query.context().clock.now_ms();
        self.query
            .update_status(|status| "processing new data".clone_into(&mut status.message));
        self.plan.set_batch_time(batch.record.batch_timestamp_ms);
        let watermarks = BatchWatermarks {
            late_us: batch.late_ms.saturating_mul(1000),
            eviction_us: batch.record.batch_watermark_ms.saturating_mul(1000),
        };
        for operator in &self.plan.operators {
            operator.begin_batch(watermarks);
        }
        for node in &self.watermark_nodes {
            // What an earlier batch left unread by a failure does not count.
            take_stats(node);
        }
        durations.step("getBatch", self.fill_scans(&batch)).await?;
        let written = durations.step("addBatch", self.execute(batch.id)).await?;

        let seen = self.watermark_nodes.iter().map(take_stats).collect::<Vec<_>>();
        self.tracker.update(&seen);
        let commit_time = durations
            .step("stateCommit", self.commit(&batch, &written))
            .await?;
        durations
            .step("commitOffsets", self.tell_committed(&batch))
            .await?;

        self.committed.clone_from(&batch.record.sources);
        self.next_batch_id = batch.id + 1;
        self.last_watermark_ms = batch.record.batch_watermark_ms;
        let progress = self.progress(&batch, &written, &seen, durations, fired_ms, commit_time);
        self.last_trigger_ms = Some(fired_ms);
        self.event_time.batch(batch.id, fired_ms, &seen);
        self.publish_event_time();
        self.query
            .update_status(|status| status.last_committed = Some(batch.id));
        self.query.push_progress(progress);
        Ok(())
    }

    /// Says where the query stands in event time, and how its keys are spread.
    fn publish_event_time(&self) {
        let facts = self.event_time.facts(&self.tracker, self.last_watermark_ms);
        let facts = facts.map(Arc::new);
        let largest = self.plan.operators.iter().map(|operator| operator.largest_key());
        let largest = largest.collect();
        self.query.update_status(|status| {
            status.event_time = facts;
            status.largest_keys = largest;
        });
    }

    async fn fill_scans(&self, batch: &DecidedBatch) -> Result<()> {
        for scan in &self.plan.scans {
            let name = scan.stream().name.as_ref();
            let (start, end) = (batch.start.get(name), batch.record.sources.get(name));
            let streams = match (self.sources.get(name), end) {
                (Some(source), Some(end)) if Some(end) != start => {
                    source
                        .read(start, end, scan.projection(), scan.partitions())
                        .await?
                }
                _ => Vec::new(),
            };
            scan.slot().fill(streams);
        }
        Ok(())
    }

    async fn execute(&self, batch_id: u64) -> Result<SinkCommit> {
        let definition = self.query.definition();
        let root = reset_plan_states(Arc::clone(&self.plan.root))?;
        let rows = execute_stream(Arc::clone(&root), definition.state.task_ctx())?;
        let written = definition.sink.write(batch_id, rows).await?;
        self.query.ran(batch_id, root);
        Ok(written)
    }

    async fn commit(&mut self, batch: &DecidedBatch, written: &SinkCommit) -> Result<Duration> {
        let begun = std::time::Instant::now();
        let record = CommitRecord {
            next_watermark_ms: self.tracker.watermark_ms(),
            watermarks_ms: self.tracker.each_ms().to_vec(),
        };
        let operators = self.plan.operators.iter();
        let deltas = operators
            .map(|operator| Ok((operator.id(), operator.take_delta()?)))
            .collect::<Result<Vec<_>>>()?;
        let keep = self.query.definition().options.min_batches_to_retain.max(2);
        let (checkpoint, batch_id) = (Arc::clone(&self.checkpoint), batch.id);
        let (sink_entry, sink_replaces) = (written.log_entry.clone(), written.log_replaces);
        let sizes = blocking(move || {
            checkpoint.commit(&BatchCommit {
                batch_id,
                record: &record,
                deltas: &deltas,
                sink_entry: sink_entry.as_deref(),
                sink_replaces,
                keep_from: (batch_id + 1).saturating_sub(keep),
            })
        })
        .await?;
        let commit_time = begun.elapsed();
        self.snapshots.committed(batch_id, &sizes);
        Ok(commit_time)
    }

    async fn tell_committed(&self, batch: &DecidedBatch) -> Result<()> {
        for (name, end) in &batch.record.sources {
            if let Some(source) = self
                .sources
                .get(name)
                .filter(|_| batch.start.get(name) != Some(end))
            {
                source.commit(end).await?;
            }
        }
        self.query.definition().sink.committed(batch.id).await
    }

    fn progress(
        &self,
        batch: &DecidedBatch,
        written: &SinkCommit,
        seen: &[(EventTimeStats, i64)],
        durations: &Durations,
        fired_ms: i64,
        commit_time: Duration,
    ) -> StreamingQueryProgress {
        let definition = self.query.definition();
        let duration_us = durations.micros();
        let total_s = durations.total().as_secs_f64();
        let since_s = self.last_trigger_ms.map(|last| seconds(fired_ms - last));
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let per_second = |rows: u64, time: f64| if time > 0.0 { rows as f64 / time } else { 0.0 };
        let sources = self.sources.iter().map(|(name, source)| {
            let scans = self
                .plan
                .scans
                .iter()
                .filter(|scan| scan.stream().name.as_ref() == name);
            // A stream that the plan reads twice has arrived once.
            let rows = scans.map(|scan| scan.slot().num_rows()).max().unwrap_or(0);
            let offset = |offsets: &BTreeMap<String, Offset>| offsets.get(name).cloned().unwrap_or_default();
            let end_offset = offset(&batch.record.sources);
            SourceProgress {
                description: source.description(),
                start_offset: offset(&batch.start),
                latest_offset: source.newest_known().unwrap_or_else(|| end_offset.clone()),
                end_offset,
                num_input_rows: rows,
                input_rows_per_second: since_s.map_or(0.0, |time| per_second(rows, time)),
                processed_rows_per_second: per_second(rows, total_s),
                metrics: source
                    .metrics()
                    .into_iter()
                    .chain(self.watermark_metrics(name))
                    .collect(),
            }
        });
        let sources = sources.collect::<Vec<_>>();
        let num_input_rows = sources.iter().map(|source| source.num_input_rows).sum();
        StreamingQueryProgress {
            id: self.query.id(),
            run_id: self.run_id,
            name: Some(definition.name.to_string()),
            timestamp: iso_millis(batch.record.batch_timestamp_ms),
            batch_id: batch.id,
            batch_duration: duration_us.get("triggerExecution").map_or(0, |us| us / 1000),
            num_input_rows,
            input_rows_per_second: since_s.map_or(0.0, |time| per_second(num_input_rows, time)),
            processed_rows_per_second: per_second(num_input_rows, total_s),
            duration_ms: duration_us
                .iter()
                .map(|(name, us)| (name.clone(), us / 1000))
                .collect(),
            event_time: self.event_time(batch, seen),
            state_operators: self
                .plan
                .operators
                .iter()
                .map(|operator| operator.progress(commit_time))
                .collect(),
            sources,
            sink: SinkProgress {
                description: definition.sink.description(),
                num_output_rows: i64::try_from(written.num_output_rows).unwrap_or(i64::MAX),
            },
            duration_us,
        }
    }

    /// Where the watermark of a source stands after the batch, and whether the query waits for it: told of the
    /// sources of a query with several watermarks, of which an idle one holds the others back.
    fn watermark_metrics(&self, source: &str) -> Vec<(String, String)> {
        if self.watermark_nodes.len() < 2 {
            return Vec::new();
        }
        let holding_back = self.tracker.holding_back();
        let nodes = self
            .watermark_nodes
            .iter()
            .zip(self.tracker.each_ms())
            .enumerate();
        let nodes = nodes.filter(|(_, (node, _))| scans_stream(node, source));
        // A stream that is read twice has a watermark each time; the slower one is the one to know.
        let slowest = nodes.min_by_key(|(_, (_, each_ms))| each_ms.unwrap_or(0));
        let Some((index, (_, each_ms))) = slowest else {
            return Vec::new();
        };
        let holds_back = holding_back.contains(&index).to_string();
        vec![
            ("watermark".to_owned(), iso_millis(each_ms.unwrap_or(0))),
            ("holdsWatermarkBack".to_owned(), holds_back),
        ]
    }

    fn event_time(&self, batch: &DecidedBatch, seen: &[(EventTimeStats, i64)]) -> BTreeMap<String, String> {
        let mut shown = BTreeMap::new();
        if self.watermark_nodes.is_empty() {
            return shown;
        }
        let mut all = EventTimeStats::default();
        for (stats, _) in seen {
            all.merge(stats);
        }
        if all.count > 0 {
            for (name, us) in [("max", all.max_us), ("min", all.min_us), ("avg", all.mean_us())] {
                shown.insert(name.to_owned(), iso_millis(us.div_euclid(1000)));
            }
        }
        shown.insert(
            "watermark".to_owned(),
            iso_millis(batch.record.batch_watermark_ms),
        );
        shown
    }

    fn went_idle(&self) {
        self.query.went_idle();
        self.query.update_status(|status| {
            if status.state == QueryState::Running {
                "waiting for data".clone_into(&mut status.message);
            }
        });
        let name = Arc::clone(self.query.name());
        let (id, run_id) = (self.query.id(), self.run_id);
        self.query
            .context()
            .events
            .send(&QueryEvent::Idle { name, id, run_id });
    }

    async fn wait_for_data(&self) {
        let waits = self
            .sources
            .iter()
            .map(|(name, source)| source.wait_for_data(self.committed.get(name)));
        let mut waits = waits.collect::<FuturesUnordered<_>>();
        waits.next().await;
    }
}

/// Whether rows of a stream come through a node.
fn scans_stream(node: &Arc<dyn ExecutionPlan>, name: &str) -> bool {
    let is_scan = |node: &Arc<dyn ExecutionPlan>| {
        let scan = node.downcast_ref::<StreamScanExec>();
        Ok(scan.is_some_and(|scan| scan.operator().stream().name.as_ref() == name))
    };
    node.exists(is_scan).unwrap_or(false)
}

fn take_stats(node: &Arc<dyn ExecutionPlan>) -> (EventTimeStats, i64) {
    match node.downcast_ref::<EventTimeWatermarkExec>() {
        Some(node) => (node.take_stats(), node.delay_ms()),
        None => Default::default(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate")]
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// Runs what blocks on the disk off the workers that compute.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|panic| Err(Error::internal("what works on the disk panicked").caused_by(panic)))
}
