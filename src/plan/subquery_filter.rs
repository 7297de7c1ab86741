//! Conditions with a subquery go below the watermark, as DataFusion's own rules do with other conditions.
//!
//! ```text
//! Filter: EXISTS (users)               EventTimeWatermark: e.at
//!   SubqueryAlias: e                     Filter: EXISTS (users)
//!     EventTimeWatermark: at      =>       SubqueryAlias: e
//!       Input                                Input
//! ```
//!
//! Rows that such a condition drops never move the watermark, unless it is about the event time itself. Later on
//! DataFusion makes joins of these conditions, which stay above. Spark: `PushPredicateThroughNonJoin`, which comes before
//! `RewritePredicateSubquery`.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Filter, LogicalPlan, Subquery, SubqueryAlias};

use crate::plan::event_time::is_event_time;
use crate::plan::watermark::EventTimeWatermark;

/// Puts the watermarks right below such conditions on top of them.
///
/// # Errors
///
/// An error of DataFusion's planner.
pub fn push_subqueries_below_watermarks(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Filter(filter) => push(filter),
        other => Ok(Transformed::no(other)),
    })
    .data()
}

fn push(filter: Filter) -> Result<Transformed<LogicalPlan>> {
    let times = filter
        .input
        .schema()
        .iter()
        .filter(|(_, field)| is_event_time(field));
    let times = times.map(|(qualifier, field)| Column::new(qualifier.cloned(), field.name()));
    let times = times.collect::<Vec<_>>();
    let [time] = times.as_slice() else {
        return Ok(Transformed::no(LogicalPlan::Filter(filter)));
    };
    let conditions = split_conjunction_owned(filter.predicate.clone());
    let (pushed, stay): (Vec<_>, Vec<_>) = conditions
        .into_iter()
        .partition(|condition| has_subquery(condition) && !is_about(condition, time));
    let (Some(pushed), Some((input, delay_ms))) = (conjunction(pushed), without_watermark(&filter.input)?)
    else {
        return Ok(Transformed::no(LogicalPlan::Filter(filter)));
    };
    let input = LogicalPlan::Filter(Filter::try_new(pushed, Arc::new(input))?);
    let plan = EventTimeWatermark::over(input, time.clone(), delay_ms)?.into_plan();
    Ok(Transformed::yes(match conjunction(stay) {
        Some(stay) => LogicalPlan::Filter(Filter::try_new(stay, Arc::new(plan))?),
        None => plan,
    }))
}

/// The plan without the watermark on its top, and that one's delay.
fn without_watermark(plan: &LogicalPlan) -> Result<Option<(LogicalPlan, i64)>> {
    match plan {
        LogicalPlan::SubqueryAlias(named) => {
            let Some((input, delay_ms)) = without_watermark(&named.input)? else {
                return Ok(None);
            };
            let named = SubqueryAlias::try_new(Arc::new(input), named.alias.clone())?;
            Ok(Some((LogicalPlan::SubqueryAlias(named), delay_ms)))
        }
        LogicalPlan::Extension(extension) => {
            let watermark = extension.node.as_any().downcast_ref::<EventTimeWatermark>();
            let inputs = extension.node.inputs();
            Ok(watermark
                .zip(inputs.first())
                .map(|(watermark, &input)| (input.clone(), watermark.delay_ms())))
        }
        _ => Ok(None),
    }
}

fn subquery_of(expr: &Expr) -> Option<&Subquery> {
    match expr {
        Expr::Exists(exists) => Some(&exists.subquery),
        Expr::InSubquery(in_subquery) => Some(&in_subquery.subquery),
        _ => None,
    }
}

fn has_subquery(expr: &Expr) -> bool {
    expr.exists(|expr| Ok(subquery_of(expr).is_some()))
        .unwrap_or(false)
}

/// Whether a condition names a column, be it in its subqueries.
fn is_about(condition: &Expr, column: &Column) -> bool {
    let names = |expr: &Expr| match expr {
        Expr::Column(named) | Expr::OuterReferenceColumn(_, named) => named == column,
        _ => false,
    };
    let is_about = condition.exists(|expr| {
        let outer = subquery_of(expr).map_or(&[][..], |subquery| &subquery.outer_ref_columns);
        Ok(names(expr) || outer.iter().any(names))
    });
    is_about.unwrap_or(true)
}
