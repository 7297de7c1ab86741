//! Reads an input's partitions in the order of arrival.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, SendableRecordBatchStream};
use futures::TryStreamExt;

/// The streams of all partitions of `input`, in reading order.
///
/// # Errors
///
/// What the input says.
pub fn partitions_of(
    input: &Arc<dyn ExecutionPlan>,
    context: &Arc<TaskContext>,
) -> Result<Vec<SendableRecordBatchStream>> {
    (0..input.output_partitioning().partition_count())
        .map(|partition| input.execute(partition, Arc::clone(context)))
        .collect()
}

/// All rows of some partitions, which are in reading order. They are computed side by side.
///
/// # Errors
///
/// The first error of a partition.
pub async fn in_order_of_arrival(partitions: Vec<SendableRecordBatchStream>) -> Result<Vec<RecordBatch>> {
    let tasks = partitions
        .into_iter()
        .map(|rows| SpawnedTask::spawn(rows.try_collect::<Vec<_>>()))
        .collect::<Vec<_>>();
    let mut arrived = Vec::new();
    for task in tasks {
        match task.join_unwind().await {
            Ok(rows) => arrived.extend(rows?),
            Err(cancelled) => return internal_err!("a task that reads a partition ended: {cancelled}"),
        }
    }
    Ok(arrived)
}
