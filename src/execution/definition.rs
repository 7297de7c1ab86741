//! What a query is, before it runs: everything that a run is made from.

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use uuid::Uuid;

use crate::checkpoint::open::{FILE_NAME, peek};
use crate::checkpoint::{Checkpoint, CheckpointMetadata, QueryShape};
use crate::error::{Error, Result};
use crate::execution::micro_batch::blocking;
use crate::execution::trigger::Trigger;
use crate::execution::watermark::WatermarkPolicy;
use crate::interval::format_duration_us;
use crate::operators::watermark::EventTimeWatermarkExec;
use crate::plan::output_mode;
use crate::plan::physical::StreamingPlan;
use crate::plan::result_keys::result_keys;
use crate::plan::stream_table::{check_names, is_streaming};
use crate::sink::result::ResultTable;
use crate::sink::{OutputMode, SinkRef, SinkStart};
use crate::types::ddl_of;

/// Settings that a query takes from its session when it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryOptions {
    /// `spark.sql.streaming.multipleWatermarkPolicy`.
    pub watermark_policy: WatermarkPolicy,
    /// `spark.sql.streaming.minBatchesToRetain`: how far back state can be read.
    pub min_batches_to_retain: u64,
    /// `spark.sql.streaming.numRecentProgressUpdates`.
    pub num_recent_progress: usize,
    /// `spark.sql.streaming.noDataMicroBatches.enabled`.
    pub no_data_batches: bool,
}

impl Default for QueryOptions {
    fn default() -> Self {
        Self {
            watermark_policy: WatermarkPolicy::Min,
            min_batches_to_retain: 100,
            num_recent_progress: 100,
            no_data_batches: true,
        }
    }
}

/// A streaming query as it was stated.
#[derive(Debug, Clone)]
pub struct QueryDefinition {
    /// Its name.
    pub name: Arc<str>,
    /// The statement that made it, secrets masked.
    pub sql: Arc<str>,
    /// The SELECT as planned from SQL, before any optimizer.
    pub plan: LogicalPlan,
    /// What a batch's rows mean.
    pub output_mode: OutputMode,
    /// When batches run.
    pub trigger: Trigger,
    /// The checkpoint's folder.
    pub checkpoint: PathBuf,
    /// Where rows go.
    pub sink: SinkRef,
    /// The sink's rows, where it has some to show.
    pub result: Option<Arc<dyn ResultTable>>,
    /// The session's settings when it was made.
    pub options: QueryOptions,
    /// The functions and settings to plan with.
    pub state: SessionState,
}

/// What a query will be, told before it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedQuery {
    /// Its name.
    pub name: String,
    /// What a batch's rows mean; the SELECT may have it.
    pub output_mode: OutputMode,
    /// The trigger, as its clause reads.
    pub trigger: String,
    /// The sink's description.
    pub sink: String,
    /// The columns that have a watermark, with their delays: `event_time, 10 minutes`. Empty: there is none.
    pub watermarks: Vec<String>,
    /// What its stateful operators keep, leaves first; empty: it keeps no state.
    pub operators: Vec<String>,
    /// Which of these nothing ever takes keys out of: their state grows with every new key.
    pub unbounded: Vec<usize>,
    /// The checkpoint's folder.
    pub checkpoint: PathBuf,
    /// Where it begins.
    pub resumes: Resumes,
}

/// Where a query begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumes {
    /// It has no checkpoint: it begins with batch 0.
    New,
    /// It goes on from its checkpoint with this batch.
    At(u64),
    /// Another process, or another query, has its checkpoint open now: it cannot be looked at.
    InUse,
}

impl std::fmt::Display for Resumes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::New => f.write_str("starts new"),
            Self::At(batch_id) => write!(f, "resumes at batch {batch_id}"),
            Self::InUse => f.write_str("its checkpoint is in use"),
        }
    }
}

impl QueryDefinition {
    /// Checks everything that can be checked without running: output mode, and that a physical plan exists.
    ///
    /// # Errors
    ///
    /// A statement error.
    pub async fn check(&self) -> Result<()> {
        if !is_streaming(&self.plan) {
            return Err(Error::statement(format!("query \"{}\" reads no stream", self.name))
                .hint("Read from a CREATE STREAM in FROM, or run the SELECT by itself, without CREATE STREAMING QUERY."));
        }
        check_names(&self.plan)?;
        output_mode::check(&self.plan, self.output_mode)?;
        self.plan().await.map(|_| ())
    }

    /// Checks that the checkpoint, if there is one that can be looked at now, belongs to this query, and says where the
    /// query begins.
    ///
    /// # Errors
    ///
    /// A checkpoint error that shows both sides.
    pub async fn check_checkpoint(&self) -> Result<Resumes> {
        let folder = self.checkpoint.clone();
        let look = |checkpoint: &Checkpoint| Ok((checkpoint.metadata()?, checkpoint.latest_commit()?));
        let (stored, is_there) = blocking(move || {
            let stored = peek(&folder, look)?;
            Ok((stored, folder.join(FILE_NAME).exists()))
        })
        .await?;
        let Some((metadata, last)) = stored else {
            return Ok(if is_there { Resumes::InUse } else { Resumes::New });
        };
        if let Some(metadata) = metadata {
            metadata.check(&self.shape(&self.plan().await?), &self.checkpoint)?;
        }
        Ok(last.map_or(Resumes::New, |(batch_id, _)| Resumes::At(batch_id + 1)))
    }

    /// What the query will be; `resumes` is where it begins.
    ///
    /// # Errors
    ///
    /// A statement error of the planner.
    pub async fn facts(&self, resumes: Resumes) -> Result<CheckedQuery> {
        let plan = self.plan().await?;
        let watermarks = plan.watermarks();
        let watermarks = watermarks.iter().filter_map(|node| {
            let watermark = node.downcast_ref::<EventTimeWatermarkExec>()?;
            let delay = format_duration_us(watermark.delay_ms().saturating_mul(1000));
            Some(format!("{}, {delay}", watermark.column_name()))
        });
        let operators = plan.operator_facts();
        let unbounded = operators.iter().enumerate();
        let unbounded =
            unbounded.filter(|(_, operator)| !operator.is_evicting && operator.layout.num_keys > 0);
        Ok(CheckedQuery {
            name: self.name.to_string(),
            output_mode: self.output_mode,
            trigger: self.trigger.to_string(),
            sink: self.sink.description(),
            watermarks: watermarks.collect(),
            unbounded: unbounded.map(|(number, _)| number).collect(),
            operators: plan.signatures(),
            checkpoint: self.checkpoint.clone(),
            resumes,
        })
    }

    /// Checks that this query may go on from the checkpoint of one that runs now.
    ///
    /// # Errors
    ///
    /// A checkpoint error that shows both sides.
    pub async fn check_takes_over(&self, running: &Self) -> Result<()> {
        let stored = CheckpointMetadata::new(Uuid::nil(), running.shape(&running.plan().await?));
        stored.check(&self.shape(&self.plan().await?), &self.checkpoint)
    }

    /// What of the query leaves its mark on the checkpoint.
    pub fn shape(&self, plan: &StreamingPlan) -> QueryShape {
        let sink_keeps_rows = self.sink.keeps_rows();
        let columns = if sink_keeps_rows {
            ddl_of(&plan.root.schema())
        } else {
            String::new()
        };
        QueryShape {
            operators: plan.signatures(),
            key_columns: plan.key_columns(),
            output_mode: self.output_mode,
            sink: self.sink.description(),
            sink_keeps_rows,
            columns,
            watermark_policy: self.options.watermark_policy,
        }
    }

    /// What its sink learns before the first batch of a run.
    pub(crate) fn sink_start(
        &self,
        plan: &StreamingPlan,
        query_id: Uuid,
        last_committed: Option<u64>,
        log: Vec<(u64, Vec<u8>)>,
    ) -> SinkStart {
        SinkStart {
            schema: plan.root.schema(),
            mode: self.output_mode,
            keys: result_keys(&self.plan),
            query_id,
            query_name: self.name.to_string(),
            last_committed,
            log,
        }
    }

    /// The physical plan for a run.
    pub async fn plan(&self) -> Result<StreamingPlan> {
        StreamingPlan::try_new(&self.state, self.plan.clone(), self.output_mode).await
    }
}
