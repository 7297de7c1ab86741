//! Where a query's rows come from and where they go.

use serde_json::Value;

use super::{Doc, Facts};
use crate::tui::theme::Role;
use crate::tui::units;

pub(super) fn doc(facts: &Facts<'_>) -> Doc {
    let mut doc = Doc::default();
    let query = facts.query;
    if let Some(progress) = query.recent_progress.back() {
        for source in &progress.sources {
            doc.heading("Source");
            let mut pair = |label: &str, value: &str| doc.pair(label, Role::Text, value, facts.width);
            pair("is", &source.description);
            pair(
                "rows",
                &format!("{} in the last batch", units::grouped(source.num_input_rows)),
            );
            pair("input", &rate(source.input_rows_per_second));
            pair("processed", &rate(source.processed_rows_per_second));
            pair("start", &offset(&source.start_offset));
            pair("end", &offset(&source.end_offset));
            pair("latest", &offset(&source.latest_offset));
            if let Some(behind) = behind(&source.end_offset, &source.latest_offset) {
                pair("behind", &behind);
            }
            for (name, value) in &source.metrics {
                pair(name, value);
            }
        }
        doc.heading("Sink");
        doc.pair("is", Role::Text, &progress.sink.description, facts.width);
        // Spark's -1: the sink does not count.
        if let Ok(rows) = u64::try_from(progress.sink.num_output_rows) {
            doc.pair(
                "rows",
                Role::Text,
                &format!("{} in the last batch", units::grouped(rows)),
                facts.width,
            );
        }
    } else {
        for source in &query.sources {
            doc.heading("Source");
            doc.pair("is", Role::Text, source, facts.width);
        }
        doc.heading("Sink");
        doc.pair("is", Role::Text, &query.sink, facts.width);
    }
    doc.pair("mode", Role::Text, &query.output_mode.to_string(), facts.width);
    doc
}

/// How far a source's batches are behind what it knows to exist: the sum over all numbers of its offsets.
fn behind(end: &Value, latest: &Value) -> Option<String> {
    let behind = total(latest)?.checked_sub(total(end)?)?;
    Some(match u64::try_from(behind) {
        Ok(0) | Err(_) => "nothing: all that exists is read".to_string(),
        Ok(behind) => format!("{} offsets", units::grouped(behind)),
    })
}

/// The numbers of an offset, whatever they are under: one, or one a partition.
fn total(offset: &Value) -> Option<i64> {
    match offset {
        Value::Number(number) => number.as_i64(),
        Value::Object(parts) if !parts.is_empty() => parts.values().map(total).sum(),
        _ => None,
    }
}

fn rate(rows_per_second: f64) -> String {
    format!("{} rows/s", units::count(rows_per_second).text())
}

fn offset(offset: &Value) -> String {
    match offset {
        Value::Null => "none".to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_source_is_behind_by_all_its_partitions() {
        let said = |end, latest| behind(&end, &latest);
        assert_eq!(
            said(json!({"value": 3}), json!({"value": 1_203})).as_deref(),
            Some("1,200 offsets")
        );
        let (end, latest) = (json!({"t": {"0": 5, "1": 7}}), json!({"t": {"0": 5, "1": 9}}));
        assert_eq!(said(end.clone(), latest).as_deref(), Some("2 offsets"));
        assert!(said(end.clone(), end.clone()).is_some_and(|said| said.starts_with("nothing")));
        assert_eq!(said(end, Value::Null), None);
    }
}
