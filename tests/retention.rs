//! A checkpoint keeps as many batches as it is told, writes snapshots of its state, and stops growing.
#![allow(missing_docs)]

mod support;

use std::path::Path;
use std::sync::Arc;

use arrow::array::{AsArray, Int64Array};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use highwater::checkpoint::Checkpoint;
use highwater::checkpoint::open::FILE_NAME;
use highwater::execution::Trigger;
use highwater::session::Session;
use highwater::sink::OutputMode;
use highwater::source::memory::MemoryStream;
use highwater::state::{StateDelta, StateLayout, StateStore};
use support::TIMEOUT;

const KEPT: u64 = 20;
/// The only stateful operator of the query.
const OPERATOR: u32 = 0;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("k", DataType::Int64, true)]))
}

/// Runs `SELECT k, count(*) GROUP BY k` over what batches `from..to` have: batch n is one row, key n % 7.
async fn run(stream: &MemoryStream, folder: &Path, batches: std::ops::Range<u64>) {
    let session = Session::builder().threads(1).build().expect("a session");
    session
        .set("spark.sql.streaming.minBatchesToRetain", &KEPT.to_string())
        .expect("a setting");
    let events = session.add_memory_stream("events", stream).expect("a stream");
    let query = events
        .group_by(["k"])
        .and_then(|groups| groups.agg(["count(*) AS n"]))
        .expect("a query")
        .write_stream()
        .query_name("counted")
        .format("noop")
        .output_mode(OutputMode::Update)
        .trigger(Trigger::Default)
        .option("checkpointLocation", folder.display());
    let query = query.start().await.expect("starts");
    for batch in batches {
        let key = i64::try_from(batch % 7).expect("small");
        let rows = RecordBatch::try_new(schema(), vec![Arc::new(Int64Array::from(vec![key]))]);
        stream.add_batch(rows.expect("one column")).expect("adds");
        tokio::time::timeout(TIMEOUT, query.process_all_available())
            .await
            .expect("in time")
            .expect("processes");
        assert_eq!(
            query.last_progress().map(|progress| progress.batch_id),
            Some(batch)
        );
    }
    query.stop().await;
}

/// The counts by key that changes add up to.
fn counts(deltas: Vec<StateDelta>) -> Vec<(i64, i64)> {
    let schema = deltas[0].puts[0].schema();
    let mut store = StateStore::try_new(StateLayout {
        schema,
        num_keys: 1,
        is_numbered: false,
        eviction: None,
    })
    .expect("a state");
    for delta in deltas {
        store.apply(delta).expect("applies");
    }
    let rows = store.all_rows().expect("reads").expect("rows");
    let column = |at: usize| rows.column(at).as_primitive::<Int64Type>().values().to_vec();
    let mut counts = column(0).into_iter().zip(column(1)).collect::<Vec<_>>();
    counts.sort_unstable();
    counts
}

/// What they are after batch `last`.
fn expected_counts(last: u64) -> Vec<(i64, i64)> {
    let count = |key: u64| (0..=last).filter(|batch| batch % 7 == key).count();
    (0..7)
        .map(|key| {
            (
                i64::try_from(key).expect("small"),
                i64::try_from(count(key)).expect("small"),
            )
        })
        .collect()
}

#[tokio::test]
async fn old_batches_are_readable_while_kept_and_forgotten_afterwards() {
    let base = tempfile::tempdir().expect("a folder");
    let folder = base.path().join("checkpoint");
    let stream = MemoryStream::new(schema());
    let file_len = || std::fs::metadata(folder.join(FILE_NAME)).expect("a file").len();
    // Several runs, each too short for a snapshot of its own.
    for first in [0, 60, 120, 180] {
        run(&stream, &folder, first..first + 60).await;
    }
    let grown = file_len();
    for first in [240, 300] {
        run(&stream, &folder, first..first + 60).await;
    }
    let len = file_len();
    assert!(len <= grown + grown / 10, "{len} bytes, {grown} before");

    let checkpoint = Checkpoint::open(&folder).expect("opens");
    let (last, _) = checkpoint.latest_commit().expect("reads").expect("a commit");
    assert_eq!(last, 359);
    let oldest = last + 1 - KEPT;
    for batch in oldest..=last {
        let deltas = checkpoint.state_as_of(OPERATOR, batch).expect("reads");
        assert!(
            deltas.len() < 150,
            "{} changes: there is a snapshot",
            deltas.len()
        );
        assert_eq!(counts(deltas), expected_counts(batch), "as of batch {batch}");
        assert!(checkpoint.offsets(batch).expect("reads").is_some());
    }
    assert!(checkpoint.offsets(oldest - 1).expect("reads").is_none());
    let size = checkpoint.changelog_size(OPERATOR).expect("reads");
    assert!(size.snapshot_bytes > 0 && size.batches <= 100, "{size:?}");
    let error = checkpoint.state_as_of(OPERATOR, 3).expect_err("it is forgotten");
    assert!(
        error.message().contains("batch 3 is kept no more"),
        "{}",
        error.report()
    );
}
