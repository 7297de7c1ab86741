//! DataFusion configured to Spark's ways.

use std::sync::Arc;

use datafusion::config::Dialect;
use datafusion::execution::config::SessionConfig;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::optimizer::{Analyzer, AnalyzerRule};
use datafusion::prelude::SessionContext;
use datafusion_spark::SessionStateBuilderSpark;

use crate::functions;
use crate::functions::planner::{SparkExprPlanner, SparkTypePlanner};
use crate::plan::casts::SparkCasts;
use crate::plan::filter_pushdown::physical_optimizer_rules;
use crate::plan::generator::RewriteGenerators;

/// A context with Spark's functions and defaults, that splits work into `partitions` parts.
pub fn new_context(partitions: usize) -> SessionContext {
    let mut config = SessionConfig::new()
        .with_target_partitions(partitions)
        .with_information_schema(false);
    let options = config.options_mut();
    // Names keep their case and are resolved without regard to it by `sql::rewrite`.
    options.sql_parser.enable_ident_normalization = false;
    options.sql_parser.collect_spans = true;
    options.sql_parser.dialect = Dialect::Spark;
    options.sql_parser.map_string_types_to_utf8view = false;
    // ASC puts nulls first, DESC last.
    "nulls_min".clone_into(&mut options.sql_parser.default_null_ordering);
    options.execution.time_zone = Some("UTC".to_owned());
    options.execution.parquet.schema_force_view_types = false;
    options.execution.enable_ansi_mode = true;
    let lambdas = functions::higher_order_functions();
    let mut rules: Vec<Arc<dyn AnalyzerRule + Send + Sync>> = vec![Arc::new(RewriteGenerators)];
    rules.extend(Analyzer::new().rules);
    rules.push(Arc::new(SparkCasts));
    // A folder is listed when it is read: a listing that is kept would hide what a query has written since.
    let runtime = RuntimeEnvBuilder::new()
        .with_object_list_cache_limit(0)
        .build_arc();
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime.unwrap_or_default())
        .with_default_features()
        .with_higher_order_functions(lambdas.clone())
        .with_analyzer_rules(rules)
        .with_physical_optimizer_rules(physical_optimizer_rules())
        .with_spark_features()
        .with_type_planner(Arc::new(SparkTypePlanner));
    state
        .expr_planners()
        .get_or_insert_with(Vec::new)
        .insert(0, Arc::new(SparkExprPlanner));
    let scalars = state.scalar_functions().get_or_insert_with(Vec::new);
    // A scalar function would be found before the one of the same name that takes a lambda.
    let taken: Vec<&str> = lambdas.iter().map(|function| function.name()).collect();
    scalars.retain(|function| !taken.contains(&function.name()));
    scalars.extend(functions::scalar_functions());
    state
        .aggregate_functions()
        .get_or_insert_with(Vec::new)
        .extend(functions::aggregate_functions());
    SessionContext::new_with_state(state.build())
}
