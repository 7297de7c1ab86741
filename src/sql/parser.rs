//! Scripts: statements ended by `;`, and every statement but CREATE.

use std::str::FromStr;

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, Result};
use crate::sql::create::create;
use crate::sql::cursor::Cursor;
use crate::sql::parts::{dotted, duration, name, text, written};
use crate::sql::query::parse_query;
use crate::sql::span::position;
use crate::sql::statement::{
    Await, Describe, Drop, DropObject, Explain, ExplainTarget, Export, Name, Set, Show, ShowState, StateKeys,
    Statement, StatementKind, Text,
};
use crate::sql::tokens::{Source, tokenize};
use crate::suggest::did_you_mean;

/// More than any person writes; generated lists of values belong into a table.
const MAX_OPERATORS: usize = 2_000;

const STATEMENTS: [&str; 16] = [
    "CREATE", "SELECT", "WITH", "VALUES", "START", "STOP", "RESTART", "RESET", "DROP", "AWAIT", "SHOW",
    "DESCRIBE", "DESC", "EXPLAIN", "EXPORT", "SET",
];
const SET_HINT: &str = "Write SET name = value, SET spark.sql.session.timeZone = 'UTC' for instance.";

/// Reads the statements of a text. A text without any, comments aside, is fine; the last one needs no `;`.
///
/// # Errors
///
/// [`crate::error::ErrorKind::Statement`] for the first thing that is wrong, with its place and what to write.
pub fn parse_script(text: &str) -> Result<Vec<Statement>> {
    let source = Source::new(text);
    let tokens = tokenize(&source)?;
    tokens
        .split(|token| token.token == Token::SemiColon)
        .filter(|tokens| !tokens.is_empty())
        .map(|tokens| parse_statement(&source, tokens))
        .collect()
}

fn parse_statement(source: &Source<'_>, tokens: &[TokenWithSpan]) -> Result<Statement> {
    check_parentheses(tokens)?;
    check_length(tokens)?;
    let mut cursor = Cursor::new(source, tokens);
    let start = cursor.location();
    let kind = parse_kind(&mut cursor)?;
    cursor.expect_end("End the statement with \";\" before the next one.")?;
    Ok(Statement {
        text: source.slice(start, cursor.last_end()).to_owned(),
        position: position(start),
        kind,
    })
}

/// A chain of operators is a tree as deep as it is long, and trees are walked by recursion.
fn check_length(tokens: &[TokenWithSpan]) -> Result<()> {
    let operators = tokens.iter().filter(|token| match &token.token {
        Token::Word(word) => matches!(
            word.keyword,
            Keyword::AND | Keyword::OR | Keyword::UNION | Keyword::JOIN
        ),
        Token::Plus
        | Token::Minus
        | Token::Mul
        | Token::Div
        | Token::Mod
        | Token::StringConcat
        | Token::Eq => true,
        _ => false,
    });
    match operators.enumerate().nth(MAX_OPERATORS) {
        Some((_, token)) => Err(Error::statement(format!(
            "the statement has more than {MAX_OPERATORS} operators"
        ))
        .at(position(token.span.start))
        .hint("Put the values into a table and join with it, or split the statement.")),
        None => Ok(()),
    }
}

/// An open parenthesis makes everything behind it look wrong, so it is looked for first.
fn check_parentheses(tokens: &[TokenWithSpan]) -> Result<()> {
    let mut open = Vec::new();
    for token in tokens {
        match token.token {
            Token::LParen | Token::LBracket => open.push(token),
            Token::RParen | Token::RBracket => {
                let fits = open
                    .pop()
                    .is_some_and(|opened| (opened.token == Token::LParen) == (token.token == Token::RParen));
                if !fits {
                    return Err(Error::statement(format!("\"{}\" was not opened", token.token))
                        .at(position(token.span.start))
                        .hint("Remove it, or open it before."));
                }
            }
            _ => {}
        }
    }
    match open.first() {
        None => Ok(()),
        Some(opened) => Err(Error::statement(format!("\"{}\" is never closed", opened.token))
            .at(position(opened.span.start))
            .hint("Close it before the end of the statement.")),
    }
}

fn parse_kind(cursor: &mut Cursor<'_>) -> Result<StatementKind> {
    if cursor.peek() == Some(&Token::LParen) {
        return parse_query(cursor).map(StatementKind::Select);
    }
    let first = cursor
        .peek_word()
        .map(str::to_ascii_uppercase)
        .unwrap_or_default();
    if matches!(first.as_str(), "SELECT" | "WITH" | "VALUES") {
        return parse_query(cursor).map(StatementKind::Select);
    }
    let unknown = unknown_statement(cursor, &first);
    cursor.next();
    match first.as_str() {
        "CREATE" => create(cursor),
        "START" => query_name(cursor, "START").map(StatementKind::Start),
        "STOP" => query_name(cursor, "STOP").map(StatementKind::Stop),
        "RESTART" => query_name(cursor, "RESTART").map(StatementKind::Restart),
        "RESET" => query_name(cursor, "RESET").map(StatementKind::Reset),
        "EXPORT" => parse_export(cursor).map(StatementKind::Export),
        "DROP" => parse_drop(cursor).map(StatementKind::Drop),
        "AWAIT" => parse_await(cursor).map(StatementKind::Await),
        "SHOW" => parse_show(cursor),
        "DESCRIBE" | "DESC" => parse_describe(cursor).map(StatementKind::Describe),
        "EXPLAIN" => parse_explain(cursor).map(StatementKind::Explain),
        "SET" => parse_set(cursor).map(StatementKind::Set),
        _ => Err(unknown),
    }
}

fn unknown_statement(cursor: &Cursor<'_>, first: &str) -> Error {
    let error = cursor.expected("a statement");
    match first {
        "INSERT" | "MERGE" | "COPY" => {
            error.hint("Rows are written by CREATE STREAMING QUERY name SINK format OPTIONS (...) AS SELECT ...")
        }
        "UPDATE" | "DELETE" | "TRUNCATE" | "ALTER" => {
            error.hint("Sources are read only. CREATE OR REPLACE changes what a name stands for.")
        }
        "USE" => error.hint("There are no databases here: all names are of one workspace."),
        _ => match did_you_mean(first, STATEMENTS) {
            Some(near) => error.hint(format!("Did you mean {near}?")),
            None => error.hint(
                "Statements begin with CREATE, SELECT, START, STOP, RESTART, RESET, DROP, AWAIT, SHOW, DESCRIBE, EXPLAIN, EXPORT or SET.",
            ),
        },
    }
}

/// `QUERY name`; Spark's word STREAMING may stand before.
fn query_name(cursor: &mut Cursor<'_>, verb: &str) -> Result<Name> {
    cursor.take_word("STREAMING");
    cursor.expect_word("QUERY", &format!("Write {verb} QUERY name."))?;
    name(cursor, "a query")
}

fn parse_export(cursor: &mut Cursor<'_>) -> Result<Export> {
    const HINT: &str = "Write EXPORT QUERY name TO 'rows.csv', or .json, or .parquet.";
    let query = query_name(cursor, "EXPORT")?;
    cursor.expect_word("TO", HINT)?;
    let path = text(cursor, "a file's name in quotes", HINT)?;
    Ok(Export { query, path })
}

fn parse_drop(cursor: &mut Cursor<'_>) -> Result<Drop> {
    cursor.take_words(&["STREAMING"]);
    let word = cursor
        .peek_word()
        .map(str::to_ascii_uppercase)
        .unwrap_or_default();
    let (object, what) = match word.as_str() {
        "QUERY" => (DropObject::Query, "a query"),
        "STREAM" => (DropObject::Stream, "a stream"),
        "TABLE" => (DropObject::Table, "a table"),
        "VIEW" => (DropObject::View, "a view"),
        other => {
            let hint = match did_you_mean(other, ["QUERY", "STREAM", "TABLE", "VIEW"]) {
                Some(near) => format!("Did you mean DROP {near}?"),
                None => "Write DROP QUERY name.".to_owned(),
            };
            return Err(cursor
                .expected("QUERY, STREAM, TABLE or VIEW behind DROP")
                .hint(hint));
        }
    };
    cursor.next();
    let if_exists = cursor.take_words(&["IF", "EXISTS"]);
    if cursor.is_word("IF") {
        return Err(cursor
            .expected("IF EXISTS or a name")
            .hint("Write IF EXISTS in full."));
    }
    Ok(Drop {
        object,
        name: name(cursor, what)?,
        if_exists,
    })
}

fn parse_await(cursor: &mut Cursor<'_>) -> Result<Await> {
    const HINT: &str = "Write AWAIT QUERY name TIMEOUT '60 seconds'.";
    let query = query_name(cursor, "AWAIT")?;
    let timeout = if cursor.take_word("TIMEOUT") {
        Some(duration(cursor, "an interval such as '60 seconds'")?)
    } else {
        cursor.expect_end(HINT)?;
        None
    };
    Ok(Await { query, timeout })
}

fn parse_show(cursor: &mut Cursor<'_>) -> Result<StatementKind> {
    const KNOWN: [&str; 7] = [
        "STREAMS",
        "TABLES",
        "QUERIES",
        "VIEWS",
        "FUNCTIONS",
        "PROGRESS",
        "STATE",
    ];
    cursor.take_words(&["STREAMING"]);
    let word = cursor
        .peek_word()
        .map(str::to_ascii_uppercase)
        .unwrap_or_default();
    let show = match word.as_str() {
        "STREAMS" => StatementKind::Show(Show::Streams),
        "TABLES" => StatementKind::Show(Show::Tables),
        "QUERIES" => StatementKind::Show(Show::Queries),
        "VIEWS" => StatementKind::Show(Show::Views),
        "FUNCTIONS" => StatementKind::Show(Show::Functions),
        "PROGRESS" | "STATE" => {
            cursor.next();
            cursor.expect_word("FOR", &format!("Write SHOW {word} FOR query."))?;
            let query = name(cursor, "a query")?;
            return Ok(match word.as_str() {
                "STATE" => StatementKind::ShowState(ShowState {
                    query,
                    keys: parse_state_keys(cursor)?,
                }),
                _ => StatementKind::ShowProgress(query),
            });
        }
        other => {
            let hint = match did_you_mean(other, KNOWN) {
                Some(near) => format!("Did you mean SHOW {near}?"),
                None => "Write SHOW QUERIES, or SHOW PROGRESS FOR query.".to_owned(),
            };
            let expected =
                "STREAMS, TABLES, QUERIES, VIEWS, FUNCTIONS, PROGRESS FOR or STATE FOR behind SHOW";
            return Err(cursor.expected(expected).hint(hint));
        }
    };
    cursor.next();
    Ok(show)
}

/// `[OPERATOR n] [AS OF BATCH n] [LIKE 'text'] [LIMIT n]`; `None` if there is no clause.
fn parse_state_keys(cursor: &mut Cursor<'_>) -> Result<Option<StateKeys>> {
    const HINT: &str = "Write SHOW STATE FOR query OPERATOR 0 AS OF BATCH 12 LIKE 'text' LIMIT 20; each part may be left out.";
    if cursor.is_at_end() {
        return Ok(None);
    }
    let mut keys = StateKeys::default();
    if cursor.take_word("OPERATOR") {
        keys.operator = number(cursor, "the operator's number", HINT)?;
    }
    if cursor.take_words(&["AS", "OF", "BATCH"]) {
        keys.as_of = Some(number(cursor, "the batch's number", HINT)?);
    }
    if cursor.take_word("LIKE") {
        keys.find = Some(text(cursor, "a text in quotes", HINT)?.value);
    }
    if cursor.take_word("LIMIT") {
        keys.limit = Some(number(cursor, "a number of keys", HINT)?);
    }
    cursor.expect_end(HINT)?;
    Ok(Some(keys))
}

fn number<T: FromStr>(cursor: &mut Cursor<'_>, what: &str, hint: &str) -> Result<T> {
    let number = match cursor.peek() {
        Some(Token::Number(digits, _)) => digits.parse().ok(),
        _ => None,
    };
    let number = number.ok_or_else(|| cursor.expected(what).hint(hint))?;
    cursor.next();
    Ok(number)
}

fn parse_describe(cursor: &mut Cursor<'_>) -> Result<Describe> {
    let named = matches!(cursor.peek_nth(1), Some(Token::Word(_)));
    if named && cursor.take_word("STREAMING") {
        cursor.expect_word("QUERY", "Write DESCRIBE QUERY name.")?;
        return name(cursor, "a query").map(Describe::Query);
    }
    if named && cursor.take_word("QUERY") {
        return name(cursor, "a query").map(Describe::Query);
    }
    if named && cursor.take_word("FUNCTION") {
        return name(cursor, "a function").map(Describe::Function);
    }
    if named {
        let _ = cursor.take_word("STREAM") || cursor.take_word("TABLE") || cursor.take_word("VIEW");
    }
    name(cursor, "a stream, table or view").map(Describe::Relation)
}

fn parse_explain(cursor: &mut Cursor<'_>) -> Result<Explain> {
    const HINT: &str = "Write EXPLAIN QUERY name, or EXPLAIN SELECT ...";
    let analyze = cursor.take_word("ANALYZE");
    let target = if cursor.take_words(&["STREAMING", "QUERY"]) || cursor.take_word("QUERY") {
        ExplainTarget::Query(name(cursor, "a query")?)
    } else if ["SELECT", "WITH", "VALUES"]
        .iter()
        .any(|word| cursor.is_word(word))
        || cursor.peek() == Some(&Token::LParen)
    {
        ExplainTarget::Select(parse_query(cursor)?)
    } else {
        return Err(cursor.expected("QUERY or a SELECT").hint(HINT));
    };
    Ok(Explain { analyze, target })
}

/// The value is one quoted text, or everything up to the end as it was written.
fn parse_set(cursor: &mut Cursor<'_>) -> Result<Set> {
    let key_position = cursor.position();
    let zone = cursor.take_words(&["TIME", "ZONE"]);
    let key = if zone {
        "spark.sql.session.timeZone".to_owned()
    } else {
        let key = dotted(cursor, "the name of a setting", SET_HINT)?;
        if !cursor.take(&Token::Eq) {
            return Err(cursor.expected(&format!("\"=\" behind \"{key}\"")).hint(SET_HINT));
        }
        key
    };
    let start = cursor.location();
    let value_position = cursor.position();
    let first = cursor.next();
    let value = match first.map(|token| &token.token) {
        None => {
            return Err(cursor.expected(&format!("the value of \"{key}\"")).hint(SET_HINT));
        }
        Some(Token::SingleQuotedString(value)) if cursor.is_at_end() => value.clone(),
        Some(Token::SingleQuotedString(_)) => {
            return Err(cursor
                .expected("\";\" or the end of the statement")
                .hint("Write the whole value in one pair of quotes."));
        }
        Some(_) => {
            // Two statements on two lines without ";" between them would otherwise become one value.
            while !cursor.is_at_end() {
                let starts_line = cursor.location().line > cursor.last_end().line;
                if starts_line {
                    cursor.expect_end("End the statement with \";\" before the next line.")?;
                }
                cursor.next();
            }
            written(cursor, start, cursor.last_end()).to_owned()
        }
    };
    Ok(Set {
        key: Name {
            value: key,
            position: key_position,
        },
        value: Text {
            value,
            position: value_position,
        },
    })
}

#[cfg(test)]
mod tests;
