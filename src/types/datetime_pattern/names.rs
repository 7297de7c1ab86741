//! English names, as Java has them for `Locale.US`.

use super::compile::{Field, Style};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const QUARTERS: [&str; 4] = ["1st quarter", "2nd quarter", "3rd quarter", "4th quarter"];
const SHORT_QUARTERS: [&str; 4] = ["Q1", "Q2", "Q3", "Q4"];
const HALVES: [&str; 2] = ["AM", "PM"];
const ERAS: [&str; 2] = ["Before Christ", "Anno Domini"];
const SHORT_ERAS: [&str; 2] = ["BC", "AD"];

/// Zones' names: short, full, and the region that Java takes for it when parsing.
pub(super) const ZONES: [(&str, &str, &str); 28] = [
    ("UTC", "Coordinated Universal Time", "UTC"),
    ("GMT", "Greenwich Mean Time", "GMT"),
    ("PST", "Pacific Standard Time", "America/Los_Angeles"),
    ("PDT", "Pacific Daylight Time", "America/Los_Angeles"),
    ("MST", "Mountain Standard Time", "America/Denver"),
    ("MDT", "Mountain Daylight Time", "America/Denver"),
    ("CST", "Central Standard Time", "America/Chicago"),
    ("CDT", "Central Daylight Time", "America/Chicago"),
    ("EST", "Eastern Standard Time", "America/New_York"),
    ("EDT", "Eastern Daylight Time", "America/New_York"),
    ("AKST", "Alaska Standard Time", "America/Anchorage"),
    ("AKDT", "Alaska Daylight Time", "America/Anchorage"),
    ("HST", "Hawaii-Aleutian Standard Time", "Pacific/Honolulu"),
    ("CET", "Central European Standard Time", "Europe/Paris"),
    ("CEST", "Central European Summer Time", "Europe/Paris"),
    ("EET", "Eastern European Standard Time", "Europe/Bucharest"),
    ("EEST", "Eastern European Summer Time", "Europe/Bucharest"),
    ("WET", "Western European Standard Time", "Europe/Lisbon"),
    ("WEST", "Western European Summer Time", "Europe/Lisbon"),
    ("BST", "British Summer Time", "Europe/London"),
    ("MSK", "Moscow Standard Time", "Europe/Moscow"),
    // Java writes the first of these two and reads the second.
    ("IST", "India Standard Time", "Asia/Kolkata"),
    ("IST", "Irish Standard Time", "Europe/Dublin"),
    ("JST", "Japan Standard Time", "Asia/Tokyo"),
    ("KST", "Korean Standard Time", "Asia/Seoul"),
    ("AEST", "Australian Eastern Standard Time", "Australia/Sydney"),
    ("AEDT", "Australian Eastern Daylight Time", "Australia/Sydney"),
    ("NZST", "New Zealand Standard Time", "Pacific/Auckland"),
];

/// How a field's names begin: 1 for months, weekdays, quarters, 0 for halves of the day and eras.
fn table(field: Field, style: Style) -> (i64, &'static [&'static str]) {
    match (field, style) {
        (Field::Month, _) => (1, &MONTHS),
        (Field::DayOfWeek, _) => (1, &WEEKDAYS),
        (Field::Quarter, Style::Full) => (1, &QUARTERS),
        (Field::Quarter, Style::Short) => (1, &SHORT_QUARTERS),
        (Field::AmPm, _) => (0, &HALVES),
        (Field::Era, Style::Full) => (0, &ERAS),
        (Field::Era, Style::Short) => (0, &SHORT_ERAS),
        _ => (0, &[]),
    }
}

/// Months' and weekdays' short names are their first three letters.
fn cut(field: Field, style: Style, name: &'static str) -> &'static str {
    match (field, style) {
        (Field::Month | Field::DayOfWeek, Style::Short) => &name[..3],
        _ => name,
    }
}

/// The name of a field's value.
pub(super) fn name_of(field: Field, style: Style, value: i64) -> &'static str {
    let (first, names) = table(field, style);
    usize::try_from(value - first)
        .ok()
        .and_then(|at| names.get(at))
        .map_or("", |name| cut(field, style, name))
}

/// The value whose name `text` begins with, whatever the case, and the name's length.
pub(super) fn value_at(field: Field, style: Style, text: &str) -> Option<(i64, usize)> {
    let (first, names) = table(field, style);
    names.iter().zip(first..).find_map(|(name, value)| {
        let name = cut(field, style, name);
        starts_with_ignoring_case(text, name).then_some((value, name.len()))
    })
}

/// Whether `text` begins with `prefix`, ASCII case aside.
pub(super) fn starts_with_ignoring_case(text: &str, prefix: &str) -> bool {
    text.as_bytes()
        .get(..prefix.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(prefix.as_bytes()))
}
