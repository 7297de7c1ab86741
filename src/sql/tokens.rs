//! From text to tokens with their places.
//!
//! sqlparser cuts the text; what Spark means by a quoted string is resolved here, so that `"text"` and `r'\d+'`
//! are strings and `'\%'` keeps its backslash for LIKE.

use datafusion::sql::sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer, Word};

use crate::error::{Error, Result};
use crate::sql::dialect::SparkDialect;
use crate::sql::span::position;

/// A text that gives back the piece between two places.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    text: &'a str,
    line_starts: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            text,
            line_starts: std::iter::once(0).chain(newlines).collect(),
        }
    }

    /// The text from `start` up to, and without, `end`.
    pub(crate) fn slice(&self, start: Location, end: Location) -> &'a str {
        let (start, end) = (self.offset(start), self.offset(end));
        self.text.get(start..end.max(start)).unwrap_or("")
    }

    /// A token as it was written.
    pub(crate) fn token(&self, token: &TokenWithSpan) -> &'a str {
        self.slice(token.span.start, token.span.end)
    }

    /// Columns count characters, so a line is walked, not indexed.
    fn offset(&self, location: Location) -> usize {
        let line = usize::try_from(location.line.saturating_sub(1)).unwrap_or(usize::MAX);
        let Some(start) = self.line_starts.get(line) else {
            return self.text.len();
        };
        let column = usize::try_from(location.column.saturating_sub(1)).unwrap_or(usize::MAX);
        let rest = &self.text[*start..];
        start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
    }
}

/// The tokens of a text, without white space and comments.
///
/// # Errors
///
/// A string, a back-quoted name or a comment that does not end, at its start; a character that SQL does not have.
pub(crate) fn tokenize(source: &Source<'_>) -> Result<Vec<TokenWithSpan>> {
    let dialect = SparkDialect;
    let mut all = Vec::new();
    // Strings are unescaped here, not by sqlparser, which follows MySQL.
    let mut tokenizer = Tokenizer::new(&dialect, source.text).with_unescape(false);
    if let Err(error) = tokenizer.tokenize_with_location_into_buf(&mut all) {
        let start = all.last().map_or(Location::new(1, 1), |last| last.span.end);
        return Err(unterminated(source, start, &error.message));
    }
    let mut tokens: Vec<TokenWithSpan> = Vec::with_capacity(all.len());
    for TokenWithSpan { token, mut span } in all {
        let token = match token {
            Token::Whitespace(_) => continue,
            Token::SingleQuotedString(raw) => {
                let value = unescape(&raw, '\'');
                string(source, &mut tokens, &mut span, raw, value)
            }
            Token::DoubleQuotedString(raw) => {
                let value = unescape(&raw, '"');
                string(source, &mut tokens, &mut span, raw, value)
            }
            Token::Word(Word {
                value,
                quote_style: Some(quote),
                keyword,
            }) => Token::Word(Word {
                value: value.replace("``", "`"),
                quote_style: Some(quote),
                keyword,
            }),
            Token::Char(unknown) => {
                return Err(Error::statement(format!("unexpected character {unknown:?}"))
                    .at(position(span.start))
                    .hint("Write names with other characters than letters, digits and _ in back-quotes."));
            }
            other => other,
        };
        tokens.push(TokenWithSpan { token, span });
    }
    Ok(tokens)
}

/// A string's token; an `r` right before it makes it a raw one and is part of it.
fn string(
    source: &Source<'_>,
    before: &mut Vec<TokenWithSpan>,
    span: &mut Span,
    raw: String,
    unescaped: String,
) -> Token {
    let is_raw = before
        .last()
        .is_some_and(|last| last.span.end == span.start && matches!(source.token(last), "r" | "R"));
    if is_raw && let Some(prefix) = before.pop() {
        span.start = prefix.span.start;
        return Token::SingleQuotedString(raw);
    }
    Token::SingleQuotedString(unescaped)
}

fn unterminated(source: &Source<'_>, start: Location, said: &str) -> Error {
    let opened = source.slice(start, Location::new(u64::MAX, 1));
    let (what, close) = if opened.starts_with("/*") {
        ("comment", "*/")
    } else if opened.starts_with('`') {
        ("name in back-quotes", "`")
    } else if opened.starts_with('"') {
        ("string", "\"")
    } else if opened.contains('\'') {
        ("string", "'")
    } else {
        return Error::statement(said.trim_end_matches('.').to_lowercase()).at(position(start));
    };
    Error::statement(format!("the {what} that starts here does not end"))
        .at(position(start))
        .hint(format!("Write {close} where it ends."))
}

/// What Spark makes of a string's inside: a doubled quote is one, a backslash escapes.
fn unescape(raw: &str, quote: char) -> String {
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw.chars();
    while let Some(letter) = rest.next() {
        if letter == quote {
            rest.next();
            value.push(quote);
        } else if letter == '\\' {
            escaped(&mut rest, &mut value);
        } else {
            value.push(letter);
        }
    }
    value
}

fn escaped(rest: &mut std::str::Chars<'_>, value: &mut String) {
    let text = rest.as_str();
    let coded = [("u", 4, 16), ("U", 8, 16), ("", 3, 8)]
        .into_iter()
        .find_map(|(prefix, digits, radix)| {
            let code = text.strip_prefix(prefix)?.get(..digits)?;
            let letter = code
                .chars()
                .all(|digit| digit.is_digit(radix))
                .then(|| u32::from_str_radix(code, radix).ok().and_then(char::from_u32))??;
            Some((letter, &text[prefix.len() + digits..]))
        });
    if let Some((letter, tail)) = coded {
        value.push(letter);
        *rest = tail.chars();
        return;
    }
    match rest.next() {
        Some('0') => value.push('\0'),
        Some('b') => value.push('\u{8}'),
        Some('n') => value.push('\n'),
        Some('r') => value.push('\r'),
        Some('t') => value.push('\t'),
        Some('Z') => value.push('\u{1a}'),
        // LIKE has use for these backslashes.
        Some(wildcard @ ('%' | '_')) => value.extend(['\\', wildcard]),
        Some(other) => value.push(other),
        None => value.push('\\'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(text: &str) -> Vec<String> {
        tokenize(&Source::new(text))
            .expect("tokens")
            .into_iter()
            .map(|token| match token.token {
                Token::SingleQuotedString(value) => value,
                other => format!("<{other}>"),
            })
            .collect()
    }

    #[test]
    fn strings_are_sparks() {
        for (text, value) in [
            (r"'it\'s'", "it's"),
            ("'it''s'", "it's"),
            (r#""say \"x\" 'y'""#, "say \"x\" 'y'"),
            (r"'a\nb\tc\\d'", "a\nb\tc\\d"),
            (r"'10\%\_'", r"10\%\_"),
            (r"'\u00e9\x\101\0'", "\u{e9}xA\0"),
            (r"r'\d+\s'", r"\d+\s"),
            (r#"R"\d""#, r"\d"),
        ] {
            assert_eq!(strings(text), [value], "{text}");
        }
        assert_eq!(strings("r 'x'"), ["<r>", "x"], "not raw with a space between");
    }

    #[test]
    fn pieces_count_characters() {
        let text = "é 'ü'\n  x";
        let source = Source::new(text);
        let tokens = tokenize(&source).expect("tokens");
        let pieces: Vec<&str> = tokens.iter().map(|token| source.token(token)).collect();
        assert_eq!(pieces, ["é", "'ü'", "x"]);
        assert_eq!(tokens[2].span.start, Location::new(2, 3));
        assert_eq!(source.slice(tokens[1].span.start, tokens[2].span.end), "'ü'\n  x");
    }
}
