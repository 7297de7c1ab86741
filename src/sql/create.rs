//! The CREATE statements.

use crate::error::{Error, Position, Result};
use crate::execution::Trigger;
use crate::sink::OutputMode;
use crate::sql::cursor::Cursor;
use crate::sql::parts::{columns, duration, name, once, options, schema, text, watermark};
use crate::sql::query::parse_query;
use crate::sql::statement::{
    CreateStream, CreateStreamingQuery, CreateTable, CreateView, Creation, Name, OptionEntry, SinkClause,
    StatementKind, WatermarkClause,
};
use crate::suggest::did_you_mean;

const STREAM_HINT: &str = "Write CREATE STREAM name (columns) USING format OPTIONS (path 'folder') \
                           WATERMARK column DELAY OF INTERVAL 10 MINUTES.";
const TABLE_HINT: &str = "Write CREATE TABLE name (columns) USING format OPTIONS (path 'folder').";
const VIEW_HINT: &str = "Write CREATE VIEW name AS SELECT ...";
const QUERY_HINT: &str = "Write CREATE STREAMING QUERY name OUTPUT MODE UPDATE TRIGGER PROCESSING TIME '1 second' \
                          SINK memory AS SELECT ...";
const MODES: [&str; 3] = ["APPEND", "UPDATE", "COMPLETE"];
const TRIGGERS: &str = "The triggers are PROCESSING TIME '1 second', AVAILABLE NOW and ONCE; without one a batch runs as soon as there is data.";

/// Which clauses each statement has, to say where one belongs that stands in the wrong statement.
const CLAUSES: [(&str, &str); 8] = [
    ("OUTPUT", "CREATE STREAMING QUERY"),
    ("TRIGGER", "CREATE STREAMING QUERY"),
    ("CHECKPOINT", "CREATE STREAMING QUERY"),
    ("SINK", "CREATE STREAMING QUERY"),
    ("PARTITIONED", "the SINK clause of CREATE STREAMING QUERY"),
    ("USING", "CREATE STREAM and CREATE TABLE"),
    (
        "OPTIONS",
        "CREATE STREAM and CREATE TABLE, and behind SINK in CREATE STREAMING QUERY",
    ),
    (
        "WATERMARK",
        "CREATE STREAM, CREATE VIEW before AS, and behind a name in FROM",
    ),
];

/// Reads from behind the word CREATE.
pub(crate) fn create(cursor: &mut Cursor<'_>) -> Result<StatementKind> {
    let replace_place = cursor.position();
    let or_replace = cursor.take_words(&["OR", "REPLACE"]);
    // Spark's word for a view of the session; all of ours are.
    let temporary = cursor.take_word("TEMPORARY") || cursor.take_word("TEMP");
    let object = cursor
        .peek_word()
        .map(str::to_ascii_uppercase)
        .unwrap_or_default();
    match object.as_str() {
        "VIEW" => {
            cursor.next();
            let creation = creation(cursor, or_replace, replace_place)?;
            view(cursor, creation)
        }
        _ if temporary => Err(cursor.expected("VIEW").hint(VIEW_HINT)),
        "STREAM" => {
            cursor.next();
            let creation = creation(cursor, or_replace, replace_place)?;
            stream(cursor, creation)
        }
        "TABLE" => {
            cursor.next();
            let creation = creation(cursor, or_replace, replace_place)?;
            table(cursor, creation)
        }
        "STREAMING" => {
            cursor.next();
            cursor.expect_word("QUERY", QUERY_HINT)?;
            let creation = creation(cursor, or_replace, replace_place)?;
            streaming_query(cursor, creation)
        }
        other => {
            let error = cursor.expected("STREAM, TABLE, VIEW or STREAMING QUERY behind CREATE");
            let known = ["STREAM", "TABLE", "VIEW", "STREAMING"];
            Err(match did_you_mean(other, known) {
                _ if other == "QUERY" => error.hint("Did you mean CREATE STREAMING QUERY?"),
                Some(near) => error.hint(format!("Did you mean CREATE {near}?")),
                None => error.hint(QUERY_HINT),
            })
        }
    }
}

fn creation(cursor: &mut Cursor<'_>, or_replace: bool, place: Position) -> Result<Creation> {
    let if_not_exists = cursor.take_words(&["IF", "NOT", "EXISTS"]);
    if cursor.is_word("IF") {
        return Err(cursor
            .expected("IF NOT EXISTS or a name")
            .hint("Write IF NOT EXISTS in full."));
    }
    match (or_replace, if_not_exists) {
        (true, true) => Err(
            Error::statement("OR REPLACE and IF NOT EXISTS exclude each other")
                .at(place)
                .hint("Leave one of them away."),
        ),
        (true, false) => Ok(Creation::OrReplace),
        (false, true) => Ok(Creation::IfNotExists),
        (false, false) => Ok(Creation::New),
    }
}

/// What stands behind the name in CREATE STREAM and CREATE TABLE.
#[derive(Default)]
struct RelationClauses {
    format: Option<(Name, Position)>,
    options: Option<(Vec<OptionEntry>, Position)>,
    watermark: Option<(WatermarkClause, Position)>,
}

fn relation_clauses(
    cursor: &mut Cursor<'_>,
    statement: &str,
    with_watermark: bool,
    hint: &'static str,
) -> Result<(Name, RelationClauses)> {
    let mut clauses = RelationClauses::default();
    while !cursor.is_at_end() {
        let place = cursor.position();
        if cursor.take_word("USING") {
            let format = name(cursor, "a format")?;
            once(&mut clauses.format, "USING", place, format)?;
        } else if cursor.take_word("OPTIONS") {
            let entries = options(cursor)?;
            once(&mut clauses.options, "OPTIONS", place, entries)?;
        } else if with_watermark && cursor.is_word("WATERMARK") {
            let clause = watermark(cursor)?;
            once(&mut clauses.watermark, "WATERMARK", place, clause)?;
        } else {
            let known = if with_watermark {
                "USING, OPTIONS or WATERMARK"
            } else {
                "USING or OPTIONS"
            };
            return Err(misplaced(cursor, statement, known, hint));
        }
    }
    let Some((format, _)) = clauses.format.take() else {
        return Err(cursor.expected("USING and a format").hint(hint));
    };
    Ok((format, clauses))
}

fn stream(cursor: &mut Cursor<'_>, creation: Creation) -> Result<StatementKind> {
    let name = name(cursor, "a stream")?;
    let schema = match cursor.peek() {
        Some(token) if token.to_string() == "(" => Some(schema(cursor)?),
        _ => None,
    };
    let (format, clauses) = relation_clauses(cursor, "CREATE STREAM", true, STREAM_HINT)?;
    Ok(StatementKind::CreateStream(CreateStream {
        name,
        creation,
        schema,
        format,
        options: clauses.options.map(|(options, _)| options).unwrap_or_default(),
        watermark: clauses.watermark.map(|(watermark, _)| watermark),
    }))
}

fn table(cursor: &mut Cursor<'_>, creation: Creation) -> Result<StatementKind> {
    let name = name(cursor, "a table")?;
    let schema = match cursor.peek() {
        Some(token) if token.to_string() == "(" => Some(schema(cursor)?),
        _ => None,
    };
    if cursor.is_word("AS") {
        return Err(cursor.expected("USING and a format").hint(
            "A table is files. Write CREATE VIEW for a SELECT, or CREATE STREAMING QUERY with a SINK.",
        ));
    }
    let (format, clauses) = relation_clauses(cursor, "CREATE TABLE", false, TABLE_HINT)?;
    Ok(StatementKind::CreateTable(CreateTable {
        name,
        creation,
        schema,
        format,
        options: clauses.options.map(|(options, _)| options).unwrap_or_default(),
    }))
}

fn view(cursor: &mut Cursor<'_>, creation: Creation) -> Result<StatementKind> {
    let name = name(cursor, "a view")?;
    let watermark = if cursor.is_word("WATERMARK") {
        Some(watermark(cursor)?)
    } else {
        None
    };
    if watermark.is_some() && cursor.is_word("WATERMARK") {
        return Err(Error::statement("WATERMARK is there twice")
            .at(cursor.position())
            .hint("A view has one event-time column."));
    }
    if !cursor.take_word("AS") {
        return Err(misplaced(cursor, "CREATE VIEW", "WATERMARK or AS", VIEW_HINT));
    }
    let query = parse_query(cursor)?;
    Ok(StatementKind::CreateView(CreateView {
        name,
        creation,
        watermark,
        query,
    }))
}

fn streaming_query(cursor: &mut Cursor<'_>, creation: Creation) -> Result<StatementKind> {
    let name = name(cursor, "a query")?;
    let (mut mode, mut when, mut folder, mut out) = (None, None, None, None);
    while !cursor.take_word("AS") {
        let place = cursor.position();
        if cursor.take_word("OUTPUT") {
            cursor.expect_word("MODE", "Write OUTPUT MODE APPEND, UPDATE or COMPLETE.")?;
            let value = output_mode(cursor)?;
            once(&mut mode, "OUTPUT MODE", place, value)?;
        } else if cursor.take_word("TRIGGER") {
            let value = trigger(cursor)?;
            once(&mut when, "TRIGGER", place, value)?;
        } else if cursor.take_word("CHECKPOINT") {
            let value = text(
                cursor,
                "a folder in quotes",
                "Write CHECKPOINT 'checkpoints/name'.",
            )?;
            if value.value.trim().is_empty() {
                return Err(Error::statement("the checkpoint's folder is empty")
                    .at(value.position)
                    .hint("Write CHECKPOINT 'checkpoints/name', or leave the clause away."));
            }
            once(&mut folder, "CHECKPOINT", place, value)?;
        } else if cursor.take_word("SINK") {
            let value = sink(cursor)?;
            once(&mut out, "SINK", place, value)?;
        } else {
            let known = "OUTPUT MODE, TRIGGER, CHECKPOINT, SINK or AS";
            return Err(misplaced(cursor, "CREATE STREAMING QUERY", known, QUERY_HINT));
        }
    }
    let query = parse_query(cursor)?;
    Ok(StatementKind::CreateStreamingQuery(Box::new(
        CreateStreamingQuery {
            name,
            creation,
            output_mode: mode.as_ref().map(|(mode, _)| *mode).unwrap_or_default(),
            output_mode_position: mode.map(|(_, place)| place),
            trigger: when.map(|(trigger, _)| trigger).unwrap_or_default(),
            checkpoint: folder.map(|(folder, _)| folder),
            sink: out.map(|(sink, _)| sink).unwrap_or_default(),
            query,
        },
    )))
}

fn output_mode(cursor: &mut Cursor<'_>) -> Result<OutputMode> {
    let mode = match cursor.peek_word().map(str::to_ascii_uppercase).as_deref() {
        Some("APPEND") => OutputMode::Append,
        Some("UPDATE") => OutputMode::Update,
        Some("COMPLETE") => OutputMode::Complete,
        other => {
            let near = other.and_then(|word| did_you_mean(word, MODES));
            let hint = match near {
                Some(near) => format!("Did you mean OUTPUT MODE {near}?"),
                None => "Write OUTPUT MODE APPEND, UPDATE or COMPLETE.".to_owned(),
            };
            return Err(cursor.expected("APPEND, UPDATE or COMPLETE").hint(hint));
        }
    };
    cursor.next();
    Ok(mode)
}

fn trigger(cursor: &mut Cursor<'_>) -> Result<Trigger> {
    let place = cursor.position();
    if cursor.take_words(&["PROCESSING", "TIME"]) {
        return Ok(Trigger::ProcessingTime(duration(
            cursor,
            "an interval such as '1 second'",
        )?));
    }
    if cursor.take_words(&["AVAILABLE", "NOW"]) {
        return Ok(Trigger::AvailableNow);
    }
    if cursor.take_word("ONCE") {
        return Ok(Trigger::Once);
    }
    if cursor.take_word("DEFAULT") {
        return Ok(Trigger::Default);
    }
    if cursor.take_word("CONTINUOUS") {
        return Err(Error::statement("the CONTINUOUS trigger is not built")
            .hint("Use TRIGGER PROCESSING TIME '1 second', or leave TRIGGER out: a batch takes milliseconds.")
            .at(place));
    }
    let known = ["PROCESSING", "AVAILABLE", "ONCE"];
    let first = cursor.peek_word();
    let half = first.and_then(|word| known.iter().find(|known| known.eq_ignore_ascii_case(word)));
    let near = first.and_then(|word| did_you_mean(word, known));
    let hint = match (half.copied(), near.as_deref()) {
        (Some("PROCESSING"), _) | (None, Some("PROCESSING")) => {
            "Write TRIGGER PROCESSING TIME '1 second'.".to_owned()
        }
        (Some("AVAILABLE"), _) | (None, Some("AVAILABLE")) => "Write TRIGGER AVAILABLE NOW.".to_owned(),
        (None, Some(near)) => format!("Did you mean TRIGGER {near}?"),
        _ => TRIGGERS.to_owned(),
    };
    let expected = "PROCESSING TIME, AVAILABLE NOW or ONCE";
    Err(cursor.expected(expected).hint(hint))
}

fn sink(cursor: &mut Cursor<'_>) -> Result<SinkClause> {
    let format = name(cursor, "a sink")?;
    let (mut entries, mut partitions) = (None, None);
    loop {
        let place = cursor.position();
        if cursor.take_word("OPTIONS") {
            let value = options(cursor)?;
            once(&mut entries, "OPTIONS", place, value)?;
        } else if cursor.take_word("PARTITIONED") {
            cursor.expect_word("BY", "Write PARTITIONED BY (column, ...).")?;
            let value = columns(cursor)?;
            once(&mut partitions, "PARTITIONED BY", place, value)?;
        } else {
            return Ok(SinkClause {
                format: format.value,
                position: Some(format.position),
                options: entries.map(|(entries, _)| entries).unwrap_or_default(),
                partition_by: partitions.map(|(columns, _)| columns).unwrap_or_default(),
            });
        }
    }
}

/// An error for a word that is no clause of this statement: of another one, misspelled, or no clause at all.
fn misplaced(cursor: &Cursor<'_>, statement: &str, known: &str, hint: &str) -> Error {
    let found = cursor.peek_word().unwrap_or("").to_ascii_uppercase();
    if let Some((clause, belongs)) = CLAUSES.iter().find(|(clause, _)| *clause == found) {
        let full = match *clause {
            "OUTPUT" => "OUTPUT MODE",
            "PARTITIONED" => "PARTITIONED BY",
            other => other,
        };
        return Error::statement(format!("{full} does not belong here in {statement}"))
            .at(cursor.position())
            .hint(format!("{full} belongs in {belongs}."));
    }
    if ["CREATE", "START", "STOP", "DROP", "SET", "SHOW"].contains(&found.as_str()) {
        return cursor.expected(known).hint(format!(
            "Finish {statement}, and end it with \";\", before {found}."
        ));
    }
    let words = known
        .split([' ', ','])
        .filter(|word| word.chars().all(char::is_uppercase));
    let near = did_you_mean(&found, words.filter(|word| word.len() > 1));
    cursor.expected(known).hint(match near {
        Some(near) => format!("Did you mean {near}?"),
        None => hint.to_owned(),
    })
}
