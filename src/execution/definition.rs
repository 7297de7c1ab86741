//! What a query is, before it runs: everything that a run is made from.

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use uuid::Uuid;

use crate::checkpoint::open::peek;
use crate::checkpoint::{Checkpoint, CheckpointMetadata, QueryShape};
use crate::error::{Error, Result};
use crate::execution::micro_batch::blocking;
use crate::execution::trigger::Trigger;
use crate::execution::watermark::WatermarkPolicy;
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

    /// Checks that the checkpoint, if there is one that can be looked at now, belongs to this query.
    ///
    /// # Errors
    ///
    /// A checkpoint error that shows both sides.
    pub async fn check_checkpoint(&self) -> Result<()> {
        let folder = self.checkpoint.clone();
        let stored = blocking(move || peek(&folder, Checkpoint::metadata)).await?;
        match stored.flatten() {
            Some(metadata) => metadata.check(&self.shape(&self.plan().await?), &self.checkpoint),
            None => Ok(()),
        }
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
