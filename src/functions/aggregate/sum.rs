//! `sum` that fails where it overflows, as in Spark's ANSI mode, instead of wrapping around.
//!
//! Integers are summed as BIGINT, decimals with ten digits more than their own; what goes beyond is an error. Texts
//! are summed as DOUBLE. All other sums are DataFusion's. The state is DataFusion's everywhere: the sum so far, or the list of
//! the distinct values.

use std::fmt;
use std::hash::Hash;
use std::mem::size_of_val;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, ListArray, PrimitiveArray};
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow::datatypes::{ArrowNativeTypeOp, DataType, Decimal128Type, Field, FieldRef, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF, Signature,
    Volatility,
};
use hashbrown::HashSet;

/// `sum`.
pub(super) fn sum() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::from(Sum {
        inner: sum_udaf(),
        signature: Signature::user_defined(Volatility::Immutable),
    }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Sum {
    inner: Arc<AggregateUDF>,
    signature: Signature,
}

impl AggregateUDFImpl for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        super::summands("sum", types)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.inner.state_fields(args)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let data_type = args.return_field.data_type().clone();
        Ok(match data_type {
            DataType::Int64 if args.is_distinct => Box::new(DistinctSum::<Int64Type>::new(data_type)),
            DataType::Decimal128(_, _) if args.is_distinct => {
                Box::new(DistinctSum::<Decimal128Type>::new(data_type))
            }
            DataType::Int64 => Box::new(OneSum(Sums::<Int64Type>::new(data_type))),
            DataType::Decimal128(_, _) => Box::new(OneSum(Sums::<Decimal128Type>::new(data_type))),
            _ => self.inner.accumulator(args)?,
        })
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.inner.create_sliding_accumulator(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        self.inner.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        let data_type = args.return_field.data_type().clone();
        Ok(match data_type {
            DataType::Int64 => Box::new(Sums::<Int64Type>::new(data_type)),
            DataType::Decimal128(_, _) => Box::new(Sums::<Decimal128Type>::new(data_type)),
            _ => self.inner.create_groups_accumulator(args)?,
        })
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// The sums of some groups.
#[derive(Debug)]
struct Sums<T: ArrowPrimitiveType> {
    data_type: DataType,
    totals: Vec<T::Native>,
    /// Whether a group had a value: without one its sum is null.
    seen: Vec<bool>,
}

impl<T> Sums<T>
where
    T: ArrowPrimitiveType + Send,
{
    fn new(data_type: DataType) -> Self {
        Self {
            data_type,
            totals: Vec::new(),
            seen: Vec::new(),
        }
    }

    fn grow(&mut self, num_groups: usize) {
        self.totals.resize(num_groups, T::Native::ZERO);
        self.seen.resize(num_groups, false);
    }

    fn add(&mut self, group: usize, value: T::Native) -> Result<()> {
        let sum = self.totals[group].add_checked(value);
        self.totals[group] = sum.map_err(|_| self.overflow())?;
        self.seen[group] = true;
        Ok(())
    }

    fn overflow(&self) -> datafusion::error::DataFusionError {
        let of = crate::types::spark_type_name(&self.data_type).to_uppercase();
        exec_datafusion_err!("sum: the sum is too big for {of}; use try_sum to get NULL instead")
    }

    fn emit(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let sums = emit_to.take_needed(&mut self.totals);
        let seen = emit_to.take_needed(&mut self.seen);
        let nulls = NullBuffer::new(BooleanBuffer::from(seen));
        let sums = PrimitiveArray::<T>::new(sums.into(), Some(nulls)).with_data_type(self.data_type.clone());
        let sums = Arc::new(sums) as ArrayRef;
        if let DataType::Decimal128(precision, _) = self.data_type {
            let decimals = sums.as_primitive::<Decimal128Type>();
            let valid = decimals.validate_decimal_precision(precision);
            valid.map_err(|_| self.overflow())?;
        }
        Ok(sums)
    }
}

impl<T> GroupsAccumulator for Sums<T>
where
    T: ArrowPrimitiveType + Send,
{
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        let values = values[0].as_primitive::<T>();
        if values.null_count() == 0 && opt_filter.is_none() {
            for (&group, &value) in group_indices.iter().zip(values.values()) {
                self.add(group, value)?;
            }
            return Ok(());
        }
        for (row, (&group, value)) in group_indices.iter().zip(values).enumerate() {
            let is_wanted = opt_filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            if let Some(value) = value.filter(|_| is_wanted) {
                self.add(group, value)?;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.emit(emit_to)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.emit(emit_to)?])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.update_batch(values, group_indices, None, total_num_groups)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let values = values[0].as_primitive::<T>();
        let states = values.iter().enumerate().map(|(row, value)| {
            let is_wanted = opt_filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            value.filter(|_| is_wanted)
        });
        let states = states.collect::<PrimitiveArray<T>>();
        Ok(vec![Arc::new(states.with_data_type(self.data_type.clone()))])
    }

    fn size(&self) -> usize {
        self.totals.capacity() * size_of::<T::Native>() + self.seen.capacity()
    }
}

/// The sum of all rows: one group.
#[derive(Debug)]
struct OneSum<T: ArrowPrimitiveType>(Sums<T>);

impl<T> Accumulator for OneSum<T>
where
    T: ArrowPrimitiveType + Send + fmt::Debug,
{
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.grow(1);
        for value in values[0].as_primitive::<T>().iter().flatten() {
            self.0.add(0, value)?;
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.grow(1);
        let (sums, seen) = (self.0.totals.clone(), self.0.seen.clone());
        let value = ScalarValue::try_from_array(&self.0.emit(EmitTo::All)?, 0)?;
        (self.0.totals, self.0.seen) = (sums, seen);
        Ok(value)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.0.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }
}

/// The sum of the distinct values of all rows.
#[derive(Debug)]
struct DistinctSum<T: ArrowPrimitiveType> {
    data_type: DataType,
    values: HashSet<T::Native>,
}

impl<T> DistinctSum<T>
where
    T: ArrowPrimitiveType,
    T::Native: Eq + Hash,
{
    fn new(data_type: DataType) -> Self {
        Self {
            data_type,
            values: HashSet::new(),
        }
    }

    fn add(&mut self, values: &ArrayRef) {
        self.values.extend(values.as_primitive::<T>().iter().flatten());
    }
}

impl<T> Accumulator for DistinctSum<T>
where
    T: ArrowPrimitiveType + Send + fmt::Debug,
    T::Native: Eq + Hash + Ord,
{
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(&values[0]);
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut sums = Sums::<T>::new(self.data_type.clone());
        sums.grow(1);
        // Values below and above zero in turn: nothing but the sum itself can be too big.
        let mut sorted = self.values.iter().copied().collect::<Vec<_>>();
        sorted.sort_unstable();
        let (mut low, mut high) = (0, sorted.len());
        while low < high {
            let next = if sums.totals[0] > T::Native::ZERO {
                low += 1;
                sorted[low - 1]
            } else {
                high -= 1;
                sorted[high]
            };
            sums.add(0, next)?;
        }
        ScalarValue::try_from_array(&sums.emit(EmitTo::All)?, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.capacity() * size_of::<T::Native>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values = PrimitiveArray::<T>::from_iter_values(self.values.iter().copied());
        let values: ArrayRef = Arc::new(values.with_data_type(self.data_type.clone()));
        let item = Arc::new(Field::new_list_field(self.data_type.clone(), true));
        let offsets = OffsetBuffer::from_lengths([values.len()]);
        let list = ListArray::try_new(item, offsets, values, None)?;
        Ok(vec![ScalarValue::List(Arc::new(list))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for values in states[0].as_list::<i32>().iter().flatten() {
            self.add(&values);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Int64Array;

    #[test]
    fn distinct_values_overflow_if_their_sum_does() {
        let mut sum = DistinctSum::<Int64Type>::new(DataType::Int64);
        let values = |values: &[i64]| [Arc::new(Int64Array::from(values.to_vec())) as ArrayRef];
        sum.update_batch(&values(&[i64::MAX, i64::MAX, 5, -5, -1]))
            .expect("takes them");
        assert_eq!(
            sum.evaluate().expect("fits"),
            ScalarValue::Int64(Some(i64::MAX - 1))
        );
        let state = sum
            .state()
            .expect("a state")
            .remove(0)
            .to_array()
            .expect("a column");
        let mut merged = DistinctSum::<Int64Type>::new(DataType::Int64);
        merged.update_batch(&values(&[2, 5])).expect("takes them");
        merged.merge_batch(&[state]).expect("merges");
        assert!(
            merged
                .evaluate()
                .expect_err("overflows")
                .to_string()
                .contains("BIGINT")
        );
        let mut none = DistinctSum::<Int64Type>::new(DataType::Int64);
        assert_eq!(none.evaluate().expect("a sum"), ScalarValue::Int64(None));
    }

    #[test]
    fn an_overflow_is_an_error_and_what_comes_near_is_not() {
        let mut sums = Sums::<Int64Type>::new(DataType::Int64);
        let values = |values: [Option<i64>; 3]| [Arc::new(Int64Array::from_iter(values)) as ArrayRef];
        sums.update_batch(&values([Some(i64::MAX), Some(-1), None]), &[0, 0, 1], None, 2)
            .expect("fits");
        sums.merge_batch(&values([Some(1), None, None]), &[0, 0, 1], 2)
            .expect("fits");
        let error = sums.merge_batch(&values([Some(1), None, None]), &[0, 0, 0], 2);
        assert!(error.expect_err("overflows").to_string().contains("BIGINT"));
        let mut sums = Sums::<Int64Type>::new(DataType::Int64);
        sums.update_batch(&values([Some(2), Some(3), None]), &[0, 0, 1], None, 2)
            .expect("fits");
        let all = sums.evaluate(EmitTo::All).expect("sums");
        assert_eq!(
            all.as_primitive::<Int64Type>(),
            &Int64Array::from(vec![Some(5), None])
        );
    }
}
