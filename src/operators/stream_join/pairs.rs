//! Pairs of rows that match, and the batches that they make.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, UInt32Array, new_null_array};
use arrow::compute::{filter, take, take_record_batch};
use arrow::datatypes::{Schema, SchemaRef, UInt32Type};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;

use super::SymmetricJoin;

/// So many pairs are looked at, or given, at once.
const CHUNK_PAIRS: usize = 8192;

/// The rows of pairs: as many left ones as right ones.
pub(super) struct Pairs {
    pub(super) left: UInt32Array,
    pub(super) right: UInt32Array,
}

impl Pairs {
    /// Sets `has_matched` for the rows of one side.
    pub(super) fn mark(&self, side: &UInt32Array, has_matched: &mut [bool]) {
        debug_assert_eq!(self.left.len(), self.right.len(), "pairs have two rows");
        for &row in side.values() {
            has_matched[row as usize] = true;
        }
    }
}

/// What pairs with equal keys have to fulfil, over just the columns that it reads.
#[derive(Debug)]
pub(super) struct PairFilter {
    expr: Arc<dyn PhysicalExpr>,
    left: Vec<usize>,
    right: Vec<usize>,
    schema: SchemaRef,
}

impl PairFilter {
    /// `expr` is over the columns of `left` and then those of `right`.
    pub(super) fn try_new(expr: &Arc<dyn PhysicalExpr>, left: &Schema, right: &Schema) -> Result<Self> {
        let mut columns = collect_columns(expr)
            .into_iter()
            .map(|column| column.index())
            .collect::<Vec<_>>();
        columns.sort_unstable();
        let num_left = left.fields().len();
        let joined = left.fields().iter().chain(right.fields()).cloned();
        let joined = Schema::new(joined.collect::<Vec<_>>());
        let schema = Arc::new(joined.project(&columns)?);
        let expr = Arc::clone(expr).transform_up(|expr| {
            let place = |column: &Column| columns.binary_search(&column.index());
            match expr
                .downcast_ref::<Column>()
                .map(|column| (column, place(column)))
            {
                Some((column, Ok(place))) => Ok(Transformed::yes(
                    Arc::new(Column::new(column.name(), place)) as Arc<dyn PhysicalExpr>,
                )),
                _ => Ok(Transformed::no(expr)),
            }
        });
        let expr = expr.data()?;
        let (left, right) = columns
            .into_iter()
            .partition::<Vec<_>, _>(|&column| column < num_left);
        Ok(Self {
            expr,
            left,
            right: right.into_iter().map(|column| column - num_left).collect(),
            schema,
        })
    }

    fn keep(&self, left: &RecordBatch, right: &RecordBatch, pairs: &Pairs) -> Result<Pairs> {
        let mut columns = Vec::with_capacity(self.schema.fields().len());
        for &column in &self.left {
            columns.push(take(left.column(column), &pairs.left, None)?);
        }
        for &column in &self.right {
            columns.push(take(right.column(column), &pairs.right, None)?);
        }
        let num_pairs = pairs.left.len();
        let options = RecordBatchOptions::new().with_row_count(Some(num_pairs));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?;
        let passes = self.expr.evaluate(&rows)?.into_array(num_pairs)?;
        let passes = passes.as_boolean();
        Ok(Pairs {
            left: filter(&pairs.left, passes)?.as_primitive::<UInt32Type>().clone(),
            right: filter(&pairs.right, passes)?.as_primitive::<UInt32Type>().clone(),
        })
    }
}

impl fmt::Display for PairFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)
    }
}

impl SymmetricJoin {
    /// The pairs that pass the condition, of those whose keys are equal.
    pub(super) fn matching(
        &self,
        left: &RecordBatch,
        left_rows: &[u32],
        right: &RecordBatch,
        right_rows: &[u32],
    ) -> Result<Pairs> {
        let all = |rows: &[u32]| UInt32Array::from(rows.to_vec());
        let Some(filter) = &self.filter else {
            return Ok(Pairs {
                left: all(left_rows),
                right: all(right_rows),
            });
        };
        let (mut kept_left, mut kept_right) = (Vec::new(), Vec::new());
        let chunks = left_rows.chunks(CHUNK_PAIRS).zip(right_rows.chunks(CHUNK_PAIRS));
        for (left_rows, right_rows) in chunks {
            let pairs = Pairs {
                left: all(left_rows),
                right: all(right_rows),
            };
            let kept = filter.keep(left, right, &pairs)?;
            kept_left.extend_from_slice(kept.left.values());
            kept_right.extend_from_slice(kept.right.values());
        }
        Ok(Pairs {
            left: kept_left.into(),
            right: kept_right.into(),
        })
    }

    /// Gives the joined rows of pairs.
    pub(super) fn give_pairs(
        &self,
        left: &RecordBatch,
        left_rows: &UInt32Array,
        right: &RecordBatch,
        right_rows: &UInt32Array,
        output: &mut Vec<RecordBatch>,
    ) -> Result<()> {
        for begin in (0..left_rows.len()).step_by(CHUNK_PAIRS) {
            let length = CHUNK_PAIRS.min(left_rows.len() - begin);
            let left = take_record_batch(left, &left_rows.slice(begin, length))?;
            let right = take_record_batch(right, &right_rows.slice(begin, length))?;
            let columns = left.columns().iter().chain(right.columns()).cloned();
            let columns = columns.collect::<Vec<ArrayRef>>();
            output.push(RecordBatch::try_new(Arc::clone(&self.schema), columns)?);
        }
        Ok(())
    }

    /// Rows of one side, with nulls for the other one.
    pub(super) fn with_nulls(&self, rows: &RecordBatch, is_left: bool) -> Result<RecordBatch> {
        let own = rows.num_columns();
        let fields = self.schema.fields();
        let nulls = if is_left {
            &fields[own..]
        } else {
            &fields[..fields.len() - own]
        };
        let nulls = nulls
            .iter()
            .map(|field| new_null_array(field.data_type(), rows.num_rows()));
        let own = rows.columns().iter().cloned();
        let columns = if is_left {
            own.chain(nulls).collect::<Vec<_>>()
        } else {
            nulls.chain(own).collect::<Vec<_>>()
        };
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}
