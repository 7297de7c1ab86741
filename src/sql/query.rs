//! A SELECT inside a statement: its text, its syntax tree, and the streaming clauses that were cut out of it.

use std::fmt;

use datafusion::sql::sqlparser::ast::Query;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use crate::error::{Position, Result};
use crate::sql::cursor::Cursor;
use crate::sql::dialect::SparkDialect;
use crate::sql::span::position;
pub use crate::sql::streaming_clauses::RelationWatermark;
use crate::sql::streaming_clauses::cut;
use crate::sql::syntax_error::{left_over, syntax_error};

/// A SELECT as it was written. Every span in its tree is a place in the whole text that was parsed.
#[derive(Clone, PartialEq)]
pub struct QueryText {
    /// The text.
    pub text: String,
    /// Where it starts.
    pub position: Position,
    /// The syntax tree in Spark's terms, for [`crate::sql::rewrite_query`].
    pub query: Box<Query>,
    /// The WATERMARK clauses of its FROM clauses.
    pub watermarks: Vec<RelationWatermark>,
    /// The places of the SELECTs that are `DISTINCT ON (...) WITHIN WATERMARK`.
    pub within_watermark: Vec<Position>,
}

#[expect(clippy::missing_fields_in_debug, reason = "the text says it all")]
impl fmt::Debug for QueryText {
    /// The tree has thousands of lines and says what the text says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Query");
        shown.field("text", &self.text);
        shown.field(
            "at",
            &format_args!("{}:{}", self.position.line, self.position.column),
        );
        if !self.watermarks.is_empty() {
            shown.field("watermarks", &self.watermarks);
        }
        if !self.within_watermark.is_empty() {
            shown.field("within_watermark", &self.within_watermark);
        }
        shown.finish()
    }
}

/// Reads the rest of a statement as one SELECT.
pub(crate) fn parse_query(cursor: &mut Cursor<'_>) -> Result<QueryText> {
    const SELECT: [&str; 3] = ["SELECT", "WITH", "VALUES"];
    let starts = SELECT.iter().any(|word| cursor.is_word(word)) || cursor.peek() == Some(&Token::LParen);
    if !starts {
        let near = cursor
            .peek_word()
            .and_then(|word| crate::suggest::did_you_mean(word, SELECT));
        return Err(cursor.expected("a SELECT").hint(match near {
            Some(near) => format!("Did you mean {near}?"),
            None => "Write SELECT ... FROM ...".to_owned(),
        }));
    }
    let start = cursor.location();
    check_relations(*cursor)?;
    let clauses = cut(cursor)?;
    let end = cursor.last_end();
    let tokens = clauses.tokens.clone();
    let mut parser =
        Parser::new(&SparkDialect).with_tokens_with_locations(with_literal_types(clauses.tokens));
    let query = parser
        .parse_query()
        .map_err(|error| syntax_error(&error, &tokens, end))?;
    let next = parser.peek_token();
    if next.token != Token::EOF {
        return Err(left_over(&next, &tokens));
    }
    Ok(QueryText {
        text: cursor.source().slice(start, end).to_owned(),
        position: position(start),
        query,
        watermarks: clauses.watermarks,
        within_watermark: clauses.within_watermark,
    })
}

/// sqlparser takes any word for a relation's name; where one of these stands, the name was forgotten.
fn check_relations(mut cursor: Cursor<'_>) -> Result<()> {
    const NO_NAMES: [&str; 12] = [
        "WHERE",
        "GROUP",
        "ORDER",
        "HAVING",
        "LIMIT",
        "SELECT",
        "FROM",
        "JOIN",
        "ON",
        "UNION",
        "WATERMARK",
        "AS",
    ];
    while !cursor.is_at_end() {
        let before = cursor;
        if !(cursor.take_word("FROM") || cursor.take_word("JOIN")) {
            cursor.next();
            continue;
        }
        if let Some(word) = NO_NAMES.iter().find(|word| cursor.is_word(word)) {
            return Err(cursor.expected("a relation").hint(format!(
                "Write a name behind {}; if {word} is the name, write it in back-quotes.",
                before.peek_word().unwrap_or("FROM").to_uppercase(),
            )));
        }
    }
    Ok(())
}

/// Spark types a number by a letter behind it, `1.5D`: the same as a cast.
fn with_literal_types(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut typed: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let data_type = match (&token.token, typed.last()) {
            (Token::Word(word), Some(last))
                if matches!(last.token, Token::Number(..)) && last.span.end == token.span.start =>
            {
                literal_type(word)
            }
            _ => None,
        };
        let (Some(data_type), Some(number)) = (data_type, typed.last().cloned()) else {
            typed.push(token);
            continue;
        };
        typed.pop();
        let part = |part| TokenWithSpan::new(part, number.span);
        typed.extend([
            part(Token::make_keyword("CAST")),
            part(Token::LParen),
            number.clone(),
            part(Token::make_keyword("AS")),
            part(Token::make_keyword(data_type)),
            part(Token::RParen),
        ]);
    }
    typed
}

fn literal_type(word: &Word) -> Option<&'static str> {
    if word.quote_style.is_some() || word.keyword != Keyword::NoKeyword {
        return None;
    }
    match word.value.to_ascii_uppercase().as_str() {
        "D" => Some("DOUBLE"),
        "F" => Some("FLOAT"),
        "S" => Some("SMALLINT"),
        "Y" => Some("TINYINT"),
        _ => None,
    }
}
