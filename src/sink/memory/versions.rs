//! What the last batches of a complete table were, so that it can be seen as it was.
//!
//! Each batch of a complete table is all of it. The earlier ones are kept as they came, bounded by batches and bytes.
//! What a batch has changed is found by comparing it with the one before, by key, when somebody looks: an index of the
//! earlier rows is made once then, and not by the query.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use arrow::array::ArrayRef;
use arrow::record_batch::RecordBatch;
use arrow::row::{RowConverter, SortField};
use hashbrown::HashMap;

use super::arrival::ArrivalRows;
use super::undo::same_row;
use super::{HISTORY_BATCHES, HISTORY_BYTES};
use crate::error::Result;
use crate::sink::result::RowChange;

/// The whole table as one batch made it.
#[derive(Debug)]
pub(super) struct Version {
    pub(super) batch_id: u64,
    pub(super) rows: ArrivalRows,
    /// Where each key is; made by the first who asks. `None`: such keys cannot be told apart.
    index: OnceLock<Option<HashMap<Box<[u8]>, usize>>>,
}

/// The earlier versions of a table, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Versions {
    versions: VecDeque<Arc<Version>>,
    bytes: usize,
}

impl Versions {
    pub(super) fn push(&mut self, batch_id: u64, rows: ArrivalRows) {
        self.bytes += rows.memory_bytes();
        self.versions.push_back(Arc::new(Version {
            batch_id,
            rows,
            index: OnceLock::new(),
        }));
        // The one before the last is what the last is compared with.
        while self.versions.len() > HISTORY_BATCHES || (self.bytes > HISTORY_BYTES && self.versions.len() > 1)
        {
            if let Some(oldest) = self.versions.pop_front() {
                self.bytes -= oldest.rows.memory_bytes();
            }
        }
    }

    pub(super) fn oldest(&self) -> Option<u64> {
        self.versions.front().map(|version| version.batch_id)
    }

    /// The last version that a batch or an earlier one has made, and the one before it.
    pub(super) fn as_of(&self, batch_id: u64) -> (Option<Arc<Version>>, Option<Arc<Version>>) {
        let at = self
            .versions
            .partition_point(|version| version.batch_id <= batch_id);
        let version = |back: usize| {
            let at = at.checked_sub(back)?;
            self.versions.get(at).cloned()
        };
        (version(1), version(2))
    }

    /// The newest of them.
    pub(super) fn last(&self) -> Option<Arc<Version>> {
        self.versions.back().cloned()
    }
}

impl Version {
    /// What has become of this version in a later one, of which `rows` are some, and what the changed ones were here.
    /// `keys` are the columns that name a row; none are known: all of them do. `start` is the place of the first row.
    pub(super) fn changes(
        &self,
        keys: Option<&[usize]>,
        start: usize,
        rows: &RecordBatch,
    ) -> Result<(Vec<RowChange>, RecordBatch)> {
        let found = self.find(keys, start, rows)?;
        let places = found.iter().flatten().copied().collect::<Vec<_>>();
        let before = self.rows.rows_at(&places)?;
        let mut next = 0;
        let changes = found.iter().enumerate().map(|(row, found)| {
            if found.is_none() {
                return RowChange::New;
            }
            let at = next;
            next += 1;
            if same_row((rows, row), (&before, at)) {
                RowChange::Unchanged
            } else {
                RowChange::Changed { before: at }
            }
        });
        Ok((changes.collect(), before))
    }

    /// Where each of some rows is here.
    fn find(&self, keys: Option<&[usize]>, start: usize, rows: &RecordBatch) -> Result<Vec<Option<usize>>> {
        let all = (0..rows.num_columns()).collect::<Vec<_>>();
        let keys = keys.unwrap_or(&all);
        if keys.is_empty() {
            // One row, which has no name.
            let is_there = |row: usize| (start + row < self.rows.num_rows()).then_some(start + row);
            return Ok((0..rows.num_rows()).map(is_there).collect());
        }
        let fields = keys
            .iter()
            .map(|&key| SortField::new(rows.column(key).data_type().clone()))
            .collect::<Vec<_>>();
        if !RowConverter::supports_fields(&fields) {
            return Ok(vec![None; rows.num_rows()]);
        }
        let converter = RowConverter::new(fields)?;
        let encode = |rows: &RecordBatch| {
            let columns = keys.iter().map(|&key| ArrayRef::clone(rows.column(key)));
            converter.convert_columns(&columns.collect::<Vec<_>>())
        };
        let index = self.index.get_or_init(|| {
            let mut index = HashMap::new();
            let mut first = 0;
            for batch in self.rows.batches() {
                let encoded = encode(&batch).ok()?;
                for (row, key) in encoded.iter().enumerate() {
                    index.insert(Box::from(key.data()), first + row);
                }
                first += batch.num_rows();
            }
            Some(index)
        });
        let encoded = encode(rows)?;
        let found = encoded.iter().map(|key| index.as_ref()?.get(key.data()).copied());
        Ok(found.collect())
    }
}
