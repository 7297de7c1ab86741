//! Running a text: its rows, and what was run before.

use std::path::Path;
use std::sync::Arc;

use arrow::compute::concat_batches;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{App, Finding, Sql};
use crate::engine::command::RowSender;
use crate::engine::snapshot::ErrorReport;
use crate::engine::{Command, Reply, Rows as EngineRows};
use crate::error::{Error, Result};
use crate::tui::app::grid::Grid;
use crate::tui::app::rows::{KeptRows, Rows};
use crate::tui::app::{Effect, Notice, Pane};
use crate::tui::units::plural;

/// How many texts that were run are remembered.
const KEPT_TEXTS: usize = 50;
/// A pipeline's file is not larger.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// A text that is being run.
#[derive(Debug)]
pub(super) struct Running {
    sender: RowSender,
    rows: UnboundedReceiver<EngineRows>,
    version: u64,
    /// Statements that have given rows so far.
    num_results: usize,
}

/// The rows that a text gave: those of its last statement that has some.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) rows: Rows,
    pub(crate) grid: Grid,
    /// Which of how many statements with rows it is from.
    pub(crate) number: usize,
}

impl Sql {
    /// Remembers a text.
    pub(super) fn keep(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        self.history.retain(|known| known != text);
        self.history.push(text.to_string());
        let surplus = self.history.len().saturating_sub(KEPT_TEXTS);
        self.history.drain(..surplus);
        self.back = 0;
    }

    /// The text that is to be run: what is selected, or the one statement, or all. Lines before it are empty, so that
    /// places in it are places in the editor.
    fn wanted(&self, one_statement: bool) -> String {
        let (start, end) = match self.selection() {
            Some(selection) => selection,
            None if one_statement => self.statement(),
            None => return self.whole(),
        };
        format!(
            "{}{}{}",
            "\n".repeat(start.0),
            " ".repeat(start.1),
            self.part(start, end)
        )
    }
}

impl App {
    /// Runs the text, or the statement that the cursor is in.
    pub(in crate::tui::app) fn run_text(&mut self, one_statement: bool) {
        let sql = self.sql.wanted(one_statement);
        if sql.trim().is_empty() {
            return self.say("there is nothing to run: write a statement");
        }
        self.sql.completions = None;
        let whole = self.sql.whole();
        self.sql.keep(&whole);
        let (sender, rows) = unbounded_channel();
        let sender = RowSender(sender);
        let command = Command::Run {
            sql,
            origin: None,
            rows: Some(sender.clone()),
        };
        // What a read-only workbench refuses is not waited for.
        if !self.is_read_only || !command.changes_something() {
            self.sql.running = Some(Running {
                sender,
                rows,
                version: self.sql.version,
                num_results: 0,
            });
            self.say("running ...");
        }
        self.effects.push(Effect::Execute(command));
    }

    /// Takes the rows that have come so far.
    pub(in crate::tui::app) fn take_rows(&mut self) {
        let Some(running) = &mut self.sql.running else {
            return;
        };
        let mut newest = None;
        while let Ok(rows) = running.rows.try_recv() {
            running.num_results += 1;
            newest = Some(rows);
        }
        let number = running.num_results;
        let Some(rows) = newest else { return };
        match Answer::of(&rows, number) {
            Ok(answer) => self.sql.answer = Some(answer),
            Err(error) => self.fail(&error),
        }
    }

    /// Whether a reply is that of the text that is being run, which it ends then.
    pub(in crate::tui::app) fn run_ended(&mut self, sender: &RowSender, result: &Result<Reply>) -> bool {
        let is_ours = |running: &Running| running.sender == *sender;
        if !self.sql.running.as_ref().is_some_and(is_ours) {
            return false;
        }
        self.take_rows();
        let Some(running) = self.sql.running.take() else {
            return false;
        };
        match result {
            Ok(_) => {
                if running.num_results == 0 {
                    self.sql.answer = None;
                    if self.focus == Pane::Answer {
                        self.focus = Pane::Editor;
                    }
                }
                let words = self.sql.answer.as_ref().map_or("done".to_string(), |answer| {
                    plural(answer.rows.reach().1, "row", "rows")
                });
                self.say(format!("ran the text: {words}"));
                let finding = Finding::Ran(words, self.clock.now_ms());
                self.sql.check.settle(running.version, finding);
            }
            Err(error) => {
                self.notice = None;
                let report = ErrorReport::from(error);
                if let Some(at) = report.position.filter(|_| running.version == self.sql.version) {
                    let place = |number: u64| usize::try_from(number.saturating_sub(1)).unwrap_or(0);
                    self.sql.jump(place(at.line), place(at.column));
                } else {
                    self.notice = Some(Notice::error(error, None));
                }
                self.sql.check.settle(running.version, Finding::Wrong(report));
            }
        }
        true
    }

    /// Puts a text into the editor that was run earlier, or later again.
    pub(in crate::tui::app) fn turn_history(&mut self, by: isize) {
        let back = self.sql.back.saturating_add_signed(by);
        if back > self.sql.history.len() {
            return self.say("nothing was run before that");
        }
        if self.sql.back == 0 {
            self.sql.draft = self.sql.whole();
        }
        // What is in the editor already is not shown once more.
        let newest = self.sql.history.last() == Some(&self.sql.whole());
        let back = if newest && self.sql.back == 0 && back == 1 && self.sql.history.len() > 1 {
            2
        } else {
            back
        };
        let text = match back {
            0 => self.sql.draft.clone(),
            back => self.sql.history[self.sql.history.len() - back].clone(),
        };
        self.sql.replace(&text);
        self.sql.back = back;
        self.text_changed();
    }

    /// Opens a pipeline's file in the editor.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub(in crate::tui::app) fn edit_file(&mut self, path: &str) -> Result<()> {
        let unreadable = |error: std::io::Error| {
            Error::statement(format!("file {path:?} cannot be read"))
                .caused_by(error)
                .hint("Name a file of statements, in UTF-8.")
        };
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > MAX_FILE_BYTES {
            return Err(
                Error::statement(format!("file {path:?} is too large for the editor"))
                    .hint("Run it as it is: run FILE."),
            );
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        self.edit(&text);
        self.sql.jump(0, 0);
        let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy();
        self.say(format!("{name} is in the editor; what you change stays here"));
        Ok(())
    }

    /// Whether the keyboard can go to rows that a text gave.
    pub(crate) fn has_answer(&self) -> bool {
        self.sql.answer.is_some()
    }

    /// Runs a pipeline's file.
    pub(in crate::tui::app) fn run_file(&mut self, path: &str) {
        self.say(format!("running {path} ..."));
        self.effects.push(Effect::Execute(Command::Open(path.into())));
    }

    /// Orders the rows of an answer by a column, the cursor's if none is named.
    pub(in crate::tui::app) fn sort_answer(&mut self, column: Option<usize>) {
        let Some(answer) = &mut self.sql.answer else {
            return;
        };
        let column = column.unwrap_or(answer.grid.cursor.1);
        if let Some(field) = answer.rows.schema().fields().get(column) {
            answer.grid.sort_by(column, field.data_type().is_numeric());
        }
    }

    /// Turns the order of the rows of an answer round.
    pub(in crate::tui::app) fn reverse_answer(&mut self) {
        let sort = self
            .sql
            .answer
            .as_mut()
            .and_then(|answer| answer.grid.sort.as_mut());
        if let Some(sort) = sort {
            sort.descending = !sort.descending;
        }
    }
}

impl Answer {
    fn of(rows: &EngineRows, number: usize) -> Result<Self> {
        let all = concat_batches(&rows.schema, &rows.batches)?;
        let count = all.num_rows();
        let kept = KeptRows::part(all, 0, count, number as u64);
        let mut grid = Grid::default();
        grid.top();
        Ok(Self {
            rows: Rows::Kept(Arc::new(kept)),
            grid,
            number,
        })
    }
}
