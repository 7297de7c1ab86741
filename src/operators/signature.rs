//! What a checkpoint must agree with for a stateful operator to go on in it.
//!
//! A signature is text, because a person reads it when it does not fit. It says what the state's columns mean: keys,
//! aggregates and types, and not which relation the columns came from, so that a query may get another source.

use arrow::datatypes::{FieldRef, SchemaRef};

use crate::interval::format_duration_us;
use crate::state::store::EvictionTime;
use crate::types::spark_type_name;

/// The signature of an aggregate whose state has these columns, keys first, and that computes these aggregates.
/// `relations` are the names that qualify columns in the query.
pub fn aggregate_signature<'a>(
    schema: &SchemaRef,
    num_keys: usize,
    aggregates: impl Iterator<Item = &'a str>,
    eviction: Option<EvictionTime>,
    relations: &[String],
) -> String {
    let plain = |name: &str| without_relations(&with_plain_literals(name), relations);
    let (keys, values) = schema.fields().split_at(num_keys);
    let keys = typed(keys, plain);
    let aggregates = aggregates.map(plain).collect::<Vec<_>>().join(", ");
    let values = values.iter().map(type_name);
    let values = values.collect::<Vec<_>>().join(", ");
    let eviction = evicts_by(schema, eviction, plain);
    format!("aggregate by {keys}; computes {aggregates}; keeps {values}{eviction}")
}

/// `sum(n + Int64(1))` becomes `sum(n + 1)`, `Utf8("a")` becomes `"a"`.
pub(crate) fn with_plain_literals(name: &str) -> String {
    const TYPES: [&str; 7] = [
        "Int8(", "Int16(", "Int32(", "Int64(", "Float64(", "Boolean(", "Utf8(",
    ];
    let mut plain = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((at, of)) = TYPES
        .iter()
        .filter_map(|of| rest.find(of).map(|at| (at, of)))
        .min()
    {
        let (before, literal) = (&rest[..at], &rest[at + of.len()..]);
        let end = if *of == "Utf8(" { "\")" } else { ")" };
        let Some(length) = literal.find(end) else { break };
        let length = length + end.len() - 1;
        plain.push_str(before);
        plain.push_str(&literal[..length]);
        rest = &literal[length + 1..];
    }
    plain.push_str(rest);
    plain
}

/// The signature of a deduplication whose state has these columns, keys first.
pub fn deduplicate_signature(schema: &SchemaRef, num_keys: usize, eviction: Option<EvictionTime>) -> String {
    let keys = typed(&schema.fields()[..num_keys], ToOwned::to_owned);
    let eviction = evicts_by(schema, eviction, ToOwned::to_owned);
    format!("deduplicate by {keys}{eviction}")
}

/// The signature of the first rows of each group, in a state with these columns: `num_keys` keys with the row number as
/// the last of them, and the rest of a row. `what` is kept, as `row_number up to 3 by v DESC NULLS LAST`.
pub fn top_n_signature(
    what: &str,
    schema: &SchemaRef,
    num_keys: usize,
    eviction: Option<EvictionTime>,
) -> String {
    let keys = typed(&schema.fields()[..num_keys - 1], ToOwned::to_owned);
    let columns = typed(&schema.fields()[num_keys..], ToOwned::to_owned);
    let eviction = evicts_by(schema, eviction, ToOwned::to_owned);
    format!("{what} of each {keys}; keeps {columns}{eviction}")
}

/// The signature of one side of a join, whose state has these columns: `num_keys` keys with the row number as the last
/// of them, the side's columns, and whether the row has matched.
pub fn join_side_signature(
    name: &str,
    keys: &[String],
    schema: &SchemaRef,
    num_keys: usize,
    eviction: Option<EvictionTime>,
) -> String {
    let columns = typed(
        &schema.fields()[num_keys..schema.fields().len() - 1],
        ToOwned::to_owned,
    );
    let eviction = eviction.map_or(String::new(), |eviction| match keys.get(eviction.column) {
        Some(key) => format!("; evicts by {key}"),
        None => evicts_by(schema, Some(eviction), ToOwned::to_owned),
    });
    format!("{name} by {}; keeps {columns}{eviction}", keys.join(", "))
}

/// Columns as `name TYPE`.
fn typed(fields: &[FieldRef], plain: impl Fn(&str) -> String) -> String {
    if fields.is_empty() {
        return "nothing".to_owned();
    }
    let fields = fields
        .iter()
        .map(|field| format!("{} {}", plain(field.name()), type_name(field)));
    fields.collect::<Vec<_>>().join(", ")
}

fn type_name(field: &FieldRef) -> String {
    spark_type_name(field.data_type()).to_uppercase()
}

fn evicts_by(schema: &SchemaRef, eviction: Option<EvictionTime>, plain: impl Fn(&str) -> String) -> String {
    let Some(eviction) = eviction else {
        return String::new();
    };
    let column = plain(schema.field(eviction.column).name());
    match eviction.offset_us {
        0 => format!("; evicts by {column}"),
        offset_us => format!("; evicts by {column} + {}", format_duration_us(offset_us)),
    }
}

/// `sum(events.n)` becomes `sum(n)`. What stands in quotes is a value and stays as it is.
fn without_relations(name: &str, relations: &[String]) -> String {
    let mut plain = String::with_capacity(name.len());
    let (mut is_quoted, mut is_in_word) = (false, false);
    let mut rest = name;
    while let Some(next) = rest.chars().next() {
        let column = relations
            .iter()
            .find_map(|relation| rest.strip_prefix(relation.as_str())?.strip_prefix('.'))
            .filter(|_| !is_quoted && !is_in_word);
        if let Some(column) = column {
            rest = column;
            is_in_word = true;
            continue;
        }
        is_quoted ^= next == '"';
        is_in_word = next.is_alphanumeric() || matches!(next, '_' | '.');
        plain.push(next);
        rest = &rest[next.len_utf8()..];
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_stand_as_they_are_written() {
        for (name, plain) in [
            ("count(Int64(1))", "count(1)"),
            ("sum(n * Int32(-2)) + Float64(0.5)", "sum(n * -2) + 0.5"),
            ("max(kind = Utf8(\"a (b)\"))", "max(kind = \"a (b)\")"),
            ("sum(n)", "sum(n)"),
        ] {
            assert_eq!(with_plain_literals(name), plain);
        }
    }

    #[test]
    fn relations_go_and_everything_else_stays() {
        let relations = ["datafusion.public.more", "events", "e"].map(str::to_owned);
        for (name, plain) in [
            ("sum(events.n)", "sum(n)"),
            ("sum(events.n * e.events)", "sum(n * events)"),
            ("max(datafusion.public.more.n)", "max(n)"),
            ("sum(my_events.n)", "sum(my_events.n)"),
            ("sum(events.e.n)", "sum(e.n)"),
            (
                "count(events.kind = Utf8(\"events.n\"))",
                "count(kind = Utf8(\"events.n\"))",
            ),
            ("sum(été.n, events.ö)", "sum(été.n, ö)"),
        ] {
            assert_eq!(without_relations(name, &relations), plain);
        }
    }
}
