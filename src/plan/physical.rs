//! The physical plan of a streaming query, made once for a run.
//!
//! 1. [`rewrite_windows`] on the plan as SQL made it;
//! 2. DataFusion's optimizer, less the rules that are wrong for a plan that runs again over other rows;
//! 3. DataFusion's physical planner, which plans aggregates in two stages; a rule before all other physical rules
//!    puts the state between them ([`StreamingAggregateExec`], [`SessionWindowExec`]).
//!
//! Doing the last step on the physical plan leaves everything that an aggregate can have (FILTER, ORDER BY,
//! grouping sets, UDAFs) to DataFusion's own planner.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use datafusion::common::Result as PlanResult;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::{ExecutionPlan, displayable};
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use crate::error::Result;
use crate::functions::batch_time::batch_timestamp;
use crate::functions::random::in_batches;
use crate::operators::context::{OperatorContext, OperatorFacts, place_operators};
use crate::operators::deduplicate::DeduplicateExec;
use crate::operators::session_window::{SessionWindowExec, groups_by_session};
use crate::operators::stream_limit::StreamLimitExec;
use crate::operators::stream_scan::{StreamScan, StreamScanExec};
use crate::operators::streaming_aggregate::StreamingAggregateExec;
use crate::operators::watermark::EventTimeWatermarkExec;
use crate::operators::with_schema::WithSchemaExec;
use crate::plan::deduplicate::{Deduplicate, rewrite_distinct_on};
use crate::plan::stream_join::{StreamJoin, plan_stream_joins};
use crate::plan::stream_limit::{StreamLimit, rewrite_limits};
use crate::plan::subquery_filter::push_subqueries_below_watermarks;
use crate::plan::time_window::rewrite_windows;
use crate::plan::top_n::{TopN, rewrite_top_n};
use crate::plan::union_event_time::UnionEventTime;
use crate::plan::watermark::EventTimeWatermark;
use crate::sink::OutputMode;

/// Optimizer rules that assume that a plan runs once over all of its rows; and those that compute the fields of a struct
/// early, which a join would keep in its state beside the struct.
const UNSOUND_RULES: [&str; 4] = [
    "single_distinct_aggregation_to_group_by",
    "eliminate_group_by_constant",
    "extract_leaf_expressions",
    "push_down_leaf_projections",
];

/// A streaming query's plan, ready to run batch after batch.
#[derive(Debug, Clone)]
pub struct StreamingPlan {
    /// The root. Its leaves read the slots of [`Self::scans`].
    pub root: Arc<dyn ExecutionPlan>,
    /// Every scan of a stream; a stream that is read twice has two.
    pub scans: Vec<Arc<StreamScan>>,
    /// Every stateful operator, leaves first.
    pub operators: Vec<Arc<OperatorContext>>,
    /// The batch's own time in milliseconds since the epoch: what `current_timestamp()` gives in it.
    pub batch_time_ms: Arc<AtomicI64>,
}

impl StreamingPlan {
    /// Plans a streaming SELECT.
    ///
    /// # Errors
    ///
    /// Statement errors of DataFusion's planner and of the window rule.
    pub async fn try_new(state: &SessionState, plan: LogicalPlan, output_mode: OutputMode) -> Result<Self> {
        let batch_time_ms = Arc::new(AtomicI64::new(0));
        let plan = push_subqueries_below_watermarks(plan)?;
        let plan = rewrite_distinct_on(plan)?;
        let plan = rewrite_limits(plan, output_mode)?;
        let plan = rewrite_top_n(plan)?;
        let plan = rewrite_windows(plan)?;
        let plan = bind_batch_time(plan, &batch_time_ms)?;
        let rule = StatefulAggregates {
            output_mode,
            relations: relations_of(&plan)?,
        };
        let mut rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> = vec![Arc::new(rule)];
        rules.extend(state.physical_optimizers().iter().cloned());
        let logical_rules = state.optimizer().rules.iter();
        let logical_rules = logical_rules
            .filter(|rule| !UNSOUND_RULES.contains(&rule.name()))
            .cloned()
            .collect();
        let mut config = state.config().clone();
        let options = config.options_mut();
        // Rows without a key match nothing: as in Spark they go before they move a watermark or reach a state.
        options.optimizer.filter_null_join_keys = true;
        options.optimizer.enable_dynamic_filter_pushdown = false;
        options.optimizer.enable_join_dynamic_filter_pushdown = false;
        options.optimizer.enable_topk_dynamic_filter_pushdown = false;
        options.optimizer.enable_aggregate_dynamic_filter_pushdown = false;
        options.execution.skip_physical_aggregate_schema_check = true;
        // The catalog is shared with the session: a default one made here would take the place of the session's names.
        options.catalog.create_default_catalog_and_schema = false;
        let state = SessionStateBuilder::new_from_existing(state.clone())
            .with_config(config)
            // The optimizer numbers the names that it makes up. A checkpoint knows columns by name, so that every plan
            // begins to count anew.
            .with_execution_props(ExecutionProps::new())
            .with_optimizer_rules(logical_rules)
            .with_physical_optimizer_rules(rules)
            .build();
        let optimized = plan_stream_joins(state.optimize(&plan)?)?;
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(StreamingPlanner)]);
        let root = planner.create_physical_plan(&optimized, &state).await?;
        let operators = place_operators(&root);
        let mut scans = Vec::new();
        root.apply(|node| {
            if let Some(scan) = node.downcast_ref::<StreamScanExec>() {
                scans.push(Arc::clone(scan.operator()));
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(Self {
            root,
            scans,
            operators,
            batch_time_ms,
        })
    }

    /// The nodes that watch event times, in the order of the plan: a checkpoint knows them by their place.
    pub fn watermarks(&self) -> Vec<Arc<dyn ExecutionPlan>> {
        let mut found = Vec::new();
        let walked = self.root.apply(|node| {
            if node.is::<EventTimeWatermarkExec>() {
                found.push(Arc::clone(node));
            }
            Ok(TreeNodeRecursion::Continue)
        });
        debug_assert!(walked.is_ok(), "the walk itself cannot fail");
        found
    }

    /// What a checkpoint must agree with, a stateful operator each, leaves first.
    pub fn signatures(&self) -> Vec<String> {
        self.operators
            .iter()
            .map(|operator| operator.signature().to_owned())
            .collect()
    }

    /// How many of the columns of each operator's state are keys.
    pub fn key_columns(&self) -> Vec<u32> {
        let operators = self.operators.iter();
        let num_keys = operators.map(|operator| u32::try_from(operator.layout().num_keys));
        num_keys.map(|num_keys| num_keys.unwrap_or(u32::MAX)).collect()
    }

    /// What is known of its operators, in the order of their numbers.
    pub fn operator_facts(&self) -> Arc<[OperatorFacts]> {
        self.operators.iter().map(|operator| operator.facts()).collect()
    }

    /// Sets what `current_timestamp()` gives.
    pub fn set_batch_time(&self, now_ms: i64) {
        self.batch_time_ms.store(now_ms, Ordering::Release);
    }

    /// The plan as indented text.
    pub fn explain(&self) -> String {
        displayable(self.root.as_ref()).indent(false).to_string()
    }
}

/// Binds `now()` and its kin to the batch's own time, which the optimizer would fold into the plan otherwise, and random
/// numbers to the batch.
fn bind_batch_time(plan: LogicalPlan, now_ms: &Arc<AtomicI64>) -> PlanResult<LogicalPlan> {
    plan.transform_down_with_subqueries(|plan| {
        plan.map_expressions(|expr| {
            expr.transform_up(|expr| match &expr {
                Expr::ScalarFunction(function) => {
                    let name = function.func.name();
                    let bound = match (batch_timestamp(name, now_ms), in_batches(name, now_ms)) {
                        (Some(bound), _) => bound.call(vec![]),
                        (None, Some(bound)) => bound.call(function.args.clone()),
                        (None, None) => return Ok(Transformed::no(expr)),
                    };
                    let name = expr.qualified_name().1;
                    Ok(Transformed::yes(bound.alias(name)))
                }
                _ => Ok(Transformed::no(expr)),
            })
        })
    })
    .data()
}

/// Plans our logical nodes.
#[derive(Debug)]
struct StreamingPlanner;

#[async_trait]
impl ExtensionPlanner for StreamingPlanner {
    async fn plan_extension(
        &self,
        planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn datafusion::catalog::Session,
        context: &datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext,
    ) -> PlanResult<Option<Arc<dyn ExecutionPlan>>> {
        if let Some(watermark) = node.as_any().downcast_ref::<EventTimeWatermark>() {
            let schema = node.schema();
            let column = schema.index_of_column(watermark.column())?;
            let input = Arc::clone(&physical_inputs[0]);
            let schema = Arc::new(schema.as_arrow().clone());
            return Ok(Some(Arc::new(EventTimeWatermarkExec::new(
                input,
                column,
                watermark.delay_ms(),
                schema,
            ))));
        }
        if node.as_any().is::<UnionEventTime>() {
            let schema = Arc::new(node.schema().as_arrow().clone());
            let exec = WithSchemaExec::new(Arc::clone(&physical_inputs[0]), schema);
            return Ok(Some(Arc::new(exec)));
        }
        if let Some(deduplicate) = node.as_any().downcast_ref::<Deduplicate>() {
            let schema = node.schema();
            let keys = deduplicate.keys().iter().map(|key| schema.index_of_column(key));
            let input = Arc::clone(&physical_inputs[0]);
            let keys = keys.collect::<PlanResult<_>>()?;
            let exec = DeduplicateExec::try_new(input, keys, deduplicate.within_watermark())?;
            return Ok(Some(Arc::new(exec)));
        }
        if let Some(top) = node.as_any().downcast_ref::<TopN>() {
            return Ok(Some(Arc::new(top.plan(Arc::clone(&physical_inputs[0]))?)));
        }
        if let Some(limit) = node.as_any().downcast_ref::<StreamLimit>() {
            let exec = StreamLimitExec::try_new(Arc::clone(&physical_inputs[0]), limit.fetch())?;
            return Ok(Some(Arc::new(exec)));
        }
        if let (Some(join), [left, right]) = (node.as_any().downcast_ref::<StreamJoin>(), physical_inputs) {
            let inputs = [Arc::clone(left), Arc::clone(right)];
            return Ok(Some(Arc::new(join.plan(planner, inputs, session, context)?)));
        }
        Ok(None)
    }
}

/// Puts state between the two stages of each aggregate over a stream.
#[derive(Debug)]
struct StatefulAggregates {
    output_mode: OutputMode,
    /// The names that qualify columns in the query, longest first.
    relations: Vec<String>,
}

impl PhysicalOptimizerRule for StatefulAggregates {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let Some(last) = node.downcast_ref::<AggregateExec>() else {
                return Ok(Transformed::no(node));
            };
            let is_last = matches!(
                last.mode(),
                AggregateMode::Final | AggregateMode::FinalPartitioned
            );
            let Some(partial) = last.input().downcast_ref::<AggregateExec>() else {
                return Ok(Transformed::no(node));
            };
            if !is_last || !reads_stream(partial.input())? {
                return Ok(Transformed::no(node));
            }
            let (mode, relations) = (self.output_mode, &self.relations);
            let streaming: Arc<dyn ExecutionPlan> = if groups_by_session(partial) {
                Arc::new(SessionWindowExec::try_new(partial, last, mode, relations)?)
            } else {
                Arc::new(StreamingAggregateExec::try_new(partial, last, mode, relations)?)
            };
            Ok(Transformed::yes(streaming))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "stateful_aggregates"
    }

    fn schema_check(&self) -> bool {
        false
    }
}

/// Every name that qualifies a column somewhere in a plan, longest first.
fn relations_of(plan: &LogicalPlan) -> PlanResult<Vec<String>> {
    let mut relations = BTreeSet::new();
    plan.apply_with_subqueries(|node| {
        let qualifiers = node.schema().iter().filter_map(|(qualifier, _)| qualifier);
        relations.extend(qualifiers.map(ToString::to_string));
        Ok(TreeNodeRecursion::Continue)
    })?;
    let mut relations = relations.into_iter().collect::<Vec<_>>();
    relations.sort_by_key(|relation| std::cmp::Reverse(relation.len()));
    Ok(relations)
}

fn reads_stream(plan: &Arc<dyn ExecutionPlan>) -> PlanResult<bool> {
    plan.exists(|node| Ok(node.is::<StreamScanExec>()))
}
