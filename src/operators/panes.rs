//! From panes to windows, and which groups of a batch are still open.
//!
//! ```text
//!   touched panes       windows of 10 minutes every 5
//!   09:05  a  3         09:00 a 3,  09:05 a 3
//!   09:10  a  2         09:05 a 2,  09:10 a 2         merged afterwards: 09:00 a 3, 09:05 a 5, 09:10 a 2
//! ```
//!
//! A row counts in each of its windows that was not over when it came, as in Spark. So what a late row leaves is
//! decided here, window by window; a row whose windows are all over was dropped, and counted, below the aggregate.

use arrow::array::{ArrayRef, AsArray, BooleanArray, TimestampMicrosecondArray, UInt32Array};
use arrow::compute::{filter_record_batch, take_record_batch};
use arrow::datatypes::{DataType, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use datafusion::common::{Result, exec_datafusion_err, internal_err};
use std::sync::Arc;

use crate::functions::window::WindowSpec;
use crate::state::store::EvictionTime;

/// Replaces each row, whose column `column` is a pane's start, by one row for each window that covers the pane.
///
/// # Errors
///
/// More than 2^32 rows.
pub fn expand_panes(rows: &RecordBatch, column: usize, windows: WindowSpec) -> Result<RecordBatch> {
    let panes = rows.column(column);
    let DataType::Timestamp(_, zone) = panes.data_type() else {
        return internal_err!("pane starts of type {}", panes.data_type());
    };
    let (mut places, mut starts) = (Vec::new(), Vec::new());
    for (row, pane) in panes
        .as_primitive::<TimestampMicrosecondType>()
        .iter()
        .enumerate()
    {
        let row = u32::try_from(row).map_err(|_| exec_datafusion_err!("too many groups in one batch"))?;
        // A row without a time is in no window.
        for start in pane.into_iter().flat_map(|pane| windows.starts_of(pane)) {
            places.push(row);
            starts.push(start);
        }
    }
    let expanded = take_record_batch(rows, &UInt32Array::from(places))?;
    let mut columns = expanded.columns().to_vec();
    let starts = TimestampMicrosecondArray::from(starts).with_timezone_opt(zone.clone());
    columns[column] = Arc::new(starts) as ArrayRef;
    Ok(RecordBatch::try_new(rows.schema(), columns)?)
}

/// Keeps the groups whose event time is after `late_us`, or that have none; says how many went.
///
/// # Errors
///
/// An event time that is no timestamp.
pub fn open_groups(rows: &RecordBatch, eviction: EvictionTime, late_us: i64) -> Result<(RecordBatch, u64)> {
    let times = eviction.of(rows.column(eviction.column))?;
    let is_open = times
        .into_iter()
        .map(|time| Some(time.is_none_or(|time| time > late_us)));
    let is_open = is_open.collect::<BooleanArray>();
    let num_late = (is_open.len() - is_open.true_count()) as u64;
    if num_late == 0 {
        return Ok((rows.clone(), 0));
    }
    Ok((filter_record_batch(rows, &is_open)?, num_late))
}
