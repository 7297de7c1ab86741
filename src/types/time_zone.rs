//! Time zones as Java's `ZoneId.of` reads them, and local times in them as Java resolves them.
//!
//! A local time that a clock change skips moves forward by the gap; one that occurs twice is the earlier of the
//! two. That is what `java.time.ZonedDateTime.of`, and so Spark, does.

use std::str::FromStr;

use chrono::offset::LocalResult;
use chrono::{DateTime, NaiveDateTime, Offset as _, TimeZone as _};
use chrono_tz::{OffsetName as _, Tz};

use crate::error::{Error, Result};
use crate::types::calendar::MICROS_PER_SECOND;

/// The largest offset that Java takes: 18 hours.
const MAX_OFFSET_SECONDS: i32 = 18 * 3600;

/// Java's three-letter ids (`ZoneId.SHORT_IDS`), which Spark takes everywhere.
const SHORT_IDS: [(&str, &str); 28] = [
    ("ACT", "Australia/Darwin"),
    ("AET", "Australia/Sydney"),
    ("AGT", "America/Argentina/Buenos_Aires"),
    ("ART", "Africa/Cairo"),
    ("AST", "America/Anchorage"),
    ("BET", "America/Sao_Paulo"),
    ("BST", "Asia/Dhaka"),
    ("CAT", "Africa/Harare"),
    ("CNT", "America/St_Johns"),
    ("CST", "America/Chicago"),
    ("CTT", "Asia/Shanghai"),
    ("EAT", "Africa/Addis_Ababa"),
    ("ECT", "Europe/Paris"),
    ("EST", "-05:00"),
    ("HST", "-10:00"),
    ("IET", "America/Indiana/Indianapolis"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("MIT", "Pacific/Apia"),
    ("MST", "-07:00"),
    ("NET", "Asia/Yerevan"),
    ("NST", "Pacific/Auckland"),
    ("PLT", "Asia/Karachi"),
    ("PNT", "America/Phoenix"),
    ("PRT", "America/Puerto_Rico"),
    ("PST", "America/Los_Angeles"),
    ("SST", "Pacific/Guadalcanal"),
    ("VST", "Asia/Ho_Chi_Minh"),
];

/// A time zone: its id and its offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZone {
    id: String,
    rules: ZoneRules,
}

/// The offsets of a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneRules {
    /// Always so many seconds ahead of UTC.
    Fixed(i32),
    /// As a region has them.
    Region(Tz),
}

impl TimeZone {
    /// UTC.
    pub fn utc() -> Self {
        Self {
            id: "UTC".into(),
            rules: ZoneRules::Fixed(0),
        }
    }

    /// The zone that `id` names: a region (`Europe/Paris`), an offset (`+01:00`), `UTC`, `Z`, `GMT+2`, or one of
    /// Java's short ids (`PST`).
    ///
    /// # Errors
    ///
    /// A statement error if there is no such zone.
    pub fn try_new(id: &str) -> Result<Self> {
        let (id, rules) = find_zone(id).ok_or_else(|| {
            Error::statement(format!("there is no time zone \"{id}\""))
                .hint("Write a region as in 'Europe/Paris', an offset as in '+01:00', or 'UTC'.")
        })?;
        Ok(Self { id, rules })
    }

    /// The zone's id, offsets in their full form.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The zone's offsets.
    pub fn rules(&self) -> ZoneRules {
        self.rules
    }

    /// The name in use at `micros`: `CET`, `EDT`; the id where a zone has none.
    pub fn abbreviation(&self, micros: i64) -> String {
        let ZoneRules::Region(zone) = self.rules else {
            return self.id.clone();
        };
        let at = |micros| naive(micros).map(|time| zone.offset_from_utc_datetime(&time));
        let name = at(micros).and_then(|offset| offset.abbreviation().map(ToOwned::to_owned));
        match name {
            // Java has no word for local mean time: it shows the standard name.
            Some(name) if name == "LMT" => at(0)
                .and_then(|offset| offset.abbreviation().map(ToOwned::to_owned))
                .unwrap_or(name),
            Some(name) => name,
            None => self.id.clone(),
        }
    }
}

impl ZoneRules {
    /// The offsets of the zone that `id` names, `None` if there is none. See [`TimeZone::try_new`].
    pub fn find(id: &str) -> Option<Self> {
        find_zone(id).map(|(_, rules)| rules)
    }

    /// Seconds ahead of UTC at `micros` since the epoch.
    pub fn offset_seconds(self, micros: i64) -> i32 {
        match self {
            Self::Fixed(seconds) => seconds,
            Self::Region(zone) => naive(micros).map_or(0, |time| {
                zone.offset_from_utc_datetime(&time).fix().local_minus_utc()
            }),
        }
    }

    /// Microseconds of local time, counted as if it were UTC, at `micros` since the epoch.
    pub fn to_local(self, micros: i64) -> i64 {
        micros.saturating_add(i64::from(self.offset_seconds(micros)) * MICROS_PER_SECOND)
    }

    /// Microseconds since the epoch at which local clocks show `local`; `None` if that does not fit.
    pub fn from_local(self, local: i64) -> Option<i64> {
        let seconds = match self {
            Self::Fixed(seconds) => seconds,
            Self::Region(zone) => region_offset(zone, local)?,
        };
        local.checked_sub(i64::from(seconds) * MICROS_PER_SECOND)
    }
}

/// The offset by which Java reads a local time in a region.
fn region_offset(zone: Tz, local: i64) -> Option<i32> {
    let time = naive(local)?;
    let offset = match zone.offset_from_local_datetime(&time) {
        LocalResult::Single(offset) | LocalResult::Ambiguous(offset, _) => offset,
        // In a gap, the offset from before it counts: the time moves forward by the gap's length. No gap is
        // longer than a day.
        LocalResult::None => {
            match zone.offset_from_local_datetime(&naive(local - 86_400 * MICROS_PER_SECOND)?) {
                LocalResult::Single(offset) | LocalResult::Ambiguous(_, offset) => offset,
                LocalResult::None => return None,
            }
        }
    };
    Some(offset.fix().local_minus_utc())
}

fn naive(micros: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_micros(micros).map(|time| time.naive_utc())
}

/// The id in its full form, and the rules.
fn find_zone(id: &str) -> Option<(String, ZoneRules)> {
    let padded = pad_offset(id);
    let id = padded.as_deref().unwrap_or(id);
    if let Some((_, long)) = SHORT_IDS.iter().find(|(short, _)| *short == id) {
        return find_zone(long);
    }
    if id == "Z" {
        return Some(("Z".into(), ZoneRules::Fixed(0)));
    }
    if id.starts_with(['+', '-']) {
        let seconds = parse_offset(id)?;
        return Some((offset_id(seconds), ZoneRules::Fixed(seconds)));
    }
    for prefix in ["UTC", "GMT", "UT"] {
        match id.strip_prefix(prefix) {
            Some("") => return Some((prefix.into(), ZoneRules::Fixed(0))),
            Some(offset) if offset.starts_with(['+', '-']) => {
                let seconds = parse_offset(offset)?;
                let offset = if seconds == 0 {
                    String::new()
                } else {
                    offset_id(seconds)
                };
                return Some((format!("{prefix}{offset}"), ZoneRules::Fixed(seconds)));
            }
            _ => {}
        }
    }
    Tz::from_str(id)
        .ok()
        .map(|zone| (id.to_owned(), ZoneRules::Region(zone)))
}

/// Spark pads `+h:mm` and `+hh:m` (the latter at the end only), which it took before it used Java's zones.
fn pad_offset(id: &str) -> Option<String> {
    let bytes = id.as_bytes();
    let is_sign = |at: usize| matches!(bytes.get(at), Some(b'+' | b'-'));
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut padded = id.to_owned();
    if let Some(sign) =
        (0..bytes.len()).find(|&at| is_sign(at) && is_digit(at + 1) && bytes.get(at + 2) == Some(&b':'))
    {
        padded.insert(sign + 1, '0');
    }
    let bytes = padded.as_bytes();
    if let [.., sign, tens, ones, b':', minute] = bytes
        && matches!(sign, b'+' | b'-')
        && tens.is_ascii_digit()
        && ones.is_ascii_digit()
        && minute.is_ascii_digit()
    {
        padded.insert(padded.len() - 1, '0');
    }
    (padded != id).then_some(padded)
}

/// Reads `+h`, `+hh`, `+hh:mm`, `+hhmm`, `+hh:mm:ss`, `+hhmmss` as Java's `ZoneOffset.of` does.
fn parse_offset(text: &str) -> Option<i32> {
    let (sign, digits) = match text.as_bytes() {
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let two = |tens: u8, ones: u8| {
        (tens.is_ascii_digit() && ones.is_ascii_digit())
            .then(|| i32::from(tens - b'0') * 10 + i32::from(ones - b'0'))
    };
    let (hours, minutes, seconds) = match *digits {
        [hour] => (two(b'0', hour)?, 0, 0),
        [h0, h1] => (two(h0, h1)?, 0, 0),
        [h0, h1, m0, m1] | [h0, h1, b':', m0, m1] => (two(h0, h1)?, two(m0, m1)?, 0),
        [h0, h1, m0, m1, s0, s1] | [h0, h1, b':', m0, m1, b':', s0, s1] => {
            (two(h0, h1)?, two(m0, m1)?, two(s0, s1)?)
        }
        _ => return None,
    };
    let total = hours * 3600 + minutes * 60 + seconds;
    (minutes < 60 && seconds < 60 && total <= MAX_OFFSET_SECONDS).then_some(sign * total)
}

/// An offset in Java's form: `Z`, `+01:00`, `-00:00:30`.
fn offset_id(seconds: i32) -> String {
    if seconds == 0 {
        return "Z".into();
    }
    let (sign, total) = (if seconds < 0 { '-' } else { '+' }, seconds.abs());
    let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60);
    if rest == 0 {
        format!("{sign}{hours:02}:{minutes:02}")
    } else {
        format!("{sign}{hours:02}:{minutes:02}:{rest:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_of(id: &str) -> Option<String> {
        find_zone(id).map(|(id, _)| id)
    }

    #[test]
    fn ids_as_java_reads_them() {
        for (given, expected) in [
            ("UTC", Some("UTC")),
            ("Z", Some("Z")),
            ("+1:00", Some("+01:00")),
            ("+01:0", Some("+01:00")),
            ("+0100", Some("+01:00")),
            ("+1", Some("+01:00")),
            ("-01:02:03", Some("-01:02:03")),
            ("+18:00", Some("+18:00")),
            ("+19:00", None),
            ("+01:60", None),
            ("UTC+2", Some("UTC+02:00")),
            ("GMT+02:00", Some("GMT+02:00")),
            ("PST", Some("America/Los_Angeles")),
            ("EST", Some("-05:00")),
            ("Europe/Paris", Some("Europe/Paris")),
            ("europe/paris", None),
            ("CET", Some("CET")),
            ("z", None),
            ("", None),
            ("Z x", None),
        ] {
            assert_eq!(id_of(given).as_deref(), expected, "{given}");
        }
    }

    #[test]
    fn gaps_move_forward_and_overlaps_take_the_earlier() {
        let zone = ZoneRules::find("America/New_York").expect("a zone");
        let local = |text: &str| {
            NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S")
                .expect("a time")
                .and_utc()
                .timestamp_micros()
        };
        for (clock, utc) in [
            ("2026-03-08 02:30:00", "2026-03-08 07:30:00"),
            ("2026-03-08 03:30:00", "2026-03-08 07:30:00"),
            ("2026-11-01 01:30:00", "2026-11-01 05:30:00"),
            ("2026-01-01 00:00:00", "2026-01-01 05:00:00"),
        ] {
            assert_eq!(zone.from_local(local(clock)), Some(local(utc)), "{clock}");
        }
    }

    #[test]
    fn an_unknown_zone_is_a_statement_error_with_a_hint() {
        let error = TimeZone::try_new("Mars/Base").expect_err("no such zone");
        assert_eq!(error.message(), "there is no time zone \"Mars/Base\"");
        assert!(error.hint_text().is_some());
    }
}
