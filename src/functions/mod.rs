//! Spark functions that DataFusion lacks or answers otherwise, one file a family.

pub mod aggregate;
mod arithmetic;
mod assertion;
pub mod batch_time;
pub(crate) mod cast;
mod collection;
mod datetime;
pub mod generator;
mod hash;
mod json;
mod math;
pub mod planner;
pub mod random;
pub mod session_window;
pub mod sliding;
mod string;
mod support;
pub mod window;

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF};

use crate::plan::deduplicate::within_watermark_udf;

/// The scalar functions of this folder.
pub fn scalar_functions() -> Vec<Arc<ScalarUDF>> {
    let mut functions = vec![
        window::window_udf(),
        window::window_time_udf(),
        within_watermark_udf(),
    ];
    functions.extend(arithmetic::functions());
    functions.extend(assertion::functions());
    functions.extend(random::functions());
    functions.push(session_window::session_window_udf());
    functions.extend(collection::functions());
    functions.extend(datetime::functions());
    functions.extend(generator::functions());
    functions.extend(hash::functions());
    functions.extend(json::functions());
    functions.extend(math::functions());
    functions.extend(string::functions());
    functions
}

/// The functions of this folder that take lambdas.
pub fn higher_order_functions() -> Vec<Arc<HigherOrderUDF>> {
    collection::higher_order_functions()
}

/// The aggregate functions of this folder.
pub fn aggregate_functions() -> Vec<Arc<AggregateUDF>> {
    aggregate::functions()
}
