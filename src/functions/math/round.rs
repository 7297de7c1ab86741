//! `round`, `bround`, `ceil` and `floor`, these two to so many digits as well.
//!
//! Doubles are rounded by the digits that they are shown with, as Java's `BigDecimal` does: 2.675 to two digits is 2.68.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Float64Array, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int32Type, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err, plan_err};
use datafusion::logical_expr::ScalarUDF;

use crate::functions::arithmetic::types::{bounded_decimal, decimal_parts};
use crate::functions::support::Kind::{Int, Number};
use crate::functions::support::{Call, Function, Planned, params};
use crate::types::spark_type_name;

/// Which way a digit that is cut off goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    HalfUp,
    HalfEven,
    Up,
    Down,
}

/// 2 to the power of 63.
const BIGINT_END: f64 = 9_223_372_036_854_775_808.0;

/// The functions of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    let one = params(&[Number]).or(&[Int]);
    vec![
        Function::new("round", one, rounded_type, |call| round(call, Mode::HalfUp)).udf(),
        Function::new("bround", one, rounded_type, |call| round(call, Mode::HalfEven)).udf(),
        Function::new("ceil", params(&[Number]), whole_type, |call| {
            whole(call, Mode::Up)
        })
        .udf(),
        Function::new("ceiling", params(&[Number]), whole_type, |call| {
            whole(call, Mode::Up)
        })
        .udf(),
        Function::new("floor", params(&[Number]), whole_type, |call| {
            whole(call, Mode::Down)
        })
        .udf(),
        Function::new("ceil_to", params(&[Number, Int]), directed_type, |call| {
            round(call, Mode::Up)
        })
        .udf(),
        Function::new("floor_to", params(&[Number, Int]), directed_type, |call| {
            round(call, Mode::Down)
        })
        .udf(),
    ]
}

/// How many digits stay behind the point, as the plan knows it.
fn digits_of(planned: &Planned) -> Result<i32> {
    let Some(digits) = planned.literals.get(1) else {
        return Ok(0);
    };
    match digits {
        Some(ScalarValue::Int32(Some(digits))) => Ok(*digits),
        // Types without values are asked for too; the answer is asked for again with them.
        _ if planned.types.len() < 2 || planned.literals.iter().all(Option::is_none) => Ok(0),
        _ => plan_err!("the number of digits to round to must be a constant"),
    }
}

fn rounded_type(planned: &Planned) -> Result<DataType> {
    let Some((precision, scale)) = decimal_parts(&planned.types[0]) else {
        return Ok(planned.types[0].clone());
    };
    let digits = digits_of(planned)?;
    let (precision, scale) = (i16::from(precision), i16::from(scale));
    let whole = precision - scale + 1;
    let digits = i16::try_from(digits).unwrap_or(i16::MAX);
    Ok(if digits < 0 {
        bounded_decimal(whole.max(1 - digits), 0)
    } else {
        let scale = scale.min(digits);
        bounded_decimal(whole + scale, scale)
    })
}

/// Spark rounds all numbers up and down as decimals.
fn directed_type(planned: &Planned) -> Result<DataType> {
    let as_decimal = match &planned.types[0] {
        DataType::Int8 => DataType::Decimal128(3, 0),
        DataType::Int16 => DataType::Decimal128(5, 0),
        DataType::Int32 => DataType::Decimal128(10, 0),
        DataType::Int64 => DataType::Decimal128(20, 0),
        DataType::Float32 => DataType::Decimal128(14, 7),
        DataType::Float64 => DataType::Decimal128(30, 15),
        other => other.clone(),
    };
    rounded_type(&Planned {
        types: &[as_decimal],
        literals: planned.literals,
    })
}

#[expect(clippy::unnecessary_wraps, reason = "it is the type of a function")]
fn whole_type(planned: &Planned) -> Result<DataType> {
    Ok(match decimal_parts(&planned.types[0]) {
        Some((precision, scale)) if scale > 0 => {
            bounded_decimal(i16::from(precision) - i16::from(scale) + 1, 0)
        }
        Some(_) => planned.types[0].clone(),
        None => DataType::Int64,
    })
}

/// To the next whole number; a double that is beyond BIGINT then is an error.
fn whole(call: &Call, mode: Mode) -> Result<ArrayRef> {
    let given = &call.args[0];
    if matches!(call.returns, DataType::Decimal128(..)) {
        return round(call, mode);
    }
    if given.data_type().is_integer() {
        return Ok(cast(given, &DataType::Int64)?);
    }
    let doubles = cast(given, &DataType::Float64)?;
    let numbers: Int64Array = doubles.as_primitive::<Float64Type>().try_unary(|value| {
        let whole = if mode == Mode::Up {
            value.ceil()
        } else {
            value.floor()
        };
        // The least BIGINT is a double, the number behind the greatest is the next one. NaN is 0, as in Java.
        if !whole.is_nan() && !(-BIGINT_END..BIGINT_END).contains(&whole) {
            return exec_err!("{value} is beyond BIGINT");
        }
        #[expect(clippy::cast_possible_truncation, reason = "it is in range")]
        Ok(whole as i64)
    })?;
    Ok(Arc::new(numbers))
}

fn round(call: &Call, mode: Mode) -> Result<ArrayRef> {
    let digits = if call.has(1) {
        let digits = call.primitive::<Int32Type>(1);
        if call.rows == 0 || digits.is_null(0) {
            return Ok(arrow::array::new_null_array(call.returns, call.rows));
        }
        digits.value(0)
    } else {
        0
    };
    let given = &call.args[0];
    match call.returns {
        DataType::Decimal128(precision, scale) => {
            let decimals = match given.data_type() {
                DataType::Decimal128(..) => Arc::clone(given),
                DataType::Float32 | DataType::Float64 => cast(given, &DataType::Decimal128(30, 15))?,
                _ => cast(given, &DataType::Decimal128(20, 0))?,
            };
            let decimals = decimals.as_primitive::<Decimal128Type>();
            let from = i32::from(decimals.scale());
            let rounded: Decimal128Array = decimals.unary(|value| {
                let drop = from - digits;
                let value = if drop > 0 { cut(value, drop, mode) } else { value };
                // Now at `digits`, or where it was; the type has the scale that is shown.
                at_scale(value, if drop > 0 { digits } else { from }, i32::from(*scale))
            });
            Ok(Arc::new(rounded.with_precision_and_scale(*precision, *scale)?))
        }
        DataType::Float32 | DataType::Float64 => {
            let values = cast(given, &DataType::Float64)?;
            let rounded: Float64Array = values
                .as_primitive::<Float64Type>()
                .unary(|value| round_double(value, digits, mode));
            Ok(cast(&(Arc::new(rounded) as ArrayRef), call.returns)?)
        }
        whole => {
            if digits >= 0 {
                return Ok(Arc::clone(given));
            }
            let values = cast(given, &DataType::Int64)?;
            let rounded = values.as_primitive::<Int64Type>().iter().map(|value| {
                let Some(value) = value else { return Ok(None) };
                let rounded = at_scale(cut(i128::from(value), -digits, mode), digits, 0);
                let rounded = i64::try_from(rounded)
                    .ok()
                    .filter(|rounded| fits(*rounded, whole));
                let whole = || spark_type_name(whole).to_uppercase();
                rounded
                    .map(Some)
                    .ok_or_else(|| exec_datafusion_err!("{value} rounded does not fit into {}", whole()))
            });
            let rounded: ArrayRef = Arc::new(rounded.collect::<Result<Int64Array>>()?);
            Ok(cast(&rounded, whole)?)
        }
    }
}

fn fits(value: i64, data_type: &DataType) -> bool {
    match data_type {
        DataType::Int8 => i8::try_from(value).is_ok(),
        DataType::Int16 => i16::try_from(value).is_ok(),
        DataType::Int32 => i32::try_from(value).is_ok(),
        _ => true,
    }
}

/// Takes `drop` digits away from the end.
fn cut(value: i128, drop: i32, mode: Mode) -> i128 {
    let Some(unit) = u32::try_from(drop)
        .ok()
        .and_then(|drop| 10_i128.checked_pow(drop))
    else {
        return match mode {
            Mode::Up => i128::from(value > 0),
            Mode::Down => -i128::from(value < 0),
            _ => 0,
        };
    };
    let (quotient, rest) = (value / unit, value % unit);
    let twice = rest.unsigned_abs().saturating_mul(2);
    let away = match mode {
        Mode::HalfUp => twice >= unit.unsigned_abs(),
        Mode::HalfEven => twice > unit.unsigned_abs() || (twice == unit.unsigned_abs() && quotient % 2 != 0),
        Mode::Up => rest > 0,
        Mode::Down => rest < 0,
    };
    if away { quotient + value.signum() } else { quotient }
}

/// A value of one scale in another that is not smaller.
fn at_scale(value: i128, from: i32, to: i32) -> i128 {
    let factor = u32::try_from(to - from)
        .ok()
        .and_then(|up| 10_i128.checked_pow(up));
    factor.map_or(value, |factor| value.saturating_mul(factor))
}

fn round_double(value: f64, digits: i32, mode: Mode) -> f64 {
    if !value.is_finite() {
        return value;
    }
    // 1.2345e2: the digits, and where their point is.
    let text = format!("{value:e}");
    let parsed = text.split_once('e').and_then(|(mantissa, exponent)| {
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let unscaled: i128 = format!("{whole}{fraction}").parse().ok()?;
        let scale = i32::try_from(fraction.len()).ok()? - exponent.parse::<i32>().ok()?;
        Some((unscaled, scale))
    });
    match parsed {
        Some((unscaled, scale)) if scale > digits => {
            let rounded = cut(unscaled, scale - digits, mode);
            format!("{rounded}e{}", -digits).parse().unwrap_or(value)
        }
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "digits are what is asked for")]
    fn doubles_are_rounded_by_their_digits() {
        for (value, digits, mode, expected) in [
            (2.675, 2, Mode::HalfUp, 2.68),
            (-2.5, 0, Mode::HalfUp, -3.0),
            (2.5, 0, Mode::HalfEven, 2.0),
            (3.5, 0, Mode::HalfEven, 4.0),
            (1e300, 2, Mode::HalfUp, 1e300),
            (5e-324, 2, Mode::HalfUp, 0.0),
            (1234.5, -2, Mode::HalfUp, 1200.0),
            (-1.21, 1, Mode::Up, -1.2),
            (-1.21, 1, Mode::Down, -1.3),
        ] {
            assert_eq!(
                round_double(value, digits, mode),
                expected,
                "{value} {digits} {mode:?}"
            );
        }
        assert!(round_double(f64::NAN, 1, Mode::HalfUp).is_nan());
    }
}
