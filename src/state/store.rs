//! One operator's state in memory.
//!
//! ```text
//!   log      batch 0           batch 1        batch 2          every row that was ever put, oldest first;
//!            [a b c d e f]     [b e]          [g]              superseded rows are garbage until compaction
//!             │     │           │ │            │
//!   entries   0:a   1:c  ...    2:b 3:e        4:g             one a live key: (batch, row)
//!   index     hash of the key's row-encoded bytes -> entry     hashbrown's HashTable
//!   times     event time -> entries                            buckets, only where the operator evicts
//!   chains    lookup key -> entries                            only where rows are numbered
//! ```
//!
//! Every operation costs what it touches: a look-up or a put its own rows, an eviction the evicted rows. What an epoch
//! puts are the log's newest batches, and stay so until [`StateStore::take_delta`] has read the change from them.
//!
//! # Layout
//!
//! - `browse`: a look at its keys, by a person
//! - `compaction`: garbage goes, small batches become one
//! - `event_times`: what is evicted next

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt32Array};
use arrow::compute::{interleave_record_batch, take_record_batch};
use arrow::datatypes::{DataType, Int64Type, SchemaRef, TimeUnit, TimestampMicrosecondType};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use arrow::row::{RowConverter, Rows, SortField};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry as TableEntry;

use crate::error::{Error, Result};
use crate::state::chains::Chains;
use crate::state::codec::StateDelta;
use crate::state::times::TimeIndex;

mod browse;
mod compaction;
mod event_times;

pub use event_times::{EventTimes, KeysAtTime};

/// Bytes that a row number takes at the end of an encoded key: one for null or not, eight for the number.
const NUMBER_BYTES: usize = 9;

/// What the columns of a state are.
#[derive(Debug, Clone)]
pub struct StateLayout {
    /// Key columns first, then values.
    pub schema: SchemaRef,
    /// How many of the columns are keys; 0: a single row.
    pub num_keys: usize,
    /// The event time that a row is evicted by, if it ever is.
    pub eviction: Option<EvictionTime>,
    /// Whether the last key column is a row number (an INT64 that [`StateStore::next_number`] gives), which tells
    /// rows apart whose other keys are equal. [`StateStore::probe`] finds all of them.
    pub is_numbered: bool,
}

/// What [`StateStore::probe`] found: pairs of a row that asked and a stored row.
#[derive(Debug)]
pub struct Probe {
    /// The stored rows, each once.
    pub rows: RecordBatch,
    /// Which row asked, a pair each, in ascending order.
    pub asking: Vec<u32>,
    /// Which of [`Self::rows`] it found, a pair each.
    pub found: Vec<u32>,
}

/// Which event time a state row has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvictionTime {
    /// The column: microsecond timestamps, or a window's struct whose `end` counts.
    pub column: usize,
    /// Microseconds to add: a window's size where the column is the window's start.
    pub offset_us: i64,
}

impl EvictionTime {
    /// The event times of a column's rows in microseconds since the epoch; `None` where the row has none.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Internal`] if the column is neither a timestamp nor a window.
    pub fn of(&self, column: &ArrayRef) -> Result<Vec<Option<i64>>> {
        let times = match column.data_type() {
            DataType::Struct(_) => column.as_struct().column_by_name("end"),
            _ => Some(column),
        };
        let times = times
            .filter(|times| matches!(times.data_type(), DataType::Timestamp(TimeUnit::Microsecond, _)))
            .ok_or_else(|| Error::internal(format!("event time of type {}", column.data_type())))?;
        let times = times.as_primitive::<TimestampMicrosecondType>();
        Ok(times
            .iter()
            .map(|time| time.map(|time| time.saturating_add(self.offset_us)))
            .collect())
    }
}

#[derive(Debug)]
struct LogBatch {
    rows: RecordBatch,
    keys: Keys,
    /// How many of the rows are garbage.
    garbage: usize,
}

impl LogBatch {
    fn memory_bytes(&self) -> usize {
        let keys = match &self.keys {
            Keys::Rows(rows) => rows.size(),
            Keys::Single => 0,
        };
        self.rows.get_array_memory_size() + keys
    }
}

/// The row-encoded keys of a batch. A state without key columns has one row, whose key is empty.
#[derive(Debug)]
enum Keys {
    Rows(Rows),
    Single,
}

impl Keys {
    fn take(&self, rows: &[u32], converter: Option<&RowConverter>) -> Self {
        match (self, converter) {
            (Self::Rows(all), Some(converter)) => {
                let mut taken = converter.empty_rows(rows.len(), 0);
                for &row in rows {
                    taken.push(all.row(row as usize));
                }
                Self::Rows(taken)
            }
            _ => Self::Single,
        }
    }

    fn get(&self, row: usize) -> &[u8] {
        match self {
            // The lifetime of `Row::data` is that of the row; `Rows::row` borrows from the batch's buffer.
            Self::Rows(rows) => rows.row(row).data(),
            Self::Single => &[],
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u64,
    /// Its event time, if it is ever evicted.
    time: Option<i64>,
    /// [`GONE`] once it is removed; its place is used again.
    batch: u32,
    row: u32,
}

/// The batch of an entry that is none.
const GONE: u32 = u32::MAX;

/// The state of one operator. See the module's documentation.
#[derive(Debug)]
pub struct StateStore {
    layout: StateLayout,
    converter: Option<RowConverter>,
    /// Encodes the keys but the number, where rows are numbered.
    probe_converter: Option<RowConverter>,
    chains: Chains,
    next_number: i64,
    log: Vec<LogBatch>,
    log_rows: usize,
    entries: Vec<Entry>,
    free: Vec<u32>,
    index: HashTable<u32>,
    times: TimeIndex,
    hasher: foldhash::fast::FixedState,
    /// The first batch of the log that is not in any change yet.
    epoch_start: usize,
    /// Keys that this epoch has removed.
    removed: Vec<RecordBatch>,
    memory_bytes: usize,
}

impl StateStore {
    /// An empty state.
    pub fn try_new(layout: StateLayout) -> Result<Self> {
        let converter = |num_keys: usize| -> Result<Option<RowConverter>> {
            let fields = layout.schema.fields()[..num_keys].iter();
            let fields = fields.map(|field| SortField::new(field.data_type().clone()));
            let fields = fields.collect::<Vec<_>>();
            if fields.is_empty() {
                return Ok(None);
            }
            Ok(Some(RowConverter::new(fields)?))
        };
        let probe_converter = if layout.is_numbered {
            converter(layout.num_keys - 1)?
        } else {
            None
        };
        Ok(Self {
            converter: converter(layout.num_keys)?,
            probe_converter,
            chains: Chains::default(),
            next_number: 0,
            layout,
            log: Vec::new(),
            log_rows: 0,
            entries: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            times: TimeIndex::default(),
            hasher: foldhash::fast::FixedState::default(),
            epoch_start: 0,
            removed: Vec::new(),
            memory_bytes: 0,
        })
    }

    /// The columns.
    pub fn layout(&self) -> &StateLayout {
        &self.layout
    }

    /// How many keys there are.
    pub fn num_rows(&self) -> usize {
        self.index.len()
    }

    /// Bytes that log, keys and index take in memory, near enough.
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
            + self.entries.capacity() * size_of::<Entry>()
            + self.index.capacity() * (size_of::<u32>() + 1)
            + self.times.memory_bytes()
            + self.chains.memory_bytes()
    }

    /// Where rows are numbered: how many rows some key has at least, which is the largest of those that changed last.
    pub fn largest_key(&self) -> u64 {
        u64::from(self.chains.longest())
    }

    /// A number that no row has, for states whose rows are numbered; the numbers after it are free too.
    pub fn next_number(&self) -> i64 {
        self.next_number
    }

    /// The stored rows of the keys in `keys` (the key columns of any number of rows, duplicates allowed), each
    /// once; `None` if there are none.
    pub fn lookup(&self, keys: &[ArrayRef], num_rows: usize) -> Result<Option<RecordBatch>> {
        if self.index.is_empty() {
            return Ok(None);
        }
        let keys = self.encode_keys(keys)?;
        let mut seen = hashbrown::HashSet::new();
        let mut places = Vec::new();
        for row in 0..num_rows {
            let key = keys.get(row);
            if let Some(&entry) = self.index.find(self.hash(key), |&entry| self.key(entry) == key)
                && seen.insert(entry)
            {
                places.push(self.place(entry));
            }
        }
        self.gather(&places)
    }

    /// The stored rows whose keys, but the number, are those of some rows; `None` if there are none.
    pub fn probe(&self, keys: &[ArrayRef], num_rows: usize) -> Result<Option<Probe>> {
        if self.index.is_empty() {
            return Ok(None);
        }
        let keys = encode(self.probe_converter.as_ref(), keys)?;
        let mut places = Vec::new();
        let mut known = hashbrown::HashMap::new();
        let (mut asking, mut found) = (Vec::new(), Vec::new());
        for row in 0..num_rows {
            let key = keys.get(row);
            let entries = self
                .chains
                .find(self.hash(key), |entry| self.probe_key(entry) == key);
            for entry in entries {
                let place = *known.entry(entry).or_insert_with(|| {
                    places.push(self.place(entry));
                    to_u32(places.len() - 1)
                });
                asking.push(to_u32(row));
                found.push(place);
            }
        }
        let rows = self.gather(&places)?;
        Ok(rows.map(|rows| Probe { rows, asking, found }))
    }

    /// Puts those rows whose key is not there yet, the first of each key, and says of each row whether it was put.
    pub fn put_new(&mut self, rows: &RecordBatch) -> Result<BooleanArray> {
        debug_assert!(!self.layout.is_numbered, "numbered rows are always new");
        if rows.num_rows() == 0 {
            return Ok(BooleanArray::from(Vec::<bool>::new()));
        }
        let keys = self.encode_keys(&rows.columns()[..self.layout.num_keys])?;
        let times = self.times_of(rows)?;
        let batch = to_u32(self.log.len());
        let mut chosen = Vec::new();
        let is_new = (0..rows.num_rows()).map(|row| {
            let key = keys.get(row);
            let hash = hash_with(&self.hasher, key);
            let (log, entries) = (&self.log, &self.entries);
            let slot = self.index.entry(
                hash,
                |&entry| {
                    let entry = entries[entry as usize];
                    if entry.batch == batch {
                        keys.get(chosen[entry.row as usize] as usize) == key
                    } else {
                        log[entry.batch as usize].keys.get(entry.row as usize) == key
                    }
                },
                |&entry| entries[entry as usize].hash,
            );
            let TableEntry::Vacant(vacant) = slot else {
                return false;
            };
            let fresh = Entry {
                hash,
                time: times.as_ref().and_then(|times| times[row]),
                batch,
                row: to_u32(chosen.len()),
            };
            let entry = allocate(&mut self.entries, &mut self.free, fresh);
            vacant.insert(entry);
            if let Some(time) = fresh.time {
                self.times.add(time, entry);
            }
            chosen.push(to_u32(row));
            true
        });
        let is_new = is_new.collect::<Vec<_>>();
        if chosen.len() == rows.num_rows() {
            self.push(rows.clone(), keys);
        } else if !chosen.is_empty() {
            let keys = keys.take(&chosen, self.converter.as_ref());
            self.push(take_record_batch(rows, &UInt32Array::from(chosen))?, keys);
        }
        Ok(BooleanArray::from(is_new))
    }

    /// Puts rows, whose keys are unique among them; a row of a key that is there replaces its row.
    pub fn put(&mut self, rows: RecordBatch) -> Result<()> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        let keys = self.encode_keys(&rows.columns()[..self.layout.num_keys])?;
        let times = self.times_of(&rows)?;
        if self.layout.is_numbered {
            let numbers = rows.column(self.layout.num_keys - 1).as_primitive::<Int64Type>();
            let newest = arrow::compute::max(numbers).unwrap_or(-1);
            self.next_number = self.next_number.max(newest + 1);
        }
        let batch = to_u32(self.log.len());
        let num_rows = rows.num_rows();
        self.push(rows, keys);
        for row in 0..num_rows {
            let (log, entries) = (&self.log, &self.entries);
            let key = log[batch as usize].keys.get(row);
            let hash = hash_with(&self.hasher, key);
            let slot = self.index.entry(
                hash,
                |&entry| {
                    let entry = entries[entry as usize];
                    log[entry.batch as usize].keys.get(entry.row as usize) == key
                },
                |&entry| entries[entry as usize].hash,
            );
            // A row without an event time is never evicted, as in Spark.
            let fresh = Entry {
                hash,
                time: times.as_ref().and_then(|times| times[row]),
                batch,
                row: to_u32(row),
            };
            let (entry, had_time) = match slot {
                TableEntry::Occupied(found) => {
                    let entry = *found.get();
                    let old = std::mem::replace(&mut self.entries[entry as usize], fresh);
                    self.log[old.batch as usize].garbage += 1;
                    (entry, old.time)
                }
                TableEntry::Vacant(vacant) => {
                    let entry = allocate(&mut self.entries, &mut self.free, fresh);
                    vacant.insert(entry);
                    if self.layout.is_numbered {
                        let (log, entries) = (&self.log, &self.entries);
                        let key = without_number(key);
                        let hash = hash_with(&self.hasher, key);
                        self.chains.add(hash, entry, |other| {
                            let other = entries[other as usize];
                            without_number(log[other.batch as usize].keys.get(other.row as usize)) == key
                        });
                    }
                    (entry, None)
                }
            };
            if had_time != fresh.time {
                if let Some(time) = had_time {
                    self.times.forget(time);
                }
                if let Some(time) = fresh.time {
                    self.times.add(time, entry);
                }
            }
        }
        Ok(())
    }

    /// Removes the rows of some keys (the key columns alone).
    pub fn remove(&mut self, keys: RecordBatch) -> Result<()> {
        if keys.num_rows() > 0 {
            let encoded = self.encode_keys(keys.columns())?;
            self.remove_keys(&encoded, keys.num_rows());
            self.removed.push(keys);
        }
        Ok(())
    }

    /// Removes every row whose event time is at or before `watermark_us`, and gives those rows, by event time.
    pub fn evict(&mut self, watermark_us: i64) -> Result<Option<RecordBatch>> {
        let mut evicted = self.times.take_until(watermark_us);
        evicted.sort_by_key(|(time, _)| *time);
        let mut places = Vec::with_capacity(evicted.len());
        for (time, entry) in evicted {
            if self.entries[entry as usize].holds(time) {
                places.push(self.place(entry));
                self.remove_entry(entry);
            }
        }
        let rows = self.gather(&places)?;
        if let Some(rows) = &rows {
            let keys = rows.project(&(0..self.layout.num_keys).collect::<Vec<_>>())?;
            self.removed.push(keys);
        }
        Ok(rows)
    }

    /// Every live row, in no particular order.
    pub fn all_rows(&self) -> Result<Option<RecordBatch>> {
        let places = self.entries.iter().filter(|entry| entry.batch != GONE);
        let places = places
            .map(|entry| (entry.batch as usize, entry.row as usize))
            .collect::<Vec<_>>();
        self.gather(&places)
    }

    /// What changed since the last call: an epoch's part of the changelog. A row that the same epoch has put and
    /// replaced, or removed, is not in it.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Internal`] for what Arrow refuses.
    pub fn take_delta(&mut self) -> Result<StateDelta> {
        let mut puts = Vec::with_capacity(self.log.len() - self.epoch_start);
        for (batch, logged) in self.log.iter().enumerate().skip(self.epoch_start) {
            if logged.garbage == 0 {
                puts.push(logged.rows.clone());
            } else if logged.garbage < logged.rows.num_rows() {
                let live = self.live_rows(batch).map(|(_, row)| row);
                puts.push(take_record_batch(&logged.rows, &live.collect::<UInt32Array>())?);
            }
        }
        let removes = std::mem::take(&mut self.removed);
        self.end_epoch()?;
        Ok(StateDelta { puts, removes })
    }

    /// Brings a changelog entry or a snapshot back.
    pub fn apply(&mut self, delta: StateDelta) -> Result<()> {
        for keys in delta.removes {
            let encoded = self.encode_keys(keys.columns())?;
            self.remove_keys(&encoded, keys.num_rows());
        }
        for rows in delta.puts {
            // The plan's own schema, with its field metadata, which the bytes leave out.
            self.put(RecordBatch::try_new(
                Arc::clone(&self.layout.schema),
                rows.columns().to_vec(),
            )?)?;
        }
        self.end_epoch()
    }

    fn end_epoch(&mut self) -> Result<()> {
        self.compact_if_worthwhile()?;
        self.epoch_start = self.log.len();
        let (times, entries) = (&mut self.times, &self.entries);
        times.tidy(self.index.len(), |time, entry| {
            entries[entry as usize].holds(time)
        });
        Ok(())
    }

    fn times_of(&self, rows: &RecordBatch) -> Result<Option<Vec<Option<i64>>>> {
        let eviction = self.layout.eviction;
        eviction
            .map(|eviction| eviction.of(rows.column(eviction.column)))
            .transpose()
    }

    fn push(&mut self, rows: RecordBatch, keys: Keys) {
        self.log_rows += rows.num_rows();
        let added = LogBatch {
            rows,
            keys,
            garbage: 0,
        };
        self.memory_bytes += added.memory_bytes();
        self.log.push(added);
    }

    /// Removes the rows of some keys, those that there are.
    fn remove_keys(&mut self, keys: &Keys, num_rows: usize) {
        for row in 0..num_rows {
            let key = keys.get(row);
            let found = self.index.find(self.hash(key), |&entry| self.key(entry) == key);
            if let Some(&entry) = found {
                self.remove_entry(entry);
            }
        }
    }

    fn remove_entry(&mut self, entry: u32) {
        let Entry {
            hash, batch, time, ..
        } = self.entries[entry as usize];
        if let Some(time) = time {
            self.times.forget(time);
        }
        if let Ok(found) = self.index.find_entry(hash, |&other| other == entry) {
            found.remove();
        }
        self.unchain(entry);
        self.log[batch as usize].garbage += 1;
        self.entries[entry as usize].batch = GONE;
        self.free.push(entry);
    }

    /// The live rows of a batch: their entries and their places in it.
    fn live_rows(&self, batch: usize) -> impl Iterator<Item = (u32, u32)> {
        let logged = &self.log[batch];
        (0..logged.rows.num_rows()).filter_map(move |row| {
            let hash = self.hash(logged.keys.get(row));
            let entry = self.index.find(hash, |&entry| self.place(entry) == (batch, row));
            entry.map(|&entry| (entry, to_u32(row)))
        })
    }

    fn gather(&self, places: &[(usize, usize)]) -> Result<Option<RecordBatch>> {
        if places.is_empty() {
            return Ok(None);
        }
        // Interleave wants the batches that are touched, not the whole log.
        let mut used = Vec::new();
        let mut position = vec![usize::MAX; self.log.len()];
        let places = places
            .iter()
            .map(|&(batch, row)| {
                if position[batch] == usize::MAX {
                    position[batch] = used.len();
                    used.push(&self.log[batch].rows);
                }
                (position[batch], row)
            })
            .collect::<Vec<_>>();
        if self.layout.schema.fields().is_empty() {
            let options = RecordBatchOptions::new().with_row_count(Some(places.len()));
            let schema = Arc::clone(&self.layout.schema);
            return Ok(Some(RecordBatch::try_new_with_options(schema, vec![], &options)?));
        }
        Ok(Some(interleave_record_batch(&used, &places)?))
    }

    fn unchain(&mut self, entry: u32) {
        if self.layout.is_numbered {
            let hash = self.hash(self.probe_key(entry));
            let Self {
                chains, log, entries, ..
            } = self;
            let key = |entry: u32| {
                let entry = entries[entry as usize];
                without_number(log[entry.batch as usize].keys.get(entry.row as usize))
            };
            chains.remove(hash, entry, |other| key(other) == key(entry));
        }
    }

    fn encode_keys(&self, columns: &[ArrayRef]) -> Result<Keys> {
        encode(self.converter.as_ref(), columns)
    }

    fn hash(&self, key: &[u8]) -> u64 {
        hash_with(&self.hasher, key)
    }

    fn key(&self, entry: u32) -> &[u8] {
        let entry = self.entries[entry as usize];
        self.log[entry.batch as usize].keys.get(entry.row as usize)
    }

    fn probe_key(&self, entry: u32) -> &[u8] {
        without_number(self.key(entry))
    }

    fn place(&self, entry: u32) -> (usize, usize) {
        let entry = self.entries[entry as usize];
        (entry.batch as usize, entry.row as usize)
    }
}

impl Entry {
    /// Whether it is there, and is evicted at `time`.
    fn holds(self, time: i64) -> bool {
        self.batch != GONE && self.time == Some(time)
    }
}

fn allocate(entries: &mut Vec<Entry>, free: &mut Vec<u32>, fresh: Entry) -> u32 {
    if let Some(entry) = free.pop() {
        entries[entry as usize] = fresh;
        return entry;
    }
    entries.push(fresh);
    to_u32(entries.len() - 1)
}

fn encode(converter: Option<&RowConverter>, columns: &[ArrayRef]) -> Result<Keys> {
    match converter {
        Some(converter) => Ok(Keys::Rows(converter.convert_columns(columns)?)),
        None => Ok(Keys::Single),
    }
}

/// An encoded key is its columns' bytes one after the other; the number is the last one.
fn without_number(key: &[u8]) -> &[u8] {
    &key[..key.len() - NUMBER_BYTES]
}

fn hash_with(hasher: &foldhash::fast::FixedState, key: &[u8]) -> u64 {
    use std::hash::{BuildHasher, Hasher};
    let mut hasher = hasher.build_hasher();
    hasher.write(key);
    hasher.finish()
}

/// Rows of a state are counted in 32 bits; a batch or an index beyond that cannot be in memory.
fn to_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
