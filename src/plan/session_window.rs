//! The rule that turns `session_window(time, gap)` into keys: Spark's `SessionWindowing`.
//!
//! ```text
//! Aggregate: groupBy=[session_window(t, gap), user]     Projection: make_session(#start, #end) AS session_window, user, ...
//!   Input                                          =>     Aggregate: groupBy=[user, #start, #end]
//!                                                           Filter: #end > #start
//!                                                             Projection: *, session_start(t) AS #start,
//!                                                                         session_end(t, gap) AS #end
//!                                                               Input
//! ```
//!
//! So each row is a session of its own at first; one without time, or with a gap that is null, zero or negative,
//! is none. Merging those that touch is what a streaming aggregate does with its state
//! ([`crate::operators::session_window`]); over static rows window functions do it below the aggregate:
//!
//! ```text
//! #end   = max(#end) OVER (PARTITION BY user, #start)
//! #start = the newest start that was past every earlier end, by user in the order of starts
//! ```

use std::sync::Arc;

use datafusion::common::{Column, Result, ScalarValue, plan_err};
use datafusion::functions_aggregate::min_max::max_udaf;
use datafusion::logical_expr::expr::{ScalarFunction, WindowFunction};
use datafusion::logical_expr::{
    Aggregate, Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, Projection, WindowFrame,
    WindowFrameBound, WindowFrameUnits, when,
};

use crate::error::Error;
use crate::functions::session_window::{make_session_udf, session_end_udf, session_start_udf};
use crate::interval::format_duration_us;
use crate::plan::stream_table::is_streaming;
use crate::plan::time_window::{columns_of, time_name, time_of};

/// Rewrites an aggregate that groups by the session window `call`.
///
/// # Errors
///
/// A streaming aggregate without another key, as in Spark; grouping sets over sessions.
pub(super) fn rewrite_session_aggregate(aggregate: Aggregate, call: &Expr) -> Result<LogicalPlan> {
    let Expr::ScalarFunction(ScalarFunction { args, .. }) = call else {
        return plan_err!("a session window is a call");
    };
    let place = aggregate.group_expr.iter().position(|expr| expr == call);
    let Some(place) = place else {
        return Err(Error::statement(
            "session_window can be a key of GROUP BY by itself only, not a part of one",
        )
        .hint("Group by session_window(time, gap) and by its other keys; use session_window.start in SELECT.")
        .into());
    };
    let mut keys = aggregate.group_expr.clone();
    keys.remove(place);
    let is_stream = is_streaming(&aggregate.input);
    if is_stream && keys.is_empty() {
        return Err(Error::statement("sessions over a stream need a key beside session_window")
            .hint("Sessions of all rows together would be one state: GROUP BY session_window(...), user_id, say.")
            .into());
    }
    let input = Arc::unwrap_or_clone(aggregate.input);
    let columns = columns_of(&input);
    let (mut input, start, end) = with_sessions(input, args)?;
    let (start_column, end_column) = (unqualified(&start), unqualified(&end));
    if !is_stream {
        input = merge_static(input, &columns, &keys, &start, &end)?;
    }
    let num_keys = keys.len();
    keys.extend([start_column.clone(), end_column.clone()]);
    let inner = LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(input), keys, aggregate.aggr_expr)?);
    // Back to the names, the types and the order that the nodes above know.
    let outer = aggregate
        .schema
        .iter()
        .enumerate()
        .map(|(index, (qualifier, field))| {
            if index == place {
                let session = make_session_udf().call(vec![start_column.clone(), end_column.clone()]);
                return session.alias_qualified(qualifier.cloned(), field.name());
            }
            // The keys before the session kept their places, the others moved up by one; values come after one key more.
            let moved = match index {
                index if index < place => index,
                index if index <= num_keys => index - 1,
                index => index + 1,
            };
            let (inner_qualifier, inner_field) = inner.schema().qualified_field(moved);
            let column = Expr::Column(Column::new(inner_qualifier.cloned(), inner_field.name()));
            if qualifier == inner_qualifier && field.name() == inner_field.name() {
                column
            } else {
                column.alias_qualified(qualifier.cloned(), field.name())
            }
        });
    let outer = outer.collect::<Vec<_>>();
    Ok(LogicalPlan::Projection(Projection::try_new(
        outer,
        Arc::new(inner),
    )?))
}

/// An input with the bounds of the session that each row is by itself as two more columns, whose names it gives too.
///
/// # Errors
///
/// A gap that is no length.
pub(super) fn with_sessions(input: LogicalPlan, args: &[Expr]) -> Result<(LogicalPlan, String, String)> {
    let time = time_of(&args[0], &input)?;
    let gap = args[1].clone();
    let name = session_name(&args[0], &gap)?;
    let (start, end) = (format!("{name}.start"), format!("{name}.end"));
    let mut columns = columns_of(&input);
    columns.push(session_start_udf().call(vec![time.clone()]).alias(start.as_str()));
    columns.push(session_end_udf().call(vec![time, gap]).alias(end.as_str()));
    let input = LogicalPlanBuilder::from(input)
        .project(columns)?
        .filter(unqualified(&end).gt(unqualified(&start)))?
        .build()?;
    Ok((input, start, end))
}

/// `session_window(at, 5 minutes)`: which relation the time is of does not matter.
fn session_name(time: &Expr, gap: &Expr) -> Result<String> {
    let gap = match gap {
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) => match crate::interval::parse_duration_us(text) {
            Ok(gap_us) => format_duration_us(gap_us),
            Err(reason) => {
                let message = format!("the gap of a session_window: {}", reason.message);
                return Err(Error::statement(message).hint(reason.hint).into());
            }
        },
        other => other.schema_name().to_string(),
    };
    Ok(format!("session_window({}, {gap})", time_name(time)))
}

fn unqualified(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

/// Gives every row the session that it ends up in, where all rows are there at once.
fn merge_static(
    input: LogicalPlan,
    columns: &[Expr],
    keys: &[Expr],
    start: &str,
    end: &str,
) -> Result<LogicalPlan> {
    const REACHED: &str = "__reached";
    let (start_column, end_column) = (unqualified(start), unqualified(end));
    let rows = |last| {
        WindowFrame::new_bounds(
            WindowFrameUnits::Rows,
            WindowFrameBound::Preceding(ScalarValue::UInt64(None)),
            last,
        )
    };
    let max = |value: Expr| Expr::from(WindowFunction::new(max_udaf(), vec![value]));
    let over_earlier = |value: Expr, last: WindowFrameBound| {
        max(value)
            .partition_by(keys.to_vec())
            .order_by(vec![start_column.clone().sort(true, true)])
            .window_frame(rows(last))
            .build()
    };
    // How far the rows before this one reach; then where the session of this row began; then where that one ends.
    let reached = over_earlier(
        end_column.clone(),
        WindowFrameBound::Preceding(ScalarValue::UInt64(Some(1))),
    )?;
    let mut with_reached = columns.to_vec();
    with_reached.extend([start_column.clone(), end_column.clone(), reached.alias(REACHED)]);
    let begins = unqualified(REACHED)
        .is_null()
        .or(unqualified(REACHED).lt(start_column.clone()));
    let begun = over_earlier(
        when(begins, start_column.clone()).end()?,
        WindowFrameBound::CurrentRow,
    )?;
    let mut with_begun = columns.to_vec();
    with_begun.extend([begun.alias(start), end_column.clone()]);
    let mut session = keys.to_vec();
    session.push(start_column.clone());
    let ended = max(end_column).partition_by(session).build()?;
    let mut with_ended = columns.to_vec();
    with_ended.extend([start_column, ended.alias(end)]);
    [with_reached, with_begun, with_ended]
        .into_iter()
        .try_fold(LogicalPlanBuilder::from(input), |plan, columns| {
            let windows = columns.iter().filter(|expr| is_window(expr)).cloned();
            let windows = windows.map(Expr::unalias).collect::<Vec<_>>();
            let columns = columns.into_iter().map(|expr| match expr {
                Expr::Alias(alias) if is_window(&alias.expr) => {
                    unqualified(&alias.expr.schema_name().to_string()).alias(alias.name)
                }
                other => other,
            });
            let columns = columns.collect::<Vec<_>>();
            plan.window(windows)?.project(columns)
        })?
        .build()
}

fn is_window(expr: &Expr) -> bool {
    matches!(expr.clone().unalias(), Expr::WindowFunction(_))
}
