//! The statement that made a query, and the physical plan that runs it.

use super::{Doc, Facts};
use crate::format::safe_text;
use crate::tui::theme::Role;

pub(super) fn doc(facts: &Facts<'_>) -> Doc {
    let mut doc = Doc::default();
    doc.heading("Statement");
    lines(&mut doc, &facts.query.sql);
    doc.heading("Physical plan");
    if facts.query.plan.is_empty() {
        doc.line([(
            Role::Muted,
            "The query has not been planned yet: START plans it.".to_string(),
        )]);
    } else {
        lines(&mut doc, &facts.query.plan);
    }
    doc
}

/// Lines as they are: indentation says something here, so long ones are scrolled to, not broken.
fn lines(doc: &mut Doc, text: &str) {
    for line in text.lines() {
        let line = line.replace('\t', "    ");
        let clean = safe_text::clean(&line).into_owned();
        let (name, rest) = split_operator(&clean);
        doc.line([(Role::Accent, name.to_string()), (Role::Text, rest.to_string())]);
    }
}

/// An operator's name and what it says of itself; a line of SQL has no such name.
fn split_operator(line: &str) -> (&str, &str) {
    match line.find(':') {
        Some(at) if line[..at].trim_start().chars().all(char::is_alphanumeric) => line.split_at(at),
        _ if line.trim_end().ends_with("Exec") => (line, ""),
        _ => ("", line),
    }
}
