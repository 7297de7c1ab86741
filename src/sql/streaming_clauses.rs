//! What a streaming SELECT says and sqlparser does not know: it is cut out of the tokens and kept beside them.
//!
//! - `FROM STREAM events`, `FROM STREAM(events)`: the word goes, every stream knows that it is one
//! - `FROM events WATERMARK event_time DELAY OF INTERVAL 10 MINUTES [AS e]`: kept with the place of `events`
//! - `SELECT DISTINCT ON (user_id) WITHIN WATERMARK ...`: kept with the place of `SELECT`

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, Position, Result};
use crate::sql::cursor::Cursor;
use crate::sql::parts::watermark;
use crate::sql::span::position;
use crate::sql::statement::WatermarkClause;

/// Words that may follow a relation's name, so that `stream` before them is the name itself.
const AFTER_A_RELATION: [&str; 31] = [
    "OFFSET",
    "QUALIFY",
    "WINDOW",
    "TABLESAMPLE",
    "SORT",
    "CLUSTER",
    "DISTRIBUTE",
    "PIVOT",
    "MINUS",
    "AS",
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "JOIN",
    "INNER",
    "LEFT",
    "RIGHT",
    "FULL",
    "CROSS",
    "SEMI",
    "ANTI",
    "NATURAL",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "LATERAL",
    "ON",
    "USING",
    "WATERMARK",
];
const FROM_HINT: &str = "Write FROM events WATERMARK event_time DELAY OF INTERVAL 10 MINUTES AS e.";

/// A query's tokens as sqlparser takes them, and what was cut out.
#[derive(Debug, Default)]
pub(crate) struct StreamingClauses {
    pub(crate) tokens: Vec<TokenWithSpan>,
    pub(crate) watermarks: Vec<RelationWatermark>,
    pub(crate) within_watermark: Vec<Position>,
}

/// A WATERMARK behind a relation's name in FROM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationWatermark {
    /// Where the relation's name stands.
    pub relation_position: Position,
    /// The clause.
    pub clause: WatermarkClause,
}

/// Cuts what sqlparser does not know out of the rest of a statement.
pub(crate) fn cut(cursor: &mut Cursor<'_>) -> Result<StreamingClauses> {
    let mut clauses = StreamingClauses::default();
    while !cursor.is_at_end() {
        if cursor.is_word("STREAM") && is_before_relation(&clauses.tokens) && names_a_stream(cursor) {
            cursor.next();
            stream_name(cursor, &mut clauses.tokens);
        } else if cursor.is_word("WATERMARK") && follows_relation(cursor, &clauses.tokens) {
            let relation_position = relation(cursor, &clauses)?;
            let clause = watermark(cursor)?;
            clauses.watermarks.push(RelationWatermark {
                relation_position,
                clause,
            });
        } else if cursor.are_words(&["WITHIN", "WATERMARK"]) {
            clauses
                .within_watermark
                .push(distinct_on(cursor, &clauses.tokens)?);
            cursor.take_words(&["WITHIN", "WATERMARK"]);
        } else if let Some(token) = cursor.next() {
            clauses.tokens.push(token.clone());
        }
    }
    Ok(clauses)
}

fn is_word(token: &TokenWithSpan, word: &str) -> bool {
    matches!(&token.token, Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
}

/// Whether a relation's name comes next: behind FROM and JOIN, and behind a comma in FROM.
fn is_before_relation(before: &[TokenWithSpan]) -> bool {
    const OTHER_CLAUSES: [&str; 8] = [
        "SELECT", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "QUALIFY", "WINDOW",
    ];
    let is_relation_word = |token: &TokenWithSpan| is_word(token, "FROM") || is_word(token, "JOIN");
    let Some(last) = before.last() else { return false };
    if last.token != Token::Comma {
        return is_relation_word(last);
    }
    let mut depth = 0_usize;
    for token in before.iter().rev() {
        match token.token {
            Token::RParen => depth += 1,
            Token::LParen if depth == 0 => return false,
            Token::LParen => depth -= 1,
            _ if depth > 0 => {}
            _ if is_relation_word(token) => return true,
            _ if OTHER_CLAUSES.iter().any(|clause| is_word(token, clause)) => return false,
            _ => {}
        }
    }
    false
}

fn names_a_stream(cursor: &Cursor<'_>) -> bool {
    match cursor.peek_nth(1) {
        Some(Token::Word(word)) => {
            word.quote_style.is_some()
                || !AFTER_A_RELATION
                    .iter()
                    .any(|after| after.eq_ignore_ascii_case(&word.value))
        }
        Some(Token::LParen) => matches!(
            (cursor.peek_nth(2), cursor.peek_nth(3)),
            (Some(Token::Word(_)), Some(Token::RParen))
        ),
        _ => false,
    }
}

fn stream_name(cursor: &mut Cursor<'_>, tokens: &mut Vec<TokenWithSpan>) {
    let in_parentheses = cursor.take(&Token::LParen);
    tokens.extend(cursor.next().cloned());
    if in_parentheses {
        cursor.take(&Token::RParen);
    }
}

/// Whether the WATERMARK that comes next is a clause and no name: DELAY is said, or a relation stands before.
fn follows_relation(cursor: &Cursor<'_>, before: &[TokenWithSpan]) -> bool {
    let is_delay = |n| {
        cursor
            .peek_nth_word(n)
            .is_some_and(|word| word.eq_ignore_ascii_case("DELAY"))
    };
    let is_name = |n| matches!(cursor.peek_nth(n), Some(Token::Word(_)));
    let qualified = is_name(1) && cursor.peek_nth(2) == Some(&Token::Period) && is_delay(4);
    let delayed = (is_name(1) && is_delay(2)) || qualified;
    let followed_by_name = cursor.peek_nth_word(1).is_some_and(|word| {
        !AFTER_A_RELATION
            .iter()
            .any(|after| after.eq_ignore_ascii_case(word))
    });
    delayed || (followed_by_name && before.len() > 1 && is_before_relation(&before[..before.len() - 1]))
}

/// The relation that a WATERMARK belongs to.
fn relation(cursor: &Cursor<'_>, clauses: &StreamingClauses) -> Result<Position> {
    let wrong = |message: &str, hint: &str| Error::statement(message).at(cursor.position()).hint(hint);
    let Some((last, before)) = clauses.tokens.split_last() else {
        return Err(wrong("WATERMARK stands behind a name in FROM", FROM_HINT));
    };
    let place = position(last.span.start);
    if clauses
        .watermarks
        .iter()
        .any(|known| known.relation_position == place)
    {
        return Err(wrong(
            "WATERMARK is there twice",
            "A relation has one event-time column here.",
        ));
    }
    if last.token == Token::RParen {
        return Err(wrong(
            "WATERMARK in FROM stands behind a name, not behind a subquery",
            "Write CREATE VIEW name WATERMARK column DELAY OF INTERVAL ... AS SELECT ..., and FROM name.",
        ));
    }
    let is_relation = matches!(last.token, Token::Word(_))
        && (is_before_relation(before) || before.last().is_some_and(|token| token.token == Token::Comma));
    if !is_relation {
        let hint = match before.last().map(|token| &token.token) {
            Some(Token::Word(_)) => format!("An alias stands behind the clause. {FROM_HINT}"),
            _ => FROM_HINT.to_owned(),
        };
        return Err(wrong(
            "WATERMARK stands right behind a relation's name in FROM",
            &hint,
        ));
    }
    Ok(place)
}

/// The SELECT whose `DISTINCT ON (...)` is the last of `before`.
fn distinct_on(cursor: &Cursor<'_>, before: &[TokenWithSpan]) -> Result<Position> {
    let mut depth = 0_usize;
    let opened = before.iter().rposition(|token| {
        match token.token {
            Token::RParen => depth += 1,
            Token::LParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    });
    match opened.map(|at| &before[..at]) {
        Some([.., select, distinct, on])
            if is_word(select, "SELECT") && is_word(distinct, "DISTINCT") && is_word(on, "ON") =>
        {
            Ok(position(select.span.start))
        }
        _ => Err(Error::statement("WITHIN WATERMARK does not belong here")
            .at(cursor.position())
            .hint("Write SELECT DISTINCT ON (column, ...) WITHIN WATERMARK column, ... FROM stream.")),
    }
}
