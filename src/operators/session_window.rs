//! Merges a batch's sessions with those in the state, and gives the ones that the output mode asks for.
//!
//! ```sql
//! SELECT session_window, user, count(*) FROM events GROUP BY user, session_window(t, '5 minutes')
//! ```
//!
//! ```text
//! AggregateExec: Partial          one row of accumulator state per user, time and gap: a session of its own
//!   │
//! SessionWindowExec
//!   ├ look up      the touched users' sessions                user   batch            state        merged
//!   ├ sweep        by user in the order of starts; one that   ann    09:04-09:09   ┐
//!   │              begins at or before the end so far is      ann    09:08-09:13   ├               09:00-09:13
//!   │              part of the session                        ann               └─ 09:00-09:05
//!   ├ PartialReduce  the parts of each changed session -> one row
//!   ├ remove, put  the sessions that became parts go, the merged ones come
//!   ├ evict        sessions that end at or before the batch's watermark (append)
//!   └ Final        append: the evicted sessions; complete: all
//! ```
//!
//! State per session: the other keys and a number that tells a key's sessions apart, then the session's start and
//! end and the accumulators' state columns. Late are rows whose own session, from their time to their time plus the
//! gap, ended at or before the previous batch's watermark, even if a session in the state would take them in.
//!
//! Spark: `MergingSessionsExec`, `SessionWindowStateStoreRestoreExec`, `SessionWindowStateStoreSaveExec`.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, AsArray, Int64Array, TimestampMicrosecondArray, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::Distribution;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties, SendableRecordBatchStream};
use futures::TryStreamExt;

use crate::operators::aggregate_stages::{AggregateStages, under_late_filter};
use crate::operators::context::{OperatorContext, OperatorSpec};
use crate::operators::exec::{Operator, OperatorExec, gathering, stream_once};
use crate::operators::signature::aggregate_signature;
use crate::plan::event_time::{Bound, is_event_time, is_session_bound};
use crate::sink::OutputMode;
use crate::state::StateLayout;
use crate::state::store::EvictionTime;

/// Sessions over a stream. See the module's documentation.
pub type SessionWindowExec = OperatorExec<SessionWindow>;

/// Whether an aggregate's last two keys are the bounds of sessions that are to be merged.
pub fn groups_by_session(partial: &AggregateExec) -> bool {
    let schema = partial.schema();
    let num_keys = partial.group_expr().expr().len();
    let fields = &schema.fields()[..num_keys];
    matches!(fields, [.., start, end]
        if is_session_bound(start, Bound::Start) && is_session_bound(end, Bound::End))
}

impl SessionWindowExec {
    /// Makes the streaming form of a `Partial` aggregate for which [`groups_by_session`] holds and the `Final` one
    /// above it, in a query in which `relations` qualify columns.
    ///
    /// # Errors
    ///
    /// A key type that has no row format.
    pub fn try_new(
        partial: &AggregateExec,
        last: &AggregateExec,
        output_mode: OutputMode,
        relations: &[String],
    ) -> Result<Self> {
        let aggregate = AggregateStages::try_new(partial)?;
        let (schema, num_keys) = (Arc::clone(aggregate.state_schema()), aggregate.num_keys());
        let (start, end) = (num_keys - 2, num_keys - 1);
        let event_time = is_event_time(schema.field(end)).then_some(EvictionTime {
            column: end,
            offset_us: 0,
        });
        // In complete mode nothing is ever evicted: every batch needs every session. Unlike other aggregates, as in
        // Spark, sessions are without late rows even then.
        let eviction = event_time.filter(|_| output_mode != OutputMode::Complete);
        let aggregates = partial.aggr_expr().iter().map(|aggregate| aggregate.name());
        let signature = aggregate_signature(&schema, num_keys, aggregates, eviction, relations);

        let mut fields = schema.fields().to_vec();
        fields.insert(start, Arc::new(Field::new("#session", DataType::Int64, false)));
        let layout = StateLayout {
            schema: Arc::new(Schema::new(fields)),
            num_keys: start + 1,
            eviction: eviction.map(|time| EvictionTime {
                column: time.column + 1,
                ..time
            }),
            is_numbered: true,
        };
        let stored_schema = Arc::clone(&layout.schema);
        let context = OperatorContext::try_new(OperatorSpec {
            name: "sessionWindowStateStoreSaveExec",
            signature,
            layout,
            wants_no_data_batch: output_mode != OutputMode::Complete,
            output_lag_us: Some(0),
        })?;
        let input = match event_time {
            Some(event_time) => under_late_filter(partial, event_time, &context)?,
            None => Arc::new(partial.clone()),
        };
        let sessions = SessionWindow {
            aggregate,
            stored_schema,
            start,
            is_evicting: eviction.is_some(),
            output_mode,
            schema: last.schema(),
            context,
        };
        Ok(Self::over(vec![input], sessions))
    }
}

/// What a batch of [`SessionWindowExec`] goes through. Rows have the columns of the aggregate's state: other keys, start, end, accumulators;
/// stored rows have the session's number before the start.
#[derive(Debug)]
pub struct SessionWindow {
    aggregate: AggregateStages,
    stored_schema: SchemaRef,
    /// The place of the start, which is also how many other keys there are. The end follows.
    start: usize,
    is_evicting: bool,
    output_mode: OutputMode,
    schema: SchemaRef,
    context: Arc<OperatorContext>,
}

/// What a batch changes.
struct Changes {
    /// The parts of the changed sessions, each with the bounds of the session that it is part of.
    parts: RecordBatch,
    /// Which of the stored rows became parts.
    merged_away: UInt32Array,
}

impl SessionWindow {
    /// The other keys of rows, in a form that can be compared.
    fn keys_of(&self, rows: &RecordBatch) -> Result<Rows> {
        let fields = rows.schema();
        let fields = fields.fields()[..self.start].iter();
        let fields = fields.map(|field| SortField::new(field.data_type().clone()));
        let converter = RowConverter::new(fields.collect())?;
        Ok(converter.convert_columns(&rows.columns()[..self.start])?)
    }

    /// The stored sessions of the keys that are among `touched`.
    fn look_up(&self, touched: &RecordBatch) -> Result<Option<RecordBatch>> {
        let keys = self.keys_of(touched)?;
        let mut seen = hashbrown::HashSet::with_capacity(touched.num_rows());
        let first_of_each = (0..touched.num_rows())
            .filter(|&row| seen.insert(keys.row(row)))
            .map(to_u32)
            .collect::<Result<UInt32Array>>()?;
        let asking = take_record_batch(touched, &first_of_each)?;
        let found = self
            .context
            .with_state(|store, _| store.probe(&asking.columns()[..self.start], asking.num_rows()))?;
        Ok(found.map(|found| found.rows))
    }

    /// Sweeps over the touched rows and the stored ones of their keys. Stored sessions that nothing touches stay.
    fn changes(&self, touched: &RecordBatch, stored: Option<&RecordBatch>) -> Result<Changes> {
        let num_touched = touched.num_rows();
        let all = match stored {
            Some(stored) => {
                let bare = self.without_numbers(stored)?;
                concat_batches(self.aggregate.state_schema(), [touched, &bare])?
            }
            None => touched.clone(),
        };
        let keys = self.keys_of(&all)?;
        let starts = all.column(self.start).as_primitive::<TimestampMicrosecondType>();
        let ends = all
            .column(self.start + 1)
            .as_primitive::<TimestampMicrosecondType>();
        let mut order = (0..all.num_rows()).collect::<Vec<_>>();
        order.sort_unstable_by(|&a, &b| {
            let by_key = keys.row(a).cmp(&keys.row(b));
            by_key.then_with(|| starts.value(a).cmp(&starts.value(b)))
        });

        let (mut parts, mut part_starts, mut part_ends) = (Vec::new(), Vec::new(), Vec::new());
        let mut merged_away = Vec::new();
        let mut rest = order.as_slice();
        while let Some((&first, _)) = rest.split_first() {
            let mut end = ends.value(first);
            let is_part =
                |&row: &usize, end: i64| keys.row(row) == keys.row(first) && starts.value(row) <= end;
            let mut num_parts = 0;
            while let Some(row) = rest.get(num_parts).filter(|row| is_part(row, end)) {
                end = end.max(ends.value(*row));
                num_parts += 1;
            }
            let (session, others) = rest.split_at(num_parts);
            rest = others;
            if session.iter().all(|&row| row >= num_touched) {
                continue;
            }
            for &row in session {
                parts.push(to_u32(row)?);
                part_starts.push(starts.value(first));
                part_ends.push(end);
                if row >= num_touched {
                    merged_away.push(to_u32(row - num_touched)?);
                }
            }
        }
        let all = take_record_batch(&all, &UInt32Array::from(parts))?;
        let mut columns = all.columns().to_vec();
        for (bound, times) in [(self.start, part_starts), (self.start + 1, part_ends)] {
            let times = TimestampMicrosecondArray::from(times);
            columns[bound] = Arc::new(times.with_data_type(columns[bound].data_type().clone())) as ArrayRef;
        }
        Ok(Changes {
            parts: RecordBatch::try_new(all.schema(), columns)?,
            merged_away: UInt32Array::from(merged_away),
        })
    }

    fn without_numbers(&self, stored: &RecordBatch) -> Result<RecordBatch> {
        let mut columns = stored.columns().to_vec();
        columns.remove(self.start);
        Ok(RecordBatch::try_new(
            Arc::clone(self.aggregate.state_schema()),
            columns,
        )?)
    }

    fn with_numbers(&self, rows: &RecordBatch, from: i64) -> Result<RecordBatch> {
        let numbers = (from..).take(rows.num_rows()).collect::<Int64Array>();
        let mut columns = rows.columns().to_vec();
        columns.insert(self.start, Arc::new(numbers));
        Ok(RecordBatch::try_new(Arc::clone(&self.stored_schema), columns)?)
    }

    /// One batch's way through the self.context.
    async fn run(
        self: Arc<Self>,
        input: SendableRecordBatchStream,
        context: Arc<TaskContext>,
    ) -> Result<Vec<RecordBatch>> {
        let touched = input.try_collect::<Vec<_>>().await?;
        let touched = concat_batches(self.aggregate.state_schema(), &touched)?;
        let begun = Instant::now();
        if touched.num_rows() > 0 {
            let stored = self.look_up(&touched)?;
            let changes = self.changes(&touched, stored.as_ref())?;
            let merged = self.aggregate.merge(vec![changes.parts], &context).await?;
            self.context.with_state(|store, numbers| {
                if let Some(stored) = stored {
                    let keys = stored.project(&(0..=self.start).collect::<Vec<_>>())?;
                    store.remove(take_record_batch(&keys, &changes.merged_away)?)?;
                }
                for rows in merged {
                    numbers.updated += rows.num_rows() as u64;
                    store.put(self.with_numbers(&rows, store.next_number())?)?;
                }
                numbers.update_time += begun.elapsed();
                Ok(())
            })?;
        }
        let watermark_us = self.context.watermarks().eviction_us;
        let shown = self.context.with_state(|store, numbers| {
            let begun = Instant::now();
            let mut evicted = None;
            if self.is_evicting {
                evicted = store.evict(watermark_us)?;
            }
            numbers.removed += evicted.as_ref().map_or(0, |rows| rows.num_rows() as u64);
            numbers.removal_time += begun.elapsed();
            match self.output_mode {
                OutputMode::Append | OutputMode::Update => Ok(evicted),
                OutputMode::Complete => store.all_rows(),
            }
        })?;
        let shown = shown.map(|rows| self.without_numbers(&rows)).transpose()?;
        self.aggregate.finish(shown.into_iter().collect(), &context).await
    }
}

fn to_u32(row: usize) -> Result<u32> {
    u32::try_from(row).map_err(|_| exec_datafusion_err!("too many sessions in one batch"))
}

impl Operator for SessionWindow {
    const NAME: &'static str = "SessionWindowExec";
    const NEEDS: Distribution = Distribution::SinglePartition;

    fn properties(&self, inputs: &[Arc<dyn ExecutionPlan>]) -> PlanProperties {
        gathering(&inputs[0], Arc::clone(&self.schema))
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, signature) = (self.context.id(), self.context.signature());
        write!(f, "{}, operator={id}, {signature}", self.output_mode)
    }

    fn contexts(&self) -> Vec<&Arc<OperatorContext>> {
        vec![&self.context]
    }

    fn execute(
        self: &Arc<Self>,
        inputs: &[Arc<dyn ExecutionPlan>],
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let input = inputs[0].execute(partition, Arc::clone(&context))?;
        let rows = Arc::clone(self).run(input, context);
        Ok(stream_once(Arc::clone(&self.schema), rows))
    }
}
