//! Functions of JSON.

mod from_json;
mod parts;
mod schema_of_json;
mod to_json;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ScalarUDF;

/// The functions of this folder.
pub(crate) fn functions() -> Vec<Arc<ScalarUDF>> {
    let mut functions = parts::functions();
    functions.extend([
        from_json::from_json(),
        schema_of_json::schema_of_json(),
        to_json::to_json(),
    ]);
    functions
}

/// The options in a map of texts: constant, so that the first row has them.
fn options(map: &ArrayRef) -> Result<Vec<(String, String)>> {
    if map.is_empty() || map.is_null(0) {
        return Ok(Vec::new());
    }
    let Some(map) = map.as_map_opt() else {
        return exec_err!("options are a map, as in map('mode', 'FAILFAST')");
    };
    let entries = map.value(0);
    let (keys, values) = (entries.column(0), entries.column(1));
    let (Some(keys), Some(values)) = (keys.as_string_opt::<i32>(), values.as_string_opt::<i32>()) else {
        return exec_err!("options are a map of texts, as in map('mode', 'FAILFAST')");
    };
    let pairs = keys.iter().zip(values);
    Ok(pairs
        .filter_map(|(key, value)| Some((key?.to_owned(), value?.to_owned())))
        .collect())
}
