//! The logical node of `LIMIT` over rows that a stream goes on giving: the first rows of the query's whole life, not
//! of each batch.
//!
//! ```text
//! Limit: fetch=10              StreamLimit: 10
//!   Input                =>      Input
//! ```
//!
//! In complete mode a limit behind an aggregate is about one batch's whole result and stays DataFusion's own. Spark:
//! `StreamingGlobalLimitStrategy`.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::common::{DFSchemaRef, Result, plan_err};
use datafusion::logical_expr::{Expr, Extension, FetchType, LogicalPlan, UserDefinedLogicalNodeCore};

use crate::plan::aggregate_mode::has_streaming_aggregate;
use crate::plan::stream_table::is_streaming;
use crate::sink::OutputMode;

/// Gives the first rows of its input in the order of arrival, over all batches. Schema: the input's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StreamLimit {
    input: LogicalPlan,
    fetch: usize,
}

impl StreamLimit {
    /// How many rows it gives.
    pub fn fetch(&self) -> usize {
        self.fetch
    }
}

/// Whether a limit over `input` counts rows over all batches, rather than those of each batch's whole result.
pub fn counts_over_batches(input: &LogicalPlan, mode: OutputMode) -> bool {
    is_streaming(input) && (mode == OutputMode::Append || !has_streaming_aggregate(input))
}

/// Turns every limit that counts over all batches into a [`StreamLimit`].
///
/// # Errors
///
/// A limit that is no constant.
pub fn rewrite_limits(plan: LogicalPlan, mode: OutputMode) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Limit(limit) if counts_over_batches(&limit.input, mode) => {
            let fetch = match limit.get_fetch_type()? {
                FetchType::Literal(None) => return Ok(Transformed::no(LogicalPlan::Limit(limit))),
                FetchType::Literal(Some(fetch)) => fetch,
                FetchType::UnsupportedExpr => return plan_err!("the LIMIT of a stream is no constant"),
            };
            let node = StreamLimit {
                input: Arc::unwrap_or_clone(limit.input),
                fetch,
            };
            Ok(Transformed::yes(LogicalPlan::Extension(Extension {
                node: Arc::new(node),
            })))
        }
        other => Ok(Transformed::no(other)),
    })
    .data()
}

impl PartialOrd for StreamLimit {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.fetch.partial_cmp(&other.fetch).filter(|_| self == other)
    }
}

impl UserDefinedLogicalNodeCore for StreamLimit {
    fn name(&self) -> &'static str {
        "StreamLimit"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "StreamLimit: {}", self.fetch)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let (Some(input), true) = (inputs.pop(), inputs.is_empty()) else {
            return plan_err!("a limit has one input");
        };
        Ok(Self {
            input,
            fetch: self.fetch,
        })
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![output_columns.to_vec()])
    }
}
