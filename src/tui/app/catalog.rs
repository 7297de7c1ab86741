//! The catalog screen: everything that has a name and rows, and what is known of the selected one.

use super::{App, Pane, Screen, Tab};
use crate::engine::snapshot::{CatalogEntry, CatalogKind};

/// What the catalog screen remembers.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    /// The name of the selected entry.
    selected: Option<String>,
    pub(crate) filter: String,
    /// The first row in sight.
    pub(crate) first_row: usize,
}

impl App {
    /// The entries that are shown: streams, tables, views, results, each by name.
    pub(crate) fn entries(&self) -> Vec<&CatalogEntry> {
        let filter = self.catalog.filter.to_lowercase();
        let matches = |entry: &&CatalogEntry| {
            let columns = entry.schema.fields().iter().map(|field| field.name().as_str());
            let columns = columns.collect::<Vec<_>>().join(" ");
            let hay = format!(
                "{} {} {} {columns}",
                entry.name,
                entry.kind.as_str(),
                entry.detail
            );
            let hay = hay.to_lowercase();
            filter.split_whitespace().all(|word| hay.contains(word))
        };
        let mut entries: Vec<&CatalogEntry> =
            self.picture().snapshot.catalog.iter().filter(matches).collect();
        let rank = |kind| match kind {
            CatalogKind::Stream => 0,
            CatalogKind::Table => 1,
            CatalogKind::View => 2,
            CatalogKind::Result => 3,
        };
        entries.sort_by_key(|entry| (rank(entry.kind), entry.name.to_lowercase()));
        entries
    }

    /// The row of the selected entry; the first one where nothing is selected.
    pub(crate) fn entry_row(&self) -> usize {
        let selected = self.catalog.selected.as_deref();
        let entries = self.entries();
        entries
            .iter()
            .position(|entry| Some(entry.name.as_str()) == selected)
            .unwrap_or(0)
    }

    /// The selected entry.
    pub(crate) fn entry(&self) -> Option<&CatalogEntry> {
        self.entries().get(self.entry_row()).copied()
    }

    /// Selects a row; the last one if there are not so many.
    pub(super) fn select_entry(&mut self, row: usize) {
        let entries = self.entries();
        let at = row.min(entries.len().saturating_sub(1));
        let name = entries.get(at).map(|entry| entry.name.clone());
        if self.catalog.selected != name {
            self.catalog.selected = name;
            self.scrolls.remove(&Pane::Entry);
        }
    }

    /// Opens the selected entry: a result on its query's page, others in the editor.
    pub(super) fn open_entry(&mut self) {
        let Some(entry) = self.entry() else { return };
        let name = entry.name.clone();
        let text = match entry.kind {
            CatalogKind::Result => {
                let queries = &self.live.snapshot.queries;
                let query = queries
                    .iter()
                    .find(|query| query.name.eq_ignore_ascii_case(&name));
                let id = query.map(|query| query.id);
                if id.is_some() {
                    self.select(id);
                    return self.go(Screen::Query(Tab::Results));
                }
                format!("SELECT * FROM {name};")
            }
            CatalogKind::Table => format!("SELECT * FROM {name};"),
            CatalogKind::Stream | CatalogKind::View => {
                format!("CREATE STREAMING QUERY {name}_rows SINK memory AS\nSELECT * FROM {name};")
            }
        };
        self.edit(&text);
    }

    /// Keeps the selected entry in sight.
    pub(super) fn scroll_to_entry(&mut self, height: usize) {
        let row = self.entry_row();
        let lowest = (row + 1).saturating_sub(height.max(1));
        let last = self.entries().len().saturating_sub(height);
        self.catalog.first_row = self.catalog.first_row.clamp(lowest, row.max(lowest)).min(last);
    }
}
