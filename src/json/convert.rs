//! A JSON value into a column, by the rules of Spark's `JacksonParser`.
//!
//! A value that does not have the column's type is a mismatch: it is passed over whole and nothing is appended. What a mismatch
//! means is the surrounding value's business: the field of a struct is null, an array or a map with one is a mismatch
//! itself, and the record is bad in any case.

use super::base64;
use super::column::{Column, Data, as_offset};
use super::generate::generate;
use super::members::Members;
use super::numbers;
use super::options::{JsonOptions, shown_record};
use super::scan_number::Number;
use super::scanner::{Scan, Scanner};
use crate::types::datetime_text::common_form;
use crate::types::{
    DateTimePattern, ZoneRules, string_to_date, string_to_timestamp, string_to_timestamp_ntz,
};

/// Whether a value was appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Appended,
    /// The value was passed over.
    Mismatch,
}

/// How a value that is no text gets into a STRING column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RawText {
    /// As it is written in the record: the JSON source.
    AsWritten,
    /// Written anew, as Jackson's generator does: `from_json`.
    Generated,
}

/// Reads values. It keeps what is the same for all of them, and what was wrong with the record at hand.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "options and what is known of a record, none excluding another"
)]
pub(super) struct Converter {
    timestamp_format: Option<DateTimePattern>,
    timestamp_ntz_format: Option<DateTimePattern>,
    date_format: Option<DateTimePattern>,
    timestamp_fallback: bool,
    date_fallback: bool,
    special_texts: bool,
    zone: ZoneRules,
    now_ms: Option<i64>,
    raw_text: RawText,
    /// Whether to find words for mismatches: only where somebody reads them.
    explains: bool,
    /// Whether the record at hand had a mismatch.
    pub(super) is_bad: bool,
    /// Words for the first one.
    pub(super) explanation: String,
    scratch: Vec<u8>,
}

impl Converter {
    pub(super) fn new(options: &JsonOptions, raw_text: RawText, explains: bool) -> Self {
        let fallback = options.enable_date_time_parsing_fallback;
        Self {
            timestamp_fallback: fallback.unwrap_or(options.timestamp_format.is_none()),
            date_fallback: fallback.unwrap_or(options.date_format.is_none()),
            timestamp_format: options.timestamp_format.clone(),
            timestamp_ntz_format: options.timestamp_ntz_format.clone(),
            date_format: options.date_format.clone(),
            special_texts: options.allow_non_numeric_numbers,
            zone: options.time_zone.rules(),
            now_ms: options.now_ms,
            raw_text,
            explains,
            is_bad: false,
            explanation: String::new(),
            scratch: Vec::new(),
        }
    }

    /// Forgets the last record.
    #[inline]
    pub(super) fn begin(&mut self) {
        if self.is_bad {
            self.is_bad = false;
            self.explanation.clear();
        }
    }

    /// Reads an object into the columns of `members`, which all have `length` values; they have one more afterwards, unless the
    /// record is malformed.
    pub(super) fn object(
        &mut self,
        members: &mut Members,
        length: usize,
        scanner: &mut Scanner<'_>,
    ) -> Scan<()> {
        scanner.enter()?;
        let mut more = scanner.first_member()?;
        let mut next = 0;
        while more {
            match members.field(scanner, &mut next)? {
                Some(field) => {
                    let column = members.column_mut(field);
                    let outcome = self.value(column, scanner)?;
                    // A name came again: of the values that could be read, the last one counts.
                    if outcome == Outcome::Appended && column.len() > length + 1 {
                        column.remove(length..length + 1);
                    }
                }
                None => {
                    scanner.skip_value()?;
                }
            }
            more = scanner.next_member()?;
        }
        members.fill(length);
        Ok(())
    }

    /// Reads a value of any kind into `column`.
    #[inline]
    pub(super) fn value(&mut self, column: &mut Column, scanner: &mut Scanner<'_>) -> Scan<Outcome> {
        let byte = scanner.skip_blanks()?;
        let start = scanner.at;
        let is_appended = if scanner.is_quote(byte) {
            let text = scanner.text()?;
            if text.is_escaped {
                let mut scratch = std::mem::take(&mut self.scratch);
                scratch.clear();
                scanner.unescape(text, &mut scratch)?;
                let is_appended = self.text(&mut column.data, &scratch);
                self.scratch = scratch;
                is_appended
            } else {
                self.text(&mut column.data, &scanner.bytes[text.start..text.end])
            }
        } else {
            match byte {
                b'n' => {
                    scanner.word(b"null")?;
                    column.push_null();
                    return Ok(Outcome::Appended);
                }
                b'{' | b'[' => self.nested(column, byte, scanner)?,
                b't' | b'f' => {
                    let is_true = byte == b't';
                    scanner.word(if is_true { b"true" } else { b"false" })?;
                    boolean(&mut column.data, is_true)
                }
                _ => {
                    let number = scanner.number()?;
                    self.number(&mut column.data, &number, scanner.bytes)
                }
            }
        };
        if is_appended {
            column.push_valid();
            return Ok(Outcome::Appended);
        }
        if matches!(column.data, Data::Null) {
            column.push_null();
            return Ok(Outcome::Appended);
        }
        self.note(column, &scanner.bytes[start..scanner.at]);
        Ok(Outcome::Mismatch)
    }

    /// Notes that the record is bad.
    #[cold]
    pub(super) fn note(&mut self, column: &Column, value: &[u8]) {
        if !self.is_bad && self.explains {
            self.explanation = format!("{} is not of type {}", shown_record(value), column.type_name());
        }
        self.is_bad = true;
    }

    /// Appends a text's value; `false` if it has none of this type.
    #[inline]
    fn text(&self, data: &mut Data, bytes: &[u8]) -> bool {
        match data {
            Data::Text(texts) => {
                texts.values.extend_from_slice(bytes);
                texts.offsets.push(as_offset(texts.values.len()));
                true
            }
            Data::Timestamp(values) => push(values, self.timestamp(bytes)),
            Data::TimestampNtz(values) => push(values, self.timestamp_ntz(bytes)),
            Data::Date(values) => push(values, self.date(bytes)),
            Data::Float64(values) => push(values, self.special(bytes)),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "infinities and NaN are the same in both widths"
            )]
            Data::Float32(values) => push(values, self.special(bytes).map(|value| value as f32)),
            Data::Decimal(values, precision, scale) => {
                push(values, numbers::decimal_of_text(bytes, *precision, *scale))
            }
            Data::Binary(binaries) => {
                let is_right = base64::decode(bytes, &mut binaries.values);
                if is_right {
                    binaries.offsets.push(as_offset(binaries.values.len()));
                }
                is_right
            }
            _ => false,
        }
    }

    fn special(&self, bytes: &[u8]) -> Option<f64> {
        match bytes {
            _ if !self.special_texts => None,
            b"NaN" => Some(f64::NAN),
            b"+INF" | b"+Infinity" | b"Infinity" => Some(f64::INFINITY),
            b"-INF" | b"-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        }
    }

    #[inline]
    fn timestamp(&self, bytes: &[u8]) -> Option<i64> {
        if let Some(format) = &self.timestamp_format {
            let text = std::str::from_utf8(bytes).ok()?;
            let micros = format.parse_micros(text, self.zone);
            return micros.or_else(|| {
                self.timestamp_fallback
                    .then(|| self.legacy_timestamp(text))
                    .flatten()
            });
        }
        if let Some((local, is_utc)) = common_form(bytes) {
            return if is_utc {
                Some(local)
            } else {
                self.zone.from_local(local)
            };
        }
        let text = std::str::from_utf8(bytes).ok()?;
        let micros = string_to_timestamp(text, self.zone, self.now_ms);
        micros.or_else(|| {
            self.timestamp_fallback
                .then(|| self.legacy_timestamp(text))
                .flatten()
        })
    }

    /// Spark tries once more without the text `GMT`, as its versions before 3 did.
    fn legacy_timestamp(&self, text: &str) -> Option<i64> {
        string_to_timestamp(&text.replace("GMT", ""), self.zone, self.now_ms)
    }

    fn timestamp_ntz(&self, bytes: &[u8]) -> Option<i64> {
        let text = std::str::from_utf8(bytes).ok()?;
        match &self.timestamp_ntz_format {
            Some(format) => format.parse_micros_ntz(text, false),
            None => string_to_timestamp_ntz(text, false),
        }
    }

    fn date(&self, bytes: &[u8]) -> Option<i32> {
        let text = std::str::from_utf8(bytes).ok()?;
        let days = match &self.date_format {
            Some(format) => format.parse_days(text),
            None => string_to_date(text),
        };
        // The oldest files have days since the epoch.
        let legacy = || string_to_date(&text.replace("GMT", "")).or_else(|| text.parse().ok());
        days.or_else(|| self.date_fallback.then(legacy).flatten())
    }

    /// Appends a number's value; `false` if it has none of this type.
    #[inline]
    fn number(&self, data: &mut Data, number: &Number, bytes: &[u8]) -> bool {
        let text = &bytes[number.start..number.end];
        match data {
            Data::Float64(values) => push(values, numbers::double(number, text)),
            Data::Int64(values) => push(values, numbers::integer(number, text)),
            Data::Int32(values) => push(
                values,
                numbers::integer(number, text).and_then(|value| value.try_into().ok()),
            ),
            Data::Int16(values) => push(
                values,
                numbers::integer(number, text).and_then(|value| value.try_into().ok()),
            ),
            Data::Int8(values) => push(values, numbers::integer(number, text).and_then(byte)),
            Data::Float32(values) => push(values, numbers::float(number, text)),
            Data::Decimal(values, precision, scale) => {
                let digits = number.special.is_none().then_some(text);
                push(
                    values,
                    digits.and_then(|text| numbers::decimal(text, *precision, *scale)),
                )
            }
            // Seconds since the epoch; beyond the range they wrap, as in Spark.
            Data::Timestamp(values) => push(
                values,
                numbers::integer(number, text).map(|seconds| seconds.wrapping_mul(1_000_000)),
            ),
            Data::Text(texts) => {
                match self.raw_text {
                    RawText::AsWritten => texts.values.extend_from_slice(text),
                    RawText::Generated => numbers::generate(number, text, &mut texts.values),
                }
                texts.offsets.push(as_offset(texts.values.len()));
                true
            }
            _ => false,
        }
    }

    /// An array or an object.
    fn nested(&mut self, column: &mut Column, byte: u8, scanner: &mut Scanner<'_>) -> Scan<bool> {
        let length = column.len();
        match &mut column.data {
            Data::Struct(members) if byte == b'{' => self.object(members, length, scanner).map(|()| true),
            Data::List(offsets, items) if byte == b'[' => {
                let is_whole = self.array(items, scanner)?;
                if is_whole {
                    offsets.push(as_offset(items.len()));
                }
                Ok(is_whole)
            }
            Data::Map(offsets, keys, values) if byte == b'{' => {
                let is_whole = self.map(keys, values, scanner)?;
                if is_whole {
                    offsets.push(as_offset(keys.len()));
                }
                Ok(is_whole)
            }
            Data::Text(texts) => {
                let start = scanner.skip_value()?;
                match self.raw_text {
                    RawText::AsWritten => texts.values.extend_from_slice(&scanner.bytes[start..scanner.at]),
                    RawText::Generated => generate(scanner, start, &mut texts.values)?,
                }
                texts.offsets.push(as_offset(texts.values.len()));
                Ok(true)
            }
            _ => scanner.skip_value().map(|_| false),
        }
    }

    /// Reads an array's elements; with a mismatch among them, none.
    fn array(&mut self, items: &mut Column, scanner: &mut Scanner<'_>) -> Scan<bool> {
        let before = items.len();
        scanner.enter()?;
        let mut is_whole = true;
        let mut more = scanner.first_element()?;
        while more {
            if is_whole {
                is_whole = self.value(items, scanner)? == Outcome::Appended;
            } else {
                scanner.skip_value()?;
            }
            more = scanner.next_element()?;
        }
        if !is_whole {
            items.truncate(before);
        }
        Ok(is_whole)
    }

    /// Reads an object's members as keys and values; with a mismatch among them, none. A key that comes again stays twice, as
    /// in Spark, whose lookups find the first.
    fn map(&mut self, keys: &mut Column, values: &mut Column, scanner: &mut Scanner<'_>) -> Scan<bool> {
        let before = keys.len();
        scanner.enter()?;
        let mut is_whole = true;
        let mut more = scanner.first_member()?;
        while more {
            let name = scanner.name()?;
            if let Data::Text(texts) = &mut keys.data {
                scanner.unescape(name, &mut texts.values)?;
                texts.offsets.push(as_offset(texts.values.len()));
            }
            keys.push_valid();
            if self.value(values, scanner)? == Outcome::Mismatch {
                is_whole = false;
                values.push_null();
            }
            more = scanner.next_member()?;
        }
        if !is_whole {
            keys.truncate(before);
            values.truncate(before);
        }
        Ok(is_whole)
    }
}

fn boolean(data: &mut Data, value: bool) -> bool {
    match data {
        Data::Boolean(values) => {
            values.push(value);
            true
        }
        Data::Text(texts) => {
            texts
                .values
                .extend_from_slice(if value { b"true" } else { b"false" });
            texts.offsets.push(as_offset(texts.values.len()));
            true
        }
        _ => false,
    }
}

/// Jackson takes 128 to 255 for a byte, and they come out negative.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range was checked, and wrapping in it is meant"
)]
fn byte(value: i64) -> Option<i8> {
    (-128..=255).contains(&value).then_some(value as i8)
}

#[inline]
fn push<T>(values: &mut Vec<T>, value: Option<T>) -> bool {
    match value {
        Some(value) => {
            values.push(value);
            true
        }
        None => false,
    }
}
