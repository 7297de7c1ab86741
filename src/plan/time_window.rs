//! The rule that turns `window(time, size, ...)` into a key: Spark's `TimeWindowing`.
//!
//! ```text
//! Aggregate: groupBy=[window(t, '1 hour'), kind]          Projection: make_window(#w) AS window(t, '1 hour'), kind, ...
//!   Input                                           =>      Aggregate: groupBy=[#w, kind]
//!                                                             Projection: *, window_start(t) AS #w
//!                                                               Filter: t IS NOT NULL
//!                                                                 Input
//! ```
//!
//! A group key of one timestamp hashes and encodes many times faster than a struct, and rows without a time are
//! in no window. Runs on the plan as SQL made it, before any optimizer rule.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result, plan_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    Aggregate, Expr, ExprSchemable, Filter, LogicalPlan, LogicalPlanBuilder, Projection,
};

use crate::error::Error;
use crate::functions::window::{WINDOW, WindowSpec, make_window, window_spec, window_start, window_time_udf};
use crate::interval::format_duration_us;

/// Rewrites every node that calls `window`.
///
/// # Errors
///
/// Arguments that are no window, or two different windows in one SELECT (as in Spark).
pub fn rewrite_windows(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|plan| match plan {
        LogicalPlan::Aggregate(aggregate) => rewrite_aggregate(aggregate),
        LogicalPlan::Projection(projection) => rewrite_projection(projection),
        LogicalPlan::Filter(filter) => rewrite_filter(filter),
        other => Ok(Transformed::no(other)),
    })
    .map(|transformed| transformed.data)
}

fn rewrite_aggregate(aggregate: Aggregate) -> Result<Transformed<LogicalPlan>> {
    let calls = window_calls(aggregate.group_expr.iter().chain(&aggregate.aggr_expr))?;
    let Some(call) = single_call(calls)? else {
        return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
    };
    let windowed = Windowed::try_new(&call, Arc::unwrap_or_clone(aggregate.input))?;
    let schema = Arc::clone(&aggregate.schema);
    let group_expr = aggregate.group_expr.into_iter();
    let group_expr = group_expr
        .map(|expr| {
            if expr == windowed.call {
                Ok(windowed.start_column())
            } else {
                windowed.replace(expr)
            }
        })
        .collect::<Result<Vec<_>>>()?;
    let aggr_expr = aggregate.aggr_expr.into_iter().map(|expr| windowed.replace(expr));
    let aggr_expr = aggr_expr.collect::<Result<Vec<_>>>()?;
    let inner = LogicalPlan::Aggregate(Aggregate::try_new(
        Arc::new(windowed.input.clone()),
        group_expr,
        aggr_expr,
    )?);
    // Back to the names and types that the nodes above know.
    let columns =
        schema
            .iter()
            .zip(inner.schema().iter())
            .map(|((qualifier, field), (inner_qualifier, inner))| {
                let column = Expr::Column(Column::new(inner_qualifier.cloned(), inner.name()));
                let is_start = *inner.name() == windowed.start_name;
                let column = if is_start {
                    windowed.make_from(column)
                } else {
                    column
                };
                if qualifier == inner_qualifier && field.name() == inner.name() {
                    column
                } else {
                    column.alias_qualified(qualifier.cloned(), field.name())
                }
            });
    let columns = columns.collect::<Vec<_>>();
    Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(
        columns,
        Arc::new(inner),
    )?)))
}

fn rewrite_projection(projection: Projection) -> Result<Transformed<LogicalPlan>> {
    let Some(call) = single_call(window_calls(projection.expr.iter())?)? else {
        return Ok(Transformed::no(LogicalPlan::Projection(projection)));
    };
    let windowed = Windowed::try_new(&call, Arc::unwrap_or_clone(projection.input))?;
    let exprs = projection.expr.into_iter().map(|expr| {
        let name = expr.qualified_name();
        let replaced = windowed.replace(expr)?;
        Ok(if replaced.qualified_name() == name {
            replaced
        } else {
            replaced.alias_qualified(name.0, name.1)
        })
    });
    let exprs = exprs.collect::<Result<Vec<_>>>()?;
    Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(
        exprs,
        Arc::new(windowed.input),
    )?)))
}

fn rewrite_filter(filter: Filter) -> Result<Transformed<LogicalPlan>> {
    let Some(call) = single_call(window_calls(std::iter::once(&filter.predicate))?)? else {
        return Ok(Transformed::no(LogicalPlan::Filter(filter)));
    };
    let input = Arc::unwrap_or_clone(filter.input);
    let columns = input
        .schema()
        .columns()
        .into_iter()
        .map(Expr::Column)
        .collect::<Vec<_>>();
    let windowed = Windowed::try_new(&call, input)?;
    let predicate = windowed.replace(filter.predicate)?;
    let filtered = LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(windowed.input))?);
    Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(
        columns,
        Arc::new(filtered),
    )?)))
}

fn window_calls<'a>(exprs: impl Iterator<Item = &'a Expr>) -> Result<Vec<Expr>> {
    let mut calls = Vec::new();
    for expr in exprs {
        expr.apply(|expr| {
            if is_window_call(expr) && !calls.contains(expr) {
                calls.push(expr.clone());
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
    }
    Ok(calls)
}

fn single_call(mut calls: Vec<Expr>) -> Result<Option<Expr>> {
    if calls.len() > 1 {
        return Err(Error::statement(format!(
            "a SELECT can have one window only, this one has {}",
            calls.len()
        ))
        .hint("Group by one window here, and by another one in a SELECT around it.")
        .into());
    }
    Ok(calls.pop())
}

fn is_window_call(expr: &Expr) -> bool {
    matches!(expr, Expr::ScalarFunction(function) if function.func.name() == WINDOW)
}

/// An input with the start of each row's window as one more column.
struct Windowed {
    call: Expr,
    input: LogicalPlan,
    size_us: i64,
    /// The column of the starts. It tells all of the window, because a checkpoint knows its keys by their names.
    start_name: String,
}

impl Windowed {
    fn try_new(call: &Expr, input: LogicalPlan) -> Result<Self> {
        let Expr::ScalarFunction(ScalarFunction { args, .. }) = call else {
            return plan_err!("a window is a call");
        };
        let spec = window_spec(args)?;
        if !spec.is_tumbling() {
            return Err(Error::statement("sliding windows are not built yet")
                .hint("Leave the slide out, or make it the size of the window.")
                .into());
        }
        let start_name = start_name(&args[0], spec);
        // A window over a window stands for its last microsecond.
        let time = match args[0].get_type(input.schema())? {
            DataType::Struct(_) => window_time_udf().call(vec![args[0].clone()]),
            _ => args[0].clone(),
        };
        let mut columns = input
            .schema()
            .columns()
            .into_iter()
            .map(Expr::Column)
            .collect::<Vec<_>>();
        columns.push(
            window_start(spec)
                .call(vec![time.clone()])
                .alias(start_name.as_str()),
        );
        let input = LogicalPlanBuilder::from(input)
            .filter(time.is_not_null())?
            .project(columns)?
            .build()?;
        Ok(Self {
            call: call.clone(),
            input,
            size_us: spec.size_us,
            start_name,
        })
    }

    fn start_column(&self) -> Expr {
        Expr::Column(Column::new_unqualified(self.start_name.as_str()))
    }

    fn make_from(&self, start: Expr) -> Expr {
        make_window(self.size_us).call(vec![start])
    }

    fn replace(&self, expr: Expr) -> Result<Expr> {
        expr.transform_down(|expr| {
            if expr == self.call {
                Ok(Transformed::new(
                    self.make_from(self.start_column()),
                    true,
                    TreeNodeRecursion::Jump,
                ))
            } else {
                Ok(Transformed::no(expr))
            }
        })
        .map(|transformed| transformed.data)
    }
}

/// `window(at, 10 minutes)`, with the start offset where there is one; which relation the time is of does not matter.
fn start_name(time: &Expr, spec: WindowSpec) -> String {
    let time = match time {
        Expr::Column(column) => column.name.clone(),
        other => other.schema_name().to_string(),
    };
    let size = format_duration_us(spec.size_us);
    match spec.offset_us {
        0 => format!("window({time}, {size})"),
        offset_us => format!("window({time}, {size}, from {})", format_duration_us(offset_us)),
    }
}
