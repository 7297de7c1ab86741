//! What `EXPLAIN ANALYZE QUERY` shows of a node of ours in the last batch.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet, Time};
use datafusion::physical_plan::{RecordBatchStream, SendableRecordBatchStream};
use futures::Stream;

/// The metric that is the time until a node's rows were there, that of its inputs included.
pub const TIME_WITH_INPUTS: &str = "elapsed_with_inputs";

/// A node's numbers: the rows that it gave, and the time until they were there, that of its inputs included. A copy
/// begins at zero, since a node is copied for each batch.
#[derive(Debug, Default)]
pub struct Measured(ExecutionPlanMetricsSet);

impl Clone for Measured {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Measured {
    /// The same stream, measured.
    pub fn stream(&self, partition: usize, input: SendableRecordBatchStream) -> SendableRecordBatchStream {
        Box::pin(MeasuredStream {
            input,
            rows: MetricBuilder::new(&self.0).output_rows(partition),
            time: MetricBuilder::new(&self.0).subset_time(TIME_WITH_INPUTS, partition),
        })
    }

    /// What was measured.
    pub fn metrics(&self) -> MetricsSet {
        self.0.clone_inner()
    }
}

struct MeasuredStream {
    input: SendableRecordBatchStream,
    rows: Count,
    time: Time,
}

impl Stream for MeasuredStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let begun = Instant::now();
        let polled = self.input.as_mut().poll_next(context);
        self.time.add_elapsed(begun);
        if let Poll::Ready(Some(Ok(batch))) = &polled {
            self.rows.add(batch.num_rows());
        }
        polled
    }
}

impl RecordBatchStream for MeasuredStream {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}
