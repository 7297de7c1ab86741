//! `schema_of_json`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ScalarUDF;

use super::options;
use crate::functions::support::Kind::{Map, Text};
use crate::functions::support::{Call, Function, params, returns};
use crate::json::{JsonOptions, infer_schema};
use crate::types::spark_type_name;

/// `schema_of_json(text [, options])`: a schema that `from_json` takes.
pub(super) fn schema_of_json() -> Arc<ScalarUDF> {
    Function::new(
        "schema_of_json",
        params(&[Text]).or(&[Map]),
        returns!(DataType::Utf8),
        infer,
    )
    .udf()
}

fn infer(call: &Call) -> Result<ArrayRef> {
    let mut json = JsonOptions::default();
    if call.has(1) {
        for (name, value) in options(&call.args[1])? {
            json.set(&name, &value)?;
        }
    }
    let schemas = call.text(0).iter().map(|text| {
        let Some(text) = text else { return Ok(None) };
        // As a member of an object it can be of any type.
        let record = format!("{{\"value\":{text}}}");
        let schema = infer_schema([record.as_bytes()], &json)?;
        let Ok(field) = schema.field_with_name("value") else {
            return exec_err!("schema_of_json: the text is no JSON");
        };
        Ok(Some(ddl(field.data_type())))
    });
    let schemas = schemas.collect::<Result<StringArray>>()?;
    debug_assert_eq!(schemas.len(), call.rows, "a schema a row");
    Ok(Arc::new(schemas))
}

/// A type as DDL: `STRUCT<a: BIGINT>`.
fn ddl(data_type: &DataType) -> String {
    match data_type {
        DataType::Struct(fields) => {
            let fields = fields.iter().map(|field| {
                let name = field.name();
                let is_plain = name
                    .chars()
                    .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
                    && !name.starts_with(|letter: char| letter.is_ascii_digit())
                    && !name.is_empty();
                let name = if is_plain {
                    name.clone()
                } else {
                    format!("`{}`", name.replace('`', "``"))
                };
                format!("{name}: {}", ddl(field.data_type()))
            });
            format!("STRUCT<{}>", fields.collect::<Vec<_>>().join(", "))
        }
        DataType::List(item) => format!("ARRAY<{}>", ddl(item.data_type())),
        DataType::Null => "STRING".to_owned(),
        other => spark_type_name(other).to_uppercase(),
    }
}
