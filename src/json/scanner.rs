//! One pass over the bytes of a record: blanks, texts, numbers, and whole values to be skipped.
//!
//! The grammar is that of Jackson as Spark sets it up. A [`Malformed`] record ends the pass; the caller has at most one
//! such error a record, so it is small and made without allocation.

use super::options::JsonOptions;

/// Jackson's limit on how deep arrays and objects may be nested.
const MAX_DEPTH: usize = 1000;
/// Jackson's limit on the length of a number.
const MAX_NUMBER_LENGTH: usize = 1000;

/// Why a record is not JSON, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed {
    /// What was wanted, or what is wrong.
    pub(super) reason: &'static str,
    /// The byte at which it was noticed.
    pub(super) at: usize,
}

/// The result of a step that may find the record to be malformed.
pub(super) type Scan<T> = Result<T, Malformed>;

/// Which parts of the grammar are on.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of Spark's of its own"
)]
pub(super) struct Grammar {
    comments: bool,
    unquoted_names: bool,
    single_quotes: bool,
    leading_zeros: bool,
    non_numeric_numbers: bool,
    any_escape: bool,
    control_characters: bool,
}

impl Grammar {
    pub(super) fn new(options: &JsonOptions) -> Self {
        Self {
            comments: options.allow_comments,
            unquoted_names: options.allow_unquoted_field_names,
            single_quotes: options.allow_single_quotes,
            leading_zeros: options.allow_numeric_leading_zeros,
            non_numeric_numbers: options.allow_non_numeric_numbers,
            any_escape: options.allow_backslash_escaping_any_character,
            control_characters: options.allow_unquoted_control_chars,
        }
    }
}

/// A text's place: what is between the quotes, and whether there is an escape in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) is_escaped: bool,
}

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

/// A place in a record. The bytes are UTF-8.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) grammar: Grammar,
    depth: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(bytes: &'a [u8], grammar: Grammar) -> Self {
        Self {
            bytes,
            at: 0,
            grammar,
            depth: 0,
        }
    }

    pub(super) fn malformed<T>(&self, reason: &'static str) -> Scan<T> {
        Err(Malformed { reason, at: self.at })
    }

    /// The byte at hand, 0 at the end.
    #[inline]
    pub(super) fn byte(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    /// Skips blanks and gives the byte behind them, 0 at the end.
    #[inline]
    pub(super) fn skip_blanks(&mut self) -> Scan<u8> {
        let byte = self.byte();
        // Compact JSON has none.
        if byte > b' ' && byte != b'/' {
            return Ok(byte);
        }
        self.skip_blanks_slowly()
    }

    fn skip_blanks_slowly(&mut self) -> Scan<u8> {
        loop {
            match self.byte() {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                b'/' if self.grammar.comments => self.skip_comment()?,
                0 if self.at < self.bytes.len() => {
                    return self.malformed("a character that JSON does not have");
                }
                byte => return Ok(byte),
            }
        }
    }

    fn skip_comment(&mut self) -> Scan<()> {
        let rest = &self.bytes[self.at..];
        let length = match rest.get(1) {
            Some(b'/') => rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
            Some(b'*') => match rest.windows(2).skip(2).position(|pair| pair == b"*/") {
                Some(close) => close + 4,
                None => return self.malformed("a comment has no end"),
            },
            _ => return self.malformed("a \"/\" that begins no comment"),
        };
        self.at += length;
        Ok(())
    }

    /// Goes one level deeper; [`Self::leave`] comes back.
    pub(super) fn enter(&mut self) -> Scan<()> {
        self.at += 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.malformed("nested more than 1000 levels deep");
        }
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.at += 1;
        self.depth -= 1;
    }

    /// Inside an array, before the first element: whether there is one. Takes the bracket of an empty array.
    pub(super) fn first_element(&mut self) -> Scan<bool> {
        if self.skip_blanks()? == b']' {
            self.leave();
            return Ok(false);
        }
        Ok(true)
    }

    /// Behind an element: whether there is another. Takes the comma or the closing bracket.
    pub(super) fn next_element(&mut self) -> Scan<bool> {
        match self.skip_blanks()? {
            b',' => {
                self.at += 1;
                Ok(true)
            }
            b']' => {
                self.leave();
                Ok(false)
            }
            _ => self.malformed("expected \",\" or \"]\""),
        }
    }

    /// Inside an object, before the first name: whether there is one. Takes the brace of an empty object.
    #[inline]
    pub(super) fn first_member(&mut self) -> Scan<bool> {
        if self.skip_blanks()? == b'}' {
            self.leave();
            return Ok(false);
        }
        Ok(true)
    }

    /// Behind a member: whether there is another. Takes the comma or the closing brace.
    #[inline]
    pub(super) fn next_member(&mut self) -> Scan<bool> {
        match self.skip_blanks()? {
            b',' => {
                self.at += 1;
                self.skip_blanks()?;
                Ok(true)
            }
            b'}' => {
                self.leave();
                Ok(false)
            }
            _ => self.malformed("expected \",\" or \"}\""),
        }
    }

    /// A member's name, with the colon behind it taken.
    pub(super) fn name(&mut self) -> Scan<Text> {
        let name = match self.skip_blanks()? {
            quote @ (b'"' | b'\'') if quote == b'"' || self.grammar.single_quotes => self.text()?,
            _ if self.grammar.unquoted_names => self.unquoted_name()?,
            _ => return self.malformed("expected a name in quotes"),
        };
        self.colon()?;
        Ok(name)
    }

    #[inline]
    pub(super) fn colon(&mut self) -> Scan<()> {
        if self.skip_blanks()? != b':' {
            return self.malformed("expected \":\"");
        }
        self.at += 1;
        Ok(())
    }

    fn unquoted_name(&mut self) -> Scan<Text> {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"$_@#*-+".contains(byte) || *byte >= 0x80;
        let start = self.at;
        let length = self.bytes[start..]
            .iter()
            .take_while(|byte| is_part(byte))
            .count();
        if length == 0 {
            return self.malformed("expected a name");
        }
        self.at += length;
        Ok(Text {
            start,
            end: self.at,
            is_escaped: false,
        })
    }

    /// Whether `byte` begins a text.
    #[inline]
    pub(super) fn is_quote(&self, byte: u8) -> bool {
        byte == b'"' || (byte == b'\'' && self.grammar.single_quotes)
    }

    /// A text, from its opening quote on; its escapes are checked when it is decoded or skipped.
    #[inline]
    pub(super) fn text(&mut self) -> Scan<Text> {
        let quote = self.byte();
        let start = self.at + 1;
        let mut at = start;
        let mut is_escaped = false;
        loop {
            at = find_special(self.bytes, at, quote);
            match self.bytes.get(at) {
                Some(byte) if *byte == quote => break,
                Some(b'\\') => {
                    is_escaped = true;
                    at += 2;
                }
                Some(_) if self.grammar.control_characters => at += 1,
                Some(_) => {
                    self.at = at;
                    return self.malformed("a control character in a text");
                }
                None => {
                    self.at = self.bytes.len();
                    return self.malformed("a text has no end");
                }
            }
        }
        self.at = at + 1;
        Ok(Text {
            start,
            end: at,
            is_escaped,
        })
    }

    /// Appends what a text with escapes says to `out`.
    pub(super) fn unescape(&self, text: Text, out: &mut Vec<u8>) -> Scan<()> {
        let mut rest = &self.bytes[text.start..text.end];
        while let Some(backslash) = memchr::memchr(b'\\', rest) {
            out.extend_from_slice(&rest[..backslash]);
            rest = &rest[backslash..];
            let wrong = Malformed {
                reason: "a wrong escape in a text",
                at: text.end - rest.len(),
            };
            let escaped = *rest.get(1).ok_or(wrong)?;
            let byte = match escaped {
                b'"' | b'\\' | b'/' => escaped,
                b'b' => 8,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'\'' if self.grammar.single_quotes => escaped,
                b'u' => {
                    let (character, length) = unicode_escape(rest).ok_or(wrong)?;
                    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    rest = &rest[length..];
                    continue;
                }
                // Behind the backslash may be the first byte of several: the others follow by themselves.
                _ if self.grammar.any_escape => escaped,
                _ => return Err(wrong),
            };
            out.push(byte);
            rest = &rest[2..];
        }
        out.extend_from_slice(rest);
        Ok(())
    }

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

    /// One of the words `true`, `false`, `null`.
    #[inline]
    pub(super) fn word(&mut self, word: &'static [u8]) -> Scan<()> {
        if !self.bytes[self.at..].starts_with(word) {
            return self.malformed("expected a value");
        }
        self.at += word.len();
        Ok(())
    }

    /// Skips a value of any kind and gives where it began.
    pub(super) fn skip_value(&mut self) -> Scan<usize> {
        let byte = self.skip_blanks()?;
        let start = self.at;
        match byte {
            b'"' => self.skip_text()?,
            b'\'' if self.grammar.single_quotes => self.skip_text()?,
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'n' => self.word(b"null")?,
            b'{' => {
                self.enter()?;
                let mut more = self.first_member()?;
                while more {
                    let name = self.name()?;
                    self.check_escapes(name)?;
                    self.skip_value()?;
                    more = self.next_member()?;
                }
            }
            b'[' => {
                self.enter()?;
                let mut more = self.first_element()?;
                while more {
                    self.skip_value()?;
                    more = self.next_element()?;
                }
            }
            _ => {
                self.number()?;
            }
        }
        Ok(start)
    }

    fn skip_text(&mut self) -> Scan<()> {
        let text = self.text()?;
        self.check_escapes(text)
    }

    fn check_escapes(&self, text: Text) -> Scan<()> {
        if text.is_escaped {
            self.unescape(text, &mut Vec::new())?;
        }
        Ok(())
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

/// The character of `\uXXXX`, or of a pair of them, and its length in bytes. Half a pair is `?`, as where Java encodes it.
fn unicode_escape(bytes: &[u8]) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let escape = bytes.get(at..at + 6)?;
        if !escape.starts_with(b"\\u") {
            return None;
        }
        escape[2..].iter().try_fold(0_u32, |value, digit| {
            Some(value * 16 + char::from(*digit).to_digit(16)?)
        })
    };
    let first = unit(0)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 6));
    }
    match unit(6) {
        Some(second @ 0xdc00..=0xdfff) if first < 0xdc00 => {
            let character = char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))?;
            Some((character, 12))
        }
        _ => Some(('?', 6)),
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;

/// The first byte from `at` on that is `quote`, a backslash or a control character; the length if there is none. Eight bytes
/// at a time: a byte less one borrows into its top bit only if it was zero.
#[inline]
fn find_special(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    let quotes = u64::from(quote) * ONES;
    let backslashes = u64::from(b'\\') * ONES;
    while let Some(chunk) = bytes
        .get(at..at + 8)
        .and_then(|chunk| <[u8; 8]>::try_from(chunk).ok())
    {
        let word = u64::from_le_bytes(chunk);
        let zero = |word: u64| word.wrapping_sub(ONES) & !word;
        let below_blank = word.wrapping_sub(0x20 * ONES) & !word;
        let found = (zero(word ^ quotes) | zero(word ^ backslashes) | below_blank) & TOPS;
        if found != 0 {
            // A borrow can mark bytes above the first that is special, never below it.
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(byte) = bytes.get(at) {
        if *byte == quote || *byte == b'\\' || *byte < b' ' {
            return at;
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specials_are_found_wherever_they_are() {
        for special in [b'"', b'\\', 0, 7, 0x1f] {
            for length in 0..40 {
                let mut bytes = vec![b'a'; 40];
                bytes[length] = special;
                // Bytes beyond ASCII and just above the blank are not special.
                bytes
                    .iter_mut()
                    .step_by(3)
                    .filter(|byte| **byte == b'a')
                    .for_each(|byte| *byte = 0xa2);
                bytes
                    .iter_mut()
                    .step_by(7)
                    .filter(|byte| **byte == b'a')
                    .for_each(|byte| *byte = b'!');
                assert_eq!(find_special(&bytes, 0, b'"'), length, "{special}");
                assert_eq!(find_special(&bytes[..length], 0, b'"'), length);
            }
        }
    }

    #[test]
    fn values_are_skipped_whole_or_found_malformed() {
        let skip = |text: &str| {
            let mut scanner = Scanner::new(text.as_bytes(), Grammar::new(&JsonOptions::default()));
            scanner.skip_value().map(|_| scanner.at)
        };
        for text in [
            "1",
            "-1.5e+3",
            "\"a\\\"b\\u00e9\"",
            "'it\\'s'",
            "true",
            "null",
            "[]",
            "{}",
            "[1,[2,{\"a\":[]}]]",
            "{\"a\":1,\"b\":{\"c\":\"d\"}}",
            "NaN",
            "-INF",
            " [ 1 , 2 ] ",
        ] {
            assert_eq!(skip(text), Ok(text.trim_end().len()), "{text}");
        }
        for text in [
            "",
            "01",
            "1.",
            ".5",
            "+1",
            "--1",
            "-",
            "1e",
            "\"a",
            "\"\\q\"",
            "\"\\u12g4\"",
            "\"\t\"",
            "tru",
            "[1,]",
            "[1 2]",
            "[,]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\" 1}",
            "[1}",
            "{\"a\":1]",
            "nan",
            "INF",
            "/*c*/1",
            "\0",
        ] {
            assert!(skip(text).is_err(), "{text}");
        }
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let skip = |text: &str| {
            Scanner::new(text.as_bytes(), Grammar::new(&JsonOptions::default()))
                .skip_value()
                .is_ok()
        };
        assert!(skip(&nested(1000)));
        assert!(!skip(&nested(1001)));
    }
}
