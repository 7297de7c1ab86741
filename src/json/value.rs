//! One value a text: what `from_json` needs.
//!
//! It differs from the JSON source in that every input gives exactly one value, that the schema may be an array or a map,
//! that an array is no struct, and that what is put into STRING fields is written anew.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Schema};

use super::column::{Column, Data, as_offset};
use super::convert::{Converter, Outcome, RawText};
use super::decoder::{corrupt_column, malformed_record, push_text, utf8_prefix};
use super::members::Members;
use super::nullable::nullable_type;
use super::options::{JsonOptions, ParseMode};
use super::scanner::{Grammar, Malformed, Scan, Scanner};
use crate::error::{Error, Result};

/// Decodes texts into values of one type, with the semantics of Spark's `from_json`.
#[derive(Debug)]
pub struct JsonValueDecoder {
    data_type: DataType,
    mode: ParseMode,
    grammar: Grammar,
    converter: Converter,
    column: Column,
    /// The field of a struct that gets the text of bad values.
    corrupt: Option<usize>,
}

impl JsonValueDecoder {
    /// A decoder for values of `data_type`: a struct, an array or a map.
    ///
    /// # Errors
    ///
    /// A statement error if the type is another, or has one inside that JSON does not give, or the mode is DROPMALFORMED.
    #[expect(clippy::needless_pass_by_value, reason = "as JsonDecoder::try_new")]
    pub fn try_new(data_type: &DataType, options: JsonOptions) -> Result<Self> {
        let data_type = nullable_type(data_type);
        let mut column = Column::try_new(&data_type, "")?;
        let corrupt = match &data_type {
            DataType::Struct(fields) => {
                let corrupt = corrupt_column(&Schema::new(fields.clone()), &options)?;
                column.data = Data::Struct(Members::try_new(fields, corrupt, "")?);
                corrupt
            }
            DataType::List(_) | DataType::Map(..) => None,
            _ => {
                return Err(
                    Error::statement(format!("from_json cannot give a {}", column.type_name())).hint(
                        "Write a schema such as 'id INT, name STRING', an ARRAY<...> or a MAP<STRING, ...>.",
                    ),
                );
            }
        };
        if options.mode == ParseMode::DropMalformed {
            return Err(Error::statement(
                "from_json has no mode DROPMALFORMED, it has a value for every row",
            )
            .hint("Write PERMISSIVE or FAILFAST."));
        }
        Ok(Self {
            mode: options.mode,
            grammar: Grammar::new(&options),
            converter: Converter::new(&options, RawText::Generated, options.mode == ParseMode::FailFast),
            column,
            corrupt,
            data_type,
        })
    }

    /// The type of the values.
    pub fn data_type(&self) -> &DataType {
        &self.data_type
    }

    /// How many values the next [`Self::flush`] will give.
    pub fn num_rows(&self) -> usize {
        self.column.len()
    }

    /// Decodes a text and appends one value: null for none and for a blank one; where it is not what the type says, a struct of
    /// nulls, or no array or map.
    ///
    /// # Errors
    ///
    /// In mode FAILFAST a source error that shows the text's beginning and says what is wrong with it.
    pub fn decode_value(&mut self, text: Option<&[u8]>) -> Result<()> {
        let Some(text) = text.filter(|text| text.iter().any(|byte| *byte > b' ')) else {
            self.column.push_null();
            return Ok(());
        };
        let before = self.column.len();
        self.converter.begin();
        let (valid, is_cut) = utf8_prefix(text);
        match self.root(&mut Scanner::new(valid, self.grammar), is_cut) {
            Ok(()) if !self.converter.is_bad => Ok(()),
            Ok(()) => self.bad_value(text, before, None),
            Err(malformed) => self.bad_value(text, before, Some((malformed, valid))),
        }
    }

    /// The values since the last flush, as one array.
    ///
    /// # Errors
    ///
    /// A source error if there is more text in a field than an array can hold, 2 GiB.
    pub fn flush(&mut self) -> Result<ArrayRef> {
        self.column.take()
    }

    /// Reads the value, and appends one unless it is a mismatch.
    fn root(&mut self, scanner: &mut Scanner<'_>, is_cut: bool) -> Scan<()> {
        let byte = scanner.skip_blanks()?;
        if byte == 0 && !is_cut {
            // Nothing but comments.
            self.column.push_null();
            return Ok(());
        }
        if byte == b'n' {
            scanner.word(b"null")?;
            self.converter.note(&self.column, b"null");
            return Ok(());
        }
        if byte == b'{' && self.is_array_of_structs() {
            return self.lone_element(scanner);
        }
        self.converter.value(&mut self.column, scanner).map(|_| ())
    }

    fn is_array_of_structs(&self) -> bool {
        matches!(&self.data_type, DataType::List(item) if matches!(item.data_type(), DataType::Struct(_)))
    }

    /// An object where an array of them is wanted is its only element.
    fn lone_element(&mut self, scanner: &mut Scanner<'_>) -> Scan<()> {
        if let Data::List(offsets, items) = &mut self.column.data
            && self.converter.value(items, scanner)? == Outcome::Appended
        {
            offsets.push(as_offset(items.len()));
            self.column.push_valid();
        }
        Ok(())
    }

    #[cold]
    fn bad_value(&mut self, text: &[u8], before: usize, malformed: Option<(Malformed, &[u8])>) -> Result<()> {
        if self.mode == ParseMode::FailFast {
            self.column.truncate(before);
            return Err(malformed_record(text, malformed, &self.converter.explanation));
        }
        if malformed.is_some() {
            self.column.truncate(before);
        }
        let has_value = self.column.len() > before;
        let Data::Struct(members) = &mut self.column.data else {
            if !has_value {
                self.column.push_null();
            }
            return Ok(());
        };
        if !has_value {
            members.fill(before);
        }
        if let Some(index) = self.corrupt {
            let column = members.column_mut(index);
            column.truncate(before);
            push_text(column, &String::from_utf8_lossy(text));
        }
        if !has_value {
            self.column.push_valid();
        }
        Ok(())
    }
}

/// Decodes a whole array of texts at once. See [`JsonValueDecoder`].
///
/// # Errors
///
/// As [`JsonValueDecoder::try_new`] and [`JsonValueDecoder::decode_value`].
pub fn decode_values<'a>(
    texts: impl IntoIterator<Item = Option<&'a str>>,
    data_type: &DataType,
    options: JsonOptions,
) -> Result<ArrayRef> {
    let mut decoder = JsonValueDecoder::try_new(data_type, options)?;
    for text in texts {
        decoder.decode_value(text.map(str::as_bytes))?;
    }
    decoder.flush()
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
