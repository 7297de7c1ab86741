//! Sees event times pass: the physical side of WATERMARK.
//!
//! Passes its input on unchanged and keeps the newest, oldest and mean event time of the batch, from which the
//! loop makes the next watermark (Spark's `EventTimeWatermarkExec` and `EventTimeStats`).

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{max, min};
use arrow::datatypes::{DataType, SchemaRef, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
    ReplaceChildrenOptions, SendableRecordBatchStream,
};
use futures::StreamExt;
use parking_lot::Mutex;

use crate::interval::format_duration_us;
use crate::operators::measured::Measured;

/// The event times that one watermark saw in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventTimeStats {
    /// How many rows had an event time.
    pub count: u64,
    /// The newest, in microseconds since the epoch.
    pub max_us: i64,
    /// The oldest, in microseconds since the epoch.
    pub min_us: i64,
    /// The sum, for the mean.
    pub sum_us: i128,
}

impl EventTimeStats {
    /// The mean in microseconds since the epoch; 0 without rows.
    pub fn mean_us(&self) -> i64 {
        match i128::from(self.count) {
            0 => 0,
            count => i64::try_from(self.sum_us / count).unwrap_or(i64::MAX),
        }
    }

    /// Takes another batch's times in.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        self.max_us = self.max_us.max(other.max_us);
        self.min_us = self.min_us.min(other.min_us);
        self.sum_us += other.sum_us;
        self.count += other.count;
    }

    fn of(column: &ArrayRef) -> Self {
        let times = match column.data_type() {
            DataType::Struct(_) => column.as_struct().column(1),
            _ => column,
        };
        let times = times.as_primitive::<TimestampMicrosecondType>();
        let (Some(max_us), Some(min_us)) = (max(times), min(times)) else {
            return Self::default();
        };
        // Relative to the oldest, so that the sum of a batch stays far from overflow.
        let sum_us = times
            .iter()
            .flatten()
            .map(|time| i128::from(time - min_us))
            .sum::<i128>();
        let count = (times.len() - times.null_count()) as u64;
        Self {
            count,
            max_us,
            min_us,
            sum_us: sum_us + i128::from(min_us) * i128::from(count),
        }
    }
}

/// Watches one column. Schema: the input's, the column's field marked as event time.
#[derive(Debug)]
pub struct EventTimeWatermarkExec {
    input: Arc<dyn ExecutionPlan>,
    column: usize,
    delay_ms: i64,
    stats: Arc<Mutex<EventTimeStats>>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
    measured: Measured,
}

impl EventTimeWatermarkExec {
    /// Watches column `column` of `input`. `schema` is the output's, as the logical plan has it.
    pub fn new(input: Arc<dyn ExecutionPlan>, column: usize, delay_ms: i64, schema: SchemaRef) -> Self {
        Self::with_stats(input, column, delay_ms, schema, Arc::default())
    }

    /// How far the watermark stays behind, in milliseconds.
    pub fn delay_ms(&self) -> i64 {
        self.delay_ms
    }

    /// What it saw since the last call.
    pub fn take_stats(&self) -> EventTimeStats {
        std::mem::take(&mut self.stats.lock())
    }

    fn with_stats(
        input: Arc<dyn ExecutionPlan>,
        column: usize,
        delay_ms: i64,
        schema: SchemaRef,
        stats: Arc<Mutex<EventTimeStats>>,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            input.output_partitioning().clone(),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        Self {
            input,
            column,
            delay_ms,
            stats,
            schema,
            properties: Arc::new(properties),
            measured: Measured::default(),
        }
    }

    fn over(&self, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("a watermark has one input");
        };
        let schema = Arc::clone(&self.schema);
        Ok(Arc::new(Self::with_stats(
            input,
            self.column,
            self.delay_ms,
            schema,
            Arc::clone(&self.stats),
        )))
    }
}

impl DisplayAs for EventTimeWatermarkExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        let column = self.schema.field(self.column).name();
        write!(
            f,
            "EventTimeWatermarkExec: {column}, delay={}",
            format_duration_us(self.delay_ms * 1000)
        )
    }
}

impl ExecutionPlan for EventTimeWatermarkExec {
    fn name(&self) -> &'static str {
        "EventTimeWatermarkExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
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
        let input = self.input.execute(partition, context)?;
        let (column, stats, schema) = (self.column, Arc::clone(&self.stats), Arc::clone(&self.schema));
        let watched = input.map(move |batch| {
            let batch = batch?;
            let seen = EventTimeStats::of(batch.column(column));
            stats.lock().merge(&seen);
            Ok(RecordBatch::try_new(
                Arc::clone(&schema),
                batch.columns().to_vec(),
            )?)
        });
        Ok(self.measured.stream(
            partition,
            Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), watched)),
        ))
    }
}
