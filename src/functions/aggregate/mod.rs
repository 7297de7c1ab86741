//! Aggregates that DataFusion lacks or answers otherwise.
//!
//! All of them have a state in columns that merges, so that a stream can go on with it.
//!
//! # Layout
//!
//! - `average`: `avg`
//! - `counted`: `mode`, `percentile`, `percentile_approx`
//! - `extremum`: `max_by`, `min_by`
//! - `moments`: `skewness`, `kurtosis`
//! - `sum`: `sum`

pub mod average;
mod counted;
mod extremum;
mod moments;
mod sum;

use std::sync::Arc;

use datafusion::logical_expr::AggregateUDF;

/// The functions of this folder.
pub(super) fn functions() -> Vec<Arc<AggregateUDF>> {
    let mut functions = vec![average::average_udaf(), sum::sum()];
    functions.extend(counted::functions());
    functions.extend(extremum::functions());
    functions.extend(moments::functions());
    functions
}
