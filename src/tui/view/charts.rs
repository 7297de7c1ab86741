//! The charts of a query's overview.

use std::sync::Arc;

use ratatui::layout::Rect;

use super::canvas::{Canvas, Titles};
use super::time_chart::{self, Series, TimeChart};
use crate::engine::snapshot::QuerySnapshot;
use crate::tui::app::history::{History, Steps};
use crate::tui::app::{App, Pane, queries};
use crate::tui::layout;
use crate::tui::theme::Role;
use crate::tui::units::{self, to_f64};

/// Rows a second that arrive, and that go to the sink.
pub(super) fn rates(canvas: &mut Canvas<'_>, app: &App, area: Rect) {
    panel(canvas, app, area, Pane::Rates, "rows/s");
    let Some((query, history, steps)) = shown(app, area) else {
        return;
    };
    // A sink that does not count its rows has no line.
    let counts = query
        .recent_progress
        .back()
        .is_some_and(|batch| batch.sink.num_output_rows >= 0);
    let chart = TimeChart {
        steps,
        area: Series {
            name: "in",
            role: Role::Spark,
            values: history.rates(steps),
        },
        line: counts.then(|| Series {
            name: "out",
            role: Role::Warning,
            values: history.written(steps),
        }),
        unit: |value, _| units::count(value).text(),
    };
    chart.draw(canvas, layout::inside(area));
}

/// The longest batch of each step.
pub(super) fn durations(canvas: &mut Canvas<'_>, app: &App, area: Rect) {
    panel(canvas, app, area, Pane::Durations, "batch duration");
    let Some((_, history, steps)) = shown(app, area) else {
        return;
    };
    let chart = TimeChart {
        steps,
        area: Series {
            name: "longest",
            role: Role::Trend,
            values: history.longest(steps),
        },
        line: None,
        unit: |value, micro| units::duration_us(units::to_whole(value), micro).text(),
    };
    chart.draw(canvas, layout::inside(area));
}

fn panel(canvas: &mut Canvas<'_>, app: &App, area: Rect, pane: Pane, left: &str) {
    let span = app.cell_seconds() * time_chart::cells(layout::inside(area));
    let right = if span < 120 {
        format!("{span} s")
    } else {
        format!("{:.1} min", to_f64(span as u64) / 60.0)
    };
    canvas.panel(area, pane, Titles { left, right: &right });
    canvas.below(area, "+ - zoom");
}

fn shown(app: &App, area: Rect) -> Option<(&Arc<QuerySnapshot>, Arc<History>, Steps)> {
    let query = app.shown_query()?;
    let history = app.history(query);
    let moment = match app.past() {
        Some(past) => past.at_ms,
        None => queries::moment_ms(query, &history, app.picture().now_ms),
    };
    let cells = time_chart::cells(layout::inside(area));
    let steps = history.steps(moment, app.cell_seconds() * cells, cells);
    Some((query, history, steps))
}
