//! Lengths of time as Spark writes them: `10 minutes`, `INTERVAL 1 hour 30 minutes`, `1.5 seconds`, `500ms`.
//!
//! A day is 24 hours. Months and years have no fixed length and are refused, as Spark refuses them for windows,
//! watermark delays and triggers.

const UNITS: [(&str, i64); 7] = [
    ("microsecond", 1),
    ("millisecond", 1_000),
    ("second", 1_000_000),
    ("minute", 60_000_000),
    ("hour", 3_600_000_000),
    ("day", 86_400_000_000),
    ("week", 604_800_000_000),
];

/// The length in microseconds.
///
/// # Errors
///
/// A phrase that names what is wrong, to be put into an error about the place it stands in.
pub fn parse_duration_us(text: &str) -> Result<i64, String> {
    let lower = text.trim().to_ascii_lowercase();
    let mut rest = lower.strip_prefix("interval").unwrap_or(&lower).trim_start();
    let wrong = || format!("'{}' is not a length of time such as '10 minutes'", text.trim());
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '-' | '+' | '.')))
            .unwrap_or(rest.len());
        let (number, tail) = rest.split_at(end);
        let tail = tail.trim_start();
        let end = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let factor = unit_us(unit).map_err(|reason| reason.unwrap_or_else(wrong))?;
        let amount = scaled(number, factor).ok_or_else(wrong)?;
        total = total.checked_add(amount).ok_or_else(wrong)?;
        rest = tail.trim_start();
    }
    Ok(total)
}

/// A length in microseconds in words, the largest units first: `1 hour 30 minutes`.
pub fn format_duration_us(us: i64) -> String {
    if us == 0 {
        return "0 seconds".to_owned();
    }
    let mut rest = us.unsigned_abs();
    let mut words = Vec::new();
    for (unit, factor) in UNITS.iter().rev().filter(|(unit, _)| *unit != "week") {
        let factor = factor.unsigned_abs();
        let count = rest / factor;
        rest %= factor;
        if count > 0 {
            words.push(format!("{count} {unit}{}", if count == 1 { "" } else { "s" }));
        }
    }
    format!("{}{}", if us < 0 { "-" } else { "" }, words.join(" "))
}

fn unit_us(unit: &str) -> Result<i64, Option<String>> {
    let short = match unit {
        "us" => "microsecond",
        "ms" => "millisecond",
        "s" | "sec" | "secs" => "second",
        "m" | "min" | "mins" => "minute",
        "h" | "hr" | "hrs" => "hour",
        "d" => "day",
        "w" => "week",
        other => other.strip_suffix('s').unwrap_or(other),
    };
    if matches!(short, "month" | "year" | "quarter") {
        return Err(Some(format!(
            "a length in {short}s is not fixed; use days or a smaller unit"
        )));
    }
    UNITS
        .iter()
        .find(|(name, _)| *name == short)
        .map(|(_, us)| *us)
        .ok_or(None)
}

fn scaled(number: &str, factor: i64) -> Option<i64> {
    if let Ok(whole) = number.parse::<i64>() {
        return whole.checked_mul(factor);
    }
    // Fractions, as in `1.5 seconds`, are exact to the microsecond.
    let (whole, fraction) = number.split_once('.')?;
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let negative = whole.starts_with('-');
    let whole = if matches!(whole, "" | "-" | "+") {
        0
    } else {
        whole.parse::<i64>().ok()?
    };
    let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    let part = i64::try_from(fraction.parse::<i128>().ok()? * i128::from(factor) / scale).ok()?;
    whole
        .checked_mul(factor)?
        .checked_add(if negative { -part } else { part })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_spark_writes_them() {
        for (text, us) in [
            ("10 minutes", 600_000_000),
            ("INTERVAL 1 hour 30 minutes", 5_400_000_000),
            ("interval '2'", -1),
            ("500ms", 500_000),
            ("1.5 seconds", 1_500_000),
            ("-0.25 second", -250_000),
            ("1 week 1 day", 691_200_000_000),
            ("5", -1),
            ("minutes", -1),
            ("", -1),
            ("1 month", -1),
        ] {
            assert_eq!(parse_duration_us(text).unwrap_or(-1), us, "{text}");
        }
        assert!(
            parse_duration_us("2 months")
                .expect_err("not fixed")
                .contains("months")
        );
    }

    #[test]
    fn a_length_in_words_reads_back() {
        for us in [0, 1, 5_400_000_000, 86_400_000_001] {
            assert_eq!(parse_duration_us(&format_duration_us(us)), Ok(us));
        }
        assert_eq!(format_duration_us(5_400_000_000), "1 hour 30 minutes");
    }
}
