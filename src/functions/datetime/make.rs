//! Dates and timestamps from their parts.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Decimal128Type, Int32Type, TimeUnit};
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::logical_expr::ScalarUDF;

use super::timestamps;
use crate::functions::support::Kind::{Decimal, Int, Text};
use crate::functions::support::{Call, Function, Params, Returns, params, returns, timestamp_type};
use crate::types::calendar::{days_from_civil, join_micros};
use crate::types::time_zone::ZoneRules;

const PARTS: Params = params(&[Int, Int, Int, Int, Int, Decimal(16, 6)]);

/// The functions of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    let time: Returns = returns!(timestamp_type());
    let local: Returns = returns!(DataType::Timestamp(TimeUnit::Microsecond, None));
    vec![
        Function::new(
            "make_date",
            params(&[Int, Int, Int]),
            returns!(DataType::Date32),
            make_date,
        )
        .udf(),
        Function::new("make_timestamp", PARTS.or(&[Text]), time, |call| {
            moments(call, false)
        })
        .alias(&["make_timestamp_ltz"])
        .udf(),
        Function::new("try_make_timestamp", PARTS.or(&[Text]), time, |call| {
            moments(call, true)
        })
        .alias(&["try_make_timestamp_ltz"])
        .udf(),
        Function::new("make_timestamp_ntz", PARTS, local, |call| locals(call, false)).udf(),
        Function::new("try_make_timestamp_ntz", PARTS, local, |call| locals(call, true)).udf(),
    ]
}

fn part(call: &Call, index: usize, row: usize) -> Option<i32> {
    let parts = call.args[index].as_primitive::<Int32Type>();
    parts.is_valid(row).then(|| parts.value(row))
}

fn days(year: i32, month: i32, day: i32) -> Option<i32> {
    days_from_civil(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
}

fn make_date(call: &Call) -> Result<ArrayRef> {
    let dates = (0..call.rows).map(|row| {
        let (Some(year), Some(month), Some(day)) =
            (part(call, 0, row), part(call, 1, row), part(call, 2, row))
        else {
            return Ok(None);
        };
        let days = days(year, month, day).map(Some);
        days.ok_or_else(|| exec_datafusion_err!("make_date: there is no day {year}-{month}-{day}"))
    });
    Ok(Arc::new(dates.collect::<Result<Date32Array>>()?))
}

/// The local time of a row, in microseconds; 60 seconds are the next minute.
fn local(call: &Call, row: usize, is_try: bool) -> Result<Option<i64>> {
    let mut parts = [0; 5];
    for (index, value) in parts.iter_mut().enumerate() {
        let Some(given) = part(call, index, row) else {
            return Ok(None);
        };
        *value = given;
    }
    let seconds = call.args[5].as_primitive::<Decimal128Type>();
    if seconds.is_null(row) {
        return Ok(None);
    }
    let micros = i64::try_from(seconds.value(row)).unwrap_or(i64::MAX);
    let [year, month, day, hour, minute] = parts;
    let is_time = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..=60_000_000).contains(&micros);
    let of_day = (i64::from(hour) * 60 + i64::from(minute)) * 60_000_000 + micros;
    let made = days(year, month, day)
        .filter(|_| is_time)
        .and_then(|days| join_micros(days, of_day));
    if made.is_none() && !is_try {
        let seconds = f64::from(i32::try_from(micros / 1_000).unwrap_or(i32::MAX)) / 1e3;
        return exec_err!(
            "make_timestamp: there is no time {year}-{month}-{day} {hour}:{minute}:{seconds}; try_make_timestamp gives null instead"
        );
    }
    Ok(made)
}

fn moments(call: &Call, is_try: bool) -> Result<ArrayRef> {
    let session = call.time_zone().rules();
    let times = (0..call.rows).map(|row| {
        let Some(local) = local(call, row, is_try)? else {
            return Ok(None);
        };
        if !call.has(6) {
            return Ok(session.from_local(local));
        }
        let zones = call.text(6);
        if zones.is_null(row) {
            return Ok(None);
        }
        let zone = zones.value(row);
        let rules = ZoneRules::find(zone);
        rules
            .map(|rules| rules.from_local(local))
            .ok_or_else(|| exec_datafusion_err!("there is no time zone '{zone}'"))
    });
    Ok(timestamps(times.collect::<Result<Vec<_>>>()?.into_iter()))
}

fn locals(call: &Call, is_try: bool) -> Result<ArrayRef> {
    let times = (0..call.rows).map(|row| local(call, row, is_try));
    Ok(Arc::new(times.collect::<Result<TimestampMicrosecondArray>>()?))
}
