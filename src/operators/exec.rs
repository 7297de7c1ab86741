//! What all physical nodes of ours have in common, once: a node is an [`OperatorExec`] of an [`Operator`], which says
//! only what is its own.
//!
//! DataFusion makes a node anew whenever its inputs change, once a batch at least. The operator stays the same behind
//! an `Arc`, and with it what it knows from batch to batch; what a node has measured begins anew.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{Distribution, EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, ChildrenPropertiesMode, EmissionType};
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, InputDistributionRequirements,
    PlanProperties, ReplaceChildrenOptions, SendableRecordBatchStream,
};
use futures::{Stream, StreamExt, TryStreamExt};

use crate::operators::context::OperatorContext;
use crate::operators::measured::Measured;

/// What a node's kind says of itself. The defaults are those of a node that passes rows on.
pub trait Operator: fmt::Debug + Send + Sync + 'static {
    /// The name that plans show.
    const NAME: &'static str;

    /// What it needs of each input's partitions. A single one is not split again by the planner.
    const NEEDS: Distribution = Distribution::UnspecifiedDistribution;

    /// Whether the planner may split its inputs into more partitions, and so lose the order of arrival.
    const MAY_SPLIT_INPUTS: bool = true;

    /// Whether an order of its input is one of its output.
    const KEEPS_ORDER: bool = false;

    /// Schema and partitions of what it gives: [`leaf`], [`passing`] or [`gathering`] for most.
    fn properties(&self, inputs: &[Arc<dyn ExecutionPlan>]) -> PlanProperties;

    /// What plans show behind the name.
    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;

    /// The states that it keeps, left input first.
    fn contexts(&self) -> Vec<&Arc<OperatorContext>> {
        Vec::new()
    }

    /// The expressions that it evaluates over its input.
    fn expressions(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        Vec::new()
    }

    /// Gives one partition of a batch.
    ///
    /// # Errors
    ///
    /// What the inputs say.
    fn execute(
        self: &Arc<Self>,
        inputs: &[Arc<dyn ExecutionPlan>],
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream>;
}

/// A physical node of ours. See the module's documentation.
#[derive(Debug)]
pub struct OperatorExec<T> {
    inputs: Vec<Arc<dyn ExecutionPlan>>,
    operator: Arc<T>,
    properties: Arc<PlanProperties>,
    measured: Measured,
}

impl<T: Operator> OperatorExec<T> {
    /// A node of `operator` over `inputs`.
    pub fn over(inputs: Vec<Arc<dyn ExecutionPlan>>, operator: T) -> Self {
        let properties = Arc::new(operator.properties(&inputs));
        Self {
            inputs,
            operator: Arc::new(operator),
            properties,
            measured: Measured::default(),
        }
    }

    /// What the node is.
    pub fn operator(&self) -> &Arc<T> {
        &self.operator
    }

    /// The same node with an operator that gives rows of the same schema and partitions.
    #[must_use]
    pub fn with_operator(&self, operator: T) -> Self {
        Self {
            inputs: self.inputs.clone(),
            operator: Arc::new(operator),
            properties: Arc::clone(&self.properties),
            measured: Measured::default(),
        }
    }
}

impl<T: Operator> DisplayAs for OperatorExec<T> {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", T::NAME)?;
        self.operator.describe(f)
    }
}

impl<T: Operator> ExecutionPlan for OperatorExec<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![T::NEEDS; self.inputs.len()])
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![T::KEEPS_ORDER; self.inputs.len()]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        let may_split = T::MAY_SPLIT_INPUTS && !matches!(T::NEEDS, Distribution::SinglePartition);
        vec![may_split; self.inputs.len()]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.inputs.iter().collect()
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if children.len() != self.inputs.len() {
            return internal_err!("{} has {} inputs", T::NAME, self.inputs.len());
        }
        let properties = match options.children_properties {
            ChildrenPropertiesMode::Keep => Arc::clone(&self.properties),
            ChildrenPropertiesMode::Recompute => Arc::new(self.operator.properties(&children)),
        };
        Ok(Arc::new(Self {
            inputs: children,
            operator: Arc::clone(&self.operator),
            properties,
            measured: Measured::default(),
        }))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        self.replace_children(children, options)
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let mut recursion = TreeNodeRecursion::Continue;
        for expression in self.operator.expressions() {
            recursion = recursion.visit_sibling(|| f(expression))?;
        }
        Ok(recursion)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.measured.metrics())
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = self.operator.execute(&self.inputs, partition, context)?;
        Ok(self.measured.stream(partition, rows))
    }
}

/// The properties of a node without inputs.
pub fn leaf(schema: SchemaRef, partitions: usize) -> PlanProperties {
    PlanProperties::new(
        EquivalenceProperties::new(schema),
        Partitioning::UnknownPartitioning(partitions),
        EmissionType::Incremental,
        Boundedness::Bounded,
    )
}

/// The properties of a node that passes the rows of `input` on under `schema`.
pub fn passing(input: &Arc<dyn ExecutionPlan>, schema: SchemaRef) -> PlanProperties {
    PlanProperties::new(
        EquivalenceProperties::new(schema),
        input.output_partitioning().clone(),
        input.pipeline_behavior(),
        input.boundedness(),
    )
}

/// The properties of a node that gathers the rows of `input` and gives others, in one partition.
pub fn gathering(input: &Arc<dyn ExecutionPlan>, schema: SchemaRef) -> PlanProperties {
    PlanProperties::new(
        EquivalenceProperties::new(schema),
        Partitioning::UnknownPartitioning(1),
        EmissionType::Final,
        input.boundedness(),
    )
}

/// The names of a schema's columns, as plans show them.
pub fn column_names(schema: &Schema) -> String {
    let names = schema.fields().iter().map(|field| field.name().as_str());
    names.collect::<Vec<_>>().join(", ")
}

/// The same columns under a schema of the same types.
///
/// # Errors
///
/// If the types differ.
pub fn with_schema(batch: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let (_, columns, _) = batch.into_parts();
    let schema = Arc::clone(schema);
    Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
}

/// The batches that `rows` gives, as a stream of `schema`. They have its types: a piece of DataFusion's plan names
/// columns in its own way, and what marks them comes from the plan around it.
pub fn stream_of(
    schema: SchemaRef,
    rows: impl Stream<Item = Result<RecordBatch>> + Send + 'static,
) -> SendableRecordBatchStream {
    let typed = Arc::clone(&schema);
    let rows = rows.map(move |batch| with_schema(batch?, &typed));
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}

/// The batches that one run of an operator gives, as a stream of `schema`, likewise.
pub fn stream_once(
    schema: SchemaRef,
    run: impl Future<Output = Result<Vec<RecordBatch>>> + Send + 'static,
) -> SendableRecordBatchStream {
    let rows = futures::stream::once(run)
        .map_ok(|batches| futures::stream::iter(batches.into_iter().map(Ok)))
        .try_flatten();
    stream_of(schema, rows)
}
