//! Spark's DDL schemas: `id INT, at TIMESTAMP, who STRUCT<name: STRING>` to Arrow and back.
//!
//! | Spark | Arrow |
//! | --- | --- |
//! | BOOLEAN, BYTE/TINYINT, SHORT/SMALLINT, INT/INTEGER, LONG/BIGINT | Boolean, Int8, Int16, Int32, Int64 |
//! | FLOAT/REAL, DOUBLE, DECIMAL/DEC/NUMERIC(p,s) | Float32, Float64, Decimal128 |
//! | STRING, VARCHAR(n), CHAR(n) | Utf8 |
//! | BINARY | Binary |
//! | DATE | Date32 |
//! | `TIMESTAMP`, `TIMESTAMP_LTZ` | Timestamp(Microsecond, the session's zone) |
//! | `TIMESTAMP_NTZ` | Timestamp(Microsecond) |
//! | `ARRAY<t>` | List, its field named `item` |
//! | `MAP<k, v>` | Map, unsorted, `entries` of `key` and `value` |
//! | `STRUCT<name: t, ...>` | Struct |
//! | VOID | Null |

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};

use super::ddl_lexer::{Token, tokenize};
use crate::error::{Error, Position, Result};

/// Deeper types are refused: the parser, and all that walks a type, is recursive.
const MAX_DEPTH: usize = 100;

/// The types' words, as messages list them.
const TYPE_WORDS: [&str; 24] = [
    "ARRAY",
    "BIGINT",
    "BINARY",
    "BOOLEAN",
    "BYTE",
    "CHAR",
    "DATE",
    "DECIMAL",
    "DOUBLE",
    "FLOAT",
    "INT",
    "INTEGER",
    "LONG",
    "MAP",
    "NUMERIC",
    "REAL",
    "SHORT",
    "SMALLINT",
    "STRING",
    "STRUCT",
    "TIMESTAMP",
    "TIMESTAMP_NTZ",
    "TINYINT",
    "VARCHAR",
];

/// Spark's types that have no counterpart here.
const UNSUPPORTED_TYPES: [&str; 7] = [
    "INTERVAL",
    "VARIANT",
    "TIME",
    "GEOMETRY",
    "GEOGRAPHY",
    "OBJECT",
    "TIMESTAMP_TZ",
];

/// Parses a schema: `name type [NOT NULL] [COMMENT 'text'], ...`, or the same in `STRUCT<...>`. TIMESTAMP columns get
/// `time_zone`.
///
/// # Errors
///
/// A statement error with the place, counted in `text`, and a hint.
pub fn parse_ddl(text: &str, time_zone: &str) -> Result<SchemaRef> {
    let mut parser = Parser::try_new(text, time_zone)?;
    let is_struct = matches!(&parser.tokens[0].0, Token::Word(word) if word.eq_ignore_ascii_case("struct"))
        && parser
            .tokens
            .get(1)
            .is_some_and(|(token, _)| *token == Token::Symbol('<'));
    let fields = if is_struct {
        parser.at = 2;
        let fields = parser.fields(Some('>'), 0)?;
        parser.expect('>')?;
        fields
    } else {
        parser.fields(None, 0)?
    };
    parser.expect_end()?;
    if fields.is_empty() {
        return Err(Error::statement("the schema is empty")
            .hint("Name at least one column and its type, as in 'id INT'.")
            .at(Position { line: 1, column: 1 }));
    }
    Ok(Arc::new(Schema::new(fields)))
}

/// Parses what `from_json` takes: a schema as [`parse_ddl`] does, or one type such as `ARRAY<INT>`.
///
/// # Errors
///
/// As [`parse_ddl`].
pub fn parse_ddl_type(text: &str, time_zone: &str) -> Result<DataType> {
    let mut parser = Parser::try_new(text, time_zone)?;
    if let Ok(data_type) = parser.data_type(0)
        && parser.peek() == &Token::End
    {
        return Ok(data_type);
    }
    parse_ddl(text, time_zone).map(|schema| DataType::Struct(schema.fields().clone()))
}

/// A list type with Spark's shape: nullable elements named `item`.
pub fn list_type(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", item, true)))
}

/// A map type with Spark's shape: unsorted entries of a `key` that is never null and a nullable `value`.
pub fn map_type(key: DataType, value: DataType) -> DataType {
    let entries = Fields::from(vec![
        Field::new("key", key, false),
        Field::new("value", value, true),
    ]);
    DataType::Map(
        Arc::new(Field::new("entries", DataType::Struct(entries), false)),
        false,
    )
}

struct Parser<'a> {
    tokens: Vec<(Token, Position)>,
    at: usize,
    time_zone: &'a str,
}

impl<'a> Parser<'a> {
    fn try_new(text: &str, time_zone: &'a str) -> Result<Self> {
        Ok(Self {
            tokens: tokenize(text)?,
            at: 0,
            time_zone,
        })
    }

    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn position(&self) -> Position {
        self.tokens[self.at].1
    }

    /// Takes a token; the end stays.
    fn next(&mut self) -> (Token, Position) {
        let token = self.tokens[self.at].clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn take_symbol(&mut self, symbol: char) -> bool {
        let found = *self.peek() == Token::Symbol(symbol);
        if found {
            self.next();
        }
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(found) if found.eq_ignore_ascii_case(word));
        if found {
            self.next();
        }
        found
    }

    /// Takes all of `words`, or nothing.
    fn take_words(&mut self, words: &[&str]) -> bool {
        let start = self.at;
        let found = words.iter().all(|word| self.take_word(word));
        if !found {
            self.at = start;
        }
        found
    }

    fn unexpected(&self, wanted: &str) -> Error {
        Error::statement(format!("expected {wanted} and found {}", self.peek().shown()))
            .hint("A schema reads like 'id INT, name STRING NOT NULL, tags ARRAY<STRING>, who STRUCT<first: STRING>'.")
            .at(self.position())
    }

    fn expect(&mut self, symbol: char) -> Result<()> {
        if self.take_symbol(symbol) {
            return Ok(());
        }
        Err(self.unexpected(&format!("\"{symbol}\"")))
    }

    fn expect_end(&mut self) -> Result<()> {
        match self.peek() {
            Token::End => Ok(()),
            _ => Err(self.unexpected("\",\" or the end of the schema")),
        }
    }

    /// `name[:] type [NOT NULL] [COMMENT 'text']`, separated by commas, up to `close` or the end.
    fn fields(&mut self, close: Option<char>, depth: usize) -> Result<Vec<FieldRef>> {
        let mut fields: Vec<FieldRef> = Vec::new();
        let at_end =
            |token: &Token| close.map_or(*token == Token::End, |close| *token == Token::Symbol(close));
        if at_end(self.peek()) {
            return Ok(fields);
        }
        loop {
            let position = self.position();
            let name = match self.peek() {
                Token::Word(_) | Token::Quoted(_) => match self.next().0 {
                    Token::Word(name) | Token::Quoted(name) => name,
                    other => other.shown(),
                },
                _ => return Err(self.unexpected("a column's name")),
            };
            // Spark compares names without case, so two that differ only there could not be told apart.
            if fields
                .iter()
                .any(|field| field.name().to_lowercase() == name.to_lowercase())
            {
                return Err(Error::statement(format!("the schema has two columns \"{name}\""))
                    .hint("Give one of them another name; upper and lower case are the same.")
                    .at(position));
            }
            self.take_symbol(':');
            let data_type = self.data_type(depth)?;
            let nullable = !self.take_words(&["NOT", "NULL"]);
            let mut field = Field::new(name, data_type, nullable);
            if self.take_word("COMMENT") {
                match self.next() {
                    (Token::Text(comment), _) => {
                        field = field.with_metadata(HashMap::from([("comment".to_owned(), comment)]));
                    }
                    (other, position) => {
                        return Err(Error::statement(format!(
                            "COMMENT wants a text and found {}",
                            other.shown()
                        ))
                        .hint("Write COMMENT 'what it is'.")
                        .at(position));
                    }
                }
            }
            fields.push(Arc::new(field));
            if !self.take_symbol(',') {
                return Ok(fields);
            }
        }
    }

    fn data_type(&mut self, depth: usize) -> Result<DataType> {
        if depth > MAX_DEPTH {
            return Err(
                Error::statement(format!("the type is nested more than {MAX_DEPTH} levels deep"))
                    .hint("Read the inner part as STRING and parse it with from_json.")
                    .at(self.position()),
            );
        }
        let position = self.position();
        let Token::Word(word) = self.peek().clone() else {
            return Err(self.unexpected("a type"));
        };
        self.next();
        let data_type = match word.to_uppercase().as_str() {
            "BOOLEAN" => DataType::Boolean,
            "BYTE" | "TINYINT" => DataType::Int8,
            "SHORT" | "SMALLINT" => DataType::Int16,
            "INT" | "INTEGER" => DataType::Int32,
            "LONG" | "BIGINT" => DataType::Int64,
            "FLOAT" | "REAL" => DataType::Float32,
            "DOUBLE" => DataType::Float64,
            "STRING" => self.string()?,
            "VARCHAR" | "CHAR" | "CHARACTER" => {
                self.expect('(')?;
                self.number(1, u32::MAX)?;
                self.expect(')')?;
                DataType::Utf8
            }
            "BINARY" => DataType::Binary,
            "DATE" => DataType::Date32,
            "TIMESTAMP" => self.timestamp()?,
            "TIMESTAMP_LTZ" => self.timestamp_type(true),
            "TIMESTAMP_NTZ" => self.timestamp_type(false),
            "DECIMAL" | "DEC" | "NUMERIC" => self.decimal()?,
            "VOID" => DataType::Null,
            "ARRAY" => {
                self.expect('<')?;
                let item = self.data_type(depth + 1)?;
                self.expect('>')?;
                list_type(item)
            }
            "MAP" => {
                self.expect('<')?;
                let key = self.data_type(depth + 1)?;
                self.expect(',')?;
                let value = self.data_type(depth + 1)?;
                self.expect('>')?;
                map_type(key, value)
            }
            "STRUCT" => {
                self.expect('<')?;
                let fields = self.fields(Some('>'), depth + 1)?;
                self.expect('>')?;
                DataType::Struct(Fields::from(fields))
            }
            upper => return Err(unknown_type(&word, upper).at(position)),
        };
        Ok(data_type)
    }

    fn string(&mut self) -> Result<DataType> {
        if self.take_word("COLLATE") {
            let position = self.position();
            if !self.take_word("UTF8_BINARY") {
                return Err(
                    Error::statement(format!("collation {} is not supported", self.peek().shown()))
                        .hint("Leave COLLATE out: texts are compared by their bytes, which is UTF8_BINARY.")
                        .at(position),
                );
            }
        }
        Ok(DataType::Utf8)
    }

    /// Behind the word TIMESTAMP: `(6)`, `WITHOUT TIME ZONE`, `WITH LOCAL TIME ZONE`.
    fn timestamp(&mut self) -> Result<DataType> {
        if self.take_symbol('(') {
            self.number(6, 6)?;
            self.expect(')')?;
        }
        if self.take_words(&["WITHOUT", "TIME", "ZONE"]) {
            return Ok(self.timestamp_type(false));
        }
        self.take_words(&["WITH", "LOCAL", "TIME", "ZONE"]);
        Ok(self.timestamp_type(true))
    }

    fn timestamp_type(&self, with_zone: bool) -> DataType {
        DataType::Timestamp(TimeUnit::Microsecond, with_zone.then(|| self.time_zone.into()))
    }

    fn decimal(&mut self) -> Result<DataType> {
        let (mut precision, mut scale) = (10, 0);
        if self.take_symbol('(') {
            precision = self.number(1, 38)?;
            if self.take_symbol(',') {
                scale = self.number(0, precision)?;
            }
            self.expect(')')?;
        }
        let fits =
            |value: u32| u8::try_from(value).map_err(|_| Error::internal("a decimal of more than 38 digits"));
        Ok(DataType::Decimal128(fits(precision)?, fits(scale)?.cast_signed()))
    }

    fn number(&mut self, least: u32, most: u32) -> Result<u32> {
        if let Token::Word(word) = self.peek()
            && let Ok(number) = word.parse()
            && (least..=most).contains(&number)
        {
            self.next();
            return Ok(number);
        }
        let wanted = if least == most {
            format!("{least}")
        } else if most == u32::MAX {
            format!("a number from {least} on")
        } else {
            format!("a number from {least} to {most}")
        };
        Err(self.unexpected(&wanted))
    }
}

fn unknown_type(word: &str, upper: &str) -> Error {
    if UNSUPPORTED_TYPES.contains(&upper) {
        return Error::statement(format!("type {upper} is not supported"))
            .hint(format!("The types are {}.", TYPE_WORDS.join(", ")));
    }
    let near = TYPE_WORDS
        .iter()
        .map(|known| (edit_distance(upper, known), *known))
        .min()
        .filter(|(distance, known)| *distance <= 2 && *distance < known.len() / 2 + 1);
    let question = near.map_or(String::new(), |(_, known)| format!("Did you mean {known}? "));
    Error::statement(format!("unknown type \"{word}\""))
        .hint(format!("{question}The types are {}.", TYPE_WORDS.join(", ")))
}

/// How many characters have to be put in, taken out or changed to make one word the other.
fn edit_distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, left) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in other.iter().enumerate() {
            let changed = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
#[path = "ddl_tests.rs"]
mod tests;
