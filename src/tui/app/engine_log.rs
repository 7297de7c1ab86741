//! The log screen: what the engine said, of all queries and of itself, by level and words.

use std::sync::Arc;

use super::App;
use crate::engine::snapshot::{LogEntry, LogLevel};

/// Which entries of the log are shown.
#[derive(Debug)]
pub(crate) struct LogFilter {
    /// None that matters less.
    pub(crate) level: LogLevel,
    /// All of these words are in them.
    pub(crate) words: String,
}

impl Default for LogFilter {
    fn default() -> Self {
        Self {
            level: LogLevel::Trace,
            words: String::new(),
        }
    }
}

impl App {
    /// The entries that are shown, newest first.
    pub(crate) fn log_entries(&self) -> Vec<&Arc<LogEntry>> {
        let words = self.log_filter.words.to_lowercase();
        let matches = |entry: &&Arc<LogEntry>| {
            let query = entry.query.as_deref().unwrap_or("");
            let hay = format!(
                "{} {} {query} {}",
                entry.level.as_str(),
                entry.target,
                entry.message
            );
            let hay = hay.to_lowercase();
            entry.level >= self.log_filter.level && words.split_whitespace().all(|word| hay.contains(word))
        };
        self.picture().snapshot.log.iter().rev().filter(matches).collect()
    }

    /// Everything, what matters, warnings and errors, errors.
    pub(super) fn turn_log_level(&mut self) {
        let (level, words) = match self.log_filter.level {
            LogLevel::Trace | LogLevel::Debug => (LogLevel::Info, "info, warnings and errors"),
            LogLevel::Info => (LogLevel::Warn, "warnings and errors"),
            LogLevel::Warn => (LogLevel::Error, "errors"),
            LogLevel::Error => (LogLevel::Trace, "everything"),
        };
        self.log_filter.level = level;
        self.say(format!("the log shows {words}"));
    }
}
