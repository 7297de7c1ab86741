//! Which column of a union carries event time: the first input decides, as in Spark.
//!
//! DataFusion keeps of a union's columns only the metadata on which its inputs agree, so the mark of two streams with
//! different delays would be lost, and a mark that only the second has would win. [`carry_event_time`] puts a node over
//! each union of streams that says what the first input says.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, DFSchema, DFSchemaRef, Result, plan_err};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

use crate::plan::event_time::{DELAY_KEY, is_event_time, with_mark, without_mark};
use crate::plan::stream_table::is_streaming;

/// Passes a union's rows on, with the event time of its first input. Schema: the union's, marked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UnionEventTime {
    input: LogicalPlan,
    /// The columns of the union that carry event time, with the watermark's delay in milliseconds.
    times: Vec<(Column, i64)>,
    schema: DFSchemaRef,
}

/// Puts a [`UnionEventTime`] over each union of streams of which an input has an event time.
///
/// # Errors
///
/// An error of DataFusion's planner.
pub fn carry_event_time(plan: LogicalPlan) -> Result<LogicalPlan> {
    if !plan.exists(|node| Ok(needs_mark(node)))? {
        return Ok(plan);
    }
    plan.transform_up(|node| {
        let node = node.recompute_schema()?;
        if !needs_mark(&node) {
            return Ok(Transformed::yes(node));
        }
        let node = UnionEventTime::of(node)?;
        Ok(Transformed::yes(LogicalPlan::Extension(Extension {
            node: Arc::new(node),
        })))
    })
    .data()
}

fn needs_mark(node: &LogicalPlan) -> bool {
    let LogicalPlan::Union(union) = node else {
        return false;
    };
    let mut fields = union.inputs.iter().flat_map(|input| input.schema().fields());
    fields.any(|field| is_event_time(field)) && is_streaming(node)
}

impl UnionEventTime {
    fn of(union: LogicalPlan) -> Result<Self> {
        let inputs = union.inputs();
        let Some(first) = inputs.first() else {
            return plan_err!("a union has inputs");
        };
        let times = union.schema().columns().into_iter().zip(first.schema().fields());
        let times = times.filter_map(|(column, field)| {
            let delay_ms = field.metadata().get(DELAY_KEY)?.parse().ok()?;
            Some((column, delay_ms))
        });
        let times = times.collect();
        Self::over(union, times)
    }

    fn over(input: LogicalPlan, times: Vec<(Column, i64)>) -> Result<Self> {
        let schema = input.schema();
        let fields = schema.iter().map(|(qualifier, field)| {
            let time = times
                .iter()
                .find(|(column, _)| column.name == *field.name() && column.relation.as_ref() == qualifier);
            let field = match time {
                Some((_, delay_ms)) => with_mark(field, *delay_ms),
                None => without_mark(field),
            };
            (qualifier.cloned(), Arc::new(field))
        });
        let schema = DFSchema::new_with_metadata(fields.collect(), schema.metadata().clone())?;
        Ok(Self {
            input,
            times,
            schema: Arc::new(schema),
        })
    }
}

impl PartialOrd for UnionEventTime {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.times.partial_cmp(&other.times).filter(|_| self == other)
    }
}

impl UserDefinedLogicalNodeCore for UnionEventTime {
    fn name(&self) -> &'static str {
        "UnionEventTime"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        HashSet::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let times = self.times.iter().map(|(column, _)| column.to_string());
        write!(f, "UnionEventTime: {}", times.collect::<Vec<_>>().join(", "))
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else {
            return plan_err!("the event time of a union has one input");
        };
        Self::over(input, self.times.clone())
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![output_columns.to_vec()])
    }
}
