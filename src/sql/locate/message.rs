//! The texts of DataFusion's messages: taken apart, and put in our words.

use std::fmt::Write as _;

/// How many names a hint lists at most.
const MOST_NAMES: usize = 13;

/// Parts of messages, and what to do about them.
const ADVICE: [(&str, &str); 8] = [
    (
        "different number of columns",
        "Select as many columns on both sides.",
    ),
    ("not found in struct", "DESCRIBE the relation to see its fields."),
    ("Cannot access field", "Only structs and maps have fields."),
    ("only return one column", "Select one column in the subquery."),
    ("cannot be nested", "Aggregate in a subquery first."),
    (
        "HAVING clause references",
        "HAVING sees grouped columns and aggregates: filter rows with WHERE.",
    ),
    (
        "must appear in select list",
        "Select it as well, or leave DISTINCT away.",
    ),
    (
        "Unsupported ast node",
        "Write it in another way: SHOW FUNCTIONS lists what is there.",
    ),
];

/// What to do about an error that names no column, relation or function.
pub(super) fn advice(message: &str) -> Option<&'static str> {
    let mut known = ADVICE.iter();
    known
        .find(|(part, _)| message.contains(part))
        .map(|(_, advice)| *advice)
}

pub(super) fn listed(names: &[&str]) -> String {
    let mut text = names
        .iter()
        .take(MOST_NAMES)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > MOST_NAMES {
        let _ = write!(text, " and {} more", names.len() - MOST_NAMES);
    }
    text
}

pub(super) fn between<'t>(text: &'t str, before: &str, behind: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(behind).map(|(found, _)| found)
}

pub(super) fn first_line(message: &str) -> String {
    let line = message
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or(message);
    strip_prefixes(line).trim().trim_end_matches('.').to_owned()
}

pub(super) fn strip_prefixes(text: &str) -> &str {
    const PREFIXES: [&str; 5] = [
        "Error during planning: ",
        "Execution error: ",
        "This feature is not implemented: ",
        "Schema error: ",
        "Internal error: ",
    ];
    let mut text = text.trim();
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix)) {
        text = rest;
    }
    text
}

pub(super) fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), text.chars().nth(1)) {
        // `COUNT(*)` and `HAVING` stay as they are.
        (Some(first), second) if !second.is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

/// Arrow's names of types as Spark's.
pub(super) fn spark_types(text: &str) -> String {
    const TYPES: [(&str, &str); 20] = [
        ("LargeUtf8", "STRING"),
        ("Utf8View", "STRING"),
        ("Utf8", "STRING"),
        ("Int8", "TINYINT"),
        ("Int16", "SMALLINT"),
        ("Int32", "INT"),
        ("Int64", "BIGINT"),
        ("UInt64", "BIGINT"),
        ("Float32", "FLOAT"),
        ("Float64", "DOUBLE"),
        ("Boolean", "BOOLEAN"),
        ("Date32", "DATE"),
        ("LargeBinary", "BINARY"),
        ("Binary", "BINARY"),
        ("Timestamp", "TIMESTAMP"),
        ("Decimal128", "DECIMAL"),
        ("Decimal", "DECIMAL"),
        ("Integer", "INT"),
        ("String", "STRING"),
        ("Date", "DATE"),
    ];
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_alphanumeric()) {
        let (before, tail) = rest.split_at(start);
        let end = tail
            .find(|letter: char| !letter.is_ascii_alphanumeric())
            .unwrap_or(tail.len());
        let (word, behind) = tail.split_at(end);
        shown.push_str(before);
        shown.push_str(
            TYPES
                .iter()
                .find(|(arrow, _)| *arrow == word)
                .map_or(word, |(_, spark)| spark),
        );
        rest = behind;
        // The unit and zone of a timestamp are the engine's own affair.
        if word == "Timestamp"
            && let Some(close) = rest.strip_prefix('(').and_then(|inner| inner.find(')'))
        {
            rest = &rest[close + 2..];
        }
    }
    shown.push_str(rest);
    arrays(shown)
}

/// `List(INT)` as `ARRAY<INT>`, without the field's name and nullability that arrow may show in it.
fn arrays(mut text: String) -> String {
    while let Some(start) = text.find("List(") {
        let inner = start + "List(".len();
        let mut depth = 1_i32;
        let close = text[inner..].find(|letter| {
            depth += i32::from(letter == '(') - i32::from(letter == ')');
            depth == 0
        });
        let Some(close) = close else { return text };
        let element = text[inner..inner + close].to_owned();
        text.replace_range(start..=inner + close, &format!("ARRAY<{element}>"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_sparks() {
        assert_eq!(spark_types("sum(Utf8, List(Int32))"), "sum(STRING, ARRAY<INT>)");
        assert_eq!(
            spark_types("Timestamp(Microsecond, None) >= Int64"),
            "TIMESTAMP >= BIGINT"
        );
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..20).map(|n| format!("c{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(listed(&names).ends_with("c12 and 7 more"));
        assert_eq!(listed(&names[..2]), "c0, c1");
    }
}
