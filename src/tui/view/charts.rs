//! The charts of a query's overview.

use ratatui::layout::Rect;

use super::canvas::{Canvas, Titles};
use crate::tui::app::history::is_batch;
use crate::tui::app::{App, Pane, queries};
use crate::tui::doc::timings::Timings;
use crate::tui::layout;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::units::{self, to_cells, to_f64, to_u16};

/// Cells of the labels on the left of a chart.
const LABEL: usize = 6;

/// Rows a second over about the last minute: a cell is a second, so that the picture moves by whole cells.
pub(super) fn rates(canvas: &mut Canvas<'_>, app: &App, area: Rect) {
    let inner = layout::inside(area);
    canvas.panel(
        area,
        Pane::Rates,
        Titles {
            left: "input rows/s",
            right: "",
        },
    );
    let Some(query) = app.shown_query() else { return };
    let history = app.history(query);
    let moment = queries::moment_ms(query, &history, app.picture().now_ms);
    let cells = usize::from(inner.width).saturating_sub(LABEL + 1);
    let rows = usize::from(inner.height).saturating_sub(2);
    if cells < 10 || rows < 2 {
        return;
    }
    let values = history.rates(moment, cells, cells);
    let top = nice_top(values.iter().copied().fold(0.0, f64::max));
    let symbols = app.symbols;
    let [tick, corner, line, mark] = symbols.axis;
    for row in 0..rows {
        let label = match row {
            0 => units::count(top).text(),
            row if row == rows / 2 && rows >= 4 => {
                units::count(top * to_f64((rows - row) as u64) / to_f64(rows as u64)).text()
            }
            _ => String::new(),
        };
        canvas.at(inner, row, 0, Role::Muted, &text::right(&label, LABEL - 1, ""));
        canvas.at(inner, row, LABEL, Role::Border, tick);
    }
    let plot = Rect {
        x: inner.x + to_u16(LABEL + 1),
        width: to_u16(cells),
        height: to_u16(rows),
        ..inner
    };
    let empty = cells - values.len().min(cells);
    for (column, value) in values.iter().enumerate().map(|(at, value)| (empty + at, value)) {
        let eighths = to_cells((value / top * to_f64(rows as u64 * 8)).round());
        for row in 0..rows {
            let above = eighths.saturating_sub((rows - 1 - row) * 8).min(8);
            if above > 0 {
                canvas.at(plot, row, column, Role::Spark, symbols.spark[above - 1]);
            }
        }
    }
    canvas.at(
        inner,
        rows,
        LABEL,
        Role::Border,
        &format!("{corner}{}", line.repeat(cells)),
    );
    let times = [(0, cells - 1), (cells / 2, cells - 1 - cells / 2), (cells - 1, 0)];
    for (at, seconds) in times {
        canvas.at(inner, rows, LABEL + 1 + at, Role::Border, mark);
        let word = if seconds == 0 {
            "now".to_string()
        } else {
            format!("{}{seconds} s", symbols.minus)
        };
        let start = (LABEL + 1 + at).saturating_sub(text::width(&word) / 2);
        let start = start.min((LABEL + 1 + cells).saturating_sub(text::width(&word)));
        canvas.at(inner, rows + 1, start, Role::Muted, &word);
    }
}

/// The last batches, newest on top, each as a bar of its steps.
pub(super) fn timings(canvas: &mut Canvas<'_>, app: &App, area: Rect) {
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
    let height = usize::from(inner.height).saturating_sub(1);
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
    let width = usize::from(inner.width);
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
}

/// The next of 1, 2, 3, 4, 5, 6, 8, 10, 20, ... that is not below the value.
fn nice_top(value: f64) -> f64 {
    let mut step = 1.0;
    loop {
        for factor in [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0] {
            if step * factor >= value {
                return step * factor;
            }
        }
        step *= 10.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        let tops = [0.0, 1.5, 21.0, 499.0, 2_041.0].map(|value| units::count(nice_top(value)).text());
        assert_eq!(tops, ["1", "2", "30", "500", "3.0 k"]);
    }
}
