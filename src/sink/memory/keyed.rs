//! Rows by key: a later row takes the place of the earlier one with the same key.
//!
//! ```text
//! slots   0 -> chunk 0 row 0       chunks   0: a 1 | b 1 | c 1
//!         1 -> chunk 1 row 0                1: b 2 | d 1        b 1 in chunk 0 is garbage
//!         2 -> chunk 0 row 2       index    hash(a) -> 0, hash(b) -> 1, ...
//!         3 -> chunk 1 row 1       keys     a, b, c, d as comparable bytes (arrow's row format)
//! ```
//!
//! A batch is kept as it came and pointers move; now and then the rows that are pointed to are copied together and
//! the rest is dropped. Null equals null, as it does in GROUP BY.

use std::hash::BuildHasher;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::interleave_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use arrow::row::{RowConverter, Rows, SortField};
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use super::chunks;
use super::undo::{Undo, UndoLog};
use crate::error::{Error, Result};

/// Garbage below this many rows is not worth a compaction.
const MIN_GARBAGE_ROWS: usize = 1024;
/// So many chunks more than after the last compaction are fine however few rows they hold.
const MIN_SPARE_CHUNKS: usize = 64;

/// A table in which a key has one row.
#[derive(Debug)]
pub(super) struct KeyedRows {
    key_columns: Vec<usize>,
    converter: RowConverter,
    hasher: DefaultHashBuilder,
    /// The slot of each key.
    index: HashTable<u32>,
    /// The key of each slot.
    keys: Rows,
    layout: Layout,
    /// How many chunks the last compaction left.
    compacted_chunks: usize,
    /// Rows in chunks, garbage included.
    held_rows: usize,
    held_bytes: usize,
    /// What the last batches did.
    undo: UndoLog,
    /// What the batch in hand does.
    recording: Option<Undo>,
}

/// Where the rows are: all that a reader needs, and cheap to copy.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    schema: SchemaRef,
    slots: Vec<Slot>,
    chunks: Vec<Option<Chunk>>,
    average_row_bytes: usize,
}

/// Where the current row of a key is, and the batch that brought it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) chunk: u32,
    pub(super) row: u32,
    pub(super) batch_id: u64,
}

#[derive(Debug, Clone)]
struct Chunk {
    rows: RecordBatch,
    /// How many of the rows a slot points to.
    live_rows: usize,
    bytes: usize,
}

impl KeyedRows {
    pub(super) fn try_new(schema: SchemaRef, key_columns: &[usize]) -> Result<Self> {
        let fields = key_columns
            .iter()
            .map(|column| {
                let field = schema.fields().get(*column);
                field
                    .map(|field| SortField::new(field.data_type().clone()))
                    .ok_or_else(|| Error::internal(format!("there is no key column {column}")))
            })
            .collect::<Result<Vec<_>>>()?;
        let converter = RowConverter::new(fields)
            .map_err(|error| Error::sink("rows cannot be told apart by these keys").caused_by(error))?;
        Ok(Self {
            key_columns: key_columns.to_vec(),
            hasher: DefaultHashBuilder::default(),
            index: HashTable::new(),
            keys: converter.empty_rows(0, 0),
            converter,
            layout: Layout {
                schema,
                slots: Vec::new(),
                chunks: Vec::new(),
                average_row_bytes: 1,
            },
            compacted_chunks: 0,
            held_rows: 0,
            held_bytes: 0,
            undo: UndoLog::default(),
            recording: None,
        })
    }

    /// Puts the rows of a batch in, so that the table can be seen as it was before.
    pub(super) fn upsert_batch(&mut self, batch_id: u64, batches: &[RecordBatch]) -> Result<()> {
        self.recording = Some(Undo::new(batch_id, self.layout.slots.len()));
        let done = self.upsert(batches, |_, _| batch_id);
        if let Some(undo) = self.recording.take().filter(|_| !batches.is_empty()) {
            self.undo.push(undo);
        }
        done
    }

    /// What the last batches did.
    pub(super) fn undo(&self) -> &UndoLog {
        &self.undo
    }

    /// Puts rows in, each in the name of the batch that `batch_of` tells by its place in `batches`.
    pub(super) fn upsert(
        &mut self,
        batches: &[RecordBatch],
        batch_of: impl Fn(usize, usize) -> u64,
    ) -> Result<()> {
        for (at, batch) in batches.iter().enumerate() {
            let columns: Vec<ArrayRef> = self
                .key_columns
                .iter()
                .map(|column| Arc::clone(batch.column(*column)))
                .collect();
            let keys = self.converter.convert_columns(&columns)?;
            let chunk = u32::try_from(self.layout.chunks.len()).map_err(|_| too_big())?;
            let bytes = batch.get_array_memory_size();
            self.layout.chunks.push(Some(Chunk {
                rows: batch.clone(),
                live_rows: 0,
                bytes,
            }));
            self.held_rows += batch.num_rows();
            self.held_bytes += bytes;
            for row in 0..batch.num_rows() {
                let slot = Slot {
                    chunk,
                    row: u32::try_from(row).map_err(|_| too_big())?,
                    batch_id: batch_of(at, row),
                };
                self.put(keys.row(row), slot)?;
            }
            self.drop_if_dead(chunk);
        }
        self.layout.average_row_bytes = self.held_bytes / self.held_rows.max(1);
        Ok(())
    }

    fn put(&mut self, key: arrow::row::Row<'_>, slot: Slot) -> Result<()> {
        let hash = self.hasher.hash_one(key.data());
        let known = self
            .index
            .find(hash, |known| self.keys.row(*known as usize) == key)
            .copied();
        if let Some(chunk) = self.layout.chunks[slot.chunk as usize].as_mut() {
            chunk.live_rows += 1;
        }
        if let Some(known) = known {
            let earlier = std::mem::replace(&mut self.layout.slots[known as usize], slot);
            if let Some(chunk) = self.layout.chunks[earlier.chunk as usize].as_mut() {
                chunk.live_rows -= 1;
                if let Some(recording) = &mut self.recording {
                    recording.replaced(known, earlier, &chunk.rows, chunk.bytes);
                }
            }
            if earlier.chunk != slot.chunk {
                self.drop_if_dead(earlier.chunk);
            }
        } else {
            let new = u32::try_from(self.layout.slots.len()).map_err(|_| too_big())?;
            self.layout.slots.push(slot);
            self.keys.push(key);
            self.index.insert_unique(hash, new, |slot| {
                self.hasher.hash_one(self.keys.row(*slot as usize).data())
            });
        }
        Ok(())
    }

    fn drop_if_dead(&mut self, chunk: u32) {
        let place = &mut self.layout.chunks[chunk as usize];
        if let Some(dead) = place.take_if(|chunk| chunk.live_rows == 0) {
            self.held_rows -= dead.rows.num_rows();
            self.held_bytes -= dead.bytes;
        }
    }

    /// Drops the garbage if there is more of it than of rows, or far more chunks than so many rows need.
    pub(super) fn compact_if_due(&mut self) -> Result<()> {
        if let Some(compacted) = self.compacted()? {
            self.install(compacted);
        }
        Ok(())
    }

    /// The layout without garbage, if it is time for that. Readers may go on meanwhile.
    pub(super) fn compacted(&self) -> Result<Option<Layout>> {
        let live = self.layout.slots.len();
        let is_garbage = self.held_rows > 2 * live + MIN_GARBAGE_ROWS;
        let spare_chunks = self.layout.chunks.len() - self.compacted_chunks.min(self.layout.chunks.len());
        if is_garbage || spare_chunks > MIN_SPARE_CHUNKS.max(live / MIN_SPARE_CHUNKS) {
            self.layout.compacted().map(Some)
        } else {
            Ok(None)
        }
    }

    /// Takes over a layout that [`Self::compacted`] made of this table's current one.
    pub(super) fn install(&mut self, compacted: Layout) {
        self.layout = compacted;
        self.compacted_chunks = self.layout.chunks.len();
        let held = || self.layout.chunks.iter().flatten();
        self.held_rows = held().map(|chunk| chunk.rows.num_rows()).sum();
        self.held_bytes = held().map(|chunk| chunk.bytes).sum();
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }
}

impl Layout {
    pub(super) fn num_rows(&self) -> usize {
        self.slots.len()
    }

    /// About what the rows take, garbage aside.
    pub(super) fn memory_bytes(&self) -> usize {
        self.slots.len() * self.average_row_bytes
    }

    /// The rows of a range that lies within the table, and the batches that last changed them.
    pub(super) fn page(&self, start: usize, end: usize) -> Result<(RecordBatch, Vec<u64>)> {
        let slots = &self.slots[start..end];
        let mut places: HashMap<u32, usize> = HashMap::new();
        let mut sources: Vec<&RecordBatch> = Vec::new();
        let mut indices = Vec::with_capacity(slots.len());
        for slot in slots {
            let chunk = self.chunks[slot.chunk as usize]
                .as_ref()
                .ok_or_else(|| Error::internal("a row of a memory table is gone"))?;
            let place = *places.entry(slot.chunk).or_insert_with(|| {
                sources.push(&chunk.rows);
                sources.len() - 1
            });
            indices.push((place, slot.row as usize));
        }
        let rows = if sources.is_empty() {
            RecordBatch::new_empty(Arc::clone(&self.schema))
        } else {
            chunks::own_views(&interleave_record_batch(&sources, &indices)?)?
        };
        Ok((rows, slots.iter().map(|slot| slot.batch_id).collect()))
    }

    /// What is in some slots, and the chunks of that.
    pub(super) fn places(&self, slots: &[usize]) -> (Vec<Slot>, HashMap<u32, RecordBatch>) {
        let places = slots.iter().map(|&slot| self.slots[slot]).collect::<Vec<_>>();
        let mut chunks = HashMap::new();
        for place in &places {
            if let Some(chunk) = &self.chunks[place.chunk as usize] {
                chunks.entry(place.chunk).or_insert_with(|| chunk.rows.clone());
            }
        }
        (places, chunks)
    }

    /// All rows as full chunks, each with the batches that last changed them.
    pub(super) fn pages(&self) -> impl Iterator<Item = Result<(RecordBatch, Vec<u64>)>> + '_ {
        let step = chunks::rows_per_chunk(self.slots.len(), self.memory_bytes());
        (0..self.slots.len())
            .step_by(step)
            .map(move |start| self.page(start, (start + step).min(self.slots.len())))
    }

    /// As [`Self::pages`], of a layout that nobody else needs.
    pub(super) fn into_pages(self) -> impl Iterator<Item = Result<(RecordBatch, Vec<u64>)>> {
        let step = chunks::rows_per_chunk(self.slots.len(), self.memory_bytes());
        (0..self.slots.len())
            .step_by(step)
            .map(move |start| self.page(start, (start + step).min(self.slots.len())))
    }

    fn compacted(&self) -> Result<Self> {
        let mut compacted = Self {
            schema: Arc::clone(&self.schema),
            slots: Vec::with_capacity(self.slots.len()),
            chunks: Vec::new(),
            average_row_bytes: self.average_row_bytes,
        };
        for page in self.pages() {
            let (rows, changed_in) = page?;
            let chunk = u32::try_from(compacted.chunks.len()).map_err(|_| too_big())?;
            for (row, batch_id) in (0..).zip(changed_in) {
                compacted.slots.push(Slot { chunk, row, batch_id });
            }
            compacted.chunks.push(Some(Chunk {
                live_rows: rows.num_rows(),
                bytes: rows.get_array_memory_size(),
                rows,
            }));
        }
        Ok(compacted)
    }
}

fn too_big() -> Error {
    Error::sink("a memory table holds at most 4,294,967,295 rows").hint("Send the rows to a file sink.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::test_support::{read, rows, schema};

    #[test]
    fn a_hundred_thousand_changes_leave_no_garbage() {
        let mut table = KeyedRows::try_new(schema(), &[0]).expect("a table");
        for batch in 0..1000_i64 {
            let keys: Vec<String> = (0..100)
                .map(|key| format!("k{}", (key * 7 + batch) % 300))
                .collect();
            let changed: Vec<(&str, i64)> = keys.iter().map(|key| (key.as_str(), batch)).collect();
            let id = u64::try_from(batch).expect("small");
            table.upsert(&[rows(&changed)], |_, _| id).expect("a batch");
            table.compact_if_due().expect("a compaction");
            assert!(
                table.held_rows <= 2 * 300 + MIN_GARBAGE_ROWS + 100,
                "{} rows held",
                table.held_rows
            );
            assert!(
                table.layout.chunks.len() <= 200,
                "{} chunks",
                table.layout.chunks.len()
            );
        }
        assert_eq!(table.layout.num_rows(), 300);
        let (page, changed_in) = table.layout.page(0, 300).expect("a page");
        for ((_, number), batch) in read(&[page]).iter().zip(changed_in) {
            assert_eq!(u64::try_from(*number).expect("small"), batch);
            assert!(batch >= 700, "every key was changed in the last 300 batches");
        }
    }

    #[test]
    fn rows_that_change_every_time_are_dropped_at_once() {
        let mut table = KeyedRows::try_new(schema(), &[0]).expect("a table");
        for number in 0..10 {
            table
                .upsert(&[rows(&[("a", number), ("b", number)])], |_, _| 0)
                .expect("a batch");
            assert_eq!(table.held_rows, 2);
        }
    }

    #[test]
    fn a_key_twice_in_a_batch_has_its_last_row() {
        let mut table = KeyedRows::try_new(schema(), &[0]).expect("a table");
        table
            .upsert(
                &[rows(&[("a", 1), ("", 2), ("a", 3), ("", 4), ("b", 5)])],
                |_, _| 0,
            )
            .expect("a batch");
        let (page, _) = table.layout.page(0, 3).expect("a page");
        assert_eq!(
            read(&[page]),
            [("a".into(), 3), (String::new(), 4), ("b".into(), 5)]
        );
    }
}
