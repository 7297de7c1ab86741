//! What the engine says of a text before it is run.

use super::App;
use crate::engine::Command;
use crate::engine::command::CheckedQuery;
use crate::engine::snapshot::ErrorReport;
use crate::error::Error;
use crate::tui::app::{Effect, Screen};

/// A text is checked when nobody has typed for so long.
const PAUSE_MS: i64 = 250;

/// The check of the text in the editor.
#[derive(Debug, Default)]
pub(crate) struct Check {
    /// When the engine is to be asked.
    due_ms: Option<i64>,
    /// The version of the text that the engine is being asked about.
    asked: Option<u64>,
    /// What is known of which version.
    found: Option<(u64, Finding)>,
}

/// What is known of a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Finding {
    /// It can be run; these are the queries that it makes.
    Right(Vec<CheckedQuery>),
    /// It cannot, or its run failed.
    Wrong(ErrorReport),
    /// It was run, with this sentence on it, at this time.
    Ran(String, i64),
}

impl Check {
    /// When the engine is to be asked, unless a question is on its way.
    pub(crate) fn due_ms(&self) -> Option<i64> {
        self.due_ms.filter(|_| self.asked.is_none())
    }

    /// What is known, and whether that is of the text as it is now.
    pub(crate) fn found(&self, version: u64) -> Option<(&Finding, bool)> {
        let (of, finding) = self.found.as_ref()?;
        Some((finding, *of == version))
    }

    /// Takes note of what became of a run.
    pub(super) fn settle(&mut self, version: u64, finding: Finding) {
        self.found = Some((version, finding));
        self.due_ms = None;
    }
}

impl super::Sql {
    /// What is known of the text, and whether it is of the text as it is now.
    pub(crate) fn finding(&self) -> Option<(&Finding, bool)> {
        self.check.found(self.version)
    }

    /// Where the text as it is now is wrong: line and column from 0.
    pub(crate) fn mistake(&self) -> Option<(usize, usize)> {
        let (Finding::Wrong(report), true) = self.finding()? else {
            return None;
        };
        let place = |number: u64| usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
        let at = report.position?;
        Some((place(at.line), place(at.column)))
    }
}

impl App {
    /// The text has changed: it is checked when nobody has typed for a moment.
    pub(super) fn plan_check(&mut self) {
        let is_blank = self.sql.is_blank();
        if is_blank {
            self.sql.check.found = None;
        }
        self.sql.check.due_ms = (!is_blank).then(|| self.clock.now_ms() + PAUSE_MS);
    }

    /// Asks the engine to check the text, if it is time to.
    pub(in crate::tui::app) fn ask_for_check(&mut self) {
        let is_due = self
            .sql
            .check
            .due_ms()
            .is_some_and(|at| at <= self.clock.now_ms());
        if self.screen != Screen::Sql || !is_due || self.sql.is_running() {
            return;
        }
        self.sql.check.due_ms = None;
        self.sql.check.asked = Some(self.sql.version);
        self.effects.push(Effect::Execute(Command::Check {
            sql: self.sql.whole(),
            origin: None,
        }));
    }

    /// Takes the engine's answer to a check.
    pub(in crate::tui::app) fn check_answered(&mut self, answer: Result<Vec<CheckedQuery>, Error>) {
        let Some(version) = self.sql.check.asked.take() else {
            return;
        };
        let finding = match answer {
            Ok(queries) => Finding::Right(queries),
            Err(error) => Finding::Wrong(ErrorReport::from(&error)),
        };
        // A run that ended meanwhile knows more.
        if !matches!(self.sql.check.found, Some((known, _)) if known == version) {
            self.sql.check.found = Some((version, finding));
        }
    }
}
