//! Many changes as one snapshot, without the index of a [`StateStore`](super::StateStore).

use arrow::array::UInt32Array;
use arrow::compute::{concat_batches, take_record_batch};
use arrow::record_batch::RecordBatch;
use arrow::row::{RowConverter, Rows, SortField};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::error::Result;
use crate::state::{StateDelta, StateLayout};

/// What is left after `changes`, oldest first, to an empty state, as one change.
///
/// # Errors
///
/// A key type that has no row format, or rows of other columns than the layout's.
pub fn snapshot_of(layout: &StateLayout, changes: &[StateDelta]) -> Result<StateDelta> {
    let fields = layout.schema.fields()[..layout.num_keys].iter();
    let fields = fields.map(|field| SortField::new(field.data_type().clone()));
    let mut seen = SeenKeys {
        converter: RowConverter::new(fields.collect())?,
        has_keys: layout.num_keys > 0,
        keys: Vec::new(),
        table: HashTable::new(),
        hasher: foldhash::fast::FixedState::default(),
    };
    let mut live = Vec::new();
    // From the newest on, the first word on a key is the one that holds.
    for change in changes.iter().rev() {
        for rows in change.puts.iter().rev() {
            let fresh = seen.add(rows, layout.num_keys)?;
            if !fresh.is_empty() {
                live.push(take_record_batch(rows, &fresh)?);
            }
        }
        for keys in &change.removes {
            seen.add(keys, layout.num_keys)?;
        }
    }
    let puts = match live.first() {
        Some(first) => vec![concat_batches(&first.schema(), live.iter().rev())?],
        None => Vec::new(),
    };
    Ok(StateDelta {
        puts,
        removes: Vec::new(),
    })
}

struct SeenKeys {
    converter: RowConverter,
    has_keys: bool,
    keys: Vec<Rows>,
    table: HashTable<(u64, u32, u32)>,
    hasher: foldhash::fast::FixedState,
}

impl SeenKeys {
    /// Adds the keys of rows, and gives the places of those that are new.
    fn add(&mut self, rows: &RecordBatch, num_keys: usize) -> Result<UInt32Array> {
        use std::hash::BuildHasher;
        if !self.has_keys {
            let is_first = self.table.is_empty() && rows.num_rows() > 0;
            if is_first {
                self.table.insert_unique(0, (0, 0, 0), |_| 0);
            }
            return Ok((0..u32::from(is_first)).collect());
        }
        let added = self.converter.convert_columns(&rows.columns()[..num_keys])?;
        let batch = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        self.keys.push(added);
        let Self {
            keys, table, hasher, ..
        } = self;
        let key_at = |batch: u32, row: u32| keys[batch as usize].row(row as usize);
        let num_rows = u32::try_from(rows.num_rows()).unwrap_or(u32::MAX);
        let fresh = (0..num_rows).filter(|&row| {
            let key = key_at(batch, row);
            let hash = hasher.hash_one(key.data());
            let slot = table.entry(
                hash,
                |&(_, batch, row)| key_at(batch, row) == key,
                |&(hash, _, _)| hash,
            );
            match slot {
                Entry::Occupied(_) => false,
                Entry::Vacant(vacant) => {
                    vacant.insert((hash, batch, row));
                    true
                }
            }
        });
        Ok(fresh.collect())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use arrow::array::{AsArray, Int64Array, StringArray};
    use arrow::datatypes::{DataType, Field, Int64Type, Schema};

    use super::*;

    fn layout(num_keys: usize) -> StateLayout {
        StateLayout {
            schema: Arc::new(Schema::new(vec![
                Field::new("k", DataType::Utf8, true),
                Field::new("n", DataType::Int64, true),
            ])),
            num_keys,
            eviction: None,
            is_numbered: false,
        }
    }

    fn rows(rows: &[(&str, i64)]) -> RecordBatch {
        let keys = rows.iter().map(|(key, _)| Some(*key)).collect::<StringArray>();
        let numbers = rows.iter().map(|(_, number)| *number).collect::<Int64Array>();
        RecordBatch::try_new(layout(1).schema, vec![Arc::new(keys), Arc::new(numbers)]).expect("rows")
    }

    fn change(puts: &[(&str, i64)], removes: &[&str]) -> StateDelta {
        let removes = removes.iter().map(|key| (*key, 0)).collect::<Vec<_>>();
        StateDelta {
            puts: puts.iter().map(|row| rows(&[*row])).collect(),
            removes: vec![rows(&removes).project(&[0]).expect("a key")],
        }
    }

    fn content(snapshot: &StateDelta) -> BTreeMap<String, i64> {
        assert!(snapshot.removes.is_empty());
        let rows = snapshot.puts.iter().flat_map(|batch| {
            let keys = batch.column(0).as_string::<i32>().iter();
            let numbers = batch.column(1).as_primitive::<Int64Type>().values().iter();
            let rows = keys.zip(numbers);
            rows.map(|(key, number)| (key.unwrap_or_default().to_string(), *number))
        });
        rows.collect()
    }

    #[test]
    fn the_newest_word_on_a_key_holds() {
        let changes = [
            change(&[("a", 1), ("b", 1), ("c", 1)], &[]),
            change(&[("a", 2), ("d", 2)], &["b", "never there"]),
            change(&[("b", 3)], &["d"]),
        ];
        let expected = [("a", 2), ("b", 3), ("c", 1)].map(|(key, number)| (key.to_string(), number));
        let snapshot = snapshot_of(&layout(1), &changes).expect("merges");
        assert_eq!(content(&snapshot), BTreeMap::from(expected));
        assert_eq!(snapshot.puts[0].num_rows(), 3);
        assert!(snapshot_of(&layout(1), &[]).expect("merges").is_empty());
    }

    #[test]
    fn a_state_without_keys_has_its_newest_row() {
        let changes = [change(&[("old", 1)], &[]), change(&[("new", 2)], &[])];
        let changes = changes.map(|change| StateDelta {
            removes: Vec::new(),
            ..change
        });
        let snapshot = snapshot_of(&layout(0), &changes).expect("merges");
        assert_eq!(content(&snapshot), BTreeMap::from([("new".to_string(), 2)]));
    }
}
