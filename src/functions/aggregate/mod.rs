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

use arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::AggregateUDF;

use crate::types::spark_type_name;

/// The functions of this folder.
pub(super) fn functions() -> Vec<Arc<AggregateUDF>> {
    let mut functions = vec![average::average_udaf(), sum::sum()];
    functions.extend(counted::functions());
    functions.extend(extremum::functions());
    functions.extend(moments::functions());
    functions
}

/// What a sum or an average of values of a type is computed over: whole numbers as BIGINT, fractions and texts as DOUBLE.
///
/// # Errors
///
/// A plan error if they cannot be added up.
fn summands(function: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    use DataType as T;
    let [given] = types else {
        return plan_err!("{function} takes 1 argument, not {}", types.len());
    };
    Ok(vec![match given {
        T::Utf8 | T::LargeUtf8 | T::Utf8View | T::Null => T::Float64,
        given if given.is_unsigned_integer() => T::UInt64,
        given if given.is_integer() => T::Int64,
        given if given.is_floating() => T::Float64,
        given if given.is_decimal() || matches!(given, T::Interval(_) | T::Duration(_)) => given.clone(),
        given => {
            return plan_err!(
                "{function} does not take ({})",
                spark_type_name(given).to_uppercase()
            );
        }
    }])
}
