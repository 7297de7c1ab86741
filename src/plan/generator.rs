//! The rule that turns a projection with `explode(...)` into an unnesting.
//!
//! ```text
//! Projection: id, explode(tags) AS tag        Projection: id, #item AS tag
//!   Input                                =>     Unnest: #item
//!                                                 Projection: *, items(tags) AS #item
//!                                                   Input
//! ```

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, NullHandling, Result, UnnestOptions, plan_err};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Projection};
use datafusion::optimizer::AnalyzerRule;

use crate::functions::generator::Generator;

/// The column of the elements that become rows.
const ITEM_COLUMN: &str = "__item";

/// See the module.
#[derive(Debug, Default)]
pub struct RewriteGenerators;

impl AnalyzerRule for RewriteGenerators {
    fn name(&self) -> &'static str {
        "rewrite_generators"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|plan| match plan {
            LogicalPlan::Projection(projection) => rewrite_projection(projection),
            other => {
                for expr in other.expressions() {
                    if let Some(call) = generators(&expr)?.first() {
                        return plan_err!("{} can stand in the SELECT list only", call.schema_name());
                    }
                }
                Ok(Transformed::no(other))
            }
        })
        .map(|transformed| transformed.data)
    }
}

/// Whether an expression calls a generator, which makes many rows of one.
pub(crate) fn has_generator(expr: &Expr) -> bool {
    expr.exists(|expr| Ok(Generator::of(expr).is_some()))
        .unwrap_or(false)
}

/// Gives the generators at the top of a SELECT that have no names their own columns, where only types tell which: those
/// of `inline` and of `explode` of a map. What has one column is named `col`.
///
/// # Errors
///
/// None that planning has not met before.
pub fn expand_generators(plan: LogicalPlan) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Sort(mut sort) => {
            sort.input = Arc::new(expand_generators(Arc::unwrap_or_clone(sort.input))?);
            Ok(LogicalPlan::Sort(sort))
        }
        LogicalPlan::Limit(mut limit) => {
            limit.input = Arc::new(expand_generators(Arc::unwrap_or_clone(limit.input))?);
            Ok(LogicalPlan::Limit(limit))
        }
        LogicalPlan::Projection(projection) => {
            let mut is_changed = false;
            let mut exprs = Vec::with_capacity(projection.expr.len());
            for expr in &projection.expr {
                match Generator::of(expr) {
                    None => exprs.push(expr.clone()),
                    Some((generator, args)) => {
                        is_changed = true;
                        exprs.extend(generator.columns(expr, args, projection.input.schema())?);
                    }
                }
            }
            if !is_changed {
                return Ok(LogicalPlan::Projection(projection));
            }
            Projection::try_new(exprs, projection.input).map(LogicalPlan::Projection)
        }
        other => Ok(other),
    }
}

fn generators(expr: &Expr) -> Result<Vec<Expr>> {
    let mut calls = Vec::new();
    expr.apply(|expr| {
        if Generator::of(expr).is_some() {
            calls.push(expr.clone());
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(calls)
}

fn rewrite_projection(projection: Projection) -> Result<Transformed<LogicalPlan>> {
    let mut calls: Vec<Expr> = Vec::new();
    for expr in &projection.expr {
        // Equal calls are one: the columns of a generator come from calls of their own.
        for call in generators(expr)? {
            if !calls.contains(&call) {
                calls.push(call);
            }
        }
    }
    let [call] = &calls[..] else {
        if calls.len() > 1 {
            return plan_err!(
                "a SELECT can make rows in one way only, this one has {} and {}; write LATERAL VIEW for the others",
                calls[0].schema_name(),
                calls[1].schema_name()
            );
        }
        return Ok(Transformed::no(LogicalPlan::Projection(projection)));
    };
    let Some((generator, args)) = Generator::of(call) else {
        return Ok(Transformed::no(LogicalPlan::Projection(projection)));
    };
    let input = Arc::unwrap_or_clone(projection.input);
    let mut columns: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
    columns.push(generator.items(args).alias(ITEM_COLUMN));
    let nulls = if generator.is_outer {
        NullHandling::PreserveAndExpandEmpty
    } else {
        NullHandling::Drop
    };
    let item = Column::new_unqualified(ITEM_COLUMN);
    let input = LogicalPlanBuilder::from(input)
        .project(columns)?
        .unnest_columns_with_options(vec![item.clone()], UnnestOptions::new().with_null_handling(nulls))?
        .build()?;
    let exprs = projection.expr.into_iter().map(|expr| {
        let name = expr.qualified_name();
        let replaced = expr
            .transform_down(|expr| {
                Ok(if expr == *call {
                    Transformed::new(Expr::Column(item.clone()), true, TreeNodeRecursion::Jump)
                } else {
                    Transformed::no(expr)
                })
            })?
            .data;
        Ok(if replaced.qualified_name() == name {
            replaced
        } else {
            replaced.alias_qualified(name.0, name.1)
        })
    });
    let exprs = exprs.collect::<Result<Vec<_>>>()?;
    Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(
        exprs,
        Arc::new(input),
    )?)))
}
