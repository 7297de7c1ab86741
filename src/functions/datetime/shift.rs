//! So many days, months or hours later, and how many of them lie between two times.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Float64Array, Int32Array, Int64Array};
use arrow::datatypes::{DataType, Date32Type, Int32Type, Int64Type, TimestampMicrosecondType};
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::logical_expr::ScalarUDF;

use super::timestamps;
use super::unit::{Unit, add_months};
use crate::functions::support::Kind::{Boolean, Date, Int, Long, Text, Timestamp};
use crate::functions::support::{Call, Function, Returns, params, returns, timestamp_type};
use crate::types::calendar::{MICROS_PER_SECOND, civil_from_days, days_in_month, split_micros};

/// The functions of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    let date: Returns = returns!(DataType::Date32);
    vec![
        Function::new("date_add", params(&[Date, Int]), date, |call| {
            shift(call, i32::checked_add)
        })
        .alias(&["dateadd"])
        .udf(),
        Function::new("date_sub", params(&[Date, Int]), date, |call| {
            shift(call, i32::checked_sub)
        })
        .udf(),
        Function::new("add_months", params(&[Date, Int]), date, |call| {
            shift(call, add_months)
        })
        .udf(),
        Function::new(
            "datediff",
            params(&[Date, Date]),
            returns!(DataType::Int32),
            |call| {
                let (ends, starts) = (call.primitive::<Date32Type>(0), call.primitive::<Date32Type>(1));
                let days = ends.iter().zip(starts);
                let days = days.map(|(end, start)| Some(end?.wrapping_sub(start?)));
                Ok(Arc::new(days.collect::<Int32Array>()))
            },
        )
        .alias(&["date_diff"])
        .udf(),
        Function::new("last_day", params(&[Date]), date, |call| {
            let days = call.primitive::<Date32Type>(0);
            let lasts = days.iter().map(|days| {
                let date = civil_from_days(days?);
                days?.checked_add(days_in_month(date.year, date.month).cast_signed() - date.day.cast_signed())
            });
            Ok(Arc::new(lasts.collect::<Date32Array>()))
        })
        .udf(),
        Function::new("next_day", params(&[Date, Text]), date, next_day).udf(),
        Function::new(
            "timestampadd",
            params(&[Text, Long, Timestamp]),
            returns!(timestamp_type()),
            timestamp_add,
        )
        .udf(),
        Function::new(
            "timestampdiff",
            params(&[Text, Timestamp, Timestamp]),
            returns!(DataType::Int64),
            timestamp_diff,
        )
        .udf(),
        Function::new(
            "months_between",
            params(&[Timestamp, Timestamp]).or(&[Boolean]),
            returns!(DataType::Float64),
            months_between,
        )
        .udf(),
    ]
}

fn shift(call: &Call, by: impl Fn(i32, i32) -> Option<i32>) -> Result<ArrayRef> {
    let (days, counts) = (call.primitive::<Date32Type>(0), call.primitive::<Int32Type>(1));
    let shifted = days.iter().zip(counts).map(|pair| match pair {
        (Some(days), Some(count)) => by(days, count).map(Some).ok_or_else(|| {
            exec_datafusion_err!("a date cannot be moved by {count}: it would be out of range")
        }),
        _ => Ok(None),
    });
    Ok(Arc::new(shifted.collect::<Result<Date32Array>>()?))
}

fn next_day(call: &Call) -> Result<ArrayRef> {
    const NAMES: [(&str, &str, &str); 7] = [
        ("MO", "MON", "MONDAY"),
        ("TU", "TUE", "TUESDAY"),
        ("WE", "WED", "WEDNESDAY"),
        ("TH", "THU", "THURSDAY"),
        ("FR", "FRI", "FRIDAY"),
        ("SA", "SAT", "SATURDAY"),
        ("SU", "SUN", "SUNDAY"),
    ];
    let (days, names) = (call.primitive::<Date32Type>(0), call.text(1));
    let next = days.iter().zip(names).map(|pair| {
        let (Some(days), Some(name)) = pair else {
            return Ok(None);
        };
        let upper = name.to_ascii_uppercase();
        let wanted = (0..)
            .zip(NAMES)
            .find(|(_, names)| [names.0, names.1, names.2].contains(&upper.as_str()));
        let Some((wanted, _)) = wanted else {
            return exec_err!("next_day: '{name}' is no day of the week");
        };
        let ahead: i32 = (wanted - super::fields::weekday(days) - 1_i32).rem_euclid(7) + 1;
        Ok(days.checked_add(ahead))
    });
    Ok(Arc::new(next.collect::<Result<Date32Array>>()?))
}

/// The unit that an argument names.
fn unit_of(name: &str, function: &str) -> Result<Unit> {
    Unit::parse(name).ok_or_else(|| {
        exec_datafusion_err!("{function}: '{name}' is no unit of time: write DAY, HOUR, MONTH and the like")
    })
}

fn timestamp_add(call: &Call) -> Result<ArrayRef> {
    let rules = call.time_zone().rules();
    let (units, counts) = (call.text(0), call.primitive::<Int64Type>(1));
    let times = call.primitive::<TimestampMicrosecondType>(2);
    let shifted = (0..call.rows).map(|row| {
        let at = |is_valid: bool| is_valid.then_some(row);
        let row = at(units.is_valid(row) && counts.is_valid(row) && times.is_valid(row));
        let Some(row) = row else { return Ok(None) };
        let unit = unit_of(units.value(row), "timestampadd")?;
        let (count, time) = (counts.value(row), times.value(row));
        unit.add(count, time, rules).map(Some).ok_or_else(|| {
            exec_datafusion_err!("a timestamp cannot be moved by {count}: it would be out of range")
        })
    });
    Ok(timestamps(shifted.collect::<Result<Vec<_>>>()?.into_iter()))
}

fn timestamp_diff(call: &Call) -> Result<ArrayRef> {
    let rules = call.time_zone().rules();
    let (starts, ends) = (
        call.args[1].as_primitive::<TimestampMicrosecondType>(),
        call.args[2].as_primitive::<TimestampMicrosecondType>(),
    );
    let rows = call.text(0).iter().zip(starts.iter().zip(ends));
    let counts = rows.map(|row| match row {
        (Some(unit), (Some(start), Some(end))) => {
            Ok(Some(unit_of(unit, "timestampdiff")?.between(start, end, rules)))
        }
        _ => Ok(None),
    });
    Ok(Arc::new(counts.collect::<Result<Int64Array>>()?))
}

#[expect(clippy::unnecessary_wraps, reason = "it is a function's work")]
fn months_between(call: &Call) -> Result<ArrayRef> {
    let rules = call.time_zone().rules();
    let (ends, starts) = (
        call.primitive::<TimestampMicrosecondType>(0),
        call.primitive::<TimestampMicrosecondType>(1),
    );
    let rounds = |row: usize| !call.has(2) || call.args[2].as_boolean().value(row);
    let months = ends.iter().zip(starts).enumerate().map(|(row, pair)| {
        let months = months_of(rules.to_local(pair.0?), rules.to_local(pair.1?));
        Some(if rounds(row) {
            (months * 1e8).round() / 1e8
        } else {
            months
        })
    });
    Ok(Arc::new(months.collect::<Float64Array>()))
}

/// Spark's count of months: whole ones between equal days or last days, otherwise days count as 31sts of a month.
fn months_of(end: i64, start: i64) -> f64 {
    let ((end_days, end_micros), (start_days, start_micros)) = (split_micros(end), split_micros(start));
    let (last, first) = (civil_from_days(end_days), civil_from_days(start_days));
    let months = f64::from(last.year - first.year) * 12.0 + f64::from(last.month) - f64::from(first.month);
    let is_last = |date: crate::types::calendar::CivilDate| date.day == days_in_month(date.year, date.month);
    if last.day == first.day || (is_last(last) && is_last(first)) {
        return months;
    }
    let seconds_in_month = 31.0 * 86_400.0;
    let days = i64::from(last.day) - i64::from(first.day);
    let seconds = days * 86_400 + end_micros / MICROS_PER_SECOND - start_micros / MICROS_PER_SECOND;
    #[expect(clippy::cast_precision_loss, reason = "a month has few seconds")]
    let part = seconds as f64 / seconds_in_month;
    months + part
}
