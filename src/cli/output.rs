//! The one place that writes to stdout and stderr: stdout is data, stderr is narration.
//!
//! Nothing of the data's own control characters reaches the terminal: text goes through [`crate::format`].
//! A reader that went away is an error of kind `BrokenPipe`, which ends a run quietly.

use std::fmt::Write as _;
use std::io::{self, Write};

use clap::ValueEnum;

use super::diagnostic;
use super::script::Script;
use crate::engine::snapshot::ErrorReport;
use crate::engine::{QueryEvent, Rows};
use crate::error::Result;
use crate::format::json_rows::{write_json_rows, write_json_string};
use crate::format::safe_text;
use crate::format::text_table::{ShowOptions, show};
use crate::sink::console::show_options;

/// The line above and below `Batch: 0`, as Spark's console sink prints it.
const RULE: &str = "-------------------------------------------";

/// What stdout is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum OutputFormat {
    /// Tables for people, as Spark shows them.
    #[default]
    Text,
    /// One JSON object a line and nothing else.
    Json,
}

/// Writes what a command has to say.
pub(super) struct Output {
    format: OutputFormat,
    stdout: Box<dyn Write + Send>,
    stderr: Box<dyn Write + Send>,
}

impl Output {
    /// The process's own stdout and stderr.
    pub(super) fn of_process(format: OutputFormat) -> Self {
        Self::new(
            format,
            Box::new(io::BufWriter::with_capacity(64 * 1024, io::stdout())),
            Box::new(io::stderr()),
        )
    }

    pub(super) fn new(
        format: OutputFormat,
        stdout: Box<dyn Write + Send>,
        stderr: Box<dyn Write + Send>,
    ) -> Self {
        Self {
            format,
            stdout,
            stderr,
        }
    }

    /// Writes an event, where its format has it.
    pub(super) fn event(&mut self, event: &QueryEvent, script: &Script) -> Result<(), OutputError> {
        match self.format {
            OutputFormat::Json => {
                if let Some(line) = json_line(event)? {
                    self.data(&line)?;
                }
                if let QueryEvent::Terminated {
                    exception: Some(report),
                    ..
                } = event
                {
                    self.error(report, Some(script));
                }
            }
            OutputFormat::Text => match event {
                QueryEvent::Started { name, id, run_id } => {
                    self.narrate(&format!("query \"{name}\" started, id {id}, run {run_id}"));
                }
                QueryEvent::Batch {
                    batch_id,
                    schema,
                    rows,
                    ..
                } => {
                    let table = show(schema, rows, show_options(schema))?;
                    self.data(&format!("{RULE}\nBatch: {batch_id}\n{RULE}\n{table}\n"))?;
                }
                QueryEvent::Terminated {
                    exception: Some(report),
                    ..
                } => self.error(report, Some(script)),
                QueryEvent::Terminated { .. } | QueryEvent::Progress { .. } | QueryEvent::Idle { .. } => {}
            },
        }
        Ok(())
    }

    /// Writes the rows of a statement that has some.
    pub(super) fn rows(&mut self, rows: &Rows) -> Result<(), OutputError> {
        let text = match self.format {
            OutputFormat::Text => {
                let mut table = show(&rows.schema, &rows.batches, ShowOptions::ALL)?;
                table.push('\n');
                table
            }
            OutputFormat::Json => {
                let mut line = String::from("{\"event\":\"result\",\"rows\":");
                write_json_rows(&rows.batches, &mut line)?;
                line.push_str("}\n");
                line
            }
        };
        self.data(&text)?;
        Ok(())
    }

    /// Says something to a person; with JSON output nobody listens.
    pub(super) fn narrate(&mut self, sentence: &str) {
        if self.format == OutputFormat::Text {
            self.say(&format!("{}\n", diagnostic::clean_lines(sentence)));
        }
    }

    /// Says what went wrong, whatever the format is.
    pub(super) fn error(&mut self, report: &ErrorReport, script: Option<&Script>) {
        self.say(&diagnostic::render(report, script));
    }

    /// Writes a text as it is: a picture, whose lines were made harmless cell by cell.
    pub(super) fn picture(&mut self, text: &str) -> Result<(), OutputError> {
        Ok(self.data(text)?)
    }

    fn data(&mut self, text: &str) -> io::Result<()> {
        self.stdout.write_all(text.as_bytes())?;
        self.stdout.flush()
    }

    /// That stderr is closed changes nothing of what is done, so it is no error.
    fn say(&mut self, text: &str) {
        let _ = self
            .stderr
            .write_all(text.as_bytes())
            .and_then(|()| self.stderr.flush());
    }
}

/// Why something could not be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum OutputError {
    /// Stdout did not take it.
    #[error("stdout cannot be written")]
    Stdout(#[from] io::Error),
    /// A value has no text.
    #[error(transparent)]
    Value(#[from] crate::error::Error),
}

impl OutputError {
    /// Whether the reader of stdout went away, which is its good right: `| head` does it.
    pub(super) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl From<OutputError> for crate::error::Error {
    fn from(error: OutputError) -> Self {
        match error {
            OutputError::Stdout(cause) => Self::execution("stdout cannot be written").caused_by(cause),
            OutputError::Value(error) => error,
        }
    }
}

/// The line of an event, `event` first; `None` for those that are not told.
fn json_line(event: &QueryEvent) -> Result<Option<String>> {
    let mut line = String::new();
    // Writing to a String cannot fail.
    match event {
        QueryEvent::Started { name, id, run_id } => {
            begin(&mut line, "started", name);
            let _ = write!(line, ",\"id\":\"{id}\",\"runId\":\"{run_id}\"");
        }
        QueryEvent::Batch {
            name, batch_id, rows, ..
        } => {
            begin(&mut line, "batch", name);
            let _ = write!(line, ",\"batchId\":{batch_id},\"rows\":");
            write_json_rows(rows, &mut line)?;
        }
        QueryEvent::Progress { name, progress } => {
            begin(&mut line, "progress", name);
            let json = serde_json::to_string(progress.as_ref())
                .map_err(|error| crate::error::Error::internal("progress has no JSON").caused_by(error))?;
            line.push_str(",\"progress\":");
            push_harmless_json(&mut line, &json);
        }
        QueryEvent::Terminated { name, exception, .. } => {
            begin(&mut line, "terminated", name);
            line.push_str(",\"exception\":");
            match exception {
                Some(report) => write_json_string(&report.to_string(), &mut line),
                None => line.push_str("null"),
            }
        }
        QueryEvent::Idle { .. } => return Ok(None),
    }
    line.push_str("}\n");
    Ok(Some(line))
}

fn begin(line: &mut String, event: &str, query: &str) {
    let _ = write!(line, "{{\"event\":\"{event}\",\"query\":");
    write_json_string(query, line);
}

/// JSON as it is, but for characters that harm a terminal: outside of its texts it has none, so they may be escaped.
fn push_harmless_json(line: &mut String, json: &str) {
    for character in json.chars() {
        if safe_text::is_harmful(character) {
            let _ = write!(line, "\\u{:04x}", u32::from(character));
        } else {
            line.push(character);
        }
    }
}
