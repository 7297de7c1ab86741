//! `avg`, with decimals rounded as Spark rounds them.
//!
//! DataFusion sums decimals exactly and cuts the quotient off; Spark rounds it half up. The accumulators here hand
//! everything on to DataFusion's and divide its state, the count and the sum, themselves. The state is DataFusion's, so
//! that partial and merged averages stay what they are.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal256Array};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{ArrowNativeType, DataType, Decimal256Type, FieldRef, UInt64Type, i256};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF, Signature,
    Volatility,
};

/// `avg` and `mean`.
pub fn average_udaf() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::from(Average {
        inner: avg_udaf(),
        signature: Signature::user_defined(Volatility::Immutable),
    }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Average {
    inner: Arc<AggregateUDF>,
    signature: Signature,
}

impl AggregateUDFImpl for Average {
    fn name(&self) -> &'static str {
        "avg"
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Decimals are averaged as they are, all other numbers as DOUBLE.
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let mut summands = super::summands("avg", types)?;
        for data_type in &mut summands {
            if data_type.is_integer() {
                *data_type = DataType::Float64;
            }
        }
        Ok(summands)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.inner.state_fields(args)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let quotient = Quotient::of(&args);
        let is_distinct = args.is_distinct;
        let inner = self.inner.accumulator(args)?;
        Ok(match quotient {
            Some(quotient) => Box::new(DecimalAverage {
                inner,
                quotient,
                is_distinct,
            }),
            None => inner,
        })
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.accumulator(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        self.inner.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        let quotient = Quotient::of(&args);
        let inner = self.inner.create_groups_accumulator(args)?;
        Ok(match quotient {
            Some(quotient) => Box::new(DecimalAverages { inner, quotient }),
            None => inner,
        })
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }
}

/// Divides sums of decimals by their counts.
#[derive(Debug, Clone)]
struct Quotient {
    input_scale: i8,
    data_type: DataType,
    scale: i8,
}

impl Quotient {
    /// The division that an average of decimals ends with, `None` for other types.
    fn of(args: &AccumulatorArgs) -> Option<Self> {
        let (_, input_scale) = decimal_parts(args.expr_fields.first()?.data_type())?;
        let (_, scale) = decimal_parts(args.return_type())?;
        Some(Self {
            input_scale,
            data_type: args.return_type().clone(),
            scale,
        })
    }

    fn divide(&self, sum: i256, count: u64) -> Result<i256> {
        let overflow = || exec_datafusion_err!("avg: the sum is too big for {}", self.data_type);
        let shift = u32::try_from(self.scale - self.input_scale).unwrap_or_default();
        let count = i256::from_i128(i128::from(count));
        let scaled = sum
            .checked_mul(i256::from_i128(10).wrapping_pow(shift))
            .ok_or_else(overflow)?;
        let quotient = scaled.wrapping_div(count);
        // Half up is away from zero, on either side of it.
        let rest = scaled.wrapping_sub(quotient.wrapping_mul(count));
        let rest_is_half = rest.wrapping_abs() >= count.wrapping_sub(rest.wrapping_abs());
        let away = if sum.is_negative() { -1 } else { 1 };
        Ok(if rest_is_half {
            quotient.wrapping_add(i256::from_i128(away))
        } else {
            quotient
        })
    }

    fn divide_all(&self, sums: &ArrayRef, counts: &ArrayRef) -> Result<ArrayRef> {
        let wide = wide_decimals(sums, self.input_scale)?;
        let wide = wide.as_primitive::<Decimal256Type>();
        let counts = counts.as_primitive::<UInt64Type>();
        let averages = wide.iter().zip(counts).map(|pair| match pair {
            (Some(sum), Some(count)) if count > 0 => self.divide(sum, count).map(Some),
            _ => Ok(None),
        });
        let averages = averages.collect::<Result<Decimal256Array>>()?;
        let averages = averages.with_precision_and_scale(76, self.scale)?;
        let exact = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        Ok(cast_with_options(&averages, &self.data_type, &exact)?)
    }
}

fn decimal_parts(data_type: &DataType) -> Option<(u8, i8)> {
    match data_type {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => Some((*precision, *scale)),
        _ => None,
    }
}

fn wide_decimals(sums: &ArrayRef, scale: i8) -> Result<ArrayRef> {
    Ok(cast(sums, &DataType::Decimal256(76, scale))?)
}

#[derive(Debug)]
struct DecimalAverage {
    inner: Box<dyn Accumulator>,
    quotient: Quotient,
    is_distinct: bool,
}

impl Accumulator for DecimalAverage {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.update_batch(values)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let state = self.inner.state()?;
        let (count, sum) = if self.is_distinct {
            let values = state[0].to_array()?;
            let values = wide_decimals(&values.as_list::<i32>().value(0), self.quotient.input_scale)?;
            let values = values.as_primitive::<Decimal256Type>();
            let sum = values.iter().flatten().fold(i256::ZERO, i256::wrapping_add);
            let count = u64::usize_as(values.len() - values.null_count());
            let sum =
                Decimal256Array::from(vec![sum]).with_precision_and_scale(76, self.quotient.input_scale)?;
            (
                ScalarValue::UInt64(Some(count)).to_array()?,
                Arc::new(sum) as ArrayRef,
            )
        } else {
            (state[0].to_array()?, state[1].to_array()?)
        };
        ScalarValue::try_from_array(&self.quotient.divide_all(&sum, &count)?, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.inner.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.inner.merge_batch(states)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.retract_batch(values)
    }

    fn supports_retract_batch(&self) -> bool {
        self.inner.supports_retract_batch()
    }
}

struct DecimalAverages {
    inner: Box<dyn GroupsAccumulator>,
    quotient: Quotient,
}

impl GroupsAccumulator for DecimalAverages {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.inner
            .update_batch(values, group_indices, filter, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let state = self.inner.state(emit_to)?;
        self.quotient.divide_all(&state[1], &state[0])
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.inner.state(emit_to)
    }

    fn merge_batch(
        &mut self,
        states: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.inner.merge_batch(states, group_indices, total_num_groups)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        self.inner.convert_to_state(values, filter)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.inner.size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn divide(sum: i128, count: u64) -> Option<i128> {
        let quotient = Quotient {
            input_scale: 2,
            data_type: DataType::Decimal128(14, 6),
            scale: 6,
        };
        let average = quotient.divide(i256::from_i128(sum), count);
        average.expect("fits").to_i128()
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        // 6.68 / 3
        assert_eq!(divide(668, 3), Some(2_226_667));
        assert_eq!(divide(-668, 3), Some(-2_226_667));
        assert_eq!(divide(667, 3), Some(2_223_333));
        // 0.01 / 20000 is half of the last digit.
        assert_eq!(divide(1, 20_000), Some(1));
        assert_eq!(divide(-1, 20_000), Some(-1));
        assert_eq!(divide(1, 20_001), Some(0));
    }
}
