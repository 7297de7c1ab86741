//! `aggregate(array, start, (acc, x) -> ... [, acc -> ...])`, also called `reduce`.
//!
//! The lambda is called once for each position: for all rows together whose arrays reach that far.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::{cast, interleave, take, take_arrays};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature, HigherOrderUDF,
    HigherOrderUDFImpl, LambdaParametersProgress, ValueOrLambda, Volatility,
};

use super::higher_order::{as_list, parameter};
use super::lists::{Lists, element};

/// `aggregate` and `reduce`.
pub(super) fn aggregate() -> Arc<HigherOrderUDF> {
    Arc::new(HigherOrderUDF::new_from_impl(Fold {
        aliases: vec!["reduce".to_owned()],
        signature: HigherOrderSignature::user_defined(Volatility::Immutable),
    }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Fold {
    aliases: Vec<String>,
    signature: HigherOrderSignature,
}

const USAGE: &str =
    "aggregate takes an array, a start and a lambda (acc, x) -> ..., and, if wanted, a lambda for the end";

impl HigherOrderUDFImpl for Fold {
    fn name(&self) -> &'static str {
        "aggregate"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn coerce_value_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [list, start] = types else {
            return plan_err!("{USAGE}");
        };
        Ok(vec![as_list("aggregate", list)?, start.clone()])
    }

    fn lambda_parameters(
        &self,
        _step: usize,
        fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        let [
            ValueOrLambda::Value(list),
            ValueOrLambda::Value(start),
            ValueOrLambda::Lambda(_),
            rest @ ..,
        ] = fields
        else {
            return plan_err!("{USAGE}");
        };
        let item = element("aggregate", list.data_type())?;
        let mut parameters = vec![vec![parameter(start.data_type()), parameter(&item)]];
        parameters.extend(rest.iter().map(|_| vec![parameter(start.data_type())]));
        Ok(LambdaParametersProgress::Complete(parameters))
    }

    fn return_field_from_args(&self, args: HigherOrderReturnFieldArgs) -> Result<FieldRef> {
        let data_type = match args.arg_fields {
            [_, ValueOrLambda::Value(start), ValueOrLambda::Lambda(_)] => start.data_type(),
            [_, _, _, ValueOrLambda::Lambda(end)] => end.data_type(),
            _ => return plan_err!("{USAGE}"),
        };
        Ok(Arc::new(Field::new("", data_type.clone(), true)))
    }

    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let [
            ValueOrLambda::Value(list),
            ValueOrLambda::Value(start),
            ValueOrLambda::Lambda(merge),
            rest @ ..,
        ] = &args.args[..]
        else {
            return exec_err!("{USAGE}");
        };
        let rows = args.number_rows;
        let lists = Lists::new(&list.to_array(rows)?)?;
        let mut states = start.to_array(rows)?;
        let longest = (0..rows)
            .filter_map(|row| lists.range(row))
            .map(|range| range.len())
            .max();
        for position in 0..longest.unwrap_or(0) {
            // The rows that have an element here, and where it is.
            let (mut here, mut elements) = (Vec::new(), Vec::new());
            for row in 0..rows {
                if let Some(range) = lists.range(row).filter(|range| position < range.len()) {
                    here.push(u32::try_from(row).unwrap_or(u32::MAX));
                    elements.push(u32::try_from(range.start + position).unwrap_or(u32::MAX));
                }
            }
            let here = UInt32Array::from(here);
            let state = take(&states, &here, None)?;
            let element = take(lists.values(), &UInt32Array::from(elements), None)?;
            let merged = merge
                .evaluate(
                    &[&|| Ok(Arc::clone(&state)), &|| Ok(Arc::clone(&element))],
                    |captures| Ok(take_arrays(captures, &here, None)?),
                )?
                .into_array(here.len())?;
            let merged = cast(&merged, states.data_type())?;
            let mut sources: Vec<(usize, usize)> = (0..rows).map(|row| (0, row)).collect();
            for (at, row) in here.values().iter().enumerate() {
                if let Some(source) = usize::try_from(*row).ok().and_then(|row| sources.get_mut(row)) {
                    *source = (1, at);
                }
            }
            states = interleave(&[states.as_ref(), merged.as_ref()], &sources)?;
        }
        if let Some(ValueOrLambda::Lambda(end)) = rest.first() {
            states = end
                .evaluate(&[&|| Ok(Arc::clone(&states))], |captures| Ok(captures.to_vec()))?
                .into_array(rows)?;
        }
        // A null array has no aggregate, whatever the start is.
        let there = (0..rows).map(|row| lists.range(row).and_then(|_| u32::try_from(row).ok()));
        let result: ArrayRef = take(&states, &there.collect::<UInt32Array>(), None)?;
        Ok(ColumnarValue::Array(result))
    }
}
