//! One encoder a column: the type is looked at once, the cells are then written without asking again.

use arrow::array::{
    Array, ArrowPrimitiveType, AsArray, FixedSizeListArray, ListLikeArray, PrimitiveArray, StructArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    ArrowDictionaryKeyType, DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    Decimal256Type, DecimalType, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType,
    DurationSecondType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalDayTimeType, IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType, RunEndIndexType,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::scalar::{
    push_base64, push_decimal, push_display, push_hex, push_java_float, push_json_float, push_json_string,
    push_safe_json_string, push_spaced_hex,
};
use super::time::{
    TimestampStyle, Zone, push_calendar_interval, push_date, push_duration, push_time_of_day, push_timestamp,
    push_year_month,
};
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
}

impl Dialect {
    fn is_json(self) -> bool {
        !matches!(self, Self::Text { .. })
    }

    fn max_bytes(self) -> usize {
        match self {
            Self::Text { max_bytes } => max_bytes,
            Self::JsonRows | Self::SparkJson { .. } => usize::MAX,
        }
    }

    fn push_text(self, out: &mut String, text: &str) {
        match self {
            Self::JsonRows => push_safe_json_string(out, text),
            Self::SparkJson { .. } => push_json_string(out, text),
            Self::Text { max_bytes } => out.push_str(&text[..text.floor_char_boundary(max_bytes)]),
        }
    }

    /// Text that needs no escaping: in quotes where the dialect is JSON.
    fn push_quoted(self, out: &mut String, push: impl FnOnce(&mut String)) {
        if self.is_json() {
            out.push('"');
            push(out);
            out.push('"');
        } else {
            push(out);
        }
    }

    fn push_null(self, out: &mut String) {
        out.push_str(if self.is_json() { "null" } else { "NULL" });
    }
}

type Encode<'a> = Box<dyn Fn(usize, &mut String) + Send + Sync + 'a>;

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
        DataType::Float16 => float::<Float16Type, _>(array, dialect, |value| value.to_f32()),
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

fn no_text(data_type: &DataType) -> Error {
    Error::internal(format!("values of the type {data_type} cannot be shown"))
}

fn integer<T: ArrowPrimitiveType>(array: &dyn Array) -> Encode<'_>
where
    T::Native: std::fmt::Display,
{
    let array: &PrimitiveArray<T> = array.as_primitive();
    Box::new(|row, out| push_display(out, array.value(row)))
}

fn float<T: ArrowPrimitiveType, F: super::scalar::Float>(
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
        Dialect::Text { .. } => Box::new(move |row, out| push_java_float(out, number(array.value(row)))),
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
    }
}

fn temporal(array: &dyn Array, dialect: Dialect) -> Result<Encode<'_>> {
    Ok(match array.data_type() {
        DataType::Date32 => quoted::<Date32Type>(array, dialect, |out, days| push_date(out, i64::from(days))),
        DataType::Date64 => quoted::<Date64Type>(array, dialect, |out, millis| {
            push_date(out, millis.div_euclid(86_400_000));
        }),
        DataType::Timestamp(unit, zone) => {
            let zone = zone.as_deref().map(Zone::named);
            match unit {
                TimeUnit::Second => timestamp::<TimestampSecondType>(array, dialect, *unit, zone),
                TimeUnit::Millisecond => timestamp::<TimestampMillisecondType>(array, dialect, *unit, zone),
                TimeUnit::Microsecond => timestamp::<TimestampMicrosecondType>(array, dialect, *unit, zone),
                TimeUnit::Nanosecond => timestamp::<TimestampNanosecondType>(array, dialect, *unit, zone),
            }
        }
        DataType::Time32(TimeUnit::Second) => quoted::<Time32SecondType>(array, dialect, |out, value| {
            push_time_of_day(out, i64::from(value), TimeUnit::Second);
        }),
        DataType::Time32(TimeUnit::Millisecond) => {
            quoted::<Time32MillisecondType>(array, dialect, |out, value| {
                push_time_of_day(out, i64::from(value), TimeUnit::Millisecond);
            })
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            quoted::<Time64MicrosecondType>(array, dialect, |out, value| {
                push_time_of_day(out, value, TimeUnit::Microsecond);
            })
        }
        DataType::Time64(TimeUnit::Nanosecond) => {
            quoted::<Time64NanosecondType>(array, dialect, |out, value| {
                push_time_of_day(out, value, TimeUnit::Nanosecond);
            })
        }
        DataType::Duration(TimeUnit::Second) => {
            duration::<DurationSecondType>(array, dialect, TimeUnit::Second)
        }
        DataType::Duration(TimeUnit::Millisecond) => {
            duration::<DurationMillisecondType>(array, dialect, TimeUnit::Millisecond)
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            duration::<DurationMicrosecondType>(array, dialect, TimeUnit::Microsecond)
        }
        DataType::Duration(TimeUnit::Nanosecond) => {
            duration::<DurationNanosecondType>(array, dialect, TimeUnit::Nanosecond)
        }
        DataType::Interval(IntervalUnit::YearMonth) => {
            quoted::<IntervalYearMonthType>(array, dialect, push_year_month)
        }
        DataType::Interval(IntervalUnit::DayTime) => {
            quoted::<IntervalDayTimeType>(array, dialect, |out, value| {
                let nanos = i64::from(value.milliseconds) * 1_000_000;
                push_calendar_interval(out, 0, value.days, nanos);
            })
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            quoted::<IntervalMonthDayNanoType>(array, dialect, |out, value| {
                push_calendar_interval(out, value.months, value.days, value.nanoseconds);
            })
        }
        other => return Err(no_text(other)),
    })
}

fn quoted<T: ArrowPrimitiveType>(
    array: &dyn Array,
    dialect: Dialect,
    push: impl Fn(&mut String, T::Native) + Send + Sync + 'static,
) -> Encode<'_> {
    let array: &PrimitiveArray<T> = array.as_primitive();
    Box::new(move |row, out| dialect.push_quoted(out, |out| push(out, array.value(row))))
}

fn timestamp<T: ArrowPrimitiveType<Native = i64>>(
    array: &dyn Array,
    dialect: Dialect,
    unit: TimeUnit,
    zone: Option<Zone>,
) -> Encode<'_> {
    let style = match dialect {
        Dialect::JsonRows => TimestampStyle::IsoUtc,
        Dialect::SparkJson { .. } => TimestampStyle::IsoMillis {
            with_offset: zone.is_some(),
        },
        Dialect::Text { .. } => TimestampStyle::Plain,
    };
    let zone = zone.unwrap_or(Zone::UTC);
    quoted::<T>(array, dialect, move |out, value| {
        push_timestamp(out, value, unit, zone, style);
    })
}

fn duration<T: ArrowPrimitiveType<Native = i64>>(
    array: &dyn Array,
    dialect: Dialect,
    unit: TimeUnit,
) -> Encode<'_> {
    quoted::<T>(array, dialect, move |out, value| push_duration(out, value, unit))
}

fn structure(array: &StructArray, dialect: Dialect) -> Result<Encode<'_>> {
    let columns = array
        .columns()
        .iter()
        .map(|values| column(values.as_ref(), dialect))
        .collect::<Result<Vec<_>>>()?;
    if !dialect.is_json() {
        return Ok(Box::new(move |row, out| {
            push_elements(out, ('{', '}'), dialect, columns.iter(), |out, column| {
                column.push(row, out)
            });
        }));
    }
    let object = Object::new(
        array.fields().iter().map(|field| field.name().as_str()),
        columns,
        dialect,
    );
    Ok(Box::new(move |row, out| object.push(row, out)))
}

fn list<L: ListLikeArray>(array: &L, dialect: Dialect) -> Result<Encode<'_>> {
    let values = column(array.values().as_ref(), dialect)?;
    Ok(Box::new(move |row, out| {
        let elements = array.element_range(row);
        push_elements(out, ('[', ']'), dialect, elements, |out, at| values.push(at, out));
    }))
}

fn map(array: &dyn Array, dialect: Dialect) -> Result<Encode<'_>> {
    let array = array.as_map();
    let keys = column(array.keys().as_ref(), dialect)?;
    let values = column(array.values().as_ref(), dialect)?;
    Ok(Box::new(move |row, out| {
        let offsets = array.value_offsets();
        let start = usize::try_from(offsets[row]).unwrap_or_default();
        let end = usize::try_from(offsets[row + 1]).unwrap_or_default();
        push_elements(out, ('{', '}'), dialect, start..end, |out, at| {
            if dialect.is_json() {
                push_json_key(out, &keys, at, dialect);
                out.push(':');
            } else {
                keys.push(at, out);
                out.push_str(" -> ");
            }
            values.push(at, out);
        });
    }))
}

/// Appends a map's key, which in JSON is text whatever its type is.
fn push_json_key(out: &mut String, keys: &Column<'_>, at: usize, dialect: Dialect) {
    let start = out.len();
    keys.push(at, out);
    if !out[start..].starts_with('"') {
        let bare = out.split_off(start);
        dialect.push_text(out, &bare);
    }
}

/// Appends elements in brackets: `[1,2]` in JSON, `[1, 2]` in text, where it ends early once it is long enough.
fn push_elements<T>(
    out: &mut String,
    (open, close): (char, char),
    dialect: Dialect,
    elements: impl Iterator<Item = T>,
    push: impl Fn(&mut String, T),
) {
    let start = out.len();
    out.push(open);
    for (at, element) in elements.enumerate() {
        if at > 0 {
            out.push_str(if dialect.is_json() { "," } else { ", " });
        }
        push(out, element);
        if out.len() - start > dialect.max_bytes() {
            return;
        }
    }
    out.push(close);
}

fn dictionary<K: ArrowDictionaryKeyType>(array: &dyn Array, dialect: Dialect) -> Result<Encode<'_>> {
    let array = array.as_dictionary::<K>();
    let values = column(array.values().as_ref(), dialect)?;
    Ok(Box::new(move |row, out| {
        if let Some(key) = array.key(row) {
            values.push(key, out);
        }
    }))
}

fn runs<R: RunEndIndexType>(array: &dyn Array, dialect: Dialect) -> Result<Encode<'_>> {
    let array = array.as_run::<R>();
    let values = column(array.values().as_ref(), dialect)?;
    Ok(Box::new(move |row, out| {
        values.push(array.get_physical_index(row), out);
    }))
}

fn union(array: &dyn Array, dialect: Dialect) -> Result<Encode<'_>> {
    let DataType::Union(fields, _) = array.data_type() else {
        return Err(no_text(array.data_type()));
    };
    let array = array.as_union();
    let children = fields
        .iter()
        .map(|(id, _)| Ok((id, column(array.child(id).as_ref(), dialect)?)))
        .collect::<Result<Vec<_>>>()?;
    Ok(Box::new(move |row, out| {
        let id = array.type_id(row);
        if let Some((_, child)) = children.iter().find(|(child, _)| *child == id) {
            child.push(array.value_offset(row), out);
        }
    }))
}

/// The encoder of JSON objects: the names are escaped once.
pub(crate) struct Object<'a> {
    /// Each with its name in quotes and the colon behind it.
    members: Vec<(String, Column<'a>)>,
    keep_nulls: bool,
}

impl<'a> Object<'a> {
    /// An object of these columns.
    pub(crate) fn new<'n>(
        names: impl Iterator<Item = &'n str>,
        columns: Vec<Column<'a>>,
        dialect: Dialect,
    ) -> Self {
        let members = names
            .zip(columns)
            .map(|(name, column)| {
                let mut key = String::with_capacity(name.len() + 3);
                dialect.push_text(&mut key, name);
                key.push(':');
                (key, column)
            })
            .collect();
        Self {
            members,
            keep_nulls: !matches!(dialect, Dialect::SparkJson { keep_nulls: false }),
        }
    }

    /// Appends the object of one row.
    pub(crate) fn push(&self, row: usize, out: &mut String) {
        out.push('{');
        let mut is_first = true;
        for (key, column) in &self.members {
            if !self.keep_nulls && column.is_null(row) {
                continue;
            }
            if !is_first {
                out.push(',');
            }
            is_first = false;
            out.push_str(key);
            column.push(row, out);
        }
        out.push('}');
    }
}
