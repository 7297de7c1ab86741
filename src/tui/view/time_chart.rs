//! A chart over time: an area and a line above a time axis that ends at the newest batch.

use chrono::DateTime;
use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::tui::app::history::Steps;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::units::{to_cells, to_f64, to_u16};

/// Cells of the labels on the left.
const LABEL: usize = 7;
/// A time needs so many cells to stand apart from the next.
const TIME: usize = 12;

/// Values by step, oldest first, a cell each, the last one in the last cell.
#[derive(Debug)]
pub(super) struct Series<'a> {
    pub(super) name: &'a str,
    pub(super) role: Role,
    pub(super) values: Vec<f64>,
}

/// What a chart shows.
#[derive(Debug)]
pub(super) struct TimeChart<'a> {
    pub(super) steps: Steps,
    /// Filled from the bottom.
    pub(super) area: Series<'a>,
    /// Drawn over it.
    pub(super) line: Option<Series<'a>>,
    /// A value in words of at most six cells.
    pub(super) unit: fn(f64, &'static str) -> String,
}

/// Cells that the steps of a chart have in an area.
pub(super) fn cells(area: Rect) -> usize {
    usize::from(area.width).saturating_sub(LABEL + 1)
}

impl TimeChart<'_> {
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let cells = cells(area);
        let rows = usize::from(area.height).saturating_sub(2);
        if cells < 10 || rows < 2 || self.steps.count == 0 {
            return;
        }
        let line = self.line.as_ref().map_or(&[][..], |line| &line.values);
        let top = nice_top(self.area.values.iter().chain(line).copied().fold(0.0, f64::max));
        self.value_axis(canvas, area, rows, top);
        let plot = Rect {
            x: area.x + to_u16(LABEL + 1),
            width: to_u16(cells),
            height: to_u16(rows),
            ..area
        };
        self.fill(canvas, plot, top);
        if let Some(line) = &self.line {
            trace(canvas, plot, line, top);
        }
        self.time_axis(canvas, area, rows, cells);
        self.legend(canvas, plot);
    }

    fn value_axis(&self, canvas: &mut Canvas<'_>, area: Rect, rows: usize, top: f64) {
        let [tick, ..] = canvas.symbols.axis;
        let micro = canvas.symbols.micro;
        for row in 0..rows {
            let label = match row {
                0 => (self.unit)(top, micro),
                row if row == rows / 2 && rows >= 4 => {
                    (self.unit)(top * to_f64((rows - row) as u64) / to_f64(rows as u64), micro)
                }
                _ => String::new(),
            };
            canvas.at(area, row, 0, Role::Muted, &text::right(&label, LABEL - 1, ""));
            canvas.at(area, row, LABEL, Role::Border, tick);
        }
    }

    fn fill(&self, canvas: &mut Canvas<'_>, plot: Rect, top: f64) {
        let (cells, rows) = (usize::from(plot.width), usize::from(plot.height));
        let values = &self.area.values;
        let spark = canvas.symbols.spark;
        for (cell, value) in in_cells(values, cells) {
            let eighths = to_cells((value / top * to_f64(rows as u64 * 8)).round());
            for row in 0..rows {
                let above = eighths.saturating_sub((rows - 1 - row) * 8).min(8);
                if above > 0 {
                    canvas.at(plot, row, cell, self.area.role, spark[above - 1]);
                }
            }
        }
    }

    fn time_axis(&self, canvas: &mut Canvas<'_>, area: Rect, rows: usize, cells: usize) {
        let [_, corner, line, mark] = canvas.symbols.axis;
        canvas.at(
            area,
            rows,
            LABEL,
            Role::Border,
            &format!("{corner}{}", line.repeat(cells)),
        );
        let count = i64::try_from(self.steps.count).unwrap_or(1);
        let span = count * self.steps.step_s;
        let begin = self.steps.end_s - span;
        let Some(every) = tick_seconds(span, cells) else {
            return;
        };
        let mut at = begin.div_euclid(every) * every + every;
        let mut free = 0;
        while at <= self.steps.end_s {
            let share = to_f64((at - begin).unsigned_abs()) / to_f64(span.unsigned_abs().max(1));
            let cell = to_cells(share * to_f64(cells as u64)).min(cells - 1);
            let column = LABEL + 1 + cell;
            canvas.at(area, rows, column, Role::Border, mark);
            let form = if every % 60 == 0 { "%H:%M" } else { "%H:%M:%S" };
            let word =
                DateTime::from_timestamp(at, 0).map_or(String::new(), |at| at.format(form).to_string());
            let start = column.saturating_sub(word.len() / 2);
            let start = start.min((LABEL + 1 + cells).saturating_sub(word.len()));
            if start >= free {
                canvas.at(area, rows + 1, start, Role::Muted, &word);
                free = start + word.len() + 1;
            }
            at += every;
        }
    }

    /// Names over the upper right corner, where two things are shown.
    fn legend(&self, canvas: &mut Canvas<'_>, plot: Rect) {
        let Some(line) = &self.line else { return };
        let area = format!("{} {}", canvas.symbols.spark[7], self.area.name);
        let trace = format!("{} {}", canvas.symbols.trace, line.name);
        let wide = text::width(&area) + text::width(&trace) + 3;
        let Some(start) = usize::from(plot.width).checked_sub(wide + 1) else {
            return;
        };
        canvas.at(plot, 0, start, self.area.role, &format!(" {area} "));
        canvas.at(
            plot,
            0,
            start + text::width(&area) + 2,
            line.role,
            &format!(" {trace}"),
        );
    }
}

/// A line, a point a cell.
fn trace(canvas: &mut Canvas<'_>, plot: Rect, line: &Series<'_>, top: f64) {
    let (cells, rows) = (usize::from(plot.width), usize::from(plot.height));
    let sign = canvas.symbols.trace;
    for (cell, value) in in_cells(&line.values, cells) {
        let height = to_cells(value / top * to_f64(rows as u64)).min(rows - 1);
        canvas.at(plot, rows - 1 - height, cell, line.role, sign);
    }
}

/// Values with their cells: one each, the last one in the last cell.
fn in_cells(values: &[f64], cells: usize) -> impl Iterator<Item = (usize, f64)> {
    let shown = &values[values.len().saturating_sub(cells)..];
    let empty = cells - shown.len();
    shown
        .iter()
        .enumerate()
        .map(move |(at, value)| (empty + at, *value))
}

/// Seconds between two times on an axis.
fn tick_seconds(span: i64, cells: usize) -> Option<i64> {
    let most = i64::try_from(cells / TIME).unwrap_or(1).max(1);
    [5, 10, 15, 30, 60, 120, 300, 600, 900]
        .into_iter()
        .find(|every| span / every <= most)
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
    use crate::tui::units;

    #[test]
    fn axes_end_at_round_numbers() {
        let tops = [0.0, 1.5, 21.0, 499.0, 2_041.0].map(|value| units::count(nice_top(value)).text());
        assert_eq!(tops, ["1", "2", "30", "500", "3.0 k"]);
    }

    #[test]
    fn times_on_the_axis_stand_apart() {
        for (span, cells, every) in [(60, 50, 15), (60, 24, 30), (300, 60, 60), (1_800, 60, 600)] {
            assert_eq!(tick_seconds(span, cells), Some(every), "{span} s in {cells}");
        }
    }
}
