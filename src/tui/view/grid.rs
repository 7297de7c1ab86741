//! The result of a query.

use ratatui::layout::Rect;

use super::canvas::{Canvas, Titles};
use crate::tui::app::grid::{Age, Grid, age};
use crate::tui::app::{App, Pane};
use crate::tui::layout::{self, GRID_MARK};
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::units::{grouped, plural, to_u16};

pub(super) fn draw(canvas: &mut Canvas<'_>, app: &App, area: Rect) {
    let inner = layout::inside(area);
    let Some(query) = app.shown_query() else {
        canvas.panel(
            area,
            Pane::Result,
            Titles {
                left: "result",
                right: "",
            },
        );
        return;
    };
    let (Some(table), Some(grid)) = (&query.result, app.grid()) else {
        canvas.panel(
            area,
            Pane::Result,
            Titles {
                left: "result",
                right: "",
            },
        );
        let words = format!(
            "Its rows go to {}: only a memory sink can be looked into.",
            query.sink
        );
        for (row, line) in text::wrap(&words, usize::from(inner.width)).iter().enumerate() {
            canvas.text(inner, row, Role::Muted, line);
        }
        return;
    };
    let symbols = app.symbols;
    let shown = &grid.shown;
    let last = grid.offset + shown.rows.len();
    let rows = if shown.rows.len() >= shown.num_rows {
        plural(shown.num_rows, "row", "rows")
    } else {
        format!(
            "rows {}{}{} of {}",
            grouped(grid.offset as u64 + 1),
            symbols.dash,
            grouped(last as u64),
            grouped(shown.num_rows as u64)
        )
    };
    let how = if app.is_frozen() {
        "frozen"
    } else if grid.follows(table.mode()) {
        "follows"
    } else {
        "stays"
    };
    let right = format!(
        "{rows} {dot} {} {dot} {how}",
        query.output_mode,
        dot = symbols.dot
    );
    canvas.panel(
        area,
        Pane::Result,
        Titles {
            left: "result",
            right: &right,
        },
    );
    if shown.columns.len() < shown.num_columns || grid.column > 0 {
        let ends = (
            grid.column > 0,
            grid.column + shown.columns.len() < shown.num_columns,
        );
        let words = format!(
            "{}columns {}{}{} of {}{}",
            if ends.0 {
                format!("{} ", symbols.more[0])
            } else {
                String::new()
            },
            grid.column + 1,
            symbols.dash,
            grid.column + shown.columns.len(),
            shown.num_columns,
            if ends.1 {
                format!(" {}", symbols.more[1])
            } else {
                String::new()
            },
        );
        canvas.below(area, &words);
    }
    if let Some(error) = &grid.error {
        for (row, line) in text::wrap(error, usize::from(inner.width)).iter().enumerate() {
            canvas.text(inner, row, Role::Failed, line);
        }
        return;
    }
    heads(canvas, grid, inner);
    if shown.num_rows == 0 {
        canvas.at(inner, 1, GRID_MARK, Role::Muted, "No rows yet.");
    }
    cells(canvas, app, grid, inner);
}

fn heads(canvas: &mut Canvas<'_>, grid: &Grid, inner: Rect) {
    let ellipsis = canvas.symbols.ellipsis;
    let mut column = GRID_MARK;
    for head in &grid.shown.columns {
        let name = if head.right {
            text::right(&head.name, head.width, ellipsis)
        } else {
            text::cut(&head.name, head.width, ellipsis)
        };
        canvas.at(inner, 0, column, Role::Header, &name);
        column += head.width + 2;
    }
}

fn cells(canvas: &mut Canvas<'_>, app: &App, grid: &Grid, inner: Rect) {
    let now_ms = app.picture().now_ms;
    let symbols = canvas.symbols;
    for (row, line) in grid.shown.rows.iter().enumerate() {
        let row = row + 1;
        let mut column = GRID_MARK;
        let newness = age(line.new_at, now_ms);
        let mut changed = false;
        for (head, cell) in grid.shown.columns.iter().zip(&line.cells) {
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
            canvas.at(
                inner,
                row,
                column,
                if cell.null { Role::Muted } else { Role::Text },
                &text,
            );
            let look = match cell_age {
                Age::Fresh => Some(Role::Changed),
                Age::Fading => Some(Role::Fading),
                Age::Old => None,
            };
            if let Some(look) = look {
                let place = Rect {
                    x: inner.x + to_u16(column),
                    y: inner.y + to_u16(row),
                    width: to_u16(head.width),
                    height: 1,
                };
                canvas.restyle(place.intersection(inner), look);
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
