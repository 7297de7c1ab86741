//! What sqlparser says of a SELECT, in our words: where, what was expected, and what to write.

use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan};

use crate::error::{Error, Position};
use crate::sql::cursor::quoted;
use crate::sql::dialect::HINT_SEPARATOR;
use crate::sql::span::position;
use crate::suggest::did_you_mean;

/// The words that shape a SELECT: what a misspelled word was most likely meant to be.
const SHAPE: [&str; 30] = [
    "SELECT",
    "DISTINCT",
    "FROM",
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "UNION",
    "INNER",
    "CROSS",
    "OUTER",
    "JOIN",
    "USING",
    "BETWEEN",
    "LIKE",
    "WHEN",
    "THEN",
    "ELSE",
    "CASE",
    "LATERAL",
    "VIEW",
    "WATERMARK",
    "DELAY",
    "WINDOW",
    "OVER",
    "PARTITION",
    "INTERSECT",
    "EXCEPT",
    "QUALIFY",
];

/// sqlparser's names of what it expected, where ours are plainer.
const EXPECTED: [(&str, &str); 7] = [
    ("an expression", "an expression"),
    ("identifier", "a name"),
    ("identifier or integer", "a name"),
    ("end of statement", "the end of the query"),
    ("joined table", "a relation"),
    (
        "SELECT, VALUES, or a subquery in the query body",
        "SELECT, VALUES or a subquery",
    ),
    ("a list of columns in parentheses", "columns in parentheses"),
];

/// Turns an error of sqlparser over `tokens` into one of ours. `end` is the end of the statement.
pub(crate) fn syntax_error(error: &ParserError, tokens: &[TokenWithSpan], end: Location) -> Error {
    let said = match error {
        ParserError::TokenizerError(said) | ParserError::ParserError(said) => said,
        ParserError::RecursionLimitExceeded => {
            let start = tokens.first().map_or(end, |token| token.span.start);
            return Error::statement("the query is nested too deeply")
                .at(position(start))
                .hint("Create views for its inner parts.");
        }
    };
    let (said, place) = split_location(said);
    let place = place.unwrap_or(position(end));
    if let Some((message, hint)) = said.split_once(HINT_SEPARATOR) {
        return Error::statement(message).at(place).hint(hint);
    }
    let expected = said
        .strip_prefix("Expected")
        .map(|rest| rest.trim_start_matches([':', ' ']));
    if let Some((expected, found)) = expected.and_then(|rest| rest.split_once(", found: ")) {
        return unexpected(expected, found, place, tokens);
    }
    Error::statement(lower_first(said)).at(place)
}

/// An error for something that sqlparser left unread.
pub(crate) fn left_over(found: &TokenWithSpan, tokens: &[TokenWithSpan]) -> Error {
    let place = position(found.span.start);
    unexpected("end of statement", &found.token.to_string(), place, tokens)
}

fn unexpected(expected: &str, found: &str, place: Position, tokens: &[TokenWithSpan]) -> Error {
    let place = place_of(found, place, tokens);
    let expected = EXPECTED
        .iter()
        .find(|(theirs, _)| *theirs == expected)
        .map_or(expected, |(_, ours)| ours);
    let found_text = match found {
        "EOF" => "the end of the statement".to_owned(),
        other => quoted(other),
    };
    let error = Error::statement(format!("expected {expected}, found {found_text}")).at(place);
    match hint(place, tokens) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// sqlparser has sometimes gone over what it found when it says where that is.
fn place_of(found: &str, place: Position, tokens: &[TokenWithSpan]) -> Position {
    let at = tokens.partition_point(|token| position(token.span.start) < place);
    let is_found = |token: &&TokenWithSpan| token.token.to_string() == found;
    match (
        tokens.get(at).filter(is_found),
        at.checked_sub(1)
            .and_then(|before| tokens.get(before))
            .filter(is_found),
    ) {
        (None, Some(before)) => position(before.span.start),
        _ => place,
    }
}

/// What was most likely meant: a word near the place is misspelled, reserved, or begins the next statement.
fn hint(place: Position, tokens: &[TokenWithSpan]) -> Option<String> {
    let at = tokens
        .iter()
        .position(|token| position(token.span.start) == place)
        .unwrap_or(tokens.len());
    let word = |at: Option<usize>| match at.and_then(|at| tokens.get(at)).map(|token| &token.token) {
        Some(Token::Word(word)) if word.quote_style.is_none() => Some(word.value.as_str()),
        _ => None,
    };
    let found = word(Some(at));
    let before_comma = matches!(at.checked_sub(1).and_then(|before| tokens.get(before)), Some(before) if before.token == Token::Comma);
    if before_comma && found.is_some() {
        return Some("A comma too many, or something is missing behind it.".to_owned());
    }
    if let Some(found) = found.map(str::to_ascii_uppercase)
        && [
            "CREATE", "START", "STOP", "RESTART", "RESET", "DROP", "SHOW", "EXPORT", "AWAIT", "DESCRIBE",
            "EXPLAIN", "SET", "SELECT",
        ]
        .contains(&found.as_str())
    {
        return Some(format!("End the statement with \";\" before {found}."));
    }
    // Behind a misspelled word the parser goes on for a while, taking it for an alias.
    for near in [Some(at), at.checked_sub(1), at.checked_sub(2)] {
        let Some(written) = word(near) else { continue };
        if SHAPE.iter().any(|known| known.eq_ignore_ascii_case(written)) {
            continue;
        }
        if written.len() > 2
            && let Some(meant) = did_you_mean(written, SHAPE)
        {
            return Some(format!("Did you mean {meant} instead of {written}?"));
        }
    }
    match tokens.get(at).map(|token| &token.token) {
        Some(Token::Comma) => Some("A comma too many, or something is missing before it.".to_owned()),
        Some(Token::Word(found)) if found.quote_style.is_none() && found.keyword != no_keyword() => {
            if SHAPE.iter().any(|known| known.eq_ignore_ascii_case(&found.value)) {
                return Some(format!(
                    "Something is missing before {}.",
                    found.value.to_uppercase()
                ));
            }
            Some(format!(
                "If {} is a name, write it in back-quotes.",
                quoted(&found.value)
            ))
        }
        Some(Token::Word(_) | Token::SingleQuotedString(_) | Token::Number(..)) => {
            Some("A comma, an operator or AS is missing before it.".to_owned())
        }
        None => Some("The query stops in the middle.".to_owned()),
        Some(_) => None,
    }
}

fn no_keyword() -> datafusion::sql::sqlparser::keywords::Keyword {
    datafusion::sql::sqlparser::keywords::Keyword::NoKeyword
}

/// sqlparser writes the place behind the message.
fn split_location(said: &str) -> (&str, Option<Position>) {
    let Some((message, place)) = said.rsplit_once(" at Line: ") else {
        return (said, None);
    };
    let Some((line, column)) = place.split_once(", Column: ") else {
        return (said, None);
    };
    match (line.trim().parse(), column.trim().parse()) {
        (Ok(line), Ok(column)) => (message, Some(Position { line, column })),
        _ => (said, None),
    }
}

fn lower_first(said: &str) -> String {
    let said = said.trim().trim_end_matches('.');
    let mut letters = said.chars();
    let all_caps = said.chars().take(2).all(|letter| !letter.is_lowercase());
    match letters.next() {
        Some(first) if !all_caps => first.to_lowercase().chain(letters).collect(),
        _ => said.to_owned(),
    }
}
