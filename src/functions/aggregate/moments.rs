//! `skewness` and `kurtosis`, of the population: central moments, merged as Spark's `CentralMomentAgg` does.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

/// `skewness` and `kurtosis`.
pub(super) fn functions() -> Vec<Arc<AggregateUDF>> {
    [Shape::Skewness, Shape::Kurtosis]
        .into_iter()
        .map(|shape| {
            Arc::new(AggregateUDF::from(ShapeOf {
                shape,
                signature: Signature::exact(vec![DataType::Float64], Volatility::Immutable),
            }))
        })
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Shape {
    Skewness,
    Kurtosis,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ShapeOf {
    shape: Shape,
    signature: Signature,
}

impl AggregateUDFImpl for ShapeOf {
    fn name(&self) -> &'static str {
        match self.shape {
            Shape::Skewness => "skewness",
            Shape::Kurtosis => "kurtosis",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let names = ["n", "avg", "m2", "m3", "m4"];
        let fields = names.map(|name| {
            Arc::new(Field::new(
                format!("{}[{name}]", args.name),
                DataType::Float64,
                true,
            ))
        });
        Ok(fields.to_vec())
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(MomentsOf {
            shape: self.shape,
            moments: Moments::default(),
        }))
    }
}

/// How many values there are, their average, and the sums of the powers of their distances from it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Moments {
    n: f64,
    avg: f64,
    m2: f64,
    m3: f64,
    m4: f64,
}

impl Moments {
    fn of(value: f64) -> Self {
        Self {
            n: 1.0,
            avg: value,
            ..Self::default()
        }
    }

    /// Both together (Pebay, "Formulas for Robust, One-Pass Parallel Computation of Covariances and Arbitrary-Order
    /// Statistical Moments").
    fn merge(self, other: Self) -> Self {
        if self.n == 0.0 {
            return other;
        }
        if other.n == 0.0 {
            return self;
        }
        let n = self.n + other.n;
        let delta = other.avg - self.avg;
        let delta_n = delta / n;
        let both = self.n * other.n;
        Self {
            n,
            avg: self.avg + delta_n * other.n,
            m2: self.m2 + other.m2 + delta * delta_n * both,
            m3: self.m3
                + other.m3
                + delta_n * delta_n * delta * both * (self.n - other.n)
                + 3.0 * delta_n * (self.n * other.m2 - other.n * self.m2),
            m4: self.m4
                + other.m4
                + delta_n * delta_n * delta_n * delta * both * (self.n * self.n - both + other.n * other.n)
                + 6.0 * delta_n * delta_n * (self.n * self.n * other.m2 + other.n * other.n * self.m2)
                + 4.0 * delta_n * (self.n * other.m3 - other.n * self.m3),
        }
    }
}

#[derive(Debug)]
struct MomentsOf {
    shape: Shape,
    moments: Moments,
}

impl Accumulator for MomentsOf {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let Some(values) = columns.first() else {
            return exec_err!("a value is needed");
        };
        for value in values.as_primitive::<Float64Type>().iter().flatten() {
            self.moments = self.moments.merge(Moments::of(value));
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let Moments { n, m2, m3, m4, .. } = self.moments;
        // Where all values are equal there is no shape.
        let shape = if n == 0.0 || m2 == 0.0 {
            None
        } else {
            Some(match self.shape {
                Shape::Skewness => n.sqrt() * m3 / (m2 * m2 * m2).sqrt(),
                Shape::Kurtosis => n * m4 / (m2 * m2) - 3.0,
            })
        };
        Ok(ScalarValue::Float64(shape))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let Moments { n, avg, m2, m3, m4 } = self.moments;
        Ok([n, avg, m2, m3, m4]
            .map(|part| ScalarValue::Float64(Some(part)))
            .to_vec())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [n, avg, m2, m3, m4] = states else {
            return exec_err!("a state has five parts");
        };
        let [n, avg, m2, m3, m4] = [n, avg, m2, m3, m4].map(AsArray::as_primitive::<Float64Type>);
        for row in 0..n.len() {
            self.moments = self.moments.merge(Moments {
                n: n.value(row),
                avg: avg.value(row),
                m2: m2.value(row),
                m3: m3.value(row),
                m4: m4.value(row),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_in_any_way_the_moments_are_the_same() {
        let values = [-10.0, -20.0, 100.0, 1000.0].map(Moments::of);
        let one_by_one = values.into_iter().fold(Moments::default(), Moments::merge);
        let in_pairs = values[0].merge(values[1]).merge(values[2].merge(values[3]));
        for (left, right) in [
            (one_by_one.m2, in_pairs.m2),
            (one_by_one.m3, in_pairs.m3),
            (one_by_one.m4, in_pairs.m4),
        ] {
            assert!((left - right).abs() < 1e-6 * left.abs(), "{left} {right}");
        }
    }
}
