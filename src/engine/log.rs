//! What the engine had to say lately: a bounded ring of its log, for front ends.
//!
//! The ring belongs to the process, as the log itself does. Whoever sets the log up (the command line) adds a
//! [`LogLayer`]; an engine puts the ring's entries into its snapshots. A program with a log of its own may leave it out,
//! and its snapshots have no entries then.

use std::collections::VecDeque;
use std::fmt::{Debug, Write};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use tokio::sync::watch;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::clock::{Clock, SystemClock};

/// How many entries the process's ring keeps.
pub const MAX_ENTRIES: usize = 1_000;

/// How much an entry matters, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Every step.
    Trace,
    /// What a developer of the engine asks for.
    Debug,
    /// What happens in the normal course of things.
    Info,
    /// Something is not as it should be; the engine goes on.
    Warn,
    /// A query has failed.
    Error,
}

impl LogLevel {
    /// The word for it: `warn`, `error`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::ERROR => Self::Error,
            Level::WARN => Self::Warn,
            Level::INFO => Self::Info,
            Level::DEBUG => Self::Debug,
            _ => Self::Trace,
        }
    }
}

/// One thing that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Counts all entries of the process, from 0: rows on a screen are keyed by it.
    pub sequence: u64,
    /// When, in milliseconds since the epoch.
    pub at_ms: i64,
    /// How much it matters.
    pub level: LogLevel,
    /// The part of the program that said it: `highwater::execution::query`.
    pub target: String,
    /// The query that it is about, if it is about one.
    pub query: Option<String>,
    /// What was said, further fields behind it as `name=value`. Not made harmless: it may quote data.
    pub message: String,
}

/// Entries, oldest first, as snapshots share them.
pub type LogEntries = Arc<VecDeque<Arc<LogEntry>>>;

/// A ring of log entries. Cheap to clone; all clones are the same ring.
#[derive(Debug, Clone)]
pub struct LogRing {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    clock: Arc<dyn Clock>,
    max_entries: usize,
    entries: Mutex<LogEntries>,
    /// How many entries there have been.
    count: watch::Sender<u64>,
}

impl LogRing {
    /// An empty ring that keeps the last `max_entries` entries.
    pub fn new(max_entries: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            inner: Arc::new(Inner {
                clock,
                max_entries,
                entries: Mutex::default(),
                count: watch::channel(0).0,
            }),
        }
    }

    /// The process's own ring.
    pub fn of_process() -> &'static Self {
        static RING: OnceLock<LogRing> = OnceLock::new();
        RING.get_or_init(|| Self::new(MAX_ENTRIES, Arc::new(SystemClock)))
    }

    /// What it has now.
    pub fn entries(&self) -> LogEntries {
        Arc::clone(&self.inner.entries.lock())
    }

    /// Changes with every entry.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.inner.count.subscribe()
    }

    fn push(&self, level: LogLevel, target: &str, said: Said) {
        {
            let mut entries = self.inner.entries.lock();
            let sequence = *self.inner.count.borrow();
            let ring = Arc::make_mut(&mut entries);
            while ring.len() >= self.inner.max_entries.max(1) {
                ring.pop_front();
            }
            ring.push_back(Arc::new(LogEntry {
                sequence,
                at_ms: self.inner.clock.now_ms(),
                level,
                target: target.to_owned(),
                query: said.query,
                message: said.message + &said.fields,
            }));
            self.inner.count.send_modify(|count| *count += 1);
        }
    }
}

/// Puts what is logged into a ring.
#[derive(Debug, Clone)]
pub struct LogLayer(LogRing);

impl LogLayer {
    /// A layer that fills `ring`.
    pub fn new(ring: LogRing) -> Self {
        Self(ring)
    }
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut said = Said::default();
        event.record(&mut said);
        let metadata = event.metadata();
        self.0.push((*metadata.level()).into(), metadata.target(), said);
    }
}

/// An event's fields, sorted out.
#[derive(Debug, Default)]
struct Said {
    message: String,
    query: Option<String>,
    fields: String,
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "query" => self.query = Some(format!("{value:?}")),
            // Writing to a String cannot fail.
            name => drop(write!(self.fields, " {name}={value:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use tracing_subscriber::layer::SubscriberExt;

    #[test]
    fn the_last_entries_are_kept_by_level_target_and_query() {
        let ring = LogRing::new(2, Arc::new(ManualClock::new(7)));
        let mut watch = ring.watch();
        watch.mark_unchanged();
        let subscriber = tracing_subscriber::registry().with(LogLayer::new(ring.clone()));
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("forgotten");
            tracing::warn!(query = %"q", batch_id = 3, "no snapshot: {}", "disk full");
            tracing::error!(query = "r", "failed");
        });
        assert!(watch.has_changed().expect("the ring is there"));
        let entries = ring.entries();
        let entries = entries.iter().map(|entry| {
            assert_eq!((entry.at_ms, entry.target.as_str()), (7, module_path!()));
            let query = entry.query.as_deref().unwrap_or_default();
            (
                entry.sequence,
                entry.level.as_str(),
                query,
                entry.message.as_str(),
            )
        });
        assert_eq!(
            entries.collect::<Vec<_>>(),
            [
                (1, "warn", "q", "no snapshot: disk full batch_id=3"),
                (2, "error", "r", "failed"),
            ]
        );
    }
}
