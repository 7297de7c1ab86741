//! Where a stream's rows come from: one file a connector.
//!
//! A source counts its data by [`Offset`]s, opaque JSON values that only it understands. The micro-batch loop
//! asks for the newest offset within the rate limit, writes it to the offset log, and only then asks for the
//! rows between the last offset and that one. The same range read twice gives the same rows in the same order:
//! that is what a replay after a crash relies on.

pub mod file;
pub mod memory;
pub mod rate;

use std::fmt::Debug;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::physical_plan::SendableRecordBatchStream;

use crate::error::Result;

/// A source's own position, as JSON: `{"logOffset":3}` for files, `{"value":120}` for rate.
pub type Offset = serde_json::Value;

/// How much one batch may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadLimit {
    /// As much as the source's options say (`maxFilesPerTrigger` and its kin).
    Configured,
    /// Everything that is there: `Trigger.Once`.
    Unlimited,
}

/// The end of a batch's range, and what the source wants remembered of it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedOffset {
    /// Where the batch's range ends, inclusive.
    pub end: Offset,
    /// What the source needs to read the range again after a restart (the files' names, say). Kept in the
    /// checkpoint's source log under the batch's id, durable before the range is read.
    pub log_entry: Option<serde_json::Value>,
}

/// A connector that delivers rows by ranges of offsets. All methods may be called again after an error.
#[async_trait]
pub trait Source: Debug + Send + Sync {
    /// The full schema, as declared.
    fn schema(&self) -> SchemaRef;

    /// How progress names it: `FileStreamSource[file:/tmp/in]`.
    fn description(&self) -> String;

    /// Gives back, once and before anything else, every log entry that earlier runs had kept, oldest first,
    /// each with its batch id. Empty for a new query.
    async fn restore(&self, log: Vec<(u64, serde_json::Value)>) -> Result<()>;

    /// Fixes what is there now as the end of the run: later calls of [`Self::latest_offset`] never go beyond.
    /// For `AVAILABLE NOW` and `ONCE`.
    async fn prepare_available_now(&self) -> Result<()>;

    /// The newest offset after `start` (`None`: from the beginning) that the next batch may go to. `None`, or an
    /// end equal to `start`, means that there is nothing new. Calling it again without reading must be harmless.
    async fn latest_offset(&self, start: Option<&Offset>, limit: ReadLimit) -> Result<Option<PlannedOffset>>;

    /// The rows after `start` up to and including `end`, as at most `partitions` streams, with the columns of
    /// `projection` (indices into [`Self::schema`], in that order). An empty projection gives batches without
    /// columns that still count their rows. Errors while reading are [`crate::error::ErrorKind::Source`], carried
    /// through DataFusion as external errors.
    async fn read(
        &self,
        start: Option<&Offset>,
        end: &Offset,
        projection: &[usize],
        partitions: usize,
    ) -> Result<Vec<SendableRecordBatchStream>>;

    /// Everything up to `end` is committed in the checkpoint: the source may let go of it.
    async fn commit(&self, end: &Offset) -> Result<()> {
        let _ = end;
        Ok(())
    }

    /// Returns as soon as there may be something after `start`; may return too often, never too late. Costs no
    /// CPU while it waits. Cancel safe.
    async fn wait_for_data(&self, start: Option<&Offset>);

    /// The newest offset that is known to exist, rate limit aside: progress shows it as `latestOffset`.
    fn newest_known(&self) -> Option<Offset> {
        None
    }

    /// Further numbers for the progress (`metrics`), by name, as Spark's text values.
    fn metrics(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Whether a range can be read again after a restart. What cannot be replayed says so at start.
    fn is_replayable(&self) -> bool {
        true
    }
}

/// A source that several owners share.
pub type SourceRef = Arc<dyn Source>;
