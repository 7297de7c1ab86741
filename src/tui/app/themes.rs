//! Choosing a theme from a list that shows each at once, and reading it again when its file changes.

use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent};

use super::{App, Mode};
use crate::tui::theme::Theme;

impl App {
    /// Opens the list of themes on the one that is there.
    pub(super) fn open_themes(&mut self) {
        let names = self.theme_names();
        let before = self.theme.name().to_string();
        let at = names.iter().position(|name| *name == before).unwrap_or(0);
        self.mode = Mode::Themes(names, at, before);
    }

    pub(super) fn key_in_themes(&mut self, names: Vec<String>, at: usize, before: String, key: KeyEvent) {
        let last = names.len().saturating_sub(1);
        let at = match key.code {
            KeyCode::Down | KeyCode::Char('j') => (at + 1).min(last),
            KeyCode::Up | KeyCode::Char('k') => at.saturating_sub(1),
            KeyCode::Home | KeyCode::Char('g') => 0,
            KeyCode::End | KeyCode::Char('G') => last,
            KeyCode::Enter => return self.say(format!("theme {}", self.theme.name())),
            KeyCode::Esc | KeyCode::Char('q' | 't') => return self.take_theme(&before),
            _ => at,
        };
        if let Some(name) = names.get(at).cloned() {
            self.take_theme(&name);
        }
        self.mode = Mode::Themes(names, at, before);
    }

    /// Takes a theme; a broken one leaves the old one in place and says why.
    pub(super) fn take_theme(&mut self, name: &str) {
        match Theme::load(name, &self.theme_folders, self.depth) {
            Ok(theme) => {
                self.theme = theme;
                self.theme_is_broken = false;
            }
            Err(error) => self.fail(&error),
        }
    }

    /// Takes the theme as its file has it now. While the file has a mistake the colours stay, and the mistake is told.
    pub(super) fn reload_theme(&mut self) {
        match Theme::load(self.theme.name(), &self.theme_folders, self.depth) {
            Ok(theme) => {
                if self.theme_is_broken {
                    self.notice = None;
                }
                if self.theme_is_broken || theme != self.theme {
                    self.say(format!("theme {}, as it was just written", theme.name()));
                }
                self.theme = theme;
                self.theme_is_broken = false;
            }
            Err(error) => {
                self.theme_is_broken = true;
                self.fail(&error);
            }
        }
    }

    /// The files whose changes change the colours: those of the theme, and those of the folders that it may be put in.
    pub(crate) fn theme_files(&self) -> Vec<PathBuf> {
        let name = format!("{}.toml", self.theme.name());
        let mine = self.theme_folders.iter().map(|folder| folder.join(&name));
        self.theme.files().iter().cloned().chain(mine).collect()
    }
}
