//! A windowed result as a chart: time on one axis, a number on the other, a series for each group.

use std::collections::{BTreeMap, HashSet};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Schema, TimeUnit, TimestampMillisecondType};

use super::cells;
use super::rows::Rows;
use crate::error::Result;
use crate::sink::OutputMode;

/// Rows that a chart is made of at most: the last ones.
const MAX_ROWS: usize = 2_000;
/// Series that are told apart.
pub(crate) const MAX_SERIES: usize = 6;
/// A column with more different words than this, most of them in one row only, is no name of a group.
const MOST_GROUPS: usize = 24;
/// Characters of a series' name.
const NAME: usize = 24;

/// Which columns a chart is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Axes {
    /// A window, or else a time.
    time: usize,
    /// Numbers, of which one is shown.
    pub(crate) measures: Vec<usize>,
    /// Words that name a series together.
    names: Vec<usize>,
}

impl Axes {
    /// The columns of a result that has a time and a number.
    pub(crate) fn of(schema: &Schema) -> Option<Self> {
        let fields = schema.fields();
        let places = |wanted: &dyn Fn(&DataType) -> bool| -> Vec<usize> {
            let fields = fields.iter().enumerate();
            fields
                .filter(|(_, field)| wanted(field.data_type()))
                .map(|(at, _)| at)
                .collect()
        };
        let windows = places(&is_window);
        let times = places(&|kind| matches!(kind, DataType::Timestamp(..) | DataType::Date32));
        let measures = places(&DataType::is_numeric);
        if measures.is_empty() {
            return None;
        }
        Some(Self {
            time: *windows.first().or(times.first())?,
            measures,
            names: places(&|kind| kind.is_string() || *kind == DataType::Boolean),
        })
    }
}

/// A result ready to be drawn as a chart.
#[derive(Debug, PartialEq)]
pub(crate) struct Pivot {
    /// The number's column.
    pub(crate) measure: String,
    /// Starts of windows in milliseconds since the epoch, ascending.
    pub(crate) times: Vec<i64>,
    /// Names, with a value for each time where there is one; the largest series, in the order of their names.
    pub(crate) series: Vec<(String, Vec<Option<f64>>)>,
    /// How many series are left out.
    pub(crate) num_hidden: usize,
    made_of: (u64, usize, usize),
}

impl Pivot {
    /// Whether it is still right.
    pub(super) fn is_of(&self, rows: &Rows, measure: usize, max_times: usize) -> bool {
        self.made_of == (rows.version(), measure, max_times)
    }

    /// The newest `max_times` windows of a result. `measure` counts the numbers, round their end.
    pub(super) fn of(rows: &Rows, measure: usize, max_times: usize) -> Result<Option<Self>> {
        let schema = rows.schema();
        let Some(axes) = Axes::of(&schema) else {
            return Ok(None);
        };
        let column = axes.measures[measure % axes.measures.len()];
        let (first, end) = rows.reach();
        // Where rows come at the end, the newest are there.
        let from = match rows.mode() {
            OutputMode::Complete => first,
            _ => first.max(end.saturating_sub(MAX_ROWS)),
        };
        let page = rows.page(from, MAX_ROWS)?;
        let times = times(page.rows.column(axes.time))?;
        let values = cast(page.rows.column(column), &DataType::Float64)?;
        let values = values.as_primitive::<Float64Type>();
        let names = names(&page.rows, &axes)?;
        let mut points: BTreeMap<i64, BTreeMap<&str, f64>> = BTreeMap::new();
        for (row, name) in names.iter().enumerate() {
            if let (Some(time), true) = (times[row], values.is_valid(row)) {
                points.entry(time).or_default().insert(name, values.value(row));
            }
        }
        let surplus = points.len().saturating_sub(max_times);
        let points: Vec<(i64, BTreeMap<&str, f64>)> = points.into_iter().skip(surplus).collect();
        let mut totals: BTreeMap<&str, f64> = BTreeMap::new();
        for (name, value) in points.iter().flat_map(|(_, values)| values) {
            *totals.entry(name).or_default() += value.abs();
        }
        let mut kept: Vec<(&str, f64)> = totals.into_iter().collect();
        let num_hidden = kept.len().saturating_sub(MAX_SERIES);
        kept.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        kept.truncate(MAX_SERIES);
        kept.sort_by_key(|(name, _)| *name);
        let series = kept.into_iter().map(|(name, _)| {
            let values = points.iter().map(|(_, values)| values.get(name).copied());
            (name.to_string(), values.collect())
        });
        Ok(Some(Self {
            measure: schema.field(column).name().clone(),
            series: series.collect(),
            times: points.iter().map(|(time, _)| *time).collect(),
            num_hidden,
            made_of: (page.version, measure, max_times),
        }))
    }
}

fn is_window(kind: &DataType) -> bool {
    let DataType::Struct(fields) = kind else {
        return false;
    };
    fields.len() == 2
        && fields
            .iter()
            .zip(["start", "end"])
            .all(|(field, name)| field.name() == name && matches!(field.data_type(), DataType::Timestamp(..)))
}

/// Starts of windows, or times, in milliseconds.
fn times(column: &ArrayRef) -> Result<Vec<Option<i64>>> {
    let is_null: Vec<bool> = (0..column.len()).map(|row| column.is_null(row)).collect();
    let starts = match column.data_type() {
        DataType::Struct(_) => column.as_struct().column(0),
        _ => column,
    };
    let starts = cast(starts, &DataType::Timestamp(TimeUnit::Millisecond, None))?;
    let starts = starts.as_primitive::<TimestampMillisecondType>();
    Ok(starts
        .iter()
        .zip(is_null)
        .map(|(time, is_null)| time.filter(|_| !is_null))
        .collect())
}

/// The name of each row's series.
fn names(rows: &arrow::record_batch::RecordBatch, axes: &Axes) -> Result<Vec<String>> {
    let mut names = vec![String::new(); rows.num_rows()];
    for column in &axes.names {
        let parts = cells::short(rows.column(*column), NAME)?;
        let distinct: HashSet<&str> = parts.iter().map(String::as_str).collect();
        if distinct.len() > MOST_GROUPS && distinct.len() > parts.len() / 2 {
            continue;
        }
        for (name, part) in names.iter_mut().zip(parts) {
            if !name.is_empty() {
                name.push(' ');
            }
            name.push_str(&part);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::snapshot::ResultTable;
    use crate::tui::fake::{BASE_MS, FakeTable, totals};

    #[test]
    fn a_windowed_aggregate_has_a_series_for_each_group() {
        let rows = Rows::Live(Arc::new(FakeTable::windows(40)) as Arc<dyn ResultTable>);
        let axes = Axes::of(&rows.schema()).expect("a window and numbers");
        assert_eq!(axes.measures, [2, 3]);
        let pivot = Pivot::of(&rows, 0, 5).expect("rows").expect("a chart");
        assert_eq!(pivot.measure, "orders");
        let times = [-40_000, -30_000, -20_000, -10_000, 0].map(|ago| BASE_MS + ago);
        assert_eq!(pivot.times, times);
        assert!(pivot.is_of(&rows, 0, 5) && !pivot.is_of(&rows, 1, 5));
        // Every row has a note of its own, which names no group.
        let names: Vec<&str> = pivot.series.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((names, pivot.num_hidden), (vec!["buy", "view"], 0));
        assert_eq!(pivot.series[1].1.last(), Some(&Some(297.0)));
    }

    #[test]
    fn without_a_time_or_a_number_there_is_no_chart() {
        let table = FakeTable::new(OutputMode::Complete, totals(&[("a", 1)]), vec![1]);
        assert_eq!(Axes::of(&table.schema()), None);
    }
}
