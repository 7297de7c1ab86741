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
//!   ├ remove, put  a session goes on under the number of the first one in it; the others in it go
//!   ├ evict        sessions that end at or before the batch's watermark (append)
//!   └ Final        append: the evicted sessions; complete: all
//! ```
//!
//! State per session: the other keys and a number that tells a key's sessions apart, then the session's start and
//! end and the accumulators' state columns. Late are rows whose own session, from their time to their time plus the
//! gap, ended at or before the previous batch's watermark, even if a session in the state would take them in.
//!
//! Spark: `MergingSessionsExec`, `SessionWindowStateStoreRestoreExec`, `SessionWindowStateStoreSaveExec`.
//!
//! # Layout
//!
//! - `sweep`: which rows are of one session

mod sweep;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, TimestampMicrosecondArray, UInt32Array};
use arrow::compute::{concat_batches, interleave, take_record_batch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::Distribution;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties, SendableRecordBatchStream};
use futures::TryStreamExt;

use crate::operators::aggregate_stages::{AggregateStages, NumberedMerge, under_late_filter};
use crate::operators::context::{OperatorContext, OperatorSpec};
use crate::operators::exec::{Operator, OperatorExec, gathering, stream_once};
use crate::operators::signature::aggregate_signature;
use crate::plan::event_time::{Bound, is_event_time, is_session_bound};
use crate::sink::OutputMode;
use crate::state::StateLayout;
use crate::state::store::EvictionTime;

use sweep::{KeyNumbers, Part, to_u32};

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
            numbered_merge: NumberedMerge::try_new(partial)?,
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

/// What a batch of [`SessionWindowExec`] goes through. Rows have the columns of the aggregate's state: other keys,
/// start, end, accumulators; stored rows have the session's number before the start.
#[derive(Debug)]
pub struct SessionWindow {
    aggregate: AggregateStages,
    numbered_merge: NumberedMerge,
    stored_schema: SchemaRef,
    /// The place of the start, which is also how many other keys there are. The end follows.
    start: usize,
    is_evicting: bool,
    output_mode: OutputMode,
    schema: SchemaRef,
    context: Arc<OperatorContext>,
}

/// The sessions that a batch changes.
struct Changed {
    /// Their rows as they are now.
    sessions: RecordBatch,
    /// The keys and numbers of stored sessions that became parts of others.
    merged_away: RecordBatch,
}

impl SessionWindow {
    /// Sweeps over the touched rows and the stored sessions of their keys. Stored sessions that nothing touches stay.
    ///
    /// A session that takes stored ones in goes on with the number of the first of them; others get new numbers.
    async fn changed(&self, touched: &RecordBatch, context: &Arc<TaskContext>) -> Result<Changed> {
        let keys = self.number_keys(touched)?;
        let asking = take_record_batch(touched, &UInt32Array::from(keys.first_rows))?;
        let (found, next_number) = self.context.with_state(|store, _| {
            let found = store.probe(&asking.columns()[..self.start], asking.num_rows())?;
            Ok((found, store.next_number()))
        })?;
        let stored = match &found {
            Some(found) => found.rows.clone(),
            None => RecordBatch::new_empty(Arc::clone(&self.stored_schema)),
        };
        // What was there before comes first, also where sessions begin at the same time.
        let num_stored = stored.num_rows();
        let mut key_of_row = vec![0; num_stored];
        for (key, row) in found
            .into_iter()
            .flat_map(|found| found.asking.into_iter().zip(found.found))
        {
            key_of_row[row as usize] = key;
        }
        key_of_row.extend(keys.of_row);
        let bare = self.without_numbers(&stored)?;
        let all = concat_batches(self.aggregate.state_schema(), [&bare, touched])?;
        let stored_numbers = stored.column(self.start).as_primitive::<Int64Type>();
        let bounds = |column: usize| all.column(column).as_primitive::<TimestampMicrosecondType>();
        let (starts, ends) = (bounds(self.start), bounds(self.start + 1));
        let parts = (0..all.num_rows()).map(|row| {
            Ok(Part {
                key: key_of_row[row],
                start: starts.value(row),
                end: ends.value(row),
                row: to_u32(row)?,
            })
        });
        let mut parts = parts.collect::<Result<Vec<_>>>()?;

        let mut first_parts = Vec::new();
        let (mut new_starts, mut new_ends, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        let (mut merged, mut merged_into) = (Vec::new(), Vec::new());
        let mut merged_away = Vec::new();
        let mut unused = next_number..;
        for session in sweep::sessions(&mut parts) {
            let is_touched = |part: &Part| part.row as usize >= num_stored;
            if !session.parts.iter().any(is_touched) {
                continue;
            }
            let [first, ..] = session.parts else { continue };
            if session.parts.len() > 1 {
                merged.extend(session.parts.iter().map(|part| part.row));
                merged_into.resize(merged.len(), to_i64(first_parts.len())?);
            }
            let mut stored_parts = session.parts.iter().filter(|part| !is_touched(part));
            let kept = stored_parts.next().map(|part| part.row as usize);
            numbers.extend(match kept {
                Some(kept) => Some(stored_numbers.value(kept)),
                None => unused.next(),
            });
            for part in stored_parts {
                merged_away.push(part.row);
            }
            first_parts.push(first.row);
            new_starts.push(first.start);
            new_ends.push(session.end);
        }

        let mut columns = take_record_batch(&all, &UInt32Array::from(first_parts))?
            .columns()
            .to_vec();
        for (bound, times) in [(self.start, new_starts), (self.start + 1, new_ends)] {
            let times = TimestampMicrosecondArray::from(times);
            columns[bound] = Arc::new(times.with_data_type(columns[bound].data_type().clone())) as ArrayRef;
        }
        if !merged.is_empty() {
            let merged = take_record_batch(&all, &UInt32Array::from(merged))?;
            let accumulators = self.start + 2;
            let merge = &self.numbered_merge;
            let (sessions, merged) = merge
                .merge(
                    Int64Array::from(merged_into),
                    &merged.columns()[accumulators..],
                    context,
                )
                .await?;
            for (column, merged) in columns[accumulators..].iter_mut().zip(merged) {
                *column = replace_rows(column, &sessions, &merged)?;
            }
        }
        columns.insert(self.start, Arc::new(Int64Array::from(numbers)));
        let keys = stored.project(&(0..=self.start).collect::<Vec<_>>())?;
        Ok(Changed {
            sessions: RecordBatch::try_new(Arc::clone(&self.stored_schema), columns)?,
            merged_away: take_record_batch(&keys, &UInt32Array::from(merged_away))?,
        })
    }

    fn number_keys(&self, rows: &RecordBatch) -> Result<KeyNumbers> {
        if self.start == 0 {
            return Ok(KeyNumbers::of_one_key(rows.num_rows()));
        }
        let fields = rows.schema();
        let fields = fields.fields()[..self.start].iter();
        let fields = fields.map(|field| SortField::new(field.data_type().clone()));
        let converter = RowConverter::new(fields.collect())?;
        KeyNumbers::of(&converter.convert_columns(&rows.columns()[..self.start])?)
    }

    fn without_numbers(&self, stored: &RecordBatch) -> Result<RecordBatch> {
        let mut columns = stored.columns().to_vec();
        columns.remove(self.start);
        Ok(RecordBatch::try_new(
            Arc::clone(self.aggregate.state_schema()),
            columns,
        )?)
    }

    /// One batch's way through the operator.
    async fn run(
        self: Arc<Self>,
        input: SendableRecordBatchStream,
        context: Arc<TaskContext>,
    ) -> Result<Vec<RecordBatch>> {
        let touched = input.try_collect::<Vec<_>>().await?;
        let touched = concat_batches(self.aggregate.state_schema(), &touched)?;
        let begun = Instant::now();
        if touched.num_rows() > 0 {
            let changed = self.changed(&touched, &context).await?;
            self.context.with_state(|store, numbers| {
                numbers.updated += changed.sessions.num_rows() as u64;
                store.remove(changed.merged_away)?;
                store.put(changed.sessions)?;
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

fn to_i64(session: usize) -> Result<i64> {
    i64::try_from(session).map_err(|_| exec_datafusion_err!("too many sessions in one batch"))
}

/// The rows of `column`, but for those at `places`, which are those of `others`.
fn replace_rows(column: &ArrayRef, places: &[i64], others: &ArrayRef) -> Result<ArrayRef> {
    let mut sources = (0..column.len()).map(|row| (0, row)).collect::<Vec<_>>();
    for (other, &place) in places.iter().enumerate() {
        let place =
            usize::try_from(place).map_err(|_| exec_datafusion_err!("a session's number is negative"))?;
        sources[place] = (1, other);
    }
    Ok(interleave(&[column.as_ref(), others.as_ref()], &sources)?)
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
