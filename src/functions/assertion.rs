//! `raise_error` and `assert_true`: functions that fail on purpose.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, new_null_array};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ScalarUDF;

use crate::functions::support::Kind::{Boolean, Text};
use crate::functions::support::{Call, Function, params, returns};

/// The functions of this file. They are computed where they stand and never beforehand: no row may reach them.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        Function::new("raise_error", params(&[Text]), returns!(DataType::Null), raise)
            .volatile()
            .udf(),
        Function::new(
            "assert_true",
            params(&[Boolean]).or(&[Text]),
            returns!(DataType::Null),
            assert_true,
        )
        .volatile()
        .udf(),
    ]
}

fn raise(call: &Call) -> Result<ArrayRef> {
    if call.rows == 0 {
        return Ok(new_null_array(&DataType::Null, 0));
    }
    let text = call.text(0);
    if text.is_null(0) {
        return exec_err!("raise_error: NULL");
    }
    exec_err!("{}", text.value(0))
}

fn assert_true(call: &Call) -> Result<ArrayRef> {
    let holds = call.args[0].as_boolean();
    match (0..call.rows).find(|&row| holds.is_null(row) || !holds.value(row)) {
        None => Ok(new_null_array(&DataType::Null, call.rows)),
        Some(row) if call.has(1) && call.text(1).is_valid(row) => exec_err!("{}", call.text(1).value(row)),
        Some(_) => exec_err!("assert_true: the condition is not true"),
    }
}
