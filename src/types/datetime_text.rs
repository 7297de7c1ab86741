//! Text to dates and timestamps where no pattern is given: what Spark's CAST, and its JSON source, take.
//!
//! The forms are `[+-]y{4,7}[-M[-d]]` for dates, anything may follow the day after a space or `T`; and for
//! timestamps `[+-]y{4,6}[-M[-d[( |T)h[:m[:s[.f]]]]]][zone]`, months to seconds with one or two digits, a fraction of any
//! length of which six digits count, the zone only behind the seconds. White space around is ignored. A timestamp may
//! also be a time alone, which is of the day on which it is read.

use crate::types::calendar::{MICROS_PER_SECOND, days_from_civil, join_micros, split_micros};
use crate::types::time_zone::ZoneRules;

/// Reads a date as Spark's CAST does: days since 1970-01-01.
pub fn string_to_date(text: &str) -> Option<i32> {
    let bytes = trim(text.as_bytes());
    let (sign, mut at) = year_sign(bytes)?;
    let mut segments = [1, 1, 1];
    let mut segment = 0;
    let (mut value, mut digits) = (0_i32, 0_usize);
    let is_valid = |segment: usize, digits: usize| {
        if segment == 0 {
            (4..=7).contains(&digits)
        } else {
            (1..=2).contains(&digits)
        }
    };
    while at < bytes.len() && !matches!(bytes[at], b' ' | b'T') {
        match bytes[at] {
            b'-' if segment < 2 => {
                if !is_valid(segment, digits) {
                    return None;
                }
                segments[segment] = value;
                (value, digits, segment) = (0, 0, segment + 1);
            }
            digit @ b'0'..=b'9' if digits < 7 => {
                value = value * 10 + i32::from(digit - b'0');
                digits += 1;
            }
            _ => return None,
        }
        at += 1;
    }
    // A year, or a year and a month, must be all that there is.
    if !is_valid(segment, digits) || (segment < 2 && at < bytes.len()) {
        return None;
    }
    segments[segment] = value;
    days_from_civil(sign * segments[0], unsigned(segments[1]), unsigned(segments[2]))
}

/// Reads a timestamp as Spark's CAST does: microseconds since the epoch. A text without a zone is in `zone`; a time
/// without a date is of the day that `now_ms` (milliseconds since the epoch) is in, and is refused without it.
pub fn string_to_timestamp(text: &str, zone: ZoneRules, now_ms: Option<i64>) -> Option<i64> {
    if let Some((local, is_utc)) = common_form(text.as_bytes()) {
        return if is_utc {
            Some(local)
        } else {
            zone.from_local(local)
        };
    }
    let parts = Parts::parse(text)?;
    let zone = match parts.zone {
        Some(id) => ZoneRules::find(id.trim())?,
        None => zone,
    };
    let days = if parts.is_time_only {
        split_micros(zone.to_local(now_ms?.checked_mul(1000)?)).0
    } else {
        parts.days()?
    };
    zone.from_local(join_micros(days, parts.micros_of_day()?)?)
}

/// Reads a timestamp without a zone: microseconds since the epoch as if it were UTC. A text with a zone is refused,
/// or, if `allow_time_zone`, its zone ignored.
pub fn string_to_timestamp_ntz(text: &str, allow_time_zone: bool) -> Option<i64> {
    if let Some((local, is_utc)) = common_form(text.as_bytes()) {
        return (allow_time_zone || !is_utc).then_some(local);
    }
    let parts = Parts::parse(text)?;
    if let Some(id) = parts.zone {
        ZoneRules::find(id.trim())?;
    }
    if parts.is_time_only || (parts.zone.is_some() && !allow_time_zone) {
        return None;
    }
    join_micros(parts.days()?, parts.micros_of_day()?)
}

/// The fast way for `2026-01-01T09:00:00[.123456][Z]`, with a space for the `T` too: the local time, and whether
/// there was a `Z`. `None` means that the text is something else, not that it is wrong.
pub(crate) fn common_form(bytes: &[u8]) -> Option<(i64, bool)> {
    let (head, tail) = bytes.split_at_checked(19)?;
    let head: &[u8; 19] = head.try_into().ok()?;
    if head[4] != b'-'
        || head[7] != b'-'
        || head[13] != b':'
        || head[16] != b':'
        || !matches!(head[10], b'T' | b' ')
    {
        return None;
    }
    // Every byte is taken less '0'; what is not a digit shows up in the maximum.
    let mut top = 0;
    let mut digit = |at: usize| {
        let value = head[at].wrapping_sub(b'0');
        top = top.max(value);
        u32::from(value)
    };
    let year = digit(0) * 1000 + digit(1) * 100 + digit(2) * 10 + digit(3);
    let month = digit(5) * 10 + digit(6);
    let day = digit(8) * 10 + digit(9);
    let hour = digit(11) * 10 + digit(12);
    let minute = digit(14) * 10 + digit(15);
    let second = digit(17) * 10 + digit(18);
    if top > 9 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction, tail) = match tail {
        [b'.', rest @ ..] => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (digits, tail) = rest.split_at(digits);
            (fraction_micros(digits), tail)
        }
        _ => (0, tail),
    };
    let is_utc = match tail {
        [] => false,
        [b'Z'] => true,
        _ => return None,
    };
    let days = days_from_civil(year.cast_signed(), month, day)?;
    let seconds = i64::from(days) * 86_400 + i64::from(hour * 3600 + minute * 60 + second);
    Some((seconds * MICROS_PER_SECOND + fraction, is_utc))
}

/// The first six digits of a fraction, as microseconds.
fn fraction_micros(digits: &[u8]) -> i64 {
    let mut micros = 0;
    for at in 0..6 {
        micros = micros * 10 + digits.get(at).map_or(0, |digit| i64::from(digit - b'0'));
    }
    micros
}

/// A timestamp's text taken apart.
struct Parts<'a> {
    /// Year with its sign, month, day, hour, minute, second, microseconds.
    segments: [i32; 7],
    zone: Option<&'a str>,
    is_time_only: bool,
}

impl<'a> Parts<'a> {
    /// Walks over the text as Spark's `parseTimestampString` does, segment by segment.
    fn parse(text: &'a str) -> Option<Self> {
        let start = text.len() - trim_start(text.as_bytes()).len();
        let bytes = trim(text.as_bytes());
        let text = &text[start..start + bytes.len()];
        let (sign, first) = year_sign(bytes)?;
        let mut parts = Self {
            segments: [1, 1, 1, 0, 0, 0, 0],
            zone: None,
            is_time_only: false,
        };
        let mut at = first;
        let mut segment = 0;
        if bytes[0] == b'T' {
            (parts.is_time_only, segment, at) = (true, 3, 1);
        }
        loop {
            let length = bytes[at..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            let digits = &bytes[at..at + length];
            at += length;
            let end = bytes.get(at).copied();
            if segment == 0 && end == Some(b':') && first == 0 {
                (parts.is_time_only, segment) = (true, 3);
            }
            let is_valid = match segment {
                0 => (4..=6).contains(&length),
                6 => true,
                _ => (1..=2).contains(&length),
            };
            if !is_valid {
                // Only `2026-01-01 ` would get here with nothing behind the separator, and the space was trimmed.
                return None;
            }
            parts.segments[segment] = if segment == 6 {
                i32::try_from(fraction_micros(digits)).ok()?
            } else {
                digits
                    .iter()
                    .fold(0, |value, digit| value * 10 + i32::from(digit - b'0'))
            };
            let Some(end) = end else { break };
            segment = match (segment, end) {
                (0 | 1, b'-') | (2, b' ' | b'T') | (3 | 4, b':') | (5, b'.') => segment + 1,
                (5 | 6, _) => {
                    parts.zone = Some(text.get(at..)?);
                    break;
                }
                _ => return None,
            };
            at += 1;
        }
        parts.segments[0] *= sign;
        Some(parts)
    }

    fn days(&self) -> Option<i32> {
        let [year, month, day, ..] = self.segments;
        days_from_civil(year, unsigned(month), unsigned(day))
    }

    fn micros_of_day(&self) -> Option<i64> {
        let [_, _, _, hour, minute, second, micros] = self.segments;
        (hour < 24 && minute < 60 && second < 60)
            .then(|| i64::from(hour * 3600 + minute * 60 + second) * MICROS_PER_SECOND + i64::from(micros))
    }
}

/// The sign of the year and where its digits begin; `None` for an empty text.
fn year_sign(bytes: &[u8]) -> Option<(i32, usize)> {
    match bytes.first()? {
        b'-' => Some((-1, 1)),
        b'+' => Some((1, 1)),
        _ => Some((1, 0)),
    }
}

fn unsigned(value: i32) -> u32 {
    value.unsigned_abs()
}

/// What Spark's `UTF8String.isWhitespaceOrISOControl` says of a byte.
fn is_blank(byte: u8) -> bool {
    byte <= b' ' || byte == 0x7f
}

fn trim_start(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().take_while(|byte| is_blank(**byte)).count();
    &bytes[start..]
}

fn trim(bytes: &[u8]) -> &[u8] {
    let bytes = trim_start(bytes);
    let blanks = bytes.iter().rev().take_while(|byte| is_blank(**byte)).count();
    &bytes[..bytes.len() - blanks]
}

#[cfg(test)]
mod tests {
    use super::*;

    const UTC: ZoneRules = ZoneRules::Fixed(0);
    /// 2026-01-01T00:00:00Z
    const NEW_YEAR: i64 = 1_767_225_600_000_000;
    const HOUR: i64 = 3_600_000_000;

    /// What Spark 4.3.0 reads, in hours after new year 2026.
    #[test]
    fn timestamps_as_spark_reads_them() {
        for (text, expected) in [
            ("2026-01-01", Some(0)),
            ("2026-01-01 09:00:00.25", Some(9 * HOUR + 250_000)),
            ("2026-01-01T09:00:00Z", Some(9 * HOUR)),
            ("2026-01-01T09:00:00.123456789Z", Some(9 * HOUR + 123_456)),
            ("2026-01-01T09:00:00+01:00", Some(8 * HOUR)),
            ("2026-01-01T09:00:00 Europe/Paris", Some(8 * HOUR)),
            ("2026-01-01T09:00:00Europe/Paris", Some(8 * HOUR)),
            ("2026-1-1 9:0:0", Some(9 * HOUR)),
            ("2026-01-01 09:00", Some(9 * HOUR)),
            ("2026-01-01 09", Some(9 * HOUR)),
            ("2026-01-01T", None),
            ("2026-01-01 ", Some(0)),
            ("\t2026-01-01\n", Some(0)),
            ("2026", Some(0)),
            ("2026-01", Some(0)),
            ("2026-", None),
            ("2026-01-01 24:00:00", None),
            ("2026-01-01 23:59:60", None),
            ("2026-01-01 09:00:00.", Some(9 * HOUR)),
            ("2026-01-01 09:00:00+1:00", Some(8 * HOUR)),
            ("2026-01-01 09:00:00+01:0", Some(8 * HOUR)),
            ("2026-01-01 09:00:00+0100", Some(8 * HOUR)),
            ("2026-01-01 09:00:00+01", Some(8 * HOUR)),
            ("2026-01-01 09:00:00 PST", Some(17 * HOUR)),
            ("2026-01-01 09:00:00 EST", Some(14 * HOUR)),
            ("2026-01-01 09:00:00UTC+2", Some(7 * HOUR)),
            ("2026-01-01 09:00:00 CET", Some(8 * HOUR)),
            ("2026-01-01 09:00:00 GMT+02:00", Some(7 * HOUR)),
            ("2026-01-01 09:00Z", None),
            ("2026-01-01 09:00+01:00", None),
            ("2026-01-01 09:00:00 Z", Some(9 * HOUR)),
            ("2026-01-01 09:00:00z", None),
            ("2026-01-01t09:00:00", None),
            ("", None),
            ("  ", None),
            ("x", None),
            ("2026-13-01", None),
            ("2026-02-30 00:00:00", None),
            ("2026-01-01 09:00:00.123Z x", None),
            ("2026-01-01  09:00:00", None),
            ("2026-01-01 09:00:00 +18:00", Some(-9 * HOUR)),
            ("2026-01-01 09:00:00 +19:00", None),
            ("2026-01-01 09:00:00:", None),
            ("2026-01-01 09:00:00.5:5", None),
            ("26-01-01", None),
            ("2026-001-01", None),
            ("+2026-01-01", Some(0)),
        ] {
            assert_eq!(
                string_to_timestamp(text, UTC, None).map(|micros| micros - NEW_YEAR),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn a_time_alone_is_of_the_day_in_its_zone() {
        // 23:30 in UTC is already the next day in Paris.
        let now_ms = Some((NEW_YEAR + 23 * HOUR + HOUR / 2) / 1000);
        assert_eq!(
            string_to_timestamp("12:00:01", UTC, now_ms),
            Some(NEW_YEAR + 12 * HOUR + 1_000_000)
        );
        assert_eq!(
            string_to_timestamp("T9:5", UTC, now_ms),
            Some(NEW_YEAR + 9 * HOUR + 300_000_000)
        );
        assert_eq!(
            string_to_timestamp("12:00:00 Europe/Paris", UTC, now_ms),
            Some(NEW_YEAR + 35 * HOUR)
        );
        assert_eq!(string_to_timestamp("12:00:00", UTC, None), None);
        assert_eq!(string_to_date("12:00:00"), None);
    }

    #[test]
    fn timestamps_without_a_zone() {
        assert_eq!(
            string_to_timestamp_ntz("2026-01-01 09:00:00", false),
            Some(NEW_YEAR + 9 * HOUR)
        );
        assert_eq!(string_to_timestamp_ntz("2026-01-01T09:00:00Z", false), None);
        assert_eq!(
            string_to_timestamp_ntz("2026-01-01T09:00:00+01:00", true),
            Some(NEW_YEAR + 9 * HOUR)
        );
        assert_eq!(string_to_timestamp_ntz("2026-01-01T09:00:00 Mars", true), None);
        assert_eq!(string_to_timestamp_ntz("09:00:00", true), None);
    }

    #[test]
    fn the_range_of_years() {
        assert_eq!(
            string_to_timestamp("294247-01-10 04:00:54.775807Z", UTC, None),
            Some(i64::MAX)
        );
        assert_eq!(
            string_to_timestamp("294247-01-10 04:00:54.775808Z", UTC, None),
            None
        );
        assert_eq!(
            string_to_timestamp("-290308-12-21 19:59:05.224192Z", UTC, None),
            Some(i64::MIN)
        );
        assert_eq!(
            string_to_timestamp("0000-01-01", UTC, None),
            Some(-62_167_219_200_000_000)
        );
        assert_eq!(string_to_timestamp("1234567-01-01", UTC, None), None);
        assert_eq!(string_to_date("5881580-07-11"), Some(i32::MAX));
        assert_eq!(string_to_date("5881580-07-12"), None);
    }

    /// What Spark 4.3.0 reads.
    #[test]
    fn dates_as_spark_reads_them() {
        for (text, expected) in [
            ("2026-01-01", Some(20_454)),
            ("2026-1-1", Some(20_454)),
            ("2026", Some(20_454)),
            ("2026-01", Some(20_454)),
            ("2026-01-01 x", Some(20_454)),
            ("2026-01-01T10:00:00Z", Some(20_454)),
            (" 2026-01-01 ", Some(20_454)),
            ("+2026-01-01", Some(20_454)),
            ("2026-02-30", None),
            ("2026-", None),
            ("123", None),
            ("2026-01-01GMT", None),
            ("20260101", None),
            ("2026-01 x", None),
            ("", None),
            ("-0001-01-01", Some(-719_893)),
        ] {
            assert_eq!(string_to_date(text), expected, "{text}");
        }
    }
}
