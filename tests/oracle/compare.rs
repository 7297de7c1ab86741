//! Whether two answers are the same: doubles within a tolerance, timestamps without trailing zeros, rows as a multiset
//! unless their order counts.

use serde_json::{Map, Value};

type Row = Map<String, Value>;

const RELATIVE_TOLERANCE: f64 = 1e-9;
const ABSOLUTE_TOLERANCE: f64 = 1e-12;

/// What is wrong with the rows of a batch.
pub(crate) fn rows_differ(want: &[Row], got: &[Row], ordered: bool) -> Result<(), String> {
    let arranged = |rows: &[Row]| {
        let mut rows = rows.iter().cloned().map(Value::Object).collect::<Vec<_>>();
        if !ordered {
            rows.sort_by_cached_key(rough);
        }
        rows
    };
    if want.len() != got.len() {
        return Err(format!("{} rows, Spark has {}", got.len(), want.len()));
    }
    match arranged(want)
        .iter()
        .zip(&arranged(got))
        .find(|(want, got)| !is_same(want, got))
    {
        Some((want, got)) => Err(format!("row {got}, Spark has {want}")),
        None => Ok(()),
    }
}

/// Whether two values are the same; objects have their keys in the same order too.
pub(crate) fn is_same(want: &Value, got: &Value) -> bool {
    match (want, got) {
        (Value::Number(want), Value::Number(got)) => is_close(want, got),
        (Value::String(want), Value::String(got)) => plain(want) == plain(got),
        (Value::Array(want), Value::Array(got)) => {
            want.len() == got.len() && want.iter().zip(got).all(|(want, got)| is_same(want, got))
        }
        (Value::Object(want), Value::Object(got)) => {
            want.len() == got.len()
                && want
                    .iter()
                    .zip(got)
                    .all(|((name, want), (other, got))| name == other && is_same(want, got))
        }
        _ => want == got,
    }
}

fn is_close(want: &serde_json::Number, got: &serde_json::Number) -> bool {
    if let (Some(want), Some(got)) = (want.as_i64(), got.as_i64()) {
        return want == got;
    }
    let (Some(want), Some(got)) = (want.as_f64(), got.as_f64()) else {
        return want == got;
    };
    let tolerance = (RELATIVE_TOLERANCE * want.abs().max(got.abs())).max(ABSOLUTE_TOLERANCE);
    (want - got).abs() <= tolerance
}

/// A timestamp without the zeros at the end of its fraction; every other text as it is.
fn plain(text: &str) -> String {
    let Some(body) = text.strip_suffix('Z') else {
        return text.to_owned();
    };
    match body.split_once('.') {
        Some((seconds, fraction))
            if seconds.len() == "2026-01-01T00:00:00".len()
                && fraction.bytes().all(|b| b.is_ascii_digit()) =>
        {
            let fraction = fraction.trim_end_matches('0');
            let point = if fraction.is_empty() { "" } else { "." };
            format!("{seconds}{point}{fraction}Z")
        }
        _ => text.to_owned(),
    }
}

/// A sort key under which rows that are equal within the tolerance are neighbours.
fn rough(value: &Value) -> String {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(number) => format!("{number:.5e}"),
            None => number.to_string(),
        },
        Value::String(text) => plain(text),
        Value::Array(items) => items.iter().map(rough).collect::<Vec<_>>().join(","),
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| format!("{name}:{}", rough(value)));
            fields.collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    }
}
