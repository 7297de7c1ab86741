//! Spark's `StreamingQueryProgress`, field for field, as serde types.
//!
//! Names, order and units are those of `org.apache.spark.sql.streaming.StreamingQueryProgress` in Spark 4.3:
//! rates are rows per second, durations milliseconds, sizes bytes, times ISO 8601 in UTC with milliseconds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// What one micro-batch did, or, with no rows, what an idle trigger saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamingQueryProgress {
    /// The query's id, the same over all its runs.
    pub id: Uuid,
    /// This run's id.
    pub run_id: Uuid,
    /// The query's name.
    pub name: Option<String>,
    /// When the trigger fired, ISO 8601 in UTC with milliseconds.
    pub timestamp: String,
    /// The micro-batch's id, from 0.
    pub batch_id: u64,
    /// How long the batch took in all, in milliseconds.
    pub batch_duration: u64,
    /// Rows that arrived from all sources.
    pub num_input_rows: u64,
    /// Rows that arrived per second since the last trigger.
    pub input_rows_per_second: f64,
    /// Rows that arrived per second of this batch's duration.
    pub processed_rows_per_second: f64,
    /// Milliseconds by step: `latestOffset`, `walCommit`, `queryPlanning`, `getBatch`, `addBatch`,
    /// `commitOffsets`, `stateCommit`, `triggerExecution`.
    pub duration_ms: BTreeMap<String, u64>,
    /// `max`, `min`, `avg` of the event time and the `watermark` that the batch ran with; empty without one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub event_time: BTreeMap<String, String>,
    /// One entry a stateful operator.
    pub state_operators: Vec<StateOperatorProgress>,
    /// One entry a source.
    pub sources: Vec<SourceProgress>,
    /// The sink.
    pub sink: SinkProgress,
    /// The same durations in microseconds, which Spark does not have: batches here are often under a millisecond.
    #[serde(skip)]
    pub duration_us: BTreeMap<String, u64>,
}

/// What a batch did to the state of one operator.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StateOperatorProgress {
    /// Spark's operator name: `stateStoreSave`, `dedupe`, `symmetricHashJoin`, ...
    pub operator_name: String,
    /// Keys in the state now.
    pub num_rows_total: u64,
    /// Keys that the batch added or changed.
    pub num_rows_updated: u64,
    /// Milliseconds spent in changing them.
    pub all_updates_time_ms: u64,
    /// Keys that the watermark evicted.
    pub num_rows_removed: u64,
    /// Milliseconds spent in evicting them.
    pub all_removals_time_ms: u64,
    /// Milliseconds of the state's part of the commit.
    pub commit_time_ms: u64,
    /// Memory that the state takes.
    pub memory_used_bytes: u64,
    /// Input rows that came too late for the watermark.
    pub num_rows_dropped_by_watermark: u64,
    /// How many parts the state is split into.
    pub num_shuffle_partitions: u64,
    /// How many parts are loaded.
    pub num_state_store_instances: u64,
    /// Further numbers by name.
    pub custom_metrics: BTreeMap<String, u64>,
}

/// What a batch took from one source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceProgress {
    /// The source's description.
    pub description: String,
    /// Where the batch began, the source's own JSON.
    pub start_offset: Value,
    /// Where the batch ended.
    pub end_offset: Value,
    /// The newest offset known to exist.
    pub latest_offset: Value,
    /// Rows from this source.
    pub num_input_rows: u64,
    /// Rows per second since the last trigger.
    pub input_rows_per_second: f64,
    /// Rows per second of this batch's duration.
    pub processed_rows_per_second: f64,
    /// Further numbers by name, as text.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub metrics: BTreeMap<String, String>,
}

/// What a batch gave to the sink.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SinkProgress {
    /// The sink's description.
    pub description: String,
    /// Rows given to it.
    pub num_output_rows: i64,
}

/// Milliseconds since the epoch as ISO 8601 in UTC, always with milliseconds: Spark's form in progress.
pub(crate) fn iso_millis(ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(ms).map_or_else(
        || ms.to_string(),
        |time| time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
    )
}
