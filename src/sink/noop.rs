//! The sink that forgets: Spark's `noop`, for benchmarks and for queries that are run for their progress.

use async_trait::async_trait;
use datafusion::physical_plan::SendableRecordBatchStream;
use futures::TryStreamExt;

use super::{Sink, SinkCommit, SinkStart};
use crate::error::Result;

/// Reads all rows, so that the query computes them, and drops them.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoopSink;

#[async_trait]
impl Sink for NoopSink {
    fn description(&self) -> String {
        "NoopSink".into()
    }

    async fn start(&self, _start: SinkStart) -> Result<()> {
        Ok(())
    }

    async fn write(&self, _batch_id: u64, mut rows: SendableRecordBatchStream) -> Result<SinkCommit> {
        let mut num_output_rows = 0;
        while let Some(batch) = rows.try_next().await? {
            num_output_rows += batch.num_rows() as u64;
        }
        Ok(SinkCommit {
            num_output_rows,
            ..SinkCommit::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::test_support::{ints, stream};

    #[tokio::test]
    async fn counts_and_passes_errors_on() {
        let commit = NoopSink
            .write(0, stream(vec![Ok(ints(&[1, 2])), Ok(ints(&[3]))]))
            .await
            .expect("a batch");
        assert_eq!((commit.num_output_rows, commit.log_entry), (3, None));
        let error = crate::error::Error::source("file \"a\" is gone").hint("Put it back.");
        let error = NoopSink
            .write(1, stream(vec![Ok(ints(&[1])), Err(error.into())]))
            .await
            .expect_err("an error");
        assert_eq!(error.hint_text(), Some("Put it back."));
    }
}
