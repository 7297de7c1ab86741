//! Numbers of seconds, milliseconds, microseconds and days since 1970-01-01.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Date32Array, Int32Array, Int64Array};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::logical_expr::ScalarUDF;

use super::timestamps;
use crate::functions::support::Kind::{Date, Int, Long, Number, Timestamp};
use crate::functions::support::{Call, Function, Returns, params, returns, timestamp_type};

/// The functions of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    let time: Returns = returns!(timestamp_type());
    vec![
        Function::new("timestamp_seconds", params(&[Number]), time, seconds).udf(),
        Function::new("timestamp_millis", params(&[Long]), time, |call| {
            times(call, 1_000)
        })
        .udf(),
        Function::new("timestamp_micros", params(&[Long]), time, |call| times(call, 1)).udf(),
        count("unix_seconds", |call| counts(call, 1_000_000)),
        count("unix_millis", |call| counts(call, 1_000)),
        count("unix_micros", |call| counts(call, 1)),
        Function::new("unix_date", params(&[Date]), returns!(DataType::Int32), |call| {
            let days: Int32Array = call.primitive::<Date32Type>(0).unary(|days| days);
            Ok(Arc::new(days))
        })
        .udf(),
        Function::new(
            "date_from_unix_date",
            params(&[Int]),
            returns!(DataType::Date32),
            |call| {
                let days: Date32Array = call.primitive::<Int32Type>(0).unary(|days| days);
                Ok(Arc::new(days))
            },
        )
        .udf(),
    ]
}

fn count(name: &'static str, work: fn(&Call) -> Result<ArrayRef>) -> Arc<ScalarUDF> {
    Function::new(name, params(&[Timestamp]), returns!(DataType::Int64), work).udf()
}

#[expect(clippy::unnecessary_wraps, reason = "it is the end of a function's work")]
fn counts(call: &Call, unit: i64) -> Result<ArrayRef> {
    let times = call.primitive::<TimestampMicrosecondType>(0);
    let counts: Int64Array = times.unary(|time| time.div_euclid(unit));
    Ok(Arc::new(counts))
}

fn times(call: &Call, unit: i64) -> Result<ArrayRef> {
    let counts = call.primitive::<Int64Type>(0).iter().map(|count| {
        let Some(count) = count else { return Ok(None) };
        let micros = count.checked_mul(unit).map(Some);
        micros.ok_or_else(|| exec_datafusion_err!("{count} is too far from 1970 for a timestamp"))
    });
    Ok(timestamps(counts.collect::<Result<Vec<_>>>()?.into_iter()))
}

fn seconds(call: &Call) -> Result<ArrayRef> {
    match call.args[0].data_type() {
        DataType::Decimal128(_, scale) => {
            let unit = 10_i128.pow(u32::try_from(*scale).unwrap_or_default());
            let values = call.args[0].as_primitive::<Decimal128Type>().iter().map(|value| {
                let Some(value) = value else { return Ok(None) };
                let micros = value.checked_mul(1_000_000).unwrap_or(i128::MAX);
                if micros % unit != 0 {
                    return exec_err!("timestamp_seconds: the fraction is finer than microseconds");
                }
                let micros = i64::try_from(micros / unit).map(Some);
                micros.or_else(|_| exec_err!("timestamp_seconds: too far from 1970 for a timestamp"))
            });
            Ok(timestamps(values.collect::<Result<Vec<_>>>()?.into_iter()))
        }
        DataType::Float64 | DataType::Float32 => {
            let seconds = arrow::compute::cast(&call.args[0], &DataType::Float64)?;
            let seconds = seconds.as_primitive::<Float64Type>().iter();
            #[expect(clippy::cast_possible_truncation, reason = "Java's cast saturates too")]
            Ok(timestamps(seconds.map(|seconds| {
                seconds
                    .filter(|seconds| seconds.is_finite())
                    .map(|seconds| (seconds * 1e6) as i64)
            })))
        }
        _ => {
            let counts = arrow::compute::cast(&call.args[0], &DataType::Int64)?;
            let counts = counts.as_primitive::<Int64Type>().iter().map(|count| {
                let Some(count) = count else { return Ok(None) };
                let micros = count.checked_mul(1_000_000).map(Some);
                micros.ok_or_else(|| exec_datafusion_err!("{count} is too far from 1970 for a timestamp"))
            });
            Ok(timestamps(counts.collect::<Result<Vec<_>>>()?.into_iter()))
        }
    }
}
