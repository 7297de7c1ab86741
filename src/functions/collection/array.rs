//! Functions of arrays that give arrays, or look for elements.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, StructArray, UInt32Array};
use arrow::compute::{SortOptions, concat, take};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int32Type};
use arrow::row::SortField;
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::ScalarUDF;

use super::lists::{Lists, Picks, common, comparable, element, item_of, list_of};
use crate::functions::support::Kind::{Any, Array as List, Boolean};
use crate::functions::support::{Call, Function, Planned, params, returns};
use crate::types::ddl::list_type;
use crate::types::spark_type_name;

/// The functions of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    let two = params(&[Any, Any]);
    vec![
        Function::new(
            "sort_array",
            params(&[List]).or(&[Boolean]),
            same_type,
            sort_array,
        )
        .udf(),
        Function::new("array_position", two, returns!(DataType::Int64), position)
            .coerce(with_element)
            .udf(),
        Function::new("array_contains", two, returns!(DataType::Boolean), contains)
            .coerce(with_known_element)
            .udf(),
        Function::new("array_remove", two, same_type, remove)
            .coerce(with_element)
            .udf(),
        Function::new("array_append", two, same_type, |call| {
            insert_all(call, |_, length| Ok(i64::try_from(length).ok()))
        })
        .coerce(with_new_element)
        .udf(),
        Function::new("array_prepend", two, same_type, |call| {
            insert_all(call, |_, _| Ok(Some(0)))
        })
        .coerce(with_new_element)
        .udf(),
        Function::new("array_insert", params(&[Any, Any, Any]), same_type, insert)
            .coerce(coerce_insert)
            .udf(),
        Function::new("arrays_overlap", two, returns!(DataType::Boolean), overlap)
            .coerce(|given| super::common_lists("arrays_overlap", given))
            .udf(),
        Function::new("flatten", params(&[List]), flat_type, flatten).udf(),
        Function::new("arrays_zip", params(&[]).and_more(Any), zip_type, zip).udf(),
    ]
}

#[expect(clippy::unnecessary_wraps, reason = "it is the type of a function")]
fn same_type(planned: &Planned) -> Result<DataType> {
    Ok(match &planned.types[0] {
        DataType::Null => list_type(DataType::Null),
        other => other.clone(),
    })
}

/// As many elements as an array may have.
const MOST_ELEMENTS: usize = i32::MAX as usize - 15;

/// An array, and a value that its elements can be.
fn with_element(given: &[DataType]) -> Result<Vec<DataType>> {
    let [list, value] = given else {
        return plan_err!("an array and a value are needed, not {} values", given.len());
    };
    let item = element("an array function", list)?;
    let item = common("an array function", &[item, value.clone()])?;
    Ok(vec![list_type(item.clone()), item])
}

/// The same for a value that is looked for: a null can never be found.
fn with_known_element(given: &[DataType]) -> Result<Vec<DataType>> {
    if given.contains(&DataType::Null) {
        return plan_err!("array_contains takes an array and a value, neither of them a mere NULL");
    }
    with_element(given)
}

/// The same for a value that becomes an element.
fn with_new_element(given: &[DataType]) -> Result<Vec<DataType>> {
    let types = with_element(given)?;
    let (item, value) = (element("an array function", &given[0])?, &given[1]);
    if holds_not(&item, value) || holds_not(value, &item) {
        return plan_err!(
            "the elements of an array of {} cannot be {}: cast one to the other's type",
            spark_type_name(&item).to_uppercase(),
            spark_type_name(value).to_uppercase()
        );
    }
    Ok(types)
}

/// Whether a decimal has not all values of a type of whole numbers.
fn holds_not(decimal: &DataType, integer: &DataType) -> bool {
    let (DataType::Decimal128(precision, scale), true) = (decimal, integer.is_integer()) else {
        return false;
    };
    let digits = match integer {
        DataType::Int8 => 3,
        DataType::Int16 => 5,
        DataType::Int32 => 10,
        _ => 20,
    };
    i16::from(*precision) - i16::from(*scale) < digits
}

fn coerce_insert(given: &[DataType]) -> Result<Vec<DataType>> {
    let [list, _, value] = given else {
        return plan_err!("array_insert takes an array, a position and a value");
    };
    let types = with_new_element(&[list.clone(), value.clone()])?;
    Ok(vec![types[0].clone(), DataType::Int32, types[1].clone()])
}

/// Ascending with nulls first, or descending with nulls last.
fn sort_array(call: &Call) -> Result<ArrayRef> {
    let is_ascending = !call.has(1) || call.args[1].as_boolean().value(0);
    sorted(
        &call.args[0],
        call.returns,
        SortOptions {
            descending: !is_ascending,
            nulls_first: is_ascending,
        },
    )
}

/// The arrays with their elements in order.
pub(super) fn sorted(column: &ArrayRef, returns: &DataType, options: SortOptions) -> Result<ArrayRef> {
    let lists = Lists::new(column)?;
    let values = lists.values();
    let field = SortField::new_with_options(values.data_type().clone(), options);
    let [rows] = comparable([values], field)?;
    let mut picks = Picks::default();
    for row in 0..lists.len() {
        let Some(range) = lists.range(row) else {
            picks.push_null();
            continue;
        };
        let mut elements: Vec<usize> = range.collect();
        elements.sort_by(|left, right| rows.row(*left).cmp(&rows.row(*right)));
        picks.push(elements.into_iter().map(Some));
    }
    picks.finish(values, item_of(returns)?)
}

/// The place of the first such element, counted from 1; 0 if there is none.
fn position(call: &Call) -> Result<ArrayRef> {
    let lists = Lists::new(&call.args[0])?;
    let wanted = &call.args[1];
    let field = SortField::new(lists.values().data_type().clone());
    let [elements, rows] = comparable([lists.values(), wanted], field)?;
    let places = (0..call.rows).map(|row| {
        let mut range = lists.range(row).filter(|_| wanted.is_valid(row))?;
        let place = range.position(|element| elements.row(element) == rows.row(row));
        Some(place.map_or(0, |place| i64::try_from(place).unwrap_or(0) + 1))
    });
    Ok(Arc::new(places.collect::<Int64Array>()))
}

/// Null where the value is not found, but may be one of the array's nulls.
fn contains(call: &Call) -> Result<ArrayRef> {
    let lists = Lists::new(&call.args[0])?;
    let (values, wanted) = (lists.values(), &call.args[1]);
    let field = SortField::new(values.data_type().clone());
    let [elements, rows] = comparable([values, wanted], field)?;
    let answers = (0..call.rows).map(|row| {
        let mut range = lists.range(row).filter(|_| wanted.is_valid(row))?;
        let has_null = range.clone().any(|element| values.is_null(element));
        let is_found = range.any(|element| elements.row(element) == rows.row(row));
        (is_found || !has_null).then_some(is_found)
    });
    Ok(Arc::new(answers.collect::<BooleanArray>()))
}

fn remove(call: &Call) -> Result<ArrayRef> {
    let lists = Lists::new(&call.args[0])?;
    let unwanted = &call.args[1];
    let field = SortField::new(lists.values().data_type().clone());
    let [elements, rows] = comparable([lists.values(), unwanted], field)?;
    let mut picks = Picks::default();
    for row in 0..call.rows {
        match lists.range(row).filter(|_| unwanted.is_valid(row)) {
            None => picks.push_null(),
            Some(range) => {
                let left = range.filter(|element| elements.row(*element) != rows.row(row));
                picks.push(left.map(Some));
            }
        }
    }
    picks.finish(lists.values(), item_of(call.returns)?)
}

/// Puts the last argument into the arrays, at the place that `place` tells for a row and a length; nulls fill the gap
/// beyond the end, or, where the place is below 0, before the beginning.
fn insert_all(call: &Call, place: impl Fn(usize, usize) -> Result<Option<i64>>) -> Result<ArrayRef> {
    let lists = Lists::new(&call.args[0])?;
    let Some(new) = call.args.last() else {
        return exec_err!("a value is needed");
    };
    let count = lists.values().len();
    let values = concat(&[lists.values().as_ref(), new.as_ref()])?;
    let mut picks = Picks::default();
    for row in 0..call.rows {
        let Some(range) = lists.range(row) else {
            picks.push_null();
            continue;
        };
        let Some(place) = place(row, range.len())? else {
            picks.push_null();
            continue;
        };
        let mut elements: Vec<Option<usize>> = range.map(Some).collect();
        let gap = usize::try_from(place.unsigned_abs()).unwrap_or(usize::MAX);
        if gap > MOST_ELEMENTS {
            return exec_err!("an array cannot have {gap} elements: {MOST_ELEMENTS} is the most");
        }
        if place < 0 {
            elements.splice(0..0, std::iter::repeat_n(None, gap));
        } else if gap > elements.len() {
            elements.resize(gap, None);
        }
        let place = usize::try_from(place).unwrap_or(0);
        elements.insert(place, Some(count + row));
        picks.push(elements);
    }
    picks.finish(&values, item_of(call.returns)?)
}

/// Positions count from 1, or from the end: -1 puts the value behind the last element.
fn insert(call: &Call) -> Result<ArrayRef> {
    let positions = call.primitive::<Int32Type>(1);
    insert_all(call, |row, length| {
        if positions.is_null(row) {
            return Ok(None);
        }
        let position = i64::from(positions.value(row));
        let length = i64::try_from(length).unwrap_or(0);
        let place = if position > 0 {
            position - 1
        } else {
            length + position + 1
        };
        if position == 0 {
            return exec_err!("array_insert counts from 1, or from -1 at the end: there is no 0");
        }
        Ok(Some(place))
    })
}

/// Null where no element is shared, but one of them is null.
fn overlap(call: &Call) -> Result<ArrayRef> {
    let (left, right) = (Lists::new(&call.args[0])?, Lists::new(&call.args[1])?);
    let field = SortField::new(left.values().data_type().clone());
    let [left_rows, right_rows] = comparable([left.values(), right.values()], field)?;
    let overlaps = (0..call.rows).map(|row| {
        let (ours, theirs) = (left.range(row)?, right.range(row)?);
        let known = |lists: &Lists, range: std::ops::Range<usize>| {
            let values = Arc::clone(lists.values());
            range.filter(move |at| values.is_valid(*at)).collect::<Vec<_>>()
        };
        let has_null = known(&left, ours.clone()).len() < ours.len()
            || known(&right, theirs.clone()).len() < theirs.len();
        let is_empty = ours.is_empty() || theirs.is_empty();
        let theirs = known(&right, theirs);
        let shares = known(&left, ours).into_iter().any(|our| {
            theirs
                .iter()
                .any(|their| left_rows.row(our) == right_rows.row(*their))
        });
        if shares {
            Some(true)
        } else {
            (is_empty || !has_null).then_some(false)
        }
    });
    Ok(Arc::new(overlaps.collect::<BooleanArray>()))
}

fn flat_type(planned: &Planned) -> Result<DataType> {
    match &planned.types[0] {
        DataType::List(item) => match item.data_type() {
            DataType::List(item) => Ok(DataType::List(Arc::clone(item))),
            DataType::Null => Ok(list_type(DataType::Null)),
            other => plan_err!("flatten takes an array of arrays, its elements are {other}"),
        },
        _ => Ok(list_type(DataType::Null)),
    }
}

/// Null where one of the inner arrays is.
fn flatten(call: &Call) -> Result<ArrayRef> {
    let outer = Lists::new(&call.args[0])?;
    let inner = Lists::new(outer.values())?;
    let mut picks = Picks::default();
    for row in 0..call.rows {
        let parts = outer
            .range(row)
            .and_then(|range| range.map(|at| inner.range(at)).collect::<Option<Vec<_>>>());
        match parts {
            None => picks.push_null(),
            Some(parts) => picks.push(parts.into_iter().flatten().map(Some)),
        }
    }
    picks.finish(inner.values(), item_of(call.returns)?)
}

/// The arguments are names and arrays in turn: the names come from what was written.
fn zip_type(planned: &Planned) -> Result<DataType> {
    let mut fields = Vec::with_capacity(planned.types.len() / 2);
    for (at, given) in planned.types.iter().enumerate().skip(1).step_by(2) {
        let name = planned.text(at - 1).unwrap_or_default();
        fields.push(Field::new(name, element("arrays_zip", given)?, true));
    }
    Ok(list_type(DataType::Struct(Fields::from(fields))))
}

/// As long as the longest, the others filled up with nulls; null where one of them is.
fn zip(call: &Call) -> Result<ArrayRef> {
    let item = item_of(call.returns)?;
    let DataType::Struct(fields) = item.data_type() else {
        return exec_err!("arrays_zip makes structs");
    };
    let columns = call.args.iter().skip(1).step_by(2).map(Lists::new);
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let (mut lengths, mut valid) = (Vec::with_capacity(call.rows), Vec::with_capacity(call.rows));
    let mut indices = vec![Vec::<Option<u32>>::new(); columns.len()];
    for row in 0..call.rows {
        let ranges = columns
            .iter()
            .map(|lists| lists.range(row))
            .collect::<Option<Vec<_>>>();
        let Some(ranges) = ranges else {
            lengths.push(0);
            valid.push(false);
            continue;
        };
        let longest = ranges.iter().map(ExactSizeIterator::len).max().unwrap_or(0);
        for (range, indices) in ranges.iter().zip(&mut indices) {
            let at = |n: usize| {
                (n < range.len())
                    .then(|| u32::try_from(range.start + n).ok())
                    .flatten()
            };
            indices.extend((0..longest).map(at));
        }
        lengths.push(longest);
        valid.push(true);
    }
    let values = columns
        .iter()
        .zip(indices)
        .map(|(lists, indices)| take(lists.values(), &UInt32Array::from(indices), None));
    let values = values.collect::<std::result::Result<Vec<_>, _>>()?;
    let total = lengths.iter().sum();
    let structs = StructArray::try_new_with_length(fields.clone(), values, None, total)?;
    list_of(Arc::new(structs), lengths, valid, item)
}

/// The arrays of several columns, one behind the other; null where one is.
pub(crate) fn concat_lists(columns: &[ArrayRef], item: &FieldRef) -> Result<ArrayRef> {
    let lists = columns.iter().map(Lists::new).collect::<Result<Vec<_>>>()?;
    let values: Vec<&dyn Array> = lists.iter().map(|lists| lists.values().as_ref()).collect();
    let values = concat(&values)?;
    let mut starts = vec![0];
    for lists in &lists {
        starts.push(starts[starts.len() - 1] + lists.values().len());
    }
    let mut picks = Picks::default();
    for row in 0..columns.first().map_or(0, Array::len) {
        let ranges = lists
            .iter()
            .map(|lists| lists.range(row))
            .collect::<Option<Vec<_>>>();
        match ranges {
            None => picks.push_null(),
            Some(ranges) => {
                let parts = ranges.into_iter().zip(&starts);
                picks.push(parts.flat_map(|(range, start)| range.map(move |at| Some(start + at))));
            }
        }
    }
    picks.finish(&values, item)
}

/// The arrays backwards.
pub(crate) fn reverse_lists(column: &ArrayRef) -> Result<ArrayRef> {
    let lists = Lists::new(column)?;
    let mut picks = Picks::default();
    for row in 0..lists.len() {
        match lists.range(row) {
            None => picks.push_null(),
            Some(range) => picks.push(range.rev().map(Some)),
        }
    }
    let item = match column.data_type() {
        DataType::List(item) => Arc::clone(item),
        _ => Arc::new(Field::new("item", DataType::Null, true)),
    };
    picks.finish(lists.values(), &item)
}

/// An array that shares the shape of another.
pub(super) fn reshaped(shape: &ListArray, values: ArrayRef, item: &FieldRef) -> Result<ArrayRef> {
    Ok(Arc::new(ListArray::try_new(
        Arc::clone(item),
        shape.offsets().clone(),
        values,
        shape.nulls().cloned(),
    )?))
}
