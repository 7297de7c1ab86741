//! The logical node of `SELECT DISTINCT ON (...)` over a stream: Spark's `dropDuplicates` and
//! `dropDuplicatesWithinWatermark`.
//!
//! ```text
//! Distinct::On: on=[user_id, lower(kind)], select=[...]     Projection: ...
//!   Input                                              =>     Deduplicate: by user_id, lower(kind)
//!                                                               Projection: *, lower(kind)
//!                                                                 Input
//! ```

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchemaRef, Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Distinct, DistinctOn, Expr, Extension, LogicalPlan, LogicalPlanBuilder, Projection,
    ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, UserDefinedLogicalNodeCore, Volatility,
};

use crate::error::Error;
use crate::plan::event_time::is_event_time;
use crate::plan::stream_table::is_streaming;

/// The function around the first of the `DISTINCT ON (...)` expressions that says `WITHIN WATERMARK`.
pub const WITHIN_WATERMARK: &str = "__within_watermark";

/// Keeps the first row of each key, in the order of arrival. Schema: the input's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Deduplicate {
    input: LogicalPlan,
    keys: Vec<Column>,
    within_watermark: bool,
}

impl Deduplicate {
    /// The columns that tell rows apart.
    pub fn keys(&self) -> &[Column] {
        &self.keys
    }

    /// Whether a key is forgotten once the watermark is a delay past the row that was kept.
    pub fn within_watermark(&self) -> bool {
        self.within_watermark
    }
}

/// Turns every `DISTINCT ON` over a stream into a [`Deduplicate`].
///
/// # Errors
///
/// An error of DataFusion's planner.
pub fn rewrite_distinct_on(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Distinct(Distinct::On(distinct)) if is_streaming(&distinct.input) => {
            Ok(Transformed::yes(rewrite(distinct)?))
        }
        other => Ok(Transformed::no(other)),
    })
    .data()
}

/// Whether the marker of WITHIN WATERMARK is among the keys.
pub fn is_within_watermark(distinct: &DistinctOn) -> bool {
    distinct
        .on_expr
        .iter()
        .any(|expr| expr.exists(|expr| Ok(is_marker(expr))).unwrap_or(false))
}

/// Refuses WITHIN WATERMARK over static rows, which come all at once.
///
/// # Errors
///
/// A statement error with a hint.
pub fn check_within_watermark(plan: &LogicalPlan) -> Result<()> {
    let is_static = plan.exists(|node| {
        Ok(matches!(node, LogicalPlan::Distinct(Distinct::On(distinct))
            if is_within_watermark(distinct) && !is_streaming(&distinct.input)))
    });
    if is_static? {
        return Err(
            Error::statement("DISTINCT ON (...) WITHIN WATERMARK is possible over a stream only")
                .hint("Leave WITHIN WATERMARK out: the rows of a table have no watermark.")
                .into(),
        );
    }
    Ok(())
}

/// The function that marks the first key of `DISTINCT ON (...) WITHIN WATERMARK` on its way through the planner.
pub fn within_watermark_udf() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(WithinWatermark {
        signature: Signature::any(1, Volatility::Immutable),
    }))
}

fn is_marker(expr: &Expr) -> bool {
    matches!(expr, Expr::ScalarFunction(function) if function.func.name() == WITHIN_WATERMARK)
}

fn rewrite(distinct: DistinctOn) -> Result<LogicalPlan> {
    let within_watermark = is_within_watermark(&distinct);
    let input = distinct.input;
    let mut columns = input.schema().columns();
    let mut computed = Vec::new();
    let mut keys = Vec::with_capacity(distinct.on_expr.len());
    for expr in distinct.on_expr {
        let expr = without_marker(expr)?;
        if let Expr::Column(column) = expr {
            keys.push(column);
        } else {
            let name = expr.schema_name().to_string();
            keys.push(Column::new_unqualified(name.as_str()));
            computed.push(expr.alias(name));
        }
    }
    let mut plan = Arc::unwrap_or_clone(input);
    if !computed.is_empty() {
        let columns = columns.drain(..).map(Expr::Column).chain(computed);
        plan = LogicalPlanBuilder::from(plan).project(columns)?.build()?;
    }
    let node = Deduplicate {
        input: plan,
        keys,
        within_watermark,
    };
    let plan = LogicalPlan::Extension(Extension { node: Arc::new(node) });
    Ok(LogicalPlan::Projection(Projection::try_new_with_schema(
        distinct.select_expr,
        Arc::new(plan),
        distinct.schema,
    )?))
}

fn without_marker(expr: Expr) -> Result<Expr> {
    expr.transform_down(|expr| match expr {
        Expr::ScalarFunction(mut function) if function.func.name() == WITHIN_WATERMARK => {
            let Some(key) = function.args.pop() else {
                return plan_err!("the mark of WITHIN WATERMARK has one argument");
            };
            Ok(Transformed::new(key, true, TreeNodeRecursion::Jump))
        }
        other => Ok(Transformed::no(other)),
    })
    .data()
}

impl PartialOrd for Deduplicate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (&self.keys, self.within_watermark)
            .partial_cmp(&(&other.keys, other.within_watermark))
            .filter(|_| self == other)
    }
}

impl UserDefinedLogicalNodeCore for Deduplicate {
    fn name(&self) -> &'static str {
        "Deduplicate"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        self.keys.iter().cloned().map(Expr::Column).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let keys = self.keys.iter().map(ToString::to_string);
        write!(f, "Deduplicate: by {}", keys.collect::<Vec<_>>().join(", "))?;
        if self.within_watermark {
            write!(f, ", within watermark")?;
        }
        Ok(())
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else {
            return plan_err!("a deduplication has one input");
        };
        let keys = exprs.into_iter().map(|expr| match expr {
            Expr::Column(column) => Ok(column),
            other => plan_err!("a deduplication by {other}, which is no column"),
        });
        Ok(Self {
            input,
            keys: keys.collect::<Result<_>>()?,
            within_watermark: self.within_watermark,
        })
    }

    /// What the nodes above need, and the event time where keys expire by it. Without that, and if nothing above needs
    /// it, it is not read and no row is late, as in Spark.
    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let mut columns = output_columns.to_vec();
        if self.within_watermark {
            let fields = self.input.schema().fields().iter().enumerate();
            let times = fields.filter(|(_, field)| is_event_time(field));
            columns.extend(times.map(|(column, _)| column));
        }
        columns.sort_unstable();
        columns.dedup();
        Some(vec![columns])
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct WithinWatermark {
    signature: Signature,
}

impl ScalarUDFImpl for WithinWatermark {
    fn name(&self) -> &'static str {
        WITHIN_WATERMARK
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types[0].clone())
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        exec_err!("the mark of WITHIN WATERMARK is not computed")
    }
}
