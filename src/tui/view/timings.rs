//! The last batches, newest on top, each as a bar of its steps, and a sentence on them.

use ratatui::layout::Rect;

use super::canvas::{Canvas, Titles};
use crate::tui::app::history::is_batch;
use crate::tui::app::{App, Pane};
use crate::tui::doc::timings::{self, Timings};
use crate::tui::layout;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::units::{self, to_u16};

pub(super) fn draw(canvas: &mut Canvas<'_>, app: &App, area: Rect) {
    let inner = layout::inside(area);
    canvas.panel(
        area,
        Pane::Timings,
        Titles {
            left: "batches: where the time goes",
            right: "",
        },
    );
    let Some(query) = app.shown_query() else { return };
    let symbols = app.symbols;
    let width = usize::from(inner.width);
    let verdict = timings::verdict(&query.recent_progress, symbols).unwrap_or_default();
    let verdict = text::wrap(&verdict, width);
    // The sentence stands apart from the bars where there is room for both.
    let below = 1 + verdict.len() + usize::from(inner.height > 12);
    let height = usize::from(inner.height).saturating_sub(below).max(1);
    let batches: Vec<_> = query
        .recent_progress
        .iter()
        .rev()
        .filter(|batch| is_batch(batch))
        .take(height)
        .map(AsRef::as_ref)
        .collect();
    if batches.is_empty() {
        canvas.text(inner, 0, Role::Muted, "No batch yet.");
        return;
    }
    let timed: Vec<(u64, Timings)> = batches
        .iter()
        .map(|batch| (batch.batch_id, Timings::of([*batch])))
        .collect();
    let full = timed
        .iter()
        .map(|(_, timings)| timings.total())
        .max()
        .unwrap_or(1);
    let id_width = timed
        .iter()
        .map(|(id, _)| units::grouped(*id).len())
        .max()
        .unwrap_or(1);
    let bar = width.saturating_sub(id_width + 1 + 8);
    for (row, (id, timings)) in timed.iter().enumerate() {
        canvas.text(
            inner,
            row,
            Role::Muted,
            &text::right(&units::grouped(*id), id_width, ""),
        );
        let place = Rect {
            x: inner.x + to_u16(id_width + 1),
            width: to_u16(bar),
            ..inner
        };
        canvas.line(place, row, 0, &timings.bar(symbols, full, bar));
        let time = units::duration_us(timings.total(), symbols.micro).aligned(2);
        canvas.at(
            inner,
            row,
            width.saturating_sub(7),
            Role::Text,
            &text::right(&time, 7, ""),
        );
    }
    let all = Timings::of(batches);
    if let Some(legend) = all.legend(symbols, width).first() {
        canvas.line(inner, height, 0, legend);
    }
    let first = usize::from(inner.height).saturating_sub(verdict.len());
    for (row, line) in verdict.iter().enumerate() {
        canvas.text(inner, first + row, Role::Strong, line);
    }
}
