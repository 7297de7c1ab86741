//! Numbers for people: three digits that matter, a small unit, and columns that line up.

/// A number and its unit, apart, so that a table can align both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quantity {
    /// The digits: `2.0`, `410`.
    pub(crate) number: String,
    /// The unit, empty for plain counts below a thousand: `k`, `ms`, `kB`.
    pub(crate) unit: &'static str,
}

impl Quantity {
    /// `2.0 k`; a plain count is `410`.
    pub(crate) fn text(&self) -> String {
        if self.unit.is_empty() {
            self.number.clone()
        } else {
            format!("{} {}", self.number, self.unit)
        }
    }

    /// The same with the unit in a column of `unit_width`, so that digits stand under digits.
    pub(crate) fn aligned(&self, unit_width: usize) -> String {
        format!("{} {:<unit_width$}", self.number, self.unit)
    }
}

/// Rows, batches, rates: `0.4`, `410`, `2.0 k`, `10 k`, `1.2 M`.
pub(crate) fn count(value: f64) -> Quantity {
    scaled(
        value,
        &["", "k", "M", "G", "T"],
        1000.0,
        value.fract() != 0.0 && value < 10.0,
    )
}

/// Bytes by thousands, as disks count: `410 B`, `12 kB`, `1.2 MB`.
pub(crate) fn bytes(value: u64) -> Quantity {
    scaled(to_f64(value), &["B", "kB", "MB", "GB", "TB"], 1000.0, false)
}

/// A span of time given in microseconds: `340 µs`, `8 ms`, `1.2 s`, `3.5 m`. `micro` is the unit for microseconds,
/// which a terminal without Unicode writes `us`.
pub(crate) fn duration_us(value: u64, micro: &'static str) -> Quantity {
    match value {
        0..1_000 => Quantity {
            number: value.to_string(),
            unit: micro,
        },
        1_000..1_000_000 => in_unit(to_f64(value) / 1e3, "ms"),
        1_000_000..60_000_000 => in_unit(to_f64(value) / 1e6, "s"),
        60_000_000..3_600_000_000 => in_unit(to_f64(value) / 60e6, "m"),
        _ => in_unit(to_f64(value) / 3600e6, "h"),
    }
}

/// How far something is behind, in words that stay short: `33 s`, `5 m 10 s`, `2 h 5 m`, `210 d`.
pub(crate) fn lag_ms(value: i64) -> String {
    let sign = if value < 0 { "+" } else { "" };
    let seconds = value.unsigned_abs() / 1000;
    let text = match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} m {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d", seconds / 86_400),
    };
    format!("{sign}{text}")
}

/// All digits, in groups of three: `1,200`.
pub(crate) fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 query`, `3 queries`.
pub(crate) fn plural(count: usize, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        grouped(count as u64),
        if count == 1 { one } else { many }
    )
}

fn scaled(value: f64, units: &[&'static str], step: f64, small_fraction: bool) -> Quantity {
    let mut value = value.max(0.0);
    let mut at = 0;
    // 999.5 would round to 1000: it belongs to the next unit already.
    while value >= step - 0.5 && at + 1 < units.len() {
        value /= step;
        at += 1;
    }
    let unit = units[at];
    if at > 0 || small_fraction {
        in_unit(value, unit)
    } else {
        Quantity {
            number: format!("{value:.0}"),
            unit,
        }
    }
}

/// One decimal below ten, none above.
fn in_unit(value: f64, unit: &'static str) -> Quantity {
    let number = if value < 9.95 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    };
    Quantity { number, unit }
}

/// A count as a float; beyond 2^53 the last digits do not matter on a screen.
#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
pub(crate) fn to_f64(value: u64) -> f64 {
    value as f64
}

/// The whole part of a float that is no less than zero.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what both can hold before"
)]
pub(crate) fn to_whole(value: f64) -> u64 {
    value.clamp(0.0, 9e15) as u64
}

/// The whole part of a float that is known to be small: cells, dots and steps on a screen.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=65535 before"
)]
pub(crate) fn to_cells(value: f64) -> usize {
    value.clamp(0.0, 65_535.0) as usize
}

/// A size in cells; nothing on a screen is wider than 65,535.
pub(crate) fn to_u16(value: usize) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_keep_three_digits() {
        let shown: Vec<String> = [
            0.0, 0.4, 9.0, 410.0, 999.4, 999.6, 2_041.0, 10_200.0, 999_600.0, 1.25e6,
        ]
        .map(|v| count(v).text())
        .into();
        assert_eq!(
            shown,
            [
                "0", "0.4", "9", "410", "999", "1.0 k", "2.0 k", "10 k", "1.0 M", "1.2 M"
            ]
        );
    }

    #[test]
    fn durations_and_sizes_pick_their_unit() {
        assert_eq!(duration_us(340, "µs").text(), "340 µs");
        assert_eq!(duration_us(8_200, "µs").text(), "8.2 ms");
        assert_eq!(duration_us(61_000_000, "µs").text(), "1.0 m");
        assert_eq!(bytes(410).text(), "410 B");
        assert_eq!(bytes(12_400).text(), "12 kB");
        assert_eq!(count(410.0).aligned(1), "410  ");
    }

    #[test]
    fn lags_and_groups_read_well() {
        assert_eq!(lag_ms(33_000), "33 s");
        assert_eq!(lag_ms(310_000), "5 m 10 s");
        assert_eq!(lag_ms(-2_000), "+2 s");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(12), "12");
    }
}
