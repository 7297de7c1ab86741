//! One encoder a column: the type is looked at once, the cells are then written without asking again.

use arrow::array::{Array, ArrowPrimitiveType, AsArray, FixedSizeListArray, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    DataType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType, Float16Type,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};

use super::nested::{dictionary, list, map, runs, structure, union};
use super::scalar::{
    Float, push_base64, push_decimal, push_display, push_hex, push_java_float, push_json_float,
    push_json_string, push_safe_json_string, push_spaced_hex,
};
use super::temporal::temporal;
use crate::error::{Error, Result};

/// The way in which values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Highwater's JSON: the module `json_rows` describes it.
    JsonRows,
    /// The JSON of Spark's file sink.
    SparkJson {
        /// Whether a field of an object is written when it is null.
        keep_nulls: bool,
    },
    /// As Spark's `show()` has them.
    Text {
        /// About where a value may end: what is longer is going to be cut anyway.
        max_bytes: usize,
    },
    /// As a cast to STRING has them: bytes are text, and a null inside of a value is `null`.
    Cast,
}

impl Dialect {
    pub(super) fn is_json(self) -> bool {
        !matches!(self, Self::Text { .. } | Self::Cast)
    }

    pub(super) fn max_bytes(self) -> usize {
        match self {
            Self::Text { max_bytes } => max_bytes,
            Self::JsonRows | Self::SparkJson { .. } | Self::Cast => usize::MAX,
        }
    }

    pub(super) fn push_text(self, out: &mut String, text: &str) {
        match self {
            Self::JsonRows => push_safe_json_string(out, text),
            Self::SparkJson { .. } => push_json_string(out, text),
            Self::Text { max_bytes } => out.push_str(&text[..text.floor_char_boundary(max_bytes)]),
            Self::Cast => out.push_str(text),
        }
    }

    /// Text that needs no escaping: in quotes where the dialect is JSON.
    pub(super) fn push_quoted(self, out: &mut String, push: impl FnOnce(&mut String)) {
        if self.is_json() {
            out.push('"');
            push(out);
            out.push('"');
        } else {
            push(out);
        }
    }

    fn push_null(self, out: &mut String) {
        out.push_str(match self {
            Self::Text { .. } => "NULL",
            Self::JsonRows | Self::SparkJson { .. } | Self::Cast => "null",
        });
    }
}

/// Appends the cell of a row that is not null.
pub(super) type Encode<'a> = Box<dyn Fn(usize, &mut String) + Send + Sync + 'a>;

/// The encoder of one column.
pub(crate) struct Column<'a> {
    nulls: Option<NullBuffer>,
    dialect: Dialect,
    encode: Encode<'a>,
}

impl Column<'_> {
    /// Whether the cell is null.
    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Appends the cell.
    pub(crate) fn push(&self, row: usize, out: &mut String) {
        if self.is_null(row) {
            self.dialect.push_null(out);
        } else {
            (self.encode)(row, out);
        }
    }
}

/// Makes the encoder of a column.
///
/// # Errors
///
/// `Internal` for a type that no query of ours can produce.
pub(crate) fn column(array: &dyn Array, dialect: Dialect) -> Result<Column<'_>> {
    Ok(Column {
        nulls: array.logical_nulls().filter(|nulls| nulls.null_count() > 0),
        dialect,
        encode: encoder(array, dialect)?,
    })
}

fn encoder(array: &dyn Array, dialect: Dialect) -> Result<Encode<'_>> {
    Ok(match array.data_type() {
        DataType::Null => Box::new(move |_, out| dialect.push_null(out)),
        DataType::Boolean => {
            let array = array.as_boolean();
            Box::new(|row, out| out.push_str(if array.value(row) { "true" } else { "false" }))
        }
        DataType::Int8 => integer::<Int8Type>(array),
        DataType::Int16 => integer::<Int16Type>(array),
        DataType::Int32 => integer::<Int32Type>(array),
        DataType::Int64 => integer::<Int64Type>(array),
        DataType::UInt8 => integer::<UInt8Type>(array),
        DataType::UInt16 => integer::<UInt16Type>(array),
        DataType::UInt32 => integer::<UInt32Type>(array),
        DataType::UInt64 => integer::<UInt64Type>(array),
        DataType::Float16 => float::<Float16Type, _>(
            array,
            dialect,
            <Float16Type as ArrowPrimitiveType>::Native::to_f32,
        ),
        DataType::Float32 => float::<Float32Type, _>(array, dialect, |value| value),
        DataType::Float64 => float::<Float64Type, _>(array, dialect, |value| value),
        DataType::Decimal32(_, scale) => decimal::<Decimal32Type>(array, *scale, dialect),
        DataType::Decimal64(_, scale) => decimal::<Decimal64Type>(array, *scale, dialect),
        DataType::Decimal128(_, scale) => decimal::<Decimal128Type>(array, *scale, dialect),
        DataType::Decimal256(_, scale) => decimal::<Decimal256Type>(array, *scale, dialect),
        DataType::Utf8 => {
            let array = array.as_string::<i32>();
            Box::new(move |row, out| dialect.push_text(out, array.value(row)))
        }
        DataType::LargeUtf8 => {
            let array = array.as_string::<i64>();
            Box::new(move |row, out| dialect.push_text(out, array.value(row)))
        }
        DataType::Utf8View => {
            let array = array.as_string_view();
            Box::new(move |row, out| dialect.push_text(out, array.value(row)))
        }
        DataType::Binary => {
            let array = array.as_binary::<i32>();
            Box::new(move |row, out| push_binary(out, array.value(row), dialect))
        }
        DataType::LargeBinary => {
            let array = array.as_binary::<i64>();
            Box::new(move |row, out| push_binary(out, array.value(row), dialect))
        }
        DataType::BinaryView => {
            let array = array.as_binary_view();
            Box::new(move |row, out| push_binary(out, array.value(row), dialect))
        }
        DataType::FixedSizeBinary(_) => {
            let array = array.as_fixed_size_binary();
            Box::new(move |row, out| push_binary(out, array.value(row), dialect))
        }
        DataType::Date32
        | DataType::Date64
        | DataType::Timestamp(..)
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Duration(_)
        | DataType::Interval(_) => temporal(array, dialect)?,
        DataType::Struct(_) => structure(array.as_struct(), dialect)?,
        DataType::Map(..) => map(array, dialect)?,
        DataType::List(_) => list(array.as_list::<i32>(), dialect)?,
        DataType::LargeList(_) => list(array.as_list::<i64>(), dialect)?,
        DataType::ListView(_) => list(array.as_list_view::<i32>(), dialect)?,
        DataType::LargeListView(_) => list(array.as_list_view::<i64>(), dialect)?,
        DataType::FixedSizeList(..) => list::<FixedSizeListArray>(array.as_fixed_size_list(), dialect)?,
        DataType::Dictionary(key, _) => match key.as_ref() {
            DataType::Int8 => dictionary::<Int8Type>(array, dialect)?,
            DataType::Int16 => dictionary::<Int16Type>(array, dialect)?,
            DataType::Int32 => dictionary::<Int32Type>(array, dialect)?,
            DataType::Int64 => dictionary::<Int64Type>(array, dialect)?,
            DataType::UInt8 => dictionary::<UInt8Type>(array, dialect)?,
            DataType::UInt16 => dictionary::<UInt16Type>(array, dialect)?,
            DataType::UInt32 => dictionary::<UInt32Type>(array, dialect)?,
            DataType::UInt64 => dictionary::<UInt64Type>(array, dialect)?,
            _ => return Err(no_text(array.data_type())),
        },
        DataType::RunEndEncoded(ends, _) => match ends.data_type() {
            DataType::Int16 => runs::<Int16Type>(array, dialect)?,
            DataType::Int32 => runs::<Int32Type>(array, dialect)?,
            DataType::Int64 => runs::<Int64Type>(array, dialect)?,
            _ => return Err(no_text(array.data_type())),
        },
        DataType::Union(..) => union(array, dialect)?,
    })
}

/// The error of a type that has no encoder.
pub(super) fn no_text(data_type: &DataType) -> Error {
    Error::internal(format!("values of the type {data_type} cannot be shown"))
}

fn integer<T: ArrowPrimitiveType>(array: &dyn Array) -> Encode<'_>
where
    T::Native: std::fmt::Display,
{
    let array: &PrimitiveArray<T> = array.as_primitive();
    Box::new(|row, out| push_display(out, array.value(row)))
}

fn float<T: ArrowPrimitiveType, F: Float>(
    array: &dyn Array,
    dialect: Dialect,
    number: impl Fn(T::Native) -> F + Send + Sync + 'static,
) -> Encode<'_> {
    let array: &PrimitiveArray<T> = array.as_primitive();
    match dialect {
        Dialect::JsonRows => Box::new(move |row, out| push_json_float(out, number(array.value(row)))),
        Dialect::SparkJson { .. } => Box::new(move |row, out| {
            let number = number(array.value(row));
            if number.widened().is_finite() {
                push_java_float(out, number);
            } else {
                push_json_float(out, number);
            }
        }),
        Dialect::Text { .. } | Dialect::Cast => {
            Box::new(move |row, out| push_java_float(out, number(array.value(row))))
        }
    }
}

fn decimal<T: DecimalType>(array: &dyn Array, scale: i8, dialect: Dialect) -> Encode<'_>
where
    T::Native: std::fmt::Display,
{
    let array: &PrimitiveArray<T> = array.as_primitive();
    let is_quoted = dialect == Dialect::JsonRows;
    Box::new(move |row, out| {
        let unscaled = array.value(row).to_string();
        if is_quoted {
            out.push('"');
        }
        push_decimal(out, &unscaled, scale);
        if is_quoted {
            out.push('"');
        }
    })
}

fn push_binary(out: &mut String, bytes: &[u8], dialect: Dialect) {
    match dialect {
        Dialect::JsonRows => dialect.push_quoted(out, |out| push_hex(out, bytes)),
        Dialect::SparkJson { .. } => dialect.push_quoted(out, |out| push_base64(out, bytes)),
        Dialect::Text { max_bytes } => push_spaced_hex(out, &bytes[..bytes.len().min(max_bytes)]),
        Dialect::Cast => out.push_str(&String::from_utf8_lossy(bytes)),
    }
}
