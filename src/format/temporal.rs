//! The encoders of times and intervals.

use arrow::array::{Array, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, DurationMicrosecondType, DurationMillisecondType,
    DurationNanosecondType, DurationSecondType, IntervalDayTimeType, IntervalMonthDayNanoType, IntervalUnit,
    IntervalYearMonthType, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};

use super::encoder::{Dialect, Encode, no_text};
use super::time::{
    TimestampStyle, Zone, push_calendar_interval, push_date, push_duration, push_time_of_day, push_timestamp,
    push_year_month,
};
use crate::error::Result;

/// The encoder of a column of times or intervals.
pub(super) fn temporal(array: &dyn Array, dialect: Dialect) -> Result<Encode<'_>> {
    Ok(match array.data_type() {
        DataType::Date32 => quoted::<Date32Type>(array, dialect, |out, days| push_date(out, i64::from(days))),
        DataType::Date64 => quoted::<Date64Type>(array, dialect, |out, millis| {
            push_date(out, millis.div_euclid(86_400_000));
        }),
        DataType::Timestamp(unit, zone) => {
            let zone = zone.as_deref().map(Zone::named);
            match unit {
                TimeUnit::Second => timestamp::<TimestampSecondType>(array, dialect, *unit, zone),
                TimeUnit::Millisecond => timestamp::<TimestampMillisecondType>(array, dialect, *unit, zone),
                TimeUnit::Microsecond => timestamp::<TimestampMicrosecondType>(array, dialect, *unit, zone),
                TimeUnit::Nanosecond => timestamp::<TimestampNanosecondType>(array, dialect, *unit, zone),
            }
        }
        DataType::Time32(TimeUnit::Second) => quoted::<Time32SecondType>(array, dialect, |out, value| {
            push_time_of_day(out, i64::from(value), TimeUnit::Second);
        }),
        DataType::Time32(TimeUnit::Millisecond) => {
            quoted::<Time32MillisecondType>(array, dialect, |out, value| {
                push_time_of_day(out, i64::from(value), TimeUnit::Millisecond);
            })
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            quoted::<Time64MicrosecondType>(array, dialect, |out, value| {
                push_time_of_day(out, value, TimeUnit::Microsecond);
            })
        }
        DataType::Time64(TimeUnit::Nanosecond) => {
            quoted::<Time64NanosecondType>(array, dialect, |out, value| {
                push_time_of_day(out, value, TimeUnit::Nanosecond);
            })
        }
        DataType::Duration(TimeUnit::Second) => {
            duration::<DurationSecondType>(array, dialect, TimeUnit::Second)
        }
        DataType::Duration(TimeUnit::Millisecond) => {
            duration::<DurationMillisecondType>(array, dialect, TimeUnit::Millisecond)
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            duration::<DurationMicrosecondType>(array, dialect, TimeUnit::Microsecond)
        }
        DataType::Duration(TimeUnit::Nanosecond) => {
            duration::<DurationNanosecondType>(array, dialect, TimeUnit::Nanosecond)
        }
        DataType::Interval(IntervalUnit::YearMonth) => {
            quoted::<IntervalYearMonthType>(array, dialect, push_year_month)
        }
        DataType::Interval(IntervalUnit::DayTime) => {
            quoted::<IntervalDayTimeType>(array, dialect, |out, value| {
                let nanos = i64::from(value.milliseconds) * 1_000_000;
                push_calendar_interval(out, 0, value.days, nanos);
            })
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            quoted::<IntervalMonthDayNanoType>(array, dialect, |out, value| {
                push_calendar_interval(out, value.months, value.days, value.nanoseconds);
            })
        }
        other => return Err(no_text(other)),
    })
}

fn quoted<T: ArrowPrimitiveType>(
    array: &dyn Array,
    dialect: Dialect,
    push: impl Fn(&mut String, T::Native) + Send + Sync + 'static,
) -> Encode<'_> {
    let array: &PrimitiveArray<T> = array.as_primitive();
    Box::new(move |row, out| dialect.push_quoted(out, |out| push(out, array.value(row))))
}

fn timestamp<T: ArrowPrimitiveType<Native = i64>>(
    array: &dyn Array,
    dialect: Dialect,
    unit: TimeUnit,
    zone: Option<Zone>,
) -> Encode<'_> {
    let style = match dialect {
        Dialect::JsonRows => TimestampStyle::IsoUtc,
        Dialect::SparkJson { .. } => TimestampStyle::IsoMillis {
            with_offset: zone.is_some(),
        },
        Dialect::Text { .. } | Dialect::Cast => TimestampStyle::Plain,
    };
    let zone = zone.unwrap_or(Zone::UTC);
    quoted::<T>(array, dialect, move |out, value| {
        push_timestamp(out, value, unit, zone, style);
    })
}

fn duration<T: ArrowPrimitiveType<Native = i64>>(
    array: &dyn Array,
    dialect: Dialect,
    unit: TimeUnit,
) -> Encode<'_> {
    quoted::<T>(array, dialect, move |out, value| push_duration(out, value, unit))
}
