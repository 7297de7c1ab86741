//! The text of a pipeline and where it came from.

use std::borrow::Cow;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::engine::Command;
use crate::error::{Error, Result};

/// The statements of one file, or of stdin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The text.
    pub sql: String,
    /// The file it came from; `None` for stdin.
    pub origin: Option<PathBuf>,
}

impl From<Script> for Command {
    fn from(script: Script) -> Self {
        Self::Run {
            sql: script.sql,
            origin: script.origin,
            rows: None,
        }
    }
}

impl Script {
    /// Reads a file, or stdin where the path is `-`.
    ///
    /// # Errors
    ///
    /// `Statement` if it cannot be read or is not UTF-8.
    pub fn read(path: &Path) -> Result<Self> {
        if path == Path::new("-") {
            let mut bytes = Vec::new();
            std::io::stdin()
                .read_to_end(&mut bytes)
                .map_err(|error| Error::statement("stdin cannot be read").caused_by(error))?;
            let sql = text_of(bytes, "stdin")?;
            return Ok(Self { sql, origin: None });
        }
        let bytes = std::fs::read(path).map_err(|error| {
            Error::statement(format!("pipeline \"{}\" cannot be read", path.display()))
                .hint("Name a file of statements, or see `highwater --help` for the commands.")
                .caused_by(error)
        })?;
        Ok(Self {
            sql: text_of(bytes, &format!("pipeline \"{}\"", path.display()))?,
            origin: Some(path.to_path_buf()),
        })
    }

    /// How messages call it.
    pub(super) fn name(&self) -> Cow<'_, str> {
        match &self.origin {
            Some(path) => path.to_string_lossy(),
            None => Cow::Borrowed("<stdin>"),
        }
    }
}

/// Statements as text, without the mark that some editors put before UTF-8.
fn text_of(bytes: Vec<u8>, what: &str) -> Result<String> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let whole = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let before = String::from_utf8_lossy(whole);
        let line = before.matches('\n').count() as u64 + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() as u64 + 1;
        Error::statement(format!(
            "{what} is not UTF-8 text at line {line}, column {column}"
        ))
        .hint("Name a file of SQL statements, saved as UTF-8.")
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}
