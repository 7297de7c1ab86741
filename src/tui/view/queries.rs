//! The live table of queries.

use ratatui::layout::Rect;

use super::bars::state_role;
use super::canvas::{Canvas, Titles};
use crate::engine::snapshot::QuerySnapshot;
use crate::tui::app::history::{History, whole_steps};
use crate::tui::app::queries::{self, Column};
use crate::tui::app::{App, Pane};
use crate::tui::layout;
use crate::tui::table;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::units::{self, to_f64, to_u16};

pub(super) fn draw(canvas: &mut Canvas<'_>, app: &App, area: Rect) {
    let inner = layout::inside(area);
    let fitted = table::fit(usize::from(inner.width), &app.rows);
    let all = app.picture().snapshot.queries.len();
    let symbols = app.symbols;
    let height = usize::from(inner.height).saturating_sub(1);
    let mut right = format!("{} of {all}", app.rows.len());
    if app.rows.len() > height {
        let last = (app.first_row + height).min(app.rows.len());
        right = format!("rows {}{}{last}, {right}", app.first_row + 1, symbols.dash);
    }
    if !app.marked.is_empty() {
        right = format!("{} marked, {right}", app.marked.len());
    }
    if !app.filter.is_empty() {
        right = format!("/{}  {right}", text::cut(&app.filter, 20, symbols.ellipsis));
    }
    let direction = symbols.sort[usize::from(app.sort.descending)];
    right = format!(
        "{right} {} by {} {direction}",
        symbols.dot,
        app.sort.column.title()
    );
    canvas.panel(
        area,
        Pane::Queries,
        Titles {
            left: "queries",
            right: &right,
        },
    );
    if fitted.hidden > 0 {
        canvas.below(
            area,
            &format!("{} of {} columns", fitted.columns.len(), Column::ALL.len()),
        );
    }
    for (column, start, width) in &fitted.columns {
        let head = if is_right(*column) {
            text::right(column.title(), *width, symbols.ellipsis)
        } else {
            text::cut(column.title(), *width, symbols.ellipsis)
        };
        let role = if *column == app.sort.column {
            Role::Strong
        } else {
            Role::Header
        };
        canvas.at(inner, 0, *start, role, &head);
    }
    if app.rows.is_empty() {
        let words = if all == 0 {
            "No queries. Open the workbench on a pipeline file."
        } else {
            "No query matches the filter. Esc shows all."
        };
        canvas.at(inner, 1, table::MARK, Role::Muted, words);
        return;
    }
    for (row, query) in app.rows.iter().skip(app.first_row).take(height).enumerate() {
        let row = row + 1;
        let selected = app.is_selected(query);
        if selected {
            let line = Rect {
                y: inner.y + to_u16(row),
                height: 1,
                ..inner
            };
            canvas.restyle(line, Role::Selection);
            canvas.at(inner, row, 0, Role::Accent, symbols.selected);
        }
        if app.marked.contains(&query.id) {
            canvas.at(inner, row, 1, Role::Accent, symbols.marked);
        }
        if !query.warnings.is_empty()
            && let Some((_, start, width)) = fitted
                .columns
                .iter()
                .find(|(column, ..)| *column == Column::State)
        {
            canvas.at(inner, row, start + width - 1, Role::Warning, symbols.warning);
        }
        let history = app.history(query);
        for (column, start, width) in &fitted.columns {
            let (role, value) = cell(app, *column, query, &history, *width);
            let value = if is_right(*column) {
                text::right(&value, *width, symbols.ellipsis)
            } else {
                text::cut(&value, *width, symbols.ellipsis)
            };
            let role = if selected && matches!(role, Role::Text | Role::Muted) {
                Role::Selection
            } else {
                role
            };
            canvas.at(inner, row, *start, role, &value);
        }
    }
}

fn is_right(column: Column) -> bool {
    matches!(
        column,
        Column::Batch
            | Column::Rate
            | Column::Processed
            | Column::P50
            | Column::P99
            | Column::Rows
            | Column::Bytes
            | Column::Watermark
    )
}

fn cell(app: &App, column: Column, query: &QuerySnapshot, history: &History, width: usize) -> (Role, String) {
    let symbols = app.symbols;
    let now_ms = app.picture().now_ms;
    let moment = queries::moment_ms(query, history, now_ms);
    let number = |value: Option<String>| match value {
        Some(value) => (Role::Text, value),
        None => (Role::Muted, symbols.none.to_string()),
    };
    let time =
        |time: Option<u64>| number(time.map(|time| units::duration_us(time, symbols.micro).aligned(2)));
    match column {
        Column::Name => (Role::Strong, query.name.clone()),
        Column::State => {
            let sign = symbols.state(query.state);
            (
                state_role(query.state),
                format!("{sign} {}", query.state.as_str()),
            )
        }
        Column::Mode => (Role::Text, query.output_mode.to_string()),
        Column::Trigger => (Role::Muted, short_trigger(&query.trigger)),
        Column::Batch => number(queries::batch_id(query).map(units::grouped)),
        Column::Rate => {
            number(queries::rate(query, history, now_ms).map(|rate| units::count(rate).aligned(1)))
        }
        Column::Spark => {
            let cells = whole_steps(width);
            let rates = history.rates(history.steps(moment, 60, cells));
            (Role::Spark, symbols.sparkline(&rates, cells))
        }
        Column::Processed => number(
            history
                .processed_per_second()
                .map(|rate| units::count(rate).aligned(1)),
        ),
        Column::P50 => time(history.p50_us),
        Column::P99 => time(history.p99_us),
        Column::Rows => number(queries::state_rows(query).map(|rows| units::count(to_f64(rows)).aligned(1))),
        Column::Bytes => number(queries::state_bytes(query).map(|bytes| units::bytes(bytes).aligned(2))),
        Column::Trend => {
            let cells = whole_steps(width);
            let steps = history.steps(moment, 60, cells);
            let shown = queries::state_rows(query).map(|_| history.state_rows(steps));
            (Role::Trend, symbols.sparkline(&shown.unwrap_or_default(), cells))
        }
        Column::Watermark => {
            let lag = queries::lag_ms(query, history, now_ms);
            number(lag.map(|lag| {
                format!(
                    "{}{}",
                    if lag > 0 { symbols.minus } else { "" },
                    units::lag_ms(lag)
                )
            }))
        }
        Column::Warnings => match (&query.exception, query.warnings.as_slice()) {
            (Some(exception), _) => (Role::Failed, exception.message.clone()),
            (None, []) => (Role::Muted, String::new()),
            (None, [one]) => (Role::Warning, format!("{} {}", symbols.warning, one.message)),
            (None, [first, rest @ ..]) => (
                Role::Warning,
                format!("{} {} (+{})", symbols.warning, first.message, rest.len()),
            ),
        },
    }
}

/// `PROCESSING TIME '1 second'` as `1 second`; other triggers in small letters.
pub(super) fn short_trigger(trigger: &str) -> String {
    match trigger.split('\'').nth(1) {
        Some(interval) if trigger.starts_with("PROCESSING") => interval.to_string(),
        _ => trigger.to_lowercase(),
    }
}
