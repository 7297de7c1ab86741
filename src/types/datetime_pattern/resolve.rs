//! Parsed fields to a date or timestamp, as `java.time.format.Parsed` resolves them in strict mode and Spark fills
//! what is missing.

use super::compile::Field;
use crate::types::calendar::{
    MICROS_PER_SECOND, civil_from_days, day_of_year, days_from_civil, is_leap_year, join_micros,
};
use crate::types::time_zone::ZoneRules;

/// What was parsed.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    values: [Option<i64>; Field::COUNT],
    zone: Option<ZoneRules>,
    offset_seconds: Option<i32>,
}

impl Fields {
    /// Keeps a value; a second one for the same field must be the same.
    pub(super) fn set(&mut self, field: Field, value: i64) -> Option<()> {
        let slot = &mut self.values[field as usize];
        (*slot.get_or_insert(value) == value).then_some(())
    }

    pub(super) fn set_zone(&mut self, zone: ZoneRules) -> Option<()> {
        (*self.zone.get_or_insert(zone) == zone).then_some(())
    }

    pub(super) fn set_offset(&mut self, seconds: i32) -> Option<()> {
        (*self.offset_seconds.get_or_insert(seconds) == seconds).then_some(())
    }

    pub(super) fn has_zone(&self) -> bool {
        self.zone.is_some() || self.offset_seconds.is_some()
    }

    /// Microseconds since the epoch; without a zone of its own, in `zone`.
    pub(super) fn micros(&self, zone: ZoneRules) -> Option<i64> {
        let zone = match (self.zone, self.offset_seconds) {
            (Some(zone), _) => zone,
            // Java has no offsets beyond 18 hours.
            (None, Some(seconds)) if seconds.abs() <= 18 * 3600 => ZoneRules::Fixed(seconds),
            (None, Some(_)) => return None,
            (None, None) => zone,
        };
        zone.from_local(self.local_micros()?)
    }

    /// Microseconds since the epoch as if the local time were UTC.
    pub(super) fn local_micros(&self) -> Option<i64> {
        join_micros(self.date()?, self.micros_of_day()?)
    }

    /// Days since 1970-01-01; the time must be right all the same.
    pub(super) fn days(&self) -> Option<i32> {
        self.micros_of_day()?;
        self.date()
    }

    fn get(&self, field: Field) -> Option<i64> {
        self.values[field as usize]
    }

    /// A field's value if it is in its range, `default` without one.
    fn ranged(&self, field: Field, least: i64, most: i64, default: i64) -> Option<i64> {
        let value = self.get(field).unwrap_or(default);
        (least..=most).contains(&value).then_some(value)
    }

    /// The year, 1970 without one; `None` if it is not one.
    fn year(&self) -> Option<i64> {
        match (self.get(Field::YearOfEra), self.get(Field::Era)) {
            (None, _) => Some(self.get(Field::Year).unwrap_or(1970)),
            (Some(year), Some(0)) if year > 0 => Some(1 - year),
            (Some(year), Some(_)) if year > 0 => Some(year),
            // Strictly, a year of an era needs its era.
            (Some(_), _) => None,
        }
    }

    fn date(&self) -> Option<i32> {
        let month = self.ranged(Field::Month, 1, 12, 1)?;
        let day = self.ranged(Field::DayOfMonth, 1, 31, 1)?;
        let in_year = self.ranged(Field::DayOfYear, 1, 366, 1)?;
        let year = i32::try_from(self.year()?).ok()?;
        let month = u32::try_from(month).ok()?;
        let day = u32::try_from(day).ok()?;
        let in_year = u32::try_from(in_year).ok()?;
        let has_month_and_day = self.get(Field::Month).is_some() && self.get(Field::DayOfMonth).is_some();
        let days = if let Some(modified_julian_day) = self.get(Field::ModifiedJulianDay) {
            i32::try_from(modified_julian_day.checked_sub(40_587)?).ok()?
        } else if self.get(Field::DayOfYear).is_some() && !has_month_and_day {
            if in_year == 366 && !is_leap_year(year) {
                return None;
            }
            days_from_civil(year, 1, 1)?.checked_add(i32::try_from(in_year).ok()? - 1)?
        } else {
            days_from_civil(year, month, day)?
        };
        // Whatever else was parsed must agree.
        let date = civil_from_days(days);
        let agrees = |field, actual| self.get(field).is_none_or(|value| value == i64::from(actual));
        (agrees(Field::Year, date.year)
            && agrees(Field::Month, date.month.cast_signed())
            && agrees(Field::DayOfMonth, date.day.cast_signed())
            && agrees(Field::DayOfYear, day_of_year(date).cast_signed()))
        .then_some(days)
    }

    fn micros_of_day(&self) -> Option<i64> {
        let half = self.ranged(Field::AmPm, 0, 1, 0)?;
        let in_half = match self.get(Field::ClockHourOfAmPm) {
            Some(_) => Some(self.ranged(Field::ClockHourOfAmPm, 1, 12, 1)? % 12),
            None => None,
        };
        let in_half = match (in_half, self.get(Field::HourOfAmPm)) {
            (Some(one), Some(other)) if one != other => return None,
            (Some(hour), _) => Some(hour),
            (None, Some(_)) => Some(self.ranged(Field::HourOfAmPm, 0, 11, 0)?),
            (None, None) => None,
        };
        let clock_hour = match self.get(Field::ClockHourOfDay) {
            Some(_) => Some(self.ranged(Field::ClockHourOfDay, 1, 24, 1)? % 24),
            None => None,
        };
        let of_half = match (in_half, self.get(Field::AmPm)) {
            (Some(hour), Some(half)) => Some(half * 12 + hour),
            _ => None,
        };
        let given = match self.get(Field::HourOfDay) {
            Some(_) => Some(self.ranged(Field::HourOfDay, 0, 23, 0)?),
            None => None,
        };
        // Of the ways to tell the hour of the day, those that were used must agree.
        let mut hour = None;
        for told in [given, clock_hour, of_half].into_iter().flatten() {
            if *hour.get_or_insert(told) != told {
                return None;
            }
        }
        // An hour without its half is in the morning, a half without an hour begins.
        let hour = hour.or(in_half).unwrap_or(half * 12);
        let minute = self.ranged(Field::Minute, 0, 59, 0)?;
        let second = self.ranged(Field::Second, 0, 59, 0)?;
        let micros = self.get(Field::NanoOfSecond).unwrap_or(0) / 1000;
        Some((hour * 3600 + minute * 60 + second) * MICROS_PER_SECOND + micros)
    }
}
