//! The pieces of a planned aggregate that a stateful operator runs over rows of accumulator state in memory.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::common::{Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
use datafusion::physical_plan::execution_plan::ChildrenPropertiesMode;
use datafusion::physical_plan::{ExecutionPlan, ReplaceChildrenOptions};
use futures::TryStreamExt;

use crate::operators::batches::BatchesExec;
use crate::operators::context::OperatorContext;
use crate::operators::late_rows::LateRowsExec;
use crate::state::store::EvictionTime;

/// An aggregate's later stages. State rows have the columns that its `Partial` stage gives: keys, then accumulators.
#[derive(Debug)]
pub struct AggregateStages {
    merge: Arc<dyn ExecutionPlan>,
    finish: Arc<dyn ExecutionPlan>,
    state_rows: BatchesExec,
    state_schema: SchemaRef,
    num_keys: usize,
}

impl AggregateStages {
    /// The stages that follow a `Partial` aggregate.
    ///
    /// # Errors
    ///
    /// What DataFusion says of the aggregate.
    pub fn try_new(partial: &AggregateExec) -> Result<Self> {
        let group_by = partial.group_expr().as_final();
        let state_schema = partial.schema();
        let state_rows = BatchesExec::new(Arc::clone(&state_schema));
        let stage = |mode| {
            AggregateExec::try_new(
                mode,
                group_by.clone(),
                partial.aggr_expr().to_vec(),
                vec![None; partial.aggr_expr().len()],
                state_rows.with_batches(Vec::new()),
                partial.input_schema(),
            )
            .map(|stage| Arc::new(stage) as Arc<dyn ExecutionPlan>)
        };
        Ok(Self {
            merge: stage(AggregateMode::PartialReduce)?,
            finish: stage(AggregateMode::Final)?,
            state_rows,
            num_keys: group_by.expr().len(),
            state_schema,
        })
    }

    /// The columns of state rows.
    pub fn state_schema(&self) -> &SchemaRef {
        &self.state_schema
    }

    /// How many of them are keys; a grouping id is one.
    pub fn num_keys(&self) -> usize {
        self.num_keys
    }

    /// Merges state rows of equal keys into one each.
    ///
    /// # Errors
    ///
    /// What an accumulator says, an overflow for instance.
    pub async fn merge(
        &self,
        rows: Vec<RecordBatch>,
        context: &Arc<TaskContext>,
    ) -> Result<Vec<RecordBatch>> {
        run(&self.merge, &self.state_rows, rows, context).await
    }

    /// The aggregates' values for state rows, whose keys differ.
    ///
    /// # Errors
    ///
    /// What an accumulator says.
    pub async fn finish(
        &self,
        rows: Vec<RecordBatch>,
        context: &Arc<TaskContext>,
    ) -> Result<Vec<RecordBatch>> {
        if rows.iter().all(|batch| batch.num_rows() == 0) {
            return Ok(Vec::new());
        }
        run(&self.finish, &self.state_rows, rows, context).await
    }
}

/// Merges the accumulators of an aggregate by a number instead of its keys.
#[derive(Debug)]
pub struct NumberedMerge {
    merge: Arc<dyn ExecutionPlan>,
    rows: BatchesExec,
    schema: SchemaRef,
}

impl NumberedMerge {
    /// Merges what a `Partial` aggregate gives.
    ///
    /// # Errors
    ///
    /// What DataFusion says of the aggregate.
    pub fn try_new(partial: &AggregateExec) -> Result<Self> {
        let number = Arc::new(Field::new("#number", DataType::Int64, false));
        let num_keys = partial.group_expr().as_final().expr().len();
        let state = partial.schema();
        let accumulators = state.fields()[num_keys..].iter().map(Arc::clone);
        let fields = std::iter::once(Arc::clone(&number)).chain(accumulators);
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let rows = BatchesExec::new(Arc::clone(&schema));
        let by_number = Arc::new(Column::new(number.name(), 0)) as Arc<dyn PhysicalExpr>;
        let merge = AggregateExec::try_new(
            AggregateMode::PartialReduce,
            PhysicalGroupBy::new_single(vec![(by_number, number.name().clone())]),
            partial.aggr_expr().to_vec(),
            vec![None; partial.aggr_expr().len()],
            rows.with_batches(Vec::new()),
            partial.input_schema(),
        )?;
        Ok(Self {
            merge: Arc::new(merge),
            rows,
            schema,
        })
    }

    /// Merges rows of accumulators that have the same number. Gives the numbers, and the accumulators of each.
    ///
    /// # Errors
    ///
    /// What an accumulator says, an overflow for instance.
    pub async fn merge(
        &self,
        numbers: Int64Array,
        accumulators: &[ArrayRef],
        context: &Arc<TaskContext>,
    ) -> Result<(Vec<i64>, Vec<ArrayRef>)> {
        let mut columns = vec![Arc::new(numbers) as ArrayRef];
        columns.extend_from_slice(accumulators);
        let rows = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        let merged = run(&self.merge, &self.rows, vec![rows], context).await?;
        let merged = match merged.first() {
            Some(first) => concat_batches(&first.schema(), &merged)?,
            None => return internal_err!("rows that were merged are gone"),
        };
        let (numbers, accumulators) = merged.columns().split_at(1);
        Ok((
            numbers[0].as_primitive::<Int64Type>().values().to_vec(),
            accumulators.to_vec(),
        ))
    }
}

async fn run(
    stage: &Arc<dyn ExecutionPlan>,
    rows: &BatchesExec,
    batches: Vec<RecordBatch>,
    context: &Arc<TaskContext>,
) -> Result<Vec<RecordBatch>> {
    let input = rows.with_batches(batches);
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Keep);
    let stage = Arc::clone(stage).replace_children(vec![input], options)?;
    stage.execute(0, Arc::clone(context))?.try_collect().await
}

/// Puts a filter for rows that came too late for `operator` under a `Partial` aggregate: what its key
/// `eviction.column` says counts.
///
/// # Errors
///
/// What DataFusion says of the new plan.
pub fn under_late_filter(
    partial: &AggregateExec,
    eviction: EvictionTime,
    operator: &Arc<OperatorContext>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let mut input = Arc::clone(partial.input());
    if let Some((time, _)) = partial.group_expr().expr().get(eviction.column) {
        let time = Arc::clone(time) as Arc<dyn PhysicalExpr>;
        let late = LateRowsExec::try_new(input, time, eviction, Arc::clone(operator))?;
        input = Arc::new(late);
    }
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Keep);
    Arc::new(partial.clone()).replace_children(vec![input], options)
}
