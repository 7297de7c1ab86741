//! One batch's progress, as Spark's JSON has it.

use super::{Doc, Facts};
use crate::format::safe_text;
use crate::tui::theme::Role;

pub(super) fn doc(facts: &Facts<'_>) -> Doc {
    let mut doc = Doc::default();
    let Some(batch) = facts.query.recent_progress.back() else {
        doc.paragraph(
            "",
            Role::Muted,
            "No batch has run since the workbench opened.",
            facts.width,
        );
        return doc;
    };
    let text = match serde_json::to_string_pretty(batch.as_ref()) {
        Ok(text) => text,
        Err(error) => error.to_string(),
    };
    for line in text.lines() {
        // JSON escapes control characters itself, but not those that turn the direction of text.
        let line = safe_text::clean(line);
        let at = if line.trim_start().starts_with('"') {
            line.find("\": ").map_or(0, |at| at + 1)
        } else {
            0
        };
        let (key, value) = line.split_at(at);
        doc.line([(Role::Accent, key.to_string()), (Role::Text, value.to_string())]);
    }
    doc
}
