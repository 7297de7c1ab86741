//! What the engine said about a query, newest first.

use super::{Doc, Facts, clock_time};
use crate::engine::snapshot::LogLevel;
use crate::format::safe_text;
use crate::tui::theme::Role;

pub(super) fn doc(facts: &Facts<'_>) -> Doc {
    let mut doc = Doc::default();
    for entry in facts.log.iter().rev() {
        if entry.query.as_deref() != Some(facts.query.name.as_str()) || entry.at_ms > facts.now_ms {
            continue;
        }
        let role = match entry.level {
            LogLevel::Error => Role::Failed,
            LogLevel::Warn => Role::Warning,
            LogLevel::Info => Role::Accent,
            LogLevel::Debug | LogLevel::Trace => Role::Muted,
        };
        let target = entry.target.rsplit("::").next().unwrap_or_default();
        for (at, line) in entry.message.lines().enumerate() {
            let line = safe_text::clean(line).into_owned();
            let (time, level) = if at == 0 {
                (
                    clock_time(entry.at_ms, facts.now_ms),
                    format!(" {:<5} ", entry.level.as_str()),
                )
            } else {
                (String::new(), " ".repeat(15))
            };
            doc.line([
                (Role::Muted, time),
                (role, level),
                (Role::Text, line),
                (
                    Role::Muted,
                    if at == 0 {
                        format!("  {target}")
                    } else {
                        String::new()
                    },
                ),
            ]);
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
