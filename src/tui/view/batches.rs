//! The list of a query's recent batches, newest first.

use ratatui::layout::Rect;

use super::canvas::{Canvas, Titles};
use crate::tui::app::history::{self, parse_ms};
use crate::tui::app::{App, Pane};
use crate::tui::layout;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::units::{self, to_f64, to_u16};

/// The columns with their widths; those that do not fit are left out from the right.
const COLUMNS: [(&str, usize); 4] = [("batch", 7), ("rows", 6), ("took", 6), ("at", 8)];

pub(super) fn draw(canvas: &mut Canvas<'_>, app: &App, area: Rect) {
    let inner = layout::inside(area);
    let ring = app.ring();
    let shown = if app.past().is_some() { "stays" } else { "newest" };
    canvas.panel(
        area,
        Pane::Batches,
        Titles {
            left: "batches",
            right: shown,
        },
    );
    let symbols = app.symbols;
    let width = usize::from(inner.width);
    let places: Vec<usize> = COLUMNS
        .iter()
        .scan(2, |end, (_, width)| {
            let start = *end;
            *end += width + 2;
            Some(start)
        })
        .collect();
    let fits = |at: usize| places[at] + COLUMNS[at].1 <= width;
    for (at, (title, cells)) in COLUMNS.iter().enumerate().filter(|(at, _)| fits(*at)) {
        canvas.at(
            inner,
            0,
            places[at],
            Role::Header,
            &text::right(title, *cells, ""),
        );
    }
    let height = usize::from(inner.height).saturating_sub(1);
    let first = app.first_batch(height);
    let selected = app.batch_row();
    for (row, batch) in ring.iter().rev().enumerate().skip(first).take(height) {
        let line = row - first + 1;
        let is_selected = selected == Some(row);
        if is_selected {
            canvas.restyle(
                Rect {
                    y: inner.y + to_u16(line),
                    height: 1,
                    ..inner
                },
                Role::Selection,
            );
            canvas.at(inner, line, 0, Role::Accent, symbols.selected);
        }
        let time = parse_ms(&batch.timestamp).and_then(chrono::DateTime::from_timestamp_millis);
        let values = [
            units::grouped(batch.batch_id),
            units::count(to_f64(batch.num_input_rows)).aligned(1),
            units::duration_us(history::duration_us(batch), symbols.micro).aligned(2),
            time.map_or(String::new(), |time| time.format("%H:%M:%S").to_string()),
        ];
        for (at, value) in values.iter().enumerate().filter(|(at, _)| fits(*at)) {
            let role = if is_selected { Role::Selection } else { Role::Text };
            canvas.at(
                inner,
                line,
                places[at],
                role,
                &text::right(value, COLUMNS[at].1, symbols.ellipsis),
            );
        }
    }
    if ring.is_empty() {
        canvas.at(inner, 1, 2, Role::Muted, "None yet.");
    }
}
