//! The memory stream: rows that the program itself adds, for tests and for the library.
//!
//! An offset counts the batches that were added: `{"value":2}` is the position behind the second one. The rows
//! live as long as the last handle, so a query that stops and starts again in the same process reads its range
//! again; another process has nothing to replay and says so.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::stream;
use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::watch;

use super::{Offset, PlannedOffset, ReadLimit, Source};
use crate::error::{Error, Result};
use crate::types::ddl_of;

/// A handle to a memory stream. Clones share the rows.
#[derive(Debug, Clone)]
pub struct MemoryStream {
    shared: Arc<Shared>,
}

/// A memory stream as one query reads it.
#[derive(Debug)]
pub struct MemorySource {
    shared: Arc<Shared>,
    /// Where a run of AVAILABLE NOW ends.
    end: Mutex<Option<u64>>,
}

#[derive(Debug)]
struct Shared {
    schema: SchemaRef,
    batches: Mutex<Vec<RecordBatch>>,
    /// How many batches there are: what waiters watch.
    count: watch::Sender<u64>,
}

impl MemoryStream {
    /// An empty stream of rows of `schema`.
    pub fn new(schema: SchemaRef) -> Self {
        Self {
            shared: Arc::new(Shared {
                schema,
                batches: Mutex::new(Vec::new()),
                count: watch::Sender::new(0),
            }),
        }
    }

    /// The columns of its rows.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.shared.schema)
    }

    /// A source over these rows, for one query. Every query that reads the stream has its own.
    pub fn source(&self) -> MemorySource {
        MemorySource {
            shared: Arc::clone(&self.shared),
            end: Mutex::new(None),
        }
    }

    /// Adds rows and wakes the queries that wait for them. Gives the offset behind them.
    ///
    /// # Errors
    /// `Source` if the batch has another schema than the stream.
    pub fn add_batch(&self, batch: RecordBatch) -> Result<Offset> {
        if batch.schema() != self.shared.schema {
            return Err(Error::source(format!(
                "a batch of ({}) does not fit a memory stream of ({})",
                ddl_of(&batch.schema()),
                ddl_of(&self.shared.schema)
            )));
        }
        let mut batches = self.shared.batches.lock();
        batches.push(batch);
        let count = batches.len() as u64;
        self.shared.count.send_replace(count);
        Ok(offset(count))
    }
}

fn offset(count: u64) -> Offset {
    json!({ "value": count })
}

fn count_of(offset: Option<&Offset>) -> Result<u64> {
    let Some(offset) = offset else { return Ok(0) };
    offset
        .get("value")
        .and_then(serde_json::Value::as_u64)
        .ok_or_else(|| Error::checkpoint(format!("{offset} is no offset of a memory stream")))
}

#[async_trait]
impl Source for MemorySource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.shared.schema)
    }

    fn description(&self) -> String {
        let names: Vec<_> = self
            .shared
            .schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        format!("MemoryStream[{}]", names.join(","))
    }

    async fn restore(&self, _log: Vec<(u64, serde_json::Value)>) -> Result<()> {
        *self.end.lock() = None;
        Ok(())
    }

    async fn prepare_available_now(&self) -> Result<()> {
        *self.end.lock() = Some(*self.shared.count.borrow());
        Ok(())
    }

    async fn latest_offset(
        &self,
        start: Option<&Offset>,
        _limit: ReadLimit,
    ) -> Result<Option<PlannedOffset>> {
        let start = count_of(start)?;
        let there = *self.shared.count.borrow();
        if start > there {
            return Err(Error::source(format!(
                "the memory stream has {there} batches, and the checkpoint has read {start}"
            ))
            .hint("A memory stream ends with its process: add the same batches again before the query starts, or give it another checkpoint."));
        }
        let end = self.end.lock().unwrap_or(there).min(there);
        Ok((end > start).then(|| PlannedOffset {
            end: offset(end),
            log_entry: None,
        }))
    }

    async fn read(
        &self,
        start: Option<&Offset>,
        end: &Offset,
        projection: &[usize],
        partitions: usize,
    ) -> Result<Vec<SendableRecordBatchStream>> {
        let (start, end) = (count_of(start)?, count_of(Some(end))?);
        let schema = Arc::new(self.shared.schema.project(projection)?);
        let batches = self.shared.batches.lock();
        let range = usize::try_from(start)
            .ok()
            .zip(usize::try_from(end).ok())
            .and_then(|(start, end)| batches.get(start..end))
            .ok_or_else(|| {
                Error::source(format!(
                    "the memory stream has {} batches, but the query wants those after {start} up to {end}",
                    batches.len()
                ))
                .hint("Rows of a memory stream live in one process: start with a new checkpoint.")
            })?;
        let projected = range
            .iter()
            .map(|batch| batch.project(projection))
            .collect::<Result<Vec<_>, _>>()?;
        let part = projected.len().div_ceil(partitions.max(1)).max(1);
        Ok(projected
            .chunks(part)
            .map(|chunk| {
                let batches: Vec<RecordBatch> = chunk.to_vec();
                let rows = stream::iter(batches.into_iter().map(Ok));
                Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&schema), rows))
                    as SendableRecordBatchStream
            })
            .collect())
    }

    async fn wait_for_data(&self, start: Option<&Offset>) {
        // An offset that cannot be read returns at once: the next latest_offset says what is wrong with it.
        let Ok(start) = count_of(start) else { return };
        let mut count = self.shared.count.subscribe();
        // The sender lives in `self`, so the channel cannot close while this waits.
        let _ = count.wait_for(|count| *count > start).await;
    }

    fn newest_known(&self) -> Option<Offset> {
        let count = *self.shared.count.borrow();
        (count > 0).then(|| offset(count))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int64Array, StringArray};
    use arrow::datatypes::{DataType, Field, Int64Type, Schema};
    use futures::{FutureExt, TryStreamExt};

    use super::*;

    fn schema() -> SchemaRef {
        Arc::new(Schema::new(vec![
            Field::new("id", DataType::Int64, true),
            Field::new("name", DataType::Utf8, true),
        ]))
    }

    fn batch(ids: &[i64]) -> RecordBatch {
        let names = StringArray::from_iter_values(ids.iter().map(|id| format!("n{id}")));
        let ids = Int64Array::from(ids.to_vec());
        RecordBatch::try_new(schema(), vec![Arc::new(ids), Arc::new(names)]).expect("fits")
    }

    async fn ids(
        source: &MemorySource,
        start: Option<&Offset>,
        end: &Offset,
        partitions: usize,
    ) -> Vec<Vec<i64>> {
        let streams = source.read(start, end, &[0], partitions).await.expect("is there");
        let mut parts = Vec::new();
        for stream in streams {
            let batches: Vec<RecordBatch> = stream.try_collect().await.expect("reads");
            parts.push(
                batches
                    .iter()
                    .flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec())
                    .collect(),
            );
        }
        parts
    }

    #[tokio::test]
    async fn ranges_are_read_again_with_the_same_rows() {
        let stream = MemoryStream::new(schema());
        let source = stream.source();
        assert_eq!(
            source
                .latest_offset(None, ReadLimit::Configured)
                .await
                .expect("works"),
            None
        );
        let first = stream.add_batch(batch(&[1, 2])).expect("fits");
        let handle = stream.clone();
        let third = {
            handle.add_batch(batch(&[3])).expect("fits");
            handle.add_batch(batch(&[4])).expect("fits")
        };
        assert_eq!(third, json!({"value": 3}));
        let planned = source
            .latest_offset(Some(&first), ReadLimit::Configured)
            .await
            .expect("works");
        assert_eq!(planned.expect("there is more").end, third);
        assert_eq!(ids(&source, None, &third, 2).await, [vec![1, 2, 3], vec![4]]);
        assert_eq!(ids(&source, Some(&first), &third, 8).await, [[3], [4]]);
        assert!(ids(&source, Some(&third), &third, 8).await.is_empty());
    }

    #[tokio::test]
    async fn an_empty_projection_counts_rows() {
        let stream = MemoryStream::new(schema());
        let source = stream.source();
        let end = stream.add_batch(batch(&[1, 2, 3])).expect("fits");
        let streams = source.read(None, &end, &[], 1).await.expect("is there");
        let batches: Vec<RecordBatch> = streams
            .into_iter()
            .next()
            .expect("one")
            .try_collect()
            .await
            .expect("reads");
        assert_eq!((batches[0].num_columns(), batches[0].num_rows()), (0, 3));
    }

    #[tokio::test]
    async fn waiters_wake_at_once() {
        let stream = MemoryStream::new(schema());
        let source = stream.source();
        let waiting = stream.source();
        let mut wait = Box::pin(async move { waiting.wait_for_data(None).await });
        assert!(wait.as_mut().now_or_never().is_none(), "nothing is there");
        let end = stream.add_batch(batch(&[1])).expect("fits");
        wait.await;
        assert!(source.wait_for_data(Some(&end)).now_or_never().is_none());
    }

    #[tokio::test]
    async fn available_now_stops_at_what_was_there() {
        let stream = MemoryStream::new(schema());
        let source = stream.source();
        let end = stream.add_batch(batch(&[1])).expect("fits");
        source.prepare_available_now().await.expect("works");
        stream.add_batch(batch(&[2])).expect("fits");
        let planned = source
            .latest_offset(None, ReadLimit::Unlimited)
            .await
            .expect("works");
        assert_eq!(planned.map(|planned| planned.end), Some(end));
        source.restore(Vec::new()).await.expect("works");
        let planned = source
            .latest_offset(None, ReadLimit::Configured)
            .await
            .expect("works");
        assert_eq!(planned.map(|planned| planned.end), Some(json!({"value": 2})));
    }

    #[tokio::test]
    async fn what_cannot_be_read_says_why() {
        let stream = MemoryStream::new(schema());
        let source = stream.source();
        let error = source
            .read(None, &json!({"value": 2}), &[0], 1)
            .await
            .err()
            .expect("is not there");
        assert_eq!(
            error.message(),
            "the memory stream has 0 batches, but the query wants those after 0 up to 2"
        );
        let other = Arc::new(Schema::new(vec![Field::new("x", DataType::Int64, true)]));
        let error = stream
            .add_batch(RecordBatch::new_empty(other))
            .expect_err("does not fit");
        assert_eq!(
            error.message(),
            "a batch of (x bigint) does not fit a memory stream of (id bigint, name string)"
        );
        assert!(
            source
                .latest_offset(Some(&json!(7)), ReadLimit::Configured)
                .await
                .is_err()
        );
    }
}
