//! Dates and timestamps from texts and to texts, by Java's patterns or, without one, as CAST does it.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ScalarUDF;

use super::timestamps;
use crate::functions::cast::{Casting, cast_column};
use crate::functions::support::Kind::{Any, Long, Text, Timestamp};
use crate::functions::support::{Cached, Call, Function, Returns, params, returns, timestamp_type};
use crate::types::calendar::MICROS_PER_SECOND;
use crate::types::{DateTimePattern, PatternUse};

/// The pattern where none is given.
const DEFAULT: &str = "yyyy-MM-dd HH:mm:ss";

/// The functions of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    let read = params(&[Any]).or(&[Text]);
    let time: Returns = returns!(timestamp_type());
    let local: Returns = returns!(DataType::Timestamp(TimeUnit::Microsecond, None));
    vec![
        Function::new(
            "date_format",
            params(&[Timestamp, Text]),
            returns!(DataType::Utf8),
            date_format,
        )
        .udf(),
        Function::new(
            "from_unixtime",
            params(&[Long]).or(&[Text]),
            returns!(DataType::Utf8),
            from_unixtime,
        )
        .udf(),
        Function::new("to_date", read, returns!(DataType::Date32), |call| {
            to_date(call, false)
        })
        .udf(),
        Function::new("try_to_date", read, returns!(DataType::Date32), |call| {
            to_date(call, true)
        })
        .udf(),
        Function::new("to_timestamp", read, time, |call| to_timestamp(call, false))
            .alias(&["to_timestamp_ltz"])
            .udf(),
        Function::new("try_to_timestamp", read, time, |call| to_timestamp(call, true)).udf(),
        Function::new("to_timestamp_ntz", read, local, to_timestamp_ntz).udf(),
        Function::new("unix_timestamp", read, returns!(DataType::Int64), unix_timestamp)
            .alias(&["to_unix_timestamp"])
            .udf(),
    ]
}

/// The pattern of each row, compiled anew where it changes.
struct Patterns {
    known: Cached<DateTimePattern>,
    usage: PatternUse,
}

impl Patterns {
    fn new(usage: PatternUse) -> Self {
        Self {
            known: Cached::default(),
            usage,
        }
    }

    fn get(&mut self, pattern: &str) -> Result<&mut DateTimePattern> {
        let usage = self.usage;
        self.known
            .get(pattern, |pattern| Ok(DateTimePattern::try_new(pattern, usage)?))
    }
}

fn date_format(call: &Call) -> Result<ArrayRef> {
    let zone = call.time_zone();
    let mut patterns = Patterns::new(PatternUse::Format);
    let rows = call
        .primitive::<TimestampMicrosecondType>(0)
        .iter()
        .zip(call.text(1));
    let texts = rows.map(|row| match row {
        (Some(time), Some(pattern)) => Ok(Some(patterns.get(pattern)?.format_micros(time, &zone))),
        _ => Ok(None),
    });
    Ok(Arc::new(texts.collect::<Result<StringArray>>()?))
}

fn from_unixtime(call: &Call) -> Result<ArrayRef> {
    let zone = call.time_zone();
    let mut patterns = Patterns::new(PatternUse::Format);
    let seconds = call.primitive::<Int64Type>(0);
    let texts = seconds.iter().enumerate().map(|(row, seconds)| {
        let Some(seconds) = seconds else { return Ok(None) };
        let Some(pattern) = pattern_at(call, row) else {
            return Ok(None);
        };
        let time = seconds.saturating_mul(MICROS_PER_SECOND);
        Ok(Some(patterns.get(pattern)?.format_micros(time, &zone)))
    });
    Ok(Arc::new(texts.collect::<Result<StringArray>>()?))
}

fn pattern_at<'c>(call: &'c Call, row: usize) -> Option<&'c str> {
    if !call.has(1) {
        return Some(DEFAULT);
    }
    let patterns = call.text(1);
    patterns.is_valid(row).then(|| patterns.value(row))
}

/// Casts the first argument, where there is no pattern or it is no text.
fn cast(call: &Call, to: &DataType, is_try: bool) -> Result<ArrayRef> {
    let casting = Casting {
        is_try,
        zone: call.time_zone(),
    };
    cast_column(&call.args[0], to, &casting)
}

fn is_text(call: &Call) -> bool {
    *call.args[0].data_type() == DataType::Utf8
}

/// Reads texts by their patterns.
fn read<V>(
    call: &Call,
    is_try: bool,
    value: impl Fn(&DateTimePattern, &str) -> Option<V>,
) -> Result<Vec<Option<V>>> {
    let mut patterns = Patterns::new(PatternUse::Parse);
    let rows = call.text(0).iter().enumerate();
    let values = rows.map(|(row, text)| {
        let (Some(text), Some(pattern)) = (text, pattern_at(call, row)) else {
            return Ok(None);
        };
        match value(patterns.get(pattern)?, text) {
            None if !is_try => exec_err!("'{text}' is not in the pattern '{pattern}'; try_to_timestamp and try_to_date give null instead"),
            value => Ok(value),
        }
    });
    values.collect()
}

fn to_date(call: &Call, is_try: bool) -> Result<ArrayRef> {
    if !call.has(1) || !is_text(call) {
        return cast(call, &DataType::Date32, is_try);
    }
    let dates = read(call, is_try, DateTimePattern::parse_days)?;
    Ok(Arc::new(dates.into_iter().collect::<Date32Array>()))
}

fn to_timestamp(call: &Call, is_try: bool) -> Result<ArrayRef> {
    if !call.has(1) || !is_text(call) {
        return cast(call, &timestamp_type(), is_try);
    }
    let rules = call.time_zone().rules();
    let times = read(call, is_try, |pattern, text| pattern.parse_micros(text, rules))?;
    Ok(timestamps(times.into_iter()))
}

fn to_timestamp_ntz(call: &Call) -> Result<ArrayRef> {
    if !call.has(1) || !is_text(call) {
        return cast(call, &DataType::Timestamp(TimeUnit::Microsecond, None), false);
    }
    let times = read(call, false, |pattern, text| pattern.parse_micros_ntz(text, true))?;
    Ok(Arc::new(times.into_iter().collect::<TimestampMicrosecondArray>()))
}

fn unix_timestamp(call: &Call) -> Result<ArrayRef> {
    let rules = call.time_zone().rules();
    let times = if is_text(call) {
        read(call, false, |pattern, text| pattern.parse_micros(text, rules))?
    } else {
        let times = cast(call, &timestamp_type(), false)?;
        times.as_primitive::<TimestampMicrosecondType>().iter().collect()
    };
    let seconds = times
        .into_iter()
        .map(|time| time.map(|time| time.div_euclid(MICROS_PER_SECOND)));
    Ok(Arc::new(seconds.collect::<Int64Array>()))
}
