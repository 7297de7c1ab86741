//! The table of queries: its columns, what they sort by, and which rows are shown.

use std::cmp::Ordering;

use crate::engine::snapshot::QuerySnapshot;
use crate::execution::progress::StreamingQueryProgress;
use crate::tui::units::to_f64;

use super::history::{History, parse_ms};

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Column {
    Name,
    State,
    Mode,
    Trigger,
    Batch,
    Rate,
    Processed,
    Spark,
    P50,
    P99,
    Rows,
    Bytes,
    Trend,
    Watermark,
    Warnings,
}

impl Column {
    /// Every column, left to right.
    pub(crate) const ALL: [Self; 15] = [
        Self::Name,
        Self::State,
        Self::Mode,
        Self::Trigger,
        Self::Batch,
        Self::Rate,
        Self::Processed,
        Self::Spark,
        Self::P50,
        Self::P99,
        Self::Rows,
        Self::Bytes,
        Self::Trend,
        Self::Watermark,
        Self::Warnings,
    ];

    /// Its head, and its word on the command line.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Name => "query",
            Self::State => "state",
            Self::Mode => "mode",
            Self::Trigger => "trigger",
            Self::Batch => "batch",
            Self::Rate => "in/s",
            Self::Processed => "proc/s",
            Self::Spark => "rate, 60 s",
            Self::P50 => "p50",
            Self::P99 => "p99",
            Self::Rows => "keys",
            Self::Bytes => "bytes",
            Self::Trend => "trend",
            Self::Watermark => "watermark",
            Self::Warnings => "warnings",
        }
    }

    /// Whether one can sort by it.
    pub(crate) fn sorts(self) -> bool {
        !matches!(self, Self::Spark | Self::Trend)
    }

    /// The column whose head or first letters are these.
    pub(crate) fn named(word: &str) -> Option<Self> {
        let word = word.to_lowercase();
        let mut columns = Self::ALL.into_iter().filter(|column| column.sorts());
        columns
            .clone()
            .find(|column| column.title() == word)
            .or_else(|| columns.find(|column| !word.is_empty() && column.title().starts_with(&word)))
    }

    /// The next column to sort by.
    pub(crate) fn next_sorting(self) -> Self {
        let at = Self::ALL.iter().position(|column| *column == self).unwrap_or(0);
        let round = Self::ALL.iter().cycle().skip(at + 1);
        round.copied().find(|column| column.sorts()).unwrap_or(Self::Name)
    }

    fn value(self, query: &QuerySnapshot, history: &History, now_ms: i64) -> Value {
        let number = |value: Option<f64>| value.map_or(Value::Missing, Value::Number);
        match self {
            Self::Name | Self::Spark | Self::Trend => Value::Text(query.name.to_lowercase()),
            Self::State => Value::Text(query.state.as_str().to_string()),
            Self::Mode => Value::Text(query.output_mode.to_string()),
            Self::Trigger => Value::Text(query.trigger.to_lowercase()),
            Self::Batch => number(batch_id(query).map(to_f64)),
            Self::Rate => number(rate(query, history, now_ms)),
            Self::Processed => number(history.processed_per_second()),
            Self::P50 => number(history.p50_us.map(to_f64)),
            Self::P99 => number(history.p99_us.map(to_f64)),
            Self::Rows => number(state_rows(query).map(to_f64)),
            Self::Bytes => number(state_bytes(query).map(to_f64)),
            Self::Watermark => {
                let lag = lag_ms(query, history, now_ms);
                number(lag.map(|lag| to_f64(lag.unsigned_abs()) * if lag < 0 { -1.0 } else { 1.0 }))
            }
            Self::Warnings => number(Some(to_f64(query.warnings.len() as u64))),
        }
    }
}

/// What a row sorts by; what is missing comes last, whatever the order.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Text(String),
    Number(f64),
    Missing,
}

/// By which column, and whether the largest comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sort {
    pub(crate) column: Column,
    pub(crate) descending: bool,
}

impl Default for Sort {
    fn default() -> Self {
        Self {
            column: Column::Name,
            descending: false,
        }
    }
}

impl Sort {
    /// By this column; by the same one the other way round. Numbers begin with the largest.
    pub(crate) fn by(self, column: Column) -> Self {
        if self.column == column {
            return Self {
                column,
                descending: !self.descending,
            };
        }
        let words = matches!(
            column,
            Column::Name | Column::State | Column::Mode | Column::Trigger
        );
        Self {
            column,
            descending: !words,
        }
    }

    /// Puts rows in order. Rows that are equal stay in the order of their names.
    pub(crate) fn apply<'a>(
        self,
        queries: &mut [&'a QuerySnapshot],
        now_ms: i64,
        history: impl Fn(&'a QuerySnapshot) -> std::sync::Arc<History>,
    ) {
        queries.sort_by_cached_key(|query| query.name.to_lowercase());
        let mut keyed: Vec<(Value, &QuerySnapshot)> = queries
            .iter()
            .map(|query| (self.column.value(query, &history(query), now_ms), *query))
            .collect();
        keyed.sort_by(|(one, _), (other, _)| match (one, other) {
            (Value::Missing, Value::Missing) => Ordering::Equal,
            (Value::Missing, _) => Ordering::Greater,
            (_, Value::Missing) => Ordering::Less,
            _ if self.descending => compare(other, one),
            _ => compare(one, other),
        });
        for (place, (_, query)) in queries.iter_mut().zip(keyed) {
            *place = query;
        }
    }
}

fn compare(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) => one.cmp(other),
        (Value::Number(one), Value::Number(other)) => one.total_cmp(other),
        _ => Ordering::Equal,
    }
}

/// Whether a query is shown under a filter: every word of it is in its name, state, mode, source or sink.
pub(crate) fn matches(query: &QuerySnapshot, filter: &str) -> bool {
    let hay = format!(
        "{} {} {} {} {}",
        query.name,
        query.state.as_str(),
        query.output_mode,
        query.sources.join(" "),
        query.sink
    )
    .to_lowercase();
    filter
        .to_lowercase()
        .split_whitespace()
        .all(|word| hay.contains(word))
}

/// The last progress of a query's run.
pub(crate) fn last_progress(query: &QuerySnapshot) -> Option<&StreamingQueryProgress> {
    query.recent_progress.back().map(AsRef::as_ref)
}

/// The batch that was done last.
pub(crate) fn batch_id(query: &QuerySnapshot) -> Option<u64> {
    query
        .last_committed
        .or_else(|| last_progress(query).map(|progress| progress.batch_id))
}

/// Rows a second that arrive, while it runs.
pub(crate) fn rate(query: &QuerySnapshot, history: &History, now_ms: i64) -> Option<f64> {
    if query.state.is_active() {
        history.rows_per_second(now_ms)
    } else {
        None
    }
}

/// Keys in all its operators' state; `None` for a query without state.
pub(crate) fn state_rows(query: &QuerySnapshot) -> Option<u64> {
    let operators = &last_progress(query)?.state_operators;
    (!operators.is_empty()).then(|| operators.iter().map(|operator| operator.num_rows_total).sum())
}

/// Memory of all its operators' state.
pub(crate) fn state_bytes(query: &QuerySnapshot) -> Option<u64> {
    let operators = &last_progress(query)?.state_operators;
    (!operators.is_empty()).then(|| operators.iter().map(|operator| operator.memory_used_bytes).sum())
}

/// The watermark, in milliseconds since the epoch; `None` without one, and until rows have moved it.
pub(crate) fn watermark_ms(query: &QuerySnapshot) -> Option<i64> {
    let progress = last_progress(query)?;
    parse_ms(progress.event_time.get("watermark")?).filter(|at| *at > 0)
}

/// How far the watermark is behind the clock, or behind the last batch where no batches run.
pub(crate) fn lag_ms(query: &QuerySnapshot, history: &History, now_ms: i64) -> Option<i64> {
    let now_ms = if query.state.is_active() {
        now_ms
    } else {
        history.last_at_ms.unwrap_or(now_ms)
    };
    Some(now_ms - watermark_ms(query)?)
}

/// The moment that a query's picture is of: now while it runs, else just after its last batch.
pub(crate) fn moment_ms(query: &QuerySnapshot, history: &History, now_ms: i64) -> i64 {
    if query.state.is_active() {
        now_ms
    } else {
        history.last_at_ms.map_or(now_ms, |at| at + 1_000)
    }
}
