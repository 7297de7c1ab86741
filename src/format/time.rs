//! Timestamps, dates, times of day and intervals as text, appended to a buffer.
//!
//! The calendar is the proleptic Gregorian one, as in Spark and Java. It is computed here and not by chrono: a
//! timestamp is the most frequent value of a stream, and chrono's range ends before Spark's does.

use std::fmt::Write as _;
use std::str::FromStr;

use arrow::datatypes::TimeUnit;
use chrono::Offset as _;
use chrono::TimeZone as _;

const SECONDS_PER_DAY: i64 = 86_400;

/// The zone whose wall clock a timestamp is shown by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// Always so many seconds ahead of UTC.
    Fixed(i64),
    /// By the rules of a region.
    Region(chrono_tz::Tz),
}

impl Zone {
    /// UTC.
    pub(super) const UTC: Self = Self::Fixed(0);

    /// The zone of that name, UTC if nobody knows it: Arrow does not check the names that a type carries.
    pub(super) fn named(name: &str) -> Self {
        if matches!(name, "UTC" | "Z" | "+00:00" | "Etc/UTC") {
            return Self::UTC;
        }
        if let Ok(region) = chrono_tz::Tz::from_str(name) {
            return Self::Region(region);
        }
        chrono::FixedOffset::from_str(name).map_or(Self::UTC, |offset| {
            Self::Fixed(i64::from(offset.local_minus_utc()))
        })
    }

    fn seconds_ahead(self, utc_seconds: i64) -> i64 {
        match self {
            Self::Fixed(seconds) => seconds,
            Self::Region(region) => chrono::DateTime::from_timestamp(utc_seconds, 0).map_or(0, |utc| {
                i64::from(
                    region
                        .offset_from_utc_datetime(&utc.naive_utc())
                        .fix()
                        .local_minus_utc(),
                )
            }),
        }
    }
}

/// How a timestamp is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimestampStyle {
    /// `2026-01-01T09:00:00Z`, the fraction only where there is one.
    IsoUtc,
    /// `2026-01-01T09:00:00.000+02:00`: three fraction digits, and the offset of the zone if asked for.
    IsoMillis {
        /// Whether the offset is written.
        with_offset: bool,
    },
    /// `2026-01-01 09:00:00`, the fraction only where there is one.
    Plain,
}

/// Appends a timestamp.
pub(super) fn push_timestamp(
    out: &mut String,
    value: i64,
    unit: TimeUnit,
    zone: Zone,
    style: TimestampStyle,
) {
    let (seconds, nanos) = split(value, unit);
    let ahead = match style {
        TimestampStyle::IsoUtc => 0,
        TimestampStyle::IsoMillis { .. } | TimestampStyle::Plain => zone.seconds_ahead(seconds),
    };
    let local = seconds + ahead;
    push_date(out, local.div_euclid(SECONDS_PER_DAY));
    out.push(if style == TimestampStyle::Plain { ' ' } else { 'T' });
    push_clock(out, local.rem_euclid(SECONDS_PER_DAY));
    match style {
        TimestampStyle::IsoUtc => {
            push_fraction(out, nanos);
            out.push('Z');
        }
        TimestampStyle::Plain => push_fraction(out, nanos),
        TimestampStyle::IsoMillis { with_offset } => {
            out.push('.');
            push_digits(out, i64::from(nanos / 1_000_000), 3);
            if with_offset {
                push_offset(out, ahead);
            }
        }
    }
}

/// Appends a day counted from 1970-01-01 as `2026-01-01`.
pub(super) fn push_date(out: &mut String, days: i64) {
    // Howard Hinnant's civil_from_days: years begin in March, so that the leap day is the last one.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    if year < 0 {
        out.push('-');
    } else if year > 9999 {
        out.push('+');
    }
    push_digits(out, year.abs(), 4);
    out.push('-');
    push_digits(out, month, 2);
    out.push('-');
    push_digits(out, day, 2);
}

/// Appends a time of day as `09:00:00.5`.
pub(super) fn push_time_of_day(out: &mut String, value: i64, unit: TimeUnit) {
    let (seconds, nanos) = split(value, unit);
    push_clock(out, seconds);
    push_fraction(out, nanos);
}

/// Appends a duration as Spark shows its day-time intervals: `INTERVAL '1 02:03:04' DAY TO SECOND`.
pub(super) fn push_duration(out: &mut String, value: i64, unit: TimeUnit) {
    let per_second = i128::from(units_per_second(unit));
    let nanos_per_unit = 1_000_000_000 / per_second;
    let all = i128::from(value).unsigned_abs() * nanos_per_unit.unsigned_abs();
    let (seconds, nanos) = (all / 1_000_000_000, all % 1_000_000_000);
    let (days, seconds) = (seconds / 86_400, seconds % 86_400);
    let sign = if value < 0 { "-" } else { "" };
    // Writing to a String cannot fail, here and below.
    let _ = write!(out, "INTERVAL '{sign}{days} ");
    push_clock(out, i64::try_from(seconds).unwrap_or_default());
    push_fraction(out, u32::try_from(nanos).unwrap_or_default());
    out.push_str("' DAY TO SECOND");
}

/// Appends months as Spark shows its year-month intervals: `INTERVAL '1-2' YEAR TO MONTH`.
pub(super) fn push_year_month(out: &mut String, months: i32) {
    let sign = if months < 0 { "-" } else { "" };
    let months = months.unsigned_abs();
    let _ = write!(
        out,
        "INTERVAL '{sign}{}-{}' YEAR TO MONTH",
        months / 12,
        months % 12
    );
}

/// Appends an interval of mixed units as Spark shows its calendar intervals: `1 months 2 days 3 hours`.
pub(super) fn push_calendar_interval(out: &mut String, months: i32, days: i32, nanos: i64) {
    let start = out.len();
    let mut unit = |value: i64, name: &str| {
        if value != 0 {
            let space = if out.len() > start { " " } else { "" };
            let _ = write!(out, "{space}{value} {name}");
        }
    };
    unit(i64::from(months / 12), "years");
    unit(i64::from(months % 12), "months");
    unit(i64::from(days), "days");
    let seconds = nanos / 1_000_000_000;
    unit(seconds / 3600, "hours");
    unit(seconds / 60 % 60, "minutes");
    let (seconds, fraction) = (seconds % 60, (nanos % 1_000_000_000) / 1000);
    if seconds != 0 || fraction != 0 {
        let space = if out.len() > start { " " } else { "" };
        let sign = if nanos < 0 { "-" } else { "" };
        let _ = write!(out, "{space}{sign}{}", seconds.abs());
        push_fraction(out, u32::try_from(fraction.abs() * 1000).unwrap_or_default());
        out.push_str(" seconds");
    }
    if out.len() == start {
        out.push_str("0 seconds");
    }
}

const fn units_per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Whole seconds, and the nanoseconds after them.
fn split(value: i64, unit: TimeUnit) -> (i64, u32) {
    let per_second = units_per_second(unit);
    let rest = value.rem_euclid(per_second) * (1_000_000_000 / per_second);
    (
        value.div_euclid(per_second),
        u32::try_from(rest).unwrap_or_default(),
    )
}

fn push_clock(out: &mut String, seconds: i64) {
    push_digits(out, seconds / 3600, 2);
    out.push(':');
    push_digits(out, seconds / 60 % 60, 2);
    out.push(':');
    push_digits(out, seconds % 60, 2);
}

/// Up to six digits, as Spark's times have them, without zeros at their end; nothing where there is no fraction.
fn push_fraction(out: &mut String, nanos: u32) {
    let micros = nanos / 1000;
    if micros == 0 {
        return;
    }
    out.push('.');
    push_digits(out, i64::from(micros), 6);
    out.truncate(out.trim_end_matches('0').len());
}

fn push_offset(out: &mut String, seconds: i64) {
    if seconds == 0 {
        out.push('Z');
        return;
    }
    out.push(if seconds < 0 { '-' } else { '+' });
    let minutes = seconds.abs() / 60;
    push_digits(out, minutes / 60, 2);
    out.push(':');
    push_digits(out, minutes % 60, 2);
}

/// At least `digits` digits of a number that is not negative.
fn push_digits(out: &mut String, value: i64, digits: usize) {
    let mut buffer = [b'0'; 20];
    let mut at = buffer.len();
    let mut rest = value;
    while rest > 0 || at + digits > buffer.len() {
        at -= 1;
        buffer[at] = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
    }
    out.extend(buffer[at..].iter().copied().map(char::from));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(push: impl FnOnce(&mut String)) -> String {
        let mut out = String::new();
        push(&mut out);
        out
    }

    fn micros(value: i64, zone: Zone, style: TimestampStyle) -> String {
        text(|out| push_timestamp(out, value, TimeUnit::Microsecond, zone, style))
    }

    #[test]
    fn dates_agree_with_chrono() {
        let epoch = chrono::NaiveDate::from_ymd_opt(1970, 1, 1).expect("a date");
        for days in (-720_000..720_000).step_by(13) {
            let date = epoch + chrono::Duration::days(days);
            if (0..=9999).contains(&chrono::Datelike::year(&date)) {
                assert_eq!(
                    text(|out| push_date(out, days)),
                    date.format("%Y-%m-%d").to_string()
                );
            }
        }
        assert_eq!(text(|out| push_date(out, 2_932_897)), "+10000-01-01");
        assert_eq!(text(|out| push_date(out, -719_529)), "-0001-12-31");
    }

    #[test]
    fn timestamps_in_every_style() {
        let nine = 1_767_258_000_000_000;
        let berlin = Zone::named("Europe/Berlin");
        assert_eq!(
            micros(nine, berlin, TimestampStyle::IsoUtc),
            "2026-01-01T09:00:00Z"
        );
        assert_eq!(
            micros(nine + 120_000, Zone::UTC, TimestampStyle::IsoUtc),
            "2026-01-01T09:00:00.12Z"
        );
        assert_eq!(
            micros(nine + 1, Zone::UTC, TimestampStyle::Plain),
            "2026-01-01 09:00:00.000001"
        );
        assert_eq!(micros(nine, berlin, TimestampStyle::Plain), "2026-01-01 10:00:00");
        let with_offset = TimestampStyle::IsoMillis { with_offset: true };
        assert_eq!(micros(nine, Zone::UTC, with_offset), "2026-01-01T09:00:00.000Z");
        assert_eq!(
            micros(nine + 999_999, berlin, with_offset),
            "2026-01-01T10:00:00.999+01:00"
        );
        assert_eq!(
            micros(nine, Zone::named("-03:30"), with_offset),
            "2026-01-01T05:30:00.000-03:30"
        );
        let bare = TimestampStyle::IsoMillis { with_offset: false };
        assert_eq!(micros(-1, Zone::UTC, bare), "1969-12-31T23:59:59.999");
    }

    #[test]
    fn units_and_extremes() {
        for (value, unit) in [
            (1, TimeUnit::Second),
            (1_000, TimeUnit::Millisecond),
            (1_000_000, TimeUnit::Microsecond),
            (1_000_000_000, TimeUnit::Nanosecond),
        ] {
            let iso = text(|out| push_timestamp(out, value, unit, Zone::UTC, TimestampStyle::IsoUtc));
            assert_eq!(iso, "1970-01-01T00:00:01Z");
        }
        assert_eq!(
            micros(i64::MAX, Zone::UTC, TimestampStyle::IsoUtc),
            "+294247-01-10T04:00:54.775807Z"
        );
        assert_eq!(
            micros(i64::MIN, Zone::named("Europe/Berlin"), TimestampStyle::IsoUtc),
            "-290308-12-21T19:59:05.224192Z"
        );
    }

    #[test]
    fn intervals_as_spark_shows_them() {
        let day = text(|out| push_duration(out, 93_784_500, TimeUnit::Millisecond));
        assert_eq!(day, "INTERVAL '1 02:03:04.5' DAY TO SECOND");
        let back = text(|out| push_duration(out, -1, TimeUnit::Second));
        assert_eq!(back, "INTERVAL '-0 00:00:01' DAY TO SECOND");
        assert_eq!(
            text(|out| push_year_month(out, -14)),
            "INTERVAL '-1-2' YEAR TO MONTH"
        );
        let mixed = text(|out| push_calendar_interval(out, 14, 3, 3_723_500_000_000));
        assert_eq!(mixed, "1 years 2 months 3 days 1 hours 2 minutes 3.5 seconds");
        assert_eq!(text(|out| push_calendar_interval(out, 0, 0, 0)), "0 seconds");
        assert_eq!(
            text(|out| push_calendar_interval(out, 0, 0, -500_000_000)),
            "-0.5 seconds"
        );
        assert_eq!(
            text(|out| push_time_of_day(out, 32_400, TimeUnit::Second)),
            "09:00:00"
        );
    }
}
