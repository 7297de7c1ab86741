//! The table that a memory sink shares with its readers.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use parking_lot::RwLock;

use super::arrival::ArrivalRows;
use super::keyed::KeyedRows;
use super::log::Image;
use crate::engine::snapshot::{ResultPage, ResultTable};
use crate::error::Result;
use crate::sink::OutputMode;
use crate::sink::result::RowChunks;

/// The rows of a memory sink, readable at any time; every look sees whole batches only.
#[derive(Debug)]
pub struct MemoryTable {
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    schema: SchemaRef,
    mode: OutputMode,
    version: u64,
    rows: TableRows,
}

/// The two ways in which rows are kept.
#[derive(Debug)]
pub(super) enum TableRows {
    Arrival(ArrivalRows),
    Keyed(KeyedRows),
}

impl TableRows {
    /// Fills an empty table with an image.
    pub(super) fn load(&mut self, image: &Image) -> Result<()> {
        match self {
            Self::Keyed(table) => {
                let rows: Vec<RecordBatch> = image.iter().map(|(rows, _)| rows.clone()).collect();
                table.upsert(&rows, |at, row| image[at].1[row])
            }
            Self::Arrival(table) => {
                for (rows, changed_in) in image {
                    let mut start = 0;
                    for run in changed_in.chunk_by(|one, next| one == next) {
                        table.push(run[0], vec![rows.slice(start, run.len())])?;
                        start += run.len();
                    }
                }
                Ok(())
            }
        }
    }

    fn num_rows(&self) -> usize {
        match self {
            Self::Arrival(rows) => rows.num_rows(),
            Self::Keyed(rows) => rows.layout().num_rows(),
        }
    }
}

impl MemoryTable {
    pub(super) fn new(schema: SchemaRef, mode: OutputMode) -> Self {
        Self {
            state: RwLock::new(State {
                rows: TableRows::Arrival(ArrivalRows::new(Arc::clone(&schema))),
                schema,
                mode,
                version: 0,
            }),
        }
    }

    /// The columns and all rows, of one version.
    pub fn contents(&self) -> Result<(SchemaRef, Vec<RecordBatch>)> {
        let state = self.state.read();
        let schema = Arc::clone(&state.schema);
        match &state.rows {
            TableRows::Arrival(rows) => Ok((schema, rows.batches())),
            TableRows::Keyed(rows) => {
                // Copying pointers is quick; the rows are put together when the writer may go on.
                let layout = rows.layout().clone();
                drop(state);
                let batches = layout.pages().map(|page| Ok(page?.0)).collect::<Result<_>>()?;
                Ok((schema, batches))
            }
        }
    }

    /// About what the rows take in memory, in bytes.
    pub fn memory_bytes(&self) -> usize {
        match &self.state.read().rows {
            TableRows::Arrival(rows) => rows.memory_bytes(),
            TableRows::Keyed(rows) => rows.layout().memory_bytes(),
        }
    }

    /// The whole table, for the log.
    pub(super) fn image(&self) -> Result<Image> {
        let state = self.state.read();
        match &state.rows {
            TableRows::Arrival(rows) => {
                let rows = rows.clone();
                drop(state);
                let mut start = 0;
                let image = rows.batches().into_iter().map(|batch| {
                    let changed_in = rows.changed_in(start, start + batch.num_rows());
                    start += batch.num_rows();
                    (batch, changed_in)
                });
                Ok(image.collect())
            }
            TableRows::Keyed(rows) => {
                let layout = rows.layout().clone();
                drop(state);
                layout.pages().collect()
            }
        }
    }

    /// Puts other rows in the place of all.
    pub(super) fn replace(&self, schema: SchemaRef, mode: OutputMode, rows: TableRows) {
        let mut state = self.state.write();
        let version = state.version + 1;
        *state = State {
            schema,
            mode,
            version,
            rows,
        };
    }

    /// Changes the rows in one step. There is one writer: the sink takes care of that.
    pub(super) fn change(&self, change: impl FnOnce(&mut TableRows) -> Result<()>) -> Result<()> {
        let mut state = self.state.write();
        change(&mut state.rows)?;
        state.version += 1;
        drop(state);
        let compacted = match &self.state.read().rows {
            TableRows::Keyed(rows) => rows.compacted()?,
            TableRows::Arrival(_) => None,
        };
        if let Some(compacted) = compacted
            && let TableRows::Keyed(rows) = &mut self.state.write().rows
        {
            rows.install(compacted);
        }
        Ok(())
    }
}

impl ResultTable for MemoryTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.state.read().schema)
    }

    fn mode(&self) -> OutputMode {
        self.state.read().mode
    }

    fn version(&self) -> u64 {
        self.state.read().version
    }

    fn num_rows(&self) -> usize {
        self.state.read().rows.num_rows()
    }

    fn page(&self, offset: usize, limit: usize) -> Result<ResultPage> {
        let state = self.state.read();
        let num_rows = state.rows.num_rows();
        let start = offset.min(num_rows);
        let end = offset.saturating_add(limit).min(num_rows);
        let (rows, changed_in) = match &state.rows {
            TableRows::Arrival(rows) => rows.page(start, end)?,
            TableRows::Keyed(rows) => rows.layout().page(start, end)?,
        };
        Ok(ResultPage {
            version: state.version,
            num_rows,
            rows,
            changed_in,
        })
    }

    fn batches(&self) -> Result<Vec<RecordBatch>> {
        Ok(self.contents()?.1)
    }

    fn rows(&self) -> Result<(SchemaRef, RowChunks)> {
        let state = self.state.read();
        let schema = Arc::clone(&state.schema);
        Ok(match &state.rows {
            TableRows::Arrival(rows) => (schema, Box::new(rows.batches().into_iter().map(Ok))),
            TableRows::Keyed(rows) => {
                let layout = rows.layout().clone();
                (schema, Box::new(layout.into_pages().map(|page| Ok(page?.0))))
            }
        })
    }
}
