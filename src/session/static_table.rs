//! Static tables: rows that are there as a whole, read when a query asks for them.
//!
//! Files are read once and kept while they stay as they are; a query that runs over a static table batch after batch
//! sees changed files in the next batch, as in Spark.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::catalog::{Session as PlanSession, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions,
    SendableRecordBatchStream,
};
use futures::TryStreamExt;
use parking_lot::Mutex;

use crate::error::{Error, Result};
use crate::sink::memory::MemoryTable;
use crate::sink::result::ResultTable;
use crate::source::file::{FileTable, Fingerprint};

type PlanResult<T> = datafusion::common::Result<T>;

/// Rows that can be asked for again and again, and may differ each time.
pub trait Rows: fmt::Debug + Send + Sync {
    /// The columns.
    fn schema(&self) -> SchemaRef;
    /// All rows as they are now. May block on the file system.
    fn read(&self) -> Result<Vec<RecordBatch>>;
}

/// The files of a folder, kept while they stay as they are.
#[derive(Debug)]
pub struct CachedFiles {
    table: FileTable,
    cache: Mutex<Option<(Fingerprint, Vec<RecordBatch>)>>,
}

impl Rows for CachedFiles {
    fn schema(&self) -> SchemaRef {
        self.table.schema()
    }

    fn read(&self) -> Result<Vec<RecordBatch>> {
        let now = self.table.fingerprint()?;
        let mut cache = self.cache.lock();
        if let Some((known, batches)) = cache.as_ref()
            && *known == now
        {
            return Ok(batches.clone());
        }
        let batches = self.table.read_all(&now)?;
        *cache = Some((now, batches.clone()));
        Ok(batches)
    }
}

impl Rows for MemoryTable {
    fn schema(&self) -> SchemaRef {
        ResultTable::schema(self)
    }

    fn read(&self) -> Result<Vec<RecordBatch>> {
        self.batches()
    }
}

/// A table that reads its rows whenever a plan over it runs.
#[derive(Debug)]
pub struct StaticTable<R> {
    rows: Arc<R>,
}

impl StaticTable<CachedFiles> {
    /// The table of some files.
    pub fn new(table: FileTable) -> Self {
        Self {
            rows: Arc::new(CachedFiles {
                table,
                cache: Mutex::default(),
            }),
        }
    }
}

impl StaticTable<MemoryTable> {
    /// The table of a memory sink, which shows the rows of the moment.
    pub fn of_sink(rows: Arc<MemoryTable>) -> Self {
        Self { rows }
    }
}

#[async_trait]
impl<R: Rows + 'static> TableProvider for StaticTable<R> {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn PlanSession,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let projection = projection
            .cloned()
            .unwrap_or_else(|| (0..self.schema().fields().len()).collect());
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::new(self.schema().project(&projection)?)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let rows: Arc<dyn Rows> = Arc::clone(&self.rows) as _;
        Ok(Arc::new(StaticScanExec {
            rows,
            projection,
            properties: Arc::new(properties),
        }))
    }
}

/// Reads a static table's rows when it is executed, not when it is planned.
#[derive(Debug, Clone)]
struct StaticScanExec {
    rows: Arc<dyn Rows>,
    projection: Vec<usize>,
    properties: Arc<PlanProperties>,
}

impl DisplayAs for StaticScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        let schema = self.schema();
        let columns = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect::<Vec<_>>();
        write!(f, "StaticScanExec: columns=[{}]", columns.join(", "))
    }
}

impl ExecutionPlan for StaticScanExec {
    fn name(&self) -> &'static str {
        "StaticScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> PlanResult<TreeNodeRecursion>,
    ) -> PlanResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, _: usize, _: Arc<TaskContext>) -> PlanResult<SendableRecordBatchStream> {
        let (rows, projection) = (Arc::clone(&self.rows), self.projection.clone());
        let read = tokio::task::spawn_blocking(move || {
            let batches = rows.read()?.into_iter();
            Ok(batches
                .map(move |batch| Ok(batch.project(&projection)?))
                .collect::<Vec<PlanResult<RecordBatch>>>())
        });
        let read = async move {
            let read: Result<_> = read.await.unwrap_or_else(|panic| {
                Err(Error::internal("reading a static table panicked").caused_by(panic))
            });
            Ok::<_, datafusion::error::DataFusionError>(futures::stream::iter(read?))
        };
        let rows = futures::stream::once(read).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }
}
