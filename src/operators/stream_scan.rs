//! The leaf of a streaming plan: reads a slot that the micro-batch loop fills before each batch.
//!
//! The plan is made once for a run; what a batch reads changes behind the slot. A partition that the batch does
//! not need is empty.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::stream::{EmptyRecordBatchStream, RecordBatchStreamAdapter};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions,
    SendableRecordBatchStream,
};
use futures::StreamExt;
use parking_lot::Mutex;

use crate::operators::measured::Measured;
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
#[derive(Debug, Clone)]
pub struct StreamScanExec {
    stream: StreamTable,
    projection: Vec<usize>,
    slot: Arc<ScanSlot>,
    properties: Arc<PlanProperties>,
    measured: Measured,
}

impl StreamScanExec {
    /// A scan of some columns of `stream`, in up to `partitions` parts.
    pub fn try_new(stream: StreamTable, projection: Vec<usize>, partitions: usize) -> Result<Self> {
        let schema = Arc::new(stream.schema.project(&projection)?);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let slot = ScanSlot {
            partitions: Mutex::default(),
            num_rows: AtomicU64::new(0),
        };
        Ok(Self {
            stream,
            projection,
            slot: Arc::new(slot),
            properties: Arc::new(properties),
            measured: Measured::default(),
        })
    }

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
        self.properties.partitioning.partition_count()
    }
}

impl DisplayAs for StreamScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        let schema = self.schema();
        let columns = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect::<Vec<_>>();
        write!(
            f,
            "StreamScanExec: {}, columns=[{}]",
            self.stream.name,
            columns.join(", ")
        )
    }
}

impl ExecutionPlan for StreamScanExec {
    fn name(&self) -> &'static str {
        "StreamScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() {
            // A copy measures its own batch.
            Ok(Arc::new(Self::clone(&self)))
        } else {
            internal_err!("a scan has no children")
        }
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() {
            // A copy measures its own batch.
            Ok(Arc::new(Self::clone(&self)))
        } else {
            internal_err!("a scan has no children")
        }
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.measured.metrics())
    }

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let schema: SchemaRef = self.schema();
        let Some(stream) = self.slot.take(partition) else {
            return Ok(Box::pin(EmptyRecordBatchStream::new(schema)));
        };
        let slot = Arc::clone(&self.slot);
        let counted = stream.inspect(move |batch| {
            if let Ok(batch) = batch {
                slot.num_rows
                    .fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
            }
        });
        Ok(self.measured.stream(
            partition,
            Box::pin(RecordBatchStreamAdapter::new(schema, counted)),
        ))
    }
}
