//! Spark's names of Arrow types.

use arrow::datatypes::{DataType, Schema};

/// Columns in Spark's DDL: `id int, at timestamp`.
pub fn ddl_of(schema: &Schema) -> String {
    let columns = schema.fields().iter();
    let columns = columns.map(|field| format!("{} {}", field.name(), spark_type_name(field.data_type())));
    columns.collect::<Vec<_>>().join(", ")
}

/// Spark's own name of a type: `struct<name:string>`, `timestamp`, `decimal(10,2)`. Types that Spark lacks get the name of
/// the one that holds their values.
pub fn spark_type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Null => "void".into(),
        DataType::Boolean => "boolean".into(),
        DataType::Int8 => "tinyint".into(),
        DataType::Int16 | DataType::UInt8 => "smallint".into(),
        DataType::Int32 | DataType::UInt16 => "int".into(),
        DataType::Int64 | DataType::UInt32 => "bigint".into(),
        DataType::UInt64 => "decimal(20,0)".into(),
        DataType::Float16 | DataType::Float32 => "float".into(),
        DataType::Float64 => "double".into(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string".into(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            "binary".into()
        }
        DataType::Date32 | DataType::Date64 => "date".into(),
        DataType::Timestamp(_, Some(_)) => "timestamp".into(),
        DataType::Timestamp(_, None) => "timestamp_ntz".into(),
        DataType::Time32(_) | DataType::Time64(_) => "time(6)".into(),
        DataType::Duration(_) => "interval day to second".into(),
        DataType::Interval(_) => "interval".into(),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => format!("array<{}>", spark_type_name(item.data_type())),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => format!(
                "map<{},{}>",
                spark_type_name(fields[0].data_type()),
                spark_type_name(fields[1].data_type())
            ),
            other => format!("map<{}>", spark_type_name(other)),
        },
        DataType::Struct(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|field| format!("{}:{}", field.name(), spark_type_name(field.data_type())))
                .collect();
            format!("struct<{}>", fields.join(","))
        }
        DataType::Dictionary(_, value) => spark_type_name(value),
        DataType::RunEndEncoded(_, value) => spark_type_name(value.data_type()),
        DataType::Union(..) => "variant".into(),
    }
}
