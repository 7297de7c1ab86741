//! What themes and the configuration have in common: TOML whose mistakes are told with file and line.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Error, Result};

/// A value with its place.
pub(crate) type Value<'a> = Spanned<DeValue<'a>>;

/// A text that is read.
pub(crate) struct Reader<'a> {
    /// What messages call it: `theme "dark"`, `config file "/home/ann/config.toml"`.
    pub(crate) place: &'a str,
    /// All of it.
    pub(crate) text: &'a str,
    /// What to do about a mistake that says no more itself.
    pub(crate) hint: &'a str,
}

impl<'a> Reader<'a> {
    /// The whole text as a table.
    pub(crate) fn table(&self) -> Result<Spanned<DeTable<'a>>> {
        DeTable::parse(self.text)
            .map_err(|error| self.error(error.span().map_or(0, |span| span.start), error.message()))
    }

    /// The text and the line of a place in it.
    pub(crate) fn place(&self, offset: usize) -> String {
        let before = self.text.bytes().take(offset);
        let line = 1 + before.filter(|byte| *byte == b'\n').count();
        format!("{}, line {line}", self.place)
    }

    /// A mistake at a place.
    pub(crate) fn error(&self, offset: usize, message: &str) -> Error {
        let message = message.lines().next().unwrap_or_default();
        Error::statement(format!("{}: {message}", self.place(offset))).hint(self.hint)
    }

    /// A value that has to be a text.
    pub(crate) fn string<'v>(&self, value: &'v Value<'_>, wanted: &str) -> Result<&'v str> {
        value
            .get_ref()
            .as_str()
            .ok_or_else(|| self.wrong_type(value, wanted))
    }

    /// A value of another type than the one that is wanted.
    pub(crate) fn wrong_type(&self, value: &Value<'_>, wanted: &str) -> Error {
        let message = format!("expected {wanted}, found {}", value.get_ref().type_str());
        self.error(value.span().start, &message)
    }
}
