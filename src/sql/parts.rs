//! What several statements have in common: names, texts, lengths of time, OPTIONS, WATERMARK, schemas.

use std::time::Duration;

use datafusion::sql::sqlparser::tokenizer::{Location, Token};

use crate::error::{Error, Position, Result};
use crate::interval::{EXAMPLES, Interval, Reason};
use crate::sql::cursor::Cursor;
use crate::sql::dialect::read_interval;
use crate::sql::span::position;
use crate::sql::statement::{Name, OptionEntry, SchemaText, Text, WatermarkClause};

/// Words that begin a clause: one of them where a name belongs means that the name was forgotten.
const CLAUSE_WORDS: [&str; 26] = [
    "AS",
    "BY",
    "CHECKPOINT",
    "DELAY",
    "EXISTS",
    "FOR",
    "FROM",
    "GROUP",
    "HAVING",
    "IF",
    "INTO",
    "JOIN",
    "LIMIT",
    "NOT",
    "ON",
    "OPTIONS",
    "ORDER",
    "OUTPUT",
    "SELECT",
    "SINK",
    "TRIGGER",
    "UNION",
    "USING",
    "WATERMARK",
    "WHERE",
    "WITH",
];

const OPTIONS_HINT: &str = "Write OPTIONS (path 'folder', maxFilesPerTrigger '1').";
const WATERMARK_HINT: &str = "Write WATERMARK event_time DELAY OF INTERVAL 10 MINUTES.";

/// A name of one part: a word, or anything in back-quotes.
pub(crate) fn name(cursor: &mut Cursor<'_>, what: &str) -> Result<Name> {
    let place = cursor.position();
    let expected = format!("the name of {what}");
    let Some(Token::Word(word)) = cursor.peek() else {
        let error = cursor.expected(&expected);
        return Err(match cursor.peek() {
            Some(Token::SingleQuotedString(_)) => {
                error.hint("Write names without quotes, or in back-quotes.")
            }
            Some(Token::Number(..)) => error.hint("Write names that begin with a digit in back-quotes."),
            _ => error.hint("Write a word, or anything in back-quotes."),
        });
    };
    let plain = word.quote_style.is_none();
    if plain && CLAUSE_WORDS.contains(&word.value.to_ascii_uppercase().as_str()) {
        return Err(cursor.expected(&expected).hint(format!(
            "{} is a word of the language; if it is the name, write it in back-quotes: `{}`.",
            word.value.to_uppercase(),
            word.value
        )));
    }
    if word.value.trim().is_empty() {
        return Err(Error::statement(format!("{expected} is empty"))
            .at(place)
            .hint("Write a word, or anything in back-quotes."));
    }
    cursor.next();
    if cursor.peek() == Some(&Token::Period) {
        return Err(Error::statement(format!(
            "{expected} has one part, found {:?} before a dot",
            word.value
        ))
        .at(place)
        .hint(if what.ends_with("column") {
            "It is a column of its own: SELECT a.b AS name makes one of a field, in a view."
        } else {
            "There are no databases here: write the last part alone, or the whole in back-quotes."
        }));
    }
    Ok(Name {
        value: word.value.clone(),
        position: place,
    })
}

/// A quoted text.
pub(crate) fn text(cursor: &mut Cursor<'_>, what: &str, hint: &str) -> Result<Text> {
    let place = cursor.position();
    let Some(Token::SingleQuotedString(value)) = cursor.peek() else {
        return Err(cursor.expected(what).hint(hint));
    };
    cursor.next();
    Ok(Text {
        value: value.clone(),
        position: place,
    })
}

/// A length of time: `INTERVAL 10 MINUTES`, `INTERVAL '10 minutes'`, or `'10 minutes'`.
pub(crate) fn duration(cursor: &mut Cursor<'_>, what: &str) -> Result<Duration> {
    let place = cursor.position();
    let refused = |reason: Reason| Error::statement(reason.message).hint(reason.hint);
    let interval = if let Some(Token::SingleQuotedString(text)) = cursor.peek() {
        cursor.next();
        Interval::parse(text).map_err(|reason| refused(reason).at(place))?
    } else if cursor.take_word("INTERVAL") {
        let peek = |n| cursor.peek_nth(n).cloned().unwrap_or(Token::EOF);
        let (interval, count) = read_interval(peek).map_err(|(reason, wrong)| {
            let mut at = *cursor;
            for _ in 0..wrong {
                at.next();
            }
            refused(reason).at(at.position())
        })?;
        for _ in 0..count {
            cursor.next();
        }
        interval
    } else {
        return Err(cursor.expected(what).hint(EXAMPLES));
    };
    interval.to_duration().map_err(|reason| refused(reason).at(place))
}

/// `WATERMARK column DELAY OF INTERVAL ...`, from the word WATERMARK on.
pub(crate) fn watermark(cursor: &mut Cursor<'_>) -> Result<WatermarkClause> {
    let place = cursor.position();
    cursor.expect_word("WATERMARK", WATERMARK_HINT)?;
    let column = name(cursor, "the event-time column")?;
    cursor.expect_word("DELAY", WATERMARK_HINT)?;
    cursor.expect_word("OF", WATERMARK_HINT)?;
    let delay = duration(cursor, "an interval")?;
    Ok(WatermarkClause {
        column,
        delay,
        position: place,
    })
}

/// `(name [=] value, ...)`, from the parenthesis on.
pub(crate) fn options(cursor: &mut Cursor<'_>) -> Result<Vec<OptionEntry>> {
    cursor.expect(&Token::LParen, OPTIONS_HINT)?;
    let mut options: Vec<OptionEntry> = Vec::new();
    if cursor.take(&Token::RParen) {
        return Ok(options);
    }
    loop {
        let entry = option(cursor)?;
        if let Some(first) = options
            .iter()
            .find(|first| first.name.eq_ignore_ascii_case(&entry.name))
        {
            return Err(
                Error::statement(format!("option \"{}\" is there twice", entry.name))
                    .at(entry.position)
                    .hint(format!(
                        "It is set at {} already; remove one of them.",
                        first.position
                    )),
            );
        }
        options.push(entry);
        if cursor.take(&Token::RParen) {
            return Ok(options);
        }
        if !cursor.take(&Token::Comma) {
            return Err(cursor.expected("\",\" or \")\" in OPTIONS").hint(OPTIONS_HINT));
        }
    }
}

fn option(cursor: &mut Cursor<'_>) -> Result<OptionEntry> {
    let place = cursor.position();
    let name = match cursor.peek() {
        Some(Token::SingleQuotedString(name)) => {
            cursor.next();
            name.clone()
        }
        _ => dotted(cursor, "the name of an option", OPTIONS_HINT)?,
    };
    cursor.take(&Token::Eq);
    let value_place = cursor.position();
    let value = match cursor.peek() {
        Some(Token::SingleQuotedString(value)) => value.clone(),
        Some(Token::Number(number, _)) => number.clone(),
        Some(Token::Minus) if matches!(cursor.peek_nth(1), Some(Token::Number(..))) => {
            cursor.next();
            format!("-{}", cursor.found().trim_matches('"'))
        }
        Some(Token::Word(word))
            if word.quote_style.is_none()
                && ["true", "false"]
                    .iter()
                    .any(|known| word.value.eq_ignore_ascii_case(known)) =>
        {
            word.value.to_ascii_lowercase()
        }
        found => {
            let hint = match found {
                Some(Token::Word(word)) => format!("Write the value in quotes: {name} '{}'.", word.value),
                _ => OPTIONS_HINT.to_owned(),
            };
            return Err(cursor
                .expected(&format!("the value of option \"{name}\""))
                .hint(hint));
        }
    };
    cursor.next();
    Ok(OptionEntry {
        name,
        value,
        position: place,
        value_position: value_place,
    })
}

/// `kafka.bootstrap.servers`: words with dots between.
pub(crate) fn dotted(cursor: &mut Cursor<'_>, what: &str, hint: &str) -> Result<String> {
    let start = cursor.location();
    let mut name = String::new();
    loop {
        let Some(Token::Word(word)) = cursor.peek() else {
            return Err(cursor.expected(what).hint(hint));
        };
        name.push_str(&word.value);
        cursor.next();
        if !cursor.take(&Token::Period) {
            break;
        }
        name.push('.');
    }
    // `max-files`, `a b`: what follows at once belongs to the name as the user thinks of it.
    if cursor.peek() == Some(&Token::Minus) && cursor.location() == cursor.last_end() {
        let written = cursor.source().slice(start, cursor.location());
        return Err(Error::statement(format!("{what} cannot hold \"-\" here"))
            .at(position(start))
            .hint(format!("Write the whole name in quotes: '{written}-...'.")));
    }
    Ok(name)
}

/// `(columns)` in Spark's DDL, from the parenthesis on, unread.
pub(crate) fn schema(cursor: &mut Cursor<'_>) -> Result<SchemaText> {
    const HINT: &str = "Write the columns with their types: (event_id STRING, event_time TIMESTAMP).";
    let opened = cursor.position();
    cursor.expect(&Token::LParen, HINT)?;
    let start = cursor.location();
    let mut depth = 1_usize;
    let end = loop {
        let end = cursor.last_end();
        match cursor.next().map(|token| &token.token) {
            Some(Token::LParen) => depth += 1,
            Some(Token::RParen) if depth == 1 => break end,
            Some(Token::RParen) => depth -= 1,
            Some(_) => {}
            None => {
                return Err(Error::statement("\"(\" is never closed").at(opened).hint(HINT));
            }
        }
    };
    let text = cursor.source().slice(start, end).trim().to_owned();
    if text.is_empty() {
        return Err(Error::statement("a schema has at least one column")
            .at(opened)
            .hint(HINT));
    }
    Ok(SchemaText {
        text,
        position: position(start),
    })
}

/// `(a, b)`, from the parenthesis on.
pub(crate) fn columns(cursor: &mut Cursor<'_>) -> Result<Vec<Name>> {
    const HINT: &str = "Write PARTITIONED BY (column, ...).";
    cursor.expect(&Token::LParen, HINT)?;
    let mut columns = Vec::new();
    loop {
        columns.push(name(cursor, "a column")?);
        if cursor.take(&Token::RParen) {
            return Ok(columns);
        }
        if !cursor.take(&Token::Comma) {
            return Err(cursor.expected("\",\" or \")\" in PARTITIONED BY").hint(HINT));
        }
    }
}

/// A clause may stand once.
pub(crate) fn once<T>(
    slot: &mut Option<(T, Position)>,
    clause: &str,
    place: Position,
    value: T,
) -> Result<()> {
    if let Some((_, first)) = slot {
        return Err(Error::statement(format!("{clause} is there twice"))
            .at(place)
            .hint(format!("It stands at {first} already; remove one of them.")));
    }
    *slot = Some((value, place));
    Ok(())
}

/// The text between two places, trimmed.
pub(crate) fn written<'a>(cursor: &Cursor<'a>, start: Location, end: Location) -> &'a str {
    cursor.source().slice(start, end).trim()
}
