//! Which rows are of one session: by key in the order of starts, a row that begins at or before the end so far is part
//! of the session.

use arrow::row::Rows;
use datafusion::common::{Result, exec_datafusion_err};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// The keys of rows as numbers, in the order in which they first come.
#[derive(Debug, Default)]
pub(super) struct KeyNumbers {
    /// The number of each row's key.
    pub(super) of_row: Vec<u32>,
    /// The first row of each key.
    pub(super) first_rows: Vec<u32>,
}

impl KeyNumbers {
    /// The numbers of encoded keys.
    pub(super) fn of(keys: &Rows) -> Result<Self> {
        use std::hash::BuildHasher;
        let hasher = foldhash::fast::FixedState::default();
        let mut table = HashTable::<(u64, u32)>::new();
        let mut numbers = Self::default();
        for row in 0..keys.num_rows() {
            let key = keys.row(row);
            let hash = hasher.hash_one(key.data());
            let first_rows = &numbers.first_rows;
            let slot = table.entry(
                hash,
                |&(_, number)| keys.row(first_rows[number as usize] as usize) == key,
                |&(hash, _)| hash,
            );
            let number = match slot {
                Entry::Occupied(known) => known.get().1,
                Entry::Vacant(vacant) => {
                    let number = to_u32(numbers.first_rows.len())?;
                    vacant.insert((hash, number));
                    numbers.first_rows.push(to_u32(row)?);
                    number
                }
            };
            numbers.of_row.push(number);
        }
        Ok(numbers)
    }

    /// Rows without keys, which all belong together.
    pub(super) fn of_one_key(num_rows: usize) -> Self {
        Self {
            of_row: vec![0; num_rows],
            first_rows: (num_rows > 0).then_some(0).into_iter().collect(),
        }
    }
}

/// A row or a session so far, of which a session may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    /// Its key's number.
    pub(super) key: u32,
    /// Its bounds, in microseconds since the epoch.
    pub(super) start: i64,
    /// Which row it is. Of equal starts the older row comes first.
    pub(super) row: u32,
    /// Exclusive, but for a row that begins just there.
    pub(super) end: i64,
}

/// Some parts that are one session.
#[derive(Debug)]
pub(super) struct Session<'a> {
    /// Its parts in the order of their starts, one at least.
    pub(super) parts: &'a [Part],
    /// Where it ends: with the last of its parts.
    pub(super) end: i64,
}

/// The sessions that `parts`, which are put in order, make.
pub(super) fn sessions(parts: &mut [Part]) -> impl Iterator<Item = Session<'_>> {
    parts.sort_unstable();
    let mut rest = &*parts;
    std::iter::from_fn(move || {
        let first = rest.first()?;
        let mut end = first.end;
        let mut num_parts = 1;
        while let Some(part) = rest.get(num_parts)
            && part.key == first.key
            && part.start <= end
        {
            end = end.max(part.end);
            num_parts += 1;
        }
        let (parts, others) = rest.split_at(num_parts);
        rest = others;
        Some(Session { parts, end })
    })
}

/// Rows are counted in 32 bits.
pub(super) fn to_u32(row: usize) -> Result<u32> {
    u32::try_from(row).map_err(|_| exec_datafusion_err!("too many sessions in one batch"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn touching_parts_of_a_key_are_one_session() {
        let part = |key, start, end, row| Part { key, start, row, end };
        let mut parts = [
            part(1, 40, 50, 0),
            part(0, 0, 10, 1),
            part(1, 0, 30, 2),
            part(0, 10, 12, 3),
            part(0, 13, 20, 4),
            part(1, 5, 7, 5),
            part(1, 20, 39, 6),
        ];
        let found = sessions(&mut parts).map(|session| {
            let rows = session.parts.iter().map(|part| part.row);
            (rows.collect::<Vec<_>>(), session.end)
        });
        let expected = [
            (vec![1, 3], 12),
            (vec![4], 20),
            (vec![2, 5, 6], 39),
            (vec![0], 50),
        ];
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }
}
