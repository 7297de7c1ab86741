//! Units of time as `timestampadd`, `date_trunc` and their kin name them.

use crate::functions::datetime::fields::weekday;
use crate::types::calendar::{
    MICROS_PER_DAY, civil_from_days, days_from_civil, days_in_month, join_micros, split_micros,
};
use crate::types::time_zone::ZoneRules;

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// So many microseconds, up to an hour.
    Micros(i64),
    /// So many days: their length is the calendar's.
    Days(i32),
    /// So many months.
    Months(i32),
}

impl Unit {
    /// The unit of a name, for adding and for counting.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "MICROSECOND" => Self::Micros(1),
            "MILLISECOND" => Self::Micros(1_000),
            "SECOND" => Self::Micros(1_000_000),
            "MINUTE" => Self::Micros(60_000_000),
            "HOUR" => Self::Micros(3_600_000_000),
            "DAY" | "DAYOFYEAR" => Self::Days(1),
            "WEEK" => Self::Days(7),
            "MONTH" => Self::Months(1),
            "QUARTER" => Self::Months(3),
            "YEAR" => Self::Months(12),
            _ => return None,
        })
    }

    /// The unit of a format, for cutting off.
    pub(super) fn parse_format(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "DD" => Self::Days(1),
            "MM" | "MON" => Self::Months(1),
            "YYYY" | "YY" => Self::Months(12),
            "DAYOFYEAR" => return None,
            other => return Self::parse(other),
        })
    }

    /// So many units after a time.
    pub(super) fn add(self, count: i64, time: i64, rules: ZoneRules) -> Option<i64> {
        match self {
            Self::Micros(length) => time.checked_add(count.checked_mul(length)?),
            Self::Days(length) => {
                let (days, micros) = split_micros(rules.to_local(time));
                let count = i32::try_from(count).ok()?.checked_mul(length)?;
                rules.from_local(join_micros(days.checked_add(count)?, micros)?)
            }
            Self::Months(length) => {
                let (days, micros) = split_micros(rules.to_local(time));
                let count = i32::try_from(count).ok()?.checked_mul(length)?;
                rules.from_local(join_micros(add_months(days, count)?, micros)?)
            }
        }
    }

    /// How many whole units lie between two times.
    pub(super) fn between(self, start: i64, end: i64, rules: ZoneRules) -> i64 {
        let (start, end) = match self {
            Self::Micros(length) => return end.saturating_sub(start) / length,
            _ => (rules.to_local(start), rules.to_local(end)),
        };
        match self {
            Self::Micros(_) => 0,
            Self::Days(length) => (end - start) / MICROS_PER_DAY / i64::from(length),
            Self::Months(length) => {
                let ((start_days, start_micros), (end_days, end_micros)) =
                    (split_micros(start), split_micros(end));
                let (first, last) = (civil_from_days(start_days), civil_from_days(end_days));
                let month = |year: i32, month: u32| i64::from(year) * 12 + i64::from(month);
                let mut months = month(last.year, last.month) - month(first.year, first.month);
                let (from, to) = ((first.day, start_micros), (last.day, end_micros));
                if months > 0 && to < from {
                    months -= 1;
                } else if months < 0 && to > from {
                    months += 1;
                }
                months / i64::from(length)
            }
        }
    }

    /// The last beginning of a unit at or before a local time.
    pub(super) fn truncate(self, local: i64) -> Option<i64> {
        let (days, micros) = split_micros(local);
        match self {
            Self::Micros(length) => join_micros(days, micros - micros % length),
            Self::Days(length) => join_micros(if length == 7 { days - weekday(days) } else { days }, 0),
            Self::Months(length) => {
                let date = civil_from_days(days);
                let length = length.unsigned_abs();
                let month = (date.month - 1) / length * length + 1;
                join_micros(days_from_civil(date.year, month, 1)?, 0)
            }
        }
    }
}

/// The day so many months later, the last of its month where the month is shorter.
pub(super) fn add_months(days: i32, months: i32) -> Option<i32> {
    let date = civil_from_days(days);
    let total = i64::from(date.year) * 12 + i64::from(date.month) - 1 + i64::from(months);
    let year = i32::try_from(total.div_euclid(12)).ok()?;
    let month = u32::try_from(total.rem_euclid(12)).ok()? + 1;
    days_from_civil(year, month, date.day.min(days_in_month(year, month)))
}

/// A time so many months, then days, then microseconds later.
pub(crate) fn add_interval(time: i64, months: i64, days: i64, micros: i64, rules: ZoneRules) -> Option<i64> {
    let time = if months == 0 {
        time
    } else {
        Unit::Months(1).add(months, time, rules)?
    };
    let time = if days == 0 {
        time
    } else {
        Unit::Days(1).add(days, time, rules)?
    };
    time.checked_add(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UTC: ZoneRules = ZoneRules::Fixed(0);

    fn at(year: i32, month: u32, day: u32) -> i64 {
        join_micros(days_from_civil(year, month, day).expect("a day"), 0).expect("a time")
    }

    #[test]
    fn months_end_where_they_end() {
        let month = Unit::parse("month").expect("a unit");
        assert_eq!(month.add(1, at(2026, 1, 31), UTC), Some(at(2026, 2, 28)));
        assert_eq!(month.between(at(2026, 1, 15), at(2026, 3, 14), UTC), 1);
        assert_eq!(month.between(at(2026, 3, 14), at(2026, 1, 15), UTC), -1);
        assert_eq!(month.between(at(2026, 3, 15), at(2026, 1, 15), UTC), -2);
    }

    #[test]
    fn units_begin_where_the_calendar_says() {
        for (unit, expected) in [
            ("week", at(2026, 3, 2)),
            ("quarter", at(2026, 1, 1)),
            ("dd", at(2026, 3, 4)),
        ] {
            let unit = Unit::parse_format(unit).expect("a unit");
            assert_eq!(unit.truncate(at(2026, 3, 4) + 5), Some(expected), "{unit:?}");
        }
        assert_eq!(Unit::parse_format("xx"), None);
        // Before the epoch too, time is cut off towards the past.
        assert_eq!(Unit::Micros(1_000_000).truncate(-1), Some(-1_000_000));
    }
}
