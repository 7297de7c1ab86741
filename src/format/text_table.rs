//! Tables as Spark's `show()` prints them, and the text of single cells.
//!
//! ```text
//! +---+-----+
//! |  k|    n|
//! +---+-----+
//! |  a|24.50|
//! |  b| NULL|
//! +---+-----+
//! ```
//!
//! Values read as in Spark: `2026-01-01 09:00:00`, `{a, b}` for structs, `[a, b]` for arrays, `{k -> v}` for
//! maps, doubles as Java writes them. All text is made harmless ([`safe_text`]) and columns are aligned by what
//! the screen shows, not by characters.

use std::fmt::Write as _;

use arrow::array::Array;
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;

use super::encoder::{Column, Dialect, column};
use super::safe_text::{self, Fitted};
use crate::error::Result;

/// How much of a result `show` prints: Spark's options of the console sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShowOptions {
    /// The rows shown, `numRows`; what is left out is said below the table.
    pub num_rows: usize,
    /// The columns of the screen that a value may take, `truncate`; `None` shows it whole and aligned left.
    pub truncate: Option<usize>,
}

impl Default for ShowOptions {
    fn default() -> Self {
        Self {
            num_rows: 20,
            truncate: Some(20),
        }
    }
}

impl ShowOptions {
    /// Everything, whole.
    pub const ALL: Self = Self {
        num_rows: usize::MAX,
        truncate: None,
    };
}

/// The table of a result's first rows, as text that ends in a line break.
///
/// # Errors
///
/// `Internal` for a type that no query of ours can produce.
pub fn show(schema: &Schema, batches: &[RecordBatch], options: ShowOptions) -> Result<String> {
    let mut columns: Vec<ShownColumn> = schema
        .fields()
        .iter()
        .map(|field| ShownColumn::new(field.name()))
        .collect();
    let mut num_shown = 0;
    for batch in batches {
        let rows = batch.num_rows().min(options.num_rows - num_shown);
        for (shown, values) in columns.iter_mut().zip(batch.columns()) {
            let text = CellText::try_new(values.as_ref(), options.truncate.unwrap_or(usize::MAX))?;
            shown.take(&text, rows, options);
        }
        num_shown += rows;
    }
    let num_rows: usize = batches.iter().map(RecordBatch::num_rows).sum();

    let mut out = String::new();
    push_rule(&mut out, &columns);
    push_line(&mut out, &columns, options, |column| {
        (&column.name, column.name_width)
    });
    push_rule(&mut out, &columns);
    for row in 0..num_shown {
        push_line(&mut out, &columns, options, |column| {
            let (text, width) = &column.cells[row];
            (text, *width)
        });
    }
    push_rule(&mut out, &columns);
    if num_rows > num_shown {
        let rows = if num_shown == 1 { "row" } else { "rows" };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "only showing top {num_shown} {rows}");
    }
    Ok(out)
}

/// The cells of one column as text of at most so many columns of the screen. The cost of a cell is bounded by
/// what is shown of it.
pub struct CellText<'a> {
    column: Column<'a>,
    columns: usize,
}

impl<'a> CellText<'a> {
    /// The cells of `array`, each in at most `columns` columns of the screen.
    ///
    /// # Errors
    ///
    /// `Internal` for a type that no query of ours can produce.
    pub fn try_new(array: &'a dyn Array, columns: usize) -> Result<Self> {
        // One byte more than is looked at, so that what is cut here counts as cut there.
        let max_bytes = safe_text::window_bytes(columns).saturating_add(1);
        Ok(Self {
            column: column(array, Dialect::Text { max_bytes })?,
            columns,
        })
    }

    /// The cell of a row: `buffer` is what it is written into, and is cleared first.
    pub fn cell<'b>(&self, row: usize, ellipsis: &str, buffer: &'b mut String) -> Fitted<'b> {
        buffer.clear();
        self.column.push(row, buffer);
        safe_text::fit(buffer, self.columns, ellipsis)
    }

    /// Whether the cell of a row is null, which its text alone does not tell.
    pub fn is_null(&self, row: usize) -> bool {
        self.column.is_null(row)
    }
}

impl std::fmt::Debug for CellText<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CellText")
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

struct ShownColumn {
    name: String,
    name_width: usize,
    cells: Vec<(String, usize)>,
    width: usize,
}

impl ShownColumn {
    fn new(name: &str) -> Self {
        let name = safe_text::clean(name).into_owned();
        let name_width = safe_text::width(&name);
        Self {
            name,
            name_width,
            cells: Vec::new(),
            width: name_width.max(3),
        }
    }

    fn take(&mut self, text: &CellText<'_>, rows: usize, options: ShowOptions) {
        let ellipsis = if options.truncate.is_some_and(|columns| columns < 4) {
            ""
        } else {
            "..."
        };
        let mut buffer = String::new();
        for row in 0..rows {
            let fitted = text.cell(row, ellipsis, &mut buffer);
            self.width = self.width.max(fitted.width);
            self.cells.push((fitted.text.into_owned(), fitted.width));
        }
    }
}

fn push_rule(out: &mut String, columns: &[ShownColumn]) {
    out.push('+');
    for column in columns {
        out.extend(std::iter::repeat_n('-', column.width));
        out.push('+');
    }
    if columns.is_empty() {
        out.push('+');
    }
    out.push('\n');
}

fn push_line<'c>(
    out: &mut String,
    columns: &'c [ShownColumn],
    options: ShowOptions,
    cell: impl Fn(&'c ShownColumn) -> (&'c String, usize),
) {
    out.push('|');
    for column in columns {
        let (text, width) = cell(column);
        let padding = std::iter::repeat_n(' ', column.width - width);
        if options.truncate.is_some() {
            out.extend(padding);
            out.push_str(text);
        } else {
            out.push_str(text);
            out.extend(padding);
        }
        out.push('|');
    }
    if columns.is_empty() {
        out.push('|');
    }
    out.push('\n');
}

#[cfg(test)]
#[path = "text_table_tests.rs"]
mod tests;
