//! What the workbench remembers of each query's progress: rows a second, latencies, the growth of state.
//!
//! A snapshot holds a query's last hundred batches, which may be ten seconds or an hour. Charts want seconds, so
//! every batch is added, once, to the seconds that it covers: its rows arrived between the batch before and it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use chrono::DateTime;
use uuid::Uuid;

use crate::engine::Snapshot;
use crate::engine::snapshot::QuerySnapshot;
use crate::execution::progress::StreamingQueryProgress;
use crate::tui::units::to_f64;

/// Seconds that are kept: half an hour, what a chart can show at most.
const KEPT_SECONDS: usize = 1_800;
/// Accounts of a query that are kept, one a batch that was seen as the newest.
const KEPT_ACCOUNTS: usize = 100;
/// The rate shown is that of the batches of this long.
const RATE_WINDOW_MS: i64 = 10_000;
/// Rows of a batch are spread over at most this long: a batch after a pause arrived at its end.
const LONGEST_SPREAD_MS: i64 = 5_000;

/// The history of every query.
#[derive(Debug, Clone, Default)]
pub(crate) struct Histories(HashMap<Uuid, Arc<History>>);

impl Histories {
    /// Adds what a snapshot has that was not seen before, and forgets queries that are gone.
    pub(crate) fn ingest(&mut self, snapshot: &Snapshot) {
        self.0
            .retain(|id, _| snapshot.queries.iter().any(|query| query.id == *id));
        for query in &snapshot.queries {
            let history = self.0.entry(query.id).or_default();
            if history.last_is(query.recent_progress.back()) {
                continue;
            }
            let history = Arc::make_mut(history);
            history.ingest(&query.recent_progress);
            history.accounts.push_back(Arc::clone(query));
            if history.accounts.len() > KEPT_ACCOUNTS {
                history.accounts.pop_front();
            }
        }
    }

    /// The history of one query.
    pub(crate) fn of(&self, id: Uuid) -> Arc<History> {
        self.0.get(&id).map(Arc::clone).unwrap_or_default()
    }
}

/// What is remembered of one query.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    last: Option<Arc<StreamingQueryProgress>>,
    /// When the last batch's trigger fired.
    pub(crate) last_at_ms: Option<i64>,
    seconds: VecDeque<Second>,
    recent: VecDeque<Recent>,
    accounts: VecDeque<Arc<QuerySnapshot>>,
    /// The median duration of the recent batches, in microseconds.
    pub(crate) p50_us: Option<u64>,
    /// Of a hundred batches, one takes longer.
    pub(crate) p99_us: Option<u64>,
    /// Rows dropped as late since the workbench opened.
    pub(crate) dropped: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Second {
    at: i64,
    rows: f64,
    /// Rows given to the sink.
    written: f64,
    /// The longest batch whose trigger fired in it.
    longest_us: u64,
    state_rows: u64,
}

/// A piece of the time axis: steps of whole seconds that end at a multiple of their length, so that a line moves by
/// whole steps and does not shimmer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Steps {
    /// Where the last step ends, in seconds since the epoch.
    pub(crate) end_s: i64,
    /// Seconds of a step.
    pub(crate) step_s: i64,
    /// How many steps there are.
    pub(crate) count: usize,
}

#[derive(Debug, Clone, Copy)]
struct Recent {
    at_ms: i64,
    rows: f64,
    busy_us: f64,
}

impl History {
    fn last_is(&self, newest: Option<&Arc<StreamingQueryProgress>>) -> bool {
        match (&self.last, newest) {
            (Some(last), Some(newest)) => Arc::ptr_eq(last, newest),
            (_, None) => true,
            (None, Some(_)) => false,
        }
    }

    fn ingest(&mut self, recent: &VecDeque<Arc<StreamingQueryProgress>>) {
        let seen = self
            .last
            .as_ref()
            .and_then(|last| recent.iter().rposition(|known| Arc::ptr_eq(known, last)));
        for progress in recent.iter().skip(seen.map_or(0, |at| at + 1)) {
            self.add(progress);
        }
        self.last = recent.back().map(Arc::clone);
        self.take_percentiles(recent.iter());
    }

    /// What was remembered when the batch at `at` was the newest of `recent`.
    pub(crate) fn until(&self, recent: &VecDeque<Arc<StreamingQueryProgress>>, at: usize) -> Self {
        let mut then = self.clone();
        let later: u64 = recent.iter().skip(at + 1).map(|batch| dropped(batch)).sum();
        then.dropped = self.dropped.saturating_sub(later);
        let Some(last) = recent.get(at) else { return then };
        let last_at_ms = parse_ms(&last.timestamp);
        if let Some(last_at_ms) = last_at_ms {
            let second = last_at_ms.div_euclid(1000);
            while then.seconds.back().is_some_and(|newest| newest.at > second) {
                then.seconds.pop_back();
            }
        }
        then.last = Some(Arc::clone(last));
        then.last_at_ms = last_at_ms;
        then.recent.clear();
        for batch in recent.iter().take(at + 1) {
            then.remember(batch);
        }
        then.take_percentiles(recent.iter().take(at + 1));
        then
    }

    /// What the query said of itself when this batch was its newest, if that was seen: a fast query has batches that no
    /// snapshot was of.
    pub(crate) fn account_at(&self, batch: &Arc<StreamingQueryProgress>) -> Option<&Arc<QuerySnapshot>> {
        self.accounts.iter().rev().find(|account| {
            let newest = account.recent_progress.back();
            newest.is_some_and(|newest| Arc::ptr_eq(newest, batch))
        })
    }

    fn take_percentiles<'a>(&mut self, recent: impl Iterator<Item = &'a Arc<StreamingQueryProgress>>) {
        let mut durations: Vec<u64> = recent
            .filter(|progress| is_batch(progress))
            .map(|progress| duration_us(progress))
            .collect();
        durations.sort_unstable();
        self.p50_us = percentile(&durations, 50);
        self.p99_us = percentile(&durations, 99);
    }

    /// Puts a batch among those that the present rate is made of.
    fn remember(&mut self, progress: &StreamingQueryProgress) {
        let Some(at_ms) = parse_ms(&progress.timestamp) else {
            return;
        };
        self.recent.push_back(Recent {
            at_ms,
            rows: to_f64(progress.num_input_rows),
            busy_us: to_f64(duration_us(progress)),
        });
        while self.recent.len() > 2 && self.recent[1].at_ms < at_ms - RATE_WINDOW_MS {
            self.recent.pop_front();
        }
    }

    fn add(&mut self, progress: &StreamingQueryProgress) {
        let Some(at_ms) = parse_ms(&progress.timestamp) else {
            return;
        };
        let rows = to_f64(progress.num_input_rows);
        let since = self
            .last_at_ms
            .unwrap_or(at_ms - 1_000)
            .max(at_ms - LONGEST_SPREAD_MS)
            .min(at_ms - 1);
        self.spread(rows, since, at_ms);
        let state_rows = progress
            .state_operators
            .iter()
            .map(|operator| operator.num_rows_total)
            .sum();
        let written = to_float(progress.sink.num_output_rows);
        if let Some(second) = self.seconds.back_mut() {
            second.state_rows = state_rows;
            second.written += written;
            second.longest_us = second.longest_us.max(duration_us(progress));
        }
        self.dropped += dropped(progress);
        self.remember(progress);
        self.last_at_ms = Some(at_ms);
    }

    /// Adds rows that arrived evenly between two moments.
    fn spread(&mut self, rows: f64, from_ms: i64, to_ms: i64) {
        let per_ms = rows / to_float(to_ms - from_ms);
        for at in from_ms.div_euclid(1000)..=(to_ms - 1).div_euclid(1000) {
            let covered = (to_ms.min((at + 1) * 1000) - from_ms.max(at * 1000)).max(0);
            self.second(at).rows += per_ms * to_float(covered);
        }
    }

    /// The entry of a second, made if it is new. A second before the first kept one counts as that.
    fn second(&mut self, at: i64) -> &mut Second {
        let state_rows = self.seconds.back().map_or(0, |second| second.state_rows);
        if self.seconds.back().is_none_or(|last| last.at < at) {
            self.seconds.push_back(Second {
                at,
                state_rows,
                ..Second::default()
            });
            if self.seconds.len() > KEPT_SECONDS {
                self.seconds.pop_front();
            }
        }
        let at = self
            .seconds
            .iter()
            .rposition(|second| second.at <= at)
            .unwrap_or(0);
        &mut self.seconds[at]
    }

    /// Rows a second that arrive now, from the batches of the last ten seconds; `None` before the first batch.
    pub(crate) fn rows_per_second(&self, now_ms: i64) -> Option<f64> {
        let (first, last) = (self.recent.front()?, self.recent.back()?);
        if self.recent.len() == 1 {
            let told = self
                .last
                .as_ref()
                .map(|last| last.input_rows_per_second)
                .filter(|rate| *rate > 0.0);
            return Some(told.unwrap_or(first.rows));
        }
        let rows: f64 = self.recent.iter().skip(1).map(|batch| batch.rows).sum();
        let span = last.at_ms - first.at_ms;
        // While the next batch may still be on its way, the rate is that of the batches before; later it falls.
        let span = if self.is_overdue(now_ms) {
            now_ms - first.at_ms
        } else {
            span
        };
        Some(rows * 1000.0 / to_float(span.max(1)))
    }

    /// Whether the next batch is later than those before it let expect.
    fn is_overdue(&self, now_ms: i64) -> bool {
        let (Some(first), Some(last)) = (self.recent.front(), self.recent.back()) else {
            return false;
        };
        let gaps = i64::try_from(self.recent.len() - 1).unwrap_or(1).max(1);
        now_ms - last.at_ms > 2 * (last.at_ms - first.at_ms) / gaps + 1_000
    }

    /// Rows a second that go to the sink, over about the same time.
    pub(crate) fn written_per_second(&self, now_ms: i64) -> Option<f64> {
        let values = self.written(self.steps(now_ms, 10, 10));
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / to_f64(values.len() as u64))
    }

    /// Rows a second that the query could take: rows by the time spent in batches.
    pub(crate) fn processed_per_second(&self) -> Option<f64> {
        let rows: f64 = self.recent.iter().map(|batch| batch.rows).sum();
        let busy: f64 = self.recent.iter().map(|batch| batch.busy_us).sum();
        (busy > 0.0 && rows > 0.0).then(|| rows * 1e6 / busy)
    }

    /// The last `span_s` seconds before `now_ms` in at most `cells` steps.
    pub(crate) fn steps(&self, now_ms: i64, span_s: usize, cells: usize) -> Steps {
        let step = span_s.div_ceil(cells.max(1)).max(1);
        let step_s = i64::try_from(step).unwrap_or(1);
        // A second that no batch has covered wholly would look like a drop: it comes in with the batch that does. But
        // where a batch stays away, nothing is what arrives.
        let known = match self.last_at_ms {
            Some(last) if !self.is_overdue(now_ms) => last.min(now_ms),
            _ => now_ms,
        };
        Steps {
            end_s: known.div_euclid(1000).div_euclid(step_s) * step_s,
            step_s,
            count: cells.min(span_s.div_ceil(step)),
        }
    }

    /// Rows a second that arrived in each step, oldest first; fewer than the steps where nothing is known yet.
    pub(crate) fn rates(&self, steps: Steps) -> Vec<f64> {
        self.values(steps, |seconds| {
            seconds.map(|second| second.rows).sum::<f64>() / to_float(steps.step_s)
        })
    }

    /// Rows a second that went to the sink in each step.
    pub(crate) fn written(&self, steps: Steps) -> Vec<f64> {
        self.values(steps, |seconds| {
            seconds.map(|second| second.written).sum::<f64>() / to_float(steps.step_s)
        })
    }

    /// The longest batch of each step, in microseconds.
    pub(crate) fn longest(&self, steps: Steps) -> Vec<f64> {
        self.values(steps, |seconds| {
            to_f64(seconds.map(|second| second.longest_us).max().unwrap_or(0))
        })
    }

    /// Keys in the state at the end of each step.
    pub(crate) fn state_rows(&self, steps: Steps) -> Vec<f64> {
        let mut known = 0.0;
        self.values(steps, |seconds| {
            if let Some(second) = seconds.last() {
                known = to_f64(second.state_rows);
            }
            known
        })
    }

    fn values(
        &self,
        steps: Steps,
        mut value: impl FnMut(std::collections::vec_deque::Iter<'_, Second>) -> f64,
    ) -> Vec<f64> {
        let Some(first) = self.seconds.front() else {
            return Vec::new();
        };
        let Steps { end_s, step_s, count } = steps;
        let begin = end_s - i64::try_from(count).unwrap_or(0) * step_s;
        let mut from = begin.max(first.at.div_euclid(step_s) * step_s);
        let mut values = Vec::with_capacity(count);
        while from < end_s {
            let low = self.seconds.partition_point(|second| second.at < from);
            let high = self.seconds.partition_point(|second| second.at < from + step_s);
            values.push(value(self.seconds.range(low..high)));
            from += step_s;
        }
        values
    }
}

/// Rows that a batch dropped as late.
pub(crate) fn dropped(progress: &StreamingQueryProgress) -> u64 {
    let operators = progress.state_operators.iter();
    operators
        .map(|operator| operator.num_rows_dropped_by_watermark)
        .sum()
}

/// The most steps of a whole number of seconds that a minute on so many cells can have.
pub(crate) fn whole_steps(cells: usize) -> usize {
    [60, 30, 20, 15, 12, 10, 6, 5, 4, 3, 2]
        .into_iter()
        .find(|steps| *steps <= cells)
        .unwrap_or(1)
}

/// Whether a progress tells of a batch that ran, not of an idle trigger.
pub(crate) fn is_batch(progress: &StreamingQueryProgress) -> bool {
    progress.num_input_rows > 0 || progress.duration_ms.contains_key("addBatch")
}

/// How long the batch took, as exactly as it is known.
pub(crate) fn duration_us(progress: &StreamingQueryProgress) -> u64 {
    progress
        .duration_us
        .get("triggerExecution")
        .copied()
        .unwrap_or(progress.batch_duration * 1000)
}

/// Milliseconds since the epoch of an ISO 8601 time.
pub(crate) fn parse_ms(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|time| time.timestamp_millis())
}

/// The nearest-rank percentile of sorted values.
fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// Milliseconds as a float.
fn to_float(value: i64) -> f64 {
    to_f64(u64::try_from(value).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fake::{self, BASE_MS};

    fn history(batches: &[(i64, u64)]) -> History {
        let mut ring = VecDeque::new();
        let mut history = History::default();
        for (id, (at, rows)) in batches.iter().enumerate() {
            ring.push_back(Arc::new(fake::progress(id as u64, BASE_MS + at, *rows)));
            history.ingest(&ring);
        }
        history
    }

    fn minute(history: &History, now_ms: i64) -> Vec<f64> {
        history.rates(history.steps(now_ms, 60, 60))
    }

    #[test]
    fn an_earlier_moment_knows_nothing_of_later_batches() {
        let mut ring = VecDeque::new();
        let mut live = History::default();
        let mut then = None;
        for id in 0..20u64 {
            let mut progress = fake::progress(id, BASE_MS + 1000 * id.cast_signed(), 10 * id);
            progress
                .duration_us
                .insert("triggerExecution".to_string(), 1_000 + id);
            progress
                .state_operators
                .push(crate::execution::progress::StateOperatorProgress {
                    num_rows_total: id,
                    num_rows_dropped_by_watermark: 1,
                    ..Default::default()
                });
            ring.push_back(Arc::new(progress));
            live.ingest(&ring);
            if id == 7 {
                then = Some(live.clone());
            }
        }
        let (past, then) = (live.until(&ring, 7), then.expect("the eighth batch"));
        let moment = BASE_MS + 7_500;
        let steps = then.steps(moment, 60, 30);
        assert_eq!(past.steps(moment, 60, 30), steps);
        assert_eq!(past.rates(steps), then.rates(steps));
        assert_eq!(past.state_rows(steps), then.state_rows(steps));
        assert_eq!(
            (past.dropped, past.p50_us, past.p99_us),
            (then.dropped, then.p50_us, then.p99_us)
        );
        assert_eq!(past.rows_per_second(moment), then.rows_per_second(moment));
    }

    #[test]
    fn the_rate_is_rows_over_time_and_falls_when_batches_stay_away() {
        let history = history(&[(0, 100), (1_000, 100), (2_000, 100), (3_000, 100)]);
        assert_eq!(history.rows_per_second(BASE_MS + 3_500), Some(100.0));
        assert_eq!(history.rows_per_second(BASE_MS + 10_000), Some(30.0));
    }

    #[test]
    fn rows_are_spread_over_the_seconds_they_arrived_in() {
        let history = history(&[(0, 0), (4_000, 400), (4_500, 50)]);
        let covered = [0.0, 100.0, 100.0, 100.0, 100.0];
        assert_eq!(minute(&history, BASE_MS + 4_600), covered);
        assert_eq!(
            minute(&history, BASE_MS + 5_900),
            covered,
            "half a second is no drop"
        );
        let later = minute(&history, BASE_MS + 12_000);
        assert_eq!(later[..5], covered);
        assert_eq!(
            later[5..],
            [50.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            "but silence is"
        );
    }

    #[test]
    fn a_pause_does_not_flatten_what_comes_after_it() {
        let history = history(&[(0, 10), (60_000, 500)]);
        let rates = minute(&history, BASE_MS + 60_000);
        assert_eq!(rates.last(), Some(&100.0));
        assert_eq!(rates.iter().filter(|rate| **rate > 0.0).count(), 5);
    }

    #[test]
    fn a_batch_is_counted_once_however_often_it_is_seen() {
        let ring: VecDeque<_> = (0..3)
            .map(|id| Arc::new(fake::progress(id, BASE_MS + 1000 * id.cast_signed(), 7)))
            .collect();
        let mut once = History::default();
        once.ingest(&ring);
        let mut twice = once.clone();
        twice.ingest(&ring);
        assert_eq!(minute(&once, BASE_MS + 9_000), minute(&twice, BASE_MS + 9_000));
    }

    #[test]
    fn percentiles_are_of_the_recent_batches() {
        let mut ring = VecDeque::new();
        for id in 0..100u64 {
            let mut progress = fake::progress(id, BASE_MS, 1);
            progress
                .duration_us
                .insert("triggerExecution".to_string(), (id + 1) * 1000);
            ring.push_back(Arc::new(progress));
        }
        let mut history = History::default();
        history.ingest(&ring);
        assert_eq!((history.p50_us, history.p99_us), (Some(50_000), Some(99_000)));
    }
}
