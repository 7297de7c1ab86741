//! A result table on the screen: which part of it is shown, what its cells say, and which of them have just changed.
//!
//! Only the visible rows are asked for and only the visible columns are formatted, so ten rows and ten million cost
//! the same. What was shown before is remembered row by row; a cell that says something else than last time is
//! marked and fades.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use super::cells::{self, ColumnText};
use crate::engine::snapshot::{ResultPage, ResultTable};
use crate::error::Result;
use crate::sink::OutputMode;
use crate::tui::symbols::Symbols;
use crate::tui::text;

/// A change is bright for this long ...
const FRESH_MS: i64 = 900;
/// ... and has faded after this long.
const FADED_MS: i64 = 2_200;
/// No column is wider, whatever it holds.
const WIDEST: usize = 48;

/// Where rows come from: the running table, or what was kept of it when the picture was frozen.
#[derive(Debug, Clone)]
pub(crate) enum Rows {
    /// The table itself.
    Live(Arc<dyn ResultTable>),
    /// Some of its rows at one moment.
    Kept(Arc<KeptRows>),
}

/// Rows of a frozen picture.
#[derive(Debug)]
pub(crate) struct KeptRows {
    schema: SchemaRef,
    mode: OutputMode,
    /// The table's row that `page` begins with.
    first: usize,
    page: ResultPage,
}

impl KeptRows {
    /// Keeps up to `limit` rows around `offset`.
    pub(crate) fn keep(table: &dyn ResultTable, offset: usize, limit: usize) -> Result<Self> {
        let first = offset
            .saturating_sub(limit / 2)
            .min(table.num_rows().saturating_sub(limit));
        Ok(Self {
            schema: table.schema(),
            mode: table.mode(),
            first,
            page: table.page(first, limit)?,
        })
    }
}

impl Rows {
    /// What the rows mean.
    pub(crate) fn mode(&self) -> OutputMode {
        match self {
            Self::Live(table) => table.mode(),
            Self::Kept(kept) => kept.mode,
        }
    }

    /// The columns.
    pub(crate) fn schema(&self) -> SchemaRef {
        match self {
            Self::Live(table) => table.schema(),
            Self::Kept(kept) => SchemaRef::clone(&kept.schema),
        }
    }

    fn version(&self) -> u64 {
        match self {
            Self::Live(table) => table.version(),
            Self::Kept(kept) => kept.page.version,
        }
    }

    /// The rows that can be shown: first and one after the last.
    fn reach(&self) -> (usize, usize) {
        match self {
            Self::Live(table) => (0, table.num_rows()),
            Self::Kept(kept) => (kept.first, kept.first + kept.page.rows.num_rows()),
        }
    }

    fn page(&self, offset: usize, limit: usize) -> Result<ResultPage> {
        match self {
            Self::Live(table) => table.page(offset, limit),
            Self::Kept(kept) => {
                let held = kept.page.rows.num_rows();
                let from = offset.saturating_sub(kept.first).min(held);
                let count = limit.min(held - from);
                Ok(ResultPage {
                    version: kept.page.version,
                    num_rows: kept.page.num_rows,
                    rows: kept.page.rows.slice(from, count),
                    changed_in: kept.page.changed_in[from..from + count].to_vec(),
                })
            }
        }
    }
}

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
    /// Rows in all.
    pub(crate) num_rows: usize,
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
        let (first, end) = rows.reach();
        let last_offset = end.saturating_sub(viewport.rows).max(first);
        if self.follows(rows.mode()) {
            self.offset = last_offset;
        }
        self.offset = self.offset.clamp(first, last_offset);
        let schema = rows.schema();
        self.column = self.column.min(schema.fields().len().saturating_sub(1));
        let wanted = (rows.version(), self.offset, self.column, viewport);
        if self.loaded == Some(wanted) && self.error.is_none() {
            return;
        }
        if self.loaded.is_some_and(|(.., before)| before != viewport) {
            self.widths.clear();
        }
        match self.show(rows, &schema, viewport, now_ms, symbols) {
            Ok(()) => {
                self.error = None;
                self.loaded = Some(wanted);
            }
            Err(error) => self.error = Some(error.report()),
        }
    }

    fn show(
        &mut self,
        rows: &Rows,
        schema: &SchemaRef,
        viewport: Viewport,
        now_ms: i64,
        symbols: &Symbols,
    ) -> Result<()> {
        let page = rows.page(self.offset, viewport.rows)?;
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
            let name = text::cut(schema.field(index).name(), WIDEST, symbols.ellipsis);
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
        let keys = row_keys(rows.mode(), self.offset, count, &page)?;
        let first_look = self.loaded.is_none();
        let mut seen_now = HashMap::with_capacity(count);
        let mut shown = Vec::with_capacity(count);
        for (at, key) in keys.into_iter().enumerate() {
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
        self.seen = seen_now;
        self.newest_batch = self.newest_batch.max(page.changed_in.iter().copied().max());
        self.shown = Shown {
            columns,
            rows: shown,
            num_rows: page.num_rows,
            num_columns: schema.fields().len(),
        };
        Ok(())
    }

    /// Whether the last row stays in sight: at first where rows only come at the end.
    pub(crate) fn follows(&self, mode: OutputMode) -> bool {
        self.follow.unwrap_or(mode != OutputMode::Complete)
    }

    /// Moves by rows; at the last one it follows what arrives.
    pub(crate) fn scroll(&mut self, rows: isize, height: usize) {
        self.offset = self.offset.saturating_add_signed(rows);
        self.follow = Some(rows > 0 && self.offset + height >= self.shown.num_rows);
    }

    /// Moves by columns.
    pub(crate) fn scroll_columns(&mut self, columns: isize) {
        let all_in_sight = self.column + self.shown.columns.len() >= self.shown.num_columns;
        if columns < 0 || !all_in_sight || self.last_is_cut() {
            self.column = self
                .column
                .saturating_add_signed(columns)
                .min(self.shown.num_columns.saturating_sub(1));
        }
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

    /// To the first row.
    pub(crate) fn top(&mut self) {
        self.offset = 0;
        self.follow = Some(false);
    }

    /// To the last row, and follow.
    pub(crate) fn bottom(&mut self) {
        self.follow = Some(true);
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

fn row_keys(mode: OutputMode, offset: usize, count: usize, page: &ResultPage) -> Result<Vec<RowKey>> {
    if mode != OutputMode::Complete {
        return Ok((offset..offset + count).map(RowKey::At).collect());
    }
    let words = cells::words(&page.rows)?;
    let mut taken: HashMap<&str, usize> = HashMap::new();
    let mut keys = Vec::with_capacity(count);
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
