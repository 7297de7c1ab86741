//! `mode`, `percentile` and `percentile_approx`: aggregates that need to know which values there were, and how often.
//!
//! The state is a list of the values and a list of their counts, so that it grows with the distinct values and not with
//! the rows.
//!
//! `percentile_approx` is exact as long as there are few values for its accuracy. Beyond [`VALUES_PER_ACCURACY`] times as
//! many, neighbours are merged into the greater one of them, up to so many rows as the accuracy lets a rank be off by: so
//! its state is bounded, as Spark's is.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, ListArray, UInt32Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, Signature, Volatility,
};
use datafusion::physical_plan::PhysicalExpr;
use hashbrown::HashMap;

use crate::types::ddl::list_type;

/// The functions of this file.
pub(super) fn functions() -> Vec<Arc<AggregateUDF>> {
    [Kind::Mode, Kind::Percentile, Kind::PercentileApprox]
        .into_iter()
        .map(|kind| {
            Arc::new(AggregateUDF::from(Counted {
                kind,
                signature: Signature::user_defined(Volatility::Immutable),
            }))
        })
        .collect()
}

/// As in Spark, a rank is off by one in so many rows at most, unless told otherwise.
const DEFAULT_ACCURACY: usize = 10_000;
/// How many values `percentile_approx` keeps before it merges neighbours, as a multiple of the accuracy. What is left then are
/// half as many at most.
const VALUES_PER_ACCURACY: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Mode,
    Percentile,
    PercentileApprox,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Counted {
    kind: Kind,
    signature: Signature,
}

impl AggregateUDFImpl for Counted {
    fn name(&self) -> &'static str {
        match self.kind {
            Kind::Mode => "mode",
            Kind::Percentile => "percentile",
            Kind::PercentileApprox => "percentile_approx",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let at = |given: &DataType| match given {
            DataType::List(_) => list_type(DataType::Float64),
            _ => DataType::Float64,
        };
        match (self.kind, given) {
            (Kind::Mode, [value]) => Ok(vec![value.clone()]),
            // Whether the least of several is wanted: it always is given.
            (Kind::Mode, [value, DataType::Boolean]) => Ok(vec![value.clone(), DataType::Boolean]),
            (Kind::Percentile, [_, share]) => Ok(vec![DataType::Float64, at(share)]),
            (Kind::PercentileApprox, [value, share]) => Ok(vec![value.clone(), at(share)]),
            (Kind::PercentileApprox, [value, share, _]) => {
                Ok(vec![value.clone(), at(share), DataType::Int64])
            }
            (Kind::Mode, _) => plan_err!("mode takes a value, and whether the least of several is wanted"),
            _ => plan_err!(
                "{} takes a value and a share from 0 to 1, or an array of them",
                self.name()
            ),
        }
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let Some(value) = types.first() else {
            return plan_err!("{} takes a value", self.name());
        };
        Ok(match types.get(1) {
            Some(DataType::List(_)) => list_type(value.clone()),
            _ => value.clone(),
        })
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let Some(value) = args.input_fields.first() else {
            return plan_err!("{} takes a value", self.name());
        };
        let values = list_type(value.data_type().clone());
        Ok(vec![
            Arc::new(Field::new(format!("{}[values]", args.name), values, true)),
            Arc::new(Field::new(
                format!("{}[counts]", args.name),
                list_type(DataType::Int64),
                true,
            )),
        ])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let Some(value) = args.expr_fields.first() else {
            return exec_err!("{} takes a value", self.name());
        };
        let shares = match (self.kind, args.exprs.get(1)) {
            (Kind::Mode, _) | (_, None) => None,
            (_, Some(shares)) => Some(constant_shares(shares, self.name())?),
        };
        let accuracy = match (self.kind, args.exprs.get(2)) {
            (Kind::PercentileApprox, None) => Some(DEFAULT_ACCURACY),
            (Kind::PercentileApprox, Some(accuracy)) => Some(constant_accuracy(accuracy)?),
            _ => None,
        };
        Ok(Box::new(Counts {
            kind: self.kind,
            shares,
            accuracy,
            data_type: value.data_type().clone(),
            returns: args.return_type().clone(),
            converter: RowConverter::new(vec![SortField::new(value.data_type().clone())])?,
            seen: HashMap::new(),
        }))
    }
}

/// The shares that a percentile is asked for: a constant.
fn constant_shares(expr: &Arc<dyn PhysicalExpr>, function: &str) -> Result<Vec<f64>> {
    let schema = Arc::new(arrow::datatypes::Schema::empty());
    let row = arrow::array::RecordBatch::new_empty(schema);
    let Ok(ColumnarValue::Scalar(value)) = expr.evaluate(&row) else {
        return exec_err!("the share of {function} must be a constant");
    };
    let array = value.to_array()?;
    let shares = match array.as_list_opt::<i32>() {
        Some(list) => list.value(0),
        None => array,
    };
    let shares = cast(&shares, &DataType::Float64)?;
    let shares: &Float64Array = shares.as_primitive::<Float64Type>();
    if shares.null_count() > 0 || shares.values().iter().any(|share| !(0.0..=1.0).contains(share)) {
        return exec_err!("the share of {function} must be from 0 to 1");
    }
    Ok(shares.values().to_vec())
}

/// The accuracy of `percentile_approx`: a constant.
fn constant_accuracy(expr: &Arc<dyn PhysicalExpr>) -> Result<usize> {
    let schema = Arc::new(arrow::datatypes::Schema::empty());
    let row = arrow::array::RecordBatch::new_empty(schema);
    if let Ok(ColumnarValue::Scalar(ScalarValue::Int64(Some(accuracy)))) = expr.evaluate(&row)
        && let Ok(accuracy) = usize::try_from(accuracy)
        && (1..=i32::MAX as usize).contains(&accuracy)
    {
        return Ok(accuracy);
    }
    exec_err!(
        "the accuracy of percentile_approx must be a constant from 1 to {}",
        i32::MAX
    )
}

#[derive(Debug)]
struct Counts {
    kind: Kind,
    shares: Option<Vec<f64>>,
    /// One in so many rows may be misplaced; `None`: none may.
    accuracy: Option<usize>,
    data_type: DataType,
    returns: DataType,
    converter: RowConverter,
    /// How often each value came; a row tells its value again.
    seen: HashMap<OwnedRow, i64>,
}

impl Counts {
    fn add(&mut self, values: &ArrayRef, counts: Option<&Int64Array>) -> Result<()> {
        let rows = self.converter.convert_columns(&[Arc::clone(values)])?;
        for row in 0..values.len() {
            if values.is_valid(row) {
                let count = counts.map_or(1, |counts| counts.value(row));
                *self.seen.entry(rows.row(row).owned()).or_insert(0) += count;
            }
        }
        self.merge_neighbours();
        Ok(())
    }

    /// Takes so many values away that the others are few enough.
    fn merge_neighbours(&mut self) {
        let Some(accuracy) = self.accuracy else { return };
        if self.seen.len() <= accuracy.saturating_mul(VALUES_PER_ACCURACY) {
            return;
        }
        let mut entries: Vec<(OwnedRow, i64)> = self.seen.drain().collect();
        entries.sort_by(|left, right| left.0.cmp(&right.0));
        let total: i64 = entries.iter().map(|(_, count)| count).sum();
        // Half of what a rank may be off by, since later values come between those that are merged here.
        let most = total / i64::try_from(accuracy.saturating_mul(2)).unwrap_or(i64::MAX);
        let mut entries = entries.into_iter().peekable();
        let mut merged = 0;
        while let Some((value, count)) = entries.next() {
            let with_next = entries.peek().map(|(_, next)| merged + count + next);
            if merged + count <= most && with_next.is_some_and(|with_next| with_next <= most) {
                merged += count;
            } else {
                self.seen.insert(value, merged + count);
                merged = 0;
            }
        }
    }

    /// The values in order, and their counts.
    fn sorted(&self) -> Result<(ArrayRef, Vec<i64>)> {
        let mut entries: Vec<(&OwnedRow, i64)> = self.seen.iter().map(|(row, count)| (row, *count)).collect();
        entries.sort_by(|left, right| left.0.cmp(right.0));
        let rows = entries.iter().map(|(row, _)| row.row());
        let mut columns = self.converter.convert_rows(rows)?;
        let Some(values) = columns.pop() else {
            return exec_err!("values have a column");
        };
        Ok((values, entries.into_iter().map(|(_, count)| count).collect()))
    }

    /// Spark's exact percentile: between the two values around the place.
    fn interpolated(values: &Float64Array, counts: &[i64], share: f64) -> f64 {
        let total: i64 = counts.iter().sum();
        #[expect(clippy::cast_precision_loss, reason = "as Spark computes it")]
        let place = (total - 1) as f64 * share;
        let at = |wanted: f64| {
            let mut passed = 0;
            for (value, count) in values.values().iter().zip(counts) {
                passed += count;
                #[expect(clippy::cast_precision_loss, reason = "as Spark computes it")]
                if passed as f64 > wanted {
                    return *value;
                }
            }
            values.values().last().copied().unwrap_or(f64::NAN)
        };
        let (lower, higher) = (place.floor(), place.ceil());
        let (low, high) = (at(lower), at(higher));
        if low.total_cmp(&high).is_eq() {
            return low;
        }
        (higher - place) * low + (place - lower) * high
    }

    /// The place of the least value that so large a share of all is not above.
    fn ranked(counts: &[i64], share: f64) -> Option<u32> {
        let total: i64 = counts.iter().sum();
        #[expect(clippy::cast_precision_loss, reason = "counts are far below")]
        let rank = (total as f64 * share).ceil().max(1.0);
        let mut passed = 0;
        let place = counts.iter().position(|count| {
            passed += count;
            #[expect(clippy::cast_precision_loss, reason = "counts are far below")]
            let reaches = passed as f64 >= rank;
            reaches
        });
        u32::try_from(place?).ok()
    }
}

impl Accumulator for Counts {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let Some(values) = columns.first() else {
            return exec_err!("a value is needed");
        };
        self.add(values, None)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.seen.is_empty() {
            return ScalarValue::try_from(&self.returns);
        }
        let (values, counts) = self.sorted()?;
        let Some(shares) = &self.shares else {
            // The most frequent; of several, the least.
            let most = counts.iter().copied().max().unwrap_or(0);
            let place = counts.iter().position(|count| *count == most).unwrap_or(0);
            return ScalarValue::try_from_array(&values, place);
        };
        let chosen: ArrayRef = if self.kind == Kind::Percentile {
            let values = values.as_primitive::<Float64Type>();
            let chosen = shares
                .iter()
                .map(|share| Self::interpolated(values, &counts, *share));
            Arc::new(Float64Array::from_iter_values(chosen))
        } else {
            let places = shares.iter().map(|share| Self::ranked(&counts, *share));
            take(&values, &places.collect::<UInt32Array>(), None)?
        };
        let DataType::List(item) = &self.returns else {
            return ScalarValue::try_from_array(&chosen, 0);
        };
        let offsets = OffsetBuffer::from_lengths([chosen.len()]);
        let list = ListArray::try_new(Arc::clone(item), offsets, chosen, None)?;
        Ok(ScalarValue::List(Arc::new(list)))
    }

    fn size(&self) -> usize {
        let rows: usize = self.seen.keys().map(|row| size_of_val(row.as_ref())).sum();
        size_of_val(self) + rows + self.seen.capacity() * size_of::<(OwnedRow, i64)>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let (values, counts) = self.sorted()?;
        let list = |values: ArrayRef, item: &DataType| -> Result<ScalarValue> {
            let field = Arc::new(Field::new("item", item.clone(), true));
            let offsets = OffsetBuffer::from_lengths([values.len()]);
            Ok(ScalarValue::List(Arc::new(ListArray::try_new(
                field, offsets, values, None,
            )?)))
        };
        let counts: ArrayRef = Arc::new(Int64Array::from(counts));
        Ok(vec![
            list(values, &self.data_type)?,
            list(counts, &DataType::Int64)?,
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [values, counts] = states else {
            return exec_err!("a state has values and counts");
        };
        let (values, counts) = (values.as_list::<i32>(), counts.as_list::<i32>());
        for row in 0..values.len() {
            if values.is_valid(row) && counts.is_valid(row) {
                let counts = counts.value(row);
                self.add(&values.value(row), Some(counts.as_primitive::<Int64Type>()))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(accuracy: usize) -> Counts {
        Counts {
            kind: Kind::PercentileApprox,
            shares: Some(vec![0.5]),
            accuracy: Some(accuracy),
            data_type: DataType::Int64,
            returns: DataType::Int64,
            converter: RowConverter::new(vec![SortField::new(DataType::Int64)]).expect("a type of rows"),
            seen: HashMap::new(),
        }
    }

    /// 200,000 different values, in an order that has nothing to do with theirs, in parts that are merged.
    #[test]
    fn an_approximate_percentile_keeps_few_values_and_misses_few_ranks() {
        const ROWS: i64 = 200_000;
        let mut all = counts(100);
        for part in 0..20 {
            let mut some = counts(100);
            let rows = (part * ROWS / 20..(part + 1) * ROWS / 20).map(|row| row * 77_773 % ROWS);
            let rows: ArrayRef = Arc::new(rows.collect::<Int64Array>());
            some.update_batch(&[rows]).expect("takes them");
            let state = some.state().expect("a state");
            let state = state.iter().map(|value| value.to_array().expect("a column"));
            all.merge_batch(&state.collect::<Vec<_>>()).expect("merges");
            assert!(all.seen.len() <= 100 * VALUES_PER_ACCURACY, "{}", all.seen.len());
        }
        assert_eq!(all.seen.values().sum::<i64>(), ROWS);
        let Ok(ScalarValue::Int64(Some(median))) = all.evaluate() else {
            panic!("a median");
        };
        assert!((median - ROWS / 2).abs() <= ROWS / 100, "{median}");
    }
}
