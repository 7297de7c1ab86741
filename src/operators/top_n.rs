//! Keeps the first rows of each group, and gives them once the group is over.
//!
//! ```sql
//! SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY window, kind ORDER BY amount DESC) AS rank FROM s)
//! WHERE rank <= 3
//! ```
//!
//! ```text
//! LateRowsExec            drops rows whose group is over
//!   │
//! TopNExec
//!   ├ look up             the stored rows of the groups that the batch touched
//!   ├ rank                stored and new rows: what is beyond the last rank leaves the state, or never enters it
//!   └ evict               groups whose event time is at or before the batch's watermark: their rows are the output
//! ```
//!
//! A row that is beyond the last rank stays there, since later rows can only come before it. So a group never has more
//! rows than it gives: at most as many as the last rank, and with `rank` or `dense_rank` those of equal order too. Rows
//! of equal order are numbered as they arrived.
//!
//! State per row: the group's key, the row's number, the rest of the row. Schema out: the input's and the rank.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, AsArray, Int64Array, UInt32Array, UInt64Array};
use arrow::compute::{SortOptions, cast, concat_batches, take, take_record_batch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::{Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties, SendableRecordBatchStream};

use crate::operators::arrival::{in_order_of_arrival, partitions_of};
use crate::operators::context::{OperatorContext, OperatorSpec};
use crate::operators::exec::{Operator, OperatorExec, gathering, stream_once};
use crate::operators::late_rows::LateRowsExec;
use crate::operators::signature::top_n_signature;
use crate::plan::event_time::eviction_among;
use crate::state::{StateLayout, StateStore};

/// How rows of a group are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Hash)]
pub enum Ranking {
    /// Each row has a rank of its own.
    RowNumber,
    /// Rows of equal order have one rank, and the next one counts all rows before it.
    Rank,
    /// Rows of equal order have one rank, and the next one is one more.
    DenseRank,
}

/// Which rows are the first.
#[derive(Debug, Clone)]
pub struct TopNSpec {
    /// How they are counted.
    pub ranking: Ranking,
    /// The last rank that is kept.
    pub last: u64,
    /// The input's columns that make a group, each once.
    pub partition: Vec<usize>,
    /// The input's columns that they are ordered by.
    pub order: Vec<(usize, SortOptions)>,
}

/// The first rows of each group. See the module's documentation.
pub type TopNExec = OperatorExec<TopN>;

/// What [`TopNExec`] keeps.
#[derive(Debug)]
pub struct TopN {
    ranks: Ranks,
    context: Arc<OperatorContext>,
    /// The input's columns and the rank.
    schema: SchemaRef,
}

/// How state rows are ranked, and become rows of the output.
#[derive(Debug)]
struct Ranks {
    ranking: Ranking,
    last: u64,
    /// How many of the state's columns are the group's key; the row's number comes behind them.
    num_groups: usize,
    /// The state's columns that rows are ordered by.
    order: Vec<(usize, SortOptions)>,
    /// Which column of the state each column of the input is.
    places: Vec<usize>,
}

/// Rows in the order of their groups, and in a group of their ranks.
struct Ranked {
    rows: Vec<u32>,
    ranks: Vec<u64>,
}

impl TopNExec {
    /// Keeps the first rows of each group of `input`; `schema` is the input's and the rank.
    ///
    /// # Errors
    ///
    /// A key type that has no row format; no event time among the groups' columns.
    pub fn try_new(input: Arc<dyn ExecutionPlan>, spec: &TopNSpec, schema: SchemaRef) -> Result<Self> {
        let input_schema = input.schema();
        let number = Field::new("number", DataType::Int64, false);
        let rest = (0..input_schema.fields().len()).filter(|column| !spec.partition.contains(column));
        let rest = rest.collect::<Vec<_>>();
        let field = |column: &usize| Arc::clone(&input_schema.fields()[*column]);
        let fields = spec.partition.iter().map(field).chain([Arc::new(number)]);
        let fields = fields.chain(rest.iter().map(field)).collect::<Vec<_>>();
        let state_schema = Arc::new(Schema::new(fields));

        let num_groups = spec.partition.len();
        let mut places = vec![0; input_schema.fields().len()];
        for (place, &column) in spec.partition.iter().enumerate() {
            places[column] = place;
        }
        for (place, &column) in rest.iter().enumerate() {
            places[column] = num_groups + 1 + place;
        }
        let groups = state_schema.fields()[..num_groups].iter();
        let Some(eviction) = eviction_among(groups.map(AsRef::as_ref)) else {
            return internal_err!("the first rows of groups without event time");
        };
        let order = spec.order.iter();
        let ranks = Ranks {
            ranking: spec.ranking,
            last: spec.last,
            num_groups,
            order: order
                .map(|&(column, options)| (places[column], options))
                .collect(),
            places,
        };
        let num_keys = num_groups + 1;
        let signature = top_n_signature(
            &ranks.describe(&state_schema),
            &state_schema,
            num_keys,
            Some(eviction),
        );
        let context = OperatorContext::try_new(OperatorSpec {
            name: "topN",
            signature,
            layout: StateLayout {
                schema: state_schema,
                num_keys,
                eviction: Some(eviction),
                is_numbered: true,
            },
            wants_no_data_batch: true,
            output_lag_us: Some(0),
        })?;
        let time = spec.partition[eviction.column];
        let time = Arc::new(Column::new(input_schema.field(time).name(), time));
        let input = LateRowsExec::try_new(input, time, eviction, Arc::clone(&context))?;
        let top = TopN {
            ranks,
            context,
            schema,
        };
        Ok(Self::over(vec![Arc::new(input)], top))
    }
}

impl TopN {
    /// One batch's way through the operator. The partitions come in reading order.
    async fn run(self: Arc<Self>, partitions: Vec<SendableRecordBatchStream>) -> Result<Vec<RecordBatch>> {
        let arrived = in_order_of_arrival(partitions).await?;
        let watermark_us = self.context.watermarks().eviction_us;
        let first = self.context.with_state(|store, numbers| {
            let begun = Instant::now();
            let state_schema = Arc::clone(&store.layout().schema);
            let mut number = store.next_number();
            let mut rows = Vec::with_capacity(arrived.len());
            for batch in &arrived {
                rows.push(self.ranks.state_rows(batch, &state_schema, number)?);
                number += i64::try_from(batch.num_rows()).unwrap_or(i64::MAX);
            }
            let rows = concat_batches(&state_schema, &rows)?;
            if rows.num_rows() > 0 {
                numbers.updated += self.ranks.take_in(store, rows)?;
            }
            numbers.update_time += begun.elapsed();
            let begun = Instant::now();
            let evicted = store.evict(watermark_us)?;
            numbers.removed += evicted.as_ref().map_or(0, |rows| rows.num_rows() as u64);
            numbers.removal_time += begun.elapsed();
            Ok(evicted)
        })?;
        let first = first.iter();
        first.map(|rows| self.ranks.output(rows, &self.schema)).collect()
    }
}

impl Ranks {
    fn describe(&self, schema: &SchemaRef) -> String {
        let order = self.order.iter().map(|&(column, options)| {
            let direction = if options.descending { "DESC" } else { "ASC" };
            let nulls = if options.nulls_first { "FIRST" } else { "LAST" };
            format!("{} {direction} NULLS {nulls}", schema.field(column).name())
        });
        let order = order.collect::<Vec<_>>().join(", ");
        match self.ranking {
            Ranking::RowNumber => format!("row_number up to {} by {order}", self.last),
            Ranking::Rank => format!("rank up to {} by {order}", self.last),
            Ranking::DenseRank => format!("dense_rank up to {} by {order}", self.last),
        }
    }

    /// A batch's rows as the state has them, numbered from `first` on.
    fn state_rows(&self, rows: &RecordBatch, schema: &SchemaRef, first: i64) -> Result<RecordBatch> {
        let numbers = (first..).take(rows.num_rows());
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(numbers));
        let mut columns = vec![numbers; schema.fields().len()];
        for (column, &place) in rows.columns().iter().zip(&self.places) {
            columns[place] = Arc::clone(column);
        }
        Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
    }

    /// The group keys of some state rows.
    fn groups(&self, rows: &RecordBatch) -> Result<Rows> {
        encode(
            rows,
            (0..self.num_groups).map(|column| (column, SortOptions::default())),
        )
    }

    fn rank(&self, rows: &RecordBatch) -> Result<Ranked> {
        let groups = self.groups(rows)?;
        let order = encode(rows, self.order.iter().copied())?;
        let numbers = rows.column(self.num_groups).as_primitive::<Int64Type>().values();
        let mut sorted = (0..rows.num_rows()).collect::<Vec<_>>();
        sorted.sort_unstable_by_key(|&row| (groups.row(row), order.row(row), numbers[row]));
        let mut ranks = Vec::with_capacity(sorted.len());
        // The rank, and how many rows of the group there are so far.
        let (mut rank, mut count) = (0, 0);
        for (place, &row) in sorted.iter().enumerate() {
            let before = place.checked_sub(1).map(|place| sorted[place]);
            let before = before.filter(|&before| groups.row(before) == groups.row(row));
            let is_tie = before.is_some_and(|before| order.row(before) == order.row(row));
            if before.is_none() {
                (rank, count) = (0, 0);
            }
            count += 1;
            rank = match self.ranking {
                Ranking::RowNumber => count,
                _ if is_tie => rank,
                Ranking::Rank => count,
                Ranking::DenseRank => rank + 1,
            };
            ranks.push(rank);
        }
        let rows = sorted
            .into_iter()
            .map(|row| u32::try_from(row).unwrap_or(u32::MAX));
        Ok(Ranked {
            rows: rows.collect(),
            ranks,
        })
    }

    /// Takes new rows in; gives how many of them are among the first, and so in the state.
    fn take_in(&self, store: &mut StateStore, arrived: RecordBatch) -> Result<u64> {
        let schema = Arc::clone(&store.layout().schema);
        let groups = self.groups(&arrived)?;
        let mut seen = hashbrown::HashSet::new();
        let one_each = (0..arrived.num_rows()).filter(|&row| seen.insert(groups.row(row)));
        let one_each = one_each.map(|row| row as u64).collect::<UInt64Array>();
        let keys = arrived.columns()[..self.num_groups].iter();
        let keys = keys
            .map(|column| take(column, &one_each, None))
            .collect::<Result<Vec<_>, _>>()?;
        let stored = store.probe(&keys, one_each.len())?.map(|found| found.rows);
        let num_stored = stored.as_ref().map_or(0, RecordBatch::num_rows);
        let rows = match stored {
            Some(stored) => concat_batches(&schema, [&stored, &arrived])?,
            None => arrived,
        };
        let ranked = self.rank(&rows)?;
        let (mut gone, mut new) = (Vec::new(), Vec::new());
        for (row, rank) in ranked.rows.into_iter().zip(ranked.ranks) {
            match (rank <= self.last, (row as usize) < num_stored) {
                (true, false) => new.push(row),
                (false, true) => gone.push(row),
                _ => {}
            }
        }
        let gone = take_record_batch(&rows, &UInt32Array::from(gone))?;
        store.remove(gone.project(&(0..=self.num_groups).collect::<Vec<_>>())?)?;
        // In the order of arrival, so that the log keeps it.
        new.sort_unstable();
        let num_new = new.len() as u64;
        store.put(take_record_batch(&rows, &UInt32Array::from(new))?)?;
        Ok(num_new)
    }

    /// State rows, all of their groups, as rows of the output.
    fn output(&self, rows: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
        let Ranked { rows: sorted, ranks } = self.rank(rows)?;
        let rows = take_record_batch(rows, &UInt32Array::from(sorted))?;
        let columns = self.places.iter().map(|&place| Arc::clone(rows.column(place)));
        let mut columns = columns.collect::<Vec<_>>();
        let ranks: ArrayRef = Arc::new(UInt64Array::from(ranks));
        columns.push(cast(&ranks, schema.field(columns.len()).data_type())?);
        Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
    }
}

fn encode(rows: &RecordBatch, columns: impl Iterator<Item = (usize, SortOptions)>) -> Result<Rows> {
    let (fields, columns): (Vec<_>, Vec<_>) = columns
        .map(|(column, options)| {
            let column = rows.column(column);
            let field = SortField::new_with_options(column.data_type().clone(), options);
            (field, Arc::clone(column))
        })
        .unzip();
    Ok(RowConverter::new(fields)?.convert_columns(&columns)?)
}

impl Operator for TopN {
    const NAME: &'static str = "TopNExec";
    const MAY_SPLIT_INPUTS: bool = false;

    fn properties(&self, inputs: &[Arc<dyn ExecutionPlan>]) -> PlanProperties {
        gathering(&inputs[0], Arc::clone(&self.schema))
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "operator={}, {}", self.context.id(), self.context.signature())
    }

    fn contexts(&self) -> Vec<&Arc<OperatorContext>> {
        vec![&self.context]
    }

    fn execute(
        self: &Arc<Self>,
        inputs: &[Arc<dyn ExecutionPlan>],
        _: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let partitions = partitions_of(&inputs[0], &context)?;
        let schema = Arc::clone(&self.schema);
        Ok(stream_once(schema, Arc::clone(self).run(partitions)))
    }
}
