//! Batches put together to a good size: many small ones cost more than their rows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use crate::error::{Error, Result};

/// Rows of a full chunk.
pub(super) const FULL_ROWS: usize = 8192;
/// Bytes of a full chunk: far below the 2 GB where 32-bit offsets end.
pub(super) const FULL_BYTES: usize = 16 << 20;

/// Whether chunks of these sizes may be made one.
pub(super) fn fit_together(rows: usize, bytes: usize) -> bool {
    rows <= FULL_ROWS && bytes <= FULL_BYTES
}

/// How many rows of this average size make a chunk.
pub(super) fn rows_per_chunk(rows: usize, bytes: usize) -> usize {
    let row_bytes = (bytes / rows.max(1)).max(1);
    (FULL_BYTES / row_bytes).clamp(1, FULL_ROWS)
}

/// The batches under exactly this schema: what a query gives may differ from it in metadata.
pub(super) fn conform(batches: Vec<RecordBatch>, schema: &SchemaRef) -> Result<Vec<RecordBatch>> {
    batches
        .into_iter()
        .map(|batch| {
            if batch.schema_ref() == schema {
                return Ok(batch);
            }
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            RecordBatch::try_new_with_options(Arc::clone(schema), batch.columns().to_vec(), &options).map_err(
                |error| Error::internal("rows do not have the columns of their sink").caused_by(error),
            )
        })
        .collect()
}

/// The same rows in as few chunks as is good, none of them empty.
pub(super) fn coalesce(batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>> {
    let mut chunks = Vec::new();
    let mut group: Vec<RecordBatch> = Vec::new();
    let (mut rows, mut bytes) = (0, 0);
    for batch in batches {
        let (more_rows, more_bytes) = (batch.num_rows(), batch.get_array_memory_size());
        if more_rows == 0 {
            continue;
        }
        if !group.is_empty() && !fit_together(rows + more_rows, bytes + more_bytes) {
            chunks.push(join(&group)?);
            group.clear();
            (rows, bytes) = (0, 0);
        }
        (rows, bytes) = (rows + more_rows, bytes + more_bytes);
        group.push(batch);
    }
    if !group.is_empty() {
        chunks.push(join(&group)?);
    }
    Ok(chunks)
}

/// The last row of all, as the only one.
pub(super) fn last_row(batches: &[RecordBatch]) -> Vec<RecordBatch> {
    batches
        .iter()
        .rev()
        .find(|batch| batch.num_rows() > 0)
        .map(|batch| batch.slice(batch.num_rows() - 1, 1))
        .into_iter()
        .collect()
}

/// One batch of several, which are not none.
pub(super) fn join(batches: &[RecordBatch]) -> Result<RecordBatch> {
    match batches {
        [only] => Ok(only.clone()),
        [] => Err(Error::internal("no rows to put together")),
        [first, ..] => own_views(&concat_batches(first.schema_ref(), batches)?),
    }
}

/// The batch with string views over buffers of their own: put together they would go on to hold all buffers that
/// they ever came from.
pub(super) fn own_views(batch: &RecordBatch) -> Result<RecordBatch> {
    let columns: Vec<ArrayRef> = batch
        .columns()
        .iter()
        .map(|column| match column.data_type() {
            DataType::Utf8View => Arc::new(column.as_string_view().gc()) as ArrayRef,
            DataType::BinaryView => Arc::new(column.as_binary_view().gc()),
            _ => Arc::clone(column),
        })
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(
        batch.schema(),
        columns,
        &options,
    )?)
}
