//! `to_json`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder, make_array};
use arrow::datatypes::{DataType, Date32Type, Field, TimestampMicrosecondType};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::ScalarUDF;

use super::options;
use crate::format::{Dialect, column};
use crate::functions::support::Kind::{Any, Map};
use crate::functions::support::{Call, Function, Planned, params};
use crate::types::calendar::MICROS_PER_DAY;
use crate::types::spark_type_name;
use crate::types::time_zone::TimeZone;
use crate::types::{DateTimePattern, PatternUse};

/// `to_json(value [, options])` of a struct, an array or a map.
pub(super) fn to_json() -> Arc<ScalarUDF> {
    Function::new("to_json", params(&[Any]).or(&[Map]), returns, encode).udf()
}

fn returns(planned: &Planned) -> Result<DataType> {
    match &planned.types[0] {
        DataType::Struct(_) | DataType::List(_) | DataType::Map(..) | DataType::Null => Ok(DataType::Utf8),
        other => plan_err!(
            "to_json takes a struct, an array or a map, not {}: write to_json(struct(...))",
            spark_type_name(other)
        ),
    }
}

/// What the options say.
struct Style {
    keep_nulls: bool,
    timestamps: Option<DateTimePattern>,
    dates: Option<DateTimePattern>,
    zone: TimeZone,
}

fn encode(call: &Call) -> Result<ArrayRef> {
    let mut style = Style {
        keep_nulls: false,
        timestamps: None,
        dates: None,
        zone: call.time_zone(),
    };
    if call.has(1) {
        for (name, value) in options(&call.args[1])? {
            let pattern = || DateTimePattern::try_new(&value, PatternUse::Format).map(Some);
            match name.to_ascii_lowercase().as_str() {
                "ignorenullfields" => style.keep_nulls = value.eq_ignore_ascii_case("false"),
                "timestampformat" => style.timestamps = pattern()?,
                "dateformat" => style.dates = pattern()?,
                "timezone" => style.zone = TimeZone::try_new(&value)?,
                _ => {}
            }
        }
    }
    let values = Arc::clone(&call.args[0]);
    let values = if style.timestamps.is_some() || style.dates.is_some() {
        with_patterns(&values, &style)?
    } else {
        values
    };
    if *values.data_type() == DataType::Null {
        return Ok(Arc::new(StringArray::new_null(call.rows)));
    }
    let encoder = column(
        values.as_ref(),
        Dialect::SparkJson {
            keep_nulls: style.keep_nulls,
        },
    )?;
    let mut texts = StringBuilder::new();
    let mut text = String::new();
    for row in 0..call.rows {
        if values.is_null(row) {
            texts.append_null();
        } else {
            text.clear();
            encoder.push(row, &mut text);
            texts.append_value(&text);
        }
    }
    Ok(Arc::new(texts.finish()))
}

/// The values with dates and timestamps, however deep inside, as texts in the patterns.
fn with_patterns(values: &ArrayRef, style: &Style) -> Result<ArrayRef> {
    match (values.data_type(), &style.timestamps, &style.dates) {
        (DataType::Timestamp(..), Some(pattern), _) => {
            let times = values.as_primitive::<TimestampMicrosecondType>();
            let texts = times
                .iter()
                .map(|time| time.map(|time| pattern.format_micros(time, &style.zone)));
            Ok(Arc::new(texts.collect::<StringArray>()))
        }
        (DataType::Date32, _, Some(pattern)) => {
            let dates = values.as_primitive::<Date32Type>();
            let utc = TimeZone::utc();
            let texts = dates
                .iter()
                .map(|days| days.map(|days| pattern.format_micros(i64::from(days) * MICROS_PER_DAY, &utc)));
            Ok(Arc::new(texts.collect::<StringArray>()))
        }
        (data_type, ..) if data_type.is_nested() => {
            let data = values.to_data();
            let children = data.child_data().iter().map(|child| {
                let child = make_array(child.clone());
                with_patterns(&child, style).map(|child| child.to_data())
            });
            let children = children.collect::<Result<Vec<_>>>()?;
            let types = children
                .iter()
                .map(|child| child.data_type().clone())
                .collect::<Vec<_>>();
            let data = data
                .into_builder()
                .data_type(with_children(data_type, &types))
                .child_data(children)
                .build()?;
            Ok(make_array(data))
        }
        _ => Ok(Arc::clone(values)),
    }
}

/// A nested type with its children's types replaced.
fn with_children(data_type: &DataType, children: &[DataType]) -> DataType {
    let retyped = |field: &Arc<Field>, data_type: &DataType| {
        Arc::new(field.as_ref().clone().with_data_type(data_type.clone()))
    };
    match data_type {
        DataType::Struct(fields) => DataType::Struct(
            fields
                .iter()
                .zip(children)
                .map(|(field, child)| retyped(field, child))
                .collect(),
        ),
        DataType::List(item) => DataType::List(retyped(item, &children[0])),
        DataType::Map(entries, is_sorted) => DataType::Map(retyped(entries, &children[0]), *is_sorted),
        other => other.clone(),
    }
}
