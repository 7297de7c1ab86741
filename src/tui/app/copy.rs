//! Values as text for the clipboard and for reading at leisure.

use arrow::array::ArrayRef;
use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatch;
use serde_json::Value;

use crate::error::Result;
use crate::format::json_rows::write_json_rows;

/// A row as a JSON object.
pub(super) fn json(row: &[(String, ArrayRef)]) -> Result<String> {
    let fields: Vec<Field> = row
        .iter()
        .map(|(name, array)| Field::new(name, array.data_type().clone(), true))
        .collect();
    let columns = row.iter().map(|(_, array)| ArrayRef::clone(array)).collect();
    let batch = RecordBatch::try_new(std::sync::Arc::new(Schema::new(fields)), columns)?;
    let mut text = String::new();
    write_json_rows(&[batch], &mut text)?;
    // One row in the brackets of an array.
    let object = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    Ok(object.unwrap_or(&text).to_string())
}

/// JSON with a line a field; other text as it is.
pub(super) fn readable(text: String) -> String {
    if !text.starts_with(['{', '[']) {
        return text;
    }
    match serde_json::from_str::<Value>(&text) {
        Ok(value) => serde_json::to_string_pretty(&value).unwrap_or(text),
        Err(_) => text,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};

    use super::*;

    #[test]
    fn a_row_is_one_object() {
        let user: ArrayRef = Arc::new(StringArray::from(vec!["a\"b"]));
        let total: ArrayRef = Arc::new(Int64Array::from(vec![None]));
        let row = [("user".to_string(), user), ("total".to_string(), total)];
        assert_eq!(json(&row).expect("JSON"), r#"{"user":"a\"b","total":null}"#);
    }

    #[test]
    fn json_is_broken_into_lines_and_other_text_is_not() {
        assert_eq!(
            readable(r#"{"a":[1]}"#.to_string()),
            "{\n  \"a\": [\n    1\n  ]\n}"
        );
        assert_eq!(readable("{a, b}".to_string()), "{a, b}");
    }
}
