//! `from_json`.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::ScalarUDF;

use super::options;
use crate::functions::support::Kind::{Map, Text};
use crate::functions::support::{Call, Function, Planned, params};
use crate::json::{JsonOptions, JsonValueDecoder};
use crate::types::parse_ddl_type;

/// `from_json(text, schema [, options])`: a struct, an array or a map.
pub(super) fn from_json() -> Arc<ScalarUDF> {
    Function::new("from_json", params(&[Text, Text]).or(&[Map]), returns, decode).udf()
}

fn returns(planned: &Planned) -> Result<DataType> {
    let Some(schema) = planned.text(1) else {
        return plan_err!("the schema of from_json must be a literal text such as 'id INT, name STRING'");
    };
    let data_type = parse_ddl_type(schema, "UTC")?;
    Ok(JsonValueDecoder::try_new(&data_type, JsonOptions::default())?
        .data_type()
        .clone())
}

fn decode(call: &Call) -> Result<ArrayRef> {
    let mut json = JsonOptions {
        time_zone: call.time_zone(),
        ..JsonOptions::default()
    };
    if call.has(2) {
        for (name, value) in options(&call.args[2])? {
            // Spark leaves options that it does not know out of account.
            json.set(&name, &value)?;
        }
    }
    let mut decoder = JsonValueDecoder::try_new(call.returns, json)?;
    let texts: &StringArray = call.text(0);
    for text in texts {
        decoder.decode_value(text.map(str::as_bytes))?;
    }
    Ok(decoder.flush()?)
}
