//! `get_json_object`, `json_array_length`, `json_object_keys`, and `json_tuple` as a struct.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array, ListBuilder, StringArray, StringBuilder, StructArray};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ScalarUDF;

use crate::functions::support::Kind::Text;
use crate::functions::support::{Cached, Call, Function, map_text, params, returns};
use crate::json::path::{JsonPath, array_length, object_keys, tuple};
use crate::types::ddl::list_type;

/// The functions of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        Function::new(
            "get_json_object",
            params(&[Text, Text]),
            returns!(DataType::Utf8),
            get_json_object,
        )
        .udf(),
        Function::new(
            "json_array_length",
            params(&[Text]),
            returns!(DataType::Int32),
            |call| {
                let lengths = map_text(call, |text, _| {
                    Ok(array_length(text).and_then(|length| i32::try_from(length).ok()))
                })?;
                Ok(Arc::new(Int32Array::from(lengths)))
            },
        )
        .udf(),
        Function::new(
            "json_object_keys",
            params(&[Text]),
            returns!(list_type(DataType::Utf8)),
            |call| {
                let mut lists = ListBuilder::new(StringBuilder::new());
                for keys in map_text(call, |text, _| Ok(object_keys(text)))? {
                    match keys {
                        Some(keys) => lists.append_value(keys.into_iter().map(Some)),
                        None => lists.append_null(),
                    }
                }
                Ok(Arc::new(lists.finish()))
            },
        )
        .udf(),
        Function::new(
            "json_tuple",
            params(&[Text, Text]).and_more(Text),
            |planned| Ok(DataType::Struct(tuple_fields(planned.types.len() - 1))),
            json_tuple,
        )
        .udf(),
    ]
}

fn get_json_object(call: &Call) -> Result<ArrayRef> {
    let cached = std::cell::RefCell::new(Cached::default());
    let paths = call.text(1);
    let found = map_text(call, |text, row| {
        if paths.is_null(row) {
            return Ok(None);
        }
        let mut cached = cached.borrow_mut();
        let path: &Option<JsonPath> = cached.get(paths.value(row), |path| Ok(JsonPath::parse(path)))?;
        Ok(path.as_ref().and_then(|path| path.find(text)))
    })?;
    Ok(Arc::new(StringArray::from(found)))
}

fn tuple_fields(count: usize) -> Fields {
    (0..count)
        .map(|index| Field::new(format!("c{index}"), DataType::Utf8, true))
        .collect()
}

fn json_tuple(call: &Call) -> Result<ArrayRef> {
    let count = call.args.len() - 1;
    let mut columns = Vec::new();
    columns.resize_with(count, StringBuilder::new);
    for row in 0..call.rows {
        let texts = call.text(0);
        let names: Vec<&str> = (1..=count)
            .map(|index| {
                let names = call.text(index);
                if names.is_valid(row) { names.value(row) } else { "" }
            })
            .collect();
        let values = if texts.is_valid(row) {
            tuple(texts.value(row), &names)
        } else {
            vec![None; count]
        };
        for (column, value) in columns.iter_mut().zip(values) {
            column.append_option(value);
        }
    }
    let columns = columns
        .iter_mut()
        .map(|column| Arc::new(column.finish()) as ArrayRef)
        .collect::<Vec<_>>();
    let DataType::Struct(fields) = call.returns else {
        return exec_err!("json_tuple gives columns");
    };
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, None)?))
}
