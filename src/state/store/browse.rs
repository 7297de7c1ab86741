//! Looking at a state by a person: its keys in order, rows of some of them, how big they are.
//!
//! These walk over all keys. They are for a state that was read back from the checkpoint to be looked at, never for one
//! that a query runs on.

use arrow::array::ArrayRef;
use arrow::record_batch::RecordBatch;
use arrow::row::{RowConverter, SortField};

use super::StateStore;
use crate::error::Result;

/// How many rows are put together at once where all are gone through.
const STEP: usize = 8_192;

impl StateStore {
    /// Every key, in ascending order: null first, then by the key columns from left to right.
    pub fn sorted_entries(&self) -> Vec<u32> {
        let mut entries = self.index.iter().copied().collect::<Vec<_>>();
        entries.sort_unstable_by(|&one, &other| self.key(one).cmp(self.key(other)));
        entries
    }

    /// The rows of some keys.
    ///
    /// # Errors
    ///
    /// None that a state can cause.
    pub fn rows_of(&self, entries: &[u32]) -> Result<RecordBatch> {
        let places = entries.iter().map(|&entry| self.place(entry)).collect::<Vec<_>>();
        let rows = self.gather(&places)?;
        Ok(rows.unwrap_or_else(|| RecordBatch::new_empty(std::sync::Arc::clone(&self.layout.schema))))
    }

    /// Those of some keys whose rows `is_wanted` picks, in the same order. It is asked for a batch of rows at a time and
    /// says the places of those that it wants.
    ///
    /// # Errors
    ///
    /// What `is_wanted` says.
    pub fn filter_entries(
        &self,
        entries: &[u32],
        is_wanted: impl Fn(&RecordBatch) -> Result<Vec<usize>>,
    ) -> Result<Vec<u32>> {
        let mut wanted = Vec::new();
        for step in entries.chunks(STEP) {
            let rows = is_wanted(&self.rows_of(step)?)?;
            wanted.extend(rows.into_iter().map(|row| step[row]));
        }
        Ok(wanted)
    }

    /// Where rows are numbered: of each look-up key, which is a key but its number, the first of these entries and how many
    /// of them have it. `entries` are in ascending order.
    pub fn entries_by_lookup_key(&self, entries: &[u32]) -> Vec<(u32, u64)> {
        let groups = entries.chunk_by(|&one, &other| self.probe_key(one) == self.probe_key(other));
        groups.map(|group| (group[0], group.len() as u64)).collect()
    }

    /// About how many bytes the row of each of these keys takes.
    ///
    /// # Errors
    ///
    /// None that a state can cause.
    pub fn row_bytes(&self, entries: &[u32]) -> Result<Vec<u64>> {
        let fields = self.layout.schema.fields();
        let measured = (0..fields.len())
            .filter(|&column| {
                RowConverter::supports_fields(&[SortField::new(fields[column].data_type().clone())])
            })
            .collect::<Vec<_>>();
        let sorts = measured
            .iter()
            .map(|&column| SortField::new(fields[column].data_type().clone()));
        let converter = RowConverter::new(sorts.collect())?;
        let mut bytes = Vec::with_capacity(entries.len());
        for step in entries.chunks(STEP) {
            let rows = self.rows_of(step)?;
            if measured.is_empty() {
                bytes.resize(bytes.len() + rows.num_rows(), 0);
                continue;
            }
            let columns = measured
                .iter()
                .map(|&column| ArrayRef::clone(rows.column(column)));
            let rows = converter.convert_columns(&columns.collect::<Vec<ArrayRef>>())?;
            bytes.extend(rows.iter().map(|row| row.data().len() as u64));
        }
        Ok(bytes)
    }
}
