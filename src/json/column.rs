//! The columns that a decoder fills: growing vectors that become Arrow arrays, and that can give up what they took last.
//!
//! A value is appended as it is read. When the record then turns out to be bad, or a name comes a second time, values are
//! taken out again; that is why these are not Arrow's own builders. A struct column holds the names of its fields too, so
//! that reading a record is one walk over the columns.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, Decimal128Array, ListArray, MapArray, NullArray,
    PrimitiveArray, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    DataType, Date32Type, Fields, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimeUnit,
};

use super::members::Members;
use crate::error::{Error, Result};
use crate::types::spark_type_name;

/// A column, or what is inside one.
#[derive(Debug)]
pub(super) struct Column {
    data_type: DataType,
    /// One entry a value; kept only from the first null on.
    validity: Validity,
    pub(super) data: Data,
}

/// The values.
#[derive(Debug)]
pub(super) enum Data {
    Null,
    Boolean(Vec<bool>),
    Int8(Vec<i8>),
    Int16(Vec<i16>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Decimal(Vec<i128>, u8, i8),
    Date(Vec<i32>),
    Timestamp(Vec<i64>),
    TimestampNtz(Vec<i64>),
    Text(Bytes),
    Binary(Bytes),
    List(Vec<i32>, Box<Column>),
    /// Offsets, keys, values.
    Map(Vec<i32>, Box<Column>, Box<Column>),
    Struct(Members),
}

/// Texts one behind the other, and where each ends; the first offset is 0.
#[derive(Debug)]
pub(super) struct Bytes {
    pub(super) offsets: Vec<i32>,
    pub(super) values: Vec<u8>,
}

impl Bytes {
    fn new() -> Self {
        Self {
            offsets: vec![0],
            values: Vec::new(),
        }
    }

    fn remove(&mut self, range: Range<usize>) {
        let bytes = remove_offsets(&mut self.offsets, range);
        self.values.drain(bytes);
    }
}

/// Which values are null.
#[derive(Debug, Default)]
struct Validity {
    length: usize,
    /// Empty as long as nothing is null.
    valid: Vec<bool>,
}

impl Validity {
    #[inline]
    fn push(&mut self, is_valid: bool) {
        if !is_valid && self.valid.is_empty() {
            self.valid.resize(self.length, true);
        }
        if !is_valid || !self.valid.is_empty() {
            self.valid.push(is_valid);
        }
        self.length += 1;
    }

    fn remove(&mut self, range: Range<usize>) {
        self.length -= range.len();
        if !self.valid.is_empty() {
            self.valid.drain(range);
        }
    }

    fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
        self.valid.truncate(length);
    }

    fn take(&mut self) -> Option<NullBuffer> {
        self.length = 0;
        let valid = std::mem::take(&mut self.valid);
        (!valid.is_empty()).then(|| NullBuffer::from(valid))
    }
}

/// Takes values out of a list of offsets, gives the range of elements that they had.
fn remove_offsets(offsets: &mut Vec<i32>, range: Range<usize>) -> Range<usize> {
    let (start, end) = (offsets[range.start], offsets[range.end]);
    offsets.drain(range.start + 1..=range.end);
    for offset in &mut offsets[range.start + 1..] {
        *offset -= end - start;
    }
    as_index(start)..as_index(end)
}

fn as_index(offset: i32) -> usize {
    usize::try_from(offset).unwrap_or(0)
}

/// An offset for `length` elements. Beyond two billion it is no offset any more, and building the array says so.
#[inline]
pub(super) fn as_offset(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MIN)
}

impl Column {
    /// An empty column for values of `data_type`, found at `path`.
    pub(super) fn try_new(data_type: &DataType, path: &str) -> Result<Self> {
        let data = match data_type {
            DataType::Null => Data::Null,
            DataType::Boolean => Data::Boolean(Vec::new()),
            DataType::Int8 => Data::Int8(Vec::new()),
            DataType::Int16 => Data::Int16(Vec::new()),
            DataType::Int32 => Data::Int32(Vec::new()),
            DataType::Int64 => Data::Int64(Vec::new()),
            DataType::Float32 => Data::Float32(Vec::new()),
            DataType::Float64 => Data::Float64(Vec::new()),
            DataType::Decimal128(precision, scale) => Data::Decimal(Vec::new(), *precision, *scale),
            DataType::Date32 => Data::Date(Vec::new()),
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => Data::Timestamp(Vec::new()),
            DataType::Timestamp(TimeUnit::Microsecond, None) => Data::TimestampNtz(Vec::new()),
            DataType::Utf8 => Data::Text(Bytes::new()),
            DataType::Binary => Data::Binary(Bytes::new()),
            DataType::List(item) => Data::List(vec![0], Box::new(Self::try_new(item.data_type(), path)?)),
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(fields) if fields.len() == 2 && *fields[0].data_type() == DataType::Utf8 => {
                    Data::Map(
                        vec![0],
                        Box::new(Self::try_new(&DataType::Utf8, path)?),
                        Box::new(Self::try_new(fields[1].data_type(), path)?),
                    )
                }
                _ => {
                    return Err(Error::statement(format!(
                        "column \"{path}\" is a {}, and the keys of JSON objects are texts",
                        spark_type_name(data_type)
                    ))
                    .hint("Declare it as MAP<STRING, ...> and cast the keys in the query."));
                }
            },
            DataType::Struct(fields) => Data::Struct(Members::try_new(fields, None, path)?),
            _ => {
                return Err(Error::statement(format!(
                    "column \"{path}\" of type {} cannot be read from JSON",
                    spark_type_name(data_type)
                ))
                .hint("Declare it as STRING and cast it in the query."));
            }
        };
        Ok(Self {
            data_type: data_type.clone(),
            validity: Validity::default(),
            data,
        })
    }

    /// How many values there are.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.validity.length
    }

    /// Spark's name of the type.
    pub(super) fn type_name(&self) -> String {
        spark_type_name(&self.data_type)
    }

    /// Counts a value that was appended to [`Self::data`].
    #[inline]
    pub(super) fn push_valid(&mut self) {
        self.validity.push(true);
    }

    /// Appends a null.
    pub(super) fn push_null(&mut self) {
        self.validity.push(false);
        match &mut self.data {
            Data::Null => {}
            Data::Boolean(values) => values.push(false),
            Data::Int8(values) => values.push(0),
            Data::Int16(values) => values.push(0),
            Data::Int32(values) | Data::Date(values) => values.push(0),
            Data::Int64(values) | Data::Timestamp(values) | Data::TimestampNtz(values) => values.push(0),
            Data::Float32(values) => values.push(0.0),
            Data::Float64(values) => values.push(0.0),
            Data::Decimal(values, ..) => values.push(0),
            Data::Text(bytes) | Data::Binary(bytes) => bytes.offsets.push(as_offset(bytes.values.len())),
            Data::List(offsets, items) => offsets.push(as_offset(items.len())),
            Data::Map(offsets, keys, _) => offsets.push(as_offset(keys.len())),
            Data::Struct(members) => members.columns_mut().for_each(Self::push_null),
        }
    }

    /// Takes whole values out again.
    pub(super) fn remove(&mut self, range: Range<usize>) {
        self.validity.remove(range.clone());
        match &mut self.data {
            Data::Null => {}
            Data::Boolean(values) => drop(values.drain(range)),
            Data::Int8(values) => drop(values.drain(range)),
            Data::Int16(values) => drop(values.drain(range)),
            Data::Int32(values) | Data::Date(values) => drop(values.drain(range)),
            Data::Int64(values) | Data::Timestamp(values) | Data::TimestampNtz(values) => {
                drop(values.drain(range));
            }
            Data::Float32(values) => drop(values.drain(range)),
            Data::Float64(values) => drop(values.drain(range)),
            Data::Decimal(values, ..) => drop(values.drain(range)),
            Data::Text(bytes) | Data::Binary(bytes) => bytes.remove(range),
            Data::List(offsets, items) => items.remove(remove_offsets(offsets, range)),
            Data::Map(offsets, keys, values) => {
                let entries = remove_offsets(offsets, range);
                keys.remove(entries.clone());
                values.remove(entries);
            }
            Data::Struct(members) => members
                .columns_mut()
                .for_each(|column| column.remove(range.clone())),
        }
    }

    /// Takes out all values from `length` on, and what a value that was given up halfway has left inside.
    pub(super) fn truncate(&mut self, length: usize) {
        self.validity.truncate(length);
        match &mut self.data {
            Data::Null => {}
            Data::Boolean(values) => values.truncate(length),
            Data::Int8(values) => values.truncate(length),
            Data::Int16(values) => values.truncate(length),
            Data::Int32(values) | Data::Date(values) => values.truncate(length),
            Data::Int64(values) | Data::Timestamp(values) | Data::TimestampNtz(values) => {
                values.truncate(length);
            }
            Data::Float32(values) => values.truncate(length),
            Data::Float64(values) => values.truncate(length),
            Data::Decimal(values, ..) => values.truncate(length),
            Data::Text(bytes) | Data::Binary(bytes) => {
                bytes.offsets.truncate(length + 1);
                bytes.values.truncate(as_index(bytes.offsets[length]));
            }
            Data::List(offsets, items) => {
                offsets.truncate(length + 1);
                items.truncate(as_index(offsets[length]));
            }
            Data::Map(offsets, keys, values) => {
                offsets.truncate(length + 1);
                keys.truncate(as_index(offsets[length]));
                values.truncate(as_index(offsets[length]));
            }
            Data::Struct(members) => members.columns_mut().for_each(|column| column.truncate(length)),
        }
    }

    /// The values as an array; the column is empty afterwards.
    pub(super) fn take(&mut self) -> Result<ArrayRef> {
        let length = self.len();
        let nulls = self.validity.take();
        Ok(match &mut self.data {
            Data::Null => Arc::new(NullArray::new(length)),
            Data::Boolean(values) => Arc::new(BooleanArray::new(take_values(values).into(), nulls)),
            Data::Int8(values) => primitive::<Int8Type>(values, nulls)?,
            Data::Int16(values) => primitive::<Int16Type>(values, nulls)?,
            Data::Int32(values) => primitive::<Int32Type>(values, nulls)?,
            Data::Int64(values) => primitive::<Int64Type>(values, nulls)?,
            Data::Float32(values) => primitive::<Float32Type>(values, nulls)?,
            Data::Float64(values) => primitive::<Float64Type>(values, nulls)?,
            Data::Date(values) => primitive::<Date32Type>(values, nulls)?,
            Data::Decimal(values, precision, scale) => Arc::new(
                Decimal128Array::try_new(take_values(values).into(), nulls)?
                    .with_precision_and_scale(*precision, *scale)?,
            ),
            Data::Timestamp(values) | Data::TimestampNtz(values) => {
                let array = TimestampMicrosecondArray::try_new(take_values(values).into(), nulls)?;
                match &self.data_type {
                    DataType::Timestamp(_, zone) => Arc::new(array.with_timezone_opt(zone.clone())),
                    _ => Arc::new(array),
                }
            }
            Data::Text(bytes) => {
                let values = Buffer::from(take_values(&mut bytes.values));
                Arc::new(StringArray::try_new(
                    take_offsets(&mut bytes.offsets)?,
                    values,
                    nulls,
                )?)
            }
            Data::Binary(bytes) => {
                let values = Buffer::from(take_values(&mut bytes.values));
                Arc::new(BinaryArray::try_new(
                    take_offsets(&mut bytes.offsets)?,
                    values,
                    nulls,
                )?)
            }
            Data::List(offsets, items) => {
                let DataType::List(field) = &self.data_type else {
                    return Err(Error::internal("a list column without an item type"));
                };
                let field = Arc::clone(field);
                Arc::new(ListArray::try_new(
                    field,
                    take_offsets(offsets)?,
                    items.take()?,
                    nulls,
                )?)
            }
            Data::Map(offsets, keys, values) => {
                let DataType::Map(field, is_sorted) = &self.data_type else {
                    return Err(Error::internal("a map column without an entry type"));
                };
                let DataType::Struct(fields) = field.data_type() else {
                    return Err(Error::internal("a map column whose entries are not a struct"));
                };
                let entries = StructArray::try_new(fields.clone(), vec![keys.take()?, values.take()?], None)?;
                let offsets = take_offsets(offsets)?;
                Arc::new(MapArray::try_new(
                    Arc::clone(field),
                    offsets,
                    entries,
                    nulls,
                    *is_sorted,
                )?)
            }
            Data::Struct(members) => Arc::new(StructArray::try_new_with_length(
                fields_of(&self.data_type),
                members.columns_mut().map(Self::take).collect::<Result<_>>()?,
                nulls,
                length,
            )?),
        })
    }
}

/// Takes the values and leaves room for as many.
fn take_values<T>(values: &mut Vec<T>) -> Vec<T> {
    let room = Vec::with_capacity(values.len());
    std::mem::replace(values, room)
}

fn primitive<T: ArrowPrimitiveType>(
    values: &mut Vec<T::Native>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    Ok(Arc::new(PrimitiveArray::<T>::try_new(
        take_values(values).into(),
        nulls,
    )?))
}

fn take_offsets(offsets: &mut Vec<i32>) -> Result<OffsetBuffer<i32>> {
    let mut room = Vec::with_capacity(offsets.len());
    room.push(0);
    let offsets = std::mem::replace(offsets, room);
    if offsets.iter().any(|offset| *offset < 0) {
        return Err(
            Error::source("one batch has more than 2 GiB of texts in a column")
                .hint("Let a batch take less, with maxFilesPerTrigger or maxBytesPerTrigger."),
        );
    }
    Ok(OffsetBuffer::new(ScalarBuffer::from(offsets)))
}

fn fields_of(data_type: &DataType) -> Fields {
    match data_type {
        DataType::Struct(fields) => fields.clone(),
        _ => Fields::empty(),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Array;

    use super::*;

    #[test]
    fn what_is_removed_leaves_no_trace() {
        let mut list = Column::try_new(&crate::types::ddl::list_type(DataType::Utf8), "c").expect("a column");
        let append = |list: &mut Column, texts: &[&str]| {
            let Data::List(offsets, items) = &mut list.data else {
                panic!("a list")
            };
            for text in texts {
                let Data::Text(bytes) = &mut items.data else {
                    panic!("texts")
                };
                bytes.values.extend_from_slice(text.as_bytes());
                bytes.offsets.push(as_offset(bytes.values.len()));
                items.push_valid();
            }
            offsets.push(as_offset(items.len()));
            list.push_valid();
        };
        append(&mut list, &["a", "bc"]);
        append(&mut list, &["gone", "too"]);
        list.push_null();
        append(&mut list, &["d"]);
        append(&mut list, &["at", "the", "end"]);
        list.remove(1..2);
        list.truncate(3);
        let array = list.take().expect("an array");
        let array = array.as_any().downcast_ref::<ListArray>().expect("a list");
        let texts = |row: usize| {
            let value = array.value(row);
            let value = value.as_any().downcast_ref::<StringArray>().expect("texts");
            value.iter().flatten().map(ToOwned::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(Array::null_count(array), 1);
        assert_eq!(
            (texts(0), texts(2)),
            (vec!["a".into(), "bc".into()], vec!["d".into()])
        );
        assert_eq!(list.len(), 0);
    }
}
