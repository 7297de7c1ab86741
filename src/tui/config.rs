//! The configuration file: theme, keys and layout of who sits before the screen.
//!
//! ```toml
//! theme = "light"            # a theme's name, or the path of a .toml file
//! ascii = false              # true: nothing beyond ASCII
//!
//! [keys]                     # an action of `?`, and its keys instead of the usual ones
//! stop    = "x"
//! results = ["r", "f2"]
//! copy    = []               # no key; `:copy` still does it
//!
//! [layout]                   # where panes meet, in per cent of the whole
//! table = 40
//! ```
//!
//! A key that is given to an action is taken from all others. Every mistake names the file, the line and what is allowed.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use super::TuiOptions;
use super::action::{ACTIONS, Action, ActionId};
use super::keymap::{Key, Keymap};
use super::layout::{Split, Splits};
use super::toml_reader::{Reader, Value};
use crate::error::{Error, Result};
use crate::suggest::did_you_mean;

/// Keys that actions have instead of the usual ones.
pub(crate) type Bindings = Vec<(ActionId, Vec<Key>)>;

/// What a configuration file says.
#[derive(Debug, Clone, Default)]
pub struct Config {
    theme: Option<String>,
    is_ascii: Option<bool>,
    pub(super) bindings: Bindings,
    pub(super) splits: Splits,
}

const TOP: [&str; 4] = ["theme", "ascii", "keys", "layout"];

/// The lines between panes that the file can move.
const SPLITS: [(&str, Split); 8] = [
    ("table", Split::Table),
    ("result", Split::Result),
    ("charts", Split::Charts),
    ("rates", Split::Rates),
    ("durations", Split::Durations),
    ("middle", Split::Middle),
    ("lane", Split::Lane),
    ("list", Split::List),
];

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Statement`] if it cannot be read, or has a mistake in it.
    pub fn read(path: &Path) -> Result<Self> {
        let place = format!("config file {:?}", path.display().to_string());
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::statement(format!("{place} cannot be read"))
                .hint("Name a file that can be read.")
                .caused_by(error)
        })?;
        Self::parse(&place, &text)
    }

    /// Reads `config.toml` in the platform's folder; without one everything is as usual.
    ///
    /// # Errors
    ///
    /// As [`Config::read`].
    pub fn of_person() -> Result<Self> {
        match folder().map(|folder| folder.join("config.toml")) {
            Some(path) if path.exists() => Self::read(&path),
            _ => Ok(Self::default()),
        }
    }

    fn parse(place: &str, text: &str) -> Result<Self> {
        let reader = Reader {
            place,
            text,
            hint: "See docs/workbench.md for the form.",
        };
        let mut config = Self::default();
        for (key, value) in reader.table()?.get_ref() {
            match key.get_ref().as_ref() {
                "theme" => config.theme = Some(reader.string(value, "the name of a theme")?.to_string()),
                "ascii" => config.is_ascii = Some(reader.truth(value)?),
                "keys" => config.bindings = reader.bindings(value)?,
                "layout" => config.splits = reader.splits(value)?,
                other => return Err(reader.unknown(key.span().start, "key", other, &TOP)),
            }
        }
        let keymap = Keymap::with(&config.bindings)?;
        if [ActionId::Quit, ActionId::CommandLine].map(|id| keymap.keys(id).len()) == [0, 0] {
            return Err(reader
                .error(0, "no key is left to leave the workbench with")
                .hint("Give \"quit\" or \"command\" a key under [keys], or do not give their keys away."));
        }
        Ok(config)
    }
}

impl TuiOptions {
    /// Takes over what a configuration says.
    pub fn configure(&mut self, config: Config) {
        if let Some(theme) = &config.theme {
            self.theme.clone_from(theme);
        }
        self.ascii |= config.is_ascii.unwrap_or(false);
        self.theme_folders
            .extend(folder().map(|folder| folder.join("themes")));
        self.config = config;
    }
}

/// Where the platform keeps the configuration: `~/.config/highwater`, say.
fn folder() -> Option<PathBuf> {
    ProjectDirs::from("", "", "highwater").map(|folders| folders.config_dir().to_path_buf())
}

impl Reader<'_> {
    fn unknown(&self, offset: usize, what: &str, word: &str, known: &[&str]) -> Error {
        let error = self.error(offset, &format!("unknown {what} {word:?}"));
        let all = format!("There are: {}.", known.join(", "));
        match did_you_mean(word, known.iter().copied()) {
            Some(near) => error.hint(format!("Did you mean {near:?}? {all}")),
            None => error.hint(all),
        }
    }

    fn truth(&self, value: &Value<'_>) -> Result<bool> {
        value
            .get_ref()
            .as_bool()
            .ok_or_else(|| self.wrong_type(value, "true or false"))
    }

    /// `action = "key"` or `action = ["key", ...]`.
    fn bindings(&self, value: &Value<'_>) -> Result<Bindings> {
        let table = value.get_ref().as_table();
        let table = table.ok_or_else(|| self.wrong_type(value, "a table of actions with their keys"))?;
        let mut bindings = Bindings::new();
        for (name, keys) in table {
            let word = name.get_ref().as_ref();
            let action = Action::named(word).ok_or_else(|| {
                let names: Vec<&str> = ACTIONS.iter().map(|action| action.name).collect();
                self.unknown(name.span().start, "action", word, &names)
            })?;
            let keys = match keys.get_ref().as_array() {
                Some(list) => list.iter().map(|key| self.key(key)).collect::<Result<_>>()?,
                None => vec![self.key(keys)?],
            };
            bindings.push((action.id, keys));
        }
        Ok(bindings)
    }

    fn key(&self, value: &Value<'_>) -> Result<Key> {
        let text = self.string(value, "a key or a list of keys")?;
        text.parse().map_err(|wrong: Error| {
            let hint = wrong.hint_text().unwrap_or_default().to_string();
            self.error(value.span().start, wrong.message()).hint(hint)
        })
    }

    fn splits(&self, value: &Value<'_>) -> Result<Splits> {
        let table = value.get_ref().as_table();
        let table = table.ok_or_else(|| self.wrong_type(value, "a table of lines with their places"))?;
        let mut splits = Splits::new();
        for (name, share) in table {
            let word = name.get_ref().as_ref();
            let found = SPLITS.iter().find(|(known, _)| *known == word);
            let (_, split) = found.ok_or_else(|| {
                self.unknown(
                    name.span().start,
                    "line between panes",
                    word,
                    &SPLITS.map(|(name, _)| name),
                )
            })?;
            let per_cent = share
                .get_ref()
                .as_integer()
                .and_then(|number| number.as_str().parse::<u16>().ok())
                .filter(|per_cent| (1..=99).contains(per_cent))
                .ok_or_else(|| {
                    self.error(share.span().start, "expected a whole number of per cent")
                        .hint("Write a number from 1 to 99: the share that is above, or to the left.")
                })?;
            splits.insert(*split, per_cent * 10);
        }
        Ok(splits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config> {
        Config::parse("config file \"config.toml\"", text)
    }

    #[test]
    fn theme_keys_and_layout_are_taken() {
        let text = "theme = \"light\"\nascii = true\n[keys]\nstop = \"x\"\nresults = [\"f2\", \"ctrl-r\"]\ncopy = []\n\
                    [layout]\ntable = 40\n";
        let mut options = TuiOptions::default();
        options.configure(parse(text).expect("a configuration"));
        assert_eq!((options.theme.as_str(), options.ascii), ("light", true));
        assert_eq!(options.config.splits.get(&Split::Table), Some(&400));
        let keymap = Keymap::with(&options.config.bindings).expect("keys");
        let key = |text: &str| text.parse::<Key>().expect("a key");
        assert_eq!(keymap.keys(ActionId::Stop), [key("x")]);
        assert_eq!(keymap.actions(key("x")), [ActionId::Stop], "export has lost it");
        assert!(keymap.keys(ActionId::Export).is_empty());
        assert!(keymap.actions(key("s")).is_empty(), "stop has lost it");
        assert!(keymap.keys(ActionId::Copy).is_empty());
    }

    #[test]
    fn every_action_can_have_other_keys() {
        for action in ACTIONS {
            let config = parse(&format!("[keys]\n{} = \"f12\"\n", action.name)).expect(action.name);
            let keymap = Keymap::with(&config.bindings).expect("keys");
            let key: Key = "f12".parse().expect("a key");
            assert_eq!(keymap.actions(key), [action.id]);
            assert_eq!(keymap.keys(action.id), [key]);
        }
    }

    #[test]
    fn mistakes_name_file_line_and_what_is_allowed() {
        for (text, message, hint) in [
            (
                "\nthem = \"dark\"",
                "line 2: unknown key \"them\"",
                "Did you mean \"theme\"? There are: theme, ascii, keys, layout.",
            ),
            (
                "theme = 3",
                "line 1: expected the name of a theme, found integer",
                "docs/workbench.md",
            ),
            (
                "ascii = \"no\"",
                "line 1: expected true or false, found string",
                "docs/workbench.md",
            ),
            (
                "[keys]\nstpo = \"x\"",
                "line 2: unknown action \"stpo\"",
                "Did you mean \"stop\"? There are: run, ",
            ),
            (
                "[keys]\n\nstop = \"hyper-x\"",
                "line 3: \"hyper-x\" is no key",
                "f1 to f12",
            ),
            (
                "[keys]\nstop = 1",
                "line 2: expected a key or a list of keys, found integer",
                "docs/workbench.md",
            ),
            (
                "keys = 1",
                "line 1: expected a table of actions with their keys, found integer",
                "docs/workbench.md",
            ),
            (
                "[layout]\ntabel = 1",
                "line 2: unknown line between panes \"tabel\"",
                "Did you mean \"table\"?",
            ),
            (
                "[layout]\ntable = 200",
                "line 2: expected a whole number of per cent",
                "from 1 to 99",
            ),
            (
                "[keys]\nquit = []\ncommand = []",
                "line 1: no key is left to leave the workbench with",
                "\"quit\"",
            ),
            ("theme =", "line 1: ", "docs/workbench.md"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(
                error
                    .message()
                    .starts_with(&format!("config file \"config.toml\", {message}")),
                "{}",
                error.message()
            );
            assert!(
                error.hint_text().is_some_and(|told| told.contains(hint)),
                "{:?}",
                error.hint_text()
            );
        }
        let missing = Config::read(Path::new("no/such/config.toml")).expect_err("no file");
        assert_eq!(
            missing.message(),
            "config file \"no/such/config.toml\" cannot be read"
        );
    }
}
