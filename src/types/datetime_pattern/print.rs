//! A timestamp to text.

use std::fmt::Write as _;

use super::compile::{Field, Item, Number, OffsetShape, Sign, Style};
use super::names::{self, ZONES};
use crate::types::calendar::{CivilDate, MICROS_PER_SECOND, civil_from_days, day_of_year, split_micros};
use crate::types::time_zone::TimeZone;

/// A timestamp taken apart, in its zone.
pub(super) struct Moment<'a> {
    micros: i64,
    zone: &'a TimeZone,
    offset_seconds: i32,
    days: i32,
    date: CivilDate,
    second_of_day: i64,
    nano_of_second: i64,
}

impl<'a> Moment<'a> {
    pub(super) fn new(micros: i64, zone: &'a TimeZone) -> Self {
        let offset_seconds = zone.rules().offset_seconds(micros);
        let (days, micros_of_day) = split_micros(zone.rules().to_local(micros));
        Self {
            micros,
            zone,
            offset_seconds,
            days,
            date: civil_from_days(days),
            second_of_day: micros_of_day / MICROS_PER_SECOND,
            nano_of_second: micros_of_day % MICROS_PER_SECOND * 1000,
        }
    }

    fn get(&self, field: Field) -> i64 {
        let hour = self.second_of_day / 3600;
        let year = i64::from(self.date.year);
        match field {
            Field::Year => year,
            Field::YearOfEra => {
                if year > 0 {
                    year
                } else {
                    1 - year
                }
            }
            Field::Month => self.date.month.into(),
            Field::DayOfMonth => self.date.day.into(),
            Field::DayOfYear => day_of_year(self.date).into(),
            Field::AlignedDayOfWeek => i64::from((self.date.day - 1) % 7 + 1),
            Field::Quarter => i64::from(self.date.month.div_ceil(3)),
            Field::AmPm => hour / 12,
            Field::ClockHourOfAmPm => (hour + 11) % 12 + 1,
            Field::HourOfAmPm => hour % 12,
            Field::HourOfDay => hour,
            Field::ClockHourOfDay => {
                if hour == 0 {
                    24
                } else {
                    hour
                }
            }
            Field::Minute => self.second_of_day / 60 % 60,
            Field::Second => self.second_of_day % 60,
            Field::NanoOfSecond => self.nano_of_second,
            Field::Era => i64::from(year > 0),
            // 1970-01-01 was a Thursday.
            Field::DayOfWeek => (i64::from(self.days) + 3).rem_euclid(7) + 1,
            Field::ModifiedJulianDay => i64::from(self.days) + 40_587,
        }
    }
}

/// Writes `moment` item by item.
pub(super) fn print(items: &[Item], moment: &Moment<'_>, text: &mut String) {
    for item in items {
        match item {
            Item::Literal(literal) => text.push_str(literal),
            Item::Number(number) => print_number(number, moment.get(number.field), text),
            Item::Fraction(digits) => text.push_str(&format!("{:09}", moment.nano_of_second)[..*digits]),
            Item::Name(field, style) => text.push_str(names::name_of(*field, *style, moment.get(*field))),
            Item::ZoneId => text.push_str(moment.zone.id()),
            Item::ZoneName(style) => print_zone_name(moment, *style, text),
            Item::Offset(shape) => print_offset(*shape, moment.offset_seconds, text),
            Item::LocalizedOffset(style) => print_localized_offset(*style, moment.offset_seconds, text),
            Item::Optional(items) => print(items, moment, text),
        }
    }
}

fn print_number(number: &Number, value: i64, text: &mut String) {
    let value = if number.is_two_digit_year {
        value.abs() % 100
    } else {
        value
    };
    let digits = value.unsigned_abs().to_string();
    if value < 0 {
        text.push('-');
    } else if number.sign == Sign::ExceedsPad && digits.len() > number.least {
        text.push('+');
    }
    text.extend(std::iter::repeat_n(
        '0',
        number.least.saturating_sub(digits.len()),
    ));
    text.push_str(&digits);
}

/// Java shows the full names of all zones; of those that are not in the list, the short one has to do here.
fn print_zone_name(moment: &Moment<'_>, style: Style, text: &mut String) {
    let short = moment.zone.abbreviation(moment.micros);
    let full = ZONES
        .iter()
        .find(|(name, ..)| *name == short)
        .map(|(_, full, _)| *full);
    match (style, full) {
        (Style::Full, Some(full)) => text.push_str(full),
        _ => text.push_str(&short),
    }
}

fn print_offset(shape: OffsetShape, offset_seconds: i32, text: &mut String) {
    let total = offset_seconds.abs();
    let (hours, minutes, seconds) = (total / 3600, total / 60 % 60, total % 60);
    if offset_seconds == 0 {
        text.push_str(shape.zero);
        return;
    }
    let start = text.len();
    let colon = if shape.colons { ":" } else { "" };
    let _ = write!(text, "{}{hours:02}", if offset_seconds < 0 { '-' } else { '+' });
    let mut shown = hours;
    if !shape.short_minutes || minutes > 0 {
        let _ = write!(text, "{colon}{minutes:02}");
        shown += minutes;
        if shape.seconds && seconds > 0 {
            let _ = write!(text, "{colon}{seconds:02}");
            shown += seconds;
        }
    }
    // What is left of a few seconds may be nothing.
    if shown == 0 {
        text.truncate(start);
        text.push_str(shape.zero);
    }
}

fn print_localized_offset(style: Style, offset_seconds: i32, text: &mut String) {
    text.push_str("GMT");
    if offset_seconds == 0 {
        return;
    }
    let total = offset_seconds.abs();
    let (hours, minutes, seconds) = (total / 3600, total / 60 % 60, total % 60);
    text.push(if offset_seconds < 0 { '-' } else { '+' });
    let _ = match style {
        Style::Full => write!(text, "{hours:02}:{minutes:02}"),
        Style::Short if minutes == 0 && seconds == 0 => write!(text, "{hours}"),
        Style::Short => write!(text, "{hours}:{minutes:02}"),
    };
    if seconds > 0 {
        let _ = write!(text, ":{seconds:02}");
    }
}
