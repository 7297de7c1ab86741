//! Schemas and types with everything in them nullable.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};

/// The schema with every column, and all inside them, nullable: files hold what they hold, whatever NOT NULL says. Keys of
/// maps stay as they are.
pub fn as_nullable(schema: &Schema) -> SchemaRef {
    let fields: Fields = schema.fields().iter().map(nullable_field).collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

fn nullable_field(field: &FieldRef) -> FieldRef {
    let data_type = nullable_type(field.data_type());
    Arc::new(
        field
            .as_ref()
            .clone()
            .with_data_type(data_type)
            .with_nullable(true),
    )
}

/// As [`as_nullable`], of one type.
pub(super) fn nullable_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(nullable_field).collect()),
        DataType::List(item) => DataType::List(nullable_field(item)),
        DataType::Map(entries, is_sorted) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                let fields: Vec<FieldRef> = vec![Arc::clone(&fields[0]), nullable_field(&fields[1])];
                let entries = Field::new(entries.name(), DataType::Struct(fields.into()), false);
                DataType::Map(Arc::new(entries), *is_sorted)
            }
            _ => data_type.clone(),
        },
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_null_is_given_up_inside_too() {
        let schema = crate::types::parse_ddl(
            "a INT NOT NULL, s STRUCT<x: ARRAY<STRUCT<y: INT NOT NULL>> NOT NULL>",
            "UTC",
        );
        let nullable = as_nullable(&schema.expect("a schema"));
        let expected =
            crate::types::parse_ddl("a INT, s STRUCT<x: ARRAY<STRUCT<y: INT>>>", "UTC").expect("a schema");
        assert_eq!(nullable, expected);
    }
}
