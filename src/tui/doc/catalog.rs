//! What is known of an entry of the catalog: what it is, where its rows come from, its columns.

use super::{Doc, LABEL};
use crate::engine::snapshot::CatalogKind;
use crate::tui::app::App;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::units::{grouped, plural};
use crate::types::spark_type_name;

/// Cells of a column's name, at most.
const NAME: usize = 32;

pub(super) fn doc(app: &App, width: usize) -> Doc {
    let mut doc = Doc::default();
    let Some(entry) = app.entry() else {
        let words = if app.picture().snapshot.catalog.is_empty() {
            "Nothing has a name yet. CREATE STREAM makes a stream, CREATE TABLE a table of rows that do not change."
        } else {
            "Nothing in the catalog matches. Esc shows all."
        };
        doc.paragraph("", Role::Muted, words, width);
        return doc;
    };
    doc.pair("name", Role::Strong, &entry.name, width);
    doc.pair("kind", Role::Text, entry.kind.as_str(), width);
    if !entry.detail.is_empty() {
        doc.pair("from", Role::Text, &entry.detail, width);
    }
    let queries = &app.picture().snapshot.queries;
    let query = queries
        .iter()
        .find(|query| query.name.eq_ignore_ascii_case(&entry.name));
    if let Some(query) = query.filter(|_| entry.kind == CatalogKind::Result) {
        let sign = app.symbols.state(query.state);
        let dot = app.symbols.dot;
        let state = format!("{sign} {} {dot} {}", query.state.as_str(), query.output_mode);
        doc.pair("query", Role::Text, &state, width);
        if let Some(table) = &query.result {
            doc.pair("rows", Role::Text, &grouped(table.num_rows() as u64), width);
        }
    }
    let fields = entry.schema.fields();
    doc.heading(plural(fields.len(), "column", "columns"));
    let names = fields.iter().map(|field| text::width(field.name()));
    let longest = names.max().unwrap_or(0).clamp(LABEL - 1, NAME);
    for field in fields {
        let name = text::left(field.name(), longest, app.symbols.ellipsis);
        let type_name = spark_type_name(field.data_type());
        let room = width.saturating_sub(longest + 2).max(8);
        for (at, part) in text::wrap(&type_name, room).into_iter().enumerate() {
            let name = if at == 0 {
                name.clone()
            } else {
                " ".repeat(longest)
            };
            doc.line([(Role::Text, name), (Role::Muted, format!("  {part}"))]);
        }
    }
    doc
}
