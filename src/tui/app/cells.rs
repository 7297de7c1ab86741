//! Values of a result as text for a grid: numbers under each other, windows and times short.

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use chrono::DateTime;

use crate::error::Result;
use crate::format::text_table::CellText;
use crate::tui::symbols::Symbols;
use crate::tui::text;

/// How much of a value counts when rows are told apart by their words.
const WORD_CELLS: usize = 64;
/// How much of a value is searched.
const SEARCHED_CELLS: usize = 1_024;
/// How much of a value is shown by itself, or copied.
const WHOLE_CELLS: usize = 65_536;

/// The texts of some cells of one column.
#[derive(Debug)]
pub(crate) struct ColumnText {
    /// What each cell says, for comparing.
    pub(crate) plain: Vec<String>,
    /// The same as shown: points under points, dates left out where all are of today.
    pub(crate) shown: Vec<String>,
    /// Which cells are null.
    pub(crate) null: Vec<bool>,
    /// Whether it stands on the right of its column.
    pub(crate) right: bool,
}

impl ColumnText {
    /// Cells that the widest text takes.
    pub(crate) fn width(&self) -> usize {
        self.shown
            .iter()
            .map(|shown| text::width(shown))
            .max()
            .unwrap_or(0)
    }
}

/// The texts of a column, each of at most `widest` cells.
pub(crate) fn column(array: &ArrayRef, widest: usize, now_ms: i64, symbols: &Symbols) -> Result<ColumnText> {
    let kind = array.data_type();
    let plain = match window(array) {
        Some(window) => window_texts(window, widest, symbols)?,
        None => texts(array, widest, symbols)?,
    };
    let null: Vec<bool> = (0..array.len()).map(|row| array.is_null(row)).collect();
    let mut shown = plain.clone();
    let has_dates = window(array).is_some() || matches!(kind, DataType::Timestamp(..));
    if has_dates {
        drop_today(&mut shown, &null, now_ms);
    }
    if kind.is_floating() {
        align_points(&mut shown, &null);
    }
    Ok(ColumnText {
        plain,
        shown,
        null,
        right: kind.is_numeric(),
    })
}

/// For each row of a page, all that is no number: what names it in a table whose rows move.
pub(crate) fn words(rows: &RecordBatch) -> Result<Vec<String>> {
    let mut words = vec![String::new(); rows.num_rows()];
    for array in rows
        .columns()
        .iter()
        .filter(|array| !array.data_type().is_numeric())
    {
        for (word, part) in words.iter_mut().zip(texts(array, WORD_CELLS, &Symbols::UNICODE)?) {
            word.push_str(&part);
            word.push('\u{1}');
        }
    }
    Ok(words)
}

/// For each row of a page, all that it says, for searching.
pub(crate) fn lines(rows: &RecordBatch) -> Result<Vec<String>> {
    let mut lines = vec![String::new(); rows.num_rows()];
    for array in rows.columns() {
        for (line, part) in lines
            .iter_mut()
            .zip(texts(array, SEARCHED_CELLS, &Symbols::UNICODE)?)
        {
            line.push_str(&part);
            line.push('\u{1}');
        }
    }
    Ok(lines)
}

/// The texts of a column, cut short.
pub(crate) fn short(array: &ArrayRef, widest: usize) -> Result<Vec<String>> {
    texts(array, widest, &Symbols::UNICODE)
}

/// Everything that one cell says, up to a size that a screen can do something with.
pub(crate) fn whole(array: &ArrayRef, row: usize) -> Result<String> {
    let one = array.slice(row, 1);
    let mut texts = match window(&one) {
        Some(window) => window_texts(window, WHOLE_CELLS, &Symbols::UNICODE)?,
        None => texts(&one, WHOLE_CELLS, &Symbols::UNICODE)?,
    };
    Ok(texts.pop().unwrap_or_default())
}

fn texts(array: &dyn Array, widest: usize, symbols: &Symbols) -> Result<Vec<String>> {
    let cells = CellText::try_new(array, widest)?;
    let mut buffer = String::new();
    Ok((0..array.len())
        .map(|row| {
            if cells.is_null(row) {
                return "null".to_string();
            }
            cells.cell(row, symbols.ellipsis, &mut buffer).text.into_owned()
        })
        .collect())
}

/// A time window, as `window()` makes it: a struct of the times `start` and `end`.
fn window(array: &ArrayRef) -> Option<&StructArray> {
    let DataType::Struct(fields) = array.data_type() else {
        return None;
    };
    let is_window = fields.len() == 2
        && fields.iter().zip(["start", "end"]).all(|(field, name)| {
            field.name() == name && matches!(field.data_type(), DataType::Timestamp(..))
        });
    is_window.then(|| array.as_struct())
}

/// `2026-01-01 09:00:00 – 10:00:00`: the second date only where it is another.
fn window_texts(window: &StructArray, widest: usize, symbols: &Symbols) -> Result<Vec<String>> {
    let starts = texts(window.column(0), widest, symbols)?;
    let ends = texts(window.column(1), widest, symbols)?;
    let both = starts.iter().zip(&ends).enumerate();
    Ok(both
        .map(|(row, (start, end))| {
            if window.is_null(row) {
                return "null".to_string();
            }
            let end = match (
                start.get(..11),
                end.strip_prefix(start.get(..11).unwrap_or("\u{0}")),
            ) {
                (Some(_), Some(time)) => time,
                _ => end,
            };
            format!("{start} {} {end}", symbols.dash)
        })
        .collect())
}

/// Leaves out the date where every one of them is today's.
fn drop_today(shown: &mut [String], null: &[bool], now_ms: i64) {
    let Some(now) = DateTime::from_timestamp_millis(now_ms) else {
        return;
    };
    let today = now.format("%Y-%m-%d ").to_string();
    if shown
        .iter()
        .zip(null)
        .all(|(shown, null)| *null || shown.starts_with(&today))
    {
        for (shown, _) in shown.iter_mut().zip(null).filter(|(_, null)| !**null) {
            shown.replace_range(..today.len(), "");
        }
    }
}

/// Fills numbers with blanks on the right until their points stand under each other.
fn align_points(shown: &mut [String], null: &[bool]) {
    let tail = |text: &str| text.len() - text.find('.').unwrap_or(text.len());
    let plain = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
    };
    let longest = shown
        .iter()
        .zip(null)
        .filter(|(_, null)| !**null)
        .map(|(text, _)| tail(text))
        .max()
        .unwrap_or(0);
    // Beyond that, blanks would push short numbers out of sight for the sake of one long one.
    if longest > 9 {
        return;
    }
    for (text, _) in shown
        .iter_mut()
        .zip(null)
        .filter(|(text, null)| !**null && plain(text))
    {
        let fill = longest - tail(text);
        text.extend(std::iter::repeat_n(' ', fill));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};
    use arrow::datatypes::{Field, TimeUnit};

    use super::*;
    use crate::tui::fake::BASE_MS;

    fn shown(array: &ArrayRef) -> Vec<String> {
        column(array, 48, BASE_MS, &Symbols::UNICODE)
            .expect("texts")
            .shown
    }

    #[test]
    fn points_stand_under_each_other() {
        let array = Float64Array::from(vec![Some(24.5), Some(1904.15), None, Some(0.0)]);
        assert_eq!(
            shown(&(Arc::new(array) as ArrayRef)),
            ["24.5 ", "1904.15", "null", "0.0 "]
        );
    }

    #[test]
    fn windows_are_short_and_todays_date_is_left_out() {
        let times = |from: i64| -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from(vec![
                from * 1000,
                (from + 10_000) * 1000,
            ]))
        };
        let field = |name: &str| {
            Arc::new(Field::new(
                name,
                DataType::Timestamp(TimeUnit::Microsecond, None),
                true,
            ))
        };
        let window = StructArray::from(vec![
            (field("start"), times(BASE_MS)),
            (field("end"), times(BASE_MS + 10_000)),
        ]);
        let array: ArrayRef = Arc::new(window);
        let cells = column(&array, 48, BASE_MS, &Symbols::UNICODE).expect("texts");
        assert_eq!(cells.shown[0], "14:02:30 – 14:02:40");
        assert_eq!(cells.plain[0], "2026-03-01 14:02:30 – 14:02:40");
        let tomorrow = column(&array, 48, BASE_MS + 86_400_000, &Symbols::ASCII).expect("texts");
        assert_eq!(tomorrow.shown[1], "2026-03-01 14:02:40 - 14:02:50");
    }

    #[test]
    fn hostile_and_huge_values_come_out_harmless_and_short() {
        let huge = "x".repeat(1 << 20);
        let array = StringArray::from(vec!["\u{1b}[2J\u{202e}ab", huge.as_str(), "日本"]);
        let shown = shown(&(Arc::new(array) as ArrayRef));
        assert!(
            shown.iter().all(|text| !text.contains(['\u{1b}', '\u{202e}'])),
            "{shown:?}"
        );
        assert_eq!(text::width(&shown[1]), 48);
        assert_eq!(text::width(&shown[2]), 4);
    }

    #[test]
    fn rows_are_named_by_what_is_no_number() {
        let rows = RecordBatch::try_from_iter([
            ("user", Arc::new(StringArray::from(vec!["u1", "u2"])) as ArrayRef),
            ("n", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef),
        ]);
        let words = words(&rows.expect("rows")).expect("words");
        assert_eq!(words, ["u1\u{1}", "u2\u{1}"]);
    }
}
