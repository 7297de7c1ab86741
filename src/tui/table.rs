//! Which columns of the queries table a width has room for, and how wide each is.

use std::sync::Arc;

use super::app::queries::Column;
use super::text;
use crate::engine::snapshot::QuerySnapshot;

/// Cells between two columns.
const GAP: usize = 2;
/// Cells before the first column, for the signs of the selected row and of marked ones.
pub(crate) const MARK: usize = 3;
const NAME: std::ops::RangeInclusive<usize> = 12..=32;

/// The columns that fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fitted {
    /// Each with its first cell and its width, left to right.
    pub(crate) columns: Vec<(Column, usize, usize)>,
    /// How many did not fit.
    pub(crate) hidden: usize,
}

impl Fitted {
    /// The column at a cell.
    pub(crate) fn at(&self, cell: u16) -> Option<Column> {
        let cell = usize::from(cell);
        // The gap before a column belongs to it: heads stand on the right over numbers.
        self.columns
            .iter()
            .find(|(_, start, width)| cell < start + width)
            .map(|(column, ..)| *column)
    }
}

/// Columns in the order in which a narrow screen gives them up, last first.
const KEPT: [Column; 15] = [
    Column::Name,
    Column::State,
    Column::Rate,
    Column::Batch,
    Column::P99,
    Column::Rows,
    Column::Watermark,
    Column::Spark,
    Column::Mode,
    Column::Trend,
    Column::P50,
    Column::Bytes,
    Column::Processed,
    Column::Warnings,
    Column::Trigger,
];

/// The least width of each column.
fn width(column: Column, names: usize) -> usize {
    match column {
        Column::Name => names.clamp(*NAME.start(), *NAME.end()),
        Column::Rate | Column::Processed | Column::Rows | Column::P50 | Column::P99 | Column::Trend => 6,
        Column::Batch | Column::Bytes => 7,
        Column::Mode => 8,
        Column::Watermark => 10,
        Column::State | Column::Spark => 12,
        Column::Trigger | Column::Warnings => 16,
    }
}

/// Fits as many columns as `cells` have room for.
pub(crate) fn fit(cells: usize, rows: &[Arc<QuerySnapshot>]) -> Fitted {
    let longest = rows
        .iter()
        .map(|query| text::width(&query.name))
        .max()
        .unwrap_or(0);
    // On a narrow screen a long name must not push the numbers out.
    let names = longest.min((cells / 3).max(*NAME.start()));
    let mut left = cells.saturating_sub(MARK);
    let mut kept: Vec<(Column, usize)> = Vec::new();
    for column in KEPT {
        let wanted = width(column, names) + if kept.is_empty() { 0 } else { GAP };
        if wanted > left && !kept.is_empty() {
            break;
        }
        left = left.saturating_sub(wanted);
        kept.push((column, width(column, names)));
    }
    // What is over goes to what shows more with more room.
    for (column, most) in [
        (Column::Spark, 30),
        (Column::Warnings, 60),
        (Column::Trigger, 28),
        (Column::Trend, 12),
    ] {
        if let Some((_, width)) = kept.iter_mut().find(|(known, _)| *known == column) {
            let more = left.min(most - *width);
            *width += more;
            left -= more;
        }
    }
    let hidden = KEPT.len() - kept.len();
    kept.sort_by_key(|(column, _)| Column::ALL.iter().position(|known| known == column));
    let mut start = MARK;
    let columns = kept
        .into_iter()
        .map(|(column, width)| {
            let place = (column, start, width);
            start += width + GAP;
            place
        })
        .collect();
    Fitted { columns, hidden }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_table_has_all_columns_and_a_narrow_one_the_first() {
        let wide = fit(196, &[]);
        assert_eq!((wide.columns.len(), wide.hidden), (15, 0));
        let narrow = fit(56, &[]);
        let columns: Vec<Column> = narrow.columns.iter().map(|(column, ..)| *column).collect();
        assert_eq!(
            columns,
            [
                Column::Name,
                Column::State,
                Column::Batch,
                Column::Rate,
                Column::P99
            ]
        );
        assert_eq!(narrow.hidden, 10);
    }

    #[test]
    fn columns_do_not_overlap_and_stay_inside() {
        for cells in 16..220 {
            let fitted = fit(cells, &[]);
            let mut end = 0;
            for (_, start, width) in &fitted.columns {
                assert!(*start >= end, "{cells}");
                end = start + width;
            }
            assert!(end <= cells.max(MARK + 12), "{cells}: {end}");
        }
    }

    #[test]
    fn a_click_finds_its_column() {
        let fitted = fit(96, &[]);
        for (column, start, width) in &fitted.columns {
            let middle = u16::try_from(start + width / 2).expect("a cell");
            assert_eq!(fitted.at(middle), Some(*column));
        }
    }
}
