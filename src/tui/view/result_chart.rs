//! A windowed result as a chart: bars side by side, a group a window, or lines where there are many windows.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::tui::app::pivot::Pivot;
use crate::tui::app::{App, Bars};
use crate::tui::doc::clock_time;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::units::{self, to_cells, to_f64, to_u16};

/// Cells of the values on the left.
const LABEL: usize = 7;
/// Bars of few windows are no broader than this.
const BROADEST: usize = 4;
/// Fewer windows as bars would hide what lines show.
const FEWEST_GROUPS: usize = 6;

pub(super) fn draw(canvas: &mut Canvas<'_>, app: &App, area: Rect) {
    let rows = usize::from(area.height).saturating_sub(2);
    let cells = usize::from(area.width).saturating_sub(LABEL);
    let Some(pivot) = app.pivot().filter(|pivot| !pivot.times.is_empty()) else {
        canvas.at(area, 0, LABEL, Role::Muted, "No rows yet to draw.");
        return;
    };
    if rows < 2 || cells < 16 {
        return;
    }
    legend(canvas, app, pivot, area);
    let plot = Rect {
        x: area.x + to_u16(LABEL),
        y: area.y + 1,
        width: to_u16(cells),
        height: to_u16(rows),
    };
    let fitting = cells / group_cells(pivot, 1);
    let as_bars = match app.bars {
        Bars::Always => true,
        Bars::Never => false,
        Bars::Fitting => fitting >= FEWEST_GROUPS.min(pivot.times.len()),
    };
    let shown = if as_bars { fitting.max(1) } else { cells };
    let first = pivot.times.len().saturating_sub(shown);
    let values = || {
        pivot
            .series
            .iter()
            .flat_map(|(_, values)| values[first..].iter().flatten())
    };
    let scale = Scale {
        low: values().copied().fold(0.0, f64::min),
        high: values().copied().fold(f64::MIN_POSITIVE, f64::max),
        rows,
    };
    axis(canvas, area, &scale);
    let places = if as_bars {
        bars(canvas, app, pivot, plot, &scale, first)
    } else {
        lines(canvas, app, pivot, plot, &scale, first)
    };
    times(canvas, app, area, &places);
}

/// From values to eighths of cells.
struct Scale {
    low: f64,
    high: f64,
    rows: usize,
}

impl Scale {
    fn eighths(&self, value: f64) -> usize {
        let share = (value - self.low) / (self.high - self.low);
        to_cells((share * to_f64(self.rows as u64 * 8)).round()).min(self.rows * 8)
    }
}

fn legend(canvas: &mut Canvas<'_>, app: &App, pivot: &Pivot, area: Rect) {
    let mut pieces = vec![(Role::Strong, pivot.measure.clone())];
    for (at, (name, _)) in pivot.series.iter().enumerate() {
        if !name.is_empty() {
            pieces.push((Role::PARTS[at], format!("  {} ", sign(app, at))));
            pieces.push((Role::Text, name.clone()));
        }
    }
    if pivot.num_hidden > 0 {
        pieces.push((Role::Muted, format!("  +{} more", pivot.num_hidden)));
    }
    let place = Rect {
        x: area.x + to_u16(LABEL),
        width: area.width.saturating_sub(to_u16(LABEL)),
        ..area
    };
    canvas.line(place, 0, 0, &pieces);
}

fn axis(canvas: &mut Canvas<'_>, area: Rect, scale: &Scale) {
    let [tick, ..] = canvas.symbols.axis;
    let label = |value: f64| {
        let sign = if value < 0.0 { "-" } else { "" };
        text::right(
            &format!("{sign}{}", units::count(value.abs()).text()),
            LABEL - 2,
            "",
        )
    };
    canvas.at(area, 1, 0, Role::Muted, &label(scale.high));
    if scale.low < 0.0 {
        canvas.at(area, scale.rows, 0, Role::Muted, &label(scale.low));
    }
    for row in 1..=scale.rows {
        canvas.at(area, row, LABEL - 1, Role::Border, tick);
    }
}

/// The sign of a series: colours tell them apart, and where there are none, fills do.
fn sign(app: &App, at: usize) -> &'static str {
    if app.has_colours() {
        app.symbols.spark[7]
    } else {
        app.symbols.fills[at]
    }
}

/// Cells of a window's bars and the gap behind them.
fn group_cells(pivot: &Pivot, broad: usize) -> usize {
    pivot.series.len() * broad + 1
}

/// Draws bars; the cell and the time of the middle of each group.
fn bars(
    canvas: &mut Canvas<'_>,
    app: &App,
    pivot: &Pivot,
    plot: Rect,
    scale: &Scale,
    first: usize,
) -> Vec<(usize, i64)> {
    let shown = pivot.times.len() - first;
    let broad = (2..=BROADEST)
        .rev()
        .find(|broad| shown * group_cells(pivot, *broad) <= usize::from(plot.width))
        .unwrap_or(1);
    let group = group_cells(pivot, broad);
    let base = scale.eighths(0.0);
    let mut places = Vec::new();
    for (at, time) in pivot.times[first..].iter().enumerate() {
        places.push((at * group + (group - 1) / 2, *time));
        for (series, (_, values)) in pivot.series.iter().enumerate() {
            let Some(value) = values[first + at] else { continue };
            let (from, to) = if value < 0.0 {
                (scale.eighths(value), base)
            } else {
                (base, scale.eighths(value))
            };
            let full = sign(app, series);
            for row in 0..scale.rows {
                let low = (scale.rows - 1 - row) * 8;
                let filled = to.saturating_sub(low).min(8);
                let empty = from.saturating_sub(low).min(8);
                let cell = match filled.saturating_sub(empty) {
                    0 => continue,
                    // A value above nothing is seen, however small.
                    8 => full,
                    _ if empty > 0 => full,
                    part if app.has_colours() => canvas.symbols.spark[part - 1],
                    part if part >= 4 => full,
                    _ => continue,
                };
                let column = at * group + series * broad;
                canvas.at(plot, row, column, Role::PARTS[series], &cell.repeat(broad));
            }
        }
    }
    places
}

/// Draws lines through the values; the cell and the time of each window.
fn lines(
    canvas: &mut Canvas<'_>,
    app: &App,
    pivot: &Pivot,
    plot: Rect,
    scale: &Scale,
    first: usize,
) -> Vec<(usize, i64)> {
    let shown = &pivot.times[first..];
    let width = usize::from(plot.width);
    let cell = |at: usize| at * (width - 1) / shown.len().saturating_sub(1).max(1);
    let row = |value: f64| {
        let height = scale.eighths(value) / 8;
        scale.rows - 1 - height.min(scale.rows - 1)
    };
    for (series, (_, values)) in pivot.series.iter().enumerate() {
        let mark = if app.has_colours() {
            canvas.symbols.trace
        } else {
            app.symbols.fills[series]
        };
        let known = values[first..].iter().enumerate();
        let known: Vec<(usize, f64)> = known
            .filter_map(|(at, value)| value.map(|value| (at, value)))
            .collect();
        for pair in known.windows(2) {
            let ((from, low), (to, high)) = (pair[0], pair[1]);
            let (start, end) = (cell(from), cell(to));
            for column in start..=end {
                let share = to_f64((column - start) as u64) / to_f64((end - start).max(1) as u64);
                canvas.at(
                    plot,
                    row(low + (high - low) * share),
                    column,
                    Role::PARTS[series],
                    mark,
                );
            }
        }
        if let [(at, value)] = known.as_slice() {
            canvas.at(plot, row(*value), cell(*at), Role::PARTS[series], mark);
        }
    }
    shown
        .iter()
        .enumerate()
        .map(|(at, time)| (cell(at), *time))
        .collect()
}

/// Times below the windows, as many as stand apart.
fn times(canvas: &mut Canvas<'_>, app: &App, area: Rect, places: &[(usize, i64)]) {
    let now_ms = app.moment_ms();
    let row = usize::from(area.height) - 1;
    let mut free = 0;
    for (cell, time) in places {
        let word = clock_time(*time, now_ms);
        let end = usize::from(area.width);
        let start = (LABEL + cell).saturating_sub(word.len() / 2);
        let start = start.min(end.saturating_sub(word.len()));
        if start >= free {
            canvas.at(area, row, start, Role::Muted, &word);
            free = start + word.len() + 2;
        }
    }
}
