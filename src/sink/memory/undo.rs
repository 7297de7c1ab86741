//! What the last batches did to a keyed table, so that it can be seen as it was.
//!
//! ```text
//! batch 7 put    b 2 | d 1        undo 7    there were 3 slots; slot 1 was chunk 0 row 1
//! batch 8 put    a 5              undo 8    there were 4 slots; slot 0 was chunk 0 row 0
//! ```
//!
//! The table as of batch 6 is that of now with undo 8 and then undo 7 applied to the rows that are looked at. Nothing is
//! copied when a batch is taken in: an undo holds on to the chunks that its rows are in. The log is bounded by batches
//! and by the bytes of these chunks.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::Array;
use arrow::compute::interleave_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use hashbrown::HashMap;

use super::chunks;
use super::keyed::Slot;
use super::{HISTORY_BATCHES, HISTORY_BYTES};
use crate::error::Result;
use crate::sink::result::{MarkedPage, ResultPage, RowChange};

/// What one batch did.
#[derive(Debug)]
pub(super) struct Undo {
    pub(super) batch_id: u64,
    /// How many slots there were before: those from here on are new.
    slots_before: usize,
    /// The slots that were there and what was in them.
    replaced: Vec<(u32, Slot)>,
    /// The rows that `replaced` points into, by the numbers of their chunks at that time.
    chunks: HashMap<u32, RecordBatch>,
    bytes: usize,
}

impl Undo {
    /// The undo of a batch that has done nothing yet.
    pub(super) fn new(batch_id: u64, slots_before: usize) -> Self {
        Self {
            batch_id,
            slots_before,
            replaced: Vec::new(),
            chunks: HashMap::new(),
            bytes: 0,
        }
    }

    /// Takes note of what was in a slot, in this chunk of so many bytes. What the batch itself had put there does not
    /// count.
    pub(super) fn replaced(&mut self, slot: u32, earlier: Slot, rows: &RecordBatch, bytes: usize) {
        if slot as usize >= self.slots_before || earlier.batch_id == self.batch_id {
            return;
        }
        self.replaced.push((slot, earlier));
        if !self.chunks.contains_key(&earlier.chunk) {
            self.chunks.insert(earlier.chunk, rows.clone());
            self.bytes += bytes;
        }
    }
}

/// The undos of the last batches that changed a table, oldest first.
#[derive(Debug, Default)]
pub(super) struct UndoLog {
    undos: VecDeque<Arc<Undo>>,
    bytes: usize,
}

impl UndoLog {
    pub(super) fn push(&mut self, undo: Undo) {
        self.bytes += undo.bytes;
        self.undos.push_back(Arc::new(undo));
        while self.undos.len() > HISTORY_BATCHES || (self.bytes > HISTORY_BYTES && self.undos.len() > 1) {
            if let Some(oldest) = self.undos.pop_front() {
                self.bytes -= oldest.bytes;
            }
        }
    }

    /// The batches as of which the table can be seen.
    pub(super) fn history(&self) -> Option<RangeInclusive<u64>> {
        let (oldest, newest) = (self.undos.front()?, self.undos.back()?);
        // Before the oldest there is the table that it was applied to. If that was empty, it always had been.
        let first = match oldest.slots_before {
            0 => 0,
            _ => oldest.batch_id.saturating_sub(1),
        };
        Some(first..=newest.batch_id)
    }

    /// The undos of the batches after `as_of`, oldest first, and that of the last batch before.
    fn split(&self, as_of: Option<u64>) -> (Vec<Arc<Undo>>, Option<Arc<Undo>>) {
        let at = match as_of {
            Some(as_of) => self.undos.partition_point(|undo| undo.batch_id <= as_of),
            None => self.undos.len(),
        };
        let last = at.checked_sub(1).map(|last| Arc::clone(&self.undos[last]));
        (self.undos.range(at..).cloned().collect(), last)
    }

    /// A look at the table as of a batch, or as it is; `None` if it is not known any more.
    pub(super) fn look(&self, as_of: Option<u64>, num_slots: usize) -> Option<Look> {
        if as_of.is_some_and(|as_of| self.history().is_none_or(|known| *known.start() > as_of)) {
            return None;
        }
        let (later, last) = self.split(as_of);
        Some(Look {
            num_rows: later.first().map_or(num_slots, |undo| undo.slots_before),
            later,
            last,
        })
    }
}

/// A table as of a batch: which rows it had, and what has to be undone to see them.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) num_rows: usize,
    /// What came later, oldest first.
    later: Vec<Arc<Undo>>,
    /// The last batch that had changed the table.
    last: Option<Arc<Undo>>,
}

impl Look {
    /// The slots that the last batch had touched, if it is this one: those that it replaced, then those that it added.
    pub(super) fn touched(&self, batch_id: u64) -> Vec<usize> {
        let Some(last) = self.last.as_ref().filter(|last| last.batch_id == batch_id) else {
            return Vec::new();
        };
        let replaced = last.replaced.iter().map(|(slot, _)| *slot as usize);
        replaced.chain(last.slots_before..self.num_rows).collect()
    }

    /// The rows of some slots. `now` is what is in each of them now, and `rows_now` the chunks of that.
    pub(super) fn page(
        self,
        schema: &SchemaRef,
        version: u64,
        slots: &[usize],
        now: Vec<Slot>,
        rows_now: HashMap<u32, RecordBatch>,
    ) -> Result<MarkedPage> {
        let mut sources = rows_now.into_iter().collect::<Vec<_>>();
        let mut source_of = (0..sources.len())
            .map(|at| ((usize::MAX, sources[at].0), at))
            .collect::<HashMap<_, _>>();
        let place_of = slots.iter().enumerate().map(|(at, slot)| (*slot, at));
        let place_of = place_of.collect::<HashMap<_, _>>();
        // Which undo's chunks a place is in; none: the chunks of now.
        let mut places = now.into_iter().map(|slot| (usize::MAX, slot)).collect::<Vec<_>>();
        // The newest first, so that the oldest has the last word.
        for (number, undo) in self.later.iter().enumerate().rev() {
            for (slot, earlier) in &undo.replaced {
                if let Some(at) = place_of.get(&(*slot as usize)) {
                    places[*at] = (number, *earlier);
                }
            }
        }
        let mut indices = Vec::with_capacity(places.len());
        for (number, place) in &places {
            let source = *source_of.entry((*number, place.chunk)).or_insert_with(|| {
                sources.push((place.chunk, self.later[*number].chunks[&place.chunk].clone()));
                sources.len() - 1
            });
            indices.push((source, place.row as usize));
        }
        let sources = sources.iter().map(|(_, rows)| rows).collect::<Vec<_>>();
        let changed_in = places.iter().map(|(_, place)| place.batch_id).collect::<Vec<_>>();
        let (changes, before) = self.changes(schema, slots, &changed_in)?;
        Ok(MarkedPage {
            page: ResultPage {
                version,
                num_rows: self.num_rows,
                rows: gather(schema, &sources, &indices)?,
                changed_in,
            },
            batch_id: self.last.map(|last| last.batch_id),
            changes,
            before,
        })
    }

    /// What the last batch did to these rows, and what the ones that it replaced were.
    fn changes(
        &self,
        schema: &SchemaRef,
        slots: &[usize],
        changed_in: &[u64],
    ) -> Result<(Vec<RowChange>, RecordBatch)> {
        let mut changes = vec![RowChange::Unchanged; slots.len()];
        let Some(last) = &self.last else {
            return Ok((changes, RecordBatch::new_empty(Arc::clone(schema))));
        };
        let replaced = last.replaced.iter().copied().collect::<HashMap<_, _>>();
        let sources = last.chunks.iter().collect::<Vec<_>>();
        let mut indices = Vec::new();
        for (change, (slot, batch_id)) in changes.iter_mut().zip(slots.iter().zip(changed_in)) {
            if *batch_id != last.batch_id {
                continue;
            }
            let earlier = u32::try_from(*slot).ok().and_then(|slot| replaced.get(&slot));
            let source = earlier.and_then(|earlier| {
                let source = sources.iter().position(|(chunk, _)| **chunk == earlier.chunk)?;
                Some((source, earlier.row as usize))
            });
            *change = match source {
                Some(source) => {
                    indices.push(source);
                    RowChange::Changed {
                        before: indices.len() - 1,
                    }
                }
                None => RowChange::New,
            };
        }
        let sources = sources.into_iter().map(|(_, rows)| rows).collect::<Vec<_>>();
        Ok((changes, gather(schema, &sources, &indices)?))
    }
}

/// Rows out of several batches.
pub(super) fn gather(
    schema: &SchemaRef,
    sources: &[&RecordBatch],
    indices: &[(usize, usize)],
) -> Result<RecordBatch> {
    if indices.is_empty() {
        return Ok(RecordBatch::new_empty(Arc::clone(schema)));
    }
    chunks::own_views(&interleave_record_batch(sources, indices)?)
}

/// Whether two rows have the same values.
pub(super) fn same_row(one: (&RecordBatch, usize), other: (&RecordBatch, usize)) -> bool {
    let columns = one.0.columns().iter().zip(other.0.columns());
    let mut values = columns.map(|(left, right)| (left.slice(one.1, 1), right.slice(other.1, 1)));
    values.all(|(left, right)| left.to_data() == right.to_data())
}
