//! What is worth a look in a query: pure functions over its recent progress and the facts of its plan.
//!
//! | lint | says |
//! | --- | --- |
//! | `late-rows` | rows came too late for the watermark and were dropped |
//! | `unbounded-state` | nothing ever takes keys out of an operator's state |
//! | `watermark-stuck` | rows come and the watermark stands, and which stream holds it |
//! | `starved-source` | one of several sources gives nothing while the others do |
//! | `input-above-processing` | more rows arrive in a second than are processed in one |
//! | `trigger-behind` | batches take longer than the trigger's interval |
//! | `slow-commit` | the checkpoint takes longer than the rows |
//! | `skewed-key` | one key has most of what a join keeps |
//!
//! A lint speaks of the last batches only, so it goes away when what it complains of has ended. None of them is about
//! silence alone: a query whose sources have nothing new is as it should be.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::execution::event_time::EventTimeFacts;
use crate::execution::progress::{StreamingQueryProgress, iso_millis};
use crate::execution::trigger::Trigger;
use crate::interval::format_duration_us;
use crate::operators::context::OperatorFacts;
use crate::sink::OutputMode;

/// How many batches with rows have to agree before a rate, a time or a silence is worth a warning.
const ENOUGH_BATCHES: usize = 5;
/// How many batches are looked back at for what comes and goes.
const LAST_BATCHES: usize = 10;
/// A watermark that stands for less is not stuck: event times may be whole seconds, or come in bursts.
const STUCK_MS: i64 = 10_000;
/// A commit below this is no trouble, however quick the rows are: every batch has one.
const SLOW_COMMIT_US: u64 = 100_000;
/// Rates within this factor are equal.
const RATE_MARGIN: f64 = 1.05;
/// A join's state below this many rows is not worth a word about its keys.
const MIN_SKEWED_ROWS: u64 = 1_000;

/// Something worth a look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Warning {
    /// A short stable name: `late-rows`, `watermark-stuck`, `unbounded-state`. A query has at most one of each, but for
    /// those about operators and sources, of which it has one each.
    pub lint: &'static str,
    /// One sentence with the numbers.
    pub message: String,
    /// What to do about it, where there is something to do.
    pub hint: Option<String>,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.lint, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, ". {hint}"),
            None => Ok(()),
        }
    }
}

/// What is known of a query.
#[derive(Debug, Clone, Copy)]
pub struct QueryFacts<'a> {
    /// The progress of its last batches, oldest first.
    pub recent: &'a VecDeque<Arc<StreamingQueryProgress>>,
    /// Its stateful operators, by number.
    pub operators: &'a [OperatorFacts],
    /// How many rows the largest known key of each operator has; 0 where it is not known.
    pub largest_keys: &'a [u64],
    /// Where it stands in event time.
    pub event_time: Option<&'a EventTimeFacts>,
    /// Its trigger.
    pub trigger: Trigger,
    /// What a batch's rows mean.
    pub output_mode: OutputMode,
}

/// Everything worth a look, the worst first.
pub fn warnings(facts: &QueryFacts<'_>) -> Vec<Warning> {
    let mut found = Vec::new();
    found.extend(watermark_stuck(facts));
    found.extend(unbounded_state(facts));
    found.extend(late_rows(facts));
    found.extend(input_above_processing(facts));
    found.extend(trigger_behind(facts));
    found.extend(slow_commit(facts));
    found.extend(starved_sources(facts));
    found.extend(skewed_keys(facts));
    found
}

fn late_rows(facts: &QueryFacts<'_>) -> Option<Warning> {
    let dropped = |progress: &StreamingQueryProgress| {
        let operators = progress.state_operators.iter();
        operators
            .map(|operator| operator.num_rows_dropped_by_watermark)
            .sum::<u64>()
    };
    let late = facts.recent.iter().map(|progress| dropped(progress)).sum::<u64>();
    let last = facts.recent.iter().rev().find(|progress| dropped(progress) > 0)?;
    Some(Warning {
        lint: "late-rows",
        message: format!(
            "{} came too late in the last {} and {} dropped, the last in batch {}",
            count(late, "row", "rows"),
            count(facts.recent.len() as u64, "batch", "batches"),
            if late == 1 { "was" } else { "were" },
            last.batch_id
        ),
        hint: Some("A longer DELAY in WATERMARK waits longer for them, and keeps more state.".to_owned()),
    })
}

fn unbounded_state(facts: &QueryFacts<'_>) -> Vec<Warning> {
    let operators = facts.operators.iter().enumerate();
    let unbounded = operators.filter(|(_, operator)| !operator.is_evicting && operator.layout.num_keys > 0);
    let warnings = unbounded.map(|(number, operator)| {
        let keys = facts
            .recent
            .back()
            .and_then(|last| last.state_operators.get(number));
        let keys = keys.map_or(0, |state| state.num_rows_total);
        let what = operator.signature.split(';').next().unwrap_or(operator.name);
        Warning {
            lint: "unbounded-state",
            message: format!(
                "nothing takes keys out of the state of operator {number}, {what}: {} so far",
                count(keys, "key", "keys")
            ),
            hint: Some(how_to_bound(operator, facts).to_owned()),
        }
    });
    warnings.collect()
}

fn how_to_bound(operator: &OperatorFacts, facts: &QueryFacts<'_>) -> &'static str {
    match operator.name {
        "dedupe" | "dedupeWithinWatermark" => {
            "Declare WATERMARK column DELAY OF INTERVAL ... on the stream, and write DISTINCT ON (...) WITHIN WATERMARK, or \
             have the event time among the columns of DISTINCT ON."
        }
        name if name.starts_with("symmetricHashJoin") => {
            "Declare WATERMARK on both streams, and join on the same window or within a range of event time."
        }
        _ if facts.output_mode == OutputMode::Complete => {
            "COMPLETE keeps every group. UPDATE or APPEND with a WATERMARK forgets those that are over."
        }
        _ => {
            "Declare WATERMARK column DELAY OF INTERVAL ... on the stream, and group by window(column, ...) beside the other \
             keys."
        }
    }
}

/// Rows come, and the watermark that the batches run with is the same.
fn watermark_stuck(facts: &QueryFacts<'_>) -> Option<Warning> {
    let event_time = facts.event_time?;
    let watermark = |progress: &StreamingQueryProgress| progress.event_time.get("watermark").cloned();
    let stands_at = watermark(facts.recent.back()?)?;
    let stretch = facts.recent.iter().rev();
    let stretch = stretch.take_while(|progress| watermark(progress).as_ref() == Some(&stands_at));
    let with_rows = stretch
        .filter(|progress| progress.num_input_rows > 0)
        .collect::<Vec<_>>();
    let (newest, oldest) = (with_rows.first()?, with_rows.last()?);
    if with_rows.len() < ENOUGH_BATCHES || time_ms(newest)? - time_ms(oldest)? < STUCK_MS {
        return None;
    }
    let holding = event_time.watermarks.iter().filter(|watermark| watermark.decides);
    let held = holding.min_by_key(|watermark| watermark.silent_since_ms)?;
    // The last batch's rows count from the next batch on.
    if event_time
        .watermark_ms
        .is_some_and(|now_ms| iso_millis(now_ms) != stands_at)
    {
        return None;
    }
    let stream = held.streams.join(", ");
    let batches = count(with_rows.len() as u64, "batch", "batches");
    let others_go_on = event_time.watermarks.iter().any(|other| {
        !other.decides && other.newest_event_ms.is_some() && other.watermark_ms > held.watermark_ms
    });
    let stands = match event_time.watermark_ms {
        Some(_) => format!("the watermark has stood at {stands_at} for {batches} with rows"),
        None => format!("there is no watermark yet after {batches} with rows"),
    };
    let first = with_rows
        .first()
        .map_or("", |progress| progress.timestamp.as_str());
    let silent_since = iso_millis(held.silent_since_ms);
    Some(if others_go_on {
        Warning {
            lint: "watermark-stuck",
            message: if silent_since.as_str() <= first {
                format!("{stands}: it waits for stream {stream}, which has had no row since {silent_since}")
            } else {
                let column = &held.column;
                format!("{stands}: it waits for stream {stream}, whose rows bring no newer {column}")
            },
            hint: Some(
                "The slowest stream counts. SET spark.sql.streaming.multipleWatermarkPolicy = max before the query is made \
                 lets the fastest count, and drops the late rows of the others."
                    .to_owned(),
            ),
        }
    } else {
        Warning {
            lint: "watermark-stuck",
            message: format!(
                "{stands}: the rows of stream {stream} bring no newer {}",
                held.column
            ),
            hint: Some(format!(
                "It moves when a row has a {} that is newer than all before it.",
                held.column
            )),
        }
    })
}

fn starved_sources(facts: &QueryFacts<'_>) -> Vec<Warning> {
    let with_rows = last_with_rows(facts);
    let Some(last) = with_rows.last().filter(|_| with_rows.len() >= LAST_BATCHES) else {
        return Vec::new();
    };
    let starved = last.sources.iter().enumerate().filter(|(at, _)| {
        let rows = |progress: &&StreamingQueryProgress| {
            progress
                .sources
                .get(*at)
                .is_some_and(|source| source.num_input_rows > 0)
        };
        !with_rows.iter().any(rows)
    });
    let warnings = starved.map(|(_, source)| Warning {
        lint: "starved-source",
        message: format!(
            "{} has given no row in the last {} batches, while others have",
            source.description,
            with_rows.len()
        ),
        hint: None,
    });
    warnings.collect()
}

fn input_above_processing(facts: &QueryFacts<'_>) -> Option<Warning> {
    let with_rows = last_with_rows(facts);
    // The first batch of a run has no time before it.
    let rated = with_rows
        .into_iter()
        .filter(|progress| progress.input_rows_per_second > 0.0)
        .collect::<Vec<_>>();
    if rated.len() < ENOUGH_BATCHES {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "a mean of few")]
    let mean = |of: fn(&StreamingQueryProgress) -> f64| {
        rated.iter().map(|progress| of(progress)).sum::<f64>() / rated.len() as f64
    };
    let input = mean(|progress| progress.input_rows_per_second);
    let processed = mean(|progress| progress.processed_rows_per_second);
    (input > processed * RATE_MARGIN).then(|| Warning {
        lint: "input-above-processing",
        message: format!(
            "{input:.0} rows/s arrive and {processed:.0} rows/s are processed, over the last {} batches",
            rated.len()
        ),
        hint: Some(
            "Batches grow until a source's limit holds them; see the Plan for what takes the time."
                .to_owned(),
        ),
    })
}

fn trigger_behind(facts: &QueryFacts<'_>) -> Option<Warning> {
    let Trigger::ProcessingTime(interval) = facts.trigger else {
        return None;
    };
    let interval_us = u64::try_from(interval.as_micros()).unwrap_or(u64::MAX);
    let last = last_batches(facts);
    let took = last
        .iter()
        .map(|progress| duration(progress, &["triggerExecution"]))
        .collect::<Vec<_>>();
    let is_behind =
        interval_us > 0 && took.len() >= ENOUGH_BATCHES && took.iter().all(|us| *us > interval_us);
    is_behind.then(|| Warning {
        lint: "trigger-behind",
        message: format!(
            "the last {} batches took {} on average, the trigger's interval is {}",
            took.len(),
            format_duration_us(i64::try_from(mean(&took)).unwrap_or(i64::MAX)),
            format_duration_us(i64::try_from(interval_us).unwrap_or(i64::MAX)),
        ),
        hint: Some(
            "Batches follow each other without a pause: a longer interval would give fewer, larger ones."
                .to_owned(),
        ),
    })
}

fn slow_commit(facts: &QueryFacts<'_>) -> Option<Warning> {
    let last = last_batches(facts);
    let commits = |progress: &StreamingQueryProgress| duration(progress, &["walCommit", "stateCommit"]);
    let commit = mean(&last.iter().map(|progress| commits(progress)).collect::<Vec<_>>());
    let execution = last.iter().map(|progress| duration(progress, &["addBatch"]));
    let execution = mean(&execution.collect::<Vec<_>>());
    let is_slow = last.len() >= ENOUGH_BATCHES && commit > execution && commit >= SLOW_COMMIT_US;
    is_slow.then(|| Warning {
        lint: "slow-commit",
        message: format!(
            "the checkpoint took {} ms a batch, the rows {} ms, over the last {} batches",
            commit / 1000,
            execution / 1000,
            last.len()
        ),
        hint: Some("Put the CHECKPOINT on a faster disk, or trigger less often.".to_owned()),
    })
}

fn skewed_keys(facts: &QueryFacts<'_>) -> Vec<Warning> {
    let Some(last) = facts.recent.back() else {
        return Vec::new();
    };
    let largest = facts.largest_keys.iter().zip(&last.state_operators).enumerate();
    let skewed = largest.filter(|(_, (largest, state))| {
        // Of other operators' keys many rows are no harm: a session's, say.
        let is_join = state.operator_name.starts_with("symmetricHashJoin");
        is_join && state.num_rows_total >= MIN_SKEWED_ROWS && **largest * 2 >= state.num_rows_total
    });
    let warnings = skewed.map(|(number, (largest, state))| Warning {
        lint: "skewed-key",
        message: format!(
            "one key has {largest} of the {} rows of operator {number}, {} %",
            state.num_rows_total,
            largest * 100 / state.num_rows_total
        ),
        hint: Some(
            "Each of its rows meets all of them: join on one more column, or drop the key before the join."
                .to_owned(),
        ),
    });
    warnings.collect()
}

/// The last batches, oldest first.
fn last_batches<'a>(facts: &QueryFacts<'a>) -> Vec<&'a StreamingQueryProgress> {
    let first = facts.recent.len().saturating_sub(LAST_BATCHES);
    facts.recent.range(first..).map(AsRef::as_ref).collect()
}

/// The last batches that had rows, oldest first.
fn last_with_rows<'a>(facts: &QueryFacts<'a>) -> Vec<&'a StreamingQueryProgress> {
    let with_rows = facts.recent.iter().rev().map(AsRef::as_ref);
    let with_rows = with_rows.filter(|progress: &&StreamingQueryProgress| progress.num_input_rows > 0);
    let mut last = with_rows.take(LAST_BATCHES).collect::<Vec<_>>();
    last.reverse();
    last
}

fn duration(progress: &StreamingQueryProgress, steps: &[&str]) -> u64 {
    steps
        .iter()
        .filter_map(|step| progress.duration_us.get(*step))
        .sum()
}

/// When a batch's trigger fired, in milliseconds since the epoch.
fn time_ms(progress: &StreamingQueryProgress) -> Option<i64> {
    let time = chrono::DateTime::parse_from_rfc3339(&progress.timestamp).ok()?;
    Some(time.timestamp_millis())
}

fn mean(values: &[u64]) -> u64 {
    values.iter().sum::<u64>() / (values.len() as u64).max(1)
}

fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
#[path = "lints_tests.rs"]
mod tests;
