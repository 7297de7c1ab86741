//! The memory sink: a table that is readable while the query runs and that survives restarts.
//!
//! What a batch does to the table depends on the output mode: append adds its rows, complete replaces all rows,
//! update replaces the rows with the same keys, each in the place where its key first arrived. An update query
//! without keys in its output adds rows, as Spark's memory sink does.
//!
//! # Readers
//!
//! A batch is collected and encoded outside of any lock and becomes visible in one step when the checkpoint has
//! committed it. So a reader never sees half a batch, nor one that a crash takes back.
//!
//! # Restarts
//!
//! The table has no file of its own: each batch leaves its rows as a log entry in the checkpoint, in the same
//! transaction as its commit record, and [`Sink::start`] plays the log again. Lest the log outgrows the table, an
//! entry is now and then led by an image of the whole table as it was before the batch, and then supersedes all
//! earlier ones: as soon as the entries since the last image are bigger than the table, so that the images cost
//! at most as much again as the entries.
//!
//! ```text
//! batch   0        1        2        3                 4        after a restart:
//! entry   rows 0   rows 1   rows 2   image + rows 3    rows 4   image, rows 3, rows 4
//! ```
//!
//! # Layout
//!
//! - `table`: the table that readers share
//! - `arrival`: rows in the order of their arrival
//! - `keyed`: rows by key
//! - `undo`: what the last batches did to rows by key; `versions`: earlier versions of a complete table
//! - `log`: the bytes of log entries
//! - `chunks`: batches put together to a good size

mod arrival;
mod chunks;
mod keyed;
mod log;
mod table;
mod undo;
mod versions;

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::physical_plan::SendableRecordBatchStream;
use futures::TryStreamExt;
use parking_lot::Mutex;

pub use table::MemoryTable;

use self::arrival::ArrivalRows;
use self::keyed::KeyedRows;
use self::log::Entry;
use self::table::TableRows;
use super::{OutputMode, Sink, SinkCommit, SinkStart};
use crate::error::{Error, Result};

/// How many batches the table can be looked back, as many as there is progress of.
const HISTORY_BATCHES: usize = 100;
/// And how many bytes of earlier rows are kept for it; the last batch's are kept in any case.
const HISTORY_BYTES: usize = 32 << 20;

/// Below this an image is not worth while, however small the table is.
const MIN_LOG_BYTES: usize = 64 * 1024;

/// Keeps a query's rows in a [`MemoryTable`].
#[derive(Debug)]
pub struct MemorySink {
    table: Arc<MemoryTable>,
    writer: Mutex<Option<Writer>>,
}

impl MemorySink {
    /// A memory sink with an empty table of these columns.
    pub fn new(schema: SchemaRef, mode: OutputMode) -> Self {
        Self {
            table: Arc::new(MemoryTable::new(schema, mode)),
            writer: Mutex::new(None),
        }
    }

    /// The table, to be shared with readers.
    pub fn table(&self) -> Arc<MemoryTable> {
        Arc::clone(&self.table)
    }
}

/// What the sink knows between batches of a run, beside the table itself.
#[derive(Debug)]
struct Writer {
    schema: SchemaRef,
    effect: Effect,
    /// Bytes of the log since its last image.
    log_bytes: usize,
    /// The batch that was written and is not known to be committed.
    pending: Option<Pending>,
}

/// What a batch's rows do to the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// They are added.
    Add,
    /// They are all the rows there are.
    Replace,
    /// The last of them, if there is one, is the only row there is.
    ReplaceByLast,
    /// Each replaces the row with its keys.
    Upsert,
}

#[derive(Debug)]
struct Pending {
    batch_id: u64,
    rows: Vec<RecordBatch>,
    log_bytes: usize,
}

impl Effect {
    fn of(start: &SinkStart) -> Self {
        match (start.mode, &start.keys) {
            (OutputMode::Complete, _) => Self::Replace,
            (OutputMode::Update, Some(keys)) if keys.is_empty() => Self::ReplaceByLast,
            (OutputMode::Update, Some(_)) => Self::Upsert,
            (OutputMode::Append, _) | (OutputMode::Update, None) => Self::Add,
        }
    }

    /// Whether a batch makes all earlier ones irrelevant.
    fn forgets(self) -> bool {
        matches!(self, Self::Replace | Self::ReplaceByLast)
    }

    fn empty_table(self, start: &SinkStart) -> Result<TableRows> {
        Ok(match (self, &start.keys) {
            (Self::Upsert, Some(keys)) => {
                TableRows::Keyed(Box::new(KeyedRows::try_new(Arc::clone(&start.schema), keys)?))
            }
            _ => TableRows::Arrival(ArrivalRows::new(Arc::clone(&start.schema))),
        })
    }

    fn apply(self, table: &mut TableRows, batch_id: u64, rows: Vec<RecordBatch>) -> Result<()> {
        match table {
            TableRows::Keyed(table) => table.upsert_batch(batch_id, &rows),
            TableRows::Arrival(table) if self.forgets() => table.replace(batch_id, rows),
            TableRows::Arrival(table) => table.push(batch_id, rows),
        }
    }
}

#[async_trait]
impl Sink for MemorySink {
    fn description(&self) -> String {
        "MemorySink".into()
    }

    fn keeps_rows(&self) -> bool {
        true
    }

    async fn start(&self, start: SinkStart) -> Result<()> {
        let effect = Effect::of(&start);
        let mut table = effect.empty_table(&start)?;
        let mut log_bytes = 0;
        for (batch_id, bytes) in &start.log {
            let entry = Entry::decode(bytes, &start.schema)
                .map_err(|error| damaged(&start.query_name, *batch_id, error))?;
            log_bytes += entry.row_bytes;
            if let Some(image) = entry.image {
                table = effect.empty_table(&start)?;
                table.load(&image)?;
                log_bytes = entry.row_bytes;
            }
            if let Some(rows) = entry.rows {
                effect.apply(&mut table, *batch_id, rows)?;
            }
        }
        if let TableRows::Keyed(keyed) = &mut table {
            keyed.compact_if_due()?;
        }
        *self.writer.lock() = Some(Writer {
            schema: Arc::clone(&start.schema),
            effect,
            log_bytes,
            pending: None,
        });
        self.table.replace(start.schema, start.mode, start.keys, table);
        Ok(())
    }

    async fn write(&self, batch_id: u64, rows: SendableRecordBatchStream) -> Result<SinkCommit> {
        let batches: Vec<RecordBatch> = rows.try_collect().await?;
        let num_output_rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();

        let mut guard = self.writer.lock();
        let writer = guard
            .as_mut()
            .ok_or_else(|| Error::internal("the memory sink was not started"))?;
        // A batch that is followed by another one was committed. The same one again replaces itself.
        if let Some(earlier) = writer.pending.take()
            && earlier.batch_id < batch_id
        {
            writer.commit(&self.table, earlier)?;
        }
        let batches = chunks::conform(batches, &writer.schema)?;
        let rows = match writer.effect {
            Effect::ReplaceByLast => chunks::last_row(&batches),
            Effect::Add | Effect::Replace | Effect::Upsert => chunks::coalesce(batches)?,
        };
        if rows.is_empty() && writer.effect != Effect::Replace {
            return Ok(SinkCommit::default());
        }
        let is_image_due =
            !writer.effect.forgets() && writer.log_bytes > MIN_LOG_BYTES.max(self.table.memory_bytes());
        let image = if is_image_due {
            Some(self.table.image()?)
        } else {
            None
        };
        let encoded = Entry::encode(&writer.schema, image, &rows)?;
        writer.pending = Some(Pending {
            batch_id,
            rows,
            log_bytes: encoded.row_bytes + if is_image_due { 0 } else { writer.log_bytes },
        });
        Ok(SinkCommit {
            num_output_rows,
            log_entry: Some(encoded.bytes),
            log_replaces: is_image_due || writer.effect.forgets(),
        })
    }

    async fn committed(&self, batch_id: u64) -> Result<()> {
        let mut guard = self.writer.lock();
        let Some(writer) = guard.as_mut() else {
            return Ok(());
        };
        match writer.pending.take() {
            Some(pending) if pending.batch_id == batch_id => writer.commit(&self.table, pending),
            other => {
                writer.pending = other;
                Ok(())
            }
        }
    }
}

impl Writer {
    /// Makes a batch visible.
    fn commit(&mut self, table: &MemoryTable, pending: Pending) -> Result<()> {
        self.log_bytes = pending.log_bytes;
        let effect = self.effect;
        table.change(|rows| effect.apply(rows, pending.batch_id, pending.rows))
    }
}

fn damaged(query_name: &str, batch_id: u64, error: Error) -> Error {
    Error::checkpoint(format!(
        "the rows that query \"{query_name}\" kept of batch {batch_id} do not fit its memory table"
    ))
    .hint("If the query's columns have changed, give it a new checkpoint or another name.")
    .caused_by(error)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
