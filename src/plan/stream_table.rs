//! What a stream is to DataFusion: a table whose scan is filled batch by batch.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Expr, LogicalPlan, TableType};
use datafusion::physical_plan::ExecutionPlan;

use crate::error::{Error, Result};
use crate::operators::stream_scan::StreamScanExec;
use crate::source::SourceRef;

/// Makes the source of a stream anew for every query run, each with its own offsets.
pub trait SourceFactory: Debug + Send + Sync {
    /// A source at its beginning.
    ///
    /// # Errors
    ///
    /// A missing folder, a wrong option.
    fn create(&self) -> Result<SourceRef>;
}

/// A stream by name: what CREATE STREAM or `read_stream().load()` made.
#[derive(Debug, Clone)]
pub struct StreamTable {
    /// The stream's name; checkpoints know its offsets by it.
    pub name: Arc<str>,
    /// All of its columns.
    pub schema: SchemaRef,
    /// Makes its source.
    pub factory: Arc<dyn SourceFactory>,
}

#[async_trait]
impl TableProvider for StreamTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> datafusion::common::Result<Arc<dyn ExecutionPlan>> {
        let projection = projection
            .cloned()
            .unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let partitions = state.config().target_partitions();
        Ok(Arc::new(StreamScanExec::try_new(
            self.clone(),
            projection,
            partitions,
        )?))
    }
}

fn stream_of(node: &LogicalPlan) -> Option<StreamTable> {
    let LogicalPlan::TableScan(scan) = node else {
        return None;
    };
    let provider = source_as_provider(&scan.source).ok()?;
    provider.downcast_ref::<StreamTable>().cloned()
}

/// The streams that a plan reads, each once, in the order of their first appearance.
pub fn streams_of(plan: &LogicalPlan) -> Vec<StreamTable> {
    let mut streams: Vec<StreamTable> = Vec::new();
    let walked = plan.apply_with_subqueries(|node| {
        if let Some(stream) = stream_of(node)
            && !streams.iter().any(|known| known.name == stream.name)
        {
            streams.push(stream);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    debug_assert!(walked.is_ok(), "the walk itself cannot fail");
    streams
}

/// Refuses a plan that reads two different streams of one name, since a checkpoint tells streams apart by it.
///
/// # Errors
///
/// A statement error.
pub fn check_names(plan: &LogicalPlan) -> Result<()> {
    let streams = streams_of(plan);
    let mut twice = None;
    plan.apply_with_subqueries(|node| {
        if let Some(stream) = stream_of(node)
            && streams
                .iter()
                .any(|known| known.name == stream.name && !Arc::ptr_eq(&known.factory, &stream.factory))
        {
            twice = Some(Arc::clone(&stream.name));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    match twice {
        Some(name) => Err(Error::statement(format!("the query reads two different streams named \"{name}\""))
            .hint("A view keeps the stream that it was made from: make the view anew, or give each stream a name of its own.")),
        None => Ok(()),
    }
}

/// Whether a plan reads a stream.
pub fn is_streaming(plan: &LogicalPlan) -> bool {
    !streams_of(plan).is_empty()
}
