//! Numbers, binary values and JSON strings as text, appended to a buffer.

use std::fmt::{Display, LowerExp, Write as _};

/// Appends a value's `Display` form.
pub(super) fn push_display(out: &mut String, value: impl Display) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{value}");
}

/// A floating point number, of either width, as far as its text asks.
pub(super) trait Float: Copy + Display + LowerExp + std::fmt::Debug {
    /// The value, widened.
    fn widened(self) -> f64;
}

impl Float for f32 {
    fn widened(self) -> f64 {
        f64::from(self)
    }
}

impl Float for f64 {
    fn widened(self) -> f64 {
        self
    }
}

/// Appends the shortest text that reads back as the same number, with a fraction or an exponent always; what is
/// not finite by its name, in quotes.
pub(super) fn push_json_float(out: &mut String, value: impl Float) {
    if value.widened().is_finite() {
        let _ = write!(out, "{value:?}");
    } else {
        out.push('"');
        push_name_of_not_finite(out, value.widened());
        out.push('"');
    }
}

/// Appends a number as Java's `Double.toString` does: `2.0`, `35.75`, `1.0E10`, `NaN`.
pub(super) fn push_java_float(out: &mut String, value: impl Float) {
    let wide = value.widened();
    if !wide.is_finite() {
        push_name_of_not_finite(out, wide);
    } else if wide == 0.0 || (1e-3..1e7).contains(&wide.abs()) {
        let _ = write!(out, "{value:?}");
    } else {
        let start = out.len();
        let _ = write!(out, "{value:e}");
        if let Some(exponent) = out[start..].find('e').map(|at| start + at) {
            let mark = if out[start..exponent].contains('.') {
                "E"
            } else {
                ".0E"
            };
            out.replace_range(exponent..=exponent, mark);
        }
    }
}

fn push_name_of_not_finite(out: &mut String, value: f64) {
    out.push_str(if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    });
}

/// Appends a decimal of `scale` fraction digits from the digits of its unscaled value, a sign before them.
pub(super) fn push_decimal(out: &mut String, unscaled: &str, scale: i8) {
    let digits = unscaled.strip_prefix('-').unwrap_or(unscaled);
    if digits.len() < unscaled.len() {
        out.push('-');
    }
    match usize::try_from(scale) {
        Ok(0) => out.push_str(digits),
        Ok(scale) if digits.len() > scale => {
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            out.push_str(whole);
            out.push('.');
            out.push_str(fraction);
        }
        Ok(scale) => {
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', scale - digits.len()));
            out.push_str(digits);
        }
        Err(_) => {
            out.push_str(digits);
            if digits != "0" {
                out.extend(std::iter::repeat_n('0', usize::from(scale.unsigned_abs())));
            }
        }
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends bytes as hexadecimal digits.
pub(super) fn push_hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        out.push(char::from(HEX[usize::from(byte >> 4)]));
        out.push(char::from(HEX[usize::from(byte & 15)]));
    }
}

/// Appends bytes as Spark's `show()` does: `[61 62]`.
pub(super) fn push_spaced_hex(out: &mut String, bytes: &[u8]) {
    out.push('[');
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        out.push(char::from(HEX[usize::from(byte >> 4)].to_ascii_uppercase()));
        out.push(char::from(HEX[usize::from(byte & 15)].to_ascii_uppercase()));
    }
    out.push(']');
}

/// Appends bytes in Base64 with padding (RFC 4648).
pub(super) fn push_base64(out: &mut String, bytes: &[u8]) {
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .enumerate()
            .fold(0_u32, |word, (at, byte)| word | u32::from(*byte) << (16 - 8 * at));
        for at in 0..4 {
            if at <= chunk.len() {
                let digit = (word >> (18 - 6 * at)) & 63;
                out.push(char::from(BASE64[digit as usize]));
            } else {
                out.push('=');
            }
        }
    }
}

/// Appends a JSON string with its quotes; nothing is escaped but what JSON asks for.
pub(super) fn push_json_string(out: &mut String, text: &str) {
    push_quoted(
        out,
        text,
        |byte| byte < b' ' || byte == b'"' || byte == b'\\',
        |_| false,
    );
}

/// Appends a JSON string with its quotes in which characters that harm a terminal are escaped too.
pub(super) fn push_safe_json_string(out: &mut String, text: &str) {
    // 0xC2 begins the C1 controls and 0xE2 the separators and the marks of direction, among others.
    push_quoted(
        out,
        text,
        |byte| byte < b' ' || matches!(byte, b'"' | b'\\' | 0x7f | 0xc2 | 0xe2),
        super::safe_text::is_harmful,
    );
}

/// `stops` tells the bytes that need a look, `escapes` the characters beyond JSON's own that are escaped.
fn push_quoted(out: &mut String, text: &str, stops: impl Fn(u8) -> bool, escapes: impl Fn(char) -> bool) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(&stops) {
        out.push_str(&rest[..at]);
        let mut characters = rest[at..].chars();
        match characters.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some('\x08') => out.push_str("\\b"),
            Some('\x0c') => out.push_str("\\f"),
            Some(character) if character < ' ' || escapes(character) => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            Some(character) => out.push(character),
            None => {}
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(push: impl FnOnce(&mut String)) -> String {
        let mut out = String::new();
        push(&mut out);
        out
    }

    #[test]
    fn java_floats() {
        for (value, expected) in [
            (2.0, "2.0"),
            (35.75, "35.75"),
            (-0.0, "-0.0"),
            (1e10, "1.0E10"),
            (12_345_678.0, "1.2345678E7"),
            (9_999_999.0, "9999999.0"),
            (0.001, "0.001"),
            (0.000_123, "1.23E-4"),
            (f64::MIN_POSITIVE, "2.2250738585072014E-308"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(text(|out| push_java_float(out, value)), expected);
        }
        assert_eq!(text(|out| push_java_float(out, 0.1_f32)), "0.1");
    }

    #[test]
    fn json_floats_read_back_equal() {
        for value in [0.1, 1e300, -2.5e-9, f64::MAX, 5e-324, 1e16, 24.5, 0.0] {
            let written = text(|out| push_json_float(out, value));
            let read: f64 = serde_json::from_str(&written).expect("JSON");
            assert_eq!(read.to_bits(), value.to_bits(), "{written}");
        }
        assert_eq!(text(|out| push_json_float(out, f64::NAN)), "\"NaN\"");
        assert_eq!(text(|out| push_json_float(out, f32::INFINITY)), "\"Infinity\"");
    }

    #[test]
    fn decimals_keep_their_scale() {
        for (unscaled, scale, expected) in [
            ("2450", 2, "24.50"),
            ("-5", 2, "-0.05"),
            ("0", 2, "0.00"),
            ("7", 0, "7"),
            ("7", -2, "700"),
            ("0", -2, "0"),
            ("-123", 3, "-0.123"),
        ] {
            assert_eq!(text(|out| push_decimal(out, unscaled, scale)), expected);
        }
    }

    #[test]
    fn bytes() {
        assert_eq!(text(|out| push_hex(out, &[0, 0xab, 0xff])), "00abff");
        assert_eq!(text(|out| push_spaced_hex(out, &[0x61, 0xab])), "[61 AB]");
        for (bytes, expected) in [
            ("", ""),
            ("M", "TQ=="),
            ("Ma", "TWE="),
            ("Man", "TWFu"),
            ("Many", "TWFueQ=="),
        ] {
            assert_eq!(text(|out| push_base64(out, bytes.as_bytes())), expected);
        }
    }

    #[test]
    fn json_strings_read_back_equal() {
        let nasty =
            "a\"b\\c\n\r\t\u{8}\u{c}\u{0}\u{1f}\u{7f}\u{9b}\u{a3}\u{2028}\u{202e}\u{20ac}\u{2069}\u{1f600}";
        for push in [push_json_string, push_safe_json_string] {
            let written = text(|out| push(out, nasty));
            assert_eq!(serde_json::from_str::<String>(&written).expect("JSON"), nasty);
        }
        let safe = text(|out| push_safe_json_string(out, nasty));
        assert!(!safe.contains(super::super::safe_text::is_harmful), "{safe:?}");
        assert!(safe.contains('\u{20ac}') && safe.contains('\u{a3}'), "{safe:?}");
    }
}
