//! `array_sort(array [, (left, right) -> ...])`: ascending with nulls last, or as the lambda says.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, UInt32Array};
use arrow::compute::{SortOptions, cast, take, take_arrays};
use arrow::datatypes::{DataType, Field, FieldRef, Int32Type};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature, HigherOrderUDF,
    HigherOrderUDFImpl, LambdaArgument, LambdaParametersProgress, ValueOrLambda, Volatility,
};

use super::array::sorted;
use super::higher_order::{as_list, parameter};
use super::lists::{Lists, Picks, element, item_of};

/// `array_sort`.
pub(super) fn array_sort() -> Arc<HigherOrderUDF> {
    Arc::new(HigherOrderUDF::new_from_impl(ArraySort {
        signature: HigherOrderSignature::user_defined(Volatility::Immutable),
    }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ArraySort {
    signature: HigherOrderSignature,
}

impl HigherOrderUDFImpl for ArraySort {
    fn name(&self) -> &'static str {
        "array_sort"
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn coerce_value_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [list] = types else {
            return plan_err!("array_sort takes an array, and, if wanted, a lambda (left, right) -> ...");
        };
        Ok(vec![as_list("array_sort", list)?])
    }

    fn lambda_parameters(
        &self,
        _step: usize,
        fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        let [ValueOrLambda::Value(list), lambdas @ ..] = fields else {
            return plan_err!("array_sort takes an array");
        };
        let item = parameter(&element("array_sort", list.data_type())?);
        Ok(LambdaParametersProgress::Complete(
            lambdas
                .iter()
                .map(|_| vec![Arc::clone(&item), Arc::clone(&item)])
                .collect(),
        ))
    }

    fn return_field_from_args(&self, args: HigherOrderReturnFieldArgs) -> Result<FieldRef> {
        let Some(ValueOrLambda::Value(list)) = args.arg_fields.first() else {
            return plan_err!("array_sort takes an array");
        };
        Ok(Arc::new(Field::new(
            "",
            as_list("array_sort", list.data_type())?,
            true,
        )))
    }

    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let Some(ValueOrLambda::Value(list)) = args.args.first() else {
            return exec_err!("array_sort takes an array");
        };
        let list = list.to_array(args.number_rows)?;
        let result = match args.args.get(1) {
            Some(ValueOrLambda::Lambda(lambda)) => by_lambda(&list, lambda, args.return_type()),
            _ => sorted(
                &list,
                args.return_type(),
                SortOptions {
                    descending: false,
                    nulls_first: false,
                },
            ),
        };
        result.map(ColumnarValue::Array)
    }
}

/// Asks the lambda about all pairs of each array at once, and sorts by its answers.
fn by_lambda(column: &ArrayRef, lambda: &LambdaArgument, returns: &DataType) -> Result<ArrayRef> {
    let lists = Lists::new(column)?;
    let (mut left, mut right, mut owner) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..lists.len() {
        for first in lists.range(row).into_iter().flatten() {
            for second in lists.range(row).into_iter().flatten() {
                left.push(u32::try_from(first).ok());
                right.push(u32::try_from(second).ok());
                owner.push(u32::try_from(row).unwrap_or(u32::MAX));
            }
        }
    }
    let owner = UInt32Array::from(owner);
    let left = take(lists.values(), &UInt32Array::from(left), None)?;
    let right = take(lists.values(), &UInt32Array::from(right), None)?;
    let answers = lambda
        .evaluate(
            &[&|| Ok(Arc::clone(&left)), &|| Ok(Arc::clone(&right))],
            |captures| Ok(take_arrays(captures, &owner, None)?),
        )?
        .into_array(owner.len())?;
    let answers = cast(&answers, &DataType::Int32)?;
    let answers: &Int32Array = answers.as_primitive::<Int32Type>();
    if answers.null_count() > 0 {
        return exec_err!(
            "array_sort: the lambda gave null; it must give a negative number, zero or a positive one"
        );
    }
    let mut picks = Picks::default();
    let mut start = 0;
    for row in 0..lists.len() {
        let Some(range) = lists.range(row) else {
            picks.push_null();
            continue;
        };
        let length = range.len();
        let mut order: Vec<usize> = (0..length).collect();
        let compare = |first: usize, second: usize| -> Ordering {
            answers.value(start + first * length + second).cmp(&0)
        };
        // A merge by insertion stands any lambda, one that contradicts itself too.
        for at in 1..length {
            let mut place = at;
            while place > 0 && compare(order[place - 1], order[place]) == Ordering::Greater {
                order.swap(place - 1, place);
                place -= 1;
            }
        }
        picks.push(order.into_iter().map(|element| Some(range.start + element)));
        start += length * length;
    }
    picks.finish(lists.values(), item_of(returns)?)
}
