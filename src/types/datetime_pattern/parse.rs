//! Text to fields, by the rules of Java's parser in strict mode and without regard to case.

use std::str::FromStr as _;

use chrono_tz::{TZ_VARIANTS, Tz};

use super::compile::{Field, Item, Number, OffsetShape, Sign, Style};
use super::names::{self, ZONES, starts_with_ignoring_case};
use super::resolve::Fields;
use crate::types::time_zone::ZoneRules;

/// Reads all of `text`; `None` if it is not what the items say.
pub(super) fn parse(items: &[Item], text: &str) -> Option<Fields> {
    let mut fields = Fields::default();
    let end = parse_items(items, text, 0, &mut fields)?;
    (end == text.len()).then_some(fields)
}

fn parse_items(items: &[Item], text: &str, start: usize, fields: &mut Fields) -> Option<usize> {
    let mut at = start;
    for item in items {
        let rest = text.get(at..)?;
        at += match item {
            Item::Literal(literal) => starts_with_ignoring_case(rest, literal).then_some(literal.len())?,
            Item::Number(number) => parse_number(number, rest, fields)?,
            Item::Fraction(most) => parse_fraction(*most, rest, fields)?,
            Item::Name(field, style) => {
                let (value, length) = names::value_at(*field, *style, rest)?;
                fields.set(*field, value)?;
                length
            }
            Item::ZoneId => parse_zone_id(rest, fields)?,
            Item::ZoneName(style) => parse_zone_name(*style, rest, fields)?,
            Item::Offset(shape) => parse_offset(*shape, rest, fields)?,
            Item::LocalizedOffset(style) => parse_localized_offset(*style, rest, fields)?,
            Item::Optional(items) => {
                // What does not fit leaves no trace.
                let mut tried = fields.clone();
                match parse_items(items, text, at, &mut tried) {
                    Some(end) => {
                        *fields = tried;
                        end - at
                    }
                    None => 0,
                }
            }
        };
    }
    Some(at)
}

fn parse_number(number: &Number, rest: &str, fields: &mut Fields) -> Option<usize> {
    let bytes = rest.as_bytes();
    let (is_negative, is_positive) = match (bytes.first(), number.sign) {
        (Some(b'+'), Sign::ExceedsPad) => (false, true),
        (Some(b'-'), Sign::ExceedsPad | Sign::Normal) => (true, false),
        _ => (false, false),
    };
    let signs = usize::from(is_negative || is_positive);
    let run = bytes[signs..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    // The numbers right behind need their digits too.
    let seen = run.min(number.most + number.reserved);
    let length = if number.reserved > 0 {
        number.least.max(seen.saturating_sub(number.reserved))
    } else {
        seen
    };
    if length < number.least || length > seen {
        return None;
    }
    let digits = rest.get(signs..signs + length)?;
    let mut value: i64 = digits.parse().ok()?;
    if is_negative && value == 0 {
        return None;
    }
    if number.sign == Sign::ExceedsPad && !is_negative && is_positive != (length > number.least) {
        return None;
    }
    if is_negative {
        value = -value;
    }
    if number.is_two_digit_year {
        value += 2000;
    }
    fields.set(number.field, value)?;
    Some(signs + length)
}

fn parse_fraction(most: usize, rest: &str, fields: &mut Fields) -> Option<usize> {
    let length = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let value: i64 = rest.get(..length)?.parse().ok()?;
    let scale = u32::try_from(9 - length).ok()?;
    fields.set(Field::NanoOfSecond, value * 10_i64.pow(scale))?;
    Some(length)
}

/// The number that the two digits at `at` make.
fn two_digits(bytes: &[u8], at: usize) -> Option<i32> {
    match (bytes.get(at)?, bytes.get(at + 1)?) {
        (tens @ b'0'..=b'9', ones @ b'0'..=b'9') => {
            Some(i32::from(tens - b'0') * 10 + i32::from(ones - b'0'))
        }
        _ => None,
    }
}

fn sign(bytes: &[u8]) -> Option<i32> {
    match bytes.first()? {
        b'+' => Some(1),
        b'-' => Some(-1),
        _ => None,
    }
}

fn parse_offset(shape: OffsetShape, rest: &str, fields: &mut Fields) -> Option<usize> {
    let bytes = rest.as_bytes();
    let numeric = sign(bytes).and_then(|sign| {
        let hours = two_digits(bytes, 1)?;
        let mut at = 3;
        let mut part = || {
            let digits = if shape.colons {
                if bytes.get(at) != Some(&b':') {
                    return None;
                }
                at + 1
            } else {
                at
            };
            let value = two_digits(bytes, digits).filter(|value| *value < 60)?;
            at = digits + 2;
            Some(value)
        };
        let minutes = part();
        if minutes.is_none() && !shape.short_minutes {
            return None;
        }
        let seconds = if shape.seconds { part() } else { None };
        let total = hours * 3600 + minutes.unwrap_or(0) * 60 + seconds.unwrap_or(0);
        Some((sign * total, at))
    });
    // The text for zero goes first: it may be shorter than what follows.
    let (seconds, length) = if starts_with_ignoring_case(rest, shape.zero) {
        (0, shape.zero.len())
    } else {
        numeric?
    };
    fields.set_offset(seconds)?;
    Some(length)
}

fn parse_localized_offset(style: Style, rest: &str, fields: &mut Fields) -> Option<usize> {
    let tail = starts_with_ignoring_case(rest, "GMT").then(|| &rest.as_bytes()[3..])?;
    let Some(sign) = sign(tail) else {
        fields.set_offset(0)?;
        return Some(3);
    };
    let (hours, mut at) = match (two_digits(tail, 1), style) {
        (Some(hours), _) => (hours, 3),
        (None, Style::Short) => (
            i32::from(tail.get(1).filter(|digit| digit.is_ascii_digit())? - b'0'),
            2,
        ),
        (None, Style::Full) => return None,
    };
    let mut total = hours * 3600;
    for unit in [60, 1] {
        if tail.get(at) != Some(&b':') {
            if unit == 60 && style == Style::Full {
                return None;
            }
            break;
        }
        total += two_digits(tail, at + 1).filter(|value| *value < 60)? * unit;
        at += 3;
    }
    fields.set_offset(sign * total)?;
    Some(3 + at)
}

/// A zone id at the beginning of `rest`: the longest there is.
fn zone_id_at(rest: &str) -> Option<(ZoneRules, usize)> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"~/._+-:".contains(byte);
    let longest = rest.bytes().take_while(is_part).count();
    (1..=longest).rev().find_map(|length| {
        let id = &rest[..length];
        // An offset in an id has all its digits and colons, alone and behind a prefix.
        let bare = ["UTC", "GMT", "UT"]
            .iter()
            .find(|prefix| starts_with_ignoring_case(id, prefix))
            .map_or(id, |prefix| &id[prefix.len()..]);
        let rules = match bare.as_bytes() {
            [] | [b'Z' | b'z'] => ZoneRules::Fixed(0),
            [b'+' | b'-', _, _, b':', _, _] | [b'+' | b'-', _, _, b':', _, _, b':', _, _] => {
                ZoneRules::find(bare)?
            }
            _ => region(id)?,
        };
        Some((rules, length))
    })
}

fn region(id: &str) -> Option<ZoneRules> {
    let exact = Tz::from_str(id).ok();
    exact
        .or_else(|| {
            TZ_VARIANTS
                .into_iter()
                .find(|zone| zone.name().eq_ignore_ascii_case(id))
        })
        .map(ZoneRules::Region)
}

fn parse_zone_id(rest: &str, fields: &mut Fields) -> Option<usize> {
    let (rules, length) = zone_id_at(rest)?;
    fields.set_zone(rules)?;
    Some(length)
}

fn parse_zone_name(style: Style, rest: &str, fields: &mut Fields) -> Option<usize> {
    let named = ZONES
        .iter()
        .map(|(short, full, region)| (if style == Style::Full { *full } else { *short }, *region))
        .filter(|(name, _)| starts_with_ignoring_case(rest, name))
        .max_by_key(|(name, _)| name.len());
    let by_name = named.and_then(|(name, region)| Some((ZoneRules::find(region)?, name.len())));
    let by_id = zone_id_at(rest);
    // The longer one wins, a name before an id.
    let (rules, length) = match (by_name, by_id) {
        (Some(name), Some(id)) if id.1 > name.1 => id,
        (Some(name), _) => name,
        (None, id) => id?,
    };
    fields.set_zone(rules)?;
    Some(length)
}
