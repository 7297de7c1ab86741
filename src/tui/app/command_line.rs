//! The `:` line: the words of the action table, completed as they are typed.

use crossterm::event::{KeyCode, KeyEvent};

use super::input::Input;
use super::queries::{Column, Sort};
use super::{App, Mode, Screen};
use crate::engine::Command;
use crate::error::Error;
use crate::tui::action::{ACTIONS, Action, ActionId, Argument, When};

/// How many earlier lines are remembered.
const KEPT_LINES: usize = 50;

/// A command that is being typed.
#[derive(Debug, Default)]
pub(crate) struct CommandLine {
    pub(crate) input: Input,
    /// What was typed before Tab began to try completions, and which one stands there.
    tried: Option<(String, usize)>,
    /// How many lines back the history stands; 0 is the new line.
    back: usize,
}

impl CommandLine {
    /// A line that begins with some text.
    pub(crate) fn new(text: &str) -> Self {
        Self {
            input: Input::new(text),
            ..Self::default()
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        self.tried = None;
        self.input.insert(text);
    }

    /// What the completions complete.
    fn typed(&self) -> &str {
        self.tried.as_ref().map_or(self.input.text(), |(typed, _)| typed)
    }

    /// Which completion Tab has put in.
    pub(crate) fn chosen(&self) -> Option<usize> {
        self.tried.as_ref().map(|(_, at)| *at)
    }
}

impl App {
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
            KeyCode::Tab => self.try_completion(&mut line, 1),
            KeyCode::BackTab => self.try_completion(&mut line, usize::MAX),
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
                    line = CommandLine {
                        input: Input::new(text),
                        tried: None,
                        back,
                    };
                }
            }
            _ => {
                line.tried = None;
                line.input.key(key);
            }
        }
        self.mode = Mode::Command(line);
    }

    fn try_completion(&self, line: &mut CommandLine, step: usize) {
        let found = self.completions(line);
        if found.is_empty() {
            return;
        }
        let at = match line.tried {
            Some((_, at)) if step == 1 => (at + 1) % found.len(),
            Some((_, at)) => (at + found.len() - 1) % found.len(),
            None if step == 1 => 0,
            None => found.len() - 1,
        };
        let typed = line.typed().to_string();
        let head = typed.rfind(' ').map_or("", |blank| &typed[..=blank]);
        let mut text = format!("{head}{}", found[at]);
        // A word that is the only one and takes something is followed by a blank, so that one can type on.
        if found.len() == 1 && head.is_empty() && Action::named(&found[0]).is_some_and(takes_something) {
            text.push(' ');
            *line = CommandLine::new(&text);
            return;
        }
        line.input = Input::new(text);
        line.tried = Some((typed, at));
    }

    /// What could stand where the cursor is, the best first.
    pub(crate) fn completions(&self, line: &CommandLine) -> Vec<String> {
        let typed = line.typed();
        let Some((word, rest)) = typed.split_once(' ') else {
            let words = ACTIONS
                .iter()
                .filter(|action| is_worth_typing(action))
                .map(|action| action.name);
            return ranked(words.map(str::to_string), typed);
        };
        let Some(action) = Action::named(word) else {
            return Vec::new();
        };
        let last = rest.rsplit(' ').next().unwrap_or("");
        let is_first = !rest.contains(' ');
        match action.argument {
            Argument::Query if is_first => ranked(
                self.live.snapshot.queries.iter().map(|query| query.name.clone()),
                last,
            ),
            Argument::Theme if is_first => ranked(self.theme_names().into_iter(), last),
            Argument::Column if is_first && self.is_in_result() => {
                ranked(self.result_columns().into_iter(), last)
            }
            Argument::Column if is_first => {
                let columns = Column::ALL.into_iter().filter(|column| column.sorts());
                ranked(columns.map(|column| column.title().to_string()), last)
            }
            Argument::Column => ranked(["asc", "desc"].map(str::to_string).into_iter(), last),
            _ => Vec::new(),
        }
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
            Argument::File if !rest.is_empty() => return self.export(rest),
            Argument::Text => {
                if !self.is_in_result() && !self.is_in_keys() {
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
        let near = self.completions(&CommandLine::new(word));
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

/// Those that fit what was typed: first those that begin with it, then those that have its letters in order.
fn ranked(all: impl Iterator<Item = String>, typed: &str) -> Vec<String> {
    let typed = typed.to_lowercase();
    let mut found: Vec<(usize, String)> = all
        .filter_map(|word| {
            let low = word.to_lowercase();
            let rank = if low.starts_with(&typed) {
                0
            } else if low.contains(&typed) {
                1
            } else if has_letters_in_order(&low, &typed) {
                2
            } else {
                return None;
            };
            Some((rank, word))
        })
        .collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, word)| word).collect()
}

fn has_letters_in_order(word: &str, letters: &str) -> bool {
    let mut rest = word.chars();
    letters.chars().all(|letter| rest.any(|other| other == letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completions_rank_beginnings_before_letters() {
        let words = ["stop", "start", "restart", "sort"].map(str::to_string);
        assert_eq!(
            ranked(words.clone().into_iter(), "st"),
            ["stop", "start", "restart", "sort"]
        );
        assert_eq!(
            ranked(words.clone().into_iter(), "rt"),
            ["start", "restart", "sort"]
        );
        assert_eq!(ranked(words.into_iter(), "stt"), ["start", "restart"]);
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
