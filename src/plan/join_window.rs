//! The rule that lets `window(...)` stand in the condition of a join: a part of [`crate::plan::time_window`].
//!
//! ```text
//! Join: ON window(l.t, '1 hour') = window(r.t, '1 hour')      Projection: the join's own columns
//!   l                                                    =>     Join: ON make_window(#wl) = make_window(#wr)
//!   r                                                             Projection: *, window_start(l.t) AS #wl
//!                                                                   l
//!                                                                 Projection: *, window_start(r.t) AS #wr
//!                                                                   r
//! ```
//!
//! Each side has the start of its window as one more column. Spark refuses a window there; it can be said in a SELECT
//! for each side, too, and means the same.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, Join, LogicalPlan, LogicalPlanBuilder, Projection};

use crate::error::Error;
use crate::functions::window::{WINDOW, make_window, window_spec, window_start};
use crate::plan::time_window::{columns_of, time_of};

/// Rewrites a join whose condition calls `window`.
///
/// # Errors
///
/// A sliding window, and one that is of neither side alone.
pub(super) fn rewrite_join(mut join: Join) -> Result<Transformed<LogicalPlan>> {
    let Some(condition) = join.filter.take_if(|condition| calls_window(condition)) else {
        return Ok(Transformed::no(LogicalPlan::Join(join)));
    };
    let columns = join.schema.columns().into_iter().map(Expr::Column);
    let columns = columns.collect::<Vec<_>>();
    let mut sides = [Arc::unwrap_or_clone(join.left), Arc::unwrap_or_clone(join.right)];
    let mut count = 0;
    let condition = condition.transform_down(|expr| {
        let args = match &expr {
            Expr::ScalarFunction(ScalarFunction { func, args }) if func.name() == WINDOW => args,
            _ => return Ok(Transformed::no(expr)),
        };
        let spec = window_spec(args)?;
        let is_of = |side: &LogicalPlan| {
            let columns = args[0].column_refs();
            columns.iter().all(|column| side.schema().has_column(column))
        };
        let refused = |what: &str| {
            Error::statement(format!("{what} cannot stand in the condition of a join")).hint(
                "Make the window in a SELECT for its side, and join with that: (SELECT *, window(time, '1 hour') AS w \
                 FROM a).",
            )
        };
        if !spec.is_tumbling() {
            return Err(refused("a sliding window").into());
        }
        let Some(side) = sides.iter_mut().find(|side| is_of(side)) else {
            return Err(refused("a window of columns of both sides").into());
        };
        let name = format!("__join_window_{count}");
        count += 1;
        let start = window_start(spec).call(vec![time_of(&args[0], side)?]);
        let mut with_start = columns_of(side);
        with_start.push(start.alias(name.as_str()));
        *side = LogicalPlanBuilder::from(side.clone())
            .project(with_start)?
            .build()?;
        let start = Expr::Column(Column::new_unqualified(name));
        let window = make_window(spec.size_us).call(vec![start]);
        Ok(Transformed::new(window, true, TreeNodeRecursion::Jump))
    });
    let condition = condition.data()?;
    let [left, right] = sides;
    let windowed = Join::try_new(
        Arc::new(left),
        Arc::new(right),
        join.on,
        Some(condition),
        join.join_type,
        join.join_constraint,
        join.null_equality,
        join.null_aware,
    )?;
    Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(
        columns,
        Arc::new(LogicalPlan::Join(windowed)),
    )?)))
}

fn calls_window(condition: &Expr) -> bool {
    let is_call =
        |expr: &Expr| matches!(expr, Expr::ScalarFunction(function) if function.func.name() == WINDOW);
    condition.exists(|expr| Ok(is_call(expr))).unwrap_or(false)
}
