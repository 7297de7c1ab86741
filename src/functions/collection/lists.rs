//! What the array functions share: rows of elements, and arrays made by picking elements.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, UInt32Array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::take;
use arrow::datatypes::{DataType, FieldRef};
use arrow::row::{OwnedRow, RowConverter, Rows, SortField};
use datafusion::common::{Result, exec_err, plan_datafusion_err, plan_err};
use datafusion::logical_expr::type_coercion::binary::type_union_resolution;

use crate::types::ddl::list_type;
use crate::types::spark_type_name;

/// A column of arrays, or null where it is of no type.
#[derive(Debug, Clone)]
pub(super) struct Lists {
    list: ListArray,
}

impl Lists {
    /// The arrays of a column.
    pub(super) fn new(column: &ArrayRef) -> Result<Self> {
        match column.data_type() {
            DataType::List(_) => Ok(Self {
                list: column.as_list().clone(),
            }),
            DataType::Null => {
                let list = arrow::array::new_null_array(&list_type(DataType::Null), column.len());
                Ok(Self {
                    list: list.as_list().clone(),
                })
            }
            other => exec_err!("{other} is no array"),
        }
    }

    /// Where the elements of a row are, `None` for a null.
    pub(super) fn range(&self, row: usize) -> Option<Range<usize>> {
        if self.list.is_null(row) {
            return None;
        }
        let offsets = self.list.value_offsets();
        let at = |row: usize| usize::try_from(offsets[row]).unwrap_or(0);
        Some(at(row)..at(row + 1))
    }

    /// All elements of all rows.
    pub(super) fn values(&self) -> &ArrayRef {
        self.list.values()
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }
}

/// Arrays in the making: which element of the values comes next, `None` for a null.
#[derive(Debug, Default)]
pub(super) struct Picks {
    indices: Vec<Option<u32>>,
    lengths: Vec<usize>,
    valid: Vec<bool>,
}

impl Picks {
    /// The next row is made of these elements.
    pub(super) fn push(&mut self, elements: impl IntoIterator<Item = Option<usize>>) {
        let before = self.indices.len();
        let elements = elements.into_iter();
        self.indices
            .extend(elements.map(|element| element.and_then(|element| u32::try_from(element).ok())));
        self.lengths.push(self.indices.len() - before);
        self.valid.push(true);
    }

    /// The next row is null.
    pub(super) fn push_null(&mut self) {
        self.lengths.push(0);
        self.valid.push(false);
    }

    /// The arrays, their elements taken from `values`.
    pub(super) fn finish(self, values: &ArrayRef, item: &FieldRef) -> Result<ArrayRef> {
        let values = take(values, &UInt32Array::from(self.indices), None)?;
        list_of(values, self.lengths, self.valid, item)
    }
}

/// Arrays of so many of the values each.
pub(super) fn list_of(
    values: ArrayRef,
    lengths: Vec<usize>,
    valid: Vec<bool>,
    item: &FieldRef,
) -> Result<ArrayRef> {
    let values = if values.data_type() == item.data_type() {
        values
    } else {
        arrow::compute::cast(&values, item.data_type())?
    };
    Ok(Arc::new(ListArray::try_new(
        Arc::clone(item),
        OffsetBuffer::from_lengths(lengths),
        values,
        Some(NullBuffer::from(valid)).filter(|nulls| nulls.null_count() > 0),
    )?))
}

/// The field of an array type's elements.
pub(super) fn item_of(data_type: &DataType) -> Result<&FieldRef> {
    match data_type {
        DataType::List(item) => Ok(item),
        other => exec_err!("{other} is no array"),
    }
}

/// Columns as rows that can be compared with each other.
pub(super) fn comparable<const N: usize>(columns: [&ArrayRef; N], field: SortField) -> Result<[Rows; N]> {
    let converter = RowConverter::new(vec![field])?;
    let mut rows = Vec::with_capacity(N);
    for column in columns {
        rows.push(converter.convert_columns(&[Arc::clone(column)])?);
    }
    let Ok(rows) = <[Rows; N]>::try_from(rows) else {
        return exec_err!("a column was lost");
    };
    Ok(rows)
}

/// A row kept for later.
pub(super) fn owned(rows: &Rows, at: usize) -> OwnedRow {
    rows.row(at).owned()
}

/// The type that values of several types have together.
///
/// # Errors
///
/// A plan error if there is none.
pub(super) fn common(function: &str, types: &[DataType]) -> Result<DataType> {
    if let [first, rest @ ..] = types
        && rest.iter().all(|other| other == first)
    {
        return Ok(first.clone());
    }
    type_union_resolution(types).ok_or_else(|| {
        let names = types.iter().map(spark_type_name).collect::<Vec<_>>();
        plan_datafusion_err!("{function} takes values of one type, not {}", names.join(" and "))
    })
}

/// The element type of an array, or of none.
///
/// # Errors
///
/// A plan error for what is no array.
pub(super) fn element(function: &str, given: &DataType) -> Result<DataType> {
    match given {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            Ok(item.data_type().clone())
        }
        DataType::Null => Ok(DataType::Null),
        other => plan_err!("{function} takes an array, not {}", spark_type_name(other)),
    }
}
