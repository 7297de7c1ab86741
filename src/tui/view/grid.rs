//! The result of a query.

use ratatui::layout::Rect;

use super::canvas::{Canvas, Titles};
use super::result_chart;
use crate::tui::app::grid::{Age, Grid, age};
use crate::tui::app::order::MAX_ROWS;
use crate::tui::app::{App, Pane, View};
use crate::tui::layout::{self, GRID_MARK};
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::units::{grouped, plural, to_u16};

pub(super) fn draw(canvas: &mut Canvas<'_>, app: &App, area: Rect) {
    let inner = layout::inside(area);
    let result = app
        .shown_query()
        .and_then(|query| Some((query, query.result.as_ref()?, app.grid()?)));
    let Some((query, table, grid)) = result else {
        panel(canvas, area, "");
        let words = app.shown_query().map_or(String::new(), |query| {
            format!(
                "Its rows go to {}: only a memory sink can be looked into.",
                query.sink
            )
        });
        return paragraph(canvas, inner, Role::Muted, &words);
    };
    let dot = app.symbols.dot;
    let as_of = app
        .past()
        .map(|past| format!("as of batch {}", grouped(past.batch.batch_id)));
    let how = if let Some(as_of) = &as_of {
        as_of
    } else if app.is_frozen() {
        "frozen"
    } else if grid.follows(table.mode()) {
        "follows"
    } else {
        "live"
    };
    let rows = rows_in_sight(app, grid);
    let what = if app.is_change_log() {
        "change log".to_string()
    } else {
        query.output_mode.to_string()
    };
    panel(canvas, area, &format!("{rows} {dot} {what} {dot} {how}"));
    if let Some(error) = &grid.error {
        return paragraph(canvas, inner, Role::Failed, error);
    }
    let (table, chart) = app.result_parts(area);
    if let Some(table) = table {
        canvas.below(area, &columns_in_sight(app, grid));
        heads(canvas, grid, table, 0);
        if grid.shown.num_rows == 0 {
            let words = if grid.filter.is_empty() {
                "No rows yet."
            } else {
                "No row matches the filter. Esc shows all."
            };
            canvas.at(table, 1, GRID_MARK, Role::Muted, words);
        }
        cells(canvas, app, grid, table, app.focus == Pane::Result);
    }
    if let Some(chart) = chart {
        result_chart::draw(canvas, app, chart);
    }
}

fn panel(canvas: &mut Canvas<'_>, area: Rect, right: &str) {
    let left = Pane::Result.title();
    canvas.panel(area, Pane::Result, Titles { left, right });
}

pub(super) fn paragraph(canvas: &mut Canvas<'_>, area: Rect, role: Role, words: &str) {
    for (row, line) in text::wrap(words, usize::from(area.width)).iter().enumerate() {
        canvas.text(area, row, role, line);
    }
}

/// `rows 23–40 of 1,200`, and of how many where some are filtered out.
fn rows_in_sight(app: &App, grid: &Grid) -> String {
    let symbols = app.symbols;
    let shown = &grid.shown;
    let count = |count: usize| grouped(count as u64);
    let mut rows = if shown.rows.len() >= shown.num_rows || app.view == View::Chart {
        plural(shown.num_rows, "row", "rows")
    } else {
        format!(
            "rows {}{}{} of {}",
            count(grid.offset + 1),
            symbols.dash,
            count(grid.offset + shown.rows.len()),
            count(shown.num_rows)
        )
    };
    if !grid.filter.is_empty() {
        let filter = text::cut(&grid.filter, 16, symbols.ellipsis);
        rows = format!("/{filter}  {rows}, {} in all", count(shown.num_all));
    }
    if shown.num_all > MAX_ROWS && (grid.sort.is_some() || !grid.filter.is_empty()) {
        rows = format!("{rows}, only the first {} are looked at", count(MAX_ROWS));
    }
    rows
}

/// `‹ columns 2–4 of 9 ›`; nothing where all are.
pub(super) fn columns_in_sight(app: &App, grid: &Grid) -> String {
    let symbols = app.symbols;
    let last = grid.column + grid.shown.columns.len();
    let [before, after] = [grid.column > 0, last < grid.shown.num_columns];
    if !before && !after {
        return String::new();
    }
    let left = if before { symbols.more[0] } else { "" };
    let right = if after { symbols.more[1] } else { "" };
    let columns = format!(
        "{left} columns {}{}{last} of {} {right}",
        grid.column + 1,
        symbols.dash,
        grid.shown.num_columns
    );
    columns.trim().to_string()
}

/// The names of the columns in sight, the first `strong` of the table brighter.
pub(super) fn heads(canvas: &mut Canvas<'_>, grid: &Grid, inner: Rect, strong: usize) {
    let ellipsis = canvas.symbols.ellipsis;
    let mut column = GRID_MARK;
    for (at, head) in grid.shown.columns.iter().enumerate() {
        let name = if head.right {
            text::right(&head.name, head.width, ellipsis)
        } else {
            text::cut(&head.name, head.width, ellipsis)
        };
        let role = if grid.column + at < strong {
            Role::Strong
        } else {
            Role::Header
        };
        canvas.at(inner, 0, column, role, &name);
        column += head.width + 2;
    }
}

/// The cells in sight, with the cursor where the table has the keyboard.
pub(super) fn cells(canvas: &mut Canvas<'_>, app: &App, grid: &Grid, inner: Rect, has_keyboard: bool) {
    let now_ms = app.picture().now_ms;
    let symbols = canvas.symbols;
    for (row, line) in grid.shown.rows.iter().enumerate() {
        let row = row + 1;
        let has_cursor = has_keyboard && grid.offset + row == grid.cursor.0 + 1;
        if has_cursor {
            let whole = Rect {
                y: inner.y + to_u16(row),
                height: 1,
                ..inner
            };
            canvas.restyle(whole.intersection(inner), Role::Selection);
        }
        let mut column = GRID_MARK;
        let newness = age(line.new_at, now_ms);
        let mut changed = false;
        for (at, (head, cell)) in grid.shown.columns.iter().zip(&line.cells).enumerate() {
            let text = if head.right {
                text::right(&cell.text, head.width, symbols.ellipsis)
            } else {
                text::left(&cell.text, head.width, symbols.ellipsis)
            };
            let cell_age = match newness {
                Age::Old => age(cell.changed_at, now_ms),
                newness => newness,
            };
            changed |= cell_age != Age::Old;
            let role = match (cell.null, has_cursor) {
                (true, _) => Role::Muted,
                (false, true) => Role::Selection,
                (false, false) => Role::Text,
            };
            canvas.at(inner, row, column, role, &text);
            let look = match cell_age {
                Age::Fresh => Some(Role::Changed),
                Age::Fading => Some(Role::Fading),
                Age::Old => None,
            };
            let place = Rect {
                x: inner.x + to_u16(column),
                y: inner.y + to_u16(row),
                width: to_u16(head.width),
                height: 1,
            };
            if let Some(look) = look {
                canvas.restyle(place.intersection(inner), look);
            }
            if has_cursor && grid.column + at == grid.cursor.1 {
                canvas.restyle(place.intersection(inner), Role::Input);
            }
            column += head.width + 2;
        }
        let mark = match (newness, changed) {
            (Age::Fresh | Age::Fading, _) => symbols.changed[1],
            (Age::Old, true) => symbols.changed[0],
            (Age::Old, false) => "",
        };
        canvas.at(inner, row, 0, Role::Accent, mark);
    }
}
