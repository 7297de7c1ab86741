//! Lengths of time as Spark writes them: `INTERVAL 10 MINUTES`, `INTERVAL '1 hour 30 minutes'`, `'10 seconds'`,
//! `INTERVAL '1 02:03:04' DAY TO SECOND`.
//!
//! A day is 24 hours. In an expression an interval may hold months and years. The length of a window, a watermark's
//! delay and a trigger's interval may not, as in Spark: a month has no fixed length.

use std::fmt::Write as _;
use std::time::Duration;

/// A unit of time, its names, and its length in nanoseconds where it has a fixed one.
const UNITS: [(&str, Option<u128>); 9] = [
    ("year", None),
    ("month", None),
    ("week", Some(7 * 86_400_000_000_000)),
    ("day", Some(86_400_000_000_000)),
    ("hour", Some(3_600_000_000_000)),
    ("minute", Some(60_000_000_000)),
    ("second", Some(1_000_000_000)),
    ("millisecond", Some(1_000_000)),
    ("microsecond", Some(1_000)),
];

/// The right form, for hints.
pub(crate) const EXAMPLES: &str = "Write INTERVAL 10 MINUTES, INTERVAL '1 hour 30 minutes' or '10 seconds'.";

/// A sum of amounts of units, in the order in which it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interval {
    parts: Vec<(String, &'static str)>,
}

/// Why a text is no interval, or no length: a message and a hint, to be put at their place by the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Lower case, without a full stop.
    pub message: String,
    /// A sentence.
    pub hint: String,
}

impl Reason {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: EXAMPLES.to_owned(),
        }
    }
}

impl Interval {
    /// Reads `10 minutes`, `interval 1 hour 30 minutes`, `-1.5 seconds`.
    pub fn parse(text: &str) -> Result<Self, Reason> {
        let not_one = || Reason::new(format!("'{text}' is not an interval"));
        let mut interval = Self::default();
        let mut rest = text.trim();
        if let Some(tail) = strip_word(rest, "interval") {
            rest = tail;
        }
        while !rest.is_empty() {
            let end = rest
                .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')))
                .unwrap_or(rest.len());
            let (amount, tail) = rest.split_at(end);
            let tail = tail.trim_start();
            let end = tail
                .find(|c: char| !c.is_ascii_alphabetic())
                .unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(end);
            if amount.is_empty() {
                return Err(not_one());
            }
            if unit.is_empty() {
                return Err(Reason::new(format!("'{text}' has no unit of time")));
            }
            interval.add(amount, unit)?;
            rest = tail.trim_start();
        }
        if interval.parts.is_empty() {
            return Err(not_one());
        }
        Ok(interval)
    }

    /// Reads the text of `INTERVAL 'text' FIRST TO LAST`, `1 02:03:04.5` for DAY TO SECOND.
    pub fn parse_range(text: &str, first: &str, last: &str) -> Result<Self, Reason> {
        let not_one = || Reason::new(format!("'{text}' is not an interval {first} TO {last}"));
        let (sign, digits) = match text.trim().strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", text.trim()),
        };
        let units: &[&'static str] = match (unit_name(first), unit_name(last)) {
            (Some("year"), Some("month")) => &["year", "month"],
            (Some("day"), Some("hour")) => &["day", "hour"],
            (Some("day"), Some("minute")) => &["day", "hour", "minute"],
            (Some("day"), Some("second")) => &["day", "hour", "minute", "second"],
            (Some("hour"), Some("minute")) => &["hour", "minute"],
            (Some("hour"), Some("second")) => &["hour", "minute", "second"],
            (Some("minute"), Some("second")) => &["minute", "second"],
            _ => return Err(not_one()),
        };
        let amounts: Vec<&str> = digits
            .split([' ', ':', '-'])
            .filter(|part| !part.is_empty())
            .collect();
        if amounts.len() != units.len() {
            return Err(not_one());
        }
        let mut interval = Self::default();
        for (amount, unit) in amounts.into_iter().zip(units) {
            interval.add(&format!("{sign}{amount}"), unit)?;
        }
        Ok(interval)
    }

    /// Adds an amount of a unit, which is named in singular or plural.
    pub(crate) fn add(&mut self, amount: &str, unit: &str) -> Result<(), Reason> {
        let Some(unit) = unit_name(unit) else {
            return Err(Reason {
                message: format!("unknown unit of time \"{unit}\""),
                hint: match crate::suggest::did_you_mean(unit, UNITS.iter().map(|(name, _)| *name)) {
                    Some(near) => format!("Did you mean {}S?", near.to_uppercase()),
                    None => "The units are MICROSECONDS to WEEKS, MONTHS and YEARS.".to_owned(),
                },
            });
        };
        if amount.parse::<f64>().is_err() || amount.ends_with('.') {
            return Err(Reason::new(format!("'{amount}' is not a number of {unit}s")));
        }
        if amount.contains('.') && unit != "second" {
            return Err(Reason::new(format!("only seconds have fractions, not {unit}s")));
        }
        self.parts.push((amount.trim_start_matches('+').to_owned(), unit));
        Ok(())
    }

    /// Adds another interval's parts.
    pub(crate) fn extend(&mut self, other: Self) {
        self.parts.extend(other.parts);
    }

    /// Turns its direction round.
    #[must_use]
    pub(crate) fn negated(mut self) -> Self {
        for (amount, _) in &mut self.parts {
            *amount = match amount.strip_prefix('-') {
                Some(positive) => positive.to_owned(),
                None => format!("-{amount}"),
            };
        }
        self
    }

    /// As microseconds, which may be negative.
    ///
    /// # Errors
    ///
    /// Months and years have no fixed length; Spark counts microseconds in 64 bits.
    pub fn to_us(&self) -> Result<i64, Reason> {
        let mut total: i128 = 0;
        for (amount, unit) in &self.parts {
            let Some((_, Some(length))) = UNITS.iter().find(|(name, _)| name == unit) else {
                return Err(Reason {
                    message: format!("{unit}s have no fixed length"),
                    hint: "Write it in days, hours, minutes or seconds.".to_owned(),
                });
            };
            let too_long = || Reason::new(format!("{amount} {unit}s is too long"));
            total += nanoseconds(amount, *length).ok_or_else(too_long)?;
        }
        i64::try_from(total / 1000).map_err(|_| Reason::new("the length of time is too long"))
    }

    /// As a length of time.
    ///
    /// # Errors
    ///
    /// As [`Self::to_us`], and a length is not negative.
    pub fn to_duration(&self) -> Result<Duration, Reason> {
        let us = u64::try_from(self.to_us()?);
        us.map(Duration::from_micros)
            .map_err(|_| Reason::new("a length of time is not negative"))
    }

    /// In words, as arrow reads it: `1 hour 30 minutes`.
    pub fn words(&self) -> String {
        let mut text = String::new();
        for (amount, unit) in &self.parts {
            let _ = write!(text, "{}{amount} {unit}s", if text.is_empty() { "" } else { " " });
        }
        text
    }
}

/// Reads a length of time in microseconds.
///
/// # Errors
///
/// As [`Interval::parse`] and [`Interval::to_us`].
pub fn parse_duration_us(text: &str) -> Result<i64, Reason> {
    Interval::parse(text)?.to_us()
}

/// A length in microseconds in words, the largest units first: `1 hour 30 minutes`.
pub fn format_duration_us(us: i64) -> String {
    let mut rest = u128::from(us.unsigned_abs()) * 1000;
    let sign = if us < 0 { "-" } else { "" };
    let mut words = Vec::new();
    for (unit, length) in UNITS {
        let Some(length) = length.filter(|_| unit != "week") else {
            continue;
        };
        let count = rest / length;
        rest %= length;
        if count > 0 {
            words.push(format!(
                "{sign}{count} {unit}{}",
                if count == 1 { "" } else { "s" }
            ));
        }
    }
    if words.is_empty() {
        return "0 seconds".to_owned();
    }
    words.join(" ")
}

/// Whether a word names a unit of time.
pub(crate) fn is_unit(word: &str) -> bool {
    unit_name(word).is_some()
}

fn unit_name(word: &str) -> Option<&'static str> {
    let lower = word.to_ascii_lowercase();
    let singular = lower.strip_suffix('s').unwrap_or(&lower);
    UNITS.iter().map(|(name, _)| *name).find(|name| *name == singular)
}

fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let head = text.get(..word.len())?;
    let tail = &text[word.len()..];
    (head.eq_ignore_ascii_case(word) && tail.starts_with(char::is_whitespace)).then(|| tail.trim_start())
}

/// An amount, with up to nine digits behind the point, in nanoseconds.
fn nanoseconds(amount: &str, length: u128) -> Option<i128> {
    let (negative, digits) = match amount.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, amount),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut total = whole.checked_mul(length)?;
    if !fraction.is_empty() {
        let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        total = total.checked_add(fraction.parse::<u128>().ok()?.checked_mul(length)? / scale)?;
    }
    let total = i128::try_from(total).ok()?;
    Some(if negative { -total } else { total })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(text: &str) -> Result<Duration, String> {
        Interval::parse(text)
            .and_then(|interval| interval.to_duration())
            .map_err(|reason| reason.message)
    }

    #[test]
    fn lengths_are_read() {
        for (text, seconds) in [
            ("10 minutes", 600.0),
            ("INTERVAL 1 hour 30 minutes", 5400.0),
            ("1.5 seconds", 1.5),
            ("250 milliseconds", 0.25),
            ("2 WEEKS -1 day", 13.0 * 86_400.0),
            ("0 second", 0.0),
        ] {
            assert_eq!(length(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_length_says_why() {
        for (text, said) in [
            ("", "'' is not an interval"),
            ("minutes", "'minutes' is not an interval"),
            ("10", "'10' has no unit of time"),
            ("10 minuts", "unknown unit of time \"minuts\""),
            ("1.5 minutes", "only seconds have fractions, not minutes"),
            ("1 month", "months have no fixed length"),
            ("-1 second", "a length of time is not negative"),
            ("--1 second", "'--1' is not a number of seconds"),
            ("99999999999 weeks", "the length of time is too long"),
            ("interval", "'interval' is not an interval"),
        ] {
            assert_eq!(length(text), Err(said.to_owned()), "{text}");
        }
    }

    #[test]
    fn ranges_are_read() {
        let words = |text: &str, first: &str, last: &str| {
            Interval::parse_range(text, first, last)
                .map(|interval| interval.words())
                .map_err(|reason| reason.message)
        };
        assert_eq!(
            words("1 02:03:04.5", "DAY", "SECOND").as_deref(),
            Ok("1 days 02 hours 03 minutes 04.5 seconds")
        );
        assert_eq!(
            words("-1-2", "YEAR", "MONTH").as_deref(),
            Ok("-1 years -2 months")
        );
        assert_eq!(
            words("1:2:3", "HOUR", "MINUTE"),
            Err("'1:2:3' is not an interval HOUR TO MINUTE".to_owned())
        );
    }

    #[test]
    fn a_length_in_words_reads_back() {
        for us in [0, 1, 250_000, -250_000, -5_400_000_000, 86_400_000_001, i64::MAX] {
            assert_eq!(parse_duration_us(&format_duration_us(us)), Ok(us));
        }
        assert_eq!(format_duration_us(5_400_000_000), "1 hour 30 minutes");
    }
}
