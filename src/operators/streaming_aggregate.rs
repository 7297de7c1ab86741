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

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{Distribution, EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, PlanProperties,
    ReplaceChildrenOptions, SendableRecordBatchStream,
};
use futures::TryStreamExt;

use crate::operators::batches::BatchesExec;
use crate::operators::context::{OperatorContext, OperatorSpec};
use crate::operators::late_rows::LateRowsExec;
use crate::operators::signature::aggregate_signature;
use crate::plan::event_time::eviction_among;
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
}

/// The two pieces of plan that run over rows in memory.
#[derive(Debug)]
struct Stages {
    merge: Arc<dyn ExecutionPlan>,
    finish: Arc<dyn ExecutionPlan>,
    state_rows: BatchesExec,
    num_keys: usize,
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
        let group_by = partial.group_expr();
        let final_group_by = group_by.as_final();
        let state_schema = partial.schema();
        let num_keys = final_group_by.expr().len();
        let keys = state_schema.fields()[..num_keys].iter().map(AsRef::as_ref);
        // In complete mode nothing is ever late or evicted: every batch needs every group.
        let eviction = if output_mode == OutputMode::Complete {
            None
        } else {
            eviction_among(keys)
        };

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

        let input = late_filter(partial, group_by, eviction, &operator)?;
        let state_rows = BatchesExec::new(Arc::clone(&state_schema));
        let stage = |mode, schema: &SchemaRef| {
            AggregateExec::try_new(
                mode,
                final_group_by.clone(),
                partial.aggr_expr().to_vec(),
                vec![None; partial.aggr_expr().len()],
                state_rows.with_batches(Vec::new()),
                Arc::clone(schema),
            )
            .map(|stage| Arc::new(stage) as Arc<dyn ExecutionPlan>)
        };
        let raw_schema = partial.input_schema();
        let stages = Stages {
            merge: stage(AggregateMode::PartialReduce, &raw_schema)?,
            finish: stage(AggregateMode::Final, &raw_schema)?,
            state_rows,
            num_keys,
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

/// Puts the late-row filter under the partial aggregate, where the operator evicts at all.
fn late_filter(
    partial: &AggregateExec,
    group_by: &PhysicalGroupBy,
    eviction: Option<EvictionTime>,
    operator: &Arc<OperatorContext>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let mut input = Arc::clone(partial.input());
    if let Some(eviction) = eviction
        && let Some((time, _)) = group_by.expr().get(eviction.column)
    {
        input = Arc::new(LateRowsExec::new(
            input,
            Arc::clone(time),
            eviction,
            Arc::clone(operator),
        ));
    }
    Arc::new(partial.clone()).replace_children(
        vec![input],
        ReplaceChildrenOptions::new(ChildrenPropertiesMode::Keep),
    )
}

impl Stages {
    async fn run(
        &self,
        stage: &Arc<dyn ExecutionPlan>,
        rows: Vec<RecordBatch>,
        context: &Arc<TaskContext>,
    ) -> Result<Vec<RecordBatch>> {
        let input = self.state_rows.with_batches(rows);
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Keep);
        let stage = Arc::clone(stage).replace_children(vec![input], options)?;
        stage.execute(0, Arc::clone(context))?.try_collect().await
    }
}

/// One batch's way through the operator.
async fn run_batch(
    input: SendableRecordBatchStream,
    stages: Arc<Stages>,
    operator: Arc<OperatorContext>,
    output_mode: OutputMode,
    context: Arc<TaskContext>,
) -> Result<Vec<RecordBatch>> {
    let touched = input.try_filter(|batch| std::future::ready(batch.num_rows() > 0));
    let mut touched = touched.try_collect::<Vec<_>>().await?;
    let begun = Instant::now();
    let stored = operator.with_state(|store, _| {
        let mut stored = Vec::new();
        if !touched.is_empty() {
            let all = arrow::compute::concat_batches(&store.layout().schema, &touched)?;
            stored.extend(store.lookup(&all.columns()[..stages.num_keys], all.num_rows())?);
        }
        Ok(stored)
    })?;
    touched.extend(stored);
    let merged = if touched.is_empty() {
        touched
    } else {
        stages.run(&stages.merge, touched, &context).await?
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
    if shown.iter().all(|batch| batch.num_rows() == 0) {
        return Ok(Vec::new());
    }
    stages.run(&stages.finish, shown, &context).await
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
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}
