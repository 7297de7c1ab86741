//! What the tests of the sinks share.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;

use super::{OutputMode, SinkStart};

/// The columns `k STRING, n BIGINT`.
pub(crate) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("k", DataType::Utf8, true),
        Field::new("n", DataType::Int64, true),
    ]))
}

/// Rows of `k STRING, n BIGINT`; an empty key is null.
pub(crate) fn rows(rows: &[(&str, i64)]) -> RecordBatch {
    let keys: StringArray = rows
        .iter()
        .map(|(key, _)| (!key.is_empty()).then_some(*key))
        .collect();
    let numbers: Int64Array = rows.iter().map(|(_, number)| Some(*number)).collect();
    RecordBatch::try_new(schema(), vec![Arc::new(keys) as ArrayRef, Arc::new(numbers)]).expect("a batch")
}

/// Rows of `k STRING, n BIGINT` with the numbers alone.
pub(crate) fn ints(numbers: &[i64]) -> RecordBatch {
    rows(&numbers.iter().map(|number| ("k", *number)).collect::<Vec<_>>())
}

/// The rows of batches of `k STRING, n BIGINT`, null keys empty.
pub(crate) fn read(batches: &[RecordBatch]) -> Vec<(String, i64)> {
    use arrow::array::{Array, AsArray};
    let mut rows = Vec::new();
    for batch in batches {
        let keys = batch.column(0).as_string::<i32>();
        let numbers = batch.column(1).as_primitive::<arrow::datatypes::Int64Type>();
        for row in 0..batch.num_rows() {
            let key = if keys.is_null(row) { "" } else { keys.value(row) };
            rows.push((key.to_string(), numbers.value(row)));
        }
    }
    rows
}

/// A stream of `k STRING, n BIGINT` that gives these items.
pub(crate) fn stream(items: Vec<datafusion::error::Result<RecordBatch>>) -> SendableRecordBatchStream {
    let schema = items
        .iter()
        .find_map(|item| item.as_ref().ok().map(RecordBatch::schema))
        .unwrap_or_else(schema);
    Box::pin(RecordBatchStreamAdapter::new(
        schema,
        futures::stream::iter(items),
    ))
}

/// The start of a new query of `k STRING, n BIGINT`.
pub(crate) fn start(mode: OutputMode, keys: Option<Vec<usize>>) -> SinkStart {
    SinkStart {
        schema: schema(),
        mode,
        keys,
        query_id: uuid::Uuid::from_u128(0x1a2b_3c4d << 96),
        query_name: "q".into(),
        last_committed: None,
        log: Vec::new(),
    }
}
