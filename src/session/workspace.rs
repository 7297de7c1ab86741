//! What is remembered from one session to the next: streams, tables, views and queries, by their statements.
//!
//! A workspace is a folder with `workspace.json`, a list of statements in the order in which they were made, and the
//! default checkpoint root. Opening it makes everything again; queries come back stopped, and START goes on from
//! their checkpoints. Statements are kept as they are shown: a secret that was written out is not in the file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

const FILE_NAME: &str = "workspace.json";
const FORMAT_VERSION: u32 = 1;

/// One remembered statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The name that the statement made.
    pub name: String,
    /// The statement, secrets masked.
    pub statement: String,
    /// What SET had changed when it was carried out: a query keeps the settings that it was made with.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    format_version: u32,
    statements: Vec<Remembered>,
}

/// An open workspace. Every change is written at once.
#[derive(Debug)]
pub struct Workspace {
    path: PathBuf,
    statements: Vec<Remembered>,
}

impl Workspace {
    /// Opens the workspace in `folder`; makes nothing before there is something to remember.
    ///
    /// # Errors
    ///
    /// A statement error if its file is not to be read.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE_NAME);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self {
                    path,
                    statements: Vec::new(),
                });
            }
            Err(error) => return Err(unusable(&path, "it cannot be read").caused_by(error)),
        };
        let content: Content = serde_json::from_slice(&bytes)
            .map_err(|error| unusable(&path, "it is damaged").caused_by(error))?;
        if content.format_version != FORMAT_VERSION {
            return Err(unusable(&path, "another version of highwater wrote it"));
        }
        Ok(Self {
            path,
            statements: content.statements,
        })
    }

    /// Everything that is remembered, in the order of its making.
    pub fn statements(&self) -> &[Remembered] {
        &self.statements
    }

    /// Whether `name` was made by this very statement.
    pub fn has(&self, name: &str, statement: &str) -> bool {
        self.statements
            .iter()
            .any(|known| known.name.eq_ignore_ascii_case(name) && known.statement == statement)
    }

    /// Remembers a statement; an earlier one of the same name is forgotten.
    ///
    /// # Errors
    ///
    /// A statement error if the file cannot be written.
    pub fn remember(&mut self, statement: Remembered) -> Result<()> {
        self.statements
            .retain(|known| !known.name.eq_ignore_ascii_case(&statement.name));
        self.statements.push(statement);
        self.write()
    }

    /// Forgets what made `name`.
    ///
    /// # Errors
    ///
    /// A statement error if the file cannot be written.
    pub fn forget(&mut self, name: &str) -> Result<()> {
        let before = self.statements.len();
        self.statements
            .retain(|known| !known.name.eq_ignore_ascii_case(name));
        if self.statements.len() == before {
            Ok(())
        } else {
            self.write()
        }
    }

    /// A reader, and a crash, find the old file or the new one.
    fn write(&self) -> Result<()> {
        let unwritable =
            |error: std::io::Error| unusable(&self.path, "it cannot be written").caused_by(error);
        let content = Content {
            format_version: FORMAT_VERSION,
            statements: self.statements.clone(),
        };
        let bytes = serde_json::to_vec_pretty(&content)
            .map_err(|error| Error::internal("a workspace has no JSON").caused_by(error))?;
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(unwritable)?;
        }
        let new = self.path.with_extension("json.new");
        fs::write(&new, bytes).map_err(unwritable)?;
        fs::rename(&new, &self.path).map_err(unwritable)
    }
}

fn unusable(path: &Path, reason: &str) -> Error {
    Error::statement(format!("the workspace {} is of no use: {reason}", path.display()))
        .hint("Mend or remove the file, or open another workspace with --workspace DIR.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_comes_back_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut workspace = Workspace::open(folder.path()).expect("opens");
        for (name, statement) in [
            ("a", "CREATE A"),
            ("b", "CREATE B"),
            ("A", "CREATE A AGAIN"),
            ("c", "CREATE C"),
        ] {
            let remembered = Remembered {
                name: name.to_owned(),
                statement: statement.to_owned(),
                settings: BTreeMap::new(),
            };
            workspace.remember(remembered).expect("remembers");
        }
        workspace.forget("C").expect("forgets");
        let again = Workspace::open(folder.path()).expect("opens");
        let names = again
            .statements()
            .iter()
            .map(|known| known.statement.as_str())
            .collect::<Vec<_>>();
        assert_eq!(names, ["CREATE B", "CREATE A AGAIN"]);
        assert!(again.has("a", "CREATE A AGAIN") && !again.has("a", "CREATE A"));
    }

    #[test]
    fn a_damaged_file_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(FILE_NAME), "{").expect("writes");
        let error = Workspace::open(folder.path()).expect_err("refuses");
        assert!(error.message().contains(FILE_NAME), "{error}");
    }
}
