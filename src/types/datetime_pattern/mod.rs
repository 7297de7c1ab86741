//! Java's `DateTimeFormatter` patterns as Spark uses them: compiled once, then formatting and parsing dates and timestamps.
//!
//! A pattern is compiled into items as `DateTimeFormatterBuilder.appendPattern` does it, with Spark's own rules on top
//! (its `DateTimeFormatterHelper`): week-based letters are refused, `y` is the proleptic year unless the pattern has an
//! era, a fraction is parsed with any number of digits up to that of its letters, names are parsed without regard to
//! case, and what a text leaves out is 1970-01-01 00:00:00. Parsing is strict: `2026-02-30` is no date.
//!
//! | letters | meaning |
//! | --- | --- |
//! | `G y M L d D F E Q q` | era, year, month, day of month, of year, weekday's count in the month, weekday, quarter |
//! | `a h K H k m s S` | half of the day, hour 1-12, 0-11, 0-23, 1-24, minute, second, fraction |
//! | `VV z O X x Z` | zone id, zone name, `GMT+1`, offset with `Z` for zero, offset, offset |
//! | `'text' '' [ ]` | literal text, a quote, an optional section |
//!
//! # Layout
//!
//! - `compile`: the pattern's text to items.
//! - `print`: a timestamp to text.
//! - `parse`: text to fields; `resolve`: fields to a date or timestamp.
//! - `names`: English names of months, weekdays and zones.

mod compile;
mod names;
mod parse;
mod print;
mod resolve;
#[cfg(test)]
mod tests;

use self::compile::Item;
use crate::error::Result;
use crate::types::time_zone::{TimeZone, ZoneRules};

/// What a pattern is for: some letters can only be written, not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternUse {
    /// Text to value.
    Parse,
    /// Value to text.
    Format,
}

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct DateTimePattern {
    items: Vec<Item>,
}

impl DateTimePattern {
    /// Compiles `pattern`.
    ///
    /// # Errors
    ///
    /// A statement error that names the pattern and the letter that Spark refuses too.
    pub fn try_new(pattern: &str, usage: PatternUse) -> Result<Self> {
        Ok(Self {
            items: compile::compile(pattern, usage)?,
        })
    }

    /// Writes `micros` since the epoch as clocks in `zone` show it.
    pub fn format_micros(&self, micros: i64, zone: &TimeZone) -> String {
        let mut text = String::new();
        self.write_micros(micros, zone, &mut text);
        text
    }

    /// As [`Self::format_micros`], behind what `text` holds.
    pub fn write_micros(&self, micros: i64, zone: &TimeZone, text: &mut String) {
        print::print(&self.items, &print::Moment::new(micros, zone), text);
    }

    /// Reads a timestamp: microseconds since the epoch. A text without a zone is in `zone`.
    pub fn parse_micros(&self, text: &str, zone: ZoneRules) -> Option<i64> {
        parse::parse(&self.items, text)?.micros(zone)
    }

    /// Reads a timestamp without a zone: microseconds since the epoch as if it were UTC. A text with a zone is refused, or,
    /// if `allow_time_zone`, its zone ignored.
    pub fn parse_micros_ntz(&self, text: &str, allow_time_zone: bool) -> Option<i64> {
        let fields = parse::parse(&self.items, text)?;
        if fields.has_zone() && !allow_time_zone {
            return None;
        }
        fields.local_micros()
    }

    /// Reads a date: days since 1970-01-01. A time in the text is checked and dropped.
    pub fn parse_days(&self, text: &str) -> Option<i32> {
        parse::parse(&self.items, text)?.days()
    }
}
