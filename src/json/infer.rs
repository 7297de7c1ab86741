//! A schema from records, as Spark's `JsonInferSchema` finds it.
//!
//! Every record gives a type, types merge into one that holds both, and what is null to the end becomes STRING. Fields are
//! sorted by name. Whole numbers are BIGINT, or DECIMAL beyond it; others DOUBLE; what does not go together is STRING.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

use super::decoder::{malformed_record, utf8_prefix};
use super::numbers;
use super::options::{JsonOptions, ParseMode, shown_record};
use super::scan_number::Number;
use super::scanner::{Grammar, Scan, Scanner};
use crate::error::{Error, Result};
use crate::types::ddl::list_type;
use crate::types::{string_to_timestamp, string_to_timestamp_ntz};

/// Spark's largest precision of decimals.
const MAX_PRECISION: i64 = 38;
/// The digits of a BIGINT, as Spark counts them.
const LONG_DIGITS: i64 = 20;

/// A type that grows with the values it has to hold.
#[derive(Debug, Clone, PartialEq)]
enum Inferred {
    /// Nothing but nulls and empty texts so far.
    Null,
    Boolean,
    Long,
    Double,
    /// Precision and scale.
    Decimal(i64, i64),
    Timestamp,
    Text,
    Array(Box<Inferred>),
    /// Sorted by name.
    Struct(Vec<(String, Inferred)>),
}

/// Finds a schema, record by record.
#[derive(Debug)]
pub struct SchemaInference {
    options: JsonOptions,
    grammar: Grammar,
    root: Vec<(String, Inferred)>,
}

/// Finds the schema of JSON lines. See [`SchemaInference`].
///
/// # Errors
///
/// As [`SchemaInference::push_line`] and [`SchemaInference::finish`].
pub fn infer_schema<'a>(
    lines: impl IntoIterator<Item = &'a [u8]>,
    options: &JsonOptions,
) -> Result<SchemaRef> {
    let mut inference = SchemaInference::new(options);
    for line in lines {
        inference.push_line(line)?;
    }
    inference.finish()
}

impl SchemaInference {
    /// An inference that has seen nothing.
    pub fn new(options: &JsonOptions) -> Self {
        Self {
            options: options.clone(),
            grammar: Grammar::new(options),
            root: Vec::new(),
        }
    }

    /// Takes a record into account.
    ///
    /// # Errors
    ///
    /// In mode FAILFAST a source error for a record that is not an object, or an array of objects.
    pub fn push_line(&mut self, line: &[u8]) -> Result<()> {
        let (text, is_cut) = utf8_prefix(line);
        let mut scanner = Scanner::new(text, self.grammar);
        let inferred = scanner.skip_blanks().and_then(|byte| {
            if byte == 0 && !is_cut {
                return Ok(Inferred::Null);
            }
            self.value(&mut scanner)
        });
        match inferred {
            Ok(inferred) => self.push_root(inferred, line),
            Err(malformed) if self.options.mode == ParseMode::FailFast => {
                Err(malformed_record(line, Some((malformed, text)), ""))
            }
            Err(_) => {
                if self.options.mode == ParseMode::Permissive {
                    let name = self.options.column_name_of_corrupt_record.clone();
                    merge_fields(&mut self.root, vec![(name, Inferred::Text)]);
                }
                Ok(())
            }
        }
    }

    /// The schema of all records so far.
    ///
    /// # Errors
    ///
    /// A source error if two fields differ in nothing but upper and lower case.
    pub fn finish(self) -> Result<SchemaRef> {
        let fields = self.fields(&self.root);
        for (index, field) in fields.iter().enumerate() {
            let name = field.name().to_lowercase();
            if let Some(other) = fields[..index]
                .iter()
                .find(|other| other.name().to_lowercase() == name)
            {
                return Err(Error::source(format!(
                    "the records have fields \"{}\" and \"{}\", which are one column",
                    other.name(),
                    field.name()
                ))
                .hint("Give a schema with the one that you need."));
            }
        }
        Ok(Arc::new(Schema::new(fields)))
    }

    /// Merges a record's type into the schema, an array's elements being records too.
    fn push_root(&mut self, inferred: Inferred, line: &[u8]) -> Result<()> {
        match inferred {
            Inferred::Null => {}
            Inferred::Array(element) => return self.push_root(*element, line),
            Inferred::Struct(fields) => merge_fields(&mut self.root, fields),
            _ if self.options.mode == ParseMode::FailFast => {
                return Err(Error::source(format!(
                    "malformed record, expected an object: {}",
                    shown_record(line)
                ))
                .hint("Set mode to PERMISSIVE, or to DROPMALFORMED to leave such records out."));
            }
            _ => self.push_corrupt(),
        }
        Ok(())
    }

    /// In mode PERMISSIVE, records that are no objects have a column of their own, unless there is one of its name.
    fn push_corrupt(&mut self) {
        let name = &self.options.column_name_of_corrupt_record;
        if self.options.mode == ParseMode::Permissive
            && let Err(at) = self
                .root
                .binary_search_by(|(other, _)| compare_names(other, name))
        {
            self.root.insert(at, (name.clone(), Inferred::Text));
        }
    }

    fn value(&self, scanner: &mut Scanner<'_>) -> Scan<Inferred> {
        let byte = scanner.skip_blanks()?;
        if scanner.is_quote(byte) {
            let text = scanner.text()?;
            let mut bytes = Vec::new();
            scanner.unescape(text, &mut bytes)?;
            return Ok(self.text(&bytes));
        }
        match byte {
            b'{' => {
                scanner.enter()?;
                let mut fields = Vec::new();
                let mut more = scanner.first_member()?;
                while more {
                    let name = scanner.name()?;
                    let mut bytes = Vec::new();
                    scanner.unescape(name, &mut bytes)?;
                    let value = self.value(scanner)?;
                    merge_fields(
                        &mut fields,
                        vec![(String::from_utf8_lossy(&bytes).into_owned(), value)],
                    );
                    more = scanner.next_member()?;
                }
                Ok(Inferred::Struct(fields))
            }
            b'[' => {
                scanner.enter()?;
                let mut element = Inferred::Null;
                let mut more = scanner.first_element()?;
                while more {
                    element = merge(element, self.value(scanner)?);
                    more = scanner.next_element()?;
                }
                Ok(Inferred::Array(Box::new(element)))
            }
            b'n' => scanner.word(b"null").map(|()| Inferred::Null),
            b't' | b'f' => {
                scanner.word(if byte == b't' { b"true" } else { b"false" })?;
                Ok(if self.options.primitives_as_string {
                    Inferred::Text
                } else {
                    Inferred::Boolean
                })
            }
            _ => {
                let number = scanner.number()?;
                let text = &scanner.bytes[number.start..number.end];
                Ok(if self.options.primitives_as_string {
                    Inferred::Text
                } else {
                    self.number(&number, text)
                })
            }
        }
    }

    fn number(&self, number: &Number, text: &[u8]) -> Inferred {
        if numbers::integer(number, text).is_some() {
            return Inferred::Long;
        }
        if number.special.is_none() && (number.is_integer || self.options.prefers_decimal) {
            return decimal(text).unwrap_or(Inferred::Double);
        }
        Inferred::Double
    }

    fn text(&self, bytes: &[u8]) -> Inferred {
        if bytes.is_empty() {
            return Inferred::Null;
        }
        if self.options.prefers_decimal
            && let Some(decimal) = decimal(bytes)
        {
            return decimal;
        }
        match std::str::from_utf8(bytes) {
            Ok(text) if self.options.infer_timestamp && self.is_timestamp(text) => Inferred::Timestamp,
            _ => Inferred::Text,
        }
    }

    fn is_timestamp(&self, text: &str) -> bool {
        let zone = self.options.time_zone.rules();
        let without_zone = match &self.options.timestamp_ntz_format {
            Some(format) => format.parse_micros_ntz(text, false),
            None => string_to_timestamp_ntz(text, false),
        };
        let with_zone = || match &self.options.timestamp_format {
            Some(format) => format.parse_micros(text, zone),
            // A time alone is a timestamp of today, whatever day that is.
            None => string_to_timestamp(text, zone, Some(0)),
        };
        without_zone.or_else(with_zone).is_some()
    }

    /// The fields that are left when structs without fields are taken out, and names without letters.
    fn fields(&self, fields: &[(String, Inferred)]) -> Fields {
        fields
            .iter()
            .filter(|(name, _)| !name.is_empty())
            .filter_map(|(name, inferred)| Some(Field::new(name, self.data_type(inferred)?, true)))
            .collect()
    }

    fn data_type(&self, inferred: &Inferred) -> Option<DataType> {
        Some(match inferred {
            Inferred::Null if self.options.drop_field_if_all_null => return None,
            Inferred::Null | Inferred::Text => DataType::Utf8,
            Inferred::Boolean => DataType::Boolean,
            Inferred::Long => DataType::Int64,
            Inferred::Double => DataType::Float64,
            Inferred::Decimal(precision, scale) => {
                DataType::Decimal128(u8::try_from(*precision).ok()?, i8::try_from(*scale).ok()?)
            }
            Inferred::Timestamp => {
                DataType::Timestamp(TimeUnit::Microsecond, Some(self.options.time_zone.id().into()))
            }
            Inferred::Array(element) => list_type(self.data_type(element)?),
            Inferred::Struct(fields) => {
                let fields = self.fields(fields);
                if fields.is_empty() {
                    return None;
                }
                DataType::Struct(fields)
            }
        })
    }
}

/// The decimal type for a number's text, if there is one with so many digits.
fn decimal(text: &[u8]) -> Option<Inferred> {
    let bare: Vec<u8> = text.iter().copied().filter(|byte| *byte != b',').collect();
    let (precision, scale) = numbers::precision_and_scale(&bare)?;
    // Spark has no negative scales: their zeros are digits.
    let (precision, scale) = (precision - scale.min(0), scale.max(0));
    let precision = precision.max(scale);
    (precision <= MAX_PRECISION).then_some(Inferred::Decimal(precision, scale))
}

/// Java's order of strings, by UTF-16 units.
fn compare_names(one: &str, other: &str) -> Ordering {
    one.encode_utf16().cmp(other.encode_utf16())
}

fn merge_fields(fields: &mut Vec<(String, Inferred)>, others: Vec<(String, Inferred)>) {
    for (name, other) in others {
        match fields.binary_search_by(|(known, _)| compare_names(known, &name)) {
            Ok(at) => {
                let known = std::mem::replace(&mut fields[at].1, Inferred::Null);
                fields[at].1 = merge(known, other);
            }
            Err(at) => fields.insert(at, (name, other)),
        }
    }
}

/// The type that holds the values of both.
fn merge(one: Inferred, other: Inferred) -> Inferred {
    use Inferred::{Array, Decimal, Double, Long, Null, Struct, Text};
    match (one, other) {
        (Null, known) | (known, Null) => known,
        (one, other) if one == other => one,
        (Long | Decimal(..), Double) | (Double, Long | Decimal(..)) => Double,
        (Long, Decimal(precision, scale)) | (Decimal(precision, scale), Long) => {
            merge_decimals((precision, scale), (LONG_DIGITS, 0))
        }
        (Decimal(p1, s1), Decimal(p2, s2)) => merge_decimals((p1, s1), (p2, s2)),
        (Array(one), Array(other)) => Array(Box::new(merge(*one, *other))),
        (Struct(mut fields), Struct(others)) => {
            merge_fields(&mut fields, others);
            Struct(fields)
        }
        _ => Text,
    }
}

/// As many digits before the point, and behind it, as either has.
fn merge_decimals(one: (i64, i64), other: (i64, i64)) -> Inferred {
    let scale = one.1.max(other.1);
    let precision = (one.0 - one.1).max(other.0 - other.1) + scale;
    if precision > MAX_PRECISION {
        Inferred::Double
    } else {
        Inferred::Decimal(precision, scale)
    }
}

#[cfg(test)]
#[path = "infer_tests.rs"]
mod tests;
