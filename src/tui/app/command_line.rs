//! The `:` line: the words of the action table, completed as they are typed.

use crossterm::event::{KeyCode, KeyEvent};

use super::input::Input;
use super::queries::{Column, Sort};
use super::{App, Mode, Screen};
use crate::engine::Command;
use crate::error::Error;
use crate::tui::action::{ACTIONS, Action, ActionId, Argument, When};
use crate::tui::fuzzy;

/// How many earlier lines are remembered.
const KEPT_LINES: usize = 50;
/// No more files of a folder are looked at.
const MAX_FILES: usize = 5_000;

/// A command that is being typed.
#[derive(Debug, Default)]
pub(crate) struct CommandLine {
    pub(crate) input: Input,
    /// What could stand there, the best first.
    pub(crate) found: Vec<Completion>,
    /// Which of them Tab has put in.
    pub(crate) chosen: Option<usize>,
    /// How many lines back the history stands; 0 is the new line.
    back: usize,
}

/// A line that could be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Completion {
    /// The line.
    line: String,
    /// The part of it that is shown.
    pub(crate) shown: String,
    /// What it does.
    pub(crate) help: String,
}

impl CommandLine {
    pub(super) fn paste(&mut self, text: &str) {
        self.input.insert(text);
    }
}

impl App {
    /// Opens the command line with some text.
    pub(super) fn open_command_line(&mut self, text: &str) {
        self.mode = Mode::Command(CommandLine {
            input: Input::new(text),
            ..CommandLine::default()
        });
        self.find_completions();
    }

    /// Brings the completions of the open command line up to date: after each change of its text, for they may be
    /// files.
    pub(super) fn find_completions(&mut self) {
        if let Mode::Command(line) = &self.mode {
            let found = self.completions(line.input.text());
            if let Mode::Command(line) = &mut self.mode {
                line.found = found;
                line.chosen = None;
            }
        }
    }

    pub(super) fn key_in_command_line(&mut self, mut line: CommandLine, key: KeyEvent) {
        match key.code {
            KeyCode::Esc => return,
            KeyCode::Backspace if line.input.text().is_empty() => return,
            KeyCode::Enter => {
                let text = line.input.text().trim().to_string();
                if !text.is_empty() {
                    self.commands.retain(|known| *known != text);
                    self.commands.push(text.clone());
                    let surplus = self.commands.len().saturating_sub(KEPT_LINES);
                    self.commands.drain(..surplus);
                    self.run_line(&text);
                }
                return;
            }
            KeyCode::Tab => return self.try_completion(line, 1),
            KeyCode::BackTab => return self.try_completion(line, usize::MAX),
            KeyCode::Up | KeyCode::Down => {
                let back = if key.code == KeyCode::Up {
                    line.back + 1
                } else {
                    line.back.saturating_sub(1)
                };
                if back <= self.commands.len() {
                    let text = if back == 0 {
                        ""
                    } else {
                        &self.commands[self.commands.len() - back]
                    };
                    line.input = Input::new(text);
                    line.back = back;
                }
            }
            _ => {
                line.input.key(key);
            }
        }
        self.mode = Mode::Command(line);
        self.find_completions();
    }

    fn try_completion(&mut self, mut line: CommandLine, step: usize) {
        let count = line.found.len();
        let at = match line.chosen {
            _ if count == 0 => None,
            Some(at) if step == 1 => Some((at + 1) % count),
            Some(at) => Some((at + count - 1) % count),
            None if step == 1 => Some(0),
            None => Some(count - 1),
        };
        let Some(at) = at else {
            self.mode = Mode::Command(line);
            return;
        };
        let text = line.found[at].line.clone();
        // The only one that there is, if something follows it: one types on.
        let goes_on = Action::named(&text).is_some_and(takes_something);
        if count == 1 && (goes_on || text.ends_with('/')) {
            let blank = if goes_on { " " } else { "" };
            return self.open_command_line(&format!("{text}{blank}"));
        }
        line.input = Input::new(text);
        line.chosen = Some(at);
        self.mode = Mode::Command(line);
    }

    /// Lines that could be meant by what was typed, the best first.
    fn completions(&self, typed: &str) -> Vec<Completion> {
        let Some((word, rest)) = typed.split_once(' ') else {
            let words = ACTIONS.iter().filter(|action| is_worth_typing(action));
            let mut all: Vec<Completion> = words
                .map(|action| Completion::new("", action.name, action.help))
                .collect();
            // Who types a name means what is mostly done with it.
            if !typed.is_empty() {
                let queries = self.live.snapshot.queries.iter();
                all.extend(
                    queries
                        .map(|query| Completion::new("", &format!("open {}", query.name), "Open this query")),
                );
                let themes = self.theme_names().into_iter();
                all.extend(
                    themes.map(|name| Completion::new("", &format!("theme {name}"), "Take this theme")),
                );
            }
            return fuzzy::ranked(all, typed, |completion| completion.shown.as_str());
        };
        let Some(action) = Action::named(word) else {
            return Vec::new();
        };
        let is_first = !rest.contains(' ');
        let words: Vec<String> = match action.argument {
            Argument::Query if is_first => {
                let queries = self.live.snapshot.queries.iter();
                queries.map(|query| query.name.clone()).collect()
            }
            Argument::Theme if is_first => self.theme_names(),
            Argument::Column if is_first && self.is_in_result() => self.result_columns(),
            Argument::Column if is_first => {
                let columns = Column::ALL.into_iter().filter(|column| column.sorts());
                columns.map(|column| column.title().to_string()).collect()
            }
            Argument::Column => ["asc", "desc"].map(str::to_string).to_vec(),
            Argument::File => return files(word, rest, action.id),
            _ => Vec::new(),
        };
        let (head, last) = typed.rsplit_once(' ').unwrap_or(("", typed));
        let all = words
            .iter()
            .map(|word| Completion::new(&format!("{head} "), word, ""));
        fuzzy::ranked(all, last, |completion| completion.shown.as_str())
    }

    /// Does what a line says.
    pub(super) fn run_line(&mut self, text: &str) {
        if let Err(error) = self.try_line(text) {
            self.fail(&error);
        }
    }

    fn try_line(&mut self, text: &str) -> Result<(), Error> {
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        let action = self.action_named(word)?;
        match action.argument {
            Argument::None if !rest.is_empty() => {
                return Err(
                    Error::statement(format!("{:?} takes nothing after it", action.name))
                        .hint(format!("Write just {:?}.", action.name)),
                );
            }
            Argument::Query if !rest.is_empty() => {
                self.select_named(rest)?;
                if !matches!(self.screen, Screen::Queries | Screen::Query(_)) {
                    self.go(Screen::Queries);
                }
                // A query that is named is the one that is meant, whatever is marked.
                let marked = std::mem::take(&mut self.marked);
                let done = self.do_typed(action);
                self.marked = marked;
                return done;
            }
            Argument::Theme if !rest.is_empty() => {
                self.take_theme(rest);
                return Ok(());
            }
            Argument::Column if !rest.is_empty() && self.is_in_result() => {
                return self.sort_result_by(rest);
            }
            Argument::Column if !rest.is_empty() => {
                self.sort = parse_sort(rest)?;
                self.go(Screen::Queries);
                return Ok(());
            }
            Argument::File if !rest.is_empty() => match action.id {
                ActionId::Sql => return self.edit_file(rest),
                ActionId::Run => {
                    self.run_file(rest);
                    return Ok(());
                }
                _ => return self.export(rest),
            },
            Argument::Text => {
                let in_rows = self.is_in_result() || self.is_in_keys() || self.is_in_answer();
                if !in_rows && !matches!(self.screen, Screen::Catalog | Screen::Log) {
                    self.go(Screen::Queries);
                }
                self.set_filter(rest.to_string());
                return Ok(());
            }
            _ => {}
        }
        self.do_typed(action)
    }

    /// Writes the selected query's result to a file.
    fn export(&mut self, path: &str) -> Result<(), Error> {
        let query = self.selected_query().map(|query| query.name.clone());
        let Some(query) = query else {
            return Err(Error::statement("no query is selected"));
        };
        self.execute(Command::Export {
            query,
            path: path.into(),
        });
        Ok(())
    }

    fn do_typed(&mut self, action: &Action) -> Result<(), Error> {
        match action.when(self) {
            When::Now => self.perform(action.id),
            When::No(reason) => return Err(Error::statement(reason)),
            When::Elsewhere if action.id == ActionId::Open => {}
            When::Elsewhere => {
                return Err(
                    Error::statement(format!("{:?} means nothing on this screen", action.name))
                        .hint("Press ? for what does."),
                );
            }
        }
        Ok(())
    }

    /// The action with this word, or the only one that begins with it.
    fn action_named(&self, word: &str) -> Result<&'static Action, Error> {
        if let Some(action) = Action::named(word) {
            return Ok(action);
        }
        let mut begins = ACTIONS.iter().filter(|action| action.name.starts_with(word));
        if let (Some(action), None) = (begins.next(), begins.next()) {
            return Ok(action);
        }
        let near: Vec<String> = self
            .completions(word)
            .into_iter()
            .map(|near| near.shown)
            .collect();
        let error = Error::statement(format!("there is no command {word:?}"));
        Err(match near.as_slice() {
            [] => error.hint("Press ? for all commands, or Tab for those that fit."),
            near => error.hint(format!(
                "Did you mean {}?",
                near[..near.len().min(3)].join(" or ")
            )),
        })
    }

    fn select_named(&mut self, name: &str) -> Result<(), Error> {
        let queries = &self.live.snapshot.queries;
        let found = queries.iter().find(|query| query.name == name).or_else(|| {
            let mut begins = queries.iter().filter(|query| query.name.starts_with(name));
            begins.next().filter(|_| begins.next().is_none())
        });
        let Some(query) = found else {
            let names: Vec<&str> = queries.iter().take(8).map(|query| query.name.as_str()).collect();
            return Err(Error::statement(format!("there is no query {name:?}"))
                .hint(format!("Queries are: {}.", names.join(", "))));
        };
        let (id, is_hidden) = (query.id, !super::queries::matches(query, &self.filter));
        if is_hidden {
            self.filter.clear();
        }
        self.select(Some(id));
        Ok(())
    }
}

fn takes_something(action: &Action) -> bool {
    action.argument != Argument::None
}

/// Whether somebody would type the word: moving about is for keys.
fn is_worth_typing(action: &Action) -> bool {
    action.group != Action::of(ActionId::Up).group && action.id != ActionId::CommandLine
}

fn parse_sort(text: &str) -> Result<Sort, Error> {
    let (name, order) = text.split_once(' ').unwrap_or((text, ""));
    let columns = || {
        let names: Vec<&str> = Column::ALL
            .into_iter()
            .filter(|column| column.sorts())
            .map(Column::title)
            .collect();
        names.join(", ")
    };
    let column = Column::named(name).ok_or_else(|| {
        Error::statement(format!("there is no column {name:?} to sort by"))
            .hint(format!("Columns are: {}.", columns()))
    })?;
    let natural = Sort {
        column: Column::Spark,
        descending: false,
    }
    .by(column);
    match order.trim().to_lowercase().as_str() {
        "" => Ok(natural),
        "asc" => Ok(Sort {
            column,
            descending: false,
        }),
        "desc" => Ok(Sort {
            column,
            descending: true,
        }),
        other => Err(Error::statement(format!("{other:?} is no order")).hint("Write asc or desc.")),
    }
}

impl Completion {
    fn new(head: &str, shown: &str, help: &str) -> Self {
        Self {
            line: format!("{head}{shown}"),
            shown: shown.to_string(),
            help: help.to_string(),
        }
    }
}

/// Folders and files that a path could become. Of files those that the action can do something with.
fn files(word: &str, path: &str, action: ActionId) -> Vec<Completion> {
    let (folder, name) = match path.rfind('/') {
        Some(at) => path.split_at(at + 1),
        None => ("", path),
    };
    let place = if folder.is_empty() { "." } else { folder };
    let Ok(entries) = std::fs::read_dir(place) else {
        return Vec::new();
    };
    let endings: &[&str] = match action {
        ActionId::Sql | ActionId::Run => &["sql"],
        _ => &["csv", "json", "jsonl", "parquet"],
    };
    let mut found: Vec<Completion> = Vec::new();
    for entry in entries.flatten().take(MAX_FILES) {
        let Ok(file_name) = entry.file_name().into_string() else {
            continue;
        };
        let is_folder = entry.path().is_dir();
        let ending = file_name.rsplit_once('.').map_or("", |(_, ending)| ending);
        let is_hidden = file_name.starts_with('.') && !name.starts_with('.');
        if is_hidden || !is_folder && !endings.contains(&ending) {
            continue;
        }
        let slash = if is_folder { "/" } else { "" };
        let shown = format!("{folder}{file_name}{slash}");
        found.push(Completion::new(&format!("{word} "), &shown, ""));
    }
    found.sort_by(|one, other| one.shown.cmp(&other.shown));
    fuzzy::ranked(found, path, |completion| completion.shown.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_complete_folder_by_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["orders.sql", "other.sql", "notes.txt", ".hidden.sql"] {
            std::fs::write(folder.path().join(name), "").expect("a file");
        }
        std::fs::create_dir(folder.path().join("old")).expect("a folder");
        let root = format!("{}/", folder.path().display());
        let shown = |typed: &str, action| -> Vec<String> {
            let found = files("run", &format!("{root}{typed}"), action);
            found
                .into_iter()
                .map(|found| found.line.replace(&root, ""))
                .collect()
        };
        assert_eq!(
            shown("o", ActionId::Run),
            ["run old/", "run orders.sql", "run other.sql"]
        );
        assert_eq!(shown("oth", ActionId::Run), ["run other.sql"]);
        assert_eq!(shown(".", ActionId::Sql)[0], "run .hidden.sql");
        assert_eq!(shown("", ActionId::Export), ["run old/"]);
    }

    #[test]
    fn sort_orders_read() {
        let sort = |text| parse_sort(text).map(|sort| (sort.column, sort.descending));
        assert_eq!(sort("in/s").expect("a sort"), (Column::Rate, true));
        assert_eq!(sort("query").expect("a sort"), (Column::Name, false));
        assert_eq!(sort("p99 asc").expect("a sort"), (Column::P99, false));
        assert!(sort("p99 sideways").is_err());
        assert!(
            sort("colour")
                .expect_err("no column")
                .hint_text()
                .is_some_and(|hint| hint.contains("watermark"))
        );
    }
}
