//! The lines at the top and at the bottom, and the tabs.

use std::sync::Arc;

use ratatui::layout::{Position, Rect};

use super::canvas::Canvas;
use crate::engine::snapshot::QueryState;
use crate::tui::action::{ACTIONS, When};
use crate::tui::app::{self, App, Mode, Screen};
use crate::tui::doc::Line;
use crate::tui::layout::Layout;
use crate::tui::theme::Role;
use crate::tui::units::{self, to_u16};
use crate::tui::{app::queries, text};

/// The line at the top: what is open on the left, how it is on the right.
pub(super) fn header(canvas: &mut Canvas<'_>, app: &App, area: Rect) {
    let symbols = app.symbols;
    let width = usize::from(area.width);
    let mut right: Line = Vec::new();
    if app.is_quitting() {
        right.push((Role::Warning, "stopping queries, q leaves at once ".to_string()));
    } else if app.is_frozen() {
        right.push((Role::Warning, "frozen, f goes on  ".to_string()));
    }
    if app.is_read_only {
        right.push((Role::Warning, "read-only  ".to_string()));
    }
    match (app.screen, app.shown_query()) {
        (Screen::Query(_), Some(query)) => {
            if let Some(past) = app.past() {
                let place = app
                    .ring()
                    .iter()
                    .rev()
                    .position(|batch| Arc::ptr_eq(batch, &past.batch));
                let words = match place {
                    Some(0) => "paused at the newest batch".to_string(),
                    Some(1) => "1 batch ago".to_string(),
                    Some(ago) => format!("{ago} batches ago"),
                    None => "long ago".to_string(),
                };
                right.push((Role::Warning, format!("{words}, End is live  ")));
            }
            right.push((
                state_role(query.state),
                format!("{} {}", symbols.state(query.state), query.state.as_str()),
            ));
            right.push((Role::Muted, format!(" {} {}", symbols.dot, query.output_mode)));
            let trigger = super::queries::short_trigger(&query.trigger);
            let so_far: usize = right.iter().map(|(_, piece)| text::width(piece)).sum();
            // The query's name matters more: the trigger comes only where both have room.
            if so_far + text::width(&trigger) + text::width(&query.name) + 32 <= width {
                right.push((Role::Muted, format!(" {} {trigger}", symbols.dot)));
            }
            if let Some(batch) = queries::batch_id(query) {
                right.push((Role::Text, format!("  batch {} ", units::grouped(batch))));
            }
        }
        _ => summary(app, width, &mut right),
    }
    let right_width: usize = right.iter().map(|(_, piece)| text::width(piece)).sum();
    canvas.line(at(area, width.saturating_sub(right_width)), 0, 0, &right);
    let mut left: Line = vec![(Role::Strong, " highwater".to_string())];
    left.push((Role::Muted, format!("  {}", app.title)));
    if let (Screen::Query(_), Some(query)) = (app.screen, app.shown_query()) {
        left.push((Role::Muted, format!(" {} ", symbols.crumb)));
        left.push((Role::Strong, query.name.clone()));
    }
    let place = match app.screen {
        Screen::Sql => "SQL",
        Screen::Catalog => "catalog",
        Screen::Log => "log",
        Screen::Queries | Screen::Query(_) => "",
    };
    if !place.is_empty() {
        left.push((Role::Muted, format!(" {} ", symbols.crumb)));
        left.push((Role::Strong, place.to_string()));
    }
    let room = width.saturating_sub(right_width + 1);
    let plain: String = left.iter().map(|(_, piece)| piece.as_str()).collect();
    if text::width(&plain) > room && left.len() > 2 {
        // The query matters more than the file it came from.
        left.drain(1..3);
        left.insert(1, (Role::Muted, "  ".to_string()));
    }
    canvas.line(
        Rect {
            width: to_u16(room),
            ..area
        },
        0,
        0,
        &left,
    );
}

/// How many queries are in which state, and all their rows together.
fn summary(app: &App, width: usize, line: &mut Line) {
    let queries = &app.picture().snapshot.queries;
    let states = [
        QueryState::Failed,
        QueryState::Starting,
        QueryState::Running,
        QueryState::Stopping,
        QueryState::Stopped,
        QueryState::Finished,
    ];
    let mut first = true;
    for state in states {
        let count = queries.iter().filter(|query| query.state == state).count();
        if count > 0 {
            if !first {
                line.push((Role::Muted, format!(" {} ", app.symbols.dot)));
            }
            first = false;
            line.push((state_role(state), format!("{count} {}", state.as_str())));
        }
    }
    let now_ms = app.picture().now_ms;
    let histories: Vec<_> = queries.iter().map(|query| (query, app.history(query))).collect();
    let total: f64 = histories
        .iter()
        .filter_map(|(query, history)| queries::rate(query, history, now_ms))
        .sum();
    if queries.iter().any(|query| query.state.is_active()) {
        line.push((Role::Text, format!("   {} rows/s ", units::count(total).text())));
        if width >= 80 {
            let cells = 12;
            let mut sum = vec![0.0; cells];
            for (_, history) in &histories {
                let rates = history.rates(history.steps(now_ms, 60, cells));
                let start = cells - rates.len().min(cells);
                for (sum, rate) in sum[start..].iter_mut().zip(rates) {
                    *sum += rate;
                }
            }
            line.push((Role::Spark, format!("{} ", app.symbols.sparkline(&sum, cells))));
        }
    }
}

/// The role of a query's state.
pub(super) fn state_role(state: QueryState) -> Role {
    match state {
        QueryState::Starting | QueryState::Stopping => Role::Warning,
        QueryState::Running => Role::Running,
        QueryState::Stopped => Role::Stopped,
        QueryState::Finished => Role::Finished,
        QueryState::Failed => Role::Failed,
    }
}

/// The tabs of a query.
pub(super) fn tabs(canvas: &mut Canvas<'_>, app: &App, area: Rect) {
    for (tab, column, text) in app::tab_places(area.width) {
        let open = app.screen == Screen::Query(tab);
        let role = if open { Role::Accent } else { Role::Muted };
        canvas.at(area, 0, usize::from(column), role, &text);
        if open {
            let cells = Rect {
                x: area.x + column,
                width: to_u16(text.len()),
                ..area
            };
            canvas.restyle(cells, Role::Input);
            canvas.restyle(cells, Role::Accent);
        }
    }
}

/// Says below a pane which panes this size of the screen hides, and how to get at them.
pub(super) fn hidden(canvas: &mut Canvas<'_>, app: &App, layout: &Layout) {
    let Some((_, area)) = layout.panes.last() else {
        return;
    };
    let names: Vec<&str> = layout.hidden.iter().map(|pane| pane.title()).collect();
    let words = if app.maximised {
        "e: all panes".to_string()
    } else {
        match names.as_slice() {
            [] => return,
            names => {
                let words = format!("w: {}", names.join(", "));
                // Beside them stands how far a text is scrolled.
                if text::width(&words) + 24 > usize::from(area.width) {
                    format!("w: {} more panes", names.len())
                } else {
                    words
                }
            }
        }
    };
    canvas.below_left(*area, &words);
}

/// The line at the bottom: what is typed, or what was said, or what can be done. The place of the cursor, if any.
pub(super) fn footer(canvas: &mut Canvas<'_>, app: &App) -> Option<Position> {
    let area = app.layout().footer;
    if area.is_empty() {
        return None;
    }
    match &app.mode {
        Mode::Filter(input, _) => Some(typed(canvas, area, "/", input.text(), input.before())),
        Mode::Command(line) => Some(typed(canvas, area, ":", line.input.text(), line.input.before())),
        _ => {
            let stats = frame_stats(app);
            let stats_width = text::width(&stats);
            let width = usize::from(area.width);
            canvas.at(area, 0, width.saturating_sub(stats_width), Role::Muted, &stats);
            let room = width.saturating_sub(stats_width + 1);
            match app.notice.as_ref().filter(|notice| !notice.is_error) {
                Some(notice) => {
                    let text = text::cut(&notice.text, room.saturating_sub(1), app.symbols.ellipsis);
                    canvas.at(area, 0, 1, Role::Strong, &text);
                }
                None => hints(canvas, app, area, room),
            }
            None
        }
    }
}

fn typed(canvas: &mut Canvas<'_>, area: Rect, sign: &str, all: &str, before: &str) -> Position {
    let width = usize::from(area.width).saturating_sub(3);
    // A long line moves to the left so that the cursor stays in sight.
    let cursor = text::width(before);
    let skip = cursor.saturating_sub(width);
    canvas.at(area, 0, 1, Role::Accent, sign);
    let room = at(area, 2);
    canvas.line(room, 0, skip, &[(Role::Text, all.to_string())]);
    Position::new(room.x + to_u16(cursor - skip), room.y)
}

fn frame_stats(app: &App) -> String {
    let stats = app.frame;
    if stats.last_us == 0 {
        return String::new();
    }
    let time = units::duration_us(stats.last_us, app.symbols.micro).text();
    if app.size().width < 80 {
        return format!("{time} ");
    }
    format!("drew {}/s, {time} ", stats.per_second)
}

/// Keys with what they do here and now.
fn hints(canvas: &mut Canvas<'_>, app: &App, area: Rect, room: usize) {
    let mut column = 1;
    let mut hint = |key: &str, word: &str| {
        let wide = text::width(key) + 1 + word.len();
        if column + wide > room {
            return false;
        }
        canvas.at(area, 0, column, Role::Accent, key);
        canvas.at(area, 0, column + text::width(key) + 1, Role::Muted, word);
        column += wide + 2;
        true
    };
    // The way to everything else comes first in importance: it is never pushed out.
    let (first, rest): (Vec<_>, Vec<_>) = ACTIONS
        .iter()
        .filter(|action| !action.short.is_empty())
        .partition(|action| action.name == "help");
    for action in first.into_iter().chain(rest) {
        if action.when(app) != When::Now {
            continue;
        }
        if let Some(key) = app.key_here(action.id)
            && !hint(&key.to_string(), action.short)
        {
            break;
        }
    }
}

/// The rest of a line from a column on.
fn at(area: Rect, column: usize) -> Rect {
    let column = to_u16(column).min(area.width);
    Rect {
        x: area.x + column,
        width: area.width - column,
        ..area
    }
}
