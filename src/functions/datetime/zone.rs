//! From one time zone to another.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::logical_expr::ScalarUDF;

use super::timestamps;
use crate::functions::support::Kind::{LocalTimestamp, Text, Timestamp};
use crate::functions::support::{Cached, Call, Function, Returns, params, returns, timestamp_type};
use crate::types::time_zone::ZoneRules;

/// The functions of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    let time: Returns = returns!(timestamp_type());
    vec![
        Function::new("from_utc_timestamp", params(&[Timestamp, Text]), time, |call| {
            moved(call, |rules, time| Some(rules.to_local(time)))
        })
        .udf(),
        Function::new("to_utc_timestamp", params(&[Timestamp, Text]), time, |call| {
            moved(call, ZoneRules::from_local)
        })
        .udf(),
        Function::new(
            "convert_timezone",
            params(&[Text, Text, LocalTimestamp]),
            returns!(DataType::Timestamp(TimeUnit::Microsecond, None)),
            convert,
        )
        .udf(),
        Function::new(
            "current_timezone",
            params(&[]),
            returns!(DataType::Utf8),
            |call| {
                let zone = call.time_zone();
                Ok(Arc::new(StringArray::from_iter_values(std::iter::repeat_n(
                    zone.id(),
                    call.rows,
                ))))
            },
        )
        .udf(),
    ]
}

fn rules_of(known: &mut Cached<ZoneRules>, id: &str) -> Result<ZoneRules> {
    known
        .get(id, |id| {
            ZoneRules::find(id).ok_or_else(|| {
                exec_datafusion_err!("there is no time zone '{id}': write a region as in 'Europe/Paris'")
            })
        })
        .copied()
}

fn moved(call: &Call, change: impl Fn(ZoneRules, i64) -> Option<i64>) -> Result<ArrayRef> {
    let mut known = Cached::default();
    let rows = call
        .primitive::<TimestampMicrosecondType>(0)
        .iter()
        .zip(call.text(1));
    let times = rows.map(|row| match row {
        (Some(time), Some(zone)) => Ok(change(rules_of(&mut known, zone)?, time)),
        _ => Ok(None),
    });
    Ok(timestamps(times.collect::<Result<Vec<_>>>()?.into_iter()))
}

fn convert(call: &Call) -> Result<ArrayRef> {
    let (mut from, mut to) = (Cached::default(), Cached::default());
    let times = call.args[2].as_primitive::<TimestampMicrosecondType>();
    let zones = call.text(0).iter().zip(call.text(1));
    let converted = zones.zip(times).map(|row| match row {
        ((Some(source), Some(target)), Some(time)) => {
            let moment = rules_of(&mut from, source)?.from_local(time);
            let target = rules_of(&mut to, target)?;
            Ok(moment.map(|moment| target.to_local(moment)))
        }
        _ => Ok(None),
    });
    Ok(Arc::new(
        converted.collect::<Result<TimestampMicrosecondArray>>()?,
    ))
}
