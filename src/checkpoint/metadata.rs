//! What a checkpoint says of its query, and whether another text of the query may go on from it.

use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::checkpoint::store::FORMAT_VERSION;
use crate::error::{Error, Result};
use crate::execution::watermark::WatermarkPolicy;
use crate::sink::OutputMode;

/// What a checkpoint says of its query: written when it is made, and when the query has changed soundly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckpointMetadata {
    /// [`super::store::FORMAT_VERSION`] of the writer.
    pub format_version: u32,
    /// The query's id, the same over all its runs.
    pub query_id: Uuid,
    /// How many key groups the state is split into.
    pub key_groups: u16,
    /// What the query was when it ran last.
    #[serde(flatten)]
    pub shape: QueryShape,
}

/// What of a query has left its mark on the checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryShape {
    /// The stateful operators' signatures, leaves first.
    pub operators: Vec<String>,
    /// How many of the columns of each one's state are keys, for those who look at the state without the query. Missing
    /// in checkpoints of earlier versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_columns: Vec<u32>,
    /// What a batch's rows mean.
    pub output_mode: OutputMode,
    /// The sink, as progress describes it.
    pub sink: String,
    /// Whether what the sink shows is made of what every batch has given to it.
    pub sink_keeps_rows: bool,
    /// The columns of what such a sink keeps, in Spark's DDL; empty for any other.
    pub columns: String,
    /// How several watermarks become one: as it was when the query began, whatever is set now (Spark keeps it in the
    /// offset log).
    pub watermark_policy: WatermarkPolicy,
}

impl CheckpointMetadata {
    /// What a new checkpoint says.
    pub fn new(query_id: Uuid, shape: QueryShape) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            query_id,
            key_groups: 1,
            shape,
        }
    }

    /// What it says once a changed query that [`Self::check`] lets through goes on in it.
    #[must_use]
    pub fn taken_over_by(self, shape: QueryShape) -> Self {
        Self {
            shape: QueryShape {
                watermark_policy: self.shape.watermark_policy,
                ..shape
            },
            ..self
        }
    }

    /// Refuses a query that cannot go on from this checkpoint: one with other state, one whose state was built for
    /// another output mode, one whose sink would show a part of the rows as if they were all.
    ///
    /// # Errors
    ///
    /// A checkpoint error that shows both sides.
    pub fn check(&self, wanted: &QueryShape, folder: &Path) -> Result<()> {
        let stored = &self.shape;
        let refuse = |what: &str, stored: &str, wanted: &str, hint: &str| {
            Err(Error::checkpoint(format!(
                "checkpoint {} belongs to a query with {what}\n  checkpoint: {stored}\n  query:      {wanted}",
                folder.display(),
            ))
            .hint(hint))
        };
        if stored.operators != wanted.operators {
            return refuse(
                "other state",
                &stored.state(),
                &wanted.state(),
                "Change the query back, or give it another CHECKPOINT folder to start anew. Filters, columns without \
                 state and sources may change; group keys and aggregates may not.",
            );
        }
        let is_stateful = !wanted.operators.is_empty();
        if is_stateful && stored.output_mode != wanted.output_mode {
            return refuse(
                "another output mode",
                &stored.output_mode.to_string(),
                &wanted.output_mode.to_string(),
                "Change the output mode back, or give the query another CHECKPOINT folder to start anew.",
            );
        }
        if wanted.sink_keeps_rows && !stored.sink_keeps_rows {
            return refuse(
                "another sink",
                &stored.sink,
                &wanted.sink,
                "The table would lack the rows of the batches that went elsewhere. Change the sink back, or give the \
                 query another CHECKPOINT folder to start anew.",
            );
        }
        if wanted.sink_keeps_rows && stored.columns != wanted.columns {
            return refuse(
                "a table of other columns",
                &stored.columns,
                &wanted.columns,
                "The rows that the table has would not fit. Change the SELECT back, or give the query another CHECKPOINT \
                 folder to start anew.",
            );
        }
        Ok(())
    }
}

impl QueryShape {
    fn state(&self) -> String {
        match &self.operators[..] {
            [] => "no state".to_owned(),
            operators => operators.join("\n             "),
        }
    }
}
