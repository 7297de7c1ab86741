//! The rule that gives casts Spark's meaning.
//!
//! It runs after type coercion, so that the casts that DataFusion puts in by itself are Spark's too.

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result, plan_err};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, LogicalPlan, TryCast};
use datafusion::optimizer::AnalyzerRule;

use crate::functions::cast::{cast_function, differs, refusal};
use crate::types::spark_type_name;

/// See the module.
#[derive(Debug, Default)]
pub struct SparkCasts;

impl AnalyzerRule for SparkCasts {
    fn name(&self) -> &'static str {
        "spark_casts"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(rewrite_plan)
            .map(|transformed| transformed.data)
    }
}

fn rewrite_plan(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let mut schema = merge_schema(&plan.inputs());
    if let LogicalPlan::TableScan(scan) = &plan {
        let source = DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema())?;
        schema.merge(&source);
    }
    let names = NamePreserver::new(&plan);
    let rewritten = plan.map_expressions(|expr| {
        let name = names.save(&expr);
        let rewritten = expr.transform_up(|expr| rewrite_cast(expr, &schema))?;
        Ok(rewritten.update_data(|expr| name.restore(expr)))
    })?;
    if rewritten.transformed {
        rewritten.map_data(LogicalPlan::recompute_schema)
    } else {
        Ok(rewritten)
    }
}

fn rewrite_cast(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let (value, field, is_try) = match &expr {
        Expr::Cast(Cast { expr: value, field }) => (value, field, false),
        Expr::TryCast(TryCast { expr: value, field }) => (value, field, true),
        _ => return Ok(Transformed::no(expr)),
    };
    // A column of an outer query is not in this schema: its cast stays arrow's.
    let Ok(from) = value.get_type(schema) else {
        return Ok(Transformed::no(expr));
    };
    let to = field.data_type();
    if let Some(instead) = refusal(&from, to) {
        return plan_err!(
            "{} cannot be cast to {}: {instead}",
            spark_type_name(&from).to_uppercase(),
            spark_type_name(to).to_uppercase()
        );
    }
    if !differs(&from, to) {
        return Ok(Transformed::no(expr));
    }
    Ok(Transformed::yes(
        cast_function(to, is_try).call(vec![value.as_ref().clone()]),
    ))
}
