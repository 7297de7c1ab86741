//! One pass over the bytes of a record: blanks, brackets, names, and whole values to be skipped. Texts and numbers, which
//! are most of it, have files of their own.
//!
//! The grammar is that of Jackson as Spark sets it up. A [`Malformed`] record ends the pass; the caller has at most one
//! such error a record, so it is small and made without allocation.

use super::options::JsonOptions;
use super::scan_text::Text;

/// Jackson's limit on how deep arrays and objects may be nested.
const MAX_DEPTH: usize = 1000;
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
    pub(super) single_quotes: bool,
    pub(super) leading_zeros: bool,
    pub(super) non_numeric_numbers: bool,
    pub(super) any_escape: bool,
    pub(super) control_characters: bool,
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

#[cfg(test)]
mod tests {
    use super::*;

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
