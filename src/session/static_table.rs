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
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::{ExecutionPlan, PlanProperties, SendableRecordBatchStream};
use parking_lot::Mutex;

use crate::error::{Error, Result};
use crate::operators::exec::{Operator, OperatorExec, column_names, leaf, stream_once};
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
        let schema = Arc::new(self.schema().project(&projection)?);
        let rows: Arc<dyn Rows> = Arc::clone(&self.rows) as _;
        let scan = StaticScan {
            rows,
            projection,
            schema,
        };
        Ok(Arc::new(OperatorExec::over(Vec::new(), scan)))
    }
}

/// Reads a static table's rows when it is executed, not when it is planned.
#[derive(Debug)]
struct StaticScan {
    rows: Arc<dyn Rows>,
    projection: Vec<usize>,
    schema: SchemaRef,
}

impl Operator for StaticScan {
    const NAME: &'static str = "StaticScanExec";

    fn properties(&self, _: &[Arc<dyn ExecutionPlan>]) -> PlanProperties {
        leaf(Arc::clone(&self.schema), 1)
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "columns=[{}]", column_names(&self.schema))
    }

    fn execute(
        self: &Arc<Self>,
        _: &[Arc<dyn ExecutionPlan>],
        _: usize,
        _: Arc<TaskContext>,
    ) -> PlanResult<SendableRecordBatchStream> {
        let scan = Arc::clone(self);
        let read = tokio::task::spawn_blocking(move || {
            let batches = scan.rows.read()?.into_iter();
            batches
                .map(|batch| Ok(batch.project(&scan.projection)?))
                .collect::<Result<Vec<_>>>()
        });
        let read = async move {
            let panicked = |panic| Error::internal("reading a static table panicked").caused_by(panic);
            Ok(read.await.map_err(panicked)??)
        };
        Ok(stream_once(Arc::clone(&self.schema), read))
    }
}
