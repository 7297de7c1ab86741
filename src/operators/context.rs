//! What a stateful operator shares with the micro-batch loop: its state, its watermarks, its numbers.
//!
//! The loop sets the watermarks before a batch, takes the state's change for the commit after it, and shows the
//! numbers. The operator reads and writes the state in between.
//!
//! # Watermarks of operators in a row
//!
//! An operator that holds rows back gives rows to the operators above it that are older than the query's watermark.
//! So each operator has an *input watermark* of its own, by which its rows are late and its state is evicted: the
//! slowest of what is below it, where a WATERMARK gives the query's watermark and an operator its *output
//! watermark*. (Spark: `WatermarkPropagator`.) An output watermark is the input watermark less a constant, so both
//! are known from the plan as distances behind the query's watermark: see [`place_operators`].

use std::sync::Arc;
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, TimestampMicrosecondType};
use datafusion::physical_plan::ExecutionPlan;
use parking_lot::Mutex;

use crate::error::Result;
use crate::execution::event_time::{OpenState, OpenWindow};
use crate::execution::progress::StateOperatorProgress;
use crate::interval::format_duration_us;
use crate::operators::operators_of;
use crate::operators::watermark::EventTimeWatermarkExec;
use crate::plan::event_time::{Bound, is_session_bound};
use crate::state::store::{EvictionTime, KeysAtTime};
use crate::state::{StateDelta, StateLayout, StateStore};

/// The two watermarks of a batch, in microseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BatchWatermarks {
    /// Rows at or before it are late: the watermark that the previous batch ran with.
    pub late_us: i64,
    /// State at or before it is evicted: the watermark that this batch runs with.
    pub eviction_us: i64,
}

/// What an operator did to its state in one batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct OperatorNumbers {
    /// Keys added or changed.
    pub updated: u64,
    /// Keys evicted.
    pub removed: u64,
    /// Input rows dropped as late.
    pub dropped_late: u64,
    /// A further number by Spark's name.
    pub custom: Option<(&'static str, u64)>,
    /// The newest event time among the rows dropped as late, in microseconds since the epoch: the start of the window,
    /// where the rows have windows already.
    pub newest_late_us: Option<i64>,
    /// Time spent in merging and putting.
    pub update_time: Duration,
    /// Time spent in evicting.
    pub removal_time: Duration,
}

/// What a stateful operator is, apart from its place in a plan.
#[derive(Debug)]
pub struct OperatorSpec {
    /// Spark's name for the operator, which progress shows.
    pub name: &'static str,
    /// What the checkpoint compares on a restart: keys and values with their types, and what evicts them.
    pub signature: String,
    /// What the columns of its state are.
    pub layout: StateLayout,
    /// Whether a batch without input rows can change the result once the input watermark has moved.
    pub wants_no_data_batch: bool,
    /// How far the output watermark is behind the input watermark, in microseconds: how long the operator may
    /// hold a row back beyond the watermark; 0 for most. `None`: what it gives has no watermark.
    pub output_lag_us: Option<i64>,
}

/// What is known of a stateful operator in its place in a plan, for those who look at its state.
#[derive(Debug, Clone)]
pub struct OperatorFacts {
    /// Spark's name: `stateStoreSave`, `dedupe`, `symmetricHashJoinLeft`.
    pub name: &'static str,
    /// What it keeps, as its checkpoint says.
    pub signature: String,
    /// What the columns of its state are.
    pub layout: StateLayout,
    /// Whether the watermark takes keys out.
    pub is_evicting: bool,
}

/// One stateful operator of a query, as the operator and the loop see it.
#[derive(Debug)]
pub struct OperatorContext {
    name: &'static str,
    signature: String,
    wants_no_data_batch: bool,
    output_lag_us: Option<i64>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Its place in the plan, counted from the leaves.
    id: u32,
    /// How far its input watermark is behind the query's, in microseconds; `None`: there is no watermark below it.
    input_lag_us: Option<i64>,
    store: StateStore,
    watermarks: BatchWatermarks,
    numbers: OperatorNumbers,
}

impl OperatorContext {
    /// A context with an empty state, to be given its place by [`place_operators`].
    ///
    /// # Errors
    ///
    /// A key type that has no row format.
    pub fn try_new(spec: OperatorSpec) -> Result<Arc<Self>> {
        let inner = Inner {
            id: 0,
            input_lag_us: None,
            store: StateStore::try_new(spec.layout)?,
            watermarks: BatchWatermarks::default(),
            numbers: OperatorNumbers::default(),
        };
        Ok(Arc::new(Self {
            name: spec.name,
            signature: spec.signature,
            wants_no_data_batch: spec.wants_no_data_batch,
            output_lag_us: spec.output_lag_us,
            inner: Mutex::new(inner),
        }))
    }

    /// The operator's number within its query.
    pub fn id(&self) -> u32 {
        self.inner.lock().id
    }

    /// Spark's name for the operator.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What the checkpoint compares on a restart.
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// What the columns of its state are.
    pub fn layout(&self) -> StateLayout {
        self.inner.lock().store.layout().clone()
    }

    /// Whether the operator wants a batch without data once the query's watermark has moved.
    pub fn wants_no_data_batch(&self) -> bool {
        self.wants_no_data_batch && self.inner.lock().input_lag_us.is_some()
    }

    /// Begins a batch, of which the query's watermarks are given: sets the operator's own, sets the numbers to 0.
    pub fn begin_batch(&self, query: BatchWatermarks) {
        let mut inner = self.inner.lock();
        inner.watermarks = match inner.input_lag_us {
            Some(lag_us) => BatchWatermarks {
                late_us: query.late_us.saturating_sub(lag_us),
                eviction_us: query.eviction_us.saturating_sub(lag_us),
            },
            None => BatchWatermarks::default(),
        };
        inner.numbers = OperatorNumbers::default();
    }

    /// The operator's own watermarks of the batch at hand.
    pub fn watermarks(&self) -> BatchWatermarks {
        self.inner.lock().watermarks
    }

    /// Works on the state and the numbers.
    pub fn with_state<T>(
        &self,
        work: impl FnOnce(&mut StateStore, &mut OperatorNumbers) -> Result<T>,
    ) -> Result<T> {
        let mut inner = self.inner.lock();
        let Inner { store, numbers, .. } = &mut *inner;
        work(store, numbers)
    }

    /// Counts rows that were dropped as late, the newest of them of this event time.
    pub fn count_late(&self, rows: u64, newest_us: Option<i64>) {
        let numbers = &mut self.inner.lock().numbers;
        numbers.dropped_late += rows;
        numbers.newest_late_us = numbers.newest_late_us.max(newest_us);
    }

    /// The numbers of the batch at hand.
    pub fn numbers(&self) -> OperatorNumbers {
        self.inner.lock().numbers
    }

    /// What is known of it, once it has its place.
    pub fn facts(&self) -> OperatorFacts {
        let inner = self.inner.lock();
        let layout = inner.store.layout().clone();
        OperatorFacts {
            name: self.name,
            signature: self.signature.clone(),
            is_evicting: layout.eviction.is_some() && inner.input_lag_us.is_some(),
            layout,
        }
    }

    /// How many rows its largest key has, as far as that is known without a walk over the state; 0 if it is not.
    pub fn largest_key(&self) -> u64 {
        self.inner.lock().store.largest_key()
    }

    /// What takes keys out of the state, in words; `None` if nothing ever does.
    pub fn evicts(&self) -> Option<String> {
        let inner = self.inner.lock();
        let (layout, lag_us) = (inner.store.layout(), inner.input_lag_us?);
        let eviction = layout.eviction?;
        let column = layout.schema.field(eviction.column).name();
        let behind = match eviction.offset_us.saturating_add(lag_us) {
            0 => String::new(),
            behind_us => format!(" by {}", format_duration_us(behind_us)),
        };
        Some(format!("keys whose {column} the watermark has passed{behind}"))
    }

    /// What the state holds by event time, the `limit` oldest windows; `None` if it evicts nothing.
    pub fn open(&self, limit: usize) -> Option<OpenState> {
        let inner = self.inner.lock();
        let lag_us = inner.input_lag_us?;
        let eviction = inner.store.layout().eviction?;
        let times = inner.store.event_times(limit, eviction.offset_us == 0);
        let window = |keys: KeysAtTime| OpenWindow {
            start_us: start_of(&keys, eviction),
            end_us: keys.time_us,
            closes_at_us: keys.time_us.saturating_add(lag_us),
            num_keys: keys.num_keys as u64,
        };
        Some(OpenState {
            operator: inner.id,
            operator_name: self.name,
            num_windows: times.num_times as u64,
            num_keys: inner.store.num_rows() as u64,
            first: times.first.into_iter().map(window).collect(),
            last: times.last.map(window),
        })
    }

    /// The state's change since the last call.
    ///
    /// # Errors
    ///
    /// As [`StateStore::take_delta`].
    pub fn take_delta(&self) -> Result<StateDelta> {
        self.inner.lock().store.take_delta()
    }

    /// Brings back a part of the state from the checkpoint.
    pub fn restore(&self, delta: StateDelta) -> Result<()> {
        self.inner.lock().store.apply(delta)
    }

    /// The numbers of the batch at hand as progress shows them.
    pub fn progress(&self, commit_time: Duration) -> StateOperatorProgress {
        let inner = self.inner.lock();
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        StateOperatorProgress {
            operator_name: self.name.to_owned(),
            num_rows_total: inner.store.num_rows() as u64,
            num_rows_updated: inner.numbers.updated,
            all_updates_time_ms: millis(inner.numbers.update_time),
            num_rows_removed: inner.numbers.removed,
            all_removals_time_ms: millis(inner.numbers.removal_time),
            commit_time_ms: millis(commit_time),
            memory_used_bytes: inner.store.memory_bytes() as u64,
            num_rows_dropped_by_watermark: inner.numbers.dropped_late,
            num_shuffle_partitions: 1,
            num_state_store_instances: 1,
            custom_metrics: inner
                .numbers
                .custom
                .map(|(name, number)| (name.to_owned(), number))
                .into_iter()
                .collect(),
        }
    }
}

/// Where the window of some keys begins: known of a window's struct, of a window's start, and of a session, whose start
/// is the column before its end.
fn start_of(keys: &KeysAtTime, eviction: EvictionTime) -> Option<i64> {
    if eviction.offset_us > 0 {
        return Some(keys.time_us.saturating_sub(eviction.offset_us));
    }
    let example = keys.example.as_ref()?;
    let column = example.column(eviction.column);
    let start = if let DataType::Struct(_) = column.data_type() {
        Arc::clone(column.as_struct().column_by_name("start")?)
    } else {
        let before = eviction.column.checked_sub(1)?;
        let is_session = is_session_bound(example.schema().field(before), Bound::Start);
        Arc::clone(is_session.then(|| example.column(before))?)
    };
    let start = start.as_primitive_opt::<TimestampMicrosecondType>()?;
    start.iter().next().flatten()
}

/// Gives every stateful operator of a plan its number, leaves first and left before right, and its distance behind
/// the query's watermark; returns them in the order of their numbers.
pub fn place_operators(root: &Arc<dyn ExecutionPlan>) -> Vec<Arc<OperatorContext>> {
    let mut operators = Vec::new();
    place_below(root, &mut operators);
    operators
}

/// Places what is at and below `node`; gives how far the watermark of its output is behind the query's.
fn place_below(node: &Arc<dyn ExecutionPlan>, placed: &mut Vec<Arc<OperatorContext>>) -> Option<i64> {
    let children = node.children().into_iter();
    let lags = children
        .map(|child| place_below(child, placed))
        .collect::<Vec<_>>();
    // The slowest counts. An input without a watermark does not: its rows are never late.
    let input_lag_us = lags.into_iter().flatten().max();
    if node.is::<EventTimeWatermarkExec>() {
        return Some(0);
    }
    let operators = operators_of(node.as_ref());
    if operators.is_empty() {
        return input_lag_us;
    }
    let outputs = operators.into_iter().filter_map(|operator| {
        {
            let mut inner = operator.inner.lock();
            inner.id = u32::try_from(placed.len()).unwrap_or(u32::MAX);
            inner.input_lag_us = input_lag_us;
        }
        placed.push(Arc::clone(operator));
        Some(input_lag_us?.saturating_add(operator.output_lag_us?))
    });
    outputs.max()
}
