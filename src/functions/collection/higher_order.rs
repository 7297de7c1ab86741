//! Functions that take a lambda and call it once for each element of all rows together.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int32Array, ListArray, MapArray, StructArray, UInt32Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{filter, take, take_arrays};
use arrow::datatypes::{DataType, Field, FieldRef};
use arrow::row::SortField;
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature, HigherOrderUDF,
    HigherOrderUDFImpl, LambdaArgument, LambdaParametersProgress, ValueOrLambda, Volatility,
};
use hashbrown::HashSet;

use super::array::reshaped;
use super::lists::{Picks, comparable, element, item_of, list_of, owned};
use crate::types::ddl::{list_type, map_type};
use crate::types::spark_type_name;

/// What is done with what the lambda gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Transform,
    Filter,
    Exists,
    Forall,
    ZipWith,
    MapFilter,
    TransformKeys,
    TransformValues,
}

/// The functions of this file.
pub(super) fn functions() -> Vec<Arc<HigherOrderUDF>> {
    let kinds = [
        Kind::Transform,
        Kind::Filter,
        Kind::Exists,
        Kind::Forall,
        Kind::ZipWith,
        Kind::MapFilter,
        Kind::TransformKeys,
        Kind::TransformValues,
    ];
    kinds
        .into_iter()
        .map(|kind| {
            Arc::new(HigherOrderUDF::new_from_impl(HigherOrder {
                kind,
                signature: HigherOrderSignature::user_defined(Volatility::Immutable),
            }))
        })
        .collect()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct HigherOrder {
    kind: Kind,
    signature: HigherOrderSignature,
}

impl HigherOrder {
    fn takes_map(&self) -> bool {
        matches!(
            self.kind,
            Kind::MapFilter | Kind::TransformKeys | Kind::TransformValues
        )
    }
}

/// An array type with elements that may be null.
pub(super) fn as_list(function: &str, given: &DataType) -> Result<DataType> {
    element(function, given).map(list_type)
}

/// A parameter of a lambda.
pub(super) fn parameter(data_type: &DataType) -> FieldRef {
    Arc::new(Field::new("", data_type.clone(), true))
}

/// Keys and values of a map type.
fn entry_types(data_type: &DataType) -> Result<(DataType, DataType)> {
    if let DataType::Map(entries, _) = data_type
        && let DataType::Struct(fields) = entries.data_type()
        && fields.len() == 2
    {
        return Ok((fields[0].data_type().clone(), fields[1].data_type().clone()));
    }
    plan_err!("a map is needed, not {}", spark_type_name(data_type))
}

impl HigherOrderUDFImpl for HigherOrder {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Transform => "transform",
            Kind::Filter => "filter",
            Kind::Exists => "exists",
            Kind::Forall => "forall",
            Kind::ZipWith => "zip_with",
            Kind::MapFilter => "map_filter",
            Kind::TransformKeys => "transform_keys",
            Kind::TransformValues => "transform_values",
        }
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn coerce_value_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let wanted = if self.kind == Kind::ZipWith { 2 } else { 1 };
        if types.len() != wanted {
            return plan_err!("{} takes {wanted} values and a lambda", self.name());
        }
        if self.takes_map() {
            entry_types(&types[0])?;
            return Ok(types.to_vec());
        }
        types.iter().map(|given| as_list(self.name(), given)).collect()
    }

    fn lambda_parameters(
        &self,
        _step: usize,
        fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        let values = fields.iter().filter_map(|field| match field {
            ValueOrLambda::Value(value) => Some(value.data_type()),
            ValueOrLambda::Lambda(_) => None,
        });
        let values = values.collect::<Vec<_>>();
        let Some(first) = values.first() else {
            return plan_err!("{} takes a value and a lambda", self.name());
        };
        let mut parameters = if self.takes_map() {
            let (key, value) = entry_types(first)?;
            vec![parameter(&key), parameter(&value)]
        } else {
            vec![parameter(&element(self.name(), first)?)]
        };
        match self.kind {
            Kind::Transform | Kind::Filter => parameters.push(parameter(&DataType::Int32)),
            Kind::ZipWith => {
                let Some(second) = values.get(1) else {
                    return plan_err!("zip_with takes two arrays and a lambda");
                };
                parameters.push(parameter(&element(self.name(), second)?));
            }
            _ => {}
        }
        Ok(LambdaParametersProgress::Complete(vec![parameters]))
    }

    fn return_field_from_args(&self, args: HigherOrderReturnFieldArgs) -> Result<FieldRef> {
        let (Some(ValueOrLambda::Value(first)), Some(ValueOrLambda::Lambda(result))) =
            (args.arg_fields.first(), args.arg_fields.last())
        else {
            return plan_err!("{} takes a value and, last, a lambda", self.name());
        };
        let needs_boolean = matches!(
            self.kind,
            Kind::Filter | Kind::Exists | Kind::Forall | Kind::MapFilter
        );
        if needs_boolean && !matches!(result.data_type(), DataType::Boolean | DataType::Null) {
            return plan_err!(
                "the lambda of {} must give a boolean, not {}",
                self.name(),
                spark_type_name(result.data_type())
            );
        }
        let data_type = match self.kind {
            Kind::Transform | Kind::ZipWith => list_type(result.data_type().clone()),
            Kind::Filter => as_list(self.name(), first.data_type())?,
            Kind::Exists | Kind::Forall => DataType::Boolean,
            Kind::MapFilter => first.data_type().clone(),
            Kind::TransformKeys => map_type(result.data_type().clone(), entry_types(first.data_type())?.1),
            Kind::TransformValues => map_type(entry_types(first.data_type())?.0, result.data_type().clone()),
        };
        Ok(Arc::new(Field::new("", data_type, true)))
    }

    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let (Some(ValueOrLambda::Value(first)), Some(ValueOrLambda::Lambda(lambda))) =
            (args.args.first(), args.args.last())
        else {
            return exec_err!("{} takes a value and, last, a lambda", self.name());
        };
        let rows = args.number_rows;
        let first = first.to_array(rows)?;
        let returns = args.return_type();
        let result = match self.kind {
            Kind::ZipWith => {
                let Some(ValueOrLambda::Value(second)) = args.args.get(1) else {
                    return exec_err!("zip_with takes two arrays and a lambda");
                };
                zip_with(&first, &second.to_array(rows)?, lambda, returns)
            }
            _ if self.takes_map() => self.map(first.as_map(), lambda, returns),
            _ => self.list(&compact(first.as_list())?, lambda, returns),
        }?;
        Ok(ColumnarValue::Array(result))
    }
}

/// The array with just the elements of its rows, so that a lambda meets no others.
pub(super) fn compact(list: &ListArray) -> Result<ListArray> {
    let mut picks = Picks::default();
    let item = item_of(list.data_type())?;
    let offsets = list.value_offsets();
    for row in 0..list.len() {
        let range = offsets[row]..offsets[row + 1];
        if list.is_null(row) {
            picks.push_null();
        } else {
            picks.push(range.map(|at| usize::try_from(at).ok()));
        }
    }
    Ok(picks.finish(list.values(), item)?.as_list().clone())
}

/// The row that each element of compact offsets belongs to.
fn owners(offsets: &OffsetBuffer<i32>) -> UInt32Array {
    let rows = (0..).zip(offsets.lengths());
    rows.flat_map(|(row, length)| std::iter::repeat_n(row, length))
        .collect()
}

/// Calls a lambda for each element, with the columns that it takes from around repeated.
fn call_lambda(lambda: &LambdaArgument, parameters: &[&ArrayRef], owners: &UInt32Array) -> Result<ArrayRef> {
    let closures = parameters
        .iter()
        .map(|column| || Ok(Arc::clone(column)))
        .collect::<Vec<_>>();
    let closures = closures
        .iter()
        .map(|closure| closure as &dyn Fn() -> Result<ArrayRef>)
        .collect::<Vec<_>>();
    lambda
        .evaluate(&closures, |captures| Ok(take_arrays(captures, owners, None)?))?
        .into_array(owners.len())
}

impl HigherOrder {
    fn list(&self, list: &ListArray, lambda: &LambdaArgument, returns: &DataType) -> Result<ArrayRef> {
        let positions = list
            .offsets()
            .lengths()
            .flat_map(|length| 0..i32::try_from(length).unwrap_or(i32::MAX));
        let positions: ArrayRef = Arc::new(Int32Array::from_iter_values(positions));
        let owners = owners(list.offsets());
        let given = if matches!(self.kind, Kind::Transform | Kind::Filter) {
            call_lambda(lambda, &[list.values(), &positions], &owners)?
        } else {
            call_lambda(lambda, &[list.values()], &owners)?
        };
        match self.kind {
            Kind::Transform => reshaped(list, given, item_of(returns)?),
            Kind::Filter => {
                let keep = booleans(&given)?;
                let mut picks = Picks::default();
                for row in 0..list.len() {
                    if list.is_null(row) {
                        picks.push_null();
                    } else {
                        let range = element_range(list.offsets(), row);
                        picks.push(range.filter(|at| keep.is_valid(*at) && keep.value(*at)).map(Some));
                    }
                }
                picks.finish(list.values(), item_of(returns)?)
            }
            _ => {
                let holds = booleans(&given)?;
                // One that decides is enough; otherwise a null leaves it open.
                let decides = self.kind == Kind::Exists;
                let rows = (0..list.len()).map(|row| {
                    if list.is_null(row) {
                        return None;
                    }
                    let range = element_range(list.offsets(), row);
                    let mut has_null = false;
                    for at in range {
                        if holds.is_null(at) {
                            has_null = true;
                        } else if holds.value(at) == decides {
                            return Some(decides);
                        }
                    }
                    (!has_null).then_some(!decides)
                });
                Ok(Arc::new(rows.collect::<BooleanArray>()))
            }
        }
    }

    fn map(&self, map: &MapArray, lambda: &LambdaArgument, returns: &DataType) -> Result<ArrayRef> {
        let entries = Arc::new(map.entries().clone()) as ArrayRef;
        let item = Arc::new(Field::new("item", entries.data_type().clone(), true));
        let list = ListArray::try_new(item, map.offsets().clone(), entries, map.nulls().cloned())?;
        let list = compact(&list)?;
        let entries = list.values().as_struct();
        let (keys, values) = (Arc::clone(entries.column(0)), Arc::clone(entries.column(1)));
        let owners = owners(list.offsets());
        let given = call_lambda(lambda, &[&keys, &values], &owners)?;
        let DataType::Map(field, is_sorted) = returns else {
            return exec_err!("{} makes a map", self.name());
        };
        let DataType::Struct(fields) = field.data_type() else {
            return exec_err!("a map has entries");
        };
        let (columns, offsets) = match self.kind {
            Kind::MapFilter => {
                let keep = booleans(&given)?;
                let is_kept = |at: usize| keep.is_valid(at) && keep.value(at);
                let lengths = (0..list.len()).map(|row| {
                    element_range(list.offsets(), row)
                        .filter(|at| is_kept(*at))
                        .count()
                });
                let offsets = OffsetBuffer::from_lengths(lengths);
                (vec![filter(&keys, &keep)?, filter(&values, &keep)?], offsets)
            }
            Kind::TransformKeys => {
                check_keys(&given, list.offsets())?;
                (vec![given, values], list.offsets().clone())
            }
            _ => (vec![keys, given], list.offsets().clone()),
        };
        let entries = StructArray::try_new(fields.clone(), columns, None)?;
        let nulls: Option<NullBuffer> = list.nulls().cloned();
        Ok(Arc::new(MapArray::try_new(
            Arc::clone(field),
            offsets,
            entries,
            nulls,
            *is_sorted,
        )?))
    }
}

fn element_range(offsets: &OffsetBuffer<i32>, row: usize) -> std::ops::Range<usize> {
    let at = |row: usize| usize::try_from(offsets[row]).unwrap_or(0);
    at(row)..at(row + 1)
}

fn booleans(given: &ArrayRef) -> Result<BooleanArray> {
    let given = arrow::compute::cast(given, &DataType::Boolean)?;
    Ok(given.as_boolean().clone())
}

/// Keys must be there, and differ from each other.
fn check_keys(keys: &ArrayRef, offsets: &OffsetBuffer<i32>) -> Result<()> {
    if keys.null_count() > 0 {
        return exec_err!("transform_keys: a key of a map cannot be null");
    }
    let [rows] = comparable([keys], SortField::new(keys.data_type().clone()))?;
    for row in 0..offsets.len() - 1 {
        let mut seen = HashSet::new();
        for at in element_range(offsets, row) {
            if !seen.insert(owned(&rows, at)) {
                return exec_err!("transform_keys: a key comes twice");
            }
        }
    }
    Ok(())
}

/// The shorter array is filled up with nulls.
fn zip_with(
    left: &ArrayRef,
    right: &ArrayRef,
    lambda: &LambdaArgument,
    returns: &DataType,
) -> Result<ArrayRef> {
    let (left, right) = (left.as_list::<i32>(), right.as_list::<i32>());
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let (mut owner, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..left.len() {
        if left.is_null(row) || right.is_null(row) {
            lengths.push(0);
            valid.push(false);
            continue;
        }
        let (ours, theirs) = (
            element_range(left.offsets(), row),
            element_range(right.offsets(), row),
        );
        let longest = ours.len().max(theirs.len());
        let nth = |range: &std::ops::Range<usize>, n: usize| {
            (n < range.len())
                .then(|| u32::try_from(range.start + n).ok())
                .flatten()
        };
        for n in 0..longest {
            first.push(nth(&ours, n));
            second.push(nth(&theirs, n));
            owner.push(u32::try_from(row).unwrap_or(u32::MAX));
        }
        lengths.push(longest);
        valid.push(true);
    }
    let first = take(left.values(), &UInt32Array::from(first), None)?;
    let second = take(right.values(), &UInt32Array::from(second), None)?;
    let given = call_lambda(lambda, &[&first, &second], &UInt32Array::from(owner))?;
    list_of(given, lengths, valid, item_of(returns)?)
}
