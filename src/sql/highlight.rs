//! A text cut into pieces of one look each, for editors: also one that is not finished, or wrong.

use std::ops::Range;

use datafusion::sql::sqlparser::tokenizer::{Location, Token, Tokenizer, Whitespace};

use super::KEYWORDS;
use super::dialect::SparkDialect;

/// What a piece of a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceKind {
    /// A word of statements and clauses.
    Keyword,
    /// A name with a parenthesis behind it.
    Call,
    /// Another name.
    Name,
    /// A string, or what stands in quotes that are not closed.
    Text,
    /// A number.
    Number,
    /// A comment.
    Comment,
    /// Operators, commas, parentheses.
    Sign,
    /// A semicolon: the end of a statement.
    End,
}

/// A piece of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The line, from 0.
    pub line: usize,
    /// Its columns, from 0, in characters.
    pub columns: Range<usize>,
    /// What it is.
    pub kind: PieceKind,
}

/// The pieces of a text in their order, without blanks. What spans several lines is a piece on each of them.
pub fn pieces(text: &str) -> Vec<Piece> {
    let lengths: Vec<usize> = text.split('\n').map(|line| line.chars().count()).collect();
    let mut tokens = Vec::new();
    let dialect = SparkDialect;
    let mut tokenizer = Tokenizer::new(&dialect, text).with_unescape(false);
    let is_whole = tokenizer.tokenize_with_location_into_buf(&mut tokens).is_ok();
    let mut pieces = Vec::with_capacity(tokens.len());
    for (at, token) in tokens.iter().enumerate() {
        let kind = match &token.token {
            Token::Whitespace(Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_)) => {
                PieceKind::Comment
            }
            Token::Whitespace(_) | Token::EOF => continue,
            Token::Word(word) if word.quote_style.is_none() => {
                let next = tokens[at + 1..]
                    .iter()
                    .find(|next| !matches!(next.token, Token::Whitespace(_)));
                let calls = next.is_some_and(|next| next.token == Token::LParen);
                kind_of_word(&word.value, calls)
            }
            Token::Word(_) => PieceKind::Name,
            Token::Number(..) => PieceKind::Number,
            Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) => PieceKind::Text,
            Token::SemiColon => PieceKind::End,
            _ => PieceKind::Sign,
        };
        put(&mut pieces, &lengths, token.span.start, token.span.end, kind);
    }
    if !is_whole {
        // What begins here does not end: quotes or a comment.
        let start = tokens.last().map_or(Location::new(1, 1), |last| last.span.end);
        let (line, column) = (place(start.line), place(start.column));
        let mut rest = text.split('\n').nth(line).unwrap_or("").chars().skip(column);
        let kind = match (rest.next(), rest.next()) {
            (Some('/'), Some('*')) => PieceKind::Comment,
            _ => PieceKind::Text,
        };
        let last = lengths.len();
        let end = Location::new(last as u64, lengths[last - 1] as u64 + 1);
        put(&mut pieces, &lengths, start, end, kind);
    }
    pieces
}

fn kind_of_word(word: &str, calls: bool) -> PieceKind {
    let is_keyword = KEYWORDS
        .binary_search(&word.to_ascii_uppercase().as_str())
        .is_ok();
    match (is_keyword, calls) {
        // The functions `left` and `window` have the names of clauses.
        (true, true) if !STAND_BEFORE_PARENTHESES.contains(&word.to_ascii_uppercase().as_str()) => {
            PieceKind::Call
        }
        (true, _) => PieceKind::Keyword,
        (false, true) => PieceKind::Call,
        (false, false) => PieceKind::Name,
    }
}

/// Words of clauses that parentheses follow.
const STAND_BEFORE_PARENTHESES: [&str; 23] = [
    "ALL", "AND", "ANY", "AS", "BY", "CUBE", "EXCEPT", "EXISTS", "FILTER", "FROM", "IN", "JOIN", "NOT", "ON",
    "OPTIONS", "OR", "OVER", "ROLLUP", "SELECT", "SETS", "UNION", "USING", "VALUES",
];

/// Adds what stands from `start` up to `end`, a piece a line.
fn put(pieces: &mut Vec<Piece>, lengths: &[usize], start: Location, end: Location, kind: PieceKind) {
    let last = place(end.line).min(lengths.len().saturating_sub(1));
    for (line, length) in lengths.iter().enumerate().take(last + 1).skip(place(start.line)) {
        let from = if line == place(start.line) {
            place(start.column)
        } else {
            0
        };
        let to = if line == place(end.line) {
            place(end.column)
        } else {
            *length
        };
        let to = to.min(*length);
        if from < to {
            pieces.push(Piece {
                line,
                columns: from..to,
                kind,
            });
        }
    }
}

/// From counting from 1 to counting from 0.
fn place(number: u64) -> usize {
    usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces as `kind text`, with the line where it is not the first.
    fn shown(text: &str) -> Vec<String> {
        let lines: Vec<&str> = text.split('\n').collect();
        let piece = |piece: &Piece| {
            let line = lines[piece.line].chars();
            let words: String = line.skip(piece.columns.start).take(piece.columns.len()).collect();
            format!("{:?} {words}", piece.kind)
        };
        pieces(text).iter().map(piece).collect()
    }

    #[test]
    fn every_piece_has_its_kind() {
        assert_eq!(
            shown("SELECT left(a, 2.5) AS `left` -- é\nFROM b WHERE c IN ('d', \"e\");"),
            [
                "Keyword SELECT",
                "Call left",
                "Sign (",
                "Name a",
                "Sign ,",
                "Number 2.5",
                "Sign )",
                "Keyword AS",
                "Name `left`",
                "Comment -- é",
                "Keyword FROM",
                "Name b",
                "Keyword WHERE",
                "Name c",
                "Keyword IN",
                "Sign (",
                "Text 'd'",
                "Sign ,",
                "Text \"e\"",
                "Sign )",
                "End ;",
            ]
        );
    }

    #[test]
    fn what_is_open_at_the_end_is_shown_as_what_it_begins_as() {
        assert_eq!(shown("SELECT 'é\nb"), ["Keyword SELECT", "Text 'é", "Text b"]);
        assert_eq!(shown("a /* b\n\n c"), ["Name a", "Comment /* b", "Comment  c"]);
        assert_eq!(shown(""), [] as [&str; 0]);
    }

    #[test]
    fn a_string_over_several_lines_is_a_piece_on_each() {
        assert_eq!(shown("x 'a\nbé' y"), ["Name x", "Text 'a", "Text bé'", "Name y"]);
    }
}
