//! Keys while something is typed, asked or shown above the screen.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::command_line::CommandLine;
use super::input::Input;
use super::{App, Effect, Pane, Record, Screen};
use crate::engine::Command;
use crate::tui::action::ActionId;
use crate::tui::keymap::Key;

/// Who gets the keys.
#[derive(Debug, Default)]
pub(crate) enum Mode {
    /// The screen, by the table of actions.
    #[default]
    Normal,
    /// The filter, with what it was before.
    Filter(Input, String),
    /// The command line.
    Command(CommandLine),
    /// A question.
    Confirm(Confirm),
    /// The help, from this line on.
    Help(usize),
    /// A row of a result, value by value.
    Record(Record),
    /// The list of themes: the names, the one shown, and the one that was there before.
    Themes(Vec<String>, usize, String),
}

/// A question before something that cannot be taken back lightly.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Confirm {
    pub(crate) question: String,
    /// What it means.
    pub(crate) detail: String,
    /// The word for yes and the word for no.
    pub(crate) words: (&'static str, &'static str),
    pub(crate) then: Then,
}

/// What a yes does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Then {
    Execute(Vec<Command>),
    /// Another question.
    Ask(Box<Confirm>),
    Quit,
}

impl App {
    pub(super) fn key(&mut self, key: KeyEvent) {
        self.leave_tour();
        // Whatever the screen shows, Ctrl-C leads out: first out of what is open, then out of the workbench.
        let is_interrupt = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
        if self.quitting {
            if is_interrupt || key.code == KeyCode::Char('q') {
                self.effects.push(Effect::Exit);
            }
            return;
        }
        let had_error = self.notice.take_if(|notice| notice.is_error).is_some();
        match std::mem::take(&mut self.mode) {
            Mode::Normal if had_error && key.code == KeyCode::Esc => {}
            Mode::Normal => self.key_on_screen(key),
            mode if is_interrupt => self.cancel(mode),
            Mode::Filter(input, before) => self.key_in_filter(input, before, key),
            Mode::Command(line) => self.key_in_command_line(line, key),
            Mode::Confirm(confirm) => self.key_in_question(confirm, key.code),
            Mode::Help(first) => self.key_in_help(first, key),
            Mode::Record(record) => self.key_in_record(record, key),
            Mode::Themes(names, at, before) => self.key_in_themes(names, at, before, key),
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        match &mut self.mode {
            Mode::Filter(input, _) => {
                input.insert(text);
                let text = input.text().to_string();
                self.set_filter(text);
            }
            Mode::Command(line) => {
                line.paste(text);
                self.find_completions();
            }
            Mode::Normal if self.focus == Pane::Editor => self.paste_into_editor(text),
            _ => {}
        }
    }

    fn key_on_screen(&mut self, key: KeyEvent) {
        if self.is_in_editor() {
            return self.key_in_editor(key);
        }
        let actions = self.keymap.actions(Key::of(key)).to_vec();
        self.perform_first(&actions);
    }

    /// Leaves a mode as if it had not been entered.
    fn cancel(&mut self, mode: Mode) {
        match mode {
            Mode::Filter(_, before) => self.set_filter(before),
            Mode::Themes(_, _, before) => self.take_theme(&before),
            _ => {}
        }
    }

    /// What is filtered by: of the state or the result, if it has the keyboard, or else of the table of queries.
    pub(super) fn filter_text(&self) -> &str {
        if let Some(answer) = self.sql.answer.as_ref().filter(|_| self.is_in_answer()) {
            return &answer.grid.filter;
        }
        match self.grid() {
            _ if self.is_in_keys() => &self.keys.find,
            _ if self.screen == Screen::Catalog => &self.catalog.filter,
            _ if self.screen == Screen::Log => &self.log_filter.words,
            Some(grid) if self.is_in_result() => &grid.filter,
            _ => &self.filter,
        }
    }

    pub(super) fn set_filter(&mut self, text: String) {
        if self.is_in_keys() {
            return self.find_keys(text);
        }
        match self.screen {
            Screen::Catalog => return self.catalog.filter = text,
            Screen::Log => return self.log_filter.words = text,
            _ => {}
        }
        if let Some(answer) = self.sql.answer.as_mut().filter(|_| self.focus == Pane::Answer) {
            answer.grid.filter = text;
            return;
        }
        let in_result = self.is_in_result();
        match self.grid_mut() {
            Some(grid) if in_result => grid.filter = text,
            _ => self.filter = text,
        }
    }

    fn key_in_record(&mut self, mut record: Record, key: KeyEvent) {
        let page = isize::from(i16::try_from(self.size.height / 2).unwrap_or(1)).max(1);
        let columns = record.values.len();
        match key.code {
            KeyCode::Down | KeyCode::Char('j') => record.scroll += 1,
            KeyCode::Up | KeyCode::Char('k') => record.scroll -= 1,
            KeyCode::PageDown | KeyCode::Char(' ') => record.scroll += page,
            KeyCode::PageUp => record.scroll -= page,
            KeyCode::Tab | KeyCode::Right | KeyCode::Char('l') => {
                record.column = (record.column + 1) % columns.max(1);
                record.scroll = 0;
            }
            KeyCode::BackTab | KeyCode::Left | KeyCode::Char('h') => {
                record.column = (record.column + columns.max(1) - 1) % columns.max(1);
                record.scroll = 0;
            }
            KeyCode::Char('y') => {
                if let Some((_, value)) = record.values.get(record.column) {
                    self.say(format!("copied the cell: {} bytes", value.len()));
                    self.effects.push(Effect::Copy(value.clone()));
                }
            }
            KeyCode::Char('Y') => self.copy(true),
            _ => return,
        }
        self.mode = Mode::Record(record);
    }

    fn key_in_filter(&mut self, mut input: Input, before: String, key: KeyEvent) {
        match key.code {
            KeyCode::Enter => return,
            KeyCode::Esc => return self.set_filter(before),
            KeyCode::Up => self.perform(ActionId::Up),
            KeyCode::Down => self.perform(ActionId::Down),
            KeyCode::Backspace if input.text().is_empty() => return,
            _ => {
                input.key(key);
                self.set_filter(input.text().to_string());
            }
        }
        self.mode = Mode::Filter(input, before);
    }

    fn key_in_question(&mut self, confirm: Confirm, code: KeyCode) {
        match code {
            KeyCode::Char('y' | 'Y') => match confirm.then {
                Then::Execute(commands) => {
                    for command in commands {
                        self.execute(command);
                    }
                }
                Then::Ask(next) => self.mode = Mode::Confirm(*next),
                Then::Quit => self.quit(),
            },
            KeyCode::Char('n' | 'N' | 'q') | KeyCode::Esc | KeyCode::Enter => {}
            _ => self.mode = Mode::Confirm(confirm),
        }
    }

    fn key_in_help(&mut self, first: usize, key: KeyEvent) {
        let page = usize::from(self.size.height / 2).max(1);
        self.mode = match key.code {
            KeyCode::Down | KeyCode::Char('j') => Mode::Help(first + 1),
            KeyCode::Up | KeyCode::Char('k') => Mode::Help(first.saturating_sub(1)),
            KeyCode::PageDown | KeyCode::Char(' ') => Mode::Help(first + page),
            KeyCode::PageUp => Mode::Help(first.saturating_sub(page)),
            KeyCode::Home | KeyCode::Char('g') => Mode::Help(0),
            _ => Mode::Normal,
        };
    }
}
