//! The SQL screen: a text that is edited, what the engine says of it, and the rows that it gave.
//!
//! The text is ratatui-textarea's, which knows lines, the cursor, selection and undo; how it looks is the view's. While
//! one types nothing happens but the text; a moment later the engine is asked to check it, once, and its answer is shown
//! if the text is still the same. So no key ever waits for a plan.
//!
//! # Layout
//!
//! - `keys`: what keys and the mouse do in the text
//! - `complete`: words for what is being typed
//! - `check`: what the engine says of the text before it is run
//! - `run`: running it, its rows, what was run before

mod check;
mod complete;
mod keys;
mod run;

use std::sync::Arc;

use ratatui::layout::Rect;
use ratatui_textarea::{CursorMove, TextArea};

pub(crate) use self::check::{Check, Finding};
pub(crate) use self::complete::{Completions, Offer};
pub(crate) use self::run::Answer;

use self::run::Running;
use super::{App, Effect, Pane};
use crate::engine::{Command, Words};
use crate::sql::highlight::{Piece, PieceKind, pieces};
use crate::tui::layout;
use crate::tui::text;
use crate::tui::units::to_u16;

/// Blanks for a tab, which has no width of its own on a screen of cells.
const TAB: &str = "  ";

/// What the SQL screen knows.
#[derive(Debug, Default)]
pub(crate) struct Sql {
    text: TextArea<'static>,
    /// Grows with every change of the text.
    version: u64,
    /// The text cut into pieces of one look each, and its version.
    pieces: Vec<Piece>,
    cut_version: u64,
    /// The first line and the first cell in sight.
    pub(crate) scroll: (usize, usize),
    pub(crate) completions: Option<Completions>,
    pub(crate) check: Check,
    words: Option<Arc<Words>>,
    asked_for_words: bool,
    running: Option<Running>,
    pub(crate) answer: Option<Answer>,
    /// Texts that were run, oldest first.
    history: Vec<String>,
    /// How many texts back the history stands, and what was in the editor before.
    back: usize,
    draft: String,
}

impl Sql {
    /// The lines of the text.
    pub(crate) fn lines(&self) -> &[String] {
        self.text.lines()
    }

    /// Line and column of the cursor, from 0, in characters.
    pub(crate) fn cursor(&self) -> (usize, usize) {
        let cursor = self.text.cursor();
        (cursor.0, cursor.1)
    }

    /// What is selected, from its start up to its end.
    pub(crate) fn selection(&self) -> Option<((usize, usize), (usize, usize))> {
        self.text.selection_range().filter(|(start, end)| start != end)
    }

    /// The whole text.
    pub(crate) fn whole(&self) -> String {
        self.text.lines().join("\n")
    }

    /// Whether there is nothing but blanks.
    pub(crate) fn is_blank(&self) -> bool {
        self.text.lines().iter().all(|line| line.trim().is_empty())
    }

    /// The pieces of the text.
    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Whether a text is being run.
    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Puts another text in, with the cursor at its end.
    fn replace(&mut self, text: &str) {
        // In one step, so that one undo takes it back.
        self.text.select_all();
        self.text.insert_str(clean(text));
        self.text.cancel_selection();
        self.completions = None;
    }

    /// What stands between two places of the text.
    fn part(&self, from: (usize, usize), to: (usize, usize)) -> String {
        let mut part = String::new();
        for (at, line) in self.text.lines().iter().enumerate().take(to.0 + 1).skip(from.0) {
            let start = if at == from.0 { from.1 } else { 0 };
            let end = if at == to.0 { to.1 } else { usize::MAX };
            if at > from.0 {
                part.push('\n');
            }
            part.extend(line.chars().take(end).skip(start));
        }
        part
    }

    /// Where the statement that the cursor is in begins and ends, its semicolon included.
    fn statement(&self) -> ((usize, usize), (usize, usize)) {
        let cursor = self.cursor();
        let last = self.text.lines().len().saturating_sub(1);
        let end_of_text = (last, self.text.lines()[last].chars().count());
        let mut start = (0, 0);
        for piece in self.pieces.iter().filter(|piece| piece.kind == PieceKind::End) {
            let end = (piece.line, piece.columns.end);
            // Right behind its semicolon the cursor is still in a statement.
            if cursor <= end {
                return (start, end);
            }
            start = end;
        }
        let rest_is_blank = self.part(start, end_of_text).trim().is_empty();
        let before = self
            .pieces
            .iter()
            .rev()
            .filter(|piece| piece.kind == PieceKind::End)
            .nth(1);
        if rest_is_blank && start != (0, 0) {
            let begin = before.map_or((0, 0), |piece| (piece.line, piece.columns.end));
            return (begin, start);
        }
        (start, end_of_text)
    }

    fn cut(&mut self) {
        if self.cut_version != self.version || self.pieces.is_empty() {
            self.pieces = pieces(&self.whole());
            self.cut_version = self.version;
        }
    }

    /// Moves what is in sight so that the cursor is.
    fn follow_cursor(&mut self, width: usize, height: usize) {
        let (line, column) = self.cursor();
        let lowest = (line + 1).saturating_sub(height.max(1));
        self.scroll.0 = self.scroll.0.clamp(lowest, line.max(lowest));
        let cell = cells_before(&self.text.lines()[line], column);
        let leftmost = (cell + 1).saturating_sub(width.max(1));
        self.scroll.1 = self.scroll.1.clamp(leftmost, cell.max(leftmost));
    }

    /// Cells of the column of line numbers.
    pub(crate) fn gutter(&self) -> u16 {
        to_u16(self.text.lines().len().max(10).to_string().len() + 2)
    }

    /// Puts the cursor at a place, counted from 0; the nearest one that there is.
    fn jump(&mut self, line: usize, column: usize) {
        self.text.cancel_selection();
        self.text
            .move_cursor(CursorMove::Jump(to_u16(line), to_u16(column)));
    }
}

/// Cells that the first characters of a line take.
pub(crate) fn cells_before(line: &str, column: usize) -> usize {
    let end = line.char_indices().nth(column).map_or(line.len(), |(at, _)| at);
    text::width(&line[..end])
}

/// Text as the editor takes it: tabs are blanks, and other characters that steer a terminal are left out.
fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\t', TAB);
    text.chars()
        .filter(|one| *one == '\n' || !one.is_control())
        .collect()
}

impl App {
    /// Whether the keyboard is in the text.
    pub(crate) fn is_in_editor(&self) -> bool {
        self.focus == Pane::Editor
    }

    /// Whether the keyboard is in the rows that a text gave.
    pub(crate) fn is_in_answer(&self) -> bool {
        self.focus == Pane::Answer && self.sql.answer.is_some()
    }

    /// Asks for what completion needs, once.
    pub(super) fn ask_for_words(&mut self) {
        if !self.sql.asked_for_words {
            self.sql.asked_for_words = true;
            self.effects.push(Effect::Execute(Command::Words));
        }
    }

    /// Takes the words of the language.
    pub(super) fn words_answered(&mut self, words: Option<Arc<Words>>) {
        self.sql.asked_for_words = words.is_some();
        self.sql.words = words;
    }

    /// Opens the editor with a text in it; what was in it before is kept in its history.
    pub(super) fn edit(&mut self, text: &str) {
        let before = self.sql.whole();
        self.sql.keep(&before);
        self.sql.replace(text);
        self.text_changed();
        self.go(super::Screen::Sql);
    }

    /// After each change of the text: a check is due a moment later.
    fn text_changed(&mut self) {
        self.sql.version += 1;
        self.sql.cut();
        self.plan_check();
    }

    /// Brings the text and the rows up to date for their parts of the screen.
    pub(super) fn load_sql(&mut self, layout: &layout::Layout) {
        if let Some(area) = layout.pane(Pane::Editor) {
            self.sql.cut();
            let inner = editor_area(area, self.sql.gutter());
            self.sql
                .follow_cursor(usize::from(inner.width), usize::from(inner.height));
        }
        if let Some(area) = layout.pane(Pane::Answer) {
            let now_ms = self.clock.now_ms();
            let viewport = layout::grid_viewport(layout::inside(area));
            if let Some(answer) = &mut self.sql.answer {
                answer.grid.load(&answer.rows, viewport, now_ms, self.symbols);
            }
        }
    }
}

/// The part of the editor's pane that has the text: without frame and line numbers.
pub(crate) fn editor_area(area: Rect, gutter: u16) -> Rect {
    let inside = Rect {
        x: area.x.saturating_add(1),
        y: area.y.saturating_add(1),
        width: area.width.saturating_sub(3),
        height: area.height.saturating_sub(2),
    };
    let gutter = gutter.min(inside.width);
    Rect {
        x: inside.x + gutter,
        width: inside.width - gutter,
        ..inside
    }
}

#[cfg(test)]
mod tests;
