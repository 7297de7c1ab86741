//! What the engine said, about a query or at all, newest first.

use super::{Doc, Facts, clock_time};
use crate::engine::snapshot::{LogEntry, LogLevel};
use crate::format::safe_text;
use crate::tui::app::App;
use crate::tui::text;
use crate::tui::theme::Role;

/// Cells of a query's name beside what was said of it, at most.
const QUERY: usize = 20;

pub(super) fn doc(facts: &Facts<'_>) -> Doc {
    let mut doc = Doc::default();
    for entry in facts.log.iter().rev() {
        if entry.query.as_deref() == Some(facts.query.name.as_str()) && entry.at_ms <= facts.now_ms {
            put(&mut doc, entry, facts.now_ms, None);
        }
    }
    if doc.lines.is_empty() {
        doc.paragraph(
            "",
            Role::Muted,
            "The engine had nothing to say about this query since the workbench opened.",
            facts.width,
        );
    }
    doc
}

/// All of it, with the queries that it is about.
pub(super) fn all(app: &App, width: usize) -> Doc {
    let mut doc = Doc::default();
    let entries = app.log_entries();
    let names = entries.iter().filter_map(|entry| entry.query.as_deref());
    let names = names.map(text::width).max().unwrap_or(0).min(QUERY);
    for entry in &entries {
        let name = entry.query.as_deref().unwrap_or("");
        let name = text::left(name, names, app.symbols.ellipsis);
        put(&mut doc, entry, app.picture().now_ms, Some(&name));
    }
    if doc.lines.is_empty() {
        let words = if app.picture().snapshot.log.is_empty() {
            "The engine had nothing to say yet."
        } else {
            "Nothing in the log matches. Esc takes the words away, v shows more levels."
        };
        doc.paragraph("", Role::Muted, words, width);
    }
    doc
}

fn put(doc: &mut Doc, entry: &LogEntry, now_ms: i64, name: Option<&str>) {
    let role = match entry.level {
        LogLevel::Error => Role::Failed,
        LogLevel::Warn => Role::Warning,
        LogLevel::Info => Role::Accent,
        LogLevel::Debug | LogLevel::Trace => Role::Muted,
    };
    let target = entry.target.rsplit("::").next().unwrap_or_default();
    let time = clock_time(entry.at_ms, now_ms);
    let name = name.map_or(String::new(), |name| format!("{name}  "));
    let indent = " ".repeat(text::width(&time) + 7);
    for (at, line) in entry.message.lines().enumerate() {
        let line = safe_text::clean(line).into_owned();
        if at == 0 {
            doc.line([
                (Role::Muted, time.clone()),
                (role, format!(" {:<5} ", entry.level.as_str())),
                (Role::Strong, name.clone()),
                (Role::Text, line),
                (Role::Muted, format!("  {target}")),
            ]);
        } else {
            let indent = format!("{indent}{}", " ".repeat(text::width(&name)));
            doc.line([(Role::Muted, indent), (Role::Text, line)]);
        }
    }
}
