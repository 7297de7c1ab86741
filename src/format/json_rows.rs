//! Rows as JSON, written straight from Arrow columns.
//!
//! Two dialects. *Rows* is what `run --output json` prints: one object a row with its columns in order,
//! timestamps in ISO 8601 and UTC with the fraction only where there is one (`2026-01-01T09:00:00Z`), dates as
//! `2026-01-01`, decimals as text, `NaN` and `Infinity` as text, nulls explicit, structs as objects, arrays as
//! arrays, maps as objects, binary values in hexadecimal. Characters that harm a terminal are escaped. *Lines* is
//! what Spark's JSON sink writes: null fields left out, milliseconds and the zone's offset always
//! (`2026-01-01T09:00:00.000Z`), decimals as numbers, binary values in Base64.

use arrow::record_batch::RecordBatch;

use super::encoder::{Dialect, column};
use super::nested::Object;
use crate::error::Result;

/// Appends the rows of `batches` as one JSON array of objects.
///
/// # Errors
///
/// `Internal` for a type that no query of ours can produce.
pub fn write_json_rows(batches: &[RecordBatch], out: &mut String) -> Result<()> {
    out.push('[');
    let start = out.len();
    for batch in batches {
        let object = object(batch, Dialect::JsonRows)?;
        for row in 0..batch.num_rows() {
            if out.len() > start {
                out.push(',');
            }
            object.push(row, out);
        }
    }
    out.push(']');
    Ok(())
}

/// Appends the rows of `batches` as Spark's JSON sink writes them, one object a line; null fields are left out
/// unless `keep_nulls` (Spark's `ignoreNullFields` set to false).
///
/// # Errors
///
/// `Internal` for a type that no query of ours can produce.
pub fn write_json_lines(batches: &[RecordBatch], keep_nulls: bool, out: &mut String) -> Result<()> {
    for batch in batches {
        let object = object(batch, Dialect::SparkJson { keep_nulls })?;
        for row in 0..batch.num_rows() {
            object.push(row, out);
            out.push('\n');
        }
    }
    Ok(())
}

/// Appends a JSON string with its quotes, with everything escaped that harms a terminal.
pub fn write_json_string(text: &str, out: &mut String) {
    super::scalar::push_safe_json_string(out, text);
}

fn object(batch: &RecordBatch, dialect: Dialect) -> Result<Object<'_>> {
    let columns = batch
        .columns()
        .iter()
        .map(|values| column(values.as_ref(), dialect))
        .collect::<Result<Vec<_>>>()?;
    let schema = batch.schema_ref();
    Ok(Object::new(
        schema.fields().iter().map(|field| field.name().as_str()),
        columns,
        dialect,
    ))
}

#[cfg(test)]
#[path = "json_rows_tests.rs"]
mod tests;
