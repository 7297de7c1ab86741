//! Arrays, maps and structs are cast member by member; a struct's members by their position, whatever their names.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};

use super::{Casting, cast_column};

/// Casts a nested value to a type of the same shape.
pub(super) fn cast(values: &ArrayRef, to: &DataType, casting: &Casting) -> Result<ArrayRef> {
    match (values.data_type(), to) {
        (DataType::List(_), DataType::List(item)) => {
            let list = values.as_list::<i32>();
            let items = cast_column(list.values(), item.data_type(), casting)?;
            Ok(Arc::new(ListArray::try_new(
                Arc::clone(item),
                list.offsets().clone(),
                items,
                list.nulls().cloned(),
            )?))
        }
        (DataType::Map(..), DataType::Map(entries, is_sorted)) => {
            let map = values.as_map();
            let given = Arc::new(map.entries().clone()) as ArrayRef;
            let cast = cast_column(&given, entries.data_type(), casting)?;
            Ok(Arc::new(MapArray::try_new(
                Arc::clone(entries),
                map.offsets().clone(),
                cast.as_struct().clone(),
                map.nulls().cloned(),
                *is_sorted,
            )?))
        }
        (DataType::Struct(given), DataType::Struct(fields)) if given.len() == fields.len() => {
            let values = values.as_struct();
            let columns = values.columns().iter().zip(fields);
            let columns = columns
                .map(|(column, field)| cast_column(column, field.data_type(), casting))
                .collect::<Result<Vec<_>>>()?;
            Ok(Arc::new(StructArray::try_new_with_length(
                fields.clone(),
                columns,
                values.nulls().cloned(),
                values.len(),
            )?))
        }
        (from, to) => exec_err!("{from} cannot be cast to {to}"),
    }
}
