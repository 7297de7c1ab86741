//! What a stateful operator shares with the micro-batch loop: its state, its watermarks, its numbers.
//!
//! The loop sets the watermarks before a batch, takes the state's change for the commit after it, and shows the
//! numbers. The operator reads and writes the state in between.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::error::Result;
use crate::execution::progress::StateOperatorProgress;
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
    /// Time spent in merging and putting.
    pub update_time: Duration,
    /// Time spent in evicting.
    pub removal_time: Duration,
}

/// One stateful operator of a query, as the operator and the loop see it.
#[derive(Debug)]
pub struct OperatorContext {
    id: u32,
    name: &'static str,
    /// What the checkpoint compares on a restart: keys and values with their types, and what evicts them.
    signature: String,
    /// Whether a batch without input rows can change the result once the watermark has moved.
    wants_no_data_batch: bool,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: StateStore,
    watermarks: BatchWatermarks,
    numbers: OperatorNumbers,
}

impl OperatorContext {
    /// A context with an empty state. `id` is the operator's place in the plan, counted from the leaves.
    pub fn try_new(
        id: u32,
        name: &'static str,
        signature: String,
        layout: StateLayout,
        wants_no_data_batch: bool,
    ) -> Result<Arc<Self>> {
        let inner = Inner {
            store: StateStore::try_new(layout)?,
            watermarks: BatchWatermarks::default(),
            numbers: OperatorNumbers::default(),
        };
        Ok(Arc::new(Self {
            id,
            name,
            signature,
            wants_no_data_batch,
            inner: Mutex::new(inner),
        }))
    }

    /// The operator's number within its query.
    pub fn id(&self) -> u32 {
        self.id
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

    /// Whether the operator wants a batch without data once the watermark has moved.
    pub fn wants_no_data_batch(&self) -> bool {
        self.wants_no_data_batch
    }

    /// Begins a batch: sets its watermarks, sets the numbers to 0.
    pub fn begin_batch(&self, watermarks: BatchWatermarks) {
        let mut inner = self.inner.lock();
        inner.watermarks = watermarks;
        inner.numbers = OperatorNumbers::default();
    }

    /// The watermarks of the batch at hand.
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

    /// Counts rows that were dropped as late.
    pub fn count_late(&self, rows: u64) {
        self.inner.lock().numbers.dropped_late += rows;
    }

    /// The state's change since the last call.
    pub fn take_delta(&self) -> StateDelta {
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
            custom_metrics: std::collections::BTreeMap::new(),
        }
    }
}
