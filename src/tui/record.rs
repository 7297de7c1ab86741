//! What was done in a session, as a script that `highwater run` does again.
//!
//! Each command that the engine has carried out becomes the statement that says the same. Between them stands an AWAIT with a
//! time limit, so that the queries run as long as they did.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use crate::engine::{Command, Snapshot};
use crate::error::{Error, Result};

/// Shorter pauses are not worth a statement.
const SHORTEST_PAUSE_MS: i64 = 100;

/// A recording that is being made.
#[derive(Debug)]
pub(super) struct Recorder {
    file: File,
    path: String,
    last_ms: i64,
    /// The queries that ran after the last statement: only these can be waited for before the next.
    ran: Vec<String>,
}

impl Recorder {
    /// Begins a recording in a new file.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Statement`] if the file is there already or cannot be made.
    pub(super) fn create(path: &Path, now_ms: i64) -> Result<Self> {
        let name = path.display().to_string();
        let file = File::create_new(path).map_err(|error| {
            Error::statement(format!("the recording {name:?} cannot be made"))
                .hint("Name a file that is not there yet, in a folder that can be written to.")
                .caused_by(error)
        })?;
        let mut recorder = Self {
            file,
            path: name,
            last_ms: now_ms,
            ran: Vec::new(),
        };
        let version = env!("CARGO_PKG_VERSION");
        recorder.write(&format!(
            "-- Recorded by highwater {version}. Do it again, in the same folder: highwater run FILE.sql\n"
        ))?;
        Ok(recorder)
    }

    /// Writes a command down that was carried out.
    pub(super) fn note(&mut self, command: &Command, snapshot: &Snapshot, now_ms: i64) -> Result<()> {
        let Some(statement) = statement(command)? else {
            return Ok(());
        };
        let waits_for = match command {
            // Before it came it ran, and after it perhaps not.
            Command::Stop(query) | Command::Restart(query) => Some(query.as_str()),
            _ => active(snapshot).find(|query| self.ran.iter().any(|ran| ran == query)),
        };
        let pause = self.pause(waits_for, now_ms);
        self.ran = active(snapshot).map(str::to_string).collect();
        self.write(&format!("\n{pause}{statement}\n"))
    }

    /// Writes down that all queries that run are stopped.
    pub(super) fn end(&mut self, snapshot: &Snapshot, now_ms: i64) -> Result<()> {
        let pause = self.pause(active(snapshot).next(), now_ms);
        let stops: Vec<String> = active(snapshot)
            .map(|query| format!("STOP QUERY {};\n", name(query)))
            .collect();
        self.write(&format!("\n{pause}{}", stops.concat()))
    }

    fn pause(&mut self, query: Option<&str>, now_ms: i64) -> String {
        let pause_ms = now_ms - self.last_ms;
        self.last_ms = now_ms;
        match query {
            Some(query) if pause_ms >= SHORTEST_PAUSE_MS => {
                format!("AWAIT QUERY {} TIMEOUT '{pause_ms} milliseconds';\n", name(query))
            }
            _ => String::new(),
        }
    }

    fn write(&mut self, text: &str) -> Result<()> {
        self.file.write_all(text.as_bytes()).map_err(|error| {
            Error::internal(format!("the recording {:?} cannot be written", self.path)).caused_by(error)
        })
    }
}

fn active(snapshot: &Snapshot) -> impl Iterator<Item = &str> {
    let active = snapshot.queries.iter().filter(|query| query.state.is_active());
    active.map(|query| query.name.as_str())
}

/// What says the same in a script; `None`: looking is not recorded.
fn statement(command: &Command) -> Result<Option<String>> {
    Ok(Some(match command {
        Command::Run { sql, .. } => ended(sql),
        Command::Open(path) => ended(&std::fs::read_to_string(path).map_err(|error| {
            let message = format!("pipeline \"{}\" cannot be read for the recording", path.display());
            Error::statement(message).caused_by(error)
        })?),
        Command::Start(query) => format!("START QUERY {};", name(query)),
        Command::Stop(query) => format!("STOP QUERY {};", name(query)),
        Command::Restart(query) => format!("RESTART QUERY {};", name(query)),
        Command::Drop(query) => format!("DROP QUERY {};", name(query)),
        Command::ResetCheckpoint(query) => format!("RESET QUERY {};", name(query)),
        Command::Export { query, path } => {
            let path = path.display().to_string();
            let path = path.replace('\\', "\\\\").replace('\'', "\\'");
            format!("EXPORT QUERY {} TO '{path}';", name(query))
        }
        Command::Check { .. } | Command::ReadState { .. } | Command::Words | Command::StopAll => {
            return Ok(None);
        }
    }))
}

/// Statements with an end, so that others can follow.
fn ended(sql: &str) -> String {
    let sql = sql.trim();
    if sql.ends_with(';') {
        sql.to_string()
    } else {
        // A line of its own, for the last one may end in a comment.
        format!("{sql}\n;")
    }
}

/// A name as a statement has it.
fn name(name: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if name.starts_with(|letter: char| letter.is_ascii_alphabetic()) && name.chars().all(is_plain) {
        name.to_string()
    } else {
        format!("`{}`", name.replace('`', "``"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::snapshot::{QueryState, StateOrder, StateRequest};
    use crate::sql::parse_script;
    use crate::tui::fake;

    #[test]
    fn a_session_becomes_a_script() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("session.sql");
        let mut other = fake::running("other query");
        other.state = QueryState::Stopped;
        let snapshot = fake::snapshot(vec![fake::running("q"), other]);
        let mut recorder = Recorder::create(&path, 1_000).expect("a recording");
        let commands = [
            Command::Run {
                sql: "CREATE VIEW v AS SELECT 1 -- one".to_string(),
                origin: None,
                rows: None,
            },
            Command::Words,
            Command::Stop("q".to_string()),
            Command::Start("other query".to_string()),
            Command::Export {
                query: "q".to_string(),
                path: "it's.csv".into(),
            },
        ];
        for (at, command) in (1_i64..).zip(&commands) {
            recorder
                .note(command, &snapshot, 1_000 + 2_000 * at)
                .expect("written");
        }
        recorder.end(&snapshot, 11_000).expect("written");
        let text = std::fs::read_to_string(&path).expect("a script");
        let (_, script) = text.split_once('\n').expect("a first line");
        assert_eq!(
            script,
            "\nCREATE VIEW v AS SELECT 1 -- one\n;\n\
             \nAWAIT QUERY q TIMEOUT '4000 milliseconds';\nSTOP QUERY q;\n\
             \nAWAIT QUERY q TIMEOUT '2000 milliseconds';\nSTART QUERY `other query`;\n\
             \nAWAIT QUERY q TIMEOUT '2000 milliseconds';\nEXPORT QUERY q TO 'it\\'s.csv';\n\
             \nSTOP QUERY q;\n"
        );
        assert_eq!(parse_script(&text).expect("statements").len(), 8);
        let again = Recorder::create(&path, 0).expect_err("it is there");
        assert!(again.message().ends_with("cannot be made"), "{}", again.message());
    }

    #[test]
    fn looking_is_not_recorded() {
        let look = Command::ReadState {
            query: "q".to_string(),
            request: StateRequest {
                operator: 0,
                as_of: None,
                find: None,
                order: StateOrder::Key,
                offset: 0,
                limit: 10,
            },
        };
        for command in [look, Command::Words, Command::StopAll] {
            assert_eq!(statement(&command).expect("no file is read"), None);
        }
    }
}
