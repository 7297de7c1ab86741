//! Between dates, timestamps and numbers: a timestamp is a number of seconds, a date a midnight in the session's zone.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Float64Array, Int64Array, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Fields, Float64Type, Int64Type, TimeUnit,
    TimestampMicrosecondType,
};
use datafusion::common::{Result, exec_err};

use super::{Casting, cast_column, is_microseconds};
use crate::types::calendar::{MICROS_PER_SECOND, join_micros, split_micros};

/// Casts where one side is a timestamp or a date.
pub(super) fn cast_times(values: &ArrayRef, to: &DataType, casting: &Casting) -> Result<ArrayRef> {
    let rules = casting.zone.rules();
    match (values.data_type(), to) {
        (DataType::Date32, DataType::Timestamp(_, zone)) => {
            let days = values.as_primitive::<Date32Type>();
            let times = days.iter().map(|days| {
                let Some(days) = days else { return Ok(None) };
                let local = join_micros(days, 0);
                let time = if zone.is_some() {
                    local.and_then(|local| rules.from_local(local))
                } else {
                    local
                };
                time.map_or_else(|| casting.fail(days, to), |time| Ok(Some(time)))
            });
            timestamps(times.collect::<Result<_>>()?, to)
        }
        (DataType::Timestamp(..), DataType::Date32) => {
            let (times, has_zone) = micros(values)?;
            let days = times.unary::<_, Date32Type>(|time| {
                split_micros(if has_zone { rules.to_local(time) } else { time }).0
            });
            Ok(Arc::new(days))
        }
        (DataType::Timestamp(..), DataType::Timestamp(_, zone)) => {
            let (times, _) = micros(values)?;
            let times = if zone.is_some() {
                times.unary_opt::<_, TimestampMicrosecondType>(|time| rules.from_local(time))
            } else {
                times.unary(|time| rules.to_local(time))
            };
            timestamps(times, to)
        }
        (DataType::Timestamp(..), DataType::Float64 | DataType::Float32) => {
            let (times, _) = micros(values)?;
            #[expect(clippy::cast_precision_loss, reason = "a DOUBLE is what was asked for")]
            let seconds: Float64Array = times.unary(|time| time as f64 / MICROS_PER_SECOND as f64);
            cast_column(&(Arc::new(seconds) as ArrayRef), to, casting)
        }
        (DataType::Timestamp(..), DataType::Decimal128(..)) => {
            let (times, _) = micros(values)?;
            let seconds: Decimal128Array = times.unary(i128::from);
            let seconds = seconds.with_precision_and_scale(20, 6)?;
            cast_column(&(Arc::new(seconds) as ArrayRef), to, casting)
        }
        (DataType::Timestamp(..), to) if to.is_integer() => {
            let (times, _) = micros(values)?;
            let seconds: Int64Array = times.unary(|time| time.div_euclid(MICROS_PER_SECOND));
            cast_column(&(Arc::new(seconds) as ArrayRef), to, casting)
        }
        (from, DataType::Timestamp(..)) => from_number(values, from, to, casting),
        (from, to) => exec_err!("{from} cannot be cast to {to}"),
    }
}

/// Seconds since the epoch as timestamps.
fn from_number(values: &ArrayRef, from: &DataType, to: &DataType, casting: &Casting) -> Result<ArrayRef> {
    let times: PrimitiveArray<TimestampMicrosecondType> = if from.is_integer() {
        let seconds = cast(values, &DataType::Int64)?;
        let seconds = seconds.as_primitive::<Int64Type>();
        seconds.unary(|seconds| seconds.saturating_mul(MICROS_PER_SECOND))
    } else if let DataType::Decimal128(_, scale) = from {
        let scale = u32::try_from(*scale).unwrap_or_default();
        let unit = 10_i128.pow(scale);
        let decimals = values.as_primitive::<Decimal128Type>();
        decimals.unary_opt(|value| {
            let micros = value.checked_mul(i128::from(MICROS_PER_SECOND))?.div_euclid(unit);
            i64::try_from(micros).ok()
        })
    } else {
        let seconds = cast(values, &DataType::Float64)?;
        let seconds = seconds.as_primitive::<Float64Type>();
        let times = seconds.iter().map(|seconds| match seconds {
            None => Ok(None),
            Some(seconds) if !seconds.is_finite() => casting.fail(seconds, to),
            #[expect(clippy::cast_possible_truncation, reason = "Java's cast saturates too")]
            Some(seconds) => Ok(Some((seconds * 1e6) as i64)),
        });
        times.collect::<Result<_>>()?
    };
    timestamps(times, to)
}

pub(super) fn timestamps(times: PrimitiveArray<TimestampMicrosecondType>, to: &DataType) -> Result<ArrayRef> {
    let DataType::Timestamp(unit, zone) = to else {
        return exec_err!("{to} is no timestamp");
    };
    let times: ArrayRef = Arc::new(times.with_timezone_opt(zone.clone()));
    if *unit == TimeUnit::Microsecond {
        return Ok(times);
    }
    Ok(cast(&times, to)?)
}

/// Timestamps in microseconds, and whether they are moments, and not local times.
fn micros(values: &ArrayRef) -> Result<(PrimitiveArray<TimestampMicrosecondType>, bool)> {
    let DataType::Timestamp(_, zone) = values.data_type() else {
        return exec_err!("{} is no timestamp", values.data_type());
    };
    let micros = if is_microseconds(values.data_type()) {
        Arc::clone(values)
    } else {
        cast(values, &DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?
    };
    Ok((micros.as_primitive().clone(), zone.is_some()))
}

/// The values with timestamps, however deep inside, marked as shown in `zone`: the moments stay.
pub(super) fn in_zone(values: &ArrayRef, zone: &str) -> Result<ArrayRef> {
    let marked = zoned(values.data_type(), zone);
    if marked == *values.data_type() {
        return Ok(Arc::clone(values));
    }
    Ok(cast(values, &marked)?)
}

fn zoned(data_type: &DataType, zone: &str) -> DataType {
    let field = |field: &Arc<Field>| {
        let inner = zoned(field.data_type(), zone);
        Arc::new(field.as_ref().clone().with_data_type(inner))
    };
    match data_type {
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some(zone.into())),
        DataType::List(item) => DataType::List(field(item)),
        DataType::Map(entries, is_sorted) => DataType::Map(field(entries), *is_sorted),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect::<Fields>()),
        other => other.clone(),
    }
}
