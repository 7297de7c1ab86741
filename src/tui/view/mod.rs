//! Draws the workbench: reads the state, changes nothing.
//!
//! # Layout
//!
//! - `canvas`: text in roles, frames
//! - `bars`: the lines at the top and at the bottom, the tabs
//! - `queries`, `grid` with `result_chart`, `keys`, `batches`, `timings`, `charts` on `time_chart`: panes that are no plain text
//! - `editor`, `catalog`: the SQL screen and the list of what there is
//! - `overlay`: help, themes, questions, completions, errors

mod bars;
mod batches;
mod canvas;
mod catalog;
mod charts;
mod editor;
mod grid;
mod keys;
mod overlay;
mod queries;
mod result_chart;
mod time_chart;
mod timings;

use ratatui::Frame;
use ratatui::layout::Rect;

use self::canvas::{Canvas, Titles};
use super::app::{App, LogFilter, Pane, Screen};
use super::layout::{self, SMALLEST};
use super::theme::Role;
use crate::engine::snapshot::LogLevel;

/// Draws everything.
pub(crate) fn draw(frame: &mut Frame<'_>, app: &App) {
    let area = frame.area();
    let cursor = {
        let mut canvas = Canvas::new(frame.buffer_mut(), app);
        canvas.fill(area, Role::Screen);
        screen(&mut canvas, app);
        bars::footer(&mut canvas, app).or_else(|| editor::cursor(app))
    };
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
}

fn screen(canvas: &mut Canvas<'_>, app: &App) {
    let layout = app.layout();
    if app.size().width < SMALLEST.0 / 2 || app.size().height < SMALLEST.1 / 2 {
        let text = format!("too small: {}x{} at least", SMALLEST.0, SMALLEST.1);
        canvas.text(
            Rect {
                height: 1,
                ..app.size()
            },
            0,
            Role::Warning,
            &text,
        );
        return;
    }
    bars::header(canvas, app, layout.header);
    if let Some(tabs) = layout.tabs {
        bars::tabs(canvas, app, tabs);
    }
    for (pane, area) in &layout.panes {
        self::pane(canvas, app, *pane, *area);
    }
    bars::hidden(canvas, app, &layout);
    overlay::draw(canvas, app);
}

fn pane(canvas: &mut Canvas<'_>, app: &App, pane: Pane, area: Rect) {
    match pane {
        Pane::Queries => queries::draw(canvas, app, area),
        Pane::Result => grid::draw(canvas, app, area),
        Pane::Rates => charts::rates(canvas, app, area),
        Pane::Durations => charts::durations(canvas, app, area),
        Pane::Timings => timings::draw(canvas, app, area),
        Pane::Batches => batches::draw(canvas, app, area),
        Pane::Keys => keys::draw(canvas, app, area),
        Pane::Editor => editor::draw(canvas, app, area),
        Pane::Answer => editor::answer(canvas, app, area),
        Pane::Entries => catalog::draw(canvas, app, area),
        Pane::Details
        | Pane::Lane
        | Pane::Waiting
        | Pane::State
        | Pane::Plan
        | Pane::Json
        | Pane::Sources
        | Pane::Log
        | Pane::Check
        | Pane::Entry
        | Pane::EngineLog => {
            text(canvas, app, pane, area);
        }
    }
}

/// A pane of plain text, the part of it that is scrolled to.
fn text(canvas: &mut Canvas<'_>, app: &App, pane: Pane, area: Rect) {
    let inner = layout::inside(area);
    let title = match (pane, app.shown_query()) {
        (Pane::Details, Some(query)) if app.screen == Screen::Queries => query.name.clone(),
        (Pane::Json, Some(query)) => match query.recent_progress.back() {
            Some(batch) => format!("batch {}", batch.batch_id),
            None => pane.title().to_string(),
        },
        _ => pane.title().to_string(),
    };
    let right = if pane == Pane::EngineLog {
        log_filter(app)
    } else {
        String::new()
    };
    let shown = app.doc(pane);
    let more = shown.map_or(String::new(), |(doc, (first, column))| {
        let last = (first + usize::from(inner.height)).min(doc.lines.len());
        let aside = doc.width() > column + usize::from(inner.width);
        let aside = if aside {
            format!(" {}", app.symbols.more[1])
        } else {
            String::new()
        };
        if first == 0 && last == doc.lines.len() {
            aside.trim_start().to_string()
        } else {
            format!(
                "{}{}{last} of {} lines{aside}",
                first + 1,
                app.symbols.dash,
                doc.lines.len()
            )
        }
    });
    canvas.panel(
        area,
        pane,
        Titles {
            left: &title,
            right: &right,
        },
    );
    if !more.is_empty() {
        canvas.below(area, &more);
    }
    let Some((doc, (first, column))) = shown else {
        canvas.text(inner, 0, Role::Muted, "No query is selected.");
        return;
    };
    for (row, line) in doc
        .lines
        .iter()
        .skip(first)
        .take(usize::from(inner.height))
        .enumerate()
    {
        canvas.line(inner, row, column, line);
    }
}

/// What of the engine's log is shown.
fn log_filter(app: &App) -> String {
    let LogFilter { level, words } = &app.log_filter;
    let level = match level {
        LogLevel::Trace | LogLevel::Debug => "all levels".to_string(),
        LogLevel::Error => "errors".to_string(),
        level => format!("{} and worse", level.as_str()),
    };
    let (shown, all) = (app.log_entries().len(), app.picture().snapshot.log.len());
    let level = format!("{shown} of {all} {} {level}", app.symbols.dot);
    if words.is_empty() {
        return level;
    }
    format!(
        "/{}  {level}",
        crate::tui::text::cut(words, 20, app.symbols.ellipsis)
    )
}

#[cfg(test)]
mod page_tests;
#[cfg(test)]
mod tests;
