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
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions,
    SendableRecordBatchStream,
};
use futures::TryStreamExt;

use crate::operators::context::{OperatorContext, OperatorSpec};
use crate::operators::late_rows::without_late_rows;
use crate::operators::measured::Measured;
use crate::operators::signature::deduplicate_signature;
use crate::plan::event_time::{DELAY_KEY, eviction_among};
use crate::state::StateLayout;
use crate::state::store::EvictionTime;

/// A streaming deduplication. See the module's documentation.
#[derive(Debug)]
pub struct DeduplicateExec {
    input: Arc<dyn ExecutionPlan>,
    keys: Vec<usize>,
    expiry: Option<Expiry>,
    operator: Arc<OperatorContext>,
    properties: Arc<PlanProperties>,
    measured: Measured,
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
        let operator = OperatorContext::try_new(OperatorSpec {
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
        let input = without_late_rows(input, &operator)?;
        Ok(Self::assemble(input, keys, expiry, operator))
    }

    /// What it shares with the loop.
    pub fn operator(&self) -> &Arc<OperatorContext> {
        &self.operator
    }

    fn assemble(
        input: Arc<dyn ExecutionPlan>,
        keys: Vec<usize>,
        expiry: Option<Expiry>,
        operator: Arc<OperatorContext>,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            input.properties().boundedness,
        );
        Self {
            input,
            keys,
            expiry,
            operator,
            properties: Arc::new(properties),
            measured: Measured::default(),
        }
    }

    fn over(&self, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("a deduplication has one input");
        };
        Ok(Arc::new(Self::assemble(
            input,
            self.keys.clone(),
            self.expiry,
            Arc::clone(&self.operator),
        )))
    }
}

/// One batch's way through the operator. The partitions come in reading order.
async fn run_batch(
    partitions: Vec<SendableRecordBatchStream>,
    keys: Vec<usize>,
    expiry: Option<Expiry>,
    operator: Arc<OperatorContext>,
) -> Result<Vec<RecordBatch>> {
    let tasks = partitions
        .into_iter()
        .map(|rows| datafusion::common::runtime::SpawnedTask::spawn(rows.try_collect::<Vec<_>>()))
        .collect::<Vec<_>>();
    let mut arrived = Vec::new();
    for task in tasks {
        match task.join_unwind().await {
            Ok(rows) => arrived.extend(rows?),
            Err(cancelled) => return internal_err!("a task that reads a partition ended: {cancelled}"),
        }
    }
    let watermark_us = operator.watermarks().eviction_us;
    let kept = operator.with_state(|store, numbers| {
        let begun = Instant::now();
        let mut kept = Vec::new();
        let mut duplicates = 0;
        for rows in arrived {
            let state_rows = state_rows(&rows, &keys, expiry, &store.layout().schema)?;
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

impl DisplayAs for DeduplicateExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        let id = self.operator.id();
        write!(f, "DeduplicateExec: operator={id}, {}", self.operator.signature())
    }
}

impl ExecutionPlan for DeduplicateExec {
    fn name(&self) -> &'static str {
        "DeduplicateExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    /// Repartitioning would lose the order of arrival.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.over(children)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.over(children)
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.measured.metrics())
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let partitions = self.input.properties().partitioning.partition_count();
        let partitions = (0..partitions)
            .map(|partition| self.input.execute(partition, Arc::clone(&context)))
            .collect::<Result<Vec<_>>>()?;
        let operator = Arc::clone(&self.operator);
        let rows = run_batch(partitions, self.keys.clone(), self.expiry, operator);
        let rows = futures::stream::once(rows)
            .map_ok(|batches| futures::stream::iter(batches.into_iter().map(Ok)))
            .try_flatten();
        Ok(self.measured.stream(
            partition,
            Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)),
        ))
    }
}
