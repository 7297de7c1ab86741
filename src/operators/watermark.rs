//! Sees event times pass: the physical side of WATERMARK.
//!
//! Passes its input on unchanged and keeps the newest, oldest and mean event time of the batch, from which the
//! loop makes the next watermark (Spark's `EventTimeWatermarkExec` and `EventTimeStats`).

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{max, min};
use arrow::datatypes::{DataType, SchemaRef, TimestampMicrosecondType};
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties, SendableRecordBatchStream};
use futures::TryStreamExt;
use parking_lot::Mutex;

use crate::interval::format_duration_us;
use crate::operators::exec::{Operator, OperatorExec, passing, stream_of};

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
pub type EventTimeWatermarkExec = OperatorExec<EventTimeWatermark>;

/// What [`EventTimeWatermarkExec`] watches, and what it saw.
#[derive(Debug)]
pub struct EventTimeWatermark {
    column: usize,
    delay_ms: i64,
    stats: Mutex<EventTimeStats>,
    schema: SchemaRef,
}

impl EventTimeWatermarkExec {
    /// Watches column `column` of `input`. `schema` is the output's, as the logical plan has it.
    pub fn new(input: Arc<dyn ExecutionPlan>, column: usize, delay_ms: i64, schema: SchemaRef) -> Self {
        let watermark = EventTimeWatermark {
            column,
            delay_ms,
            stats: Mutex::default(),
            schema,
        };
        Self::over(vec![input], watermark)
    }

    /// How far the watermark stays behind, in milliseconds.
    pub fn delay_ms(&self) -> i64 {
        self.operator().delay_ms
    }

    /// The name of the column that it watches.
    pub fn column_name(&self) -> &str {
        self.operator().schema.field(self.operator().column).name()
    }

    /// What it saw since the last call.
    pub fn take_stats(&self) -> EventTimeStats {
        std::mem::take(&mut self.operator().stats.lock())
    }
}

impl Operator for EventTimeWatermark {
    const NAME: &'static str = "EventTimeWatermarkExec";

    fn properties(&self, inputs: &[Arc<dyn ExecutionPlan>]) -> PlanProperties {
        passing(&inputs[0], Arc::clone(&self.schema))
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = self.schema.field(self.column).name();
        write!(f, "{column}, delay={}", format_duration_us(self.delay_ms * 1000))
    }

    fn execute(
        self: &Arc<Self>,
        inputs: &[Arc<dyn ExecutionPlan>],
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let watermark = Arc::clone(self);
        let watched = inputs[0].execute(partition, context)?.inspect_ok(move |batch| {
            let seen = EventTimeStats::of(batch.column(watermark.column));
            watermark.stats.lock().merge(&seen);
        });
        Ok(stream_of(Arc::clone(&self.schema), watched))
    }
}
