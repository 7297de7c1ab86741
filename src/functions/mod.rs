//! Spark functions that DataFusion lacks, one file a family.

pub mod batch_time;
pub mod window;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

/// The scalar functions of this folder.
pub fn scalar_functions() -> Vec<Arc<ScalarUDF>> {
    vec![window::window_udf(), window::window_time_udf()]
}
