//! What a query's event time looks like to a person: the watermark, what holds it back, which windows are open, and
//! why an append query has given no rows yet.
//!
//! Published with each batch. It is made of the watermark tracker and of both ends of each state's ordered index of
//! event times, so it costs the same however much state there is.

use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::physical_plan::ExecutionPlan;

use crate::execution::watermark::WatermarkTracker;
use crate::operators::context::OperatorContext;
use crate::operators::stream_scan::StreamScanExec;
use crate::operators::watermark::{EventTimeStats, EventTimeWatermarkExec};
use crate::sink::OutputMode;

/// How many of the open windows are listed; of the others the number is told, and the last one.
pub const MAX_LISTED_WINDOWS: usize = 16;

/// Where a query stands in event time after a batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventTimeFacts {
    /// The newest event time that this run has seen, of all streams, in milliseconds since the epoch; `None` before
    /// the first row.
    pub newest_event_ms: Option<i64>,
    /// The watermark that the next batch will run with, in milliseconds since the epoch; `None` while none is known.
    pub watermark_ms: Option<i64>,
    /// Rows of the next batch at or before this event time are late: the watermark that the last batch ran with.
    /// `None` while no row can be late.
    pub late_cutoff_ms: Option<i64>,
    /// One entry a WATERMARK of the query, in the order of the plan.
    pub watermarks: Vec<WatermarkSource>,
    /// What the query's states hold by event time, one entry a stateful operator that evicts by it.
    pub open: Vec<OpenState>,
    /// Rows of this run that came too late.
    pub late: LateRows,
    /// Why an append query holds rows back; `None` for a query that gives what it has with each batch.
    pub waiting: Option<Waiting>,
}

/// One WATERMARK of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatermarkSource {
    /// The streams whose rows it watches: one, but for a union.
    pub streams: Vec<String>,
    /// The column.
    pub column: String,
    /// How far it stays behind the newest event time, in milliseconds.
    pub delay_ms: i64,
    /// The newest event time that it has seen in this run, in milliseconds since the epoch.
    pub newest_event_ms: Option<i64>,
    /// Where it stands by itself, in milliseconds since the epoch; `None` before its first row.
    pub watermark_ms: Option<i64>,
    /// Since when it has seen no row, in milliseconds since the epoch: its last batch with rows, or the run's start.
    pub silent_since_ms: i64,
    /// Whether the query's watermark waits for it: the slowest one where the slowest counts, the only one, or the
    /// fastest one where the fastest counts.
    pub decides: bool,
}

/// What one stateful operator holds by event time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenState {
    /// The operator's number, as in progress (`stateOperators[operator]`) and in the plan's nodes.
    pub operator: u32,
    /// Spark's name of the operator.
    pub operator_name: &'static str,
    /// How many different event times there are: open windows, where the state is of windows.
    pub num_windows: u64,
    /// How many keys there are in all of them.
    pub num_keys: u64,
    /// The windows that close first, oldest first: at most [`MAX_LISTED_WINDOWS`].
    pub first: Vec<OpenWindow>,
    /// The window that closes last.
    pub last: Option<OpenWindow>,
}

/// The keys of a state that are evicted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenWindow {
    /// The window's start in microseconds since the epoch; `None` where the state is not of windows.
    pub start_us: Option<i64>,
    /// The window's end, or the event time of the keys, in microseconds since the epoch.
    pub end_us: i64,
    /// It closes with the first batch that runs with this watermark or a later one, in microseconds since the epoch. Later
    /// than [`Self::end_us`] where operators below may still give rows for it.
    pub closes_at_us: i64,
    /// How many keys it has.
    pub num_keys: u64,
}

/// Rows that came too late and were dropped, in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LateRows {
    /// How many in all.
    pub num_rows: u64,
    /// How many in the last batch that had some.
    pub last_num_rows: u64,
    /// That batch.
    pub last_batch_id: Option<u64>,
    /// The newest event time among the rows that this batch dropped, in microseconds since the epoch. Rows of windows are
    /// in their windows by then: it is the start of the window, or of its pane where windows slide.
    pub last_event_us: Option<i64>,
}

/// Why an append query with windows, sessions or other groups holds rows back: a group is given once, when the
/// watermark has passed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The operator that holds the rows, as [`OpenState::operator`].
    pub operator: u32,
    /// What waits.
    pub kind: WaitingKind,
    /// How many groups wait (a window each for each of the other keys).
    pub num_groups: u64,
    /// How many windows they are in.
    pub num_windows: u64,
    /// What closes next; `None` if nothing waits because no row has come.
    pub next: Option<OpenWindow>,
    /// The event time that a row must have, or pass, to close it, by the delay of the WATERMARK that decides; in
    /// milliseconds since the epoch.
    pub needs_event_ms: Option<i64>,
    /// Which of [`EventTimeFacts::watermarks`] holds the watermark back.
    pub held_back_by: Option<usize>,
}

/// What an append query waits with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitingKind {
    /// Windows of a size.
    Windows,
    /// Sessions.
    Sessions,
    /// Groups by an event time itself.
    Groups,
}

impl WaitingKind {
    /// The word for several of them: `windows`, `sessions`, `groups`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Windows => "windows",
            Self::Sessions => "sessions",
            Self::Groups => "groups",
        }
    }
}

/// Follows a run's event times from batch to batch and makes [`EventTimeFacts`] of them.
#[derive(Debug)]
pub(super) struct EventTimeWatch {
    watermarks: Vec<WatermarkSource>,
    operators: Vec<Arc<OperatorContext>>,
    mode: OutputMode,
    late: LateRows,
}

impl EventTimeWatch {
    /// Watches the watermarks and the stateful operators of a plan. `started_ms`: when the run began.
    pub(super) fn new(
        nodes: &[Arc<dyn ExecutionPlan>],
        operators: &[Arc<OperatorContext>],
        mode: OutputMode,
        started_ms: i64,
    ) -> Self {
        let watermarks = nodes.iter().filter_map(|node| {
            let watermark = node.downcast_ref::<EventTimeWatermarkExec>()?;
            Some(WatermarkSource {
                streams: streams_below(node),
                column: watermark.column_name().to_owned(),
                delay_ms: watermark.delay_ms(),
                newest_event_ms: None,
                watermark_ms: None,
                silent_since_ms: started_ms,
                decides: false,
            })
        });
        Self {
            watermarks: watermarks.collect(),
            operators: operators.to_vec(),
            mode,
            late: LateRows::default(),
        }
    }

    /// Takes in what each watermark saw in a batch that began at `now_ms`, and what the operators dropped.
    pub(super) fn batch(&mut self, batch_id: u64, now_ms: i64, seen: &[(EventTimeStats, i64)]) {
        for (watermark, (stats, _)) in self.watermarks.iter_mut().zip(seen) {
            if stats.count > 0 {
                let newest_ms = stats.max_us.div_euclid(1000);
                watermark.newest_event_ms = watermark.newest_event_ms.max(Some(newest_ms));
                watermark.silent_since_ms = now_ms;
            }
        }
        let numbers = self.operators.iter().map(|operator| operator.numbers());
        let late = numbers
            .filter(|numbers| numbers.dropped_late > 0)
            .collect::<Vec<_>>();
        if !late.is_empty() {
            self.late.last_num_rows = late.iter().map(|numbers| numbers.dropped_late).sum();
            self.late.num_rows += self.late.last_num_rows;
            self.late.last_batch_id = Some(batch_id);
            self.late.last_event_us = late.iter().filter_map(|numbers| numbers.newest_late_us).max();
        }
    }

    /// Where the query stands; `last_watermark_ms` is the watermark that the last batch ran with. `None` for a query
    /// without a watermark.
    pub(super) fn facts(&self, tracker: &WatermarkTracker, last_watermark_ms: i64) -> Option<EventTimeFacts> {
        if self.watermarks.is_empty() {
            return None;
        }
        let mut watermarks = self.watermarks.clone();
        for (watermark, at_ms) in watermarks.iter_mut().zip(tracker.each_ms()) {
            watermark.watermark_ms = *at_ms;
        }
        let deciding = tracker.deciding();
        for index in &deciding {
            if let Some(watermark) = watermarks.get_mut(*index) {
                watermark.decides = true;
            }
        }
        let open = self
            .operators
            .iter()
            .filter_map(|operator| operator.open(MAX_LISTED_WINDOWS))
            .collect::<Vec<_>>();
        let known = |at_ms: i64| (at_ms > 0).then_some(at_ms);
        let silent_longest = deciding
            .into_iter()
            .min_by_key(|index| watermarks.get(*index).map(|watermark| watermark.silent_since_ms));
        let waiting = match self.mode {
            OutputMode::Append => waiting(&open, &watermarks, silent_longest),
            OutputMode::Update | OutputMode::Complete => None,
        };
        Some(EventTimeFacts {
            newest_event_ms: watermarks
                .iter()
                .filter_map(|watermark| watermark.newest_event_ms)
                .max(),
            watermark_ms: known(tracker.watermark_ms()),
            late_cutoff_ms: known(last_watermark_ms),
            watermarks,
            open,
            late: self.late,
            waiting,
        })
    }
}

/// What an append query waits with. The topmost operator that holds something counts: what it gives is what a person
/// waits for.
fn waiting(
    open: &[OpenState],
    watermarks: &[WatermarkSource],
    held_back_by: Option<usize>,
) -> Option<Waiting> {
    let groups = open.iter().rev().filter(|state| kind_of(state).is_some());
    let state = groups
        .clone()
        .find(|state| state.num_keys > 0)
        .or_else(|| groups.clone().next())?;
    let next = state.first.first().copied();
    let delay_ms = held_back_by
        .and_then(|index| watermarks.get(index))
        .map(|watermark| watermark.delay_ms);
    Some(Waiting {
        operator: state.operator,
        kind: kind_of(state)?,
        num_groups: state.num_keys,
        num_windows: state.num_windows,
        // The watermark is in whole milliseconds.
        needs_event_ms: next
            .zip(delay_ms)
            .map(|(next, delay_ms)| ceil_ms(next.closes_at_us).saturating_add(delay_ms)),
        next,
        held_back_by,
    })
}

/// What a state holds rows of; `None` for one that gives its rows at once, as a deduplication does.
fn kind_of(state: &OpenState) -> Option<WaitingKind> {
    match state.operator_name {
        "stateStoreSave" | "topN" if state.first.iter().any(|window| window.start_us.is_none()) => {
            Some(WaitingKind::Groups)
        }
        "stateStoreSave" | "topN" => Some(WaitingKind::Windows),
        "sessionWindowStateStoreSaveExec" => Some(WaitingKind::Sessions),
        _ => None,
    }
}

fn ceil_ms(us: i64) -> i64 {
    us.div_euclid(1000) + i64::from(us.rem_euclid(1000) > 0)
}

/// The streams that a node's rows come from.
fn streams_below(node: &Arc<dyn ExecutionPlan>) -> Vec<String> {
    let mut streams = Vec::new();
    let walked = node.apply(|node| {
        if let Some(scan) = node.downcast_ref::<StreamScanExec>() {
            let name = scan.operator().stream().name.to_string();
            if !streams.contains(&name) {
                streams.push(name);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    });
    debug_assert!(walked.is_ok(), "the walk itself cannot fail");
    streams
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::watermark::WatermarkPolicy;

    const MINUTE_US: i64 = 60_000_000;

    fn window(end_us: i64, lag_us: i64) -> OpenWindow {
        OpenWindow {
            start_us: Some(end_us - MINUTE_US),
            end_us,
            closes_at_us: end_us + lag_us,
            num_keys: 2,
        }
    }

    fn state(operator: u32, operator_name: &'static str, ends_us: &[i64]) -> OpenState {
        let first = ends_us
            .iter()
            .map(|end_us| window(*end_us, 0))
            .collect::<Vec<_>>();
        OpenState {
            operator,
            operator_name,
            num_windows: ends_us.len() as u64,
            num_keys: 2 * ends_us.len() as u64,
            last: first.last().copied(),
            first,
        }
    }

    fn source(stream: &str, delay_ms: i64, silent_since_ms: i64) -> WatermarkSource {
        WatermarkSource {
            streams: vec![stream.to_owned()],
            column: "t".to_owned(),
            delay_ms,
            newest_event_ms: None,
            watermark_ms: None,
            silent_since_ms,
            decides: false,
        }
    }

    #[test]
    fn an_append_query_waits_for_its_oldest_window() {
        let watermarks = [source("orders", 30_000, 5)];
        let open = [state(0, "stateStoreSave", &[MINUTE_US, 2 * MINUTE_US])];
        let waits = waiting(&open, &watermarks, Some(0)).expect("windows wait");
        assert_eq!(
            (waits.kind, waits.num_windows, waits.num_groups),
            (WaitingKind::Windows, 2, 4)
        );
        assert_eq!(waits.next, Some(window(MINUTE_US, 0)));
        assert_eq!(waits.needs_event_ms, Some(60_000 + 30_000));
    }

    #[test]
    fn of_operators_in_a_row_the_topmost_with_keys_counts() {
        let open = [
            state(0, "stateStoreSave", &[MINUTE_US]),
            state(1, "stateStoreSave", &[]),
            state(2, "dedupe", &[MINUTE_US]),
        ];
        let waits = waiting(&open, &[], None).expect("windows wait");
        assert_eq!((waits.operator, waits.needs_event_ms), (0, None));
        assert_eq!(
            waiting(&open[2..], &[], None),
            None,
            "a deduplication holds no rows back"
        );
    }

    #[test]
    fn the_slowest_and_longest_silent_watermark_holds_the_query_back() {
        let mut tracker = WatermarkTracker::new(WatermarkPolicy::Min, 3);
        let mut watch = EventTimeWatch {
            watermarks: vec![source("a", 10, 0), source("b", 10, 0), source("c", 10, 0)],
            operators: Vec::new(),
            mode: OutputMode::Append,
            late: LateRows::default(),
        };
        let seen = |max_ms: i64| EventTimeStats {
            count: 1,
            max_us: max_ms * 1000,
            min_us: 0,
            sum_us: 0,
        };
        let nothing = EventTimeStats::default();
        for (batch_id, now_ms, seen) in [
            (0, 1_000, [seen(100), seen(100), seen(900)]),
            (1, 2_000, [nothing, seen(100), seen(950)]),
        ] {
            let seen = seen.map(|stats| (stats, 10));
            tracker.update(&seen);
            watch.batch(batch_id, now_ms, &seen);
        }
        let facts = watch.facts(&tracker, 0).expect("there are watermarks");
        assert_eq!((facts.watermark_ms, facts.newest_event_ms), (Some(90), Some(950)));
        assert_eq!(facts.late_cutoff_ms, None);
        let decides = facts.watermarks.iter().map(|watermark| watermark.decides);
        assert_eq!(decides.collect::<Vec<_>>(), [true, true, false]);
        let silent = facts.watermarks.iter().map(|watermark| watermark.silent_since_ms);
        assert_eq!(silent.collect::<Vec<_>>(), [1_000, 2_000, 2_000]);
    }
}
