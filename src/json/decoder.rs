//! JSON lines into record batches: the JSON source's decoder.
//!
//! ```text
//! line --> Scanner ----> Converter ----> Column, Column, ... ----> RecordBatch
//!          blanks,       by the          growing vectors           flush
//!          texts,        column's type,
//!          numbers       Spark's rules
//! ```
//!
//! One pass over the bytes. Fields that the schema does not have are skipped, though still checked to be JSON. A record
//! that is not leaves what it appended so far, and that is taken back.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Schema, SchemaRef};

use super::column::{Column, Data, as_offset};
use super::convert::{Converter, RawText};
use super::members::Members;
use super::nullable::as_nullable;
use super::options::{JsonOptions, ParseMode, shown_record};
use super::scanner::{Grammar, Malformed, Scan, Scanner};
use crate::error::{Error, Result};

/// Decodes JSON lines by a schema, with the semantics of Spark's JSON source.
///
/// The schema may be a projection of the source's: only its columns are decoded, and only they decide whether a record is
/// bad, apart from its being JSON at all. Names are matched exactly. Columns are nullable whatever the schema says.
///
/// ```
/// use highwater::json::{JsonDecoder, JsonOptions};
/// use highwater::types::parse_ddl;
///
/// let schema = parse_ddl("user STRING, amount DOUBLE", "UTC")?;
/// let mut decoder = JsonDecoder::try_new(schema, JsonOptions::default())?;
/// decoder.decode_line(br#"{"user":"ann","amount":1.25}"#)?;
/// assert_eq!(decoder.flush()?.num_rows(), 1);
/// # Ok::<(), highwater::error::Error>(())
/// ```
#[derive(Debug)]
pub struct JsonDecoder {
    schema: SchemaRef,
    mode: ParseMode,
    grammar: Grammar,
    converter: Converter,
    members: Members,
    /// The column that gets the text of bad records.
    corrupt: Option<usize>,
    /// Whether nothing depends on what is in an object: it is counted by its brace.
    only_counts: bool,
    rows: usize,
}

impl JsonDecoder {
    /// A decoder for the columns of `schema`.
    ///
    /// # Errors
    ///
    /// A statement error if a column has a type that JSON does not give, or the column for corrupt records is not a STRING.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the decoder may keep more of its options one day"
    )]
    pub fn try_new(schema: SchemaRef, options: JsonOptions) -> Result<Self> {
        let schema = as_nullable(&schema);
        let corrupt = corrupt_column(&schema, &options)?;
        Ok(Self {
            mode: options.mode,
            grammar: Grammar::new(&options),
            converter: Converter::new(&options, RawText::AsWritten, options.mode == ParseMode::FailFast),
            members: Members::try_new(schema.fields(), corrupt, "")?,
            corrupt,
            only_counts: schema.fields().is_empty() && options.mode == ParseMode::Permissive,
            rows: 0,
            schema,
        })
    }

    /// The schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// How many rows the next [`Self::flush`] will give.
    pub fn num_rows(&self) -> usize {
        self.rows
    }

    /// Decodes one line: no row if it is blank, one if it is an object, one an element if it is an array of objects. What is
    /// behind the first value is not looked at, as in Spark.
    ///
    /// # Errors
    ///
    /// In mode FAILFAST a source error that shows the record's beginning and says what is wrong with it.
    pub fn decode_line(&mut self, line: &[u8]) -> Result<()> {
        if self.only_counts && line.trim_ascii_start().starts_with(b"{") {
            self.rows += 1;
            return Ok(());
        }
        let before = self.rows;
        self.converter.begin();
        let (text, is_cut) = utf8_prefix(line);
        match self.record(&mut Scanner::new(text, self.grammar), is_cut) {
            Ok(()) if !self.converter.is_bad => Ok(()),
            Ok(()) => self.bad_record(line, before, None),
            Err(malformed) => self.bad_record(line, before, Some((malformed, text))),
        }
    }

    /// The rows since the last flush, as one batch.
    ///
    /// # Errors
    ///
    /// A source error if there is more text in a column than a batch can hold, 2 GiB.
    pub fn flush(&mut self) -> Result<RecordBatch> {
        let rows = std::mem::take(&mut self.rows);
        // All columns are emptied, whatever comes of one of them.
        let columns: Vec<Result<ArrayRef>> = self.members.columns_mut().map(Column::take).collect();
        let columns = columns.into_iter().collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            columns,
            &options,
        )?)
    }

    /// Reads a record; every column has as many values as there are rows afterwards, unless it is malformed.
    #[inline]
    fn record(&mut self, scanner: &mut Scanner<'_>, is_cut: bool) -> Scan<()> {
        match scanner.skip_blanks()? {
            b'{' => self.row(scanner),
            b'[' => {
                scanner.enter()?;
                let mut more = scanner.first_element()?;
                while more {
                    if scanner.skip_blanks()? != b'{' {
                        return scanner.malformed("expected an object in the array of rows");
                    }
                    self.row(scanner)?;
                    more = scanner.next_element()?;
                }
                Ok(())
            }
            0 if !is_cut => Ok(()),
            _ => scanner.malformed("expected an object"),
        }
    }

    #[inline]
    fn row(&mut self, scanner: &mut Scanner<'_>) -> Scan<()> {
        self.converter.object(&mut self.members, self.rows, scanner)?;
        self.rows += 1;
        Ok(())
    }

    /// Does with a bad record what the mode says. Its rows from `before` on are there if it is not malformed.
    #[cold]
    fn bad_record(
        &mut self,
        record: &[u8],
        before: usize,
        malformed: Option<(Malformed, &[u8])>,
    ) -> Result<()> {
        if self.mode != ParseMode::Permissive || malformed.is_some() {
            self.members
                .columns_mut()
                .for_each(|column| column.truncate(before));
            self.rows = before;
        }
        match self.mode {
            ParseMode::DropMalformed => return Ok(()),
            ParseMode::FailFast => {
                return Err(malformed_record(record, malformed, &self.converter.explanation));
            }
            ParseMode::Permissive => {}
        }
        if malformed.is_some() {
            self.members.fill(before);
            self.rows += 1;
        }
        if let Some(index) = self.corrupt {
            let column = self.members.column_mut(index);
            column.truncate(before);
            for _ in before..self.rows {
                push_text(column, &String::from_utf8_lossy(record));
            }
        }
        Ok(())
    }
}

/// The part of a record that is UTF-8, without a byte order mark, and whether something is missing behind it: that makes the
/// record malformed, unless it was complete before.
#[inline]
pub(super) fn utf8_prefix(record: &[u8]) -> (&[u8], bool) {
    let (text, is_cut) = match std::str::from_utf8(record) {
        Ok(_) => (record, false),
        Err(error) => (&record[..error.valid_up_to()], true),
    };
    (text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text), is_cut)
}

/// The error of mode FAILFAST: what is wrong, where in the record, and the record's beginning.
pub(super) fn malformed_record(
    record: &[u8],
    malformed: Option<(Malformed, &[u8])>,
    explanation: &str,
) -> Error {
    let reason = match malformed {
        Some((malformed, text)) => {
            let before = &text[..malformed.at.min(text.len())];
            let place = String::from_utf8_lossy(before).chars().count() + 1;
            format!("{} at character {place}", malformed.reason)
        }
        None => explanation.to_owned(),
    };
    Error::source(format!("malformed record, {reason}: {}", shown_record(record))).hint(
        "Set mode to PERMISSIVE to get null for what cannot be read, or to DROPMALFORMED to leave such records out.",
    )
}

/// Appends a text to a column of them.
pub(super) fn push_text(column: &mut Column, text: &str) {
    if let Data::Text(texts) = &mut column.data {
        texts.values.extend_from_slice(text.as_bytes());
        texts.offsets.push(as_offset(texts.values.len()));
        column.push_valid();
    }
}

/// The column for corrupt records, if the schema has it.
pub(super) fn corrupt_column(schema: &Schema, options: &JsonOptions) -> Result<Option<usize>> {
    let name = &options.column_name_of_corrupt_record;
    let Some((index, field)) = schema.column_with_name(name) else {
        return Ok(None);
    };
    if *field.data_type() != DataType::Utf8 {
        return Err(Error::statement(format!(
            "column \"{name}\" takes the text of corrupt records and is not a STRING"
        ))
        .hint("Declare it as STRING, or name another one with columnNameOfCorruptRecord."));
    }
    Ok(Some(index))
}

#[cfg(test)]
#[path = "decoder_tests.rs"]
mod tests;
