//! The builder API over memory streams: what a program that embeds the engine does.
#![allow(missing_docs)]

use std::sync::Arc;

use arrow::array::{Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use highwater::execution::Trigger;
use highwater::session::Session;
use highwater::sink::OutputMode;
use highwater::source::memory::MemoryStream;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new(
            "at",
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            true,
        ),
        Field::new("kind", DataType::Utf8, true),
        Field::new("n", DataType::Int64, true),
    ]))
}

/// Rows of (minute, kind, n).
fn rows(rows: &[(i64, &str, i64)]) -> RecordBatch {
    let at = rows
        .iter()
        .map(|row| Some(row.0 * 60_000_000))
        .collect::<TimestampMicrosecondArray>();
    RecordBatch::try_new(
        schema(),
        vec![
            Arc::new(at.with_timezone("UTC")),
            Arc::new(rows.iter().map(|row| Some(row.1)).collect::<StringArray>()),
            Arc::new(rows.iter().map(|row| Some(row.2)).collect::<Int64Array>()),
        ],
    )
    .expect("columns of one length")
}

async fn table(session: &Session, name: &str) -> Vec<String> {
    let batches = session
        .table(name)
        .expect("a table")
        .collect()
        .await
        .expect("reads");
    let text = pretty_format_batches(&batches).expect("formats").to_string();
    let mut lines = text
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(str::to_owned)
        .skip(1)
        .collect::<Vec<_>>();
    lines.sort();
    lines
}

#[tokio::test]
async fn a_windowed_aggregate_goes_on_from_its_checkpoint() {
    let folder = tempfile::tempdir().expect("a folder");
    let session = Session::builder()
        .checkpoint_root(folder.path())
        .threads(2)
        .build()
        .expect("a session");
    let stream = MemoryStream::new(schema());
    let events = session.add_memory_stream("events", &stream).expect("a stream");
    assert!(events.is_streaming());
    stream
        .add_batch(rows(&[(1, "a", 1), (2, "a", 2), (11, "b", 4)]))
        .expect("adds");

    let counted = events
        .with_watermark("at", "5 minutes")
        .and_then(|frame| frame.filter("n > 0"))
        .and_then(|frame| frame.group_by(["window(at, '10 minutes')", "kind"]))
        .and_then(|groups| groups.agg(["count(*) AS events", "sum(n) AS total"]))
        .and_then(|frame| frame.select(["window.start AS start", "kind", "events", "total"]))
        .expect("a query");
    let query = counted
        .write_stream()
        .query_name("counted")
        .output_mode(OutputMode::Update)
        .start()
        .await
        .expect("starts");
    query.process_all_available().await.expect("processes");
    assert_eq!(
        table(&session, "counted").await,
        [
            "| 1970-01-01T00:00:00Z | a    | 2      | 3     |",
            "| 1970-01-01T00:10:00Z | b    | 1      | 4     |",
        ]
    );
    query.stop().await;
    assert!(!query.is_active());
    stream
        .add_batch(rows(&[(12, "b", 8), (3, "a", 100)]))
        .expect("adds");

    query.start().await.expect("starts again");
    query.process_all_available().await.expect("processes");
    // The watermark is at minute 6 for eviction, rows are late against the one before.
    let ran = query.recent_progress();
    let ran = ran
        .iter()
        .map(|progress| (progress.batch_id, progress.num_input_rows))
        .collect::<Vec<_>>();
    assert_eq!(ran, [(2, 2), (3, 0)], "batches 1 and 3 only moved the watermark");
    assert_eq!(
        table(&session, "counted").await,
        [
            "| 1970-01-01T00:00:00Z | a    | 3      | 103   |",
            "| 1970-01-01T00:10:00Z | b    | 2      | 12    |",
        ]
    );
    query.stop().await;
}

#[tokio::test]
async fn available_now_ends_by_itself_and_a_second_run_reads_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let session = Session::builder()
        .checkpoint_root(folder.path())
        .threads(2)
        .build()
        .expect("a session");
    let stream = MemoryStream::new(schema());
    let events = session.add_memory_stream("events", &stream).expect("a stream");
    stream.add_batch(rows(&[(1, "a", 1), (2, "b", 2)])).expect("adds");
    let query = events
        .group_by(["kind"])
        .and_then(|groups| groups.agg(["sum(n) AS total"]))
        .expect("a query")
        .write_stream()
        .query_name("totals")
        .output_mode(OutputMode::Complete)
        .trigger(Trigger::AvailableNow)
        .start()
        .await
        .expect("starts");
    assert!(query.await_termination(None).await.expect("ends well"));
    assert_eq!(
        table(&session, "totals").await,
        ["| a    | 1     |", "| b    | 2     |"]
    );
    query.start().await.expect("starts again");
    assert!(query.await_termination(None).await.expect("ends well"));
    assert!(query.last_progress().is_none(), "nothing was there to read");
    stream.add_batch(rows(&[(1, "a", 5)])).expect("adds");
    query.start().await.expect("starts again");
    assert!(query.await_termination(None).await.expect("ends well"));
    assert_eq!(
        table(&session, "totals").await,
        ["| a    | 6     |", "| b    | 2     |"]
    );
}

#[tokio::test]
async fn progress_names_the_source_that_holds_the_watermark_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let session = Session::builder()
        .checkpoint_root(folder.path())
        .threads(2)
        .build()
        .expect("a session");
    let streams = ["busy", "idle"].map(|name| {
        let stream = MemoryStream::new(schema());
        session
            .add_memory_stream(name, &stream)
            .and_then(|frame| frame.with_watermark("at", "5 minutes"))
            .and_then(|frame| frame.create_view(&format!("{name}_timed")))
            .expect("a stream");
        stream
    });
    session
        .sql(
            "CREATE STREAMING QUERY counted SINK memory AS
             SELECT window.start AS start, count(*) AS n
             FROM (SELECT at FROM busy_timed UNION ALL SELECT at FROM idle_timed) GROUP BY window(at, '10 minutes')",
        )
        .await
        .expect("starts");
    let query = session.streams().get_by_name("counted").expect("a query");
    let told = |source: usize| {
        let progress = query.last_progress().expect("a batch");
        let metrics = progress.sources[source].metrics.clone();
        let of = |name: &str| metrics.get(name).cloned().expect(name);
        (of("watermark"), of("holdsWatermarkBack"))
    };
    let told_of = |watermark: &str, holds: bool| (watermark.to_owned(), holds.to_string());

    streams[0]
        .add_batch(rows(&[(1, "a", 1), (60, "a", 1)]))
        .expect("adds");
    query.process_all_available().await.expect("processes");
    assert_eq!(told(0), told_of("1970-01-01T00:55:00.000Z", false));
    assert_eq!(told(1), told_of("1970-01-01T00:00:00.000Z", true));
    assert!(table(&session, "counted").await.is_empty());

    streams[1].add_batch(rows(&[(70, "b", 1)])).expect("adds");
    query.process_all_available().await.expect("processes");
    assert_eq!(told(0), told_of("1970-01-01T00:55:00.000Z", true));
    assert_eq!(told(1), told_of("1970-01-01T01:05:00.000Z", false));
    assert_eq!(table(&session, "counted").await, ["| 1970-01-01T00:00:00Z | 1 |"]);
    query.stop().await;
}
