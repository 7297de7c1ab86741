//! Rows in memory: a leaf over them, for running a piece of plan.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties, SendableRecordBatchStream};

use crate::operators::exec::{Operator, OperatorExec, leaf, stream_of};

/// Gives some batches, in one partition.
pub type BatchesExec = OperatorExec<Batches>;

/// What [`BatchesExec`] gives.
#[derive(Debug)]
pub struct Batches {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl BatchesExec {
    /// A leaf without rows.
    pub fn new(schema: SchemaRef) -> Self {
        let batches = Vec::new();
        Self::over(Vec::new(), Batches { schema, batches })
    }

    /// The same leaf with rows.
    #[must_use]
    pub fn with_batches(&self, batches: Vec<RecordBatch>) -> Arc<dyn ExecutionPlan> {
        let schema = Arc::clone(&self.operator().schema);
        Arc::new(self.with_operator(Batches { schema, batches }))
    }
}

impl Operator for Batches {
    const NAME: &'static str = "BatchesExec";

    fn properties(&self, _: &[Arc<dyn ExecutionPlan>]) -> PlanProperties {
        leaf(Arc::clone(&self.schema), 1)
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "batches={}", self.batches.len())
    }

    fn execute(
        self: &Arc<Self>,
        _: &[Arc<dyn ExecutionPlan>],
        _: usize,
        _: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let batches = self.batches.clone().into_iter().map(Ok);
        Ok(stream_of(
            Arc::clone(&self.schema),
            futures::stream::iter(batches),
        ))
    }
}
