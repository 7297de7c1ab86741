//! The leaf of a streaming plan: reads a slot that the micro-batch loop fills before each batch.
//!
//! The plan is made once for a run; what a batch reads changes behind the slot. A partition that the batch does
//! not need is empty.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::stream::EmptyRecordBatchStream;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties, SendableRecordBatchStream};
use futures::TryStreamExt;
use parking_lot::Mutex;

use crate::operators::exec::{Operator, OperatorExec, column_names, leaf, stream_of};
use crate::plan::stream_table::StreamTable;

/// What one scan reads in the batch at hand.
pub struct ScanSlot {
    partitions: Mutex<Vec<Option<SendableRecordBatchStream>>>,
    num_rows: AtomicU64,
}

impl ScanSlot {
    /// Puts a batch's partitions in, and counts rows from 0 again.
    pub fn fill(&self, partitions: Vec<SendableRecordBatchStream>) {
        self.num_rows.store(0, Ordering::Relaxed);
        *self.partitions.lock() = partitions.into_iter().map(Some).collect();
    }

    /// The rows that the batch at hand has read so far.
    pub fn num_rows(&self) -> u64 {
        self.num_rows.load(Ordering::Relaxed)
    }

    fn take(&self, partition: usize) -> Option<SendableRecordBatchStream> {
        self.partitions.lock().get_mut(partition).and_then(Option::take)
    }
}

impl fmt::Debug for ScanSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScanSlot")
            .field("num_rows", &self.num_rows())
            .finish_non_exhaustive()
    }
}

/// Scans a stream's batch. Schema: the projected columns of the stream.
pub type StreamScanExec = OperatorExec<StreamScan>;

/// What [`StreamScanExec`] scans.
#[derive(Debug)]
pub struct StreamScan {
    stream: StreamTable,
    projection: Vec<usize>,
    schema: SchemaRef,
    partitions: usize,
    slot: Arc<ScanSlot>,
}

impl StreamScanExec {
    /// A scan of some columns of `stream`, in up to `partitions` parts.
    ///
    /// # Errors
    ///
    /// A column that the stream does not have.
    pub fn try_new(stream: StreamTable, projection: Vec<usize>, partitions: usize) -> Result<Self> {
        let schema = Arc::new(stream.schema.project(&projection)?);
        let slot = ScanSlot {
            partitions: Mutex::default(),
            num_rows: AtomicU64::new(0),
        };
        let scan = StreamScan {
            stream,
            projection,
            schema,
            partitions,
            slot: Arc::new(slot),
        };
        Ok(Self::over(Vec::new(), scan))
    }
}

impl StreamScan {
    /// The stream that it scans.
    pub fn stream(&self) -> &StreamTable {
        &self.stream
    }

    /// The columns of the stream's schema that it gives, in this order.
    pub fn projection(&self) -> &[usize] {
        &self.projection
    }

    /// Where the loop puts each batch.
    pub fn slot(&self) -> &Arc<ScanSlot> {
        &self.slot
    }

    /// Into how many parts it can split a batch.
    pub fn partitions(&self) -> usize {
        self.partitions
    }
}

impl Operator for StreamScan {
    const NAME: &'static str = "StreamScanExec";

    fn properties(&self, _: &[Arc<dyn ExecutionPlan>]) -> PlanProperties {
        leaf(Arc::clone(&self.schema), self.partitions)
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, columns=[{}]",
            self.stream.name,
            column_names(&self.schema)
        )
    }

    fn execute(
        self: &Arc<Self>,
        _: &[Arc<dyn ExecutionPlan>],
        partition: usize,
        _: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let schema = Arc::clone(&self.schema);
        let Some(rows) = self.slot.take(partition) else {
            return Ok(Box::pin(EmptyRecordBatchStream::new(schema)));
        };
        let slot = Arc::clone(&self.slot);
        let counted = rows.inspect_ok(move |batch| {
            let num_rows = batch.num_rows() as u64;
            slot.num_rows.fetch_add(num_rows, Ordering::Relaxed);
        });
        Ok(stream_of(schema, counted))
    }
}
