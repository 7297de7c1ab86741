//! A result table in another order, and only those of its rows that match.
//!
//! This needs all rows at once, so it has a bound: beyond it the first rows are taken, and the grid says so. A row
//! that has not changed since it was looked at last is not looked at again.

use arrow::array::UInt32Array;
use arrow::compute::{SortOptions, take_record_batch};
use arrow::row::{RowConverter, SortField};

use super::cells;
use super::rows::Rows;
use crate::engine::snapshot::ResultPage;
use crate::error::{Error, Result};
use crate::sink::OutputMode;

/// So many rows are put in order or searched at most.
pub(crate) const MAX_ROWS: usize = 100_000;

/// The column that rows are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SortBy {
    pub(crate) column: usize,
    pub(crate) descending: bool,
}

/// The rows that match, in order.
#[derive(Debug)]
pub(crate) struct Ordered {
    sort: Option<SortBy>,
    filter: String,
    /// The table's row that `all` begins with.
    first: usize,
    all: ResultPage,
    /// Rows of `all`.
    indices: Vec<u32>,
    /// For each row of `all`: the batch that it was of when it was looked at, and whether it matched.
    checked: Vec<(u64, bool)>,
}

impl Ordered {
    /// Orders and filters what there is now. `before` is what was there last.
    pub(crate) fn of(before: Option<Self>, rows: &Rows, sort: Option<SortBy>, filter: &str) -> Result<Self> {
        let (first, end) = rows.reach();
        let all = rows.page(first, (end - first).min(MAX_ROWS))?;
        let mut known = match before {
            // Rows of a complete table move: their places tell nothing.
            Some(before)
                if before.filter == filter
                    && before.first == first
                    && rows.mode() != OutputMode::Complete =>
            {
                before.checked
            }
            _ => Vec::new(),
        };
        if !filter.is_empty() {
            check(&all, filter, &mut known)?;
        }
        let count = u32::try_from(all.rows.num_rows()).unwrap_or(u32::MAX);
        let mut indices: Vec<u32> = (0..count)
            .filter(|row| filter.is_empty() || known[*row as usize].1)
            .collect();
        if let Some(sort) = sort {
            order(&all, sort, &mut indices)?;
        }
        Ok(Self {
            sort,
            filter: filter.to_string(),
            first,
            all,
            indices,
            checked: known,
        })
    }

    /// Whether it is still right.
    pub(crate) fn is_of(&self, version: u64, sort: Option<SortBy>, filter: &str) -> bool {
        self.all.version == version && self.has(sort, filter)
    }

    /// Whether it was made for these wishes.
    pub(crate) fn has(&self, sort: Option<SortBy>, filter: &str) -> bool {
        self.sort == sort && self.filter == filter
    }

    /// How many rows match.
    pub(crate) fn num_rows(&self) -> usize {
        self.indices.len()
    }

    /// Up to `limit` of them from `offset` on, with their places in the table. `num_rows` of the page counts all rows
    /// of the table.
    pub(crate) fn page(&self, offset: usize, limit: usize) -> Result<(ResultPage, Vec<usize>)> {
        let from = offset.min(self.indices.len());
        let indices = &self.indices[from..self.indices.len().min(from.saturating_add(limit))];
        let rows = take_record_batch(&self.all.rows, &UInt32Array::from(indices.to_vec()))?;
        let changed_in = indices
            .iter()
            .map(|row| self.all.changed_in[*row as usize])
            .collect();
        let page = ResultPage {
            version: self.all.version,
            num_rows: self.all.num_rows,
            rows,
            changed_in,
        };
        let places = indices.iter().map(|row| self.first + *row as usize).collect();
        Ok((page, places))
    }
}

/// Looks at the rows that are new or have changed: every word of the filter must be somewhere in the row.
fn check(all: &ResultPage, filter: &str, checked: &mut Vec<(u64, bool)>) -> Result<()> {
    let is_known = |(row, batch): (usize, &u64)| checked.get(row).is_some_and(|(known, _)| known == batch);
    let open: Vec<u32> = all
        .changed_in
        .iter()
        .enumerate()
        .filter(|(row, batch)| !is_known((*row, *batch)))
        .filter_map(|(row, _)| u32::try_from(row).ok())
        .collect();
    let rows = take_record_batch(&all.rows, &UInt32Array::from(open.clone()))?;
    let words: Vec<String> = filter
        .to_lowercase()
        .split_whitespace()
        .map(str::to_string)
        .collect();
    checked.resize(all.rows.num_rows(), (u64::MAX, false));
    for (row, line) in open.into_iter().zip(cells::lines(&rows)?) {
        let line = line.to_lowercase();
        let matches = words.iter().all(|word| line.contains(word));
        checked[row as usize] = (all.changed_in[row as usize], matches);
    }
    Ok(())
}

/// Puts rows in the order of a column, nulls last; equal ones stay as they are.
fn order(all: &ResultPage, sort: SortBy, indices: &mut [u32]) -> Result<()> {
    let Some(column) = all.rows.columns().get(sort.column) else {
        return Ok(());
    };
    let options = SortOptions {
        descending: sort.descending,
        nulls_first: false,
    };
    let field = SortField::new_with_options(column.data_type().clone(), options);
    let wrong = |error: arrow::error::ArrowError| {
        Error::statement(format!(
            "rows cannot be put in the order of column {:?}",
            all.rows.schema().field(sort.column).name()
        ))
        .caused_by(error)
        .hint("Sort by another column.")
    };
    let converter = RowConverter::new(vec![field]).map_err(wrong)?;
    let keys = converter
        .convert_columns(&[std::sync::Arc::clone(column)])
        .map_err(wrong)?;
    indices.sort_by(|one, other| keys.row(*one as usize).cmp(&keys.row(*other as usize)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;

    use super::*;
    use crate::engine::snapshot::ResultTable;
    use crate::tui::fake::{FakeTable, window_rows};

    fn orders(ordered: &Ordered) -> Vec<i64> {
        let (page, places) = ordered.page(0, 100).expect("rows");
        let orders: Vec<i64> = page.rows.column(2).as_primitive::<Int64Type>().values().to_vec();
        let by_place: Vec<i64> = places
            .iter()
            .map(|place| i64::try_from(*place).expect("small") * 7 + 24)
            .collect();
        assert_eq!(orders, by_place, "places are those of the table");
        orders
    }

    #[test]
    fn rows_are_ordered_by_any_column_and_filtered_by_words() {
        let table = Arc::new(FakeTable::windows(10));
        let rows = Rows::Live(Arc::clone(&table) as Arc<dyn ResultTable>);
        let by = |column, descending| Some(SortBy { column, descending });
        let all = Ordered::of(None, &rows, by(2, true), "").expect("rows");
        assert_eq!(orders(&all), [87, 80, 73, 66, 59, 52, 45, 38, 31, 24]);
        let windows = Ordered::of(Some(all), &rows, by(0, true), "VIEW note").expect("rows");
        assert_eq!(orders(&windows), [87, 73, 59, 45, 31]);
        let nulls_last = Ordered::of(Some(windows), &rows, by(3, true), "").expect("rows");
        assert_eq!(orders(&nulls_last)[..6], [80, 66, 52, 38, 24, 31]);
    }

    #[test]
    fn only_changed_rows_are_looked_at_again() {
        let table = Arc::new(FakeTable::windows(4));
        let rows = Rows::Live(Arc::clone(&table) as Arc<dyn ResultTable>);
        let before = Ordered::of(None, &rows, None, "buy").expect("rows");
        assert_eq!(before.num_rows(), 2);
        // The second row is another one and says so; so is the first, which does not.
        table.set(window_rows(5), vec![142, 143, 142, 142, 143]);
        let mut lying = before;
        lying.checked[0].1 = false;
        let after = Ordered::of(Some(lying), &rows, None, "buy").expect("rows");
        assert_eq!(after.indices, [2, 4]);
    }
}
