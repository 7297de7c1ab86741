//! Merges a batch's groups into the state, and gives the rows that the output mode asks for.
//!
//! ```sql
//! SELECT window, kind, count(*) FROM events GROUP BY window(t, '1 hour'), kind
//! ```
//!
//! ```text
//! AggregateExec: Partial          one row of accumulator state per group that the batch touched
//!   │
//! StreamingAggregateExec
//!   ├ expand       sliding windows: panes -> the windows that cover them, less those that are over
//!   ├ look up      the touched groups' stored rows
//!   ├ PartialReduce  old and new rows -> one row a touched group
//!   ├ put          those rows: they are the batch's part of the changelog
//!   ├ evict        groups whose event time is at or before the batch's watermark (append, update)
//!   └ Final        update: the touched groups; append: the evicted ones; complete: all
//! ```
//!
//! So every DataFusion aggregate works, and the cost is per touched group. State per group: the group keys and the
//! accumulators' state columns. Schema out: the group keys and the aggregates' values.
//!
//! Spark: `StateStoreRestoreExec` and `StateStoreSaveExec` between partial and final aggregation.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef, UInt64Type};
use arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::Distribution;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties, SendableRecordBatchStream};
use futures::TryStreamExt;

use crate::functions::window::WindowSpec;
use crate::operators::aggregate_stages::{AggregateStages, under_late_filter};
use crate::operators::context::{OperatorContext, OperatorSpec};
use crate::operators::exec::{Operator, OperatorExec, gathering, stream_once};
use crate::operators::panes::{expand_panes, open_groups};
use crate::operators::signature::aggregate_signature;
use crate::plan::event_time::{eviction_among, panes_of};
use crate::sink::OutputMode;
use crate::state::StateLayout;
use crate::state::store::EvictionTime;

/// A streaming aggregate. See the module's documentation.
pub type StreamingAggregateExec = OperatorExec<StreamingAggregate>;

/// What a batch of [`StreamingAggregateExec`] goes through.
#[derive(Debug)]
pub struct StreamingAggregate {
    aggregate: AggregateStages,
    /// The key column that has pane starts, where windows slide.
    panes: Option<(usize, WindowSpec)>,
    /// How many keys grouping sets choose from, where there are such. They make several groups of a row, of which
    /// only those with the event time can be late, so late groups are dropped here rather than late rows below.
    grouping_sets: Option<usize>,
    eviction: Option<EvictionTime>,
    output_mode: OutputMode,
    schema: SchemaRef,
    context: Arc<OperatorContext>,
}

impl StreamingAggregateExec {
    /// Makes the streaming form of a `Partial` aggregate and the `Final` one above it, in a query in which
    /// `relations` qualify columns.
    ///
    /// # Errors
    ///
    /// A key type that has no row format.
    pub fn try_new(
        partial: &AggregateExec,
        last: &AggregateExec,
        output_mode: OutputMode,
        relations: &[String],
    ) -> Result<Self> {
        let aggregate = AggregateStages::try_new(partial)?;
        let (state_schema, num_keys) = (Arc::clone(aggregate.state_schema()), aggregate.num_keys());
        let keys = &state_schema.fields()[..num_keys];
        // In complete mode nothing is ever late or evicted: every batch needs every group.
        let eviction = match output_mode {
            OutputMode::Complete => None,
            OutputMode::Append | OutputMode::Update => eviction_among(keys.iter().map(AsRef::as_ref)),
        };
        let mut panes = keys.iter().enumerate();
        let panes = panes.find_map(|(column, field)| Some((column, panes_of(field)?)));

        let aggregates = partial.aggr_expr().iter().map(|aggregate| aggregate.name());
        let signature = aggregate_signature(&state_schema, num_keys, aggregates, eviction, relations);
        let layout = StateLayout {
            schema: Arc::clone(&state_schema),
            num_keys,
            eviction,
            is_numbered: false,
        };
        let context = OperatorContext::try_new(OperatorSpec {
            name: "stateStoreSave",
            signature,
            layout,
            wants_no_data_batch: output_mode != OutputMode::Complete,
            output_lag_us: Some(0),
        })?;

        let group_by = partial.group_expr();
        let has_keys = group_by.groups().iter().any(|left_out| left_out.contains(&false));
        let grouping_sets = (group_by.has_grouping_set() && has_keys).then(|| group_by.expr().len());
        let input: Arc<dyn ExecutionPlan> = match eviction.filter(|_| grouping_sets.is_none()) {
            Some(eviction) => under_late_filter(partial, eviction, &context)?,
            None => Arc::new(partial.clone()),
        };
        let streaming = StreamingAggregate {
            aggregate,
            panes,
            grouping_sets,
            eviction,
            output_mode,
            schema: last.schema(),
            context,
        };
        Ok(Self::over(vec![input], streaming))
    }
}

impl StreamingAggregate {
    /// The groups that a batch's rows belong to: windows instead of panes, without those that are over.
    fn open(&self, rows: RecordBatch) -> Result<RecordBatch> {
        let late_us = self.context.watermarks().late_us;
        let mut rows = rows;
        if let Some((column, windows)) = self.panes {
            rows = expand_panes(&rows, column, windows)?;
            if let Some(eviction) = self.eviction {
                (rows, _) = open_groups(&rows, eviction, late_us)?;
            }
        } else if let Some(eviction) = self.eviction.filter(|_| self.grouping_sets.is_some()) {
            let num_late;
            (rows, num_late) = open_groups(&rows, eviction, late_us)?;
            self.context.count_late(num_late, None);
        }
        Ok(rows)
    }

    /// One batch's way through the operator.
    async fn run(
        self: Arc<Self>,
        input: SendableRecordBatchStream,
        context: Arc<TaskContext>,
    ) -> Result<Vec<RecordBatch>> {
        let mut touched = input.try_collect::<Vec<_>>().await?;
        if let Some(num_exprs) = self.grouping_sets
            && touched.iter().all(|rows| is_of_no_rows(rows, num_exprs))
        {
            touched.clear();
        }
        for rows in &mut touched {
            *rows = self.open(rows.clone())?;
        }
        touched.retain(|rows| rows.num_rows() > 0);
        let begun = Instant::now();
        let merged = if touched.is_empty() {
            touched
        } else {
            let aggregate = &self.aggregate;
            let all = arrow::compute::concat_batches(aggregate.state_schema(), &touched)?;
            let keys = &all.columns()[..aggregate.num_keys()];
            let stored = self
                .context
                .with_state(|store, _| store.lookup(keys, all.num_rows()))?;
            // What was there before comes first: first(v) and collect_list(v) go by the order of arrival.
            let in_order = stored.into_iter().chain(touched).collect();
            aggregate.merge(in_order, &context).await?
        };
        let watermark_us = self.context.watermarks().eviction_us;
        let shown = self.context.with_state(|store, numbers| {
            for batch in &merged {
                numbers.updated += batch.num_rows() as u64;
                store.put(batch.clone())?;
            }
            numbers.update_time += begun.elapsed();
            let begun = Instant::now();
            let mut evicted = None;
            if self.eviction.is_some() {
                evicted = store.evict(watermark_us)?;
            }
            numbers.removed += evicted.as_ref().map_or(0, |rows| rows.num_rows() as u64);
            numbers.removal_time += begun.elapsed();
            Ok(match self.output_mode {
                OutputMode::Update => merged,
                OutputMode::Append => evicted.into_iter().collect(),
                OutputMode::Complete => store.all_rows()?.into_iter().collect(),
            })
        })?;
        self.aggregate.finish(shown, &context).await
    }
}

/// Whether all groups are of the empty grouping set, which DataFusion gives, as SQL wants it of a table, even if there
/// were no rows; with rows there would be groups of the other sets as well. A batch without rows has no groups.
fn is_of_no_rows(rows: &RecordBatch, num_exprs: usize) -> bool {
    let Ok(ids) = cast(rows.column(num_exprs), &DataType::UInt64) else {
        return false;
    };
    let all_keys_left_out = 1_u64.checked_shl(u32::try_from(num_exprs).unwrap_or(u32::MAX));
    let all_keys_left_out = all_keys_left_out.map_or(u64::MAX, |bit| bit - 1);
    let mut ids = ids.as_primitive::<UInt64Type>().iter().flatten();
    ids.all(|id| id & all_keys_left_out == all_keys_left_out)
}

impl Operator for StreamingAggregate {
    const NAME: &'static str = "StreamingAggregateExec";
    const NEEDS: Distribution = Distribution::SinglePartition;

    fn properties(&self, inputs: &[Arc<dyn ExecutionPlan>]) -> PlanProperties {
        gathering(&inputs[0], Arc::clone(&self.schema))
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, signature) = (self.context.id(), self.context.signature());
        write!(f, "{}, operator={id}, {signature}", self.output_mode)
    }

    fn contexts(&self) -> Vec<&Arc<OperatorContext>> {
        vec![&self.context]
    }

    fn execute(
        self: &Arc<Self>,
        inputs: &[Arc<dyn ExecutionPlan>],
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let input = inputs[0].execute(partition, Arc::clone(&context))?;
        let rows = Arc::clone(self).run(input, context);
        Ok(stream_once(Arc::clone(&self.schema), rows))
    }
}
