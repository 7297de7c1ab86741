//! Functions of doubles, with Spark's answers where mathematics has none: null for a logarithm, NaN for a root.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::functions::support::Kind::{Any, Double};
use crate::functions::support::{Call, Function, params, returns};

/// The functions of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        of_double("ln", |call| each(call, |value| (value > 0.0).then(|| value.ln()))),
        of_double("log10", |call| {
            each(call, |value| (value > 0.0).then(|| value.log10()))
        }),
        of_double("log2", |call| {
            each(call, |value| (value > 0.0).then(|| value.log2()))
        }),
        of_double("log1p", |call| {
            each(call, |value| (value > -1.0).then(|| value.ln_1p()))
        }),
        of_double("sqrt", |call| each(call, |value| Some(value.sqrt()))),
        of_double("sign", |call| {
            each(call, |value| {
                Some(if value == 0.0 || value.is_nan() {
                    value
                } else {
                    value.signum()
                })
            })
        }),
        of_double("signum", |call| {
            each(call, |value| {
                Some(if value == 0.0 || value.is_nan() {
                    value
                } else {
                    value.signum()
                })
            })
        }),
        Function::new(
            "log",
            params(&[Double]).or(&[Double]),
            returns!(DataType::Float64),
            log,
        )
        .udf(),
        Function::new("e", params(&[]), returns!(DataType::Float64), |call| {
            Ok(Arc::new(Float64Array::from_value(std::f64::consts::E, call.rows)))
        })
        .udf(),
        Function::new("isnan", params(&[Double]), returns!(DataType::Boolean), |call| {
            let values = call.primitive::<Float64Type>(0);
            let answers = values.iter().map(|value| Some(value.is_some_and(f64::is_nan)));
            Ok(Arc::new(answers.collect::<BooleanArray>()))
        })
        .udf(),
        Function::new(
            "positive",
            params(&[Any]),
            |planned| Ok(planned.types[0].clone()),
            |call| Ok(Arc::clone(&call.args[0])),
        )
        .udf(),
    ]
}

fn of_double(name: &'static str, work: fn(&Call) -> Result<ArrayRef>) -> Arc<ScalarUDF> {
    Function::new(name, params(&[Double]), returns!(DataType::Float64), work).udf()
}

#[expect(clippy::unnecessary_wraps, reason = "it is the end of a function's work")]
fn each(call: &Call, function: impl Fn(f64) -> Option<f64>) -> Result<ArrayRef> {
    let values: Float64Array = call.primitive::<Float64Type>(0).unary_opt(function);
    Ok(Arc::new(values))
}

/// `log(value)`, or `log(base, value)`.
fn log(call: &Call) -> Result<ArrayRef> {
    if !call.has(1) {
        return each(call, |value| (value > 0.0).then(|| value.ln()));
    }
    let (bases, values) = (call.primitive::<Float64Type>(0), call.primitive::<Float64Type>(1));
    let rows = (0..call.rows).map(|row| {
        if bases.is_null(row) || values.is_null(row) {
            return None;
        }
        let (base, value) = (bases.value(row), values.value(row));
        (base > 0.0 && value > 0.0).then(|| value.ln() / base.ln())
    });
    Ok(Arc::new(rows.collect::<Float64Array>()))
}
