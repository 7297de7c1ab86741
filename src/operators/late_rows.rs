//! Drops the rows that came too late for a stateful operator, and counts them.
//!
//! A row is late if its event time (a window's end) is at or before the watermark that the *previous* batch ran
//! with: the state that it belongs to may be gone. Spark drops after the partial aggregation and counts groups;
//! this drops before it, with the same results, and counts rows.
//!
//! Where windows slide, a row is late if all of its windows are over. One that still counts in some window is
//! neither dropped nor counted here: `numRowsDroppedByWatermark` is the number of rows that left no trace.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Scalar, TimestampMicrosecondArray};
use arrow::compute::kernels::cmp::lt_eq;
use arrow::compute::{filter, filter_record_batch, max};
use arrow::datatypes::{DataType, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use datafusion::common::{Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties, SendableRecordBatchStream};
use futures::StreamExt;

use crate::functions::window::WindowSpec;
use crate::operators::context::OperatorContext;
use crate::operators::exec::{Operator, OperatorExec, stream_of};
use crate::plan::event_time::{eviction_among, panes_of};
use crate::state::store::EvictionTime;

/// Keeps rows that are not late, and rows without an event time. Schema: the input's.
pub type LateRowsExec = OperatorExec<LateRows>;

/// What [`LateRowsExec`] calls late.
#[derive(Debug)]
pub struct LateRows {
    time: Arc<dyn PhysicalExpr>,
    eviction: EvictionTime,
    /// Where a row's time is the start of its pane: the windows that it is in.
    panes: Option<WindowSpec>,
    /// The operator that would take them in.
    context: Arc<OperatorContext>,
}

impl LateRowsExec {
    /// Keeps of `input` what the operator of `context` may still take in. `time` gives a row's event time, `eviction`
    /// says how to read it.
    ///
    /// # Errors
    ///
    /// If `time` is not about `input`.
    pub fn try_new(
        input: Arc<dyn ExecutionPlan>,
        time: Arc<dyn PhysicalExpr>,
        eviction: EvictionTime,
        context: Arc<OperatorContext>,
    ) -> Result<Self> {
        let panes = panes_of(time.return_field(&input.schema())?.as_ref());
        let late = LateRows {
            time,
            eviction,
            panes,
            context,
        };
        Ok(Self::over(vec![input], late))
    }
}

/// Keeps of `input` what `operator` may still take in by the input's event time, the first one if it has several; all
/// if it has none.
///
/// # Errors
///
/// None that a plan can cause.
pub fn without_late_rows(
    input: Arc<dyn ExecutionPlan>,
    operator: &Arc<OperatorContext>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = input.schema();
    let Some(eviction) = eviction_among(schema.fields().iter().map(AsRef::as_ref)) else {
        return Ok(input);
    };
    let time = Column::new(schema.field(eviction.column).name(), eviction.column);
    let kept = LateRowsExec::try_new(input, Arc::new(time), eviction, Arc::clone(operator))?;
    Ok(Arc::new(kept))
}

/// The event times themselves: of windows their ends.
fn plain_times(times: &ArrayRef) -> &ArrayRef {
    match times.data_type() {
        DataType::Struct(_) => times.as_struct().column(1),
        _ => times,
    }
}

/// Which rows are late: their event time is known and at or before `last_us`.
fn late_rows(times: &ArrayRef, last_us: i64) -> Result<BooleanArray> {
    let times = plain_times(times);
    let DataType::Timestamp(_, zone) = times.data_type() else {
        return internal_err!("event time of type {}", times.data_type());
    };
    let last = TimestampMicrosecondArray::from(vec![last_us]);
    let last = last.with_timezone_opt(zone.clone());
    Ok(lt_eq(times, &Scalar::new(&last))?)
}

fn keep(
    batch: RecordBatch,
    times: &ArrayRef,
    late: &BooleanArray,
    operator: &OperatorContext,
) -> Result<RecordBatch> {
    let count = late.true_count();
    if count == 0 {
        return Ok(batch);
    }
    let dropped = filter(times, late)?;
    let starts = match dropped.data_type() {
        DataType::Struct(_) => dropped.as_struct().column(0),
        _ => &dropped,
    };
    operator.count_late(
        count as u64,
        max(starts.as_primitive::<TimestampMicrosecondType>()),
    );
    // A null is no event time: such a row stays.
    let kept = late
        .iter()
        .map(|late| Some(late != Some(true)))
        .collect::<BooleanArray>();
    Ok(filter_record_batch(&batch, &kept)?)
}

impl Operator for LateRows {
    const NAME: &'static str = "LateRowsExec";
    const KEEPS_ORDER: bool = true;

    fn properties(&self, inputs: &[Arc<dyn ExecutionPlan>]) -> PlanProperties {
        inputs[0].properties().as_ref().clone()
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event time {}", self.time)
    }

    fn expressions(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.time]
    }

    fn execute(
        self: &Arc<Self>,
        inputs: &[Arc<dyn ExecutionPlan>],
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let late_us = self.context.watermarks().late_us;
        let last_us = match self.panes {
            Some(windows) => windows.first_open_pane(late_us).saturating_sub(1),
            None => late_us.saturating_sub(self.eviction.offset_us),
        };
        let late = Arc::clone(self);
        let kept = inputs[0].execute(partition, context)?.map(move |batch| {
            let batch = batch?;
            let times = late.time.evaluate(&batch)?.into_array(batch.num_rows())?;
            let is_late = late_rows(&times, last_us)?;
            keep(batch, &times, &is_late, &late.context)
        });
        Ok(stream_of(inputs[0].schema(), kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn late_is_at_or_before_and_null_never() {
        let times = TimestampMicrosecondArray::from(vec![Some(10), Some(11), None, Some(-5)]);
        let times = Arc::new(times.with_timezone("UTC")) as ArrayRef;
        let late = late_rows(&times, 10).expect("computes");
        assert_eq!(
            late,
            BooleanArray::from(vec![Some(true), Some(false), None, Some(true)])
        );
    }
}
