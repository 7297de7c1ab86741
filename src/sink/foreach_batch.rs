//! Hands each batch to a function of the program: Spark's `foreachBatch`.

use std::fmt;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::physical_plan::SendableRecordBatchStream;
use futures::TryStreamExt;
use futures::future::BoxFuture;

use crate::error::Result;
use crate::sink::{Sink, SinkCommit, SinkStart};

/// What `foreach_batch` calls: the batch's rows and its id.
pub type BatchFunction = Arc<dyn Fn(Vec<RecordBatch>, u64) -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// Calls a function with each batch's rows and id.
pub struct ForeachBatchSink {
    function: BatchFunction,
}

impl ForeachBatchSink {
    /// A sink that calls `function`.
    pub fn new(function: BatchFunction) -> Self {
        Self { function }
    }
}

impl fmt::Debug for ForeachBatchSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForeachBatchSink").finish_non_exhaustive()
    }
}

#[async_trait]
impl Sink for ForeachBatchSink {
    fn description(&self) -> String {
        "ForeachBatchSink".to_owned()
    }

    async fn start(&self, _: SinkStart) -> Result<()> {
        Ok(())
    }

    async fn write(&self, batch_id: u64, rows: SendableRecordBatchStream) -> Result<SinkCommit> {
        let rows = rows.try_collect::<Vec<_>>().await?;
        let num_output_rows = rows.iter().map(|batch| batch.num_rows() as u64).sum();
        (self.function)(rows, batch_id).await?;
        Ok(SinkCommit {
            num_output_rows,
            ..SinkCommit::default()
        })
    }
}
