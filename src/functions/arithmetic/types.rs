//! Which types Spark computes in, and which it gives.

use arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};

use super::Operation;
use crate::types::spark_type_name;

/// The most digits that a decimal has.
pub(crate) const MAX_PRECISION: u8 = 38;
/// How many fraction digits stay at least where a result would have too many digits.
const MIN_ADJUSTED_SCALE: i16 = 6;

/// Whether a value of the type is a whole number.
pub(crate) fn is_integral(data_type: &DataType) -> bool {
    data_type.is_integer()
}

/// Precision and scale of a decimal.
pub(crate) fn decimal_parts(data_type: &DataType) -> Option<(u8, i8)> {
    match data_type {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => Some((*precision, *scale)),
        _ => None,
    }
}

/// The decimal that has room for every whole number of a type.
pub(crate) fn decimal_for(data_type: &DataType) -> DataType {
    let precision = match data_type {
        DataType::Int8 => 3,
        DataType::Int16 | DataType::UInt8 => 5,
        DataType::Int32 | DataType::UInt16 => 10,
        _ => 20,
    };
    DataType::Decimal128(precision, 0)
}

/// Cuts a decimal's type to 38 digits as Spark does: whole digits first, of the fraction at least six.
pub(crate) fn bounded_decimal(precision: i16, scale: i16) -> DataType {
    let most = i16::from(MAX_PRECISION);
    let (precision, scale) = if precision <= most {
        (precision, scale)
    } else {
        let whole = precision - scale;
        (most, (most - whole).max(scale.min(MIN_ADJUSTED_SCALE)))
    };
    DataType::Decimal128(
        u8::try_from(precision).unwrap_or(MAX_PRECISION),
        i8::try_from(scale).unwrap_or_default(),
    )
}

/// The wider of two types of whole numbers.
pub(crate) fn wider_integral(left: &DataType, right: &DataType) -> DataType {
    let width = |data_type: &DataType| match data_type {
        DataType::Int8 => 1,
        DataType::Int16 | DataType::UInt8 => 2,
        DataType::Int32 | DataType::UInt16 => 4,
        _ => 8,
    };
    match width(left).max(width(right)) {
        1 => DataType::Int8,
        2 => DataType::Int16,
        4 => DataType::Int32,
        _ => DataType::Int64,
    }
}

/// What the two sides of an operation are cast to.
///
/// # Errors
///
/// A plan error if they are no numbers.
pub(crate) fn operands(
    operation: Operation,
    left: &DataType,
    right: &DataType,
) -> Result<(DataType, DataType)> {
    use DataType as T;
    let is_text = |side: &T| matches!(side, T::Utf8 | T::LargeUtf8 | T::Utf8View);
    if is_text(left) && is_text(right) && operation != Operation::Divide {
        return plan_err!(
            "{} takes numbers, not two texts: cast one of them, as in CAST(a AS DOUBLE)",
            operation.name()
        );
    }
    // A text is a number of the other side's kind, a null of the other side's type.
    let seen = |side: &T, other: &T| match side {
        side if is_text(side) && is_integral(other) => T::Int64,
        side if is_text(side) => T::Float64,
        T::Null if is_text(other) => T::Float64,
        T::Null => other.clone(),
        side => side.clone(),
    };
    let (left, right) = match (seen(left, right), seen(right, left)) {
        (T::Null, T::Null) => (T::Float64, T::Float64),
        seen => seen,
    };
    if !left.is_numeric() || !right.is_numeric() {
        return plan_err!(
            "{} takes numbers, not {} and {}",
            operation.name(),
            spark_type_name(&left),
            spark_type_name(&right)
        );
    }
    let both = |data_type: T| Ok((data_type.clone(), data_type));
    match (decimal_parts(&left), decimal_parts(&right)) {
        (Some(_), Some(_)) => return Ok((as_decimal128(&left), as_decimal128(&right))),
        (Some(_), None) if is_integral(&right) => return Ok((as_decimal128(&left), decimal_for(&right))),
        (None, Some(_)) if is_integral(&left) => return Ok((decimal_for(&left), as_decimal128(&right))),
        (None, None) => {}
        _ => return both(T::Float64),
    }
    match (is_integral(&left), is_integral(&right)) {
        (true, true) => match operation {
            Operation::Divide => both(T::Float64),
            Operation::IntegerDivide => both(T::Int64),
            _ => both(wider_integral(&left, &right)),
        },
        _ if operation == Operation::IntegerDivide => {
            plan_err!("div takes whole numbers and decimals: write CAST(a / b AS BIGINT)")
        }
        _ if operation != Operation::Divide && left == T::Float32 && right == T::Float32 => both(T::Float32),
        _ => both(T::Float64),
    }
}

fn as_decimal128(data_type: &DataType) -> DataType {
    match decimal_parts(data_type) {
        Some((precision, scale)) => DataType::Decimal128(precision.min(MAX_PRECISION), scale),
        None => data_type.clone(),
    }
}

/// The type of the result of an operation on [`operands`].
pub(crate) fn result(operation: Operation, left: &DataType, right: &DataType) -> DataType {
    if operation == Operation::IntegerDivide {
        return DataType::Int64;
    }
    let (Some((left_precision, left_scale)), Some((right_precision, right_scale))) =
        (decimal_parts(left), decimal_parts(right))
    else {
        return left.clone();
    };
    let (p1, s1) = (i16::from(left_precision), i16::from(left_scale));
    let (p2, s2) = (i16::from(right_precision), i16::from(right_scale));
    let scale = s1.max(s2);
    match operation {
        Operation::Add | Operation::Subtract => bounded_decimal((p1 - s1).max(p2 - s2) + scale + 1, scale),
        Operation::Multiply => bounded_decimal(p1 + p2 + 1, s1 + s2),
        Operation::Divide | Operation::IntegerDivide => {
            let scale = (s1 + p2 + 1).max(MIN_ADJUSTED_SCALE);
            bounded_decimal(p1 - s1 + s2 + scale, scale)
        }
        Operation::Modulo | Operation::PositiveModulo => {
            bounded_decimal((p1 - s1).min(p2 - s2) + scale, scale)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Spark 4.3 gives for `a <op> b`.
    #[test]
    fn types_of_results() {
        let decimal = DataType::Decimal128;
        for (operation, left, right, expected) in [
            (Operation::Add, DataType::Int32, DataType::Int64, DataType::Int64),
            (
                Operation::Divide,
                DataType::Int32,
                DataType::Int32,
                DataType::Float64,
            ),
            (
                Operation::IntegerDivide,
                DataType::Int32,
                DataType::Int32,
                DataType::Int64,
            ),
            (
                Operation::Add,
                DataType::Int32,
                DataType::Float32,
                DataType::Float64,
            ),
            (
                Operation::Add,
                DataType::Float32,
                DataType::Float32,
                DataType::Float32,
            ),
            (Operation::Add, DataType::Utf8, DataType::Int32, DataType::Int64),
            (
                Operation::Divide,
                DataType::Utf8,
                DataType::Utf8,
                DataType::Float64,
            ),
            (Operation::Add, decimal(2, 1), DataType::Int32, decimal(12, 1)),
            (Operation::Multiply, decimal(2, 1), decimal(3, 2), decimal(6, 3)),
            (Operation::Divide, decimal(10, 2), decimal(3, 0), decimal(14, 6)),
            (
                Operation::Divide,
                decimal(38, 10),
                decimal(38, 10),
                decimal(38, 6),
            ),
            (Operation::Modulo, decimal(10, 2), decimal(5, 3), decimal(5, 3)),
        ] {
            let (left, right) = operands(operation, &left, &right).expect("numbers");
            assert_eq!(
                result(operation, &left, &right),
                expected,
                "{operation:?} {left} {right}"
            );
        }
        assert!(operands(Operation::Add, &DataType::Boolean, &DataType::Int32).is_err());
    }
}
