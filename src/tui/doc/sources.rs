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

fn rate(rows_per_second: f64) -> String {
    format!("{} rows/s", units::count(rows_per_second).text())
}

fn offset(offset: &Value) -> String {
    match offset {
        Value::Null => "none".to_string(),
        other => other.to_string(),
    }
}
