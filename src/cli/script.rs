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
            let mut sql = String::new();
            std::io::stdin()
                .read_to_string(&mut sql)
                .map_err(|error| Error::statement("stdin cannot be read").caused_by(error))?;
            return Ok(Self { sql, origin: None });
        }
        let sql = std::fs::read_to_string(path).map_err(|error| {
            Error::statement(format!("pipeline \"{}\" cannot be read", path.display()))
                .hint("Name a file of statements, or see `highwater --help` for the commands.")
                .caused_by(error)
        })?;
        Ok(Self {
            sql,
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
