//! The state of the workbench: one owner, messages in, effects out, no terminal.
//!
//! Whatever happens (a key, the mouse, a new size, a snapshot, a reply of the engine, a second gone by) is a
//! [`Message`]. [`App::update`] changes the state and answers with [`Effect`]s that somebody else carries out.
//! [`App::prepare`] then brings everything up to date that a picture needs, and the view draws it without
//! changing anything. So the whole workbench runs in a test without a terminal and without an engine.
//!
//! # Layout
//!
//! - `screen`: the names of screens, tabs and panes
//! - `update`: what each message does; `modes`: keys while something is typed or asked; `mouse`
//! - `perform`: what each action does; `command_line`: words for actions, with completion
//! - `prepare`: what is done before a picture is drawn
//! - `queries`: the table's columns, order and filter; `history`: rates and latencies
//! - `travel`: a query as it was at an earlier batch
//! - `rows`, `order`, `cells`, `grid`: the visible part of a result table; `pivot`: the same as a chart
//! - `keys`: a look into a state
//! - `change_log`: what each batch did to a result
//! - `tour`: a demo that goes by itself
//! - `themes`: choosing a theme, and seeing it change
//! - `result`: what can be done with it; `copy`: values for the clipboard
//! - `sql`: the editor; `catalog`, `engine_log`: what there is, and what was said

mod catalog;
pub(crate) mod cells;
mod change_log;
pub(crate) mod command_line;
mod copy;
mod engine_log;
pub(crate) mod grid;
pub(crate) mod history;
pub(crate) mod input;
pub(crate) mod keys;
mod message;
mod modes;
mod mouse;
pub(crate) mod order;
mod perform;
pub(crate) mod pivot;
mod prepare;
pub(crate) mod queries;
mod result;
mod rows;
mod screen;
pub(crate) mod sql;
mod themes;
pub(crate) mod tour;
pub(crate) mod travel;
mod update;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ratatui::layout::Rect;
use uuid::Uuid;

use self::catalog::Catalog;
use self::change_log::ChangeLog;
use self::grid::Grid;
use self::history::{Histories, History};
use self::keys::Keys;
use self::pivot::Pivot;
use self::queries::Sort;
use self::rows::KeptRows;
use self::sql::Sql;
use self::tour::Tour;
use self::travel::Past;
use super::config::Bindings;
use super::doc::Doc;
use super::keymap::Keymap;
use super::layout::{Layout, Split, Splits, Wanted};
use super::symbols::Symbols;
use super::theme::{ColorDepth, Theme};
use crate::clock::Clock;
use crate::engine::Snapshot;
use crate::engine::snapshot::QuerySnapshot;
use crate::error::Result;

pub(crate) use engine_log::LogFilter;
pub(crate) use grid::Viewport;
pub(crate) use message::{Effect, Message};
pub(crate) use modes::{Confirm, Mode, Then};
pub(crate) use mouse::tab_places;
pub(crate) use result::{Bars, Record, View};
pub(crate) use screen::{Pane, Screen, Tab};

/// Rows of each result that are kept when the picture is frozen: of the selected query, and of each other.
const KEPT_ROWS: (usize, usize) = (order::MAX_ROWS, 2_000);

/// How many seconds a cell of a chart can stand for.
const CELL_SECONDS: [usize; 6] = [1, 2, 5, 10, 20, 30];

/// What the screen shows of the engine: now, or at the moment of the freeze.
#[derive(Debug, Clone, Default)]
pub(crate) struct Picture {
    /// The engine's own account.
    pub(crate) snapshot: Arc<Snapshot>,
    /// What the workbench remembers of earlier ones.
    pub(crate) histories: Histories,
    /// The time that relative times are told from.
    pub(crate) now_ms: i64,
    kept: HashMap<Uuid, Arc<KeptRows>>,
}

impl Picture {
    fn query(&self, id: Uuid) -> Option<&Arc<QuerySnapshot>> {
        self.snapshot.queries.iter().find(|query| query.id == id)
    }
}

/// A sentence in the bottom line, or a box above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// What it says; of an error also causes and hint, a line each.
    pub(crate) text: String,
    /// Errors stay until the next key.
    pub(crate) is_error: bool,
    until_ms: i64,
}

/// How often and how fast the screen is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct FrameStats {
    /// Pictures drawn in the last second.
    pub(crate) per_second: usize,
    /// What the last one took.
    pub(crate) last_us: u64,
}

/// What an [`App`] is made with.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) title: String,
    pub(crate) theme: String,
    pub(crate) theme_folders: Vec<PathBuf>,
    pub(crate) depth: ColorDepth,
    pub(crate) ascii: bool,
    pub(crate) is_read_only: bool,
    pub(crate) is_tour: bool,
    pub(crate) bindings: Bindings,
    pub(crate) splits: Splits,
    pub(crate) clock: Arc<dyn Clock>,
}

/// The workbench without its terminal. The view reads it, [`App::update`] and [`App::prepare`] change it.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub(crate) struct App {
    /// What is opened, for the top line.
    pub(crate) title: String,
    pub(crate) theme: Theme,
    pub(crate) symbols: &'static Symbols,
    pub(crate) keymap: Keymap,
    pub(crate) screen: Screen,
    /// The pane that has the keyboard.
    pub(crate) focus: Pane,
    pub(crate) maximised: bool,
    pub(crate) mode: Mode,
    pub(crate) filter: String,
    pub(crate) sort: Sort,
    /// The queries of the table, filtered and in order.
    pub(crate) rows: Vec<Arc<QuerySnapshot>>,
    /// The first row of the table in sight.
    pub(crate) first_row: usize,
    pub(crate) notice: Option<Notice>,
    pub(crate) frame: FrameStats,
    /// The queries that are marked: actions act on all of them.
    pub(crate) marked: HashSet<Uuid>,
    /// How much time charts show: a place in [`CELL_SECONDS`].
    zoom: usize,
    past: Option<Past>,
    /// Where panes were dragged to meet.
    splits: Splits,
    /// The line between panes that the mouse holds.
    dragged: Option<Split>,
    docs: HashMap<Pane, Doc>,
    /// First line and first column of each text pane.
    scrolls: HashMap<Pane, (usize, usize)>,
    grids: HashMap<Uuid, Grid>,
    change_log: ChangeLog,
    /// How results are shown.
    pub(crate) view: View,
    /// How charts of results are drawn.
    pub(crate) bars: Bars,
    /// Which number of a result its chart shows.
    measure: usize,
    pivot: Option<Pivot>,
    /// Whose result the chart is of.
    pivot_of: Option<Uuid>,
    /// The browser of the selected query's state.
    pub(crate) keys: Keys,
    /// The SQL screen.
    pub(crate) sql: Sql,
    /// The catalog screen.
    pub(crate) catalog: Catalog,
    /// What the log screen shows.
    pub(crate) log_filter: LogFilter,
    selected: Option<Uuid>,
    live: Picture,
    frozen: Option<Picture>,
    size: Rect,
    clock: Arc<dyn Clock>,
    depth: ColorDepth,
    theme_folders: Vec<PathBuf>,
    /// The theme's file has a mistake; the colours are those before it.
    theme_is_broken: bool,
    /// Nothing that changes queries or checkpoints is done.
    pub(crate) is_read_only: bool,
    /// The tour, while it lasts.
    pub(crate) tour: Option<Tour>,
    commands: Vec<String>,
    effects: Vec<Effect>,
    last_click: Option<(Uuid, i64)>,
    last_cell_click: Option<i64>,
    quitting: bool,
    dirty: bool,
}

impl App {
    /// A workbench that has not seen the engine yet.
    ///
    /// # Errors
    ///
    /// A theme that cannot be loaded.
    pub(crate) fn try_new(setup: Setup) -> Result<Self> {
        let theme = Theme::load(&setup.theme, &setup.theme_folders, setup.depth)?;
        let symbols = if setup.ascii {
            &Symbols::ASCII
        } else {
            &Symbols::UNICODE
        };
        Ok(Self {
            title: setup.title,
            theme,
            symbols,
            keymap: Keymap::with(&setup.bindings)?,
            screen: Screen::Queries,
            focus: Pane::Queries,
            maximised: false,
            mode: Mode::Normal,
            filter: String::new(),
            sort: Sort::default(),
            rows: Vec::new(),
            first_row: 0,
            notice: None,
            frame: FrameStats::default(),
            marked: HashSet::new(),
            zoom: 0,
            past: None,
            splits: setup.splits,
            dragged: None,
            docs: HashMap::new(),
            scrolls: HashMap::new(),
            grids: HashMap::new(),
            change_log: ChangeLog::default(),
            view: View::default(),
            bars: Bars::default(),
            measure: 0,
            pivot: None,
            pivot_of: None,
            keys: Keys::default(),
            sql: Sql::default(),
            catalog: Catalog::default(),
            log_filter: LogFilter::default(),
            selected: None,
            live: Picture::default(),
            frozen: None,
            size: Rect::new(0, 0, 80, 24),
            clock: setup.clock,
            depth: setup.depth,
            theme_folders: setup.theme_folders,
            theme_is_broken: false,
            is_read_only: setup.is_read_only,
            tour: setup.is_tour.then(Tour::default),
            commands: Vec::new(),
            effects: Vec::new(),
            last_click: None,
            last_cell_click: None,
            quitting: false,
            dirty: true,
        })
    }

    /// What is shown of the engine.
    pub(crate) fn picture(&self) -> &Picture {
        self.frozen.as_ref().unwrap_or(&self.live)
    }

    /// Whether the picture stands still.
    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    /// Whether the queries are being stopped to leave.
    pub(crate) fn is_quitting(&self) -> bool {
        self.quitting
    }

    /// The selected query as it is now: what actions act on.
    pub(crate) fn selected_query(&self) -> Option<&Arc<QuerySnapshot>> {
        self.live.query(self.selected?)
    }

    /// The selected query as the picture has it, at the batch that is shown.
    pub(crate) fn shown_query(&self) -> Option<&Arc<QuerySnapshot>> {
        match self.past() {
            Some(past) => Some(&past.query),
            None => self.picture_query(),
        }
    }

    /// The selected query as the picture has it, at its newest batch.
    fn picture_query(&self) -> Option<&Arc<QuerySnapshot>> {
        self.picture().query(self.selected?)
    }

    /// The queries as they are now that actions act on: those that are marked, or the selected one.
    pub(crate) fn targets(&self) -> Vec<&Arc<QuerySnapshot>> {
        let all = &self.live.snapshot.queries;
        if self.screen == Screen::Queries && !self.marked.is_empty() {
            return all
                .iter()
                .filter(|query| self.marked.contains(&query.id))
                .collect();
        }
        self.selected_query().into_iter().collect()
    }

    /// The moment that the picture of the selected query is of.
    pub(crate) fn moment_ms(&self) -> i64 {
        self.past().map_or(self.picture().now_ms, |past| past.at_ms)
    }

    /// How many seconds a cell of a chart stands for.
    pub(crate) fn cell_seconds(&self) -> usize {
        CELL_SECONDS[self.zoom]
    }

    /// Shows more time, or less.
    fn zoom(&mut self, by: isize) {
        self.zoom = self.zoom.saturating_add_signed(by).min(CELL_SECONDS.len() - 1);
    }

    /// Whether a query is the selected one.
    pub(crate) fn is_selected(&self, query: &QuerySnapshot) -> bool {
        self.selected == Some(query.id)
    }

    /// What is remembered of a query.
    pub(crate) fn history(&self, query: &QuerySnapshot) -> Arc<History> {
        match self.past() {
            Some(past) if past.query.id == query.id => Arc::clone(&past.history),
            _ => self.picture().histories.of(query.id),
        }
    }

    /// The selected query's result on the screen.
    pub(crate) fn grid(&self) -> Option<&Grid> {
        self.grids.get(&self.selected?)
    }

    /// The text of a pane, with the first line and column in sight.
    pub(crate) fn doc(&self, pane: Pane) -> Option<(&Doc, (usize, usize))> {
        Some((
            self.docs.get(&pane)?,
            self.scrolls.get(&pane).copied().unwrap_or_default(),
        ))
    }

    /// The size of the screen.
    pub(crate) fn size(&self) -> Rect {
        self.size
    }

    /// What is where.
    pub(crate) fn layout(&self) -> Layout {
        self.layout_when(self.maximised)
    }

    fn layout_when(&self, maximised: bool) -> Layout {
        let queries = self.picture().snapshot.queries.len();
        let wanted = Wanted {
            screen: self.screen,
            focus: self.focus,
            maximised,
            queries,
            waits: self
                .shown_query()
                .and_then(|query| query.event_time.as_ref())
                .is_some_and(|facts| facts.waiting.is_some()),
            answers: self.has_answer(),
            splits: &self.splits,
        };
        Layout::of(self.size, wanted)
    }

    /// Whether colours can tell things apart.
    pub(crate) fn has_colours(&self) -> bool {
        self.depth != ColorDepth::Mono
    }

    /// The themes that there are.
    pub(crate) fn theme_names(&self) -> Vec<String> {
        Theme::names(&self.theme_folders)
    }

    /// Whether the picture has to be drawn, which is forgotten by asking.
    pub(crate) fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.dirty)
    }

    /// When the picture changes by itself next: a mark fades, a notice goes, a relative time moves on.
    pub(crate) fn next_wake_ms(&self) -> Option<i64> {
        let now_ms = self.clock.now_ms();
        let notice = self
            .notice
            .as_ref()
            .filter(|notice| !notice.is_error)
            .map(|notice| notice.until_ms);
        let check = (self.screen == Screen::Sql && !self.sql.is_running())
            .then(|| self.sql.check.due_ms())
            .flatten();
        if self.is_frozen() {
            return [notice, check].into_iter().flatten().min();
        }
        let active = self
            .live
            .snapshot
            .queries
            .iter()
            .any(|query| query.state.is_active());
        let tick = active.then(|| now_ms - now_ms.rem_euclid(1000) + 1000);
        let grid = self.layout().pane(Pane::Result).and(self.grid());
        let fade = grid.and_then(|grid| grid.next_change_ms(now_ms));
        let tour = self.tour.and_then(|tour| tour.next_at_ms());
        [notice, check, tick, fade, tour].into_iter().flatten().min()
    }

    /// The row of the selected query.
    pub(crate) fn selected_row(&self) -> Option<usize> {
        self.rows.iter().position(|query| Some(query.id) == self.selected)
    }

    fn select(&mut self, query: Option<Uuid>) {
        if self.selected != query {
            self.selected = query;
            self.scrolls.clear();
            self.past = None;
            self.keys = Keys::default();
        }
    }

    /// Keeps the picture as it is, or lets it go on.
    fn turn_freeze(&mut self) {
        if self.frozen.take().is_some() {
            return;
        }
        let mut picture = self.live.clone();
        picture.now_ms = self.clock.now_ms();
        for query in &picture.snapshot.queries {
            let Some(table) = &query.result else { continue };
            let offset = self.grids.get(&query.id).map_or(usize::MAX, |grid| grid.offset);
            let limit = if Some(query.id) == self.selected {
                KEPT_ROWS.0
            } else {
                KEPT_ROWS.1
            };
            match KeptRows::keep(table.as_ref(), offset, limit) {
                Ok(kept) => drop(picture.kept.insert(query.id, Arc::new(kept))),
                Err(error) => self.notice = Some(Notice::error(&error, None)),
            }
        }
        self.frozen = Some(picture);
    }

    fn say(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice {
            text: text.into(),
            is_error: false,
            until_ms: self.clock.now_ms() + Notice::STAYS_MS,
        });
    }
}

impl Notice {
    const STAYS_MS: i64 = 6_000;

    /// An error with the place that it names, causes and hint.
    fn error(error: &crate::error::Error, origin: Option<&Path>) -> Self {
        let mut place = origin.map_or(String::new(), |origin| origin.display().to_string());
        if let Some(position) = error.position() {
            let comma = if place.is_empty() { "" } else { ", " };
            place = format!("{place}{comma}{position}");
        }
        let report = error.report();
        let text = if place.is_empty() {
            report
        } else {
            format!("{place}: {report}")
        };
        Self {
            text,
            is_error: true,
            until_ms: i64::MAX,
        }
    }
}

#[cfg(test)]
mod settings_tests;
#[cfg(test)]
mod tests;
