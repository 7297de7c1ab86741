//! Keeps the first row of each key.
//!
//! ```sql
//! SELECT DISTINCT ON (event_id, event_time) * FROM events
//! SELECT DISTINCT ON (event_id) WITHIN WATERMARK * FROM events
//! ```
//!
//! ```text
//! LateRowsExec            drops late rows, where the input has an event time
//!   │
//! DeduplicateExec
//!   ├ put new             keys that are not in the state yet; their rows are the output, in order of arrival
//!   └ evict               keys whose event time, or whose expiry, is at or before the batch's watermark
//! ```
//!
//! State per key: the key, and WITHIN WATERMARK also its expiry: the event time of the row that was kept, plus the
//! watermark's delay. Without an event time among the keys, and not WITHIN WATERMARK, the state only grows, as in
//! Spark. Schema in and out: the input's.
//!
//! Spark: `StreamingDeduplicateExec` and `StreamingDeduplicateWithinWatermarkExec`.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::TimestampMicrosecondArray;
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use datafusion::common::{Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties, SendableRecordBatchStream};

use crate::operators::arrival::{in_order_of_arrival, partitions_of};
use crate::operators::context::{OperatorContext, OperatorSpec};
use crate::operators::exec::{Operator, OperatorExec, gathering, stream_once};
use crate::operators::late_rows::without_late_rows;
use crate::operators::signature::deduplicate_signature;
use crate::plan::event_time::{DELAY_KEY, eviction_among};
use crate::state::StateLayout;
use crate::state::store::EvictionTime;

/// A streaming deduplication. See the module's documentation.
pub type DeduplicateExec = OperatorExec<Deduplicate>;

/// What [`DeduplicateExec`] keeps.
#[derive(Debug)]
pub struct Deduplicate {
    keys: Vec<usize>,
    expiry: Option<Expiry>,
    context: Arc<OperatorContext>,
}

/// When a key is forgotten WITHIN WATERMARK.
#[derive(Debug, Clone, Copy)]
struct Expiry {
    time: EvictionTime,
    delay_us: i64,
}

impl DeduplicateExec {
    /// Keeps of `input` the first row of each value of the columns `keys`.
    ///
    /// # Errors
    ///
    /// A key type that has no row format; no event time WITHIN WATERMARK.
    pub fn try_new(input: Arc<dyn ExecutionPlan>, keys: Vec<usize>, within_watermark: bool) -> Result<Self> {
        let schema = input.schema();
        let mut fields = keys
            .iter()
            .map(|&key| Arc::clone(&schema.fields()[key]))
            .collect::<Vec<_>>();
        let (mut expiry, mut eviction) = (None, eviction_among(fields.iter().map(AsRef::as_ref)));
        if within_watermark {
            let time = eviction_among(schema.fields().iter().map(AsRef::as_ref));
            let Some(time) = time else {
                return internal_err!("a deduplication within the watermark needs one");
            };
            let delay_ms = schema.field(time.column).metadata().get(DELAY_KEY);
            let delay_ms = delay_ms.and_then(|delay| delay.parse::<i64>().ok()).unwrap_or(0);
            expiry = Some(Expiry {
                time,
                delay_us: delay_ms.saturating_mul(1000),
            });
            eviction = Some(EvictionTime {
                column: fields.len(),
                offset_us: 0,
            });
            let expires = DataType::Timestamp(TimeUnit::Microsecond, None);
            fields.push(Arc::new(Field::new("expires", expires, false)));
        }
        let state_schema = Arc::new(Schema::new(fields));
        let context = OperatorContext::try_new(OperatorSpec {
            name: if within_watermark {
                "dedupeWithinWatermark"
            } else {
                "dedupe"
            },
            signature: deduplicate_signature(&state_schema, keys.len(), eviction),
            layout: StateLayout {
                schema: state_schema,
                num_keys: keys.len(),
                eviction,
                is_numbered: false,
            },
            wants_no_data_batch: true,
            output_lag_us: Some(0),
        })?;
        let input = without_late_rows(input, &context)?;
        let deduplicate = Deduplicate {
            keys,
            expiry,
            context,
        };
        Ok(Self::over(vec![input], deduplicate))
    }
}

impl Deduplicate {
    /// One batch's way through the operator. The partitions come in reading order.
    async fn run(self: Arc<Self>, partitions: Vec<SendableRecordBatchStream>) -> Result<Vec<RecordBatch>> {
        let arrived = in_order_of_arrival(partitions).await?;
        let watermark_us = self.context.watermarks().eviction_us;
        let kept = self.context.with_state(|store, numbers| {
            let begun = Instant::now();
            let mut kept = Vec::new();
            let mut duplicates = 0;
            for rows in arrived {
                let state_rows = state_rows(&rows, &self.keys, self.expiry, &store.layout().schema)?;
                let is_new = store.put_new(&state_rows)?;
                let new_rows = filter_record_batch(&rows, &is_new)?;
                numbers.updated += new_rows.num_rows() as u64;
                duplicates += (rows.num_rows() - new_rows.num_rows()) as u64;
                if new_rows.num_rows() > 0 {
                    kept.push(new_rows);
                }
            }
            numbers.custom = Some(("numDroppedDuplicateRows", duplicates));
            numbers.update_time += begun.elapsed();
            let begun = Instant::now();
            if store.layout().eviction.is_some() {
                let evicted = store.evict(watermark_us)?;
                numbers.removed += evicted.map_or(0, |rows| rows.num_rows() as u64);
            }
            numbers.removal_time += begun.elapsed();
            Ok(kept)
        })?;
        Ok(kept)
    }
}

fn state_rows(
    rows: &RecordBatch,
    keys: &[usize],
    expiry: Option<Expiry>,
    schema: &SchemaRef,
) -> crate::error::Result<RecordBatch> {
    let mut columns = keys
        .iter()
        .map(|&key| Arc::clone(rows.column(key)))
        .collect::<Vec<_>>();
    if let Some(Expiry { time, delay_us }) = expiry {
        let times = time.of(rows.column(time.column))?;
        // A row without an event time counts as one of 1970, as in Spark.
        let expires = times
            .into_iter()
            .map(|time| Some(time.unwrap_or(0).saturating_add(delay_us)));
        columns.push(Arc::new(expires.collect::<TimestampMicrosecondArray>()));
    }
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

impl Operator for Deduplicate {
    const NAME: &'static str = "DeduplicateExec";
    const MAY_SPLIT_INPUTS: bool = false;

    fn properties(&self, inputs: &[Arc<dyn ExecutionPlan>]) -> PlanProperties {
        gathering(&inputs[0], inputs[0].schema())
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "operator={}, {}", self.context.id(), self.context.signature())
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
        let input = &inputs[0];
        let partitions = partitions_of(input, &context)?;
        Ok(stream_once(input.schema(), Arc::clone(self).run(partitions)))
    }
}
