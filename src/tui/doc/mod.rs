//! The texts of panes: what they say, in roles, not yet in colours.
//!
//! A [`Doc`] is made from a query's snapshot and from nothing else, once before a picture is drawn; panes show the
//! part of it that is scrolled to.

mod catalog;
mod check;
mod details;
mod json;
mod lane;
mod log;
mod plan;
mod sources;
mod state;
pub(crate) mod timings;
mod waiting;

use chrono::DateTime;

use super::app::history::History;
use super::app::{App, Pane};
use super::symbols::Symbols;
use super::text;
use super::theme::Role;
use crate::engine::snapshot::{LogEntries, QuerySnapshot};

/// Cells of the labels on the left of a text.
const LABEL: usize = 11;

/// What a text is made from.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) query: &'a QuerySnapshot,
    pub(crate) log: &'a LogEntries,
    pub(crate) history: &'a History,
    pub(crate) now_ms: i64,
    pub(crate) symbols: &'static Symbols,
    /// Cells across.
    pub(crate) width: usize,
    /// The panes on the screen: what they show needs no second telling.
    pub(crate) beside: &'a [Pane],
}

/// The text of a pane that is one.
pub(crate) fn of(pane: Pane, facts: &Facts<'_>) -> Option<Doc> {
    match pane {
        Pane::Details => Some(details::doc(facts)),
        Pane::Lane => Some(lane::doc(facts)),
        Pane::Waiting => Some(waiting::doc(facts)),
        Pane::Log => Some(log::doc(facts)),
        Pane::State => Some(state::doc(facts)),
        Pane::Plan => Some(plan::doc(facts)),
        Pane::Json => Some(json::doc(facts)),
        Pane::Sources => Some(sources::doc(facts)),
        Pane::Queries
        | Pane::Result
        | Pane::Rates
        | Pane::Durations
        | Pane::Timings
        | Pane::Batches
        | Pane::Keys
        | Pane::Editor
        | Pane::Check
        | Pane::Answer
        | Pane::Entries
        | Pane::Entry
        | Pane::EngineLog => None,
    }
}

/// The text of a pane that is one and about no query.
pub(crate) fn of_app(pane: Pane, app: &App, width: usize) -> Option<Doc> {
    match pane {
        Pane::Check => Some(check::doc(app, width)),
        Pane::Entry => Some(catalog::doc(app, width)),
        Pane::EngineLog => Some(log::all(app, width)),
        _ => None,
    }
}

/// Lines of text in roles.
#[derive(Debug, Clone, Default)]
pub(crate) struct Doc {
    pub(crate) lines: Vec<Line>,
}

/// Pieces of text, each with its role.
pub(crate) type Line = Vec<(Role, String)>;

impl Doc {
    /// Cells that the longest line takes.
    pub(crate) fn width(&self) -> usize {
        let width = |line: &Line| line.iter().map(|(_, piece)| text::width(piece)).sum();
        self.lines.iter().map(width).max().unwrap_or(0)
    }

    fn line(&mut self, pieces: impl Into<Line>) {
        self.lines.push(pieces.into());
    }

    /// An empty line, unless there is one already or nothing stands above.
    fn gap(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(Vec::new());
        }
    }

    /// A heading, apart from what stands above.
    fn heading(&mut self, text: impl Into<String>) {
        self.gap();
        self.line([(Role::Strong, text.into())]);
    }

    /// A label and what belongs to it, broken to `width` under itself.
    fn pair(&mut self, label: &str, role: Role, value: &str, width: usize) {
        let room = width.saturating_sub(LABEL).max(8);
        for (at, part) in text::wrap(value, room).into_iter().enumerate() {
            let label = if at == 0 { label } else { "" };
            self.line([(Role::Muted, text::left(label, LABEL, "")), (role, part)]);
        }
    }

    /// Text broken to `width`, with a sign before its first line.
    fn paragraph(&mut self, sign: &str, role: Role, value: &str, width: usize) {
        let indent = text::width(sign);
        for (at, part) in text::wrap(value, width.saturating_sub(indent).max(8))
            .into_iter()
            .enumerate()
        {
            let sign = if at == 0 {
                sign.to_string()
            } else {
                " ".repeat(indent)
            };
            self.line([(role, format!("{sign}{part}"))]);
        }
    }
}

/// `14:02:31`, with the date where that is not today.
pub(crate) fn clock_time(at_ms: i64, now_ms: i64) -> String {
    let (Some(at), Some(now)) = (
        DateTime::from_timestamp_millis(at_ms),
        DateTime::from_timestamp_millis(now_ms),
    ) else {
        return String::new();
    };
    let form = if at.date_naive() == now.date_naive() {
        "%H:%M:%S"
    } else {
        "%Y-%m-%d %H:%M:%S"
    };
    at.format(form).to_string()
}

#[cfg(test)]
mod tests;
