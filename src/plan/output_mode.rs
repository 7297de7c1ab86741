//! What each output mode allows, checked on the logical plan before anything runs.
//!
//! Spark: `UnsupportedOperationChecker`. Each refusal says why and what would be legal.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, NullEquality};
use datafusion::logical_expr::{Distinct, DistinctOn, Extension, Join, Limit, LogicalPlan};

use crate::error::{Error, Result};
use crate::plan::aggregate_mode::{check_aggregate, check_order, has_streaming_aggregate};
use crate::plan::deduplicate::is_within_watermark;
use crate::plan::event_time::is_event_time;
use crate::plan::stream_join::{check_stream_join, kind_of};
use crate::plan::stream_table::is_streaming;
use crate::plan::top_n::{TopN, rewrite_top_n};
use crate::plan::watermark::EventTimeWatermark;
use crate::sink::OutputMode;

/// Refuses a streaming plan that has no sound meaning in `mode`. `plan` is the plan as SQL made it.
///
/// # Errors
///
/// A statement error with a hint.
pub fn check(plan: &LogicalPlan, mode: OutputMode) -> Result<()> {
    let mut found = Found::default();
    let mut refusal = None;
    let plan = rewrite_top_n(plan.clone())?;
    let walked = plan.apply(|node| {
        if !is_streaming(node) {
            return Ok(TreeNodeRecursion::Jump);
        }
        let checked = check_subqueries(node)
            .and_then(|()| check_set_operation(node))
            .and_then(|()| check_order(node, mode))
            .and_then(|()| check_node(node, mode, &mut found));
        match checked {
            Ok(()) => Ok(TreeNodeRecursion::Continue),
            Err(error) => {
                refusal = Some(error);
                Ok(TreeNodeRecursion::Stop)
            }
        }
    });
    if let Some(error) = refusal {
        return Err(error);
    }
    walked?;
    if mode == OutputMode::Complete && found.aggregates == 0 {
        return Err(Error::statement("output mode complete needs an aggregate over the stream")
            .hint("Without GROUP BY or an aggregate function nothing is kept to show again: use OUTPUT MODE APPEND."));
    }
    Ok(())
}

/// What the nodes above the one at hand are.
#[derive(Default)]
struct Found {
    aggregates: usize,
}

/// A subquery would see the rows of one batch only, and give another answer in each.
fn check_subqueries(node: &LogicalPlan) -> Result<()> {
    let mut reads_stream = false;
    node.apply_subqueries(|subquery| {
        reads_stream |= is_streaming(subquery);
        Ok(TreeNodeRecursion::Stop)
    })?;
    if reads_stream {
        return Err(Error::statement("a subquery in an expression cannot read a stream")
            .hint("Join with the stream instead, or let a query of its own write the rows to a table that this one reads."));
    }
    Ok(())
}

/// INTERSECT and EXCEPT, which DataFusion plans as joins in which nulls are equal.
fn check_set_operation(node: &LogicalPlan) -> Result<()> {
    let LogicalPlan::Join(join) = node else {
        return Ok(());
    };
    let name = match (join.join_type, join.null_equality) {
        (JoinType::LeftSemi, NullEquality::NullEqualsNull) => "INTERSECT",
        (JoinType::LeftAnti, NullEquality::NullEqualsNull) => "EXCEPT",
        _ => return Ok(()),
    };
    if !is_streaming(&join.right) {
        return Ok(());
    }
    Err(
        Error::statement(format!("{name} with a stream on the right is not possible")).hint(
            "Whether a row is among those of a stream is never final. Join the two instead, with a bound on the time \
             between their rows.",
        ),
    )
}

fn check_node(node: &LogicalPlan, mode: OutputMode, found: &mut Found) -> Result<()> {
    match node {
        LogicalPlan::Aggregate(aggregate) => {
            found.aggregates += 1;
            check_aggregate(aggregate, mode)
        }
        LogicalPlan::Sort(sort) if mode != OutputMode::Complete || !has_streaming_aggregate(&sort.input) => {
            Err(Error::statement(format!("a stream cannot be sorted in output mode {mode}")).hint(
                "ORDER BY is possible in OUTPUT MODE COMPLETE behind an aggregate, where every batch shows the whole \
                 result; or sort when you read the result table.",
            ))
        }
        LogicalPlan::Limit(limit) => check_limit(limit, mode),
        LogicalPlan::Window(_) => Err(Error::statement(
            "window functions (OVER) over rows that are not grouped by time are not possible on a stream",
        )
        .hint(
            "Use GROUP BY window(time, '10 minutes') for windows over event time. For the first rows of each window: \
             QUALIFY row_number() OVER (PARTITION BY window(time, '10 minutes'), key ORDER BY value DESC) <= 3.",
        )),
        LogicalPlan::Distinct(Distinct::All(input)) => {
            found.aggregates += 1;
            check_distinct(input, mode)
        }
        LogicalPlan::Distinct(Distinct::On(distinct)) => check_distinct_on(distinct),
        LogicalPlan::Join(join) => check_join(join, mode),
        LogicalPlan::Union(union) if union.inputs.iter().any(|input| !is_streaming(input)) => {
            Err(Error::statement("a stream cannot be united with static rows")
                .hint("Make a stream of the static side too, or union when you read the result table."))
        }
        LogicalPlan::Extension(extension) => match extension.node.as_any().downcast_ref::<TopN>() {
            Some(top) => top.check(mode),
            None => check_watermark(extension),
        },
        LogicalPlan::RecursiveQuery(_) => Err(Error::statement("a recursive query over a stream is not possible")),
        _ => Ok(()),
    }
}

/// SELECT DISTINCT and UNION are aggregates by all columns.
fn check_distinct(input: &LogicalPlan, mode: OutputMode) -> Result<()> {
    if mode != OutputMode::Append || input.schema().fields().iter().any(|field| is_event_time(field)) {
        return Ok(());
    }
    Err(
        Error::statement("output mode append needs a watermark on a column of SELECT DISTINCT, or of UNION").hint(
            "Select the event time as well; or write SELECT DISTINCT ON (...), which gives each row when it comes first; \
             or use OUTPUT MODE UPDATE or COMPLETE.",
        ),
    )
}

/// Spark, too, takes a limit for one of a query's whole life, and has no rows that are skipped.
fn check_limit(limit: &Limit, mode: OutputMode) -> Result<()> {
    if limit.skip.is_some() {
        return Err(Error::statement("OFFSET on a stream is not possible")
            .hint("Leave OFFSET out, or use it when you read the result table."));
    }
    if mode == OutputMode::Update {
        return Err(Error::statement("LIMIT on a stream is not possible in output mode update").hint(
            "A row that was given may change and be given again, so the first rows are never final. Use OUTPUT MODE \
             APPEND, where a limit gives the first rows of all batches; COMPLETE behind an aggregate; or LIMIT when \
             you read the result table.",
        ));
    }
    Ok(())
}

fn check_distinct_on(distinct: &DistinctOn) -> Result<()> {
    if distinct.sort_expr.is_some() {
        return Err(Error::statement(
            "DISTINCT ON over a stream keeps the first row that arrives, it cannot be sorted",
        )
        .hint("Leave ORDER BY out."));
    }
    let mut fields = distinct.input.schema().fields().iter();
    if is_within_watermark(distinct) && !fields.any(|field| is_event_time(field)) {
        return Err(Error::statement("DISTINCT ON (...) WITHIN WATERMARK needs a watermark").hint(
            "Declare WATERMARK column DELAY OF INTERVAL 10 MINUTES on the stream: a key is forgotten that long after \
             its row.",
        ));
    }
    Ok(())
}

fn check_join(join: &Join, mode: OutputMode) -> Result<()> {
    let (left, right) = (is_streaming(&join.left), is_streaming(&join.right));
    if left && right {
        // Rows of these two joins are final, so that update mode gives what append mode does.
        let is_possible = match mode {
            OutputMode::Append => true,
            OutputMode::Update => matches!(join.join_type, JoinType::Inner | JoinType::LeftSemi),
            OutputMode::Complete => false,
        };
        if !is_possible {
            return Err(Error::statement(format!(
                "{} joins of two streams are not possible in output mode {mode}",
                kind_of(join.join_type)
            ))
            .hint("Use OUTPUT MODE APPEND: a joined row is given once and never changes."));
        }
        return check_stream_join(join);
    }
    let sound = match join.join_type {
        JoinType::Inner => true,
        JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti => left,
        JoinType::Right | JoinType::RightSemi | JoinType::RightAnti => right,
        _ => false,
    };
    if sound {
        return Ok(());
    }
    let kind = kind_of(join.join_type);
    if matches!(
        join.join_type,
        JoinType::LeftSemi | JoinType::LeftAnti | JoinType::RightSemi | JoinType::RightAnti
    ) {
        return Err(Error::statement(format!(
            "a {kind} join that gives rows of the static table is not possible"
        ))
        .hint(
            "Each batch would answer anew for the same rows: put the stream on the side that is given, or use an inner \
             join.",
        ));
    }
    Err(Error::statement(format!(
        "a {kind} join that keeps all rows of the static table is not possible"
    ))
    .hint("Rows of the static table without a match are never final: put the stream on the outer side."))
}

/// Rows that an operator below drops by one watermark, and holds back by it, cannot be timed by another one above.
fn check_watermark(extension: &Extension) -> Result<()> {
    let watermark_of = |node: &LogicalPlan| match node {
        LogicalPlan::Extension(extension) => {
            let watermark = extension.node.as_any().downcast_ref::<EventTimeWatermark>()?;
            Some(watermark.column().name.clone())
        }
        _ => None,
    };
    let Some(watermark) = extension.node.as_any().downcast_ref::<EventTimeWatermark>() else {
        return Ok(());
    };
    let mut below = None;
    for input in extension.node.inputs() {
        input.apply(|node| {
            below = below.take().or_else(|| watermark_of(node));
            Ok(TreeNodeRecursion::Continue)
        })?;
    }
    match below {
        None => Ok(()),
        Some(below) => Err(Error::statement(format!(
            "a watermark on column \"{}\" over one on column \"{below}\" is not possible",
            watermark.column().name
        ))
        .hint("A stream has one watermark: declare it once, on the stream, on the view or in FROM.")),
    }
}
