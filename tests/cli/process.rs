//! The binary as a process in a folder of its own. Every wait has an end.

use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Nothing here takes longer, however slow the machine is.
const TIME_LIMIT: Duration = Duration::from_mins(1);

/// A folder with a copy of the sample data, to run the binary in.
pub(crate) struct Workplace(TempDir);

/// What a process said and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A process that may still run.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    stderr: Receiver<String>,
    stdout: String,
    ends_at: Instant,
}

impl Workplace {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data");
        copy_folder(&from, &folder.path().join("sample-data"));
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, its folder included.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder is ours");
        fs::write(path, text).expect("the folder is ours");
    }

    /// Runs the binary to its end.
    pub(crate) fn highwater(&self, arguments: &[&str]) -> Ended {
        self.start(arguments, "").end()
    }

    /// As [`Self::highwater`], with a text on stdin.
    pub(crate) fn highwater_with_stdin(&self, arguments: &[&str], stdin: &str) -> Ended {
        self.start(arguments, stdin).end()
    }

    pub(crate) fn start(&self, arguments: &[&str], stdin: &str) -> Running {
        let mut child = Command::new(env!("CARGO_BIN_EXE_highwater"))
            .args(arguments)
            .current_dir(self.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut input = child.stdin.take().expect("is piped");
        // A process that does not read its stdin may be gone by now.
        let _ = input.write_all(stdin.as_bytes());
        drop(input);
        let stdout = child.stdout.take().expect("is piped");
        let mut stderr = child.stderr.take().expect("is piped");
        let (send_line, lines) = mpsc::channel();
        thread::spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            lines
                .take_while(|line| send_line.send(line.clone()).is_ok())
                .count()
        });
        let (send_text, all_stderr) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stderr.read_to_end(&mut bytes);
            send_text.send(String::from_utf8_lossy(&bytes).into_owned())
        });
        Running {
            child,
            lines,
            stderr: all_stderr,
            stdout: String::new(),
            ends_at: Instant::now() + TIME_LIMIT,
        }
    }
}

impl Running {
    /// The next line of stdout; `None` after the last one.
    pub(crate) fn line(&mut self) -> Option<String> {
        let left = self.ends_at.saturating_duration_since(Instant::now());
        match self.lines.recv_timeout(left) {
            Ok(line) => {
                self.stdout.push_str(&line);
                self.stdout.push('\n');
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => self.give_up(),
        }
    }

    /// Sends a signal by its name: `INT`, `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status();
        assert!(sent.is_ok_and(|status| status.success()), "SIG{name} was sent");
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Ended {
        while self.line().is_some() {}
        let left = self.ends_at.saturating_duration_since(Instant::now());
        let Ok(stderr) = self.stderr.recv_timeout(left) else {
            return self.give_up();
        };
        // Both pipes are closed: the process is ending, if it has not ended.
        let status = self.child.wait().expect("the process is ours");
        Ended {
            code: status.code(),
            stdout: self.stdout,
            stderr,
        }
    }

    fn give_up<T>(&mut self) -> T {
        let _ = self.child.kill();
        panic!("no end within {TIME_LIMIT:?}; stdout so far:\n{}", self.stdout);
    }
}

impl Ended {
    /// Stdout as JSON, each line an object.
    pub(crate) fn events(&self) -> Vec<Value> {
        let lines = self.stdout.lines();
        lines
            .map(|line| match serde_json::from_str(line) {
                Ok(event @ Value::Object(_)) => event,
                _ => panic!("no JSON object: {line}"),
            })
            .collect()
    }

    /// The rows that a query's batches read, added up from its progress.
    pub(crate) fn input_rows(&self, query: &str) -> u64 {
        let events = self.events();
        let progress = events
            .iter()
            .filter(|event| event["event"] == "progress" && event["query"] == query);
        progress
            .map(|event| event["progress"]["numInputRows"].as_u64().expect("a number"))
            .sum()
    }

    /// The rows of the statements that have some, in order.
    pub(crate) fn results(&self) -> Vec<Value> {
        let events = self.events().into_iter();
        events
            .filter(|event| event["event"] == "result")
            .map(|event| event["rows"].clone())
            .collect()
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the folder is ours");
    for entry in fs::read_dir(from).expect("the sample data is part of the project") {
        let entry = entry.expect("a readable folder");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("the folder is ours");
        }
    }
}
