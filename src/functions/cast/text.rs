//! Texts to values.

use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Decimal128Array, PrimitiveArray, StringArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType,
};
use datafusion::common::Result;

use super::time::timestamps;
use super::{Casting, plain};
use crate::json::decimal_from_text;
use crate::types::{string_to_date, string_to_timestamp, string_to_timestamp_ntz};

/// Casts texts to `to`.
pub(super) fn from_text(texts: &StringArray, to: &DataType, casting: &Casting) -> Result<ArrayRef> {
    let rules = casting.zone.rules();
    match to {
        DataType::Int8 => primitive::<Int8Type>(texts, to, casting, whole),
        DataType::Int16 => primitive::<Int16Type>(texts, to, casting, whole),
        DataType::Int32 => primitive::<Int32Type>(texts, to, casting, whole),
        DataType::Int64 => primitive::<Int64Type>(texts, to, casting, whole),
        DataType::Float32 => primitive::<Float32Type>(texts, to, casting, fraction),
        DataType::Float64 => primitive::<Float64Type>(texts, to, casting, fraction),
        DataType::Date32 => primitive::<Date32Type>(texts, to, casting, string_to_date),
        DataType::Timestamp(_, Some(_)) => {
            let read = |text: &str| string_to_timestamp(text, rules, None);
            let times = values::<TimestampMicrosecondType>(texts, to, casting, read)?;
            timestamps(times, to)
        }
        DataType::Timestamp(_, None) => {
            let read = |text: &str| string_to_timestamp_ntz(text, true);
            timestamps(values::<TimestampMicrosecondType>(texts, to, casting, read)?, to)
        }
        DataType::Decimal128(precision, scale) => {
            let read = |text: &str| decimal_from_text(trim(text).as_bytes(), *precision, *scale);
            let values = texts.iter().map(|text| value(text, to, casting, read));
            let values = values.collect::<Result<Decimal128Array>>()?;
            Ok(Arc::new(values.with_precision_and_scale(*precision, *scale)?))
        }
        DataType::Boolean => {
            let values = texts.iter().map(|text| value(text, to, casting, boolean));
            Ok(Arc::new(values.collect::<Result<BooleanArray>>()?))
        }
        _ => plain(&(Arc::new(texts.clone()) as ArrayRef), to, casting),
    }
}

fn value<V>(
    text: Option<&str>,
    to: &DataType,
    casting: &Casting,
    read: impl Fn(&str) -> Option<V>,
) -> Result<Option<V>> {
    let Some(text) = text else { return Ok(None) };
    match read(text) {
        Some(value) => Ok(Some(value)),
        None => casting.fail(text, to),
    }
}

fn values<T: ArrowPrimitiveType>(
    texts: &StringArray,
    to: &DataType,
    casting: &Casting,
    read: impl Fn(&str) -> Option<T::Native>,
) -> Result<PrimitiveArray<T>> {
    let values = texts.iter().map(|text| value(text, to, casting, &read));
    values.collect()
}

fn primitive<T: ArrowPrimitiveType>(
    texts: &StringArray,
    to: &DataType,
    casting: &Casting,
    read: impl Fn(&str) -> Option<T::Native>,
) -> Result<ArrayRef> {
    Ok(Arc::new(values::<T>(texts, to, casting, read)?))
}

/// Without what Spark's `UTF8String.trimAll` takes away.
fn trim(text: &str) -> &str {
    text.trim_matches(|letter: char| letter.is_ascii_whitespace() || letter.is_ascii_control())
}

/// A whole number: digits and a sign, nothing else.
fn whole<N: FromStr>(text: &str) -> Option<N> {
    trim(text).parse().ok()
}

/// A number as Java reads it: `1.5d` is one, and the names of what is not finite go in any case.
fn fraction<N: FromStr>(text: &str) -> Option<N> {
    let text = trim(text);
    let is_number = |text: &str| text.ends_with(|last: char| last.is_ascii_digit() || last == '.');
    match text.strip_suffix(['d', 'D', 'f', 'F']) {
        Some(bare) if is_number(bare) => bare.parse().ok(),
        _ => text.parse().ok(),
    }
}

fn boolean(text: &str) -> Option<bool> {
    match trim(text).to_ascii_lowercase().as_str() {
        "t" | "true" | "y" | "yes" | "1" => Some(true),
        "f" | "false" | "n" | "no" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_java_reads_them() {
        for (text, expected) in [
            ("1.5d", Some(1.5)),
            (" 2F\t", Some(2.0)),
            ("1.", Some(1.0)),
            ("-INF", Some(f64::NEG_INFINITY)),
            ("d", None),
            ("", None),
        ] {
            assert_eq!(fraction(text), expected, "{text}");
        }
        assert_eq!(whole::<i8>(" -128 "), Some(-128));
        assert_eq!(whole::<i8>("128"), None);
        assert_eq!(whole::<i32>("1.0"), None);
        assert_eq!(boolean(" Yes "), Some(true));
        assert_eq!(boolean("maybe"), None);
    }
}
