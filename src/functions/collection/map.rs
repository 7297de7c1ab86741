//! Maps from maps.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, MapArray, StructArray, UInt32Array, new_empty_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{concat, take};
use arrow::datatypes::DataType;
use arrow::row::SortField;
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::ScalarUDF;
use hashbrown::HashSet;

use super::lists::{comparable, owned};
use crate::functions::support::Kind::Map;
use crate::functions::support::{Call, Function, params};
use crate::types::ddl::map_type;

/// The functions of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        Function::new(
            "map_concat",
            params(&[]).and_more(Map),
            |planned| match planned.types.first() {
                None => Ok(map_type(DataType::Utf8, DataType::Utf8)),
                Some(first) if planned.types.iter().all(|other| other.equals_datatype(first)) => {
                    Ok(first.clone())
                }
                Some(_) => plan_err!("map_concat takes maps of one type"),
            },
            map_concat,
        )
        .udf(),
        Function::new(
            "empty_map",
            params(&[]),
            |_| Ok(map_type(DataType::Null, DataType::Null)),
            |call| {
                let DataType::Map(entries, is_sorted) = call.returns else {
                    return exec_err!("a map is made");
                };
                let nothing = new_empty_array(entries.data_type());
                let offsets = OffsetBuffer::from_lengths(vec![0; call.rows]);
                let map = MapArray::try_new(
                    Arc::clone(entries),
                    offsets,
                    nothing.as_struct().clone(),
                    None,
                    *is_sorted,
                )?;
                Ok(Arc::new(map))
            },
        )
        .udf(),
    ]
}

/// A key that comes twice is an error, as in Spark.
fn map_concat(call: &Call) -> Result<ArrayRef> {
    let DataType::Map(entries_field, is_sorted) = call.returns else {
        return exec_err!("map_concat makes a map");
    };
    let maps: Vec<&MapArray> = call.args.iter().map(AsArray::as_map).collect();
    let entries: Vec<&dyn Array> = maps.iter().map(|map| map.entries() as &dyn Array).collect();
    if entries.is_empty() {
        return exec_err!("map_concat takes maps");
    }
    let entries = concat(&entries)?;
    let keys = Arc::clone(entries.as_struct().column(0));
    let [keys] = comparable([&keys], SortField::new(keys.data_type().clone()))?;
    let (mut indices, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..call.rows {
        if maps.iter().any(|map| map.is_null(row)) {
            lengths.push(0);
            valid.push(false);
            continue;
        }
        let mut seen = HashSet::new();
        let before = indices.len();
        let mut start = 0;
        for map in &maps {
            let offsets = map.value_offsets();
            for at in offsets[row]..offsets[row + 1] {
                let at = usize::try_from(at).unwrap_or(0) + start;
                if !seen.insert(owned(&keys, at)) {
                    return exec_err!("map_concat: a key comes twice");
                }
                indices.push(u32::try_from(at).ok());
            }
            start += map.entries().len();
        }
        lengths.push(indices.len() - before);
        valid.push(true);
    }
    let entries = take(&entries, &UInt32Array::from(indices), None)?;
    let DataType::Struct(fields) = entries_field.data_type() else {
        return exec_err!("a map has entries");
    };
    let entries = StructArray::try_new(fields.clone(), entries.as_struct().columns().to_vec(), None)?;
    let nulls = Some(NullBuffer::from(valid)).filter(|nulls| nulls.null_count() > 0);
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(MapArray::try_new(
        Arc::clone(entries_field),
        offsets,
        entries,
        nulls,
        *is_sorted,
    )?))
}
