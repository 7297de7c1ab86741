//! What each output mode allows of aggregates over streams: a part of [`crate::plan::output_mode`].

use datafusion::common::DFSchema;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Aggregate, Distinct, DistinctOn, Expr, ExprSchemable, LogicalPlan};

use crate::error::{Error, Result};
use crate::functions::session_window::SESSION_WINDOW;
use crate::plan::deduplicate::is_within_watermark;
use crate::plan::event_time::is_event_time;
use crate::plan::stream_table::is_streaming;
use crate::sink::OutputMode;

/// Refuses what `mode` does not allow of a streaming aggregate.
///
/// # Errors
///
/// Append without event time among the keys; sessions in update mode, as in Spark.
pub(super) fn check_aggregate(aggregate: &Aggregate, mode: OutputMode) -> Result<()> {
    if mode == OutputMode::Update && has_session(aggregate)? {
        return Err(Error::statement("session windows over a stream are not possible in output mode update").hint(
            "A session changes its key when it grows, so it cannot be updated in place. Use OUTPUT MODE APPEND, which \
             shows each session once it is over, or COMPLETE.",
        ));
    }
    check_grouping(groups_by_event_time(aggregate)?, aggregate.input.schema(), mode)
}

/// Refuses to append groups that are never complete. `input` is what is grouped.
///
/// # Errors
///
/// A statement error with a hint.
fn check_grouping(by_event_time: bool, input: &DFSchema, mode: OutputMode) -> Result<()> {
    if mode != OutputMode::Append || by_event_time {
        return Ok(());
    }
    let times = input.fields().iter();
    let marked = times
        .filter(|field| is_event_time(field))
        .map(|field| field.name().clone())
        .collect::<Vec<_>>();
    let hint = match marked.first() {
        Some(column) => format!(
            "Group by the event time as well, for instance window({column}, '10 minutes'); or use OUTPUT MODE \
             UPDATE or COMPLETE."
        ),
        None => {
            "Declare WATERMARK column DELAY OF INTERVAL 10 MINUTES on the stream and group by window(column, \
                 '10 minutes'); or use OUTPUT MODE UPDATE or COMPLETE."
                .to_owned()
        }
    };
    Err(
        Error::statement("output mode append needs a watermark on a column that the aggregate groups by")
            .hint(hint),
    )
}

/// Refuses a stateful operator over an aggregate outside of append mode: the aggregate gives the same group again
/// and again, and what is above it would take each for a row of its own.
///
/// # Errors
///
/// A statement error with a hint. (Spark: `ifCannotBeFollowedByStatefulOperation`.)
pub(super) fn check_order(node: &LogicalPlan, mode: OutputMode) -> Result<()> {
    let what = match node {
        LogicalPlan::Aggregate(_) => "an aggregate",
        LogicalPlan::Distinct(Distinct::All(_)) => "SELECT DISTINCT",
        // By other columns it gives each key once, however often the group changes.
        LogicalPlan::Distinct(Distinct::On(distinct))
            if is_within_watermark(distinct) || has_event_time(distinct) =>
        {
            "SELECT DISTINCT ON"
        }
        LogicalPlan::Join(join) if is_streaming(&join.left) && is_streaming(&join.right) => {
            "a join of streams"
        }
        _ => return Ok(()),
    };
    if mode == OutputMode::Append || !node.inputs().into_iter().any(has_streaming_aggregate) {
        return Ok(());
    }
    Err(Error::statement(format!(
        "{what} over a streaming aggregate is not possible in output mode {mode}"
    ))
    .hint(
        "Use OUTPUT MODE APPEND, where a group goes up once and for all; or write the aggregate's result to a table \
         with one query and read it with another.",
    ))
}

/// Whether an event time is among the keys.
fn has_event_time(distinct: &DistinctOn) -> bool {
    let schema = distinct.input.schema();
    let mut fields = distinct.on_expr.iter().map(|key| key.to_field(schema));
    fields.any(|field| field.is_ok_and(|(_, field)| is_event_time(&field)))
}

/// Whether there is an aggregate over a stream at or below a node.
pub(super) fn has_streaming_aggregate(plan: &LogicalPlan) -> bool {
    let is_one = |node: &LogicalPlan| {
        matches!(
            node,
            LogicalPlan::Aggregate(_) | LogicalPlan::Distinct(Distinct::All(_))
        ) && is_streaming(node)
    };
    plan.exists(|node| Ok(is_one(node))).unwrap_or(false)
}

/// Whether every group has an event time: each of several grouping sets may be without it, and is then never done.
fn groups_by_event_time(aggregate: &Aggregate) -> Result<bool> {
    let schema = aggregate.input.schema();
    let mut has_time = false;
    for expr in &aggregate.group_expr {
        expr.apply(|expr| {
            if matches!(expr, Expr::GroupingSet(_)) {
                return Ok(TreeNodeRecursion::Continue);
            }
            has_time |= expr
                .to_field(schema)
                .is_ok_and(|(_, field)| is_event_time(&field));
            Ok(TreeNodeRecursion::Jump)
        })?;
    }
    Ok(has_time)
}

fn has_session(aggregate: &Aggregate) -> Result<bool> {
    let mut found = false;
    for expr in &aggregate.group_expr {
        found |= expr.exists(|expr| {
            Ok(matches!(expr, Expr::ScalarFunction(function) if function.func.name() == SESSION_WINDOW))
        })?;
    }
    Ok(found)
}
