//! The physical operators that a streaming plan has beside DataFusion's own, one a file.
//!
//! # Layout
//!
//! - [`exec`]: what all nodes have in common, once
//! - [`stream_scan`]: the leaf that the micro-batch loop fills
//! - [`watermark`]: sees event times pass
//! - [`late_rows`]: drops rows that came too late
//! - [`deduplicate`]: keeps the first row of each key
//! - [`stream_join`]: joins two streams
//! - [`top_n`]: keeps the first rows of each group
//! - [`stream_limit`]: gives the first rows of a stream
//! - [`streaming_aggregate`]: merges a batch's groups into the state
//! - [`session_window`]: merges a batch's sessions into the state
//! - [`aggregate_stages`]: the pieces of a planned aggregate that both run over state
//! - [`panes`]: from panes to windows, and which groups are still open
//! - [`arrival`]: reads an input in the order of arrival
//! - [`measured`]: rows and times for EXPLAIN ANALYZE
//! - [`signature`]: what a checkpoint compares on a restart
//! - [`batches`]: a leaf over rows in memory
//! - [`with_schema`]: gives rows another schema
//! - [`context`]: what a stateful operator shares with the loop: its state, its watermarks, its numbers

pub mod aggregate_stages;
pub mod arrival;
pub mod batches;
pub mod context;
pub mod deduplicate;
pub mod exec;
pub mod late_rows;
pub mod measured;
pub mod panes;
pub mod session_window;
pub mod signature;
pub mod stream_join;
pub mod stream_limit;
pub mod stream_scan;
pub mod streaming_aggregate;
pub mod top_n;
pub mod watermark;
pub mod with_schema;

use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;

use crate::operators::context::OperatorContext;
use crate::operators::deduplicate::Deduplicate;
use crate::operators::exec::{Operator, OperatorExec};
use crate::operators::session_window::SessionWindow;
use crate::operators::stream_join::SymmetricJoin;
use crate::operators::stream_limit::StreamLimit;
use crate::operators::streaming_aggregate::StreamingAggregate;
use crate::operators::top_n::TopN;

/// The states of a physical node: none if it is not stateful, several if each of its inputs has one (left first).
pub fn operators_of(node: &dyn ExecutionPlan) -> Vec<&Arc<OperatorContext>> {
    contexts_of::<StreamingAggregate>(node)
        .or_else(|| contexts_of::<SessionWindow>(node))
        .or_else(|| contexts_of::<Deduplicate>(node))
        .or_else(|| contexts_of::<TopN>(node))
        .or_else(|| contexts_of::<StreamLimit>(node))
        .or_else(|| contexts_of::<SymmetricJoin>(node))
        .unwrap_or_default()
}

fn contexts_of<T: Operator>(node: &dyn ExecutionPlan) -> Option<Vec<&Arc<OperatorContext>>> {
    let node = node.downcast_ref::<OperatorExec<T>>()?;
    Some(node.operator().contexts())
}
