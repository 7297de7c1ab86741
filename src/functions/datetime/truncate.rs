//! `trunc` and `date_trunc`: the beginning of a unit of time.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array};
use arrow::datatypes::{DataType, Date32Type, TimestampMicrosecondType};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::timestamps;
use super::unit::Unit;
use crate::functions::support::Kind::{Date, Text, Timestamp};
use crate::functions::support::{Call, Function, params, returns, timestamp_type};
use crate::types::calendar::{join_micros, split_micros};

/// The functions of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        Function::new("trunc", params(&[Date, Text]), returns!(DataType::Date32), trunc).udf(),
        Function::new(
            "date_trunc",
            params(&[Text, Timestamp]),
            returns!(timestamp_type()),
            date_trunc,
        )
        .udf(),
    ]
}

/// A format that is none gives null, as in Spark.
#[expect(clippy::unnecessary_wraps, reason = "it is a function's work")]
fn trunc(call: &Call) -> Result<ArrayRef> {
    let days = call.primitive::<Date32Type>(0);
    let dates = days.iter().zip(call.text(1)).map(|(days, format)| {
        // A date has no hours to cut off, and Spark leaves it no days either.
        let unit =
            Unit::parse_format(format?).filter(|unit| !matches!(unit, Unit::Micros(_) | Unit::Days(1)))?;
        unit.truncate(join_micros(days?, 0)?)
            .map(|local| split_micros(local).0)
    });
    Ok(Arc::new(dates.collect::<Date32Array>()))
}

#[expect(clippy::unnecessary_wraps, reason = "it is a function's work")]
fn date_trunc(call: &Call) -> Result<ArrayRef> {
    let rules = call.time_zone().rules();
    let times = call.primitive::<TimestampMicrosecondType>(1);
    let mut known: (Option<String>, Option<Unit>) = (None, None);
    let begins = call.text(0).iter().zip(times).map(|(format, time)| {
        let (format, time) = (format?, time?);
        if known.0.as_deref() != Some(format) {
            known = (Some(format.to_owned()), Unit::parse_format(format));
        }
        rules.from_local(known.1?.truncate(rules.to_local(time))?)
    });
    Ok(timestamps(begins))
}
