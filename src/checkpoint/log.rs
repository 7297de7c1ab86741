//! What the offset log and the commit log say of a batch, as JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::source::Offset;

/// A batch's entry in the offset log: written, durably, before the batch reads a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OffsetRecord {
    /// The batch's time in milliseconds since the epoch: what `current_timestamp()` gives in it.
    pub batch_timestamp_ms: i64,
    /// The watermark that the batch runs with, in milliseconds since the epoch; 0 while none is known.
    pub batch_watermark_ms: i64,
    /// Where each source's range ends, by the stream's name; a stream without data so far is missing.
    pub sources: BTreeMap<String, Offset>,
}

/// A batch's entry in the commit log: written with its state changes in one transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommitRecord {
    /// The watermark that the next batch will run with, in milliseconds since the epoch.
    pub next_watermark_ms: i64,
    /// Each watermark of the plan by itself, in the plan's order; `None`: it has seen no row yet.
    pub watermarks_ms: Vec<Option<i64>>,
}
