//! A folder of Parquet files as a static table, read through DataFusion: only the columns and row groups that a query
//! needs. The folder is listed when the table is read, not when the query is planned, so that a streaming query sees
//! new files in its next batch.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session as PlanSession, TableProvider};
use datafusion::common::Result as PlanResult;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::execution::TaskContext;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::{ExecutionPlan, PlanProperties, SendableRecordBatchStream, execute_stream};
use futures::TryStreamExt;

use crate::error::{Error, Result};
use crate::operators::exec::{Operator, OperatorExec, column_names, leaf, stream_of};
use crate::session::Session;
use crate::session::connectors::StreamSpec;
use crate::session::planning::new_context;

/// The table.
///
/// # Errors
///
/// A statement error for a wrong option, a source error if the folder is missing or holds no Parquet file.
pub async fn parquet_table(
    spec: &StreamSpec,
    schema: Option<SchemaRef>,
    session: &Session,
) -> Result<Arc<dyn TableProvider>> {
    spec.options.check_known("parquet", &["path"])?;
    let path = spec.options.path("path")?.ok_or_else(|| {
        Error::statement("a parquet table needs a path").hint("Write OPTIONS (path 'folder').")
    })?;
    let shown = path.display().to_string();
    if !path.exists() {
        return Err(Error::source(format!("folder {shown} does not exist"))
            .hint("Let the query that writes it run first, or mend the path."));
    }
    // Without the session's names: they would hold the table, and the table them.
    let partitions = session.catalog().lock().context().state();
    let partitions = partitions.config().target_partitions();
    let state = new_context(partitions).state();
    let url = ListingTableUrl::parse(&shown)?;
    let options = ListingOptions::new(Arc::new(ParquetFormat::default())).with_file_extension(".parquet");
    let mut config = ListingTableConfig::new(url).with_listing_options(options);
    config = config.infer_partitions_from_path(&state).await?;
    config = match schema {
        Some(schema) => with_declared(config, &schema),
        None => config.infer_schema(&state).await.map_err(|error| {
            Error::source(format!("the schema of {shown} cannot be read")).caused_by(error)
        })?,
    };
    let schema = ListingTable::try_new(config.clone())?.schema();
    Ok(Arc::new(ParquetTable {
        schema,
        folder: Arc::new(Folder {
            path: shown,
            config,
            state,
        }),
    }))
}

/// Gives files their declared columns. Those that are in the names of folders, `column=value`, are in no file: they come
/// last, as in Spark, with their declared types.
fn with_declared(mut config: ListingTableConfig, declared: &Schema) -> ListingTableConfig {
    let mut in_folders = Vec::new();
    if let Some(options) = &mut config.options {
        for (name, data_type) in &mut options.table_partition_cols {
            if let Ok(field) = declared.field_with_name(name) {
                *data_type = field.data_type().clone();
            }
            in_folders.push(name.clone());
        }
    }
    let fields = declared.fields().iter();
    let in_files = fields.filter(|field| !in_folders.contains(field.name())).cloned();
    config.with_schema(Arc::new(Schema::new(in_files.collect::<Vec<_>>())))
}

/// Where the files are and how they are read.
struct Folder {
    path: String,
    config: ListingTableConfig,
    state: SessionState,
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

#[derive(Debug)]
struct ParquetTable {
    schema: SchemaRef,
    folder: Arc<Folder>,
}

#[async_trait]
impl TableProvider for ParquetTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> PlanResult<Vec<TableProviderFilterPushDown>> {
        // They choose row groups; what is left over is filtered above.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        _: &dyn PlanSession,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => Arc::clone(&self.schema),
        };
        let scan = ParquetScan {
            folder: Arc::clone(&self.folder),
            projection: projection.cloned(),
            filters: filters.to_vec(),
            limit,
            schema,
        };
        Ok(Arc::new(OperatorExec::over(Vec::new(), scan)))
    }
}

/// Lists the folder and reads it when it is executed.
#[derive(Debug)]
struct ParquetScan {
    folder: Arc<Folder>,
    projection: Option<Vec<usize>>,
    filters: Vec<Expr>,
    limit: Option<usize>,
    schema: SchemaRef,
}

impl ParquetScan {
    async fn read(self: Arc<Self>, context: Arc<TaskContext>) -> PlanResult<SendableRecordBatchStream> {
        let table = ListingTable::try_new(self.folder.config.clone())?;
        let scan = table.scan(
            &self.folder.state,
            self.projection.as_ref(),
            &self.filters,
            self.limit,
        );
        execute_stream(scan.await?, context)
    }
}

impl Operator for ParquetScan {
    const NAME: &'static str = "ParquetScanExec";

    fn properties(&self, _: &[Arc<dyn ExecutionPlan>]) -> PlanProperties {
        leaf(Arc::clone(&self.schema), 1)
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, columns=[{}]",
            self.folder.path,
            column_names(&self.schema)
        )
    }

    fn execute(
        self: &Arc<Self>,
        _: &[Arc<dyn ExecutionPlan>],
        _: usize,
        context: Arc<TaskContext>,
    ) -> PlanResult<SendableRecordBatchStream> {
        let rows = futures::stream::once(Arc::clone(self).read(context)).try_flatten();
        Ok(stream_of(Arc::clone(&self.schema), rows))
    }
}
