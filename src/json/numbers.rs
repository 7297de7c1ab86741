//! Numbers' texts to values, as Java reads and writes them.

use std::io::Write as _;

use super::scan_number::Number;

/// Powers of ten that a double holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// The value as a double, correctly rounded.
#[inline]
pub(super) fn double(number: &Number, text: &[u8]) -> Option<f64> {
    // Digits and power are both exact in a double, so one operation rounds once (Clinger's fast way).
    if let Some(digits) = number.digits
        && digits <= 1 << 53
        && let Some(power) = EXACT_POWERS.get(number.exponent.unsigned_abs() as usize)
    {
        #[expect(clippy::cast_precision_loss, reason = "it was checked that there is none")]
        let digits = digits as f64;
        let value = if number.exponent < 0 {
            digits / power
        } else {
            digits * power
        };
        return Some(if number.is_negative { -value } else { value });
    }
    if number.special.is_some() {
        return number.special;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The value as a float, correctly rounded.
pub(super) fn float(number: &Number, text: &[u8]) -> Option<f32> {
    match number.special {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "infinities and NaN are the same in both widths"
        )]
        Some(special) => Some(special as f32),
        None => std::str::from_utf8(text).ok()?.parse().ok(),
    }
}

/// The value as an integer; `None` if it has a fraction or an exponent, or does not fit.
#[inline]
pub(super) fn integer(number: &Number, text: &[u8]) -> Option<i64> {
    if !number.is_integer {
        return None;
    }
    match number.digits {
        Some(digits) if number.is_negative => 0_i64.checked_sub_unsigned(digits),
        Some(digits) => i64::try_from(digits).ok(),
        // Zeros in front, where they are allowed, make more digits than there are.
        None => std::str::from_utf8(text).ok()?.parse().ok(),
    }
}

/// The value as a decimal, as Java's `BigDecimal` reads it, Spark's commas being left out.
pub(super) fn decimal_of_text(text: &[u8], precision: u8, scale: i8) -> Option<i128> {
    if text.contains(&b',') {
        let bare: Vec<u8> = text.iter().copied().filter(|byte| *byte != b',').collect();
        return decimal(&bare, precision, scale);
    }
    decimal(text, precision, scale)
}

/// The value of `[sign]digits[.digits][e[sign]digits]` times ten to the `scale`, rounded half up, if it has at most `precision`
/// digits.
pub(crate) fn decimal(text: &[u8], precision: u8, scale: i8) -> Option<i128> {
    let parts = DecimalParts::parse(text)?;
    let unscaled = parts.scaled(i64::from(scale))?;
    (unscaled < 10_i128.pow(precision.into())).then_some(if parts.is_negative { -unscaled } else { unscaled })
}

/// How many digits a number has, and how many of them behind the point: Java's `BigDecimal.precision` and `scale`.
pub(super) fn precision_and_scale(text: &[u8]) -> Option<(i64, i64)> {
    let parts = DecimalParts::parse(text)?;
    let count = parts.significant().count().max(1);
    Some((i64::try_from(count).ok()?, -parts.exponent))
}

/// A decimal number's text taken apart: its digits times ten to the exponent.
struct DecimalParts<'a> {
    is_negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> DecimalParts<'a> {
    fn parse(text: &'a [u8]) -> Option<Self> {
        let (is_negative, rest) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        let (mantissa, exponent) = match rest.iter().position(|byte| matches!(byte, b'e' | b'E')) {
            Some(at) => {
                // Java's exponents are ints.
                let exponent: i32 = std::str::from_utf8(&rest[at + 1..]).ok()?.parse().ok()?;
                (&rest[..at], i64::from(exponent))
            }
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.iter().position(|byte| *byte == b'.') {
            Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
            None => (mantissa, &mantissa[mantissa.len()..]),
        };
        let are_digits = |digits: &[u8]| digits.iter().all(u8::is_ascii_digit);
        if whole.len() + fraction.len() == 0 || !are_digits(whole) || !are_digits(fraction) {
            return None;
        }
        Some(Self {
            is_negative,
            whole,
            fraction,
            exponent: exponent - i64::try_from(fraction.len()).ok()?,
        })
    }

    /// The digits from the first that is not zero on.
    fn significant(&self) -> impl Iterator<Item = u8> {
        let digits = self.whole.iter().chain(self.fraction);
        digits
            .skip_while(|digit| **digit == b'0')
            .map(|digit| digit - b'0')
    }

    /// The number without its sign times ten to the `scale`, rounded half up; `None` beyond 38 digits.
    fn scaled(&self, scale: i64) -> Option<i128> {
        let shift = self.exponent + scale;
        let count = i64::try_from(self.significant().count()).ok()?;
        if count == 0 || count + shift < 0 {
            return Some(0);
        }
        if count + shift > 38 {
            return None;
        }
        // What is left of the point after the shift, and the first digit that is right of it.
        let kept = usize::try_from(count + shift.min(0)).ok()?;
        let mut digits = self.significant();
        let mut value = digits
            .by_ref()
            .take(kept)
            .fold(0_i128, |value, digit| value * 10 + i128::from(digit));
        if digits.next().is_some_and(|digit| digit >= 5) {
            value += 1;
        }
        let zeros = u32::try_from(shift.max(0)).ok()?;
        value.checked_mul(10_i128.pow(zeros))
    }
}

/// Writes a number as Jackson's generator does: integers by their digits, all others as Java's doubles.
pub(super) fn generate(number: &Number, text: &[u8], out: &mut Vec<u8>) {
    if number.is_integer {
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        let zeros = digits
            .iter()
            .take_while(|digit| **digit == b'0')
            .count()
            .min(digits.len() - 1);
        let digits = &digits[zeros..];
        if number.is_negative && digits != b"0" {
            out.push(b'-');
        }
        out.extend_from_slice(digits);
        return;
    }
    match double(number, text) {
        Some(value) if value.is_finite() => write_java_double(value, out),
        Some(value) if value.is_nan() => out.extend_from_slice(b"\"NaN\""),
        Some(value) => out.extend_from_slice(if value > 0.0 {
            b"\"Infinity\""
        } else {
            b"\"-Infinity\""
        }),
        None => out.extend_from_slice(text),
    }
}

/// Java's `Double.toString`: `0.001` to `9999999.0` in full, others as `1.0E7`.
fn write_java_double(value: f64, out: &mut Vec<u8>) {
    let magnitude = value.abs();
    // Writing to a Vec does not fail.
    let _ = if magnitude == 0.0 || (1e-3..1e7).contains(&magnitude) {
        write!(out, "{value:?}")
    } else {
        let text = format!("{value:E}");
        match text.split_once('E') {
            Some((mantissa, exponent)) if !mantissa.contains('.') => write!(out, "{mantissa}.0E{exponent}"),
            _ => write!(out, "{text}"),
        }
    };
}

#[cfg(test)]
mod tests {
    use super::super::options::JsonOptions;
    use super::super::scanner::{Grammar, Scanner};
    use super::*;

    fn scan(text: &str) -> Number {
        let mut scanner = Scanner::new(text.as_bytes(), Grammar::new(&JsonOptions::default()));
        scanner.number().expect(text)
    }

    #[test]
    fn doubles_are_those_of_the_standard_library() {
        for text in [
            "0",
            "-0",
            "-0.0",
            "1.25",
            "0.1",
            "123456789012345678",
            "9007199254740993",
            "1e22",
            "1e23",
            "1.7976931348623157e308",
            "1e400",
            "4.9e-324",
            "2.2250738585072014e-308",
            "0.30000000000000004",
            "12345678901234567890123",
            "1e-22",
            "3.14159265358979323846",
            "123456.789e-3",
            "1e2147483648",
            "1e-99999999999",
        ] {
            let expected: f64 = text.parse().expect(text);
            let actual = double(&scan(text), text.as_bytes()).expect(text);
            assert_eq!(actual.to_bits(), expected.to_bits(), "{text}");
        }
    }

    #[test]
    fn doubles_with_few_digits_are_exact() {
        // A walk over many short numbers, the ones that take the fast way.
        let mut state = 1_u64;
        for _ in 0..20_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let text = format!(
                "{}.{:0width$}e{}",
                state >> 40,
                state % 1000,
                state % 17,
                width = 3 + (state % 3) as usize
            );
            let expected: f64 = text.parse().expect("a number");
            assert_eq!(double(&scan(&text), text.as_bytes()), Some(expected), "{text}");
        }
    }

    #[test]
    fn integers() {
        for (text, expected) in [
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("-9223372036854775808", Some(i64::MIN)),
            ("-9223372036854775809", None),
            ("99999999999999999999999", None),
            ("-0", Some(0)),
            ("1.0", None),
            ("1e0", None),
        ] {
            assert_eq!(integer(&scan(text), text.as_bytes()), expected, "{text}");
        }
    }

    /// What Spark 4.3.0 reads into a DECIMAL(5,2) column from texts.
    #[test]
    fn decimals_as_spark_reads_them() {
        for (text, expected) in [
            ("1.005", Some(101)),
            ("1.004", Some(100)),
            ("-1.005", Some(-101)),
            ("999.99", Some(99_999)),
            ("999.995", None),
            ("1000", None),
            ("12.5", Some(1250)),
            ("1,234.5", None),
            ("1,2", Some(1200)),
            ("x", None),
            ("", None),
            ("1e2", Some(10_000)),
            ("1E2", Some(10_000)),
            (" 1", None),
            ("+1", Some(100)),
            ("--1", None),
            ("12a", None),
            ("1e-10", Some(0)),
            ("1.", Some(100)),
            (".5", Some(50)),
            (".", None),
            ("1e", None),
            ("1e1000000", None),
            ("0e1000000", Some(0)),
            ("0.005", Some(1)),
            ("0.0049999999999999999999999999999999999999999999", Some(0)),
            ("000000000000000000000000000000000000000000000001", Some(100)),
        ] {
            assert_eq!(decimal_of_text(text.as_bytes(), 5, 2), expected, "{text}");
        }
        let whole = "12345678901234567890.123456789012345678";
        assert_eq!(
            decimal(whole.as_bytes(), 38, 18),
            Some(12_345_678_901_234_567_890_123_456_789_012_345_678)
        );
        assert_eq!(decimal(b"123456789012345678901", 38, 18), None);
        assert_eq!(decimal(b"99999999999999999999999999999999999999.5", 38, 0), None);
    }

    #[test]
    fn precision_and_scale_as_in_java() {
        for (text, expected) in [
            ("1.50", (3, 2)),
            ("100", (3, 0)),
            ("0.001", (1, 3)),
            ("0", (1, 0)),
            ("1e3", (1, -3)),
        ] {
            assert_eq!(precision_and_scale(text.as_bytes()), Some(expected), "{text}");
        }
    }

    #[test]
    fn generated_as_jackson_does() {
        for (text, expected) in [
            ("1.50", "1.5"),
            ("1e3", "1000.0"),
            ("1e7", "1.0E7"),
            ("1.25e-7", "1.25E-7"),
            ("0.001", "0.001"),
            ("-0.0", "-0.0"),
            ("-0", "0"),
            ("12345678901234567890123", "12345678901234567890123"),
            ("NaN", "\"NaN\""),
            ("-INF", "\"-Infinity\""),
            ("1e400", "\"Infinity\""),
        ] {
            let mut out = Vec::new();
            generate(&scan(text), text.as_bytes(), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), expected, "{text}");
        }
    }
}
