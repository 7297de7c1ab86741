//! The numbers of a query's stateful operators.

use super::{Doc, Facts};
use crate::execution::progress::StateOperatorProgress;
use crate::tui::app::history::whole_steps;
use crate::tui::app::queries;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::units::{self, to_f64};

/// Cells of the labels, which are longer here than elsewhere.
const NAME: usize = 22;
const NUMBER: usize = 10;

pub(super) fn doc(facts: &Facts<'_>) -> Doc {
    let mut doc = Doc::default();
    let Some(progress) = facts.query.recent_progress.back() else {
        doc.paragraph(
            "",
            Role::Muted,
            "No batch has run since the workbench opened.",
            facts.width,
        );
        return doc;
    };
    if progress.state_operators.is_empty() {
        doc.paragraph(
            "",
            Role::Muted,
            "This query keeps no state: every batch stands for itself.",
            facts.width,
        );
        return doc;
    }
    let moment = queries::moment_ms(facts.query, facts.history, facts.now_ms);
    let room = whole_steps(facts.width.saturating_sub(NAME + NUMBER + 1));
    if room >= 10 {
        let keys = facts.history.state_rows(facts.history.steps(moment, 60, room));
        let grown = keys.last().copied().unwrap_or(0.0) - keys.first().copied().unwrap_or(0.0);
        let sign = if grown < 0.0 { facts.symbols.minus } else { "+" };
        let grown = format!("{sign}{}", units::count(grown.abs()).text());
        doc.line([
            (Role::Muted, text::left("   growth, last 60 s", NAME, "")),
            (Role::Text, text::right(&grown, NUMBER, "")),
            (Role::Trend, format!(" {}", facts.symbols.sparkline(&keys, room))),
        ]);
    }
    for (at, operator) in progress.state_operators.iter().enumerate() {
        doc.heading(format!("{}  {}", at + 1, operator.operator_name));
        numbers(&mut doc, facts, operator);
    }
    doc
}

fn numbers(doc: &mut Doc, facts: &Facts<'_>, operator: &StateOperatorProgress) {
    let count = units::grouped;
    let mut row = |name: &str, role: Role, value: String, note: String| {
        doc.line([
            (
                Role::Muted,
                text::left(&format!("   {name}"), NAME, facts.symbols.ellipsis),
            ),
            (role, text::right(&value, NUMBER, facts.symbols.ellipsis)),
            (
                Role::Muted,
                text::cut(
                    &note,
                    facts.width.saturating_sub(NAME + NUMBER),
                    facts.symbols.ellipsis,
                ),
            ),
        ]);
    };
    row(
        "keys",
        Role::Strong,
        count(operator.num_rows_total),
        String::new(),
    );
    let size = units::bytes(operator.memory_used_bytes);
    row("memory", Role::Text, size.number, format!(" {}", size.unit));
    if operator.num_rows_total > 0 {
        let each = to_f64(operator.memory_used_bytes) / to_f64(operator.num_rows_total);
        row("memory a key", Role::Text, format!("{each:.0}"), " B".to_string());
    }
    let time = |time: u64| format!(" in {time} ms");
    row(
        "updated last batch",
        Role::Text,
        count(operator.num_rows_updated),
        time(operator.all_updates_time_ms),
    );
    row(
        "removed last batch",
        Role::Text,
        count(operator.num_rows_removed),
        time(operator.all_removals_time_ms),
    );
    let dropped = operator.num_rows_dropped_by_watermark;
    let late = if dropped > 0 { Role::Warning } else { Role::Text };
    row("late rows dropped", late, count(dropped), String::new());
    row(
        "commit",
        Role::Text,
        count(operator.commit_time_ms),
        " ms".to_string(),
    );
    let loaded = format!(" loaded of {}", operator.num_shuffle_partitions);
    row(
        "partitions",
        Role::Text,
        count(operator.num_state_store_instances),
        loaded,
    );
    for (name, value) in &operator.custom_metrics {
        row(name, Role::Text, count(*value), String::new());
    }
}
