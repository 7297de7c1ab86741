//! Keys and values of a state.

use ratatui::layout::Rect;

use super::canvas::{Canvas, Titles};
use super::grid;
use crate::engine::snapshot::{StateOrder, StateWeight};
use crate::tui::app::{App, Pane};
use crate::tui::layout::{self, GRID_MARK};
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::units::grouped;

pub(super) fn draw(canvas: &mut Canvas<'_>, app: &App, area: Rect) {
    let inner = layout::inside(area);
    let keys = &app.keys;
    let mut left = format!("keys and values of operator {}", keys.operator + 1);
    let Some(part) = keys.part() else {
        panel(canvas, area, &left, "");
        return match &keys.error {
            Some(error) => grid::paragraph(canvas, inner, Role::Failed, error),
            None => canvas.text(inner, 0, Role::Muted, words(app)),
        };
    };
    let page = &part.page;
    if let Some(batch) = page.batch_id {
        left = format!("{left}, batch {}", grouped(batch));
    }
    let mut right = match keys.order {
        StateOrder::Key => "by key".to_string(),
        StateOrder::Largest if page.weight == StateWeight::Bytes => "largest first".to_string(),
        StateOrder::Largest => "most rows first".to_string(),
    };
    right = if keys.find.is_empty() {
        format!("{} {} {right}", grouped(page.num_rows), app.symbols.dot)
    } else {
        format!(
            "/{}  {} of {} {} {right}",
            text::cut(&keys.find, 16, app.symbols.ellipsis),
            grouped(page.num_found),
            grouped(page.num_rows),
            app.symbols.dot
        )
    };
    panel(canvas, area, &left, &right);
    canvas.below(area, &grid::columns_in_sight(app, &keys.grid));
    grid::heads(canvas, &keys.grid, inner, page.num_keys);
    if page.num_found == 0 {
        let words = if keys.find.is_empty() {
            "The state is empty."
        } else {
            "No key has this in it. Esc shows all."
        };
        canvas.at(inner, 1, GRID_MARK, Role::Muted, words);
    }
    grid::cells(canvas, app, &keys.grid, inner, app.focus == Pane::Keys);
}

fn panel(canvas: &mut Canvas<'_>, area: Rect, left: &str, right: &str) {
    canvas.panel(area, Pane::Keys, Titles { left, right });
}

/// Why there is nothing to see.
fn words(app: &App) -> &'static str {
    let Some(query) = app.shown_query() else { return "" };
    let keeps_state = query
        .recent_progress
        .back()
        .is_none_or(|batch| !batch.state_operators.is_empty());
    if !keeps_state {
        "This query keeps no state."
    } else if query.last_committed.is_none() {
        "No batch is committed yet."
    } else {
        "Reading the state ..."
    }
}
