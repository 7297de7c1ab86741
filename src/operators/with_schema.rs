//! Gives rows another schema of the same types: names and marks of its own.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties, SendableRecordBatchStream};

use crate::operators::exec::{Operator, OperatorExec, column_names, passing, stream_of};

/// Passes its input's rows on under a schema of the same types.
pub type WithSchemaExec = OperatorExec<WithSchema>;

/// What [`WithSchemaExec`] gives its rows.
#[derive(Debug)]
pub struct WithSchema {
    schema: SchemaRef,
}

impl WithSchemaExec {
    /// Gives the rows of `input` the schema `schema`.
    pub fn new(input: Arc<dyn ExecutionPlan>, schema: SchemaRef) -> Self {
        Self::over(vec![input], WithSchema { schema })
    }
}

impl Operator for WithSchema {
    const NAME: &'static str = "WithSchemaExec";
    const MAY_SPLIT_INPUTS: bool = false;
    const KEEPS_ORDER: bool = true;

    fn properties(&self, inputs: &[Arc<dyn ExecutionPlan>]) -> PlanProperties {
        passing(&inputs[0], Arc::clone(&self.schema))
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&column_names(&self.schema))
    }

    fn execute(
        self: &Arc<Self>,
        inputs: &[Arc<dyn ExecutionPlan>],
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let rows = inputs[0].execute(partition, context)?;
        Ok(stream_of(Arc::clone(&self.schema), rows))
    }
}
