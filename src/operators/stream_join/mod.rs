//! Joins two streams: each side's rows are kept until the watermark says that no match is to come.
//!
//! ```sql
//! SELECT * FROM impressions JOIN clicks
//!   ON ad = click_ad AND clicked BETWEEN seen AND seen + INTERVAL 1 HOUR
//! ```
//!
//! ```text
//!   left rows ── late rows ──┐                          ┌── late rows ── right rows
//!                            ▼                          ▼
//!                       StreamJoinExec
//!   1  new left rows   x  kept right rows    -> pairs     new left rows are kept
//!   2  new right rows  x  kept left rows     -> pairs     new right rows are kept; the new left rows are among the kept
//!   3  evict both sides                      -> rows of an outer side that never matched, with nulls
//! ```
//!
//! Pairs have equal keys and pass the condition. A semi join gives a left row at its first match.
//!
//! State, one a side: the keys, a number that tells rows apart, the row, whether it has matched. Rows are found by
//! key, so a batch costs what its own keys have. They are evicted by a key that is an event time, or by the side's
//! event time where the condition bounds the time between the two. A row that fails a condition on its own side alone
//! is not kept, and so is a row with a null key, unless it is of an outer side.
//!
//! Schema out: the left side's columns, then the right side's; of a semi join the left side's.
//!
//! Spark: `StreamingSymmetricHashJoinExec`.
//!
//! # Layout
//!
//! - `side`: one side's rows and state
//! - `pairs`: rows that match, and the batches that they make

mod pairs;
mod side;

use std::fmt;
use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::{JoinType, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{Distribution, PhysicalExpr};
use datafusion::physical_plan::{ExecutionPlan, PlanProperties, SendableRecordBatchStream};
use futures::TryStreamExt;

use crate::operators::context::OperatorContext;
use crate::operators::exec::{Operator, OperatorExec, gathering, stream_once};
use crate::operators::late_rows::without_late_rows;
use crate::state::store::EvictionTime;

use pairs::PairFilter;
use side::{JoinSide, SideKind};

/// What evicts a side's rows.
#[derive(Debug, Clone, Copy)]
pub enum JoinEviction {
    /// An event time among the keys; its column counts among them.
    Key(EvictionTime),
    /// The side's event time, whose column counts among the side's own.
    Value {
        /// The event time.
        time: EvictionTime,
        /// How far before the watermark a row has to be, as a negative number of microseconds.
        offset_us: i64,
    },
}

/// What the condition says of one side.
#[derive(Debug)]
pub struct SideSpec {
    /// The keys, over the side's columns.
    pub keys: Vec<Arc<dyn PhysicalExpr>>,
    /// What a checkpoint knows the keys by.
    pub key_names: Vec<String>,
    /// What a row has to fulfil to match any row.
    pub only: Option<Arc<dyn PhysicalExpr>>,
    /// What evicts its rows; without it they are kept forever.
    pub eviction: Option<JoinEviction>,
}

/// What a join is.
#[derive(Debug)]
pub struct JoinSpec {
    /// The left side.
    pub left: SideSpec,
    /// The right side, with keys of the same types.
    pub right: SideSpec,
    /// What pairs with equal keys have to fulfil, over the left side's columns and then the right side's.
    pub filter: Option<Arc<dyn PhysicalExpr>>,
    /// Inner, left, right, full or left semi.
    pub join_type: JoinType,
    /// Whether null keys match each other.
    pub nulls_match: bool,
    /// The schema of the output.
    pub schema: SchemaRef,
}

/// A join of two streams. See the module's documentation.
pub type StreamJoinExec = OperatorExec<SymmetricJoin>;

/// What [`StreamJoinExec`] joins.
#[derive(Debug)]
pub struct SymmetricJoin {
    left: JoinSide,
    right: JoinSide,
    filter: Option<PairFilter>,
    is_semi: bool,
    schema: SchemaRef,
}

impl StreamJoinExec {
    /// Joins `left` and `right`.
    ///
    /// # Errors
    ///
    /// A key type that has no row format.
    pub fn try_new(
        left: Arc<dyn ExecutionPlan>,
        right: Arc<dyn ExecutionPlan>,
        spec: JoinSpec,
    ) -> Result<Self> {
        let wants_no_data_batch = spec.left.eviction.is_some() || spec.right.eviction.is_some();
        let nulls_match = spec.nulls_match;
        let (left_schema, right_schema) = (left.schema(), right.schema());
        let filter = spec
            .filter
            .map(|filter| PairFilter::try_new(&filter, &left_schema, &right_schema))
            .transpose()?;
        let side = |name, spec: SideSpec, schema, is_outer| {
            let kind = SideKind {
                name,
                is_outer,
                nulls_match,
                wants_no_data_batch,
            };
            JoinSide::try_new(kind, spec, schema)
        };
        let is_left_outer = matches!(spec.join_type, JoinType::Left | JoinType::Full);
        let is_right_outer = matches!(spec.join_type, JoinType::Right | JoinType::Full);
        let join = SymmetricJoin {
            left: side("symmetricHashJoinLeft", spec.left, left_schema, is_left_outer)?,
            right: side("symmetricHashJoinRight", spec.right, right_schema, is_right_outer)?,
            filter,
            is_semi: spec.join_type == JoinType::LeftSemi,
            schema: spec.schema,
        };
        let left = without_late_rows(left, &join.left.operator)?;
        let right = without_late_rows(right, &join.right.operator)?;
        Ok(Self::over(vec![left, right], join))
    }
}

impl SymmetricJoin {
    /// One batch's way through the join.
    fn run(&self, left_rows: &[RecordBatch], right_rows: &[RecordBatch]) -> Result<Vec<RecordBatch>> {
        let mut output = Vec::new();
        // As one batch each, rows are looked up at once, and the state's log has few batches.
        if let Some(first) = left_rows.first() {
            self.take_left(&concat_batches(first.schema_ref(), left_rows)?, &mut output)?;
        }
        if let Some(first) = right_rows.first() {
            self.take_right(&concat_batches(first.schema_ref(), right_rows)?, &mut output)?;
        }
        for (side, is_left) in [(&self.left, true), (&self.right, false)] {
            if let Some(unmatched) = side.evict()? {
                output.push(self.with_nulls(&unmatched, is_left)?);
            }
        }
        Ok(output)
    }

    fn take_left(&self, rows: &RecordBatch, output: &mut Vec<RecordBatch>) -> Result<()> {
        let arrived = self.left.arrive(rows)?;
        if let Some(rejected) = &arrived.rejected {
            output.push(self.with_nulls(rejected, true)?);
        }
        let mut has_matched = vec![false; arrived.rows.num_rows()];
        if let Some(probe) = self.right.probe(&arrived)? {
            let stored = self.right.columns_of(&probe.rows)?;
            let pairs = self.matching(&arrived.rows, &probe.asking, &stored, &probe.found)?;
            pairs.mark(&pairs.left, &mut has_matched);
            if !self.is_semi {
                self.give_pairs(&arrived.rows, &pairs.left, &stored, &pairs.right, output)?;
            }
            if self.right.kind.is_outer {
                self.right.mark_matched(&probe.rows, &pairs.right)?;
            }
        }
        let has_matched = BooleanArray::from(has_matched);
        if self.is_semi {
            let matched = arrow::compute::filter_record_batch(&arrived.rows, &has_matched)?;
            output.push(RecordBatch::try_new(
                Arc::clone(&self.schema),
                matched.columns().to_vec(),
            )?);
            self.left.keep(&arrived, has_matched, true)
        } else {
            self.left.keep(&arrived, has_matched, false)
        }
    }

    fn take_right(&self, rows: &RecordBatch, output: &mut Vec<RecordBatch>) -> Result<()> {
        let arrived = self.right.arrive(rows)?;
        if let Some(rejected) = &arrived.rejected {
            output.push(self.with_nulls(rejected, false)?);
        }
        let mut has_matched = vec![false; arrived.rows.num_rows()];
        if let Some(probe) = self.left.probe(&arrived)? {
            let stored = self.left.columns_of(&probe.rows)?;
            let pairs = self.matching(&stored, &probe.found, &arrived.rows, &probe.asking)?;
            pairs.mark(&pairs.right, &mut has_matched);
            if !self.is_semi {
                self.give_pairs(&stored, &pairs.left, &arrived.rows, &pairs.right, output)?;
            }
            if self.is_semi || self.left.kind.is_outer {
                let first_matched = self.left.mark_matched(&probe.rows, &pairs.left)?;
                if let (true, Some(matched)) = (self.is_semi, first_matched) {
                    output.push(RecordBatch::try_new(
                        Arc::clone(&self.schema),
                        matched.columns().to_vec(),
                    )?);
                }
            }
        }
        self.right.keep(&arrived, BooleanArray::from(has_matched), false)
    }
}

impl Operator for SymmetricJoin {
    const NAME: &'static str = "StreamJoinExec";
    const NEEDS: Distribution = Distribution::SinglePartition;

    fn properties(&self, inputs: &[Arc<dyn ExecutionPlan>]) -> PlanProperties {
        gathering(&inputs[0], Arc::clone(&self.schema))
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (left, right) = (&self.left.operator, &self.right.operator);
        write!(
            f,
            "operators={},{}, left: {}; right: {}",
            left.id(),
            right.id(),
            left.signature(),
            right.signature()
        )?;
        match &self.filter {
            Some(filter) => write!(f, "; filter {filter}"),
            None => Ok(()),
        }
    }

    fn contexts(&self) -> Vec<&Arc<OperatorContext>> {
        vec![&self.left.operator, &self.right.operator]
    }

    fn execute(
        self: &Arc<Self>,
        inputs: &[Arc<dyn ExecutionPlan>],
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let left = inputs[0].execute(partition, Arc::clone(&context))?;
        let right = inputs[1].execute(partition, context)?;
        let join = Arc::clone(self);
        let rows = async move {
            let (left, right) =
                futures::try_join!(left.try_collect::<Vec<_>>(), right.try_collect::<Vec<_>>())?;
            join.run(&left, &right)
        };
        Ok(stream_once(Arc::clone(&self.schema), rows))
    }
}
