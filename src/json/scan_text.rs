//! Texts of a record: where they end, and what their escapes say.

use super::scanner::{Malformed, Scan, Scanner};

/// A text's place: what is between the quotes, and whether there is an escape in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) is_escaped: bool,
}

impl Scanner<'_> {
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
}
