//! One error type for the whole crate: what went wrong, where, and what to do instead.
//!
//! A message is lower case without a full stop and quotes the user's own names; the hint is a sentence and
//! says what to write instead. Both are data, so the command line and the workbench render the same ones.
//! `Display` prints this error's own message only; [`Error::report`] renders the whole chain once.

use std::fmt;

/// The result of everything in Highwater that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A statement or the command line is wrong: nothing was run, exit code 2.
    Statement,
    /// A checkpoint is in use, damaged, or belongs to another query: nothing was changed in it.
    Checkpoint,
    /// A source could not deliver: mend it and RESTART, the checkpoint is intact.
    Source,
    /// A sink did not take the rows: mend it and RESTART, the checkpoint is intact.
    Sink,
    /// A query failed while it computed, on a cast or an overflow for instance.
    Execution,
    /// A bug in Highwater.
    Internal,
}

/// A place in a statement's text, both counted from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1, in characters.
    pub column: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// An error of Highwater. See the module's documentation for how its parts are phrased.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.inner.message)]
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Inner {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    position: Option<Position>,
    source: Option<Cause>,
}

impl Error {
    /// Makes an error of `kind` with a lower-case message without a full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                message: message.into(),
                hint: None,
                position: None,
                source: None,
            }),
        }
    }

    /// A wrong statement or command line.
    pub fn statement(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Statement, message)
    }

    /// A checkpoint that cannot be used.
    pub fn checkpoint(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Checkpoint, message)
    }

    /// A source that cannot deliver.
    pub fn source(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Source, message)
    }

    /// A sink that does not take rows.
    pub fn sink(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Sink, message)
    }

    /// A computation that failed on its data.
    pub fn execution(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Execution, message)
    }

    /// A broken invariant of Highwater's own.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// Says what to do instead: a sentence, with its full stop.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.inner.hint = Some(hint.into());
        self
    }

    /// Says where in the statement text it is, unless a place is known already.
    #[must_use]
    pub fn at(mut self, position: Position) -> Self {
        self.inner.position.get_or_insert(position);
        self
    }

    /// The same error as one of a statement: found before anything was run.
    #[must_use]
    pub fn into_statement(mut self) -> Self {
        self.inner.kind = ErrorKind::Statement;
        self
    }

    /// The same error at another place: where a text that it counts within stands in a larger one.
    #[must_use]
    pub fn moved_to(mut self, position: Position) -> Self {
        self.inner.position = Some(position);
        self
    }

    /// Keeps what caused it.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Cause>) -> Self {
        self.inner.source = Some(cause.into());
        self
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// The message alone.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// What to do instead, where that is known.
    pub fn hint_text(&self) -> Option<&str> {
        self.inner.hint.as_deref()
    }

    /// Where in the statement text it is, where that is known.
    pub fn position(&self) -> Option<Position> {
        self.inner.position
    }

    /// What caused it.
    pub fn cause(&self) -> Option<&(dyn std::error::Error + Send + Sync + 'static)> {
        self.inner.source.as_deref()
    }

    /// Message, causes and hint as lines, as [`ErrorReport`] shows them.
    pub fn report(&self) -> String {
        ErrorReport::from(self).to_string()
    }
}

/// An error as data, for showing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorReport {
    /// What a caller can do about it.
    pub kind: ErrorKind,
    /// The message.
    pub message: String,
    /// Its causes, outermost first, without those that say what was said already.
    pub causes: Vec<String>,
    /// What to do instead.
    pub hint: Option<String>,
    /// Where in the statement.
    pub position: Option<Position>,
}

impl fmt::Display for ErrorReport {
    /// Message, causes and hint as lines: `message`, `  because: ...` for each cause, `  hint: ...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for cause in &self.causes {
            write!(f, "\n  because: {cause}")?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl From<&Error> for ErrorReport {
    fn from(error: &Error) -> Self {
        let mut causes = Vec::<String>::new();
        let mut cause = error
            .cause()
            .map(|cause| cause as &(dyn std::error::Error + 'static));
        while let Some(inner) = cause {
            let said = inner.to_string();
            let is_new = |told: &str| !told.contains(&said);
            if is_new(error.message()) && causes.iter().all(|told| is_new(told)) {
                causes.push(said);
            }
            cause = inner.source();
        }
        Self {
            kind: error.kind(),
            message: error.message().to_owned(),
            causes,
            hint: error.hint_text().map(str::to_owned),
            position: error.position(),
        }
    }
}

/// A cause of which only the words are left.
#[derive(Debug, thiserror::Error)]
#[error("{words}")]
struct ToldCause {
    words: String,
    source: Option<Box<ToldCause>>,
}

impl From<ErrorReport> for Error {
    fn from(report: ErrorReport) -> Self {
        let causes = report.causes.into_iter().rev();
        let cause = causes.fold(None, |source, words| Some(Box::new(ToldCause { words, source })));
        let mut error = Self::new(report.kind, report.message);
        if let Some(cause) = cause {
            error = error.caused_by(cause);
        }
        if let Some(hint) = report.hint {
            error = error.hint(hint);
        }
        match report.position {
            Some(position) => error.at(position),
            None => error,
        }
    }
}

impl From<redb::Error> for Error {
    fn from(error: redb::Error) -> Self {
        // What is neither the disk's nor another process's doing is the file's own.
        let is_damaged = !matches!(
            error,
            redb::Error::Io(_)
                | redb::Error::PreviousIo
                | redb::Error::DatabaseAlreadyOpen
                | redb::Error::DatabaseClosed
                | redb::Error::LockPoisoned(_)
                | redb::Error::ValueTooLarge(_)
        );
        if is_damaged {
            return Self::checkpoint("the checkpoint file is damaged")
                .hint("Restore it from a copy, or give the query another CHECKPOINT folder to start anew.")
                .caused_by(error);
        }
        Self::checkpoint("the checkpoint file cannot be read or written").caused_by(error)
    }
}

impl From<datafusion::error::DataFusionError> for Error {
    /// An error that one of our own operators raised comes out as it went in.
    fn from(error: datafusion::error::DataFusionError) -> Self {
        use datafusion::error::DataFusionError;
        match error {
            DataFusionError::External(inner) => match inner.downcast::<Self>() {
                Ok(own) => *own,
                Err(other) => Self::execution(other.to_string()),
            },
            DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => Self::from(*inner),
            DataFusionError::ArrowError(inner, _) => Self::from(*inner),
            DataFusionError::Execution(message) | DataFusionError::Plan(message) => {
                Self::execution(lower_first(message))
            }
            other => Self::execution(other.strip_backtrace()),
        }
    }
}

impl From<arrow::error::ArrowError> for Error {
    fn from(error: arrow::error::ArrowError) -> Self {
        match error {
            arrow::error::ArrowError::ExternalError(inner) => match inner.downcast::<Self>() {
                Ok(own) => *own,
                Err(other) => Self::execution(other.to_string()),
            },
            arrow::error::ArrowError::DivideByZero => {
                Self::execution("division by zero").hint("Use try_divide(a, b) to get null instead.")
            }
            arrow::error::ArrowError::CastError(message) => {
                Self::execution(lower_first(message)).hint("Use try_cast(value AS type) to get null instead.")
            }
            arrow::error::ArrowError::ArithmeticOverflow(message)
            | arrow::error::ArrowError::ComputeError(message)
            | arrow::error::ArrowError::InvalidArgumentError(message) => {
                Self::execution(lower_first(message))
            }
            other => Self::execution(other.to_string()),
        }
    }
}

/// A foreign message in our form: it begins in lower case.
fn lower_first(message: String) -> String {
    let mut chars = message.chars();
    match (chars.next(), chars.clone().next()) {
        // An abbreviation stays as it is.
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => message,
    }
}

impl From<Error> for datafusion::error::DataFusionError {
    fn from(error: Error) -> Self {
        Self::External(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_has_causes_and_hint_once() {
        let error = Error::source("file \"a.json\" cannot be read")
            .hint("Restore it and RESTART the query.")
            .caused_by(std::io::Error::other("disk on fire"));
        assert_eq!(
            error.report(),
            "file \"a.json\" cannot be read\n  because: disk on fire\n  hint: Restore it and RESTART the query."
        );
    }

    #[test]
    fn an_own_error_survives_datafusion() {
        let through = datafusion::error::DataFusionError::from(Error::source("gone").hint("Put it back."));
        let back = Error::from(through.context("while reading"));
        assert_eq!(
            (back.kind(), back.hint_text()),
            (ErrorKind::Source, Some("Put it back."))
        );
    }
}
