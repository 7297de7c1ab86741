//! One element of an array, one value of a map: `a[i]`, `m[k]`, `get`, `element_at`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, ListArray, MapArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Int32Type};
use arrow::row::SortField;
use datafusion::common::{Result, exec_datafusion_err, plan_err};
use datafusion::logical_expr::ScalarUDF;

use super::lists::{Lists, common, comparable, element};
use crate::functions::support::Kind::Any;
use crate::functions::support::{Call, Function, Planned, params, returns};
use crate::types::spark_type_name;

/// The functions of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    let two = params(&[Any, Any]);
    vec![
        subscript(),
        Function::new("get", two, value_type, |call| at(call, Position::Index, true))
            .coerce(coerce)
            .udf(),
        Function::new("element_at", two, value_type, |call| {
            at(call, Position::Ordinal, false)
        })
        .coerce(coerce)
        .udf(),
        Function::new("try_element_at", two, value_type, |call| {
            at(call, Position::Ordinal, true)
        })
        .coerce(coerce)
        .udf(),
        Function::new("size", params(&[Any]), returns!(DataType::Int32), size)
            .alias(&["cardinality", "array_size"])
            .udf(),
        Function::new("map_contains_key", two, returns!(DataType::Boolean), contains_key)
            .coerce(coerce)
            .udf(),
    ]
}

/// `a[i]` and `m[k]`.
pub(crate) fn subscript() -> Arc<ScalarUDF> {
    Function::new("subscript", params(&[Any, Any]), value_type, |call| {
        at(call, Position::Index, false)
    })
    .coerce(coerce)
    .udf()
}

/// `a.field` of an array of structs: the array of the fields.
pub(crate) fn fields_of(name: &'static str) -> Arc<ScalarUDF> {
    Function::new(
        name,
        params(&[Any, Any]),
        |planned| {
            let DataType::List(item) = &planned.types[0] else {
                return plan_err!("only an array of structs has fields");
            };
            let name = planned.text(1).unwrap_or_default();
            let field = match item.data_type() {
                DataType::Struct(fields) => fields
                    .iter()
                    .find(|field| field.name().eq_ignore_ascii_case(name)),
                _ => None,
            };
            let Some(field) = field else {
                return plan_err!("{} has no field \"{name}\"", spark_type_name(item.data_type()));
            };
            Ok(DataType::List(Arc::new(Field::new(
                "item",
                field.data_type().clone(),
                true,
            ))))
        },
        |call| {
            let list = call.args[0].as_list::<i32>();
            let structs = list.values().as_struct();
            let name = call.text(1).value(0);
            let at = structs
                .fields()
                .iter()
                .position(|field| field.name().eq_ignore_ascii_case(name));
            let at = at.ok_or_else(|| exec_datafusion_err!("there is no field \"{name}\""))?;
            // A null struct has null fields.
            let nulls = arrow::array::make_array(structs.column(at).to_data());
            let masked = match structs.nulls() {
                None => nulls,
                Some(valid) => {
                    let missing = BooleanArray::new(!valid.inner(), None);
                    arrow::compute::nullif(&nulls, &missing)?
                }
            };
            let item = super::lists::item_of(call.returns)?;
            Ok(Arc::new(ListArray::try_new(
                Arc::clone(item),
                list.offsets().clone(),
                masked,
                list.nulls().cloned(),
            )?))
        },
    )
    .udf()
}

/// How positions count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    /// From 0.
    Index,
    /// From 1, and from -1 at the end.
    Ordinal,
}

fn coerce(given: &[DataType]) -> Result<Vec<DataType>> {
    let [collection, key] = given else {
        return plan_err!(
            "an array or a map, and a position or a key are needed, not {} values",
            given.len()
        );
    };
    match collection {
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                let key = common("a map", &[fields[0].data_type().clone(), key.clone()])?;
                let _ = key;
                Ok(vec![collection.clone(), fields[0].data_type().clone()])
            }
            other => plan_err!("a map has keys and values, not {other}"),
        },
        list => {
            let item = element("an index", list)?;
            let list = DataType::List(match list {
                DataType::List(item) => Arc::clone(item),
                _ => Arc::new(Field::new("item", item, true)),
            });
            Ok(vec![list, DataType::Int32])
        }
    }
}

fn value_type(planned: &Planned) -> Result<DataType> {
    match &planned.types[0] {
        DataType::List(item) => Ok(item.data_type().clone()),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => Ok(fields[1].data_type().clone()),
            other => plan_err!("a map has keys and values, not {other}"),
        },
        other => plan_err!(
            "only arrays, maps and structs have parts, not {}",
            spark_type_name(other)
        ),
    }
}

fn at(call: &Call, counts: Position, is_try: bool) -> Result<ArrayRef> {
    if let Some(map) = call.args[0].as_map_opt() {
        let found = find(map, &call.args[1])?;
        return Ok(take(map.values(), &found, None)?);
    }
    let lists = Lists::new(&call.args[0])?;
    let positions = call.primitive::<Int32Type>(1);
    let indices = (0..call.rows).map(|row| {
        let Some(range) = lists.range(row) else {
            return Ok(None);
        };
        if positions.is_null(row) {
            return Ok(None);
        }
        let position = i64::from(positions.value(row));
        let length = i64::try_from(range.len()).unwrap_or(i64::MAX);
        let index = match counts {
            Position::Index => position,
            Position::Ordinal if position > 0 => position - 1,
            Position::Ordinal if position < 0 => length + position,
            Position::Ordinal => {
                return Err(exec_datafusion_err!(
                    "element_at counts from 1, or from -1 at the end: there is no 0"
                ));
            }
        };
        if (0..length).contains(&index) {
            let index = usize::try_from(index).unwrap_or(0);
            return Ok(u32::try_from(range.start + index).ok());
        }
        if is_try {
            return Ok(None);
        }
        Err(exec_datafusion_err!(
            "an array of {length} elements has none at {position}; {} gives null instead",
            if counts == Position::Index {
                "get"
            } else {
                "try_element_at"
            }
        ))
    });
    let indices = indices.collect::<Result<Vec<_>>>()?;
    Ok(take(lists.values(), &UInt32Array::from(indices), None)?)
}

/// Where each row's key is among a map's entries.
fn find(map: &MapArray, wanted: &ArrayRef) -> Result<UInt32Array> {
    let field = SortField::new(map.keys().data_type().clone());
    let [keys, wanted_rows] = comparable([map.keys(), wanted], field)?;
    let offsets = map.value_offsets();
    let found = (0..map.len()).map(|row| {
        if map.is_null(row) || wanted.is_null(row) {
            return None;
        }
        let mut entries = offsets[row]..offsets[row + 1];
        let found = entries
            .find(|entry| usize::try_from(*entry).is_ok_and(|entry| keys.row(entry) == wanted_rows.row(row)));
        u32::try_from(found?).ok()
    });
    Ok(found.collect())
}

fn contains_key(call: &Call) -> Result<ArrayRef> {
    let map = call.args[0].as_map();
    let found = find(map, &call.args[1])?;
    let rows = (0..call.rows).map(|row| {
        let is_known = map.is_valid(row) && call.args[1].is_valid(row);
        is_known.then(|| found.is_valid(row))
    });
    Ok(Arc::new(rows.collect::<BooleanArray>()))
}

fn size(call: &Call) -> Result<ArrayRef> {
    let lengths: Int32Array = if let Some(map) = call.args[0].as_map_opt() {
        let offsets = map.value_offsets();
        let length = |row: usize| map.is_valid(row).then(|| offsets[row + 1] - offsets[row]);
        (0..call.rows).map(length).collect()
    } else {
        let lists = Lists::new(&call.args[0])?;
        let length = |row: usize| i32::try_from(lists.range(row)?.len()).ok();
        (0..call.rows).map(length).collect()
    };
    Ok(Arc::new(lengths))
}
