//! Brings up to date what a picture needs: the order of rows, the texts of panes, the visible cells of results.

use std::sync::Arc;

use ratatui::layout::Rect;

use super::{App, Pane, Screen, queries};
use crate::engine::snapshot::QuerySnapshot;
use crate::tui::doc;
use crate::tui::layout::{self, Layout};

impl App {
    /// Brings up to date what the picture shows: order of rows, texts, visible cells.
    pub(crate) fn prepare(&mut self) {
        let now_ms = self.clock.now_ms();
        self.live.now_ms = now_ms;
        let known = &self.live.snapshot.queries;
        self.marked.retain(|id| known.iter().any(|query| query.id == *id));
        self.order_rows();
        let layout = self.layout();
        self.scroll_to_selected(&layout);
        match layout.pane(Pane::Result) {
            Some(area) => self.load_result(area),
            None => self.pivot = None,
        }
        if let Some(area) = layout.pane(Pane::Keys) {
            self.load_keys(area);
        }
        self.docs.clear();
        self.load_sql(&layout);
        if let Some(area) = layout.pane(Pane::Entries) {
            self.scroll_to_entry(usize::from(layout::inside(area).height).saturating_sub(1));
        }
        for (pane, area) in &layout.panes {
            let width = usize::from(layout::inside(*area).width);
            if let Some(doc) = doc::of_app(*pane, self, width) {
                self.put_doc(*pane, *area, doc);
            }
        }
        let Some(query) = self.shown_query().map(Arc::clone) else {
            return;
        };
        let beside: Vec<Pane> = layout.panes.iter().map(|(pane, _)| *pane).collect();
        for (pane, area) in &layout.panes {
            let inner = layout::inside(*area);
            let history = self.history(&query);
            let facts = doc::Facts {
                query: &query,
                log: &self.picture().snapshot.log,
                history: &history,
                now_ms: self.moment_ms(),
                symbols: self.symbols,
                width: usize::from(inner.width),
                beside: &beside,
            };
            let Some(doc) = doc::of(*pane, &facts) else {
                continue;
            };
            self.put_doc(*pane, *area, doc);
        }
    }

    /// Keeps the text of a pane, scrolled no further than it goes.
    fn put_doc(&mut self, pane: Pane, area: Rect, doc: doc::Doc) {
        let inner = layout::inside(area);
        let scroll = self.scrolls.entry(pane).or_default();
        scroll.0 = scroll
            .0
            .min(doc.lines.len().saturating_sub(usize::from(inner.height)));
        scroll.1 = scroll.1.min(doc.width().saturating_sub(usize::from(inner.width)));
        self.docs.insert(pane, doc);
    }

    /// The first batch in sight in the list of batches, newest first, so that the one shown is in the middle.
    pub(crate) fn first_batch(&self, height: usize) -> usize {
        let at = self.batch_row().unwrap_or(0);
        at.saturating_sub(height / 2)
            .min(self.ring().len().saturating_sub(height))
    }

    /// The row of the batch that is shown in the list of batches, if the list still has it.
    pub(crate) fn batch_row(&self) -> Option<usize> {
        let place = self.place_in_ring()?;
        Some(self.ring().len() - 1 - place)
    }

    fn order_rows(&mut self) {
        let picture = self.frozen.as_ref().unwrap_or(&self.live);
        let mut shown: Vec<&QuerySnapshot> = picture
            .snapshot
            .queries
            .iter()
            .map(AsRef::as_ref)
            .filter(|query| queries::matches(query, &self.filter))
            .collect();
        self.sort
            .apply(&mut shown, picture.now_ms, |query| picture.histories.of(query.id));
        let rows = shown
            .iter()
            .filter_map(|query| picture.query(query.id).map(Arc::clone))
            .collect();
        let place = self.selected_row();
        self.rows = rows;
        // The selection stays on its query; where that is gone, on the row in its place.
        if self.selected_row().is_none() {
            let at = place.unwrap_or(0).min(self.rows.len().saturating_sub(1));
            let query = self.rows.get(at).map(|query| query.id);
            if self.screen == Screen::Queries || query.is_none() || self.shown_query().is_none() {
                self.select(query);
            }
        }
        if self.selected.is_none() && matches!(self.screen, Screen::Query(_)) {
            self.screen = Screen::Queries;
        }
    }

    fn scroll_to_selected(&mut self, layout: &Layout) {
        let Some(area) = layout.pane(Pane::Queries) else {
            return;
        };
        let height = usize::from(layout::inside(area).height).saturating_sub(1).max(1);
        let selected = self.selected_row().unwrap_or(0);
        let lowest = (selected + 1).saturating_sub(height);
        self.first_row = self.first_row.clamp(lowest, selected.max(lowest));
        self.first_row = self.first_row.min(self.rows.len().saturating_sub(height));
    }
}
