//! `max_by(value, by)` and `min_by(value, by)`: the value of the row where `by` is greatest or least.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, FieldRef};
use arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

/// `max_by` and `min_by`.
pub(super) fn functions() -> Vec<Arc<AggregateUDF>> {
    [true, false]
        .into_iter()
        .map(|is_max| {
            Arc::new(AggregateUDF::from(ExtremumBy {
                is_max,
                signature: Signature::any(2, Volatility::Immutable),
            }))
        })
        .collect()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ExtremumBy {
    is_max: bool,
    signature: Signature,
}

impl AggregateUDFImpl for ExtremumBy {
    fn name(&self) -> &'static str {
        if self.is_max { "max_by" } else { "min_by" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let [value, _] = types else {
            return plan_err!("{} takes a value and what it is chosen by", self.name());
        };
        Ok(value.clone())
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let [value, by] = args.input_fields else {
            return plan_err!("{} takes a value and what it is chosen by", self.name());
        };
        Ok(vec![
            Arc::new(Field::new(
                format!("{}[value]", args.name),
                value.data_type().clone(),
                true,
            )),
            Arc::new(Field::new(
                format!("{}[by]", args.name),
                by.data_type().clone(),
                true,
            )),
        ])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let [value, by] = args.expr_fields else {
            return exec_err!("{} takes a value and what it is chosen by", self.name());
        };
        Ok(Box::new(Extremum {
            value: ScalarValue::try_from(value.data_type())?,
            by: ScalarValue::try_from(by.data_type())?,
            converter: RowConverter::new(vec![SortField::new_with_options(
                by.data_type().clone(),
                // Nulls inside of a struct or an array are less than all else.
                SortOptions {
                    descending: !self.is_max,
                    nulls_first: self.is_max,
                },
            )])?,
        }))
    }
}

#[derive(Debug)]
struct Extremum {
    value: ScalarValue,
    /// Null while no row has been seen.
    by: ScalarValue,
    /// Makes rows of which the greatest wins.
    converter: RowConverter,
}

impl Accumulator for Extremum {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let [values, by] = columns else {
            return exec_err!("a value and what it is chosen by are needed");
        };
        let rows = self.converter.convert_columns(&[Arc::clone(by)])?;
        // Of equal ones the last wins, as in Spark.
        let best = (0..by.len())
            .filter(|row| by.is_valid(*row))
            .max_by(|left, right| rows.row(*left).cmp(&rows.row(*right)));
        let Some(best) = best else { return Ok(()) };
        if !self.by.is_null() {
            let known = self.converter.convert_columns(&[self.by.to_array()?])?;
            if known.row(0).cmp(&rows.row(best)) == Ordering::Greater {
                return Ok(());
            }
        }
        self.value = ScalarValue::try_from_array(values, best)?;
        self.by = ScalarValue::try_from_array(by, best)?;
        // What is kept must not hold on to the batch that it came from.
        self.value.compact();
        self.by.compact();
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.value.clone())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.value.size() + self.by.size() + self.converter.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.value.clone(), self.by.clone()])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }
}
