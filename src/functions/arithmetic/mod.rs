//! `+ - * / % div`, `mod`, `pmod` and their `try_` forms on numbers: Spark's types, and errors where a result does not fit.
//!
//! DataFusion's own operators wrap around. They stay where nothing can overflow: sums, differences and products of
//! doubles, and all that has to do with times and intervals.
//!
//! # Layout
//!
//! - [`types`]: which types are computed in, which are given
//! - `decimal`: decimals
//! - `operator`: from an operator of the syntax to one of these functions

mod decimal;
mod operator;
pub(crate) mod types;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, Datum, Decimal128Array, Int64Array, PrimitiveArray,
};
use arrow::compute::kernels::numeric;
use arrow::datatypes::{
    ArrowNativeTypeOp, DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type,
};
use arrow::error::ArrowError;
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_datafusion_err, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use self::decimal::{Outcome, Scales};
pub(crate) use self::operator::operator;
use self::types::decimal_parts;
use crate::types::spark_type_name;

type Kernel = fn(&dyn Datum, &dyn Datum) -> Result<ArrayRef, ArrowError>;

/// An operation on two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    IntegerDivide,
    Modulo,
    PositiveModulo,
}

impl Operation {
    /// The function that is the operation.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Subtract => "subtract",
            Self::Multiply => "multiply",
            Self::Divide => "divide",
            Self::IntegerDivide => "div",
            Self::Modulo => "mod",
            Self::PositiveModulo => "pmod",
        }
    }

    fn try_name(self) -> &'static str {
        match self {
            Self::Add => "try_add",
            Self::Subtract => "try_subtract",
            Self::Multiply => "try_multiply",
            Self::Divide | Self::IntegerDivide => "try_divide",
            Self::Modulo | Self::PositiveModulo => "try_mod",
        }
    }

    fn divides(self) -> bool {
        matches!(
            self,
            Self::Divide | Self::IntegerDivide | Self::Modulo | Self::PositiveModulo
        )
    }
}

/// The functions that can be called by name.
pub(crate) fn functions() -> Vec<Arc<ScalarUDF>> {
    use Operation as O;
    let checked =
        [O::IntegerDivide, O::Modulo, O::PositiveModulo].map(|operation| function(operation, false));
    let tried =
        [O::Add, O::Subtract, O::Multiply, O::Divide, O::Modulo].map(|operation| function(operation, true));
    checked.into_iter().chain(tried).collect()
}

/// The function of an operation: an error where the result does not fit, or, if `is_try`, null.
pub(crate) fn function(operation: Operation, is_try: bool) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(Arithmetic {
        operation,
        is_try,
        signature: Signature::user_defined(Volatility::Immutable),
    }))
}

/// Whether a function is one of [`function`].
fn is_operation(function: &ScalarUDF) -> bool {
    function.inner().as_ref().is::<Arithmetic>()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Arithmetic {
    operation: Operation,
    is_try: bool,
    signature: Signature,
}

impl ScalarUDFImpl for Arithmetic {
    fn name(&self) -> &str {
        if self.is_try {
            self.operation.try_name()
        } else {
            self.operation.name()
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [left, right] = types else {
            return plan_err!("{} takes 2 arguments, not {}", self.name(), types.len());
        };
        if self.is_try && is_temporal(left, right) {
            return Ok(types.to_vec());
        }
        types::operands(self.operation, left, right).map(|(left, right)| vec![left, right])
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let [left, right] = types else {
            return plan_err!("{} takes 2 arguments, not {}", self.name(), types.len());
        };
        if is_temporal(left, right) {
            return Ok(if matches!(left, DataType::Interval(_)) {
                right.clone()
            } else {
                left.clone()
            });
        }
        Ok(types::result(self.operation, left, right))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = &args.args[..] else {
            return exec_err!("{} takes 2 arguments", self.name());
        };
        let returns = args.return_field.data_type();
        let (l, r) = (side(left)?, side(right)?);
        let (left_type, right_type) = (left.data_type(), right.data_type());
        let result = if is_temporal(&left_type, &right_type) {
            temporal(self.operation, &*l, &*r)
        } else if decimal_parts(&left_type).is_some() {
            self.decimals(&*l, &*r, returns)
        } else {
            self.numbers(&*l, &*r, &left_type)
        }?;
        match (left, right) {
            (ColumnarValue::Scalar(_), ColumnarValue::Scalar(_)) => {
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?))
            }
            _ => Ok(ColumnarValue::Array(result)),
        }
    }
}

fn is_temporal(left: &DataType, right: &DataType) -> bool {
    left.is_temporal() || right.is_temporal()
}

fn temporal(operation: Operation, left: &dyn Datum, right: &dyn Datum) -> Result<ArrayRef> {
    match operation {
        Operation::Add => Ok(numeric::add(left, right)?),
        Operation::Subtract => Ok(numeric::sub(left, right)?),
        _ => exec_err!("{} takes numbers", operation.name()),
    }
}

fn side(value: &ColumnarValue) -> Result<Box<dyn Datum>> {
    Ok(match value {
        ColumnarValue::Array(array) => Box::new(Arc::clone(array)),
        ColumnarValue::Scalar(scalar) => Box::new(scalar.to_scalar()?),
    })
}

impl Arithmetic {
    fn error(&self, error: ArrowError, data_type: &DataType) -> DataFusionError {
        match error {
            ArrowError::DivideByZero => exec_datafusion_err!(
                "division by zero; {} gives null instead",
                self.operation.try_name()
            ),
            ArrowError::ArithmeticOverflow(_) => self.overflow(data_type),
            other => other.into(),
        }
    }

    fn overflow(&self, data_type: &DataType) -> DataFusionError {
        exec_datafusion_err!(
            "the result of {} does not fit into {}; {} gives null instead",
            self.operation.name(),
            spark_type_name(data_type).to_uppercase(),
            self.operation.try_name()
        )
    }

    fn numbers(&self, left: &dyn Datum, right: &dyn Datum, data_type: &DataType) -> Result<ArrayRef> {
        match data_type {
            DataType::Int8 => self.integers::<Int8Type>(left, right),
            DataType::Int16 => self.integers::<Int16Type>(left, right),
            DataType::Int32 => self.integers::<Int32Type>(left, right),
            DataType::Int64 => self.integers::<Int64Type>(left, right),
            DataType::Float32 => self.floats::<Float32Type>(left, right),
            DataType::Float64 => self.floats::<Float64Type>(left, right),
            other => exec_err!("{} takes numbers, not {other}", self.name()),
        }
    }

    /// Whole numbers: arrow's checked kernels, or one by one where a null may come of it.
    fn integers<T: ArrowPrimitiveType>(&self, left: &dyn Datum, right: &dyn Datum) -> Result<ArrayRef> {
        if !self.is_try {
            let kernel = match self.operation {
                Operation::Add => Some(numeric::add as Kernel),
                Operation::Subtract => Some(numeric::sub as Kernel),
                Operation::Multiply => Some(numeric::mul as Kernel),
                Operation::Divide | Operation::IntegerDivide => Some(numeric::div as Kernel),
                Operation::Modulo => Some(numeric::rem as Kernel),
                Operation::PositiveModulo => None,
            };
            if let Some(kernel) = kernel {
                return kernel(left, right).map_err(|error| self.error(error, &T::DATA_TYPE));
            }
        }
        self.pairs::<T>(left, right, |left, right| match self.operation {
            Operation::Add => left.add_checked(right),
            Operation::Subtract => left.sub_checked(right),
            Operation::Multiply => left.mul_checked(right),
            Operation::Divide | Operation::IntegerDivide => left.div_checked(right),
            Operation::Modulo => remainder(left, right),
            Operation::PositiveModulo => positive_remainder(left, right),
        })
    }

    /// Fractions: only a divisor of zero is an error.
    fn floats<T: ArrowPrimitiveType>(&self, left: &dyn Datum, right: &dyn Datum) -> Result<ArrayRef> {
        let has_zero = || {
            let divisors = right.get().0.as_primitive::<T>();
            divisors.values().iter().any(|divisor| divisor.is_zero())
        };
        if self.operation == Operation::PositiveModulo || (self.operation.divides() && has_zero()) {
            return self.pairs::<T>(left, right, |left, right| match self.operation {
                _ if right.is_zero() => Err(ArrowError::DivideByZero),
                Operation::Modulo => Ok(left.mod_wrapping(right)),
                Operation::PositiveModulo => positive_remainder(left, right),
                _ => Ok(left.div_wrapping(right)),
            });
        }
        Ok(match self.operation {
            Operation::Add => numeric::add(left, right)?,
            Operation::Subtract => numeric::sub(left, right)?,
            Operation::Multiply => numeric::mul(left, right)?,
            Operation::Modulo => numeric::rem(left, right)?,
            _ => numeric::div(left, right)?,
        })
    }

    /// Row by row; what cannot be computed is an error, or null.
    fn pairs<T: ArrowPrimitiveType>(
        &self,
        left: &dyn Datum,
        right: &dyn Datum,
        compute: impl Fn(T::Native, T::Native) -> Result<T::Native, ArrowError>,
    ) -> Result<ArrayRef> {
        let ((left, left_is_scalar), (right, right_is_scalar)) = (left.get(), right.get());
        let rows = if left_is_scalar { right.len() } else { left.len() };
        let (left, right) = (left.as_primitive::<T>(), right.as_primitive::<T>());
        let at = |array: &PrimitiveArray<T>, is_scalar: bool, row: usize| {
            let row = if is_scalar { 0 } else { row };
            array.is_valid(row).then(|| array.value(row))
        };
        let values = (0..rows).map(|row| {
            let pair = at(left, left_is_scalar, row).zip(at(right, right_is_scalar, row));
            match pair.map(|(left, right)| compute(left, right)) {
                None => Ok(None),
                Some(Ok(value)) => Ok(Some(value)),
                Some(Err(_)) if self.is_try => Ok(None),
                Some(Err(error)) => Err(self.error(error, &T::DATA_TYPE)),
            }
        });
        Ok(Arc::new(values.collect::<Result<PrimitiveArray<T>>>()?))
    }

    fn decimals(&self, left: &dyn Datum, right: &dyn Datum, returns: &DataType) -> Result<ArrayRef> {
        let ((left, left_is_scalar), (right, right_is_scalar)) = (left.get(), right.get());
        let rows = if left_is_scalar { right.len() } else { left.len() };
        let (left, right) = (
            left.as_primitive::<Decimal128Type>(),
            right.as_primitive::<Decimal128Type>(),
        );
        let (precision, scale) = decimal_parts(returns).unwrap_or((types::MAX_PRECISION, 0));
        let scales = Scales {
            left: left.scale(),
            right: right.scale(),
            result: scale,
            precision,
        };
        let at = |array: &Decimal128Array, is_scalar: bool, row: usize| {
            let row = if is_scalar { 0 } else { row };
            array.is_valid(row).then(|| array.value(row))
        };
        let values = (0..rows).map(|row| {
            let pair = at(left, left_is_scalar, row).zip(at(right, right_is_scalar, row));
            match pair.map(|(left, right)| scales.compute(self.operation, left, right)) {
                None => Ok(None),
                Some(Outcome::Value(value)) => Ok(Some(value)),
                Some(_) if self.is_try => Ok(None),
                Some(Outcome::Overflow) => Err(self.overflow(returns)),
                Some(Outcome::DivisionByZero) => Err(self.error(ArrowError::DivideByZero, returns)),
            }
        });
        if *returns == DataType::Int64 {
            let values = values.map(|value| {
                value?.map_or(Ok(None), |value| match i64::try_from(value) {
                    Ok(value) => Ok(Some(value)),
                    Err(_) => Err(self.overflow(returns)),
                })
            });
            return Ok(Arc::new(values.collect::<Result<Int64Array>>()?));
        }
        let values = values.collect::<Result<Decimal128Array>>()?;
        Ok(Arc::new(values.with_precision_and_scale(precision, scale)?))
    }
}

/// The rest has the sign of the dividend.
fn remainder<N: ArrowNativeTypeOp>(left: N, right: N) -> Result<N, ArrowError> {
    if right.is_zero() {
        return Err(ArrowError::DivideByZero);
    }
    Ok(left.mod_wrapping(right))
}

/// Spark's `pmod`: never negative where the divisor is positive.
fn positive_remainder<N: ArrowNativeTypeOp>(left: N, right: N) -> Result<N, ArrowError> {
    let rest = remainder(left, right)?;
    if rest.is_lt(N::ZERO) {
        remainder(rest.add_wrapping(right), right)
    } else {
        Ok(rest)
    }
}
