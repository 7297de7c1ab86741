//! The table that a memory sink shares with its readers.

use std::ops::{Range, RangeInclusive};
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
use crate::sink::result::{MarkedPage, RowChange, RowChunks};

/// The rows of a memory sink, readable at any time; every look sees whole batches only.
#[derive(Debug)]
pub struct MemoryTable {
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    schema: SchemaRef,
    mode: OutputMode,
    /// The columns that name a row, where some do.
    keys: Option<Vec<usize>>,
    version: u64,
    rows: TableRows,
}

/// The two ways in which rows are kept.
#[derive(Debug)]
pub(super) enum TableRows {
    Arrival(ArrivalRows),
    Keyed(Box<KeyedRows>),
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
                keys: None,
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
    pub(super) fn replace(
        &self,
        schema: SchemaRef,
        mode: OutputMode,
        keys: Option<Vec<usize>>,
        rows: TableRows,
    ) {
        let mut state = self.state.write();
        let version = state.version + 1;
        *state = State {
            schema,
            mode,
            keys,
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

    fn history(&self) -> Option<RangeInclusive<u64>> {
        match &self.state.read().rows {
            TableRows::Keyed(rows) => rows.undo().history(),
            TableRows::Arrival(rows) => match rows.replaced_in() {
                Some(newest) => Some(rows.earlier().oldest().unwrap_or(newest)..=newest),
                // Every row tells which batch brought it.
                None => rows.last_batch().map(|newest| 0..=newest),
            },
        }
    }

    fn marked_page(&self, as_of: Option<u64>, offset: usize, limit: usize) -> Result<Option<MarkedPage>> {
        let state = self.state.read();
        match &state.rows {
            TableRows::Keyed(rows) => {
                let Some(look) = rows.undo().look(as_of, rows.layout().num_rows()) else {
                    return Ok(None);
                };
                let slots = range(offset, limit, look.num_rows).collect::<Vec<_>>();
                let (places, chunks) = rows.layout().places(&slots);
                let (schema, version) = (Arc::clone(&state.schema), state.version);
                drop(state);
                look.page(&schema, version, &slots, places, chunks).map(Some)
            }
            TableRows::Arrival(rows) if rows.replaced_in().is_some() => {
                complete_page(&state, rows, as_of, offset, limit)
            }
            TableRows::Arrival(rows) => {
                let (num_rows, last) = rows.as_of(as_of.unwrap_or(u64::MAX));
                appended_page(&state, rows, num_rows, last, range(offset, limit, num_rows)).map(Some)
            }
        }
    }

    fn batch_rows(&self, batch_id: u64, offset: usize, limit: usize) -> Result<Option<MarkedPage>> {
        let state = self.state.read();
        match &state.rows {
            TableRows::Keyed(rows) => {
                let Some(look) = rows.undo().look(Some(batch_id), rows.layout().num_rows()) else {
                    return Ok(None);
                };
                let touched = look.touched(batch_id);
                let slots = &touched[range(offset, limit, touched.len())];
                let (places, chunks) = rows.layout().places(slots);
                let (schema, version) = (Arc::clone(&state.schema), state.version);
                drop(state);
                let mut page = look.page(&schema, version, slots, places, chunks)?;
                page.page.num_rows = touched.len();
                Ok(Some(page))
            }
            TableRows::Arrival(rows) if rows.replaced_in().is_some() => {
                let page = complete_page(&state, rows, Some(batch_id), offset, limit)?;
                Ok(page.filter(|page| {
                    page.page
                        .changed_in
                        .iter()
                        .all(|brought_in| *brought_in == batch_id)
                }))
            }
            TableRows::Arrival(rows) => {
                let (end, _) = rows.as_of(batch_id);
                let start = batch_id.checked_sub(1).map_or(0, |before| rows.as_of(before).0);
                let of_batch = range(start.saturating_add(offset), limit, end);
                appended_page(&state, rows, end - start, Some(batch_id), of_batch).map(Some)
            }
        }
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

/// The places of a page within so many rows.
fn range(offset: usize, limit: usize, num_rows: usize) -> Range<usize> {
    let start = offset.min(num_rows);
    start..offset.saturating_add(limit).min(num_rows)
}

/// A page of a table that grows: what the last batch brought is new.
fn appended_page(
    state: &State,
    rows: &ArrivalRows,
    num_rows: usize,
    last: Option<u64>,
    range: Range<usize>,
) -> Result<MarkedPage> {
    let (rows, changed_in) = rows.page(range.start, range.end)?;
    let changes = changed_in.iter().map(|brought_in| match last {
        Some(last) if last == *brought_in => RowChange::New,
        _ => RowChange::Unchanged,
    });
    Ok(MarkedPage {
        batch_id: last,
        changes: changes.collect(),
        before: RecordBatch::new_empty(Arc::clone(&state.schema)),
        page: ResultPage {
            version: state.version,
            num_rows,
            rows,
            changed_in,
        },
    })
}

/// A page of a table that each batch replaces, compared with what was before.
fn complete_page(
    state: &State,
    rows: &ArrivalRows,
    as_of: Option<u64>,
    offset: usize,
    limit: usize,
) -> Result<Option<MarkedPage>> {
    let is_earlier = |as_of: &u64| rows.replaced_in().is_some_and(|newest| *as_of < newest);
    let (version, before) = match as_of.filter(is_earlier) {
        Some(as_of) => match rows.earlier().as_of(as_of) {
            (Some(version), before) => (Some(version), before),
            (None, _) => return Ok(None),
        },
        None => (None, rows.earlier().last()),
    };
    let (rows, batch_id) = match &version {
        Some(version) => (&version.rows, Some(version.batch_id)),
        None => (rows, rows.replaced_in()),
    };
    let range = range(offset, limit, rows.num_rows());
    let (shown, changed_in) = rows.page(range.start, range.end)?;
    let page = ResultPage {
        version: state.version,
        num_rows: rows.num_rows(),
        rows: shown,
        changed_in,
    };
    let Some(before) = before else {
        // Before the first batch there was nothing; before any other there was something that is not known.
        let mut page = MarkedPage::unmarked(page);
        if batch_id == Some(0) {
            page.batch_id = batch_id;
            page.changes.fill(RowChange::New);
        }
        return Ok(Some(page));
    };
    let (changes, before) = before.changes(state.keys.as_deref(), range.start, &page.rows)?;
    Ok(Some(MarkedPage {
        page,
        batch_id,
        changes,
        before,
    }))
}
