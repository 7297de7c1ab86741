//! Numbers as texts: with separators, and in another base.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int32Type};
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::logical_expr::ScalarUDF;

use crate::functions::support::Kind::{Any, Int, Number, Text};
use crate::functions::support::{Call, Function, map_text, params, returns};
use crate::types::spark_type_name;

/// The functions of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        Function::new(
            "format_number",
            params(&[Number, Any]),
            returns!(DataType::Utf8),
            format_number,
        )
        .udf(),
        Function::new(
            "conv",
            params(&[Text, Int, Int]),
            returns!(DataType::Utf8),
            |call| {
                let (from, to) = (call.primitive::<Int32Type>(1), call.primitive::<Int32Type>(2));
                let texts = map_text(call, |text, row| {
                    if from.is_null(row) || to.is_null(row) {
                        return Ok(None);
                    }
                    conv(text, from.value(row), to.value(row))
                })?;
                Ok(Arc::new(StringArray::from(texts)))
            },
        )
        .udf(),
        Function::new("typeof", params(&[Any]), returns!(DataType::Utf8), |call| {
            let name = spark_type_name(call.args[0].data_type());
            Ok(Arc::new(StringArray::from_iter_values(std::iter::repeat_n(
                name, call.rows,
            ))))
        })
        .udf(),
    ]
}

/// `format_number(x, digits)`, or with a pattern such as `#,##0.00`; half goes to the even digit.
fn format_number(call: &Call) -> Result<ArrayRef> {
    let numbers = cast(&call.args[0], &DataType::Utf8)?;
    let doubles = cast(&call.args[0], &DataType::Float64)?;
    let doubles = doubles.as_primitive::<Float64Type>();
    let is_exact = !call.args[0].data_type().is_floating();
    let digits = match call.args[1].data_type() {
        DataType::Utf8 => None,
        _ => Some(cast(&call.args[1], &DataType::Int32)?),
    };
    let texts = (0..call.rows).map(|row| {
        if numbers.is_null(row) || call.args[1].is_null(row) {
            return None;
        }
        let shape = match &digits {
            Some(digits) => Shape::of_digits(digits.as_primitive::<Int32Type>().value(row))?,
            None => Shape::of_pattern(call.args[1].as_string::<i32>().value(row)),
        };
        let value = doubles.value(row);
        if !is_exact && !value.is_finite() {
            return Some(
                if value.is_nan() {
                    "NaN"
                } else if value > 0.0 {
                    "∞"
                } else {
                    "-∞"
                }
                .to_owned(),
            );
        }
        let text = if is_exact {
            numbers.as_string::<i32>().value(row).to_owned()
        } else {
            format!("{value}")
        };
        Some(shape.write(&text))
    });
    Ok(Arc::new(texts.collect::<StringArray>()))
}

/// How a number is written.
struct Shape {
    is_grouped: bool,
    least_whole: usize,
    least_fraction: usize,
    most_fraction: usize,
}

impl Shape {
    fn of_digits(digits: i32) -> Option<Self> {
        let digits = usize::try_from(digits).ok()?;
        Some(Self {
            is_grouped: true,
            least_whole: 1,
            least_fraction: digits,
            most_fraction: digits,
        })
    }

    fn of_pattern(pattern: &str) -> Self {
        let (whole, fraction) = pattern.split_once('.').unwrap_or((pattern, ""));
        let count = |text: &str, digits: &str| text.chars().filter(|letter| digits.contains(*letter)).count();
        if pattern.is_empty() {
            return Self {
                is_grouped: true,
                least_whole: 1,
                least_fraction: 0,
                most_fraction: 0,
            };
        }
        Self {
            is_grouped: whole.contains(','),
            least_whole: count(whole, "0"),
            least_fraction: count(fraction, "0"),
            most_fraction: count(fraction, "0#"),
        }
    }

    /// Writes a number that is given by its decimal digits.
    fn write(&self, number: &str) -> String {
        let (is_negative, number) = match number.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, number),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let mut digits: Vec<u8> = whole
            .bytes()
            .chain(fraction.bytes().take(self.most_fraction))
            .collect();
        let rest = fraction.get(self.most_fraction..).unwrap_or("");
        let has_more = rest.bytes().skip(1).any(|digit| digit != b'0');
        let is_up = match rest.bytes().next() {
            Some(digit) if digit > b'5' || (digit == b'5' && has_more) => true,
            Some(b'5') => digits.last().is_some_and(|last| last % 2 == 1),
            _ => false,
        };
        if is_up {
            let mut carry = true;
            for digit in digits.iter_mut().rev() {
                if *digit < b'9' {
                    *digit += 1;
                    carry = false;
                    break;
                }
                *digit = b'0';
            }
            if carry {
                digits.insert(0, b'1');
            }
        }
        let kept = fraction.len().min(self.most_fraction);
        let point = digits.len() - kept;
        let mut fraction = String::from_utf8_lossy(&digits[point..]).into_owned();
        while fraction.len() > self.least_fraction && fraction.ends_with('0') {
            fraction.pop();
        }
        while fraction.len() < self.least_fraction {
            fraction.push('0');
        }
        let whole = String::from_utf8_lossy(&digits[..point]).into_owned();
        let whole = format!("{:0>1$}", whole.trim_start_matches('0'), self.least_whole);
        let is_zero = digits.iter().all(|digit| *digit == b'0');
        let mut text = String::new();
        if is_negative && !is_zero {
            text.push('-');
        }
        for (at, digit) in whole.chars().enumerate() {
            if self.is_grouped && at > 0 && (whole.len() - at) % 3 == 0 {
                text.push(',');
            }
            text.push(digit);
        }
        if !fraction.is_empty() {
            text.push('.');
            text.push_str(&fraction);
        }
        text
    }
}

/// A number's digits in another base; a negative base gives a signed number, otherwise it has 64 bits without a sign.
fn conv(text: &str, from: i32, to: i32) -> Result<Option<String>> {
    let base = |base: i32| u64::from(base.unsigned_abs());
    if !(2..=36).contains(&from) || !(2..=36).contains(&to.unsigned_abs()) {
        return Ok(None);
    }
    let text = text.trim_matches(' ');
    if text.is_empty() {
        return Ok(None);
    }
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut value: u64 = 0;
    for letter in digits.chars() {
        // What is no digit ends the number.
        let Some(digit) = letter.to_digit(from.unsigned_abs()) else {
            break;
        };
        value = value
            .checked_mul(base(from))
            .and_then(|value| value.checked_add(u64::from(digit)))
            .ok_or_else(|| exec_datafusion_err!("conv: '{text}' does not fit into 64 bits"))?;
    }
    if is_negative {
        value = value.wrapping_neg();
    }
    let is_signed = to < 0 && value.cast_signed() < 0;
    if is_signed {
        value = value.wrapping_neg();
    }
    let mut out = Vec::new();
    while value > 0 || out.is_empty() {
        let digit = u32::try_from(value % base(to)).unwrap_or(0);
        out.extend(char::from_digit(digit, to.unsigned_abs()).map(|digit| digit.to_ascii_uppercase()));
        value /= base(to);
    }
    if is_signed {
        out.push('-');
    }
    Ok(Some(out.into_iter().rev().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_separators() {
        for (number, digits, expected) in [
            ("12332.123456", 4, "12,332.1235"),
            ("12332.5", 0, "12,332"),
            ("999.995", 2, "1,000.00"),
            ("-0.001", 2, "0.00"),
            ("-1234567", 1, "-1,234,567.0"),
        ] {
            let shape = Shape::of_digits(digits).expect("digits");
            assert_eq!(shape.write(number), expected, "{number}");
        }
        assert_eq!(Shape::of_pattern("##0.###").write("0.5"), "0.5");
    }

    #[test]
    fn bases() {
        for (text, from, to, expected) in [
            ("100", 2, 10, Some("4")),
            ("-10", 16, -10, Some("-16")),
            ("-1", 10, 16, Some("FFFFFFFFFFFFFFFF")),
            ("1g", 16, 10, Some("1")),
            ("", 10, 2, None),
            ("1", 1, 2, None),
        ] {
            assert_eq!(conv(text, from, to).expect("fits").as_deref(), expected, "{text}");
        }
    }
}
