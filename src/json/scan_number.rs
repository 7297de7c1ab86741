//! Numbers of a record, taken apart while they are scanned, so that most need no second look.

use super::scanner::{Scan, Scanner};

/// Jackson's limit on the length of a number.
const MAX_NUMBER_LENGTH: usize = 1000;

/// A number, taken apart while it was scanned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) is_negative: bool,
    /// Whether it has neither fraction nor exponent.
    pub(super) is_integer: bool,
    /// Its digits without sign and point, if they fit; the number is this times ten to the `exponent`.
    pub(super) digits: Option<u64>,
    pub(super) exponent: i32,
    /// For `NaN` and the infinities, which have no digits.
    pub(super) special: Option<f64>,
}

impl Scanner<'_> {
    /// A number, or `NaN` and its kin.
    #[inline]
    pub(super) fn number(&mut self) -> Scan<Number> {
        let start = self.at;
        let bytes = self.bytes;
        let is_negative = self.byte() == b'-';
        let mut at = start + usize::from(is_negative);
        let first = at;
        let mut digits: u64 = 0;
        while let Some(digit @ b'0'..=b'9') = bytes.get(at) {
            digits = digits.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            at += 1;
        }
        let whole = at - first;
        if whole == 0 {
            return self.special_number();
        }
        if whole > 1 && bytes[first] == b'0' && !self.grammar.leading_zeros {
            return self.malformed("a number begins with 0");
        }
        let mut count = whole;
        let mut exponent = 0;
        let mut is_integer = true;
        if bytes.get(at) == Some(&b'.') {
            is_integer = false;
            at += 1;
            let fraction = at;
            while let Some(digit @ b'0'..=b'9') = bytes.get(at) {
                digits = digits.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
                at += 1;
            }
            let length = at - fraction;
            if length == 0 {
                self.at = at;
                return self.malformed("a number ends with its point");
            }
            count += length;
            exponent = -i32::try_from(length).unwrap_or(i32::MAX);
        }
        if let Some(b'e' | b'E') = bytes.get(at) {
            is_integer = false;
            let (length, value) = scan_exponent(&bytes[at + 1..]);
            at += 1 + length;
            let Some(value) = value else {
                self.at = at;
                return self.malformed("a number has no exponent behind its \"e\"");
            };
            exponent = exponent.saturating_add(value);
        }
        self.at = at;
        if at - start > MAX_NUMBER_LENGTH {
            return self.malformed("a number of more than 1000 characters");
        }
        Ok(Number {
            start,
            end: at,
            is_negative,
            is_integer,
            // Nineteen digits always fit; more are left to slower ways.
            digits: (count <= 19).then_some(digits),
            exponent,
            special: None,
        })
    }

    fn special_number(&mut self) -> Scan<Number> {
        const SPECIALS: [(&[u8], f64); 6] = [
            (b"NaN", f64::NAN),
            (b"Infinity", f64::INFINITY),
            (b"+Infinity", f64::INFINITY),
            (b"+INF", f64::INFINITY),
            (b"-Infinity", f64::NEG_INFINITY),
            (b"-INF", f64::NEG_INFINITY),
        ];
        let start = self.at;
        let rest = &self.bytes[start..];
        let special = SPECIALS
            .iter()
            .find(|(word, _)| rest.starts_with(word) && self.grammar.non_numeric_numbers);
        let Some((word, value)) = special else {
            return self.malformed("expected a value");
        };
        self.at += word.len();
        Ok(Number {
            start,
            end: self.at,
            is_negative: *value < 0.0,
            is_integer: false,
            digits: None,
            exponent: 0,
            special: Some(*value),
        })
    }
}

/// The length of an exponent behind its `e`, and its value if it has digits.
fn scan_exponent(bytes: &[u8]) -> (usize, Option<i32>) {
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let length = bytes[sign..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if length == 0 {
        return (sign, None);
    }
    let value = bytes[sign..sign + length].iter().fold(0_i32, |value, digit| {
        value.saturating_mul(10).saturating_add(i32::from(digit - b'0'))
    });
    (sign + length, Some(if bytes[0] == b'-' { -value } else { value }))
}
