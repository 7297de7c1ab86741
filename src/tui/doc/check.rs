//! What the engine says of the text in the editor: where it is wrong, or what its queries will be.

use super::{Doc, clock_time};
use crate::engine::command::{CheckedQuery, Resumes};
use crate::engine::snapshot::ErrorReport;
use crate::tui::app::App;
use crate::tui::app::sql::Finding;
use crate::tui::theme::Role;
use crate::tui::units::grouped;

pub(super) fn doc(app: &App, width: usize) -> Doc {
    let mut doc = Doc::default();
    if app.sql.is_running() {
        doc.paragraph("", Role::Accent, "The text is being run ...", width);
        return doc;
    }
    let Some((finding, is_current)) = app.sql.finding() else {
        if app.sql.is_blank() {
            introduce(&mut doc, width);
        } else {
            doc.paragraph("", Role::Muted, "Checking ...", width);
        }
        return doc;
    };
    if !is_current {
        doc.paragraph(
            "",
            Role::Muted,
            "Checking ... This was before the last change:",
            width,
        );
        doc.gap();
    }
    match finding {
        Finding::Wrong(report) => wrong(&mut doc, app, report, width),
        Finding::Ran(words, at_ms) => {
            let time = clock_time(*at_ms, app.picture().now_ms);
            let sign = format!("{} ", app.symbols.right);
            doc.paragraph(&sign, Role::Running, &format!("ran at {time}: {words}"), width);
            doc.gap();
            doc.paragraph("", Role::Muted, "Change the text and it is checked again.", width);
        }
        Finding::Right(queries) => {
            let words = match queries.len() {
                0 => "this can be run",
                1 => "this can be run, and starts a query",
                _ => "this can be run, and starts queries",
            };
            doc.paragraph(&format!("{} ", app.symbols.right), Role::Running, words, width);
            for query in queries {
                self::query(&mut doc, app, query, width);
            }
        }
    }
    doc
}

/// For those who see the editor for the first time.
fn introduce(doc: &mut Doc, width: usize) {
    let lines = [
        "Write a SELECT over tables and results, or a statement that makes a stream, a view or a streaming query.",
        "It is checked as you type: what is wrong is marked, and what a query will do stands here.",
        "F5 runs the text, F6 the statement that the cursor is in. Tab takes a word that is offered.",
    ];
    for line in lines {
        doc.paragraph("", Role::Muted, line, width);
        doc.gap();
    }
}

fn wrong(doc: &mut Doc, app: &App, report: &ErrorReport, width: usize) {
    let sign = format!("{} ", app.symbols.wrong);
    if let Some(place) = report.position {
        doc.paragraph(&sign, Role::Failed, &place.to_string(), width);
        doc.paragraph("  ", Role::Text, &report.message, width);
    } else {
        doc.paragraph(&sign, Role::Failed, &report.message, width);
    }
    for cause in &report.causes {
        doc.paragraph("  ", Role::Muted, &format!("because: {cause}"), width);
    }
    if let Some(hint) = &report.hint {
        doc.gap();
        doc.pair("hint", Role::Accent, hint, width);
    }
}

fn query(doc: &mut Doc, app: &App, query: &CheckedQuery, width: usize) {
    doc.heading(query.name.clone());
    let mode = format!("{}, as its SELECT allows", query.output_mode);
    doc.pair("mode", Role::Text, &mode, width);
    doc.pair("trigger", Role::Text, &query.trigger, width);
    doc.pair("sink", Role::Text, &query.sink, width);
    if query.watermarks.is_empty() {
        let role = if query.unbounded.is_empty() {
            Role::Text
        } else {
            Role::Warning
        };
        doc.pair("watermark", role, "none", width);
    }
    for watermark in &query.watermarks {
        doc.pair("watermark", Role::Text, watermark, width);
    }
    if query.operators.is_empty() {
        doc.pair("state", Role::Text, "none", width);
    }
    for (at, operator) in query.operators.iter().enumerate() {
        let grows = query.unbounded.contains(&at);
        let label = if at == 0 { "state" } else { "" };
        doc.pair(label, Role::Text, operator, width);
        if grows {
            let words = format!("{} grows with every new key, without end", app.symbols.warning);
            doc.pair("", Role::Warning, &words, width);
        }
    }
    let (role, begins) = match query.resumes {
        Resumes::New => (Role::Text, "at batch 0: it has no checkpoint yet".to_string()),
        Resumes::At(batch) => (Role::Text, format!("resumes at batch {}", grouped(batch))),
        Resumes::InUse => (
            Role::Warning,
            "its checkpoint is open elsewhere and cannot be looked at".to_string(),
        ),
    };
    doc.pair("begins", role, &begins, width);
    doc.pair(
        "checkpoint",
        Role::Muted,
        &query.checkpoint.display().to_string(),
        width,
    );
}
