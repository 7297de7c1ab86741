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
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{Distribution, EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, PlanProperties,
    ReplaceChildrenOptions, SendableRecordBatchStream,
};
use futures::TryStreamExt;

use crate::functions::window::WindowSpec;
use crate::operators::aggregate_stages::{AggregateStages, under_late_filter};
use crate::operators::context::{OperatorContext, OperatorSpec};
use crate::operators::measured::Measured;
use crate::operators::panes::{expand_panes, open_groups};
use crate::operators::signature::aggregate_signature;
use crate::plan::event_time::{eviction_among, panes_of};
use crate::sink::OutputMode;
use crate::state::StateLayout;
use crate::state::store::EvictionTime;

/// A streaming aggregate. See the module's documentation.
#[derive(Debug)]
pub struct StreamingAggregateExec {
    input: Arc<dyn ExecutionPlan>,
    stages: Arc<Stages>,
    operator: Arc<OperatorContext>,
    output_mode: OutputMode,
    properties: Arc<PlanProperties>,
    measured: Measured,
}

/// What a batch goes through.
#[derive(Debug)]
struct Stages {
    aggregate: AggregateStages,
    /// The key column that has pane starts, where windows slide.
    panes: Option<(usize, WindowSpec)>,
    /// How many keys grouping sets choose from, where there are such. They make several groups of a row, of which
    /// only those with the event time can be late, so late groups are dropped here rather than late rows below.
    grouping_sets: Option<usize>,
    eviction: Option<EvictionTime>,
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
        let operator = OperatorContext::try_new(OperatorSpec {
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
            Some(eviction) => under_late_filter(partial, eviction, &operator)?,
            None => Arc::new(partial.clone()),
        };
        let stages = Stages {
            aggregate,
            panes,
            grouping_sets,
            eviction,
        };
        Ok(Self::assemble(
            input,
            Arc::new(stages),
            operator,
            output_mode,
            last.schema(),
        ))
    }

    /// What it shares with the loop.
    pub fn operator(&self) -> &Arc<OperatorContext> {
        &self.operator
    }

    fn assemble(
        input: Arc<dyn ExecutionPlan>,
        stages: Arc<Stages>,
        operator: Arc<OperatorContext>,
        output_mode: OutputMode,
        schema: SchemaRef,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            input.properties().boundedness,
        );
        Self {
            input,
            stages,
            operator,
            output_mode,
            properties: Arc::new(properties),
            measured: Measured::default(),
        }
    }

    fn over(&self, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("a streaming aggregate has one input");
        };
        let (stages, operator) = (Arc::clone(&self.stages), Arc::clone(&self.operator));
        Ok(Arc::new(Self::assemble(
            input,
            stages,
            operator,
            self.output_mode,
            self.schema(),
        )))
    }
}

impl Stages {
    /// The groups that a batch's rows belong to: windows instead of panes, without those that are over.
    fn open(&self, rows: RecordBatch, operator: &OperatorContext) -> Result<RecordBatch> {
        let late_us = operator.watermarks().late_us;
        let mut rows = rows;
        if let Some((column, windows)) = self.panes {
            rows = expand_panes(&rows, column, windows)?;
            if let Some(eviction) = self.eviction {
                (rows, _) = open_groups(&rows, eviction, late_us)?;
            }
        } else if let Some(eviction) = self.eviction.filter(|_| self.grouping_sets.is_some()) {
            let num_late;
            (rows, num_late) = open_groups(&rows, eviction, late_us)?;
            operator.count_late(num_late);
        }
        Ok(rows)
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

/// One batch's way through the operator.
async fn run_batch(
    input: SendableRecordBatchStream,
    stages: Arc<Stages>,
    operator: Arc<OperatorContext>,
    output_mode: OutputMode,
    context: Arc<TaskContext>,
) -> Result<Vec<RecordBatch>> {
    let mut touched = input.try_collect::<Vec<_>>().await?;
    if let Some(num_exprs) = stages.grouping_sets
        && touched.iter().all(|rows| is_of_no_rows(rows, num_exprs))
    {
        touched.clear();
    }
    for rows in &mut touched {
        *rows = stages.open(rows.clone(), &operator)?;
    }
    touched.retain(|rows| rows.num_rows() > 0);
    let begun = Instant::now();
    let merged = if touched.is_empty() {
        touched
    } else {
        let aggregate = &stages.aggregate;
        let all = arrow::compute::concat_batches(aggregate.state_schema(), &touched)?;
        let keys = &all.columns()[..aggregate.num_keys()];
        let stored = operator.with_state(|store, _| store.lookup(keys, all.num_rows()))?;
        // What was there before comes first: first(v) and collect_list(v) go by the order of arrival.
        let in_order = stored.into_iter().chain(touched).collect();
        aggregate.merge(in_order, &context).await?
    };
    let watermark_us = operator.watermarks().eviction_us;
    let shown = operator.with_state(|store, numbers| {
        for batch in &merged {
            numbers.updated += batch.num_rows() as u64;
            store.put(batch.clone())?;
        }
        numbers.update_time += begun.elapsed();
        let begun = Instant::now();
        let mut evicted = None;
        if stages.eviction.is_some() {
            evicted = store.evict(watermark_us)?;
        }
        numbers.removed += evicted.as_ref().map_or(0, |rows| rows.num_rows() as u64);
        numbers.removal_time += begun.elapsed();
        Ok(match output_mode {
            OutputMode::Update => merged,
            OutputMode::Append => evicted.into_iter().collect(),
            OutputMode::Complete => store.all_rows()?.into_iter().collect(),
        })
    })?;
    stages.aggregate.finish(shown, &context).await
}

impl DisplayAs for StreamingAggregateExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "StreamingAggregateExec: {}, operator={}",
            self.output_mode,
            self.operator.id()
        )?;
        write!(f, ", {}", self.operator.signature())
    }
}

impl ExecutionPlan for StreamingAggregateExec {
    fn name(&self) -> &'static str {
        "StreamingAggregateExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition])
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
        let input = self.input.execute(partition, Arc::clone(&context))?;
        let rows = run_batch(
            input,
            Arc::clone(&self.stages),
            Arc::clone(&self.operator),
            self.output_mode,
            context,
        );
        let schema = self.schema();
        let rows = futures::stream::once(rows)
            .map_ok(|batches| futures::stream::iter(batches.into_iter().map(Ok)))
            .try_flatten();
        let typed = Arc::clone(&schema);
        let rows = rows.and_then(move |batch| {
            // The final stage names its columns as the plan does; metadata comes from the plan.
            std::future::ready(
                RecordBatch::try_new(Arc::clone(&typed), batch.columns().to_vec()).map_err(Into::into),
            )
        });
        Ok(self
            .measured
            .stream(partition, Box::pin(RecordBatchStreamAdapter::new(schema, rows))))
    }
}
