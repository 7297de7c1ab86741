//! A result table on the screen: which part of it is shown, what its cells say, and which of them have just changed.
//!
//! A cursor stands on one cell, and the part that is shown follows it. Rows can be put in the order of a column and
//! filtered, which is `order`'s work.
//!
//! Only the visible rows are asked for and only the visible columns are formatted, so ten rows and ten million cost
//! the same. What was shown before is remembered row by row; a cell that says something else than last time is
//! marked and fades.

use arrow::datatypes::SchemaRef;
use std::collections::HashMap;

use super::cells::{self, ColumnText};
use super::order::{Ordered, SortBy};
use super::rows::Rows;
use crate::engine::snapshot::ResultPage;
use crate::error::Result;
use crate::sink::OutputMode;
use crate::sink::result::{MarkedPage, RowChange};
use crate::tui::symbols::Symbols;
use crate::tui::text;

/// A change is bright for this long ...
const FRESH_MS: i64 = 900;
/// ... and has faded after this long.
const FADED_MS: i64 = 2_200;
/// No column is wider, whatever it holds.
const WIDEST: usize = 48;

/// The part of the screen that a grid has for its rows: cells across and rows down, heads not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Viewport {
    pub(crate) width: usize,
    pub(crate) rows: usize,
}

/// How recent a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Age {
    Fresh,
    Fading,
    Old,
}

/// One query's result on the screen.
#[derive(Debug, Default)]
pub(crate) struct Grid {
    /// The first row shown.
    pub(crate) offset: usize,
    /// The first column shown.
    pub(crate) column: usize,
    /// The row and the column of the cursor.
    pub(crate) cursor: (usize, usize),
    /// By which column rows are ordered, if not as the table has them.
    pub(crate) sort: Option<SortBy>,
    /// Only rows with all of these words are shown.
    pub(crate) filter: String,
    ordered: Option<Ordered>,
    /// Whether the last row stays in sight as rows arrive; `None` until the mode decides.
    follow: Option<bool>,
    /// What is shown.
    pub(crate) shown: Shown,
    seen: HashMap<RowKey, Seen>,
    /// The newest batch whose changes have been shown.
    newest_batch: Option<u64>,
    widths: Vec<usize>,
    loaded: Option<(u64, usize, usize, Viewport)>,
    /// Why the rows could not be read.
    pub(crate) error: Option<String>,
}

/// What a grid shows, ready to draw.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// The visible columns.
    pub(crate) columns: Vec<Column>,
    /// The visible rows.
    pub(crate) rows: Vec<Row>,
    /// Rows that can be scrolled to: all, or those that match.
    pub(crate) num_rows: usize,
    /// Rows in all.
    pub(crate) num_all: usize,
    /// Columns in all.
    pub(crate) num_columns: usize,
}

/// A visible column.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) width: usize,
    pub(crate) right: bool,
}

/// A visible row.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) cells: Vec<Cell>,
    /// When it arrived, if that was seen.
    pub(crate) new_at: Option<i64>,
}

/// A visible cell.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) null: bool,
    pub(crate) changed_at: Option<i64>,
}

/// What makes two rows on successive pictures the same row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum RowKey {
    /// Its place: append and update tables never move a row.
    At(usize),
    /// Its words, in a complete table, whose rows move: all that is no number.
    Words(String),
}

#[derive(Debug, Clone, Default)]
struct Seen {
    /// By column.
    cells: HashMap<usize, (String, Option<i64>)>,
    new_at: Option<i64>,
}

impl Grid {
    /// Brings `shown` up to date for a part of the screen. Costs nothing if nothing changed.
    pub(crate) fn load(&mut self, rows: &Rows, viewport: Viewport, now_ms: i64, symbols: &Symbols) {
        if let Err(error) = self.order(rows) {
            self.error = Some(error.report());
            return;
        }
        let (first, end) = match &self.ordered {
            Some(ordered) => (0, ordered.num_rows()),
            None => rows.reach(),
        };
        let last_offset = end.saturating_sub(viewport.rows).max(first);
        if self.follows(rows.mode()) {
            self.offset = last_offset;
            self.cursor.0 = end.saturating_sub(1);
        }
        let schema = rows.schema();
        let last_column = schema.fields().len().saturating_sub(1);
        self.cursor.0 = self.cursor.0.clamp(first, end.saturating_sub(1).max(first));
        self.cursor.1 = self.cursor.1.min(last_column);
        self.column = self.column.min(self.cursor.1);
        let lowest = (self.cursor.0 + 1).saturating_sub(viewport.rows.max(1));
        self.offset = self.offset.clamp(lowest, self.cursor.0).clamp(first, last_offset);
        loop {
            let wanted = (rows.version(), self.offset, self.column, viewport);
            if self.loaded != Some(wanted) || self.error.is_some() {
                if self.loaded.is_some_and(|(.., before)| before != viewport) {
                    self.widths.clear();
                }
                if let Err(error) = self.show(rows, &schema, viewport, now_ms, symbols) {
                    self.error = Some(error.report());
                    return;
                }
                self.error = None;
                self.loaded = Some(wanted);
            }
            // How many columns fit is known only now: the cursor's must be one of them.
            let shown = self.column + self.shown.columns.len();
            let is_cut = self.cursor.1 + 1 == shown && self.last_is_cut();
            if self.cursor.1 < shown && !is_cut || self.column >= self.cursor.1 {
                return;
            }
            self.column += 1;
        }
    }

    /// Orders and filters the rows anew if they or the wishes have changed.
    fn order(&mut self, rows: &Rows) -> Result<()> {
        if self.sort.is_none() && self.filter.is_empty() {
            if self.ordered.take().is_some() {
                self.loaded = None;
            }
            return Ok(());
        }
        let version = rows.version();
        if let Some(ordered) = &self.ordered
            && ordered.is_of(version, self.sort, &self.filter)
        {
            return Ok(());
        }
        let before = self.ordered.take();
        // Other wishes show other rows: none of them is new for that.
        let same_wishes = before
            .as_ref()
            .is_some_and(|before| before.has(self.sort, &self.filter));
        if !same_wishes {
            self.loaded = None;
        }
        self.ordered = Some(Ordered::of(before, rows, self.sort, &self.filter)?);
        Ok(())
    }

    fn show(
        &mut self,
        rows: &Rows,
        schema: &SchemaRef,
        viewport: Viewport,
        now_ms: i64,
        symbols: &Symbols,
    ) -> Result<()> {
        let (page, places) = if let Some(ordered) = &self.ordered {
            ordered.page(self.offset, viewport.rows)?
        } else {
            let page = rows.page(self.offset, viewport.rows)?;
            let places = (self.offset..self.offset + page.rows.num_rows()).collect();
            (page, places)
        };
        let count = page.rows.num_rows();
        self.widths.resize(schema.fields().len(), 0);
        let mut columns = Vec::new();
        let mut texts: Vec<(usize, ColumnText)> = Vec::new();
        let mut room = viewport.width;
        for index in self.column..schema.fields().len() {
            if room == 0 {
                break;
            }
            let content = cells::column(page.rows.column(index), WIDEST, now_ms, symbols)?;
            let mut name = text::cut(schema.field(index).name(), WIDEST, symbols.ellipsis);
            if let Some(sort) = self.sort.filter(|sort| sort.column == index) {
                name = format!("{name} {}", symbols.sort[usize::from(sort.descending)]);
            }
            let width = content.width().max(text::width(&name)).max(self.widths[index]);
            self.widths[index] = width;
            // The last column may be cut, but never to less than says something.
            let width = width.min(room);
            if !columns.is_empty() && width < self.widths[index].min(6) {
                break;
            }
            columns.push(Column {
                name,
                width,
                right: content.right,
            });
            room = room.saturating_sub(width + 2);
            texts.push((index, content));
        }
        let marked = marks(rows, &places)?;
        let keys = row_keys(rows.mode(), places, &page)?;
        let first_look = self.loaded.is_none();
        let mut seen_now = HashMap::with_capacity(count);
        let mut shown = Vec::with_capacity(count);
        for (at, key) in keys.into_iter().enumerate() {
            if let Some(marked) = &marked {
                shown.push(marked_row(&texts, at, marked.get(at), now_ms));
                continue;
            }
            let before = self.seen.remove(&key);
            let is_new = before.is_none()
                && !first_look
                && self
                    .newest_batch
                    .is_none_or(|newest| page.changed_in.get(at).is_some_and(|batch| *batch > newest));
            let mut seen = before.unwrap_or_else(|| Seen {
                new_at: is_new.then_some(now_ms),
                ..Seen::default()
            });
            let mut cells = Vec::with_capacity(texts.len());
            for (index, content) in &texts {
                let plain = &content.plain[at];
                let entry = seen.cells.entry(*index).or_insert_with(|| (plain.clone(), None));
                if entry.0 != *plain {
                    *entry = (plain.clone(), Some(now_ms));
                }
                cells.push(Cell {
                    text: content.shown[at].clone(),
                    null: content.null[at],
                    changed_at: entry.1,
                });
            }
            shown.push(Row {
                cells,
                new_at: seen.new_at,
            });
            seen_now.insert(key, seen);
        }
        if marked.is_none() {
            self.seen = seen_now;
        }
        self.newest_batch = self.newest_batch.max(page.changed_in.iter().copied().max());
        self.shown = Shown {
            columns,
            rows: shown,
            num_rows: self.ordered.as_ref().map_or(page.num_rows, Ordered::num_rows),
            num_all: page.num_rows,
            num_columns: schema.fields().len(),
        };
        Ok(())
    }

    /// Whether the last row stays in sight: at first where rows only come at the end.
    pub(crate) fn follows(&self, mode: OutputMode) -> bool {
        let wanted = self.follow.unwrap_or(mode != OutputMode::Complete);
        wanted && self.sort.is_none()
    }

    /// Moves the cursor by rows; at the last one it follows what arrives.
    pub(crate) fn move_rows(&mut self, rows: isize) {
        self.cursor.0 = self.cursor.0.saturating_add_signed(rows);
        self.follow = Some(rows > 0 && self.cursor.0 + 1 >= self.shown.num_rows);
    }

    /// Moves what is shown by rows, and the cursor only as far as it must to stay in sight.
    pub(crate) fn scroll(&mut self, rows: isize, height: usize) {
        let last = self.shown.num_rows.saturating_sub(height);
        self.offset = self.offset.saturating_add_signed(rows).min(last);
        let bottom = (self.offset + height).saturating_sub(1);
        self.cursor.0 = self.cursor.0.clamp(self.offset, bottom.max(self.offset));
        self.follow = Some(rows > 0 && self.offset >= last);
    }

    /// Moves the cursor by columns.
    pub(crate) fn move_columns(&mut self, columns: isize) {
        let last = self.shown.num_columns.saturating_sub(1);
        self.cursor.1 = self.cursor.1.saturating_add_signed(columns).min(last);
    }

    /// Puts the cursor on a visible cell: a row from the first one shown on, a cell from the left edge on. Whether
    /// there is one.
    pub(crate) fn point(&mut self, row: usize, cell: usize) -> bool {
        let Some(column) = self.column_at(cell) else {
            return false;
        };
        if row >= self.shown.rows.len() {
            return false;
        }
        self.cursor = (self.offset + row, column);
        self.follow = Some(false);
        true
    }

    /// The column at a cell from the left edge on.
    pub(crate) fn column_at(&self, cell: usize) -> Option<usize> {
        let mut end = 0;
        for (at, column) in self.shown.columns.iter().enumerate() {
            end += column.width + 2;
            if cell < end {
                return Some(self.column + at);
            }
        }
        None
    }

    /// Orders by a column; a second time the other way round, a third time not any more. Numbers begin with the largest.
    pub(crate) fn sort_by(&mut self, column: usize, largest_first: bool) {
        self.sort = match self.sort {
            Some(sort) if sort.column == column && sort.descending != largest_first => None,
            Some(sort) if sort.column == column => Some(SortBy {
                column,
                descending: !sort.descending,
            }),
            _ => Some(SortBy {
                column,
                descending: largest_first,
            }),
        };
        self.top();
    }

    /// The place in the table of the row that the cursor is on.
    pub(crate) fn place(&self) -> Result<Option<usize>> {
        match &self.ordered {
            Some(ordered) => Ok(ordered.page(self.cursor.0, 1)?.1.first().copied()),
            None => Ok(Some(self.cursor.0)),
        }
    }

    /// To the first row.
    pub(crate) fn top(&mut self) {
        self.cursor.0 = 0;
        self.offset = 0;
        self.follow = Some(false);
    }

    /// To the last row, and follow.
    pub(crate) fn bottom(&mut self) {
        self.cursor.0 = usize::MAX;
        self.follow = Some(true);
    }

    fn last_is_cut(&self) -> bool {
        let last = self.column + self.shown.columns.len();
        self.shown.columns.len() > 1
            && self
                .shown
                .columns
                .last()
                .is_some_and(|column| column.width < self.widths[last - 1])
    }

    /// When the marks of changes look different next, if some do.
    pub(crate) fn next_change_ms(&self, now_ms: i64) -> Option<i64> {
        let rows = &self.shown.rows;
        let marks = rows.iter().flat_map(|row| {
            row.cells
                .iter()
                .filter_map(|cell| cell.changed_at)
                .chain(row.new_at)
        });
        marks
            .flat_map(|at| [at + FRESH_MS, at + FADED_MS])
            .filter(|at| *at > now_ms)
            .min()
    }
}

/// How recent a change looks at a moment.
pub(crate) fn age(changed_at: Option<i64>, now_ms: i64) -> Age {
    match changed_at.map(|at| now_ms - at) {
        Some(..FRESH_MS) => Age::Fresh,
        Some(FRESH_MS..FADED_MS) => Age::Fading,
        _ => Age::Old,
    }
}

/// For a table as it was, what its last batch did to each row: a page of that row alone.
fn marks(rows: &Rows, places: &[usize]) -> Result<Option<Vec<MarkedPage>>> {
    if !matches!(rows, Rows::AsOf(..)) {
        return Ok(None);
    }
    let pages = places.iter().map(|place| rows.marked(*place, 1));
    pages.collect::<Result<Option<Vec<_>>>>()
}

/// A row of a table as it was. Its marks do not fade: the picture is of the moment after its last batch.
fn marked_row(texts: &[(usize, ColumnText)], at: usize, marked: Option<&MarkedPage>, now_ms: i64) -> Row {
    let change = marked.and_then(|page| page.changes.first().copied());
    let cells = texts.iter().map(|(index, content)| Cell {
        text: content.shown[at].clone(),
        null: content.null[at],
        changed_at: marked
            .is_some_and(|page| page.is_cell_changed(0, *index))
            .then_some(now_ms),
    });
    Row {
        cells: cells.collect(),
        new_at: (change == Some(RowChange::New)).then_some(now_ms),
    }
}

fn row_keys(mode: OutputMode, places: Vec<usize>, page: &ResultPage) -> Result<Vec<RowKey>> {
    if mode != OutputMode::Complete {
        return Ok(places.into_iter().map(RowKey::At).collect());
    }
    let words = cells::words(&page.rows)?;
    let mut taken: HashMap<&str, usize> = HashMap::new();
    let mut keys = Vec::with_capacity(words.len());
    for word in &words {
        // Rows that say the same are told apart by their order.
        let nth = taken.entry(word).or_default();
        keys.push(RowKey::Words(format!("{word}\u{0}{nth}")));
        *nth += 1;
    }
    Ok(keys)
}

#[cfg(test)]
mod tests;
