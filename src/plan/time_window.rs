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
//!
//! Where windows slide, a row is in several. A streaming aggregate groups by the row's pane instead, and turns
//! panes into windows itself (see [`crate::functions::sliding`]); everywhere else, and for aggregates whose value
//! depends on the order of rows, each row is repeated once a window:
//!
//! ```text
//!     Projection: *, windowed_start(#w, t) AS #w
//!       Unnest: #w
//!         Projection: *, window_starts(t) AS #w
//! ```
//!
//! [`crate::plan::session_window`] does the same for `session_window`, `join_window` for the condition of a join.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result, plan_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    Aggregate, Expr, ExprSchemable, Filter, LogicalPlan, LogicalPlanBuilder, Projection, Window,
};

use crate::error::Error;
use crate::functions::session_window::{SESSION_WINDOW, make_session_udf};
use crate::functions::sliding::{window_pane, window_starts, windowed_start};
use crate::functions::window::{WINDOW, WindowSpec, make_window, window_spec, window_start, window_time_udf};
use crate::interval::format_duration_us;
use crate::plan::join_window::rewrite_join;
use crate::plan::session_window::{rewrite_session_aggregate, with_sessions};
use crate::plan::stream_table::is_streaming;

/// Aggregates whose value depends on the order in which rows come.
const ORDERED_AGGREGATES: [&str; 8] = [
    "any_value",
    "array_agg",
    "collect_list",
    "first_value",
    "last_value",
    "listagg",
    "nth_value",
    "string_agg",
];

/// Rewrites every node that calls `window` or `session_window`.
///
/// # Errors
///
/// Arguments that are no window, or two different windows in one SELECT (as in Spark).
pub fn rewrite_windows(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|plan| match plan {
        LogicalPlan::Aggregate(aggregate) => rewrite_aggregate(aggregate),
        LogicalPlan::Projection(projection) => rewrite_projection(projection),
        LogicalPlan::Filter(filter) => rewrite_filter(filter),
        LogicalPlan::Window(window) => rewrite_over(window),
        LogicalPlan::Join(join) => rewrite_join(join),
        other => Ok(Transformed::no(other)),
    })
    .map(|transformed| transformed.data)
}

fn rewrite_aggregate(aggregate: Aggregate) -> Result<Transformed<LogicalPlan>> {
    let calls = window_calls(aggregate.group_expr.iter().chain(&aggregate.aggr_expr))?;
    let Some(call) = single_call(calls)? else {
        return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
    };
    if is_call_of(&call, SESSION_WINDOW) {
        return rewrite_session_aggregate(aggregate, &call).map(Transformed::yes);
    }
    let sliding = if can_aggregate_panes(&aggregate, &call)? {
        Sliding::Panes
    } else {
        Sliding::Rows
    };
    let windowed = Windowed::try_new(&call, Arc::unwrap_or_clone(aggregate.input), sliding)?;
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

/// Whether an aggregate may group by pane: it keeps state, its windows are nothing but a key of each group, and its
/// values do not depend on the order of rows.
fn can_aggregate_panes(aggregate: &Aggregate, call: &Expr) -> Result<bool> {
    let mut is_possible = is_streaming(&aggregate.input) && aggregate.group_expr.contains(call);
    for expr in &aggregate.group_expr {
        is_possible &= !matches!(expr, Expr::GroupingSet(_));
        is_possible &= expr == call || window_calls(std::iter::once(expr))?.is_empty();
    }
    for expr in &aggregate.aggr_expr {
        is_possible &= window_calls(std::iter::once(expr))?.is_empty();
        is_possible &= !expr.exists(|expr| {
            Ok(matches!(expr, Expr::AggregateFunction(function)
                if ORDERED_AGGREGATES.contains(&function.func.name())))
        })?;
    }
    Ok(is_possible)
}

fn rewrite_projection(projection: Projection) -> Result<Transformed<LogicalPlan>> {
    let Some(call) = single_call(window_calls(projection.expr.iter())?)? else {
        return Ok(Transformed::no(LogicalPlan::Projection(projection)));
    };
    let windowed = Windowed::try_new(&call, Arc::unwrap_or_clone(projection.input), Sliding::Rows)?;
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
    let columns = columns_of(&input);
    let windowed = Windowed::try_new(&call, input, Sliding::Rows)?;
    let predicate = windowed.replace(filter.predicate)?;
    let filtered = LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(windowed.input))?);
    Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(
        columns,
        Arc::new(filtered),
    )?)))
}

/// Rows numbered or summed up by window: `OVER (PARTITION BY window(t, '1 hour'))`.
fn rewrite_over(window: Window) -> Result<Transformed<LogicalPlan>> {
    let Some(call) = single_call(window_calls(window.window_expr.iter())?)? else {
        return Ok(Transformed::no(LogicalPlan::Window(window)));
    };
    let columns = window.schema.columns().into_iter().map(Expr::Column).collect();
    let windowed = Windowed::try_new(&call, Arc::unwrap_or_clone(window.input), Sliding::Rows)?;
    let exprs = window.window_expr.into_iter().map(|expr| {
        let (qualifier, name) = expr.qualified_name();
        Ok(windowed.replace(expr)?.alias_qualified(qualifier, name))
    });
    let exprs = exprs.collect::<Result<Vec<_>>>()?;
    let over = Window::try_new(exprs, Arc::new(windowed.input))?;
    let over = Arc::new(LogicalPlan::Window(over));
    Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(
        columns, over,
    )?)))
}

fn window_calls<'a>(exprs: impl Iterator<Item = &'a Expr>) -> Result<Vec<Expr>> {
    let mut calls = Vec::new();
    for expr in exprs {
        expr.apply(|expr| {
            if (is_call_of(expr, WINDOW) || is_call_of(expr, SESSION_WINDOW)) && !calls.contains(expr) {
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

fn is_call_of(expr: &Expr, name: &str) -> bool {
    matches!(expr, Expr::ScalarFunction(function) if function.func.name() == name)
}

/// The time that an argument of a window stands for: a window's own time is its last microsecond.
pub(super) fn time_of(time: &Expr, input: &LogicalPlan) -> Result<Expr> {
    Ok(match time.get_type(input.schema())? {
        DataType::Struct(_) => window_time_udf().call(vec![time.clone()]),
        _ => time.clone(),
    })
}

/// An input's columns as expressions.
pub(super) fn columns_of(input: &LogicalPlan) -> Vec<Expr> {
    input.schema().columns().into_iter().map(Expr::Column).collect()
}

/// How a time in several windows gets to all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sliding {
    /// The key is the pane; the aggregate expands panes.
    Panes,
    /// The row is repeated.
    Rows,
}

/// An input with the start of each row's window as one more column.
struct Windowed {
    call: Expr,
    input: LogicalPlan,
    /// The column of the starts. It tells all of the window, because a checkpoint knows its keys by their names.
    start_name: String,
    end: End,
}

/// Where a window that has a start ends.
enum End {
    /// So many microseconds after its start.
    After(i64),
    /// At this column's time: the session that a row is by itself.
    At(Expr),
}

impl Windowed {
    fn try_new(call: &Expr, input: LogicalPlan, sliding: Sliding) -> Result<Self> {
        let Expr::ScalarFunction(ScalarFunction { args, .. }) = call else {
            return plan_err!("a window is a call");
        };
        if is_call_of(call, SESSION_WINDOW) {
            let (input, start, end) = with_sessions(input, args)?;
            return Ok(Self {
                call: call.clone(),
                input,
                start_name: start,
                end: End::At(Expr::Column(Column::new_unqualified(end))),
            });
        }
        let spec = window_spec(args)?;
        let start_name = start_name(&args[0], spec);
        let time = time_of(&args[0], &input)?;
        let columns = columns_of(&input);
        let input = LogicalPlanBuilder::from(input).filter(time.clone().is_not_null())?;
        let with_start = |start: Expr| {
            let mut columns = columns.clone();
            columns.push(start.alias(start_name.as_str()));
            columns
        };
        let input = if spec.is_tumbling() {
            input.project(with_start(window_start(spec).call(vec![time])))?
        } else if sliding == Sliding::Panes {
            input.project(with_start(window_pane(spec).call(vec![time])))?
        } else {
            let start = Column::new_unqualified(start_name.as_str());
            input
                .project(with_start(window_starts(spec).call(vec![time.clone()])))?
                .unnest_column(start.clone())?
                .project(with_start(
                    windowed_start(spec).call(vec![Expr::Column(start), time]),
                ))?
        };
        Ok(Self {
            call: call.clone(),
            input: input.build()?,
            start_name,
            end: End::After(spec.size_us),
        })
    }

    fn start_column(&self) -> Expr {
        Expr::Column(Column::new_unqualified(self.start_name.as_str()))
    }

    fn make_from(&self, start: Expr) -> Expr {
        match &self.end {
            End::After(size_us) => make_window(*size_us).call(vec![start]),
            End::At(end) => make_session_udf().call(vec![start, end.clone()]),
        }
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

/// `window(at, 10 minutes)`, with slide and start offset where there is one; which relation the time is of does not
/// matter.
fn start_name(time: &Expr, spec: WindowSpec) -> String {
    let mut name = format!("window({}, {}", time_name(time), format_duration_us(spec.size_us));
    if !spec.is_tumbling() {
        name.push_str(", every ");
        name.push_str(&format_duration_us(spec.slide_us));
    }
    if spec.offset_us != 0 {
        name.push_str(", from ");
        name.push_str(&format_duration_us(spec.offset_us));
    }
    name.push(')');
    name
}

/// What names a time in the names of keys.
pub(super) fn time_name(time: &Expr) -> String {
    match time {
        Expr::Column(column) => column.name.clone(),
        other => other.schema_name().to_string(),
    }
}
