//! Gives the first rows of a stream, over all batches.
//!
//! ```sql
//! SELECT * FROM events LIMIT 10
//! ```
//!
//! ```text
//! StreamLimitExec
//!   ├ look up      how many rows were given so far
//!   └ put          that number, where the batch had rows
//! ```
//!
//! State: one row, the number. Schema in and out: the input's. Spark: `StreamingGlobalLimitExec`.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{AsArray, Int64Array};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties, SendableRecordBatchStream};

use crate::operators::arrival::{in_order_of_arrival, partitions_of};
use crate::operators::context::{OperatorContext, OperatorSpec};
use crate::operators::exec::{Operator, OperatorExec, gathering, stream_once};
use crate::state::StateLayout;

/// A limit over all batches. See the module's documentation.
pub type StreamLimitExec = OperatorExec<StreamLimit>;

/// What [`StreamLimitExec`] counts.
#[derive(Debug)]
pub struct StreamLimit {
    fetch: usize,
    context: Arc<OperatorContext>,
}

impl StreamLimitExec {
    /// Gives the first `fetch` rows of `input`.
    ///
    /// # Errors
    ///
    /// None: its state's type has a row format.
    pub fn try_new(input: Arc<dyn ExecutionPlan>, fetch: usize) -> Result<Self> {
        let given = Field::new("given", DataType::Int64, false);
        let context = OperatorContext::try_new(OperatorSpec {
            name: "globalLimit",
            signature: "limit; keeps the number of rows given".to_owned(),
            layout: StateLayout {
                schema: Arc::new(Schema::new(vec![given])),
                num_keys: 0,
                eviction: None,
                is_numbered: false,
            },
            wants_no_data_batch: false,
            output_lag_us: Some(0),
        })?;
        Ok(Self::over(vec![input], StreamLimit { fetch, context }))
    }
}

impl StreamLimit {
    /// One batch's way through the operator. The partitions come in reading order.
    async fn run(self: Arc<Self>, partitions: Vec<SendableRecordBatchStream>) -> Result<Vec<RecordBatch>> {
        let arrived = in_order_of_arrival(partitions).await?;
        let given = self.context.with_state(|store, numbers| {
            let begun = Instant::now();
            let before = store.lookup(&[], 1)?;
            let before = before.map_or(0, |row| row.column(0).as_primitive::<Int64Type>().value(0));
            let mut left = self
                .fetch
                .saturating_sub(usize::try_from(before).unwrap_or(usize::MAX));
            let mut given = Vec::new();
            for rows in arrived {
                let rows = rows.slice(0, rows.num_rows().min(left));
                left -= rows.num_rows();
                if rows.num_rows() > 0 {
                    given.push(rows);
                }
            }
            let num_given = given.iter().map(RecordBatch::num_rows).sum::<usize>();
            if num_given > 0 {
                let total = before.saturating_add(i64::try_from(num_given).unwrap_or(i64::MAX));
                let row = Arc::new(Int64Array::from(vec![total]));
                store.put(RecordBatch::try_new(
                    Arc::clone(&store.layout().schema),
                    vec![row],
                )?)?;
                numbers.updated += 1;
            }
            numbers.update_time += begun.elapsed();
            Ok(given)
        })?;
        Ok(given)
    }
}

impl Operator for StreamLimit {
    const NAME: &'static str = "StreamLimitExec";
    const MAY_SPLIT_INPUTS: bool = false;

    fn properties(&self, inputs: &[Arc<dyn ExecutionPlan>]) -> PlanProperties {
        gathering(&inputs[0], inputs[0].schema())
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "operator={}, fetch={}", self.context.id(), self.fetch)
    }

    fn contexts(&self) -> Vec<&Arc<OperatorContext>> {
        vec![&self.context]
    }

    fn execute(
        self: &Arc<Self>,
        inputs: &[Arc<dyn ExecutionPlan>],
        _: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let partitions = partitions_of(&inputs[0], &context)?;
        Ok(stream_once(inputs[0].schema(), Arc::clone(self).run(partitions)))
    }
}
