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
    let mut calls = Vec::new();
    for expr in &projection.expr {
        calls.extend(generators(expr)?);
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
