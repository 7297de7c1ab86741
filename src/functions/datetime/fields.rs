//! Parts of dates and timestamps.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Int32Array, StringArray};
use arrow::datatypes::{DataType, Date32Type, TimestampMicrosecondType};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::functions::support::Kind::{Date, Timestamp};
use crate::functions::support::{Call, Function, params, returns};
use crate::types::calendar::{civil_from_days, day_of_year, days_from_civil, split_micros};

/// The functions of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        of_date("year", |call| days(call, |days| civil_from_days(days).year)),
        of_date("month", |call| {
            days(call, |days| civil_from_days(days).month.cast_signed())
        }),
        Function::new("day", params(&[Date]), returns!(DataType::Int32), |call| {
            days(call, |days| civil_from_days(days).day.cast_signed())
        })
        .alias(&["dayofmonth"])
        .udf(),
        of_date("quarter", |call| {
            days(call, |days| {
                civil_from_days(days).month.cast_signed().wrapping_add(2) / 3
            })
        }),
        of_date("dayofyear", |call| {
            days(call, |days| day_of_year(civil_from_days(days)).cast_signed())
        }),
        of_date("dayofweek", |call| days(call, |days| (weekday(days) + 1) % 7 + 1)),
        of_date("dayofweek_iso", |call| days(call, |days| weekday(days) + 1)),
        of_date("weekday", |call| days(call, weekday)),
        of_date("weekofyear", |call| days(call, |days| week(days).1)),
        of_date("yearofweek", |call| days(call, |days| week(days).0)),
        Function::new("dayname", params(&[Date]), returns!(DataType::Utf8), |call| {
            const NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
            let days = call.primitive::<Date32Type>(0);
            let names = days.iter().map(|days| {
                let weekday = usize::try_from(weekday(days?)).ok()?;
                NAMES.get(weekday).copied()
            });
            Ok(Arc::new(names.collect::<StringArray>()))
        })
        .udf(),
        of_time("hour", |call| time_of_day(call, |micros| micros / 3_600_000_000)),
        of_time("minute", |call| {
            time_of_day(call, |micros| micros / 60_000_000 % 60)
        }),
        of_time("second", |call| {
            time_of_day(call, |micros| micros / 1_000_000 % 60)
        }),
        Function::new(
            "second_with_fraction",
            params(&[Timestamp]),
            returns!(DataType::Decimal128(8, 6)),
            |call| {
                let rules = call.time_zone().rules();
                let times = call.primitive::<TimestampMicrosecondType>(0);
                let seconds: Decimal128Array =
                    times.unary(|time| i128::from(rules.to_local(time).rem_euclid(60_000_000)));
                Ok(Arc::new(seconds.with_precision_and_scale(8, 6)?))
            },
        )
        .udf(),
    ]
}

fn of_date(name: &'static str, work: fn(&Call) -> Result<ArrayRef>) -> Arc<ScalarUDF> {
    Function::new(name, params(&[Date]), returns!(DataType::Int32), work).udf()
}

fn of_time(name: &'static str, work: fn(&Call) -> Result<ArrayRef>) -> Arc<ScalarUDF> {
    Function::new(name, params(&[Timestamp]), returns!(DataType::Int32), work).udf()
}

#[expect(clippy::unnecessary_wraps, reason = "it is the end of a function's work")]
fn days(call: &Call, part: impl Fn(i32) -> i32) -> Result<ArrayRef> {
    let days = call.primitive::<Date32Type>(0);
    let parts: Int32Array = days.unary(part);
    Ok(Arc::new(parts))
}

#[expect(clippy::unnecessary_wraps, reason = "it is the end of a function's work")]
fn time_of_day(call: &Call, part: impl Fn(i64) -> i64) -> Result<ArrayRef> {
    let rules = call.time_zone().rules();
    let times = call.primitive::<TimestampMicrosecondType>(0);
    let parts = times.iter().map(|time| {
        let (_, micros) = split_micros(rules.to_local(time?));
        i32::try_from(part(micros)).ok()
    });
    Ok(Arc::new(parts.collect::<Int32Array>()))
}

/// Days since Monday.
pub(super) fn weekday(days: i32) -> i32 {
    // 1970-01-01 was a Thursday.
    (days.rem_euclid(7) + 3) % 7
}

/// The ISO year and week that a day is in: the week belongs to the year that has its Thursday.
fn week(days: i32) -> (i32, i32) {
    let thursday = days.saturating_sub(weekday(days)).saturating_add(3);
    let date = civil_from_days(thursday);
    let first = days_from_civil(date.year, 1, 1).unwrap_or(thursday);
    (date.year, (thursday - first) / 7 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_belong_to_the_year_of_their_thursday() {
        for (year, month, day, expected) in [
            (2027, 1, 1, (2026, 53)),
            (2026, 3, 4, (2026, 10)),
            (2024, 12, 30, (2025, 1)),
            (-1, 1, 4, (-1, 1)),
        ] {
            let days = days_from_civil(year, month, day).expect("a day");
            assert_eq!(week(days), expected, "{year}-{month}-{day}");
        }
        assert_eq!(weekday(0), 3);
        assert_eq!(weekday(-1), 2);
    }
}
