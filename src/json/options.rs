//! The options of Spark's JSON source, by Spark's names.

use crate::error::{Error, Result};
use crate::types::time_zone::TimeZone;
use crate::types::{DateTimePattern, PatternUse};

/// The longest piece of a record that a message shows, in characters.
const SHOWN_CHARACTERS: usize = 200;

/// What becomes of a record that is not as the schema says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ParseMode {
    /// Fields that cannot be read are null, and so is all of a record that is not JSON.
    #[default]
    Permissive,
    /// The record is left out.
    DropMalformed,
    /// The query fails.
    FailFast,
}

/// How JSON is read. `Default` is Spark's default, in UTC.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of Spark's of its own"
)]
pub struct JsonOptions {
    /// `mode`.
    pub mode: ParseMode,
    /// `columnNameOfCorruptRecord`: the column that gets the text of a bad record, where the schema has it.
    pub column_name_of_corrupt_record: String,
    /// `timestampFormat`; without one, what CAST takes.
    pub timestamp_format: Option<DateTimePattern>,
    /// `timestampNTZFormat`; without one, what CAST takes.
    pub timestamp_ntz_format: Option<DateTimePattern>,
    /// `dateFormat`; without one, what CAST takes.
    pub date_format: Option<DateTimePattern>,
    /// `timeZone`: that of timestamps without their own; the session's by default.
    pub time_zone: TimeZone,
    /// `enableDateTimeParsingFallback`: texts that a format does not fit are tried without it; by default only where there is
    /// no format.
    pub enable_date_time_parsing_fallback: Option<bool>,
    /// `allowComments`: `/* */` and `//`, as in Java.
    pub allow_comments: bool,
    /// `allowUnquotedFieldNames`.
    pub allow_unquoted_field_names: bool,
    /// `allowSingleQuotes`: for names and texts.
    pub allow_single_quotes: bool,
    /// `allowNumericLeadingZeros`: `007`.
    pub allow_numeric_leading_zeros: bool,
    /// `allowNonNumericNumbers`: `NaN`, `Infinity`, `-Infinity`, `+INF`, `-INF`, bare and quoted.
    pub allow_non_numeric_numbers: bool,
    /// `allowBackslashEscapingAnyCharacter`: `\q` is `q`.
    pub allow_backslash_escaping_any_character: bool,
    /// `allowUnquotedControlChars`: tabs and the like in texts.
    pub allow_unquoted_control_chars: bool,
    /// `primitivesAsString`: numbers and booleans are inferred as STRING.
    pub primitives_as_string: bool,
    /// `prefersDecimal`: numbers with a fraction are inferred as DECIMAL where they fit.
    pub prefers_decimal: bool,
    /// `inferTimestamp`: texts that are timestamps are inferred as TIMESTAMP.
    pub infer_timestamp: bool,
    /// `dropFieldIfAllNull`: fields without a value are left out of the inferred schema.
    pub drop_field_if_all_null: bool,
    /// The moment whose day a time without a date belongs to, in milliseconds since the epoch: a batch's own timestamp, so
    /// that reading it again gives the same rows. Without it such texts are not timestamps.
    pub now_ms: Option<i64>,
}

impl Default for JsonOptions {
    fn default() -> Self {
        Self {
            mode: ParseMode::default(),
            column_name_of_corrupt_record: "_corrupt_record".into(),
            timestamp_format: None,
            timestamp_ntz_format: None,
            date_format: None,
            time_zone: TimeZone::utc(),
            enable_date_time_parsing_fallback: None,
            allow_comments: false,
            allow_unquoted_field_names: false,
            allow_single_quotes: true,
            allow_numeric_leading_zeros: false,
            allow_non_numeric_numbers: true,
            allow_backslash_escaping_any_character: false,
            allow_unquoted_control_chars: false,
            primitives_as_string: false,
            prefers_decimal: false,
            infer_timestamp: false,
            drop_field_if_all_null: false,
            now_ms: None,
        }
    }
}

impl JsonOptions {
    /// The names that [`Self::set`] knows.
    pub const NAMES: [&'static str; 18] = [
        "mode",
        "columnNameOfCorruptRecord",
        "timestampFormat",
        "timestampNTZFormat",
        "dateFormat",
        "timeZone",
        "enableDateTimeParsingFallback",
        "allowComments",
        "allowUnquotedFieldNames",
        "allowSingleQuotes",
        "allowNumericLeadingZeros",
        "allowNonNumericNumbers",
        "allowBackslashEscapingAnyCharacter",
        "allowUnquotedControlChars",
        "primitivesAsString",
        "prefersDecimal",
        "inferTimestamp",
        "dropFieldIfAllNull",
    ];

    /// Sets an option by Spark's name, whatever its case. Gives whether it is one of these: the reader has its own.
    ///
    /// # Errors
    ///
    /// A statement error if the value is not one of the option's.
    pub fn set(&mut self, name: &str, value: &str) -> Result<bool> {
        let flag = || parse_flag(name, value);
        let pattern = || DateTimePattern::try_new(value, PatternUse::Parse).map(Some);
        match name.to_ascii_lowercase().as_str() {
            "mode" => self.mode = parse_mode(value)?,
            "columnnameofcorruptrecord" => value.clone_into(&mut self.column_name_of_corrupt_record),
            "timestampformat" => self.timestamp_format = pattern()?,
            "timestampntzformat" => self.timestamp_ntz_format = pattern()?,
            "dateformat" => self.date_format = pattern()?,
            "timezone" => self.time_zone = TimeZone::try_new(value)?,
            "enabledatetimeparsingfallback" => self.enable_date_time_parsing_fallback = Some(flag()?),
            "allowcomments" => self.allow_comments = flag()?,
            "allowunquotedfieldnames" => self.allow_unquoted_field_names = flag()?,
            "allowsinglequotes" => self.allow_single_quotes = flag()?,
            "allownumericleadingzeros" => self.allow_numeric_leading_zeros = flag()?,
            "allownonnumericnumbers" => self.allow_non_numeric_numbers = flag()?,
            "allowbackslashescapinganycharacter" => self.allow_backslash_escaping_any_character = flag()?,
            "allowunquotedcontrolchars" => self.allow_unquoted_control_chars = flag()?,
            "primitivesasstring" => self.primitives_as_string = flag()?,
            "prefersdecimal" => self.prefers_decimal = flag()?,
            "infertimestamp" => self.infer_timestamp = flag()?,
            "dropfieldifallnull" => self.drop_field_if_all_null = flag()?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn parse_mode(value: &str) -> Result<ParseMode> {
    match value.to_ascii_uppercase().as_str() {
        "PERMISSIVE" => Ok(ParseMode::Permissive),
        "DROPMALFORMED" => Ok(ParseMode::DropMalformed),
        "FAILFAST" => Ok(ParseMode::FailFast),
        _ => Err(Error::statement(format!("there is no parse mode \"{value}\""))
            .hint("Write PERMISSIVE, DROPMALFORMED or FAILFAST.")),
    }
}

fn parse_flag(name: &str, value: &str) -> Result<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(
            Error::statement(format!("option \"{name}\" is true or false, not \"{value}\""))
                .hint(format!("Write {name} 'true' or {name} 'false'.")),
        ),
    }
}

/// A record as a message shows it: the beginning, control characters escaped.
pub(super) fn shown_record(record: &[u8]) -> String {
    let text = String::from_utf8_lossy(record);
    let mut shown = String::new();
    let mut characters = text.trim().chars();
    for character in characters.by_ref().take(SHOWN_CHARACTERS) {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    if characters.next().is_some() {
        shown.push_str("...");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_known_in_any_case() {
        let mut options = JsonOptions::default();
        for name in JsonOptions::NAMES {
            let value = match name {
                "mode" => "failfast",
                "columnNameOfCorruptRecord" => "bad",
                "timeZone" => "Europe/Paris",
                _ if name.ends_with("Format") => "yyyy",
                _ => "TRUE",
            };
            assert!(options.set(&name.to_uppercase(), value).expect(name), "{name}");
        }
        assert!(!options.set("maxFilesPerTrigger", "1").expect("not ours"));
        assert_eq!(options.mode, ParseMode::FailFast);
        assert_eq!(options.time_zone.id(), "Europe/Paris");
        assert!(options.drop_field_if_all_null);
    }

    #[test]
    fn wrong_values_are_refused_with_a_hint() {
        for (name, value) in [
            ("mode", "bogus"),
            ("allowComments", "yes"),
            ("dateFormat", "ww"),
            ("timeZone", "Mars"),
        ] {
            let error = JsonOptions::default().set(name, value).expect_err(name);
            assert!(error.hint_text().is_some(), "{name}");
        }
    }

    #[test]
    fn long_records_are_cut_and_harmless() {
        assert_eq!(shown_record(b" {\"a\":\"\x1b[31m\"} "), "{\"a\":\"\\u{1b}[31m\"}");
        let shown = shown_record("é".repeat(300).as_bytes());
        assert_eq!(shown.chars().count(), SHOWN_CHARACTERS + 3);
    }
}
