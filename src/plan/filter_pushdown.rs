//! Keeps DataFusion's pushdown of physical filters away from plans in which columns share a name.
//!
//! That rule finds a filter's columns by name on its way through projections and filters. Over a join of `a.at` and
//! `b.at` a condition on the second one would become one on the first, and the answer would be wrong.
//! The logical optimizer, which knows what is qualified by what, has moved most conditions down before.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::TreeNode;
use datafusion::config::ConfigOptions;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::ExecutionPlan;

/// DataFusion's physical optimizer rules, of which those that go by a column's name spare plans where names are shared.
pub fn physical_optimizer_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let rules = PhysicalOptimizer::new().rules.into_iter();
    let rules = rules.map(|rule| {
        if rule.name().starts_with("FilterPushdown") {
            Arc::new(WhereNamesDiffer(rule)) as _
        } else {
            rule
        }
    });
    rules.collect()
}

/// A rule that is applied only where no node has two columns of one name.
#[derive(Debug)]
struct WhereNamesDiffer(Arc<dyn PhysicalOptimizerRule + Send + Sync>);

impl PhysicalOptimizerRule for WhereNamesDiffer {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if plan.exists(|node| Ok(shares_names(node)))? {
            return Ok(plan);
        }
        self.0.optimize(plan, config)
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn schema_check(&self) -> bool {
        self.0.schema_check()
    }
}

fn shares_names(node: &Arc<dyn ExecutionPlan>) -> bool {
    let schema = node.schema();
    let mut names = HashSet::with_capacity(schema.fields().len());
    schema
        .fields()
        .iter()
        .any(|field| !names.insert(field.name().as_str()))
}
