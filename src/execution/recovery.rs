//! What a run begins from: the checkpoint, opened and read back.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::checkpoint::open::peek;
use crate::checkpoint::{Checkpoint, CheckpointMetadata};
use crate::error::{Error, Result};
use crate::execution::micro_batch::{DecidedBatch, blocking};
use crate::execution::query::{QueryState, StreamingQuery};
use crate::execution::watermark::WatermarkTracker;
use crate::operators::context::OperatorContext;
use crate::plan::physical::StreamingPlan;
use crate::source::Offset;
use uuid::Uuid;

/// An open checkpoint and what it says of its query from this run on.
pub(super) struct OpenedCheckpoint {
    pub(super) checkpoint: Arc<Checkpoint>,
    pub(super) metadata: CheckpointMetadata,
    /// The query has changed since the last run: the metadata is still to be written.
    pub(super) has_changed: bool,
}

/// Where the last run left off.
pub(super) struct LastCommit {
    pub(super) batch_id: Option<u64>,
    /// Where each source stood after it.
    pub(super) offsets: BTreeMap<String, Offset>,
    /// The watermark that it ran with.
    pub(super) watermark_ms: i64,
    pub(super) tracker: WatermarkTracker,
    /// The batch behind it, if a crash cut it off.
    pub(super) replay: Option<DecidedBatch>,
}

/// Opens a query's checkpoint, if the query may go on in it.
pub(super) async fn open(query: &StreamingQuery, plan: &StreamingPlan) -> Result<OpenedCheckpoint> {
    let definition = query.definition();
    let shape = definition.shape(plan);
    let folder = definition.checkpoint.clone();
    let storage = Arc::clone(&query.context().storage);
    let new_id = query.id();
    blocking(move || {
        let checkpoint = Checkpoint::open_on(
            &folder,
            &|builder, path, file| storage.database(builder, path, file),
            &|stored| stored.check(&shape, &folder),
        )?;
        let checkpoint = Arc::new(checkpoint);
        let stored = checkpoint.metadata()?;
        let metadata = match stored.clone() {
            Some(stored) => stored.taken_over_by(shape),
            None => CheckpointMetadata::new(new_id, shape),
        };
        if stored.is_none() {
            checkpoint.set_metadata(&metadata)?;
        }
        let has_changed = stored.is_some_and(|stored| stored != metadata);
        Ok(OpenedCheckpoint {
            checkpoint,
            metadata,
            has_changed,
        })
    })
    .await
}

/// Makes a query that does not run look as its last run left it: its id, its last batch, the rows that its sink keeps.
/// A checkpoint that is not there, or that somebody holds, changes nothing.
///
/// # Errors
///
/// A damaged checkpoint; rows that do not fit the sink.
pub(crate) async fn recall(query: &StreamingQuery) -> Result<()> {
    let definition = query.definition();
    let folder = definition.checkpoint.clone();
    let keeps_rows = definition.sink.keeps_rows();
    let look = move |checkpoint: &Checkpoint| {
        let last_committed = checkpoint.latest_commit()?.map(|(batch_id, _)| batch_id);
        let log = if keeps_rows {
            checkpoint.sink_log()?
        } else {
            Vec::new()
        };
        Ok((checkpoint.metadata()?, last_committed, log))
    };
    let Some((Some(metadata), last_committed, log)) = blocking(move || peek(&folder, look)).await? else {
        return Ok(());
    };
    let plan = definition.plan().await?;
    metadata.check(&definition.shape(&plan), &definition.checkpoint)?;
    if keeps_rows {
        let start = definition.sink_start(&plan, metadata.query_id, last_committed, log);
        definition.sink.start(start).await?;
    }
    query.update_status(|status| {
        status.id = metadata.query_id;
        status.last_committed = last_committed;
    });
    Ok(())
}

/// Makes a query that does not run look as if it had never run: its checkpoint is gone.
///
/// # Errors
///
/// A statement error of the planner.
pub(super) async fn forget(query: &StreamingQuery) -> Result<()> {
    let definition = query.definition();
    let id = Uuid::new_v4();
    query.update_status(|status| {
        status.id = id;
        status.last_committed = None;
        status.event_time = None;
        status.largest_keys = Arc::default();
        // A run may have been asked for meanwhile: it waits for the checkpoint, and begins anew.
        if !status.state.is_active() {
            status.run_id = None;
            status.exception = None;
            status.state = QueryState::Stopped;
            "not started since its checkpoint was reset".clone_into(&mut status.message);
        }
    });
    if definition.sink.keeps_rows() {
        let plan = definition.plan().await?;
        let start = definition.sink_start(&plan, id, None, Vec::new());
        definition.sink.start(start).await?;
    }
    Ok(())
}

/// Reads back the last commit: offsets and watermarks, and the state into `operators`.
pub(super) async fn read_back(
    checkpoint: &Arc<Checkpoint>,
    operators: &[Arc<OperatorContext>],
    tracker: WatermarkTracker,
) -> Result<LastCommit> {
    let checkpoint = Arc::clone(checkpoint);
    let operators = operators.to_vec();
    blocking(move || {
        let mut last = LastCommit {
            batch_id: None,
            offsets: BTreeMap::new(),
            watermark_ms: 0,
            tracker,
            replay: None,
        };
        if let Some((batch_id, record)) = checkpoint.latest_commit()? {
            last.tracker
                .restore(record.next_watermark_ms, &record.watermarks_ms);
            let offsets = checkpoint.offsets(batch_id)?;
            let offsets = offsets.ok_or_else(|| inconsistent(batch_id, "no offsets"))?;
            last.batch_id = Some(batch_id);
            last.offsets = offsets.sources;
            last.watermark_ms = offsets.batch_watermark_ms;
            for operator in operators {
                for delta in checkpoint.state_as_of(operator.id(), batch_id)? {
                    operator.restore(delta)?;
                }
            }
        }
        let next_batch_id = last.batch_id.map_or(0, |batch_id| batch_id + 1);
        match checkpoint.latest_offsets()? {
            Some((id, record)) if id == next_batch_id => {
                last.replay = Some(DecidedBatch {
                    id,
                    record,
                    start: last.offsets.clone(),
                    late_ms: last.watermark_ms,
                });
            }
            Some((id, _)) if Some(id) != last.batch_id => {
                return Err(inconsistent(id, "offsets beyond the next batch"));
            }
            _ => {}
        }
        Ok(last)
    })
    .await
}

fn inconsistent(batch_id: u64, reason: &str) -> Error {
    Error::checkpoint(format!(
        "the checkpoint contradicts itself at batch {batch_id}: {reason}"
    ))
    .hint("Restore it from a copy, or give the query another CHECKPOINT folder to start anew.")
}
