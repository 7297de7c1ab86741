//! Days since 1970-01-01 in the proleptic Gregorian calendar, as Spark and Java count them.

/// Microseconds in a second.
pub const MICROS_PER_SECOND: i64 = 1_000_000;
/// Microseconds in a day.
pub const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// A date's fields; years before 1 are 0, -1, and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CivilDate {
    /// The year.
    pub year: i32,
    /// The month, from 1.
    pub month: u32,
    /// The day of the month, from 1.
    pub day: u32,
}

/// Whether `year` has a 29th of February.
pub fn is_leap_year(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// How many days the month has; 0 for a month that does not exist.
pub fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap_year(year) => 29,
        2 => 28,
        _ => 0,
    }
}

/// The day's number since 1970-01-01, `None` if there is no such day or it does not fit.
pub fn days_from_civil(year: i32, month: u32, day: u32) -> Option<i32> {
    // Most days are checked without looking at the calendar: the short months decide only from the 29th on.
    if !(1..=12).contains(&month) || day == 0 || (day > 28 && day > days_in_month(year, month)) {
        return None;
    }
    // Years begin in March here, so that the leap day is the last one (H. Hinnant, "chrono-Compatible
    // Low-Level Date Algorithms").
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    i32::try_from(era * 146_097 + day_of_era - 719_468).ok()
}

/// The date of the day `days` after 1970-01-01.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the fields of a date whose day number is an i32 are small"
)]
pub fn civil_from_days(days: i32) -> CivilDate {
    let shifted = i64::from(days) + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    CivilDate {
        year: (year_of_era + era * 400 + i64::from(month <= 2)) as i32,
        month: month as u32,
        day: (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32,
    }
}

/// The day of the year, from 1.
pub fn day_of_year(date: CivilDate) -> u32 {
    (1..date.month)
        .map(|month| days_in_month(date.year, month))
        .sum::<u32>()
        + date.day
}

/// Splits microseconds since the epoch into the day and the microseconds within it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "an i64 of microseconds spans fewer days than an i32 counts"
)]
pub fn split_micros(micros: i64) -> (i32, i64) {
    (
        micros.div_euclid(MICROS_PER_DAY) as i32,
        micros.rem_euclid(MICROS_PER_DAY),
    )
}

/// Microseconds since the epoch of a day and the microseconds within it, `None` if it does not fit.
pub fn join_micros(days: i32, micros_of_day: i64) -> Option<i64> {
    // The first day of the range of i64 is cut off by its own midnight, so the sum is made in i128.
    i64::try_from(i128::from(days) * i128::from(MICROS_PER_DAY) + i128::from(micros_of_day)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        for (year, month, day, days) in [
            (1970, 1, 1, Some(0)),
            (2026, 1, 1, Some(20_454)),
            (1969, 12, 31, Some(-1)),
            (0, 1, 1, Some(-719_528)),
            (1600, 2, 29, Some(-135_081)),
            (2026, 2, 29, None),
            (2024, 2, 29, Some(19_782)),
            (2026, 4, 31, None),
            (2026, 13, 1, None),
            (2026, 0, 1, None),
            (2026, 1, 0, None),
        ] {
            assert_eq!(days_from_civil(year, month, day), days, "{year}-{month}-{day}");
        }
    }

    #[test]
    fn every_day_of_eight_centuries_comes_back() {
        let first = days_from_civil(1600, 1, 1).expect("a day");
        let last = days_from_civil(2400, 12, 31).expect("a day");
        for days in first..=last {
            let date = civil_from_days(days);
            assert_eq!(days_from_civil(date.year, date.month, date.day), Some(days));
        }
    }

    #[test]
    fn micros_split_and_join_at_the_ends() {
        for micros in [i64::MIN, -1, 0, 1, i64::MAX] {
            let (days, rest) = split_micros(micros);
            assert_eq!(join_micros(days, rest), Some(micros));
        }
        assert_eq!(join_micros(i32::MAX, 0), None);
    }
}
