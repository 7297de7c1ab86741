//! A query is stopped at every write and every sync that a run makes, on storage that fails from then on, and is started
//! again on what survived: once with what was not synced lost, once with it there. It must end with the output of a run
//! that nothing disturbed.
#![allow(missing_docs)]

mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use highwater::error::ErrorKind;
use highwater::execution::{StreamingQuery, Trigger};
use highwater::fault::{FailingStorage, Trip};
use highwater::session::Session;
use highwater::sink::OutputMode;
use support::{TIMEOUT, copy_folder, parquet_lines, sorted_lines, write_events};

/// The two kinds of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// A windowed aggregate in append mode, into Parquet files.
    Parquet,
    /// A windowed aggregate in update mode, into a memory table.
    Memory,
}

/// A session, and its query over the files of `events`, not more than begun. Everything that it writes is under `folder`.
async fn start(
    output: Output,
    events: &Path,
    folder: &Path,
    storage: Option<Arc<FailingStorage>>,
) -> (Session, StreamingQuery) {
    let mut builder = Session::builder()
        .checkpoint_root(folder.join("checkpoints"))
        .threads(1);
    if let Some(storage) = storage {
        builder = builder.storage(storage);
    }
    let session = builder.build().expect("a session");
    let counted = session
        .read_stream()
        .format("json")
        .schema("at TIMESTAMP, kind STRING, n BIGINT")
        .option("maxFilesPerTrigger", 1)
        .load(events.to_str().expect("a plain path"))
        .and_then(|frame| frame.with_watermark("at", "5 minutes"))
        .and_then(|frame| frame.group_by(["window(at, '10 minutes')", "kind"]))
        .and_then(|groups| groups.agg(["count(*) AS events", "sum(n) AS total"]))
        .and_then(|frame| frame.select(["window.start AS start", "kind", "events", "total"]))
        .expect("a query");
    let writer = counted
        .write_stream()
        .query_name("counted")
        .trigger(Trigger::AvailableNow);
    let writer = match output {
        Output::Parquet => writer
            .format("parquet")
            .option("path", folder.join("out").display()),
        Output::Memory => writer.format("memory").output_mode(OutputMode::Update),
    };
    let query = tokio::time::timeout(TIMEOUT, writer.start())
        .await
        .expect("starts in time")
        .expect("a right query");
    (session, query)
}

/// Waits until the query has ended well and gives its rows, sorted.
async fn rows_at_end(
    output: Output,
    folder: &Path,
    session: &Session,
    query: &StreamingQuery,
) -> Vec<String> {
    let ended = query.await_termination(Some(TIMEOUT)).await;
    assert!(ended.expect("the query ends well"), "the query ends in time");
    match output {
        Output::Parquet => parquet_lines(&folder.join("out")).await,
        Output::Memory => {
            let table = session.table("counted").expect("a table");
            sorted_lines(&table.collect().await.expect("rows"))
        }
    }
}

/// A run that ends where its storage fails; `false` if it came through.
async fn run_into_failure(
    output: Output,
    events: &Path,
    folder: &Path,
    storage: &Arc<FailingStorage>,
    trip: &Trip,
) -> bool {
    let (session, query) = start(output, events, folder, Some(Arc::clone(storage))).await;
    check_failure(&query, trip).await;
    drop(session);
    trip.is_tripped()
}

/// Waits for the end of a run whose storage fails: in time, by the storage's own error.
async fn check_failure(query: &StreamingQuery, trip: &Trip) {
    match query.await_termination(Some(TIMEOUT)).await {
        Ok(has_ended) => assert!(has_ended, "the query ends in time"),
        Err(error) => {
            assert!(trip.is_tripped(), "fails without a cause: {}", error.report());
            assert!(
                matches!(error.kind(), ErrorKind::Checkpoint | ErrorKind::Sink),
                "{:?}: {}",
                error.kind(),
                error.report()
            );
        }
    }
}

/// Crashes at the first, the second, ... operation, until a run comes through.
async fn crash_everywhere(output: Output) {
    let base = tempfile::tempdir().expect("a folder");
    let events = base.path().join("events");
    write_events(&events, 0..10);
    let undisturbed = base.path().join("undisturbed");
    let (session, query) = start(output, &events, &undisturbed, None).await;
    let expected = rows_at_end(output, &undisturbed, &session, &query).await;
    assert_eq!(
        query.recent_progress().len(),
        11,
        "ten files, and a batch for the watermark"
    );
    assert!(expected.len() > 15, "{expected:#?}");

    for n in 0.. {
        let (lost, survived) = (base.path().join("lost"), base.path().join("survived"));
        let trip = Trip::crash_at(n);
        let storage = Arc::new(FailingStorage::new(Arc::clone(&trip)));
        if !run_into_failure(output, &events, &lost, &storage, &trip).await {
            assert!(n > 200, "a run makes more than {n} operations");
            break;
        }
        copy_folder(&lost, &survived);
        storage.cut_power().expect("a power cut");
        for folder in [lost, survived] {
            let (session, query) = start(output, &events, &folder, None).await;
            let rows = rows_at_end(output, &folder, &session, &query).await;
            assert_eq!(
                rows,
                expected,
                "after a crash at operation {n}, in {}",
                folder.display()
            );
            drop(session);
            fs::remove_dir_all(folder).expect("removes");
        }
    }
}

#[tokio::test]
async fn parquet_files_are_right_after_a_crash_at_any_operation() {
    crash_everywhere(Output::Parquet).await;
}

#[tokio::test]
async fn a_memory_table_is_right_after_a_crash_at_any_operation() {
    crash_everywhere(Output::Memory).await;
}

/// Lets single operations fail, as on a disk that is full for a moment, and restarts the query in the same session.
async fn fail_now_and_then(output: Output) {
    let base = tempfile::tempdir().expect("a folder");
    let events = base.path().join("events");
    write_events(&events, 0..10);
    let undisturbed = base.path().join("undisturbed");
    let (session, query) = start(output, &events, &undisturbed, None).await;
    let expected = rows_at_end(output, &undisturbed, &session, &query).await;

    for n in (3..).step_by(11) {
        let folder = base.path().join("failing");
        let trip = Trip::fail_once_at(n);
        let storage = Arc::new(FailingStorage::new(Arc::clone(&trip)));
        let (session, query) = start(output, &events, &folder, Some(storage)).await;
        check_failure(&query, &trip).await;
        if !trip.is_tripped() {
            assert!(n > 200, "a run makes more than {n} operations");
            break;
        }
        query.start().await.expect("starts again");
        let rows = rows_at_end(output, &folder, &session, &query).await;
        assert_eq!(rows, expected, "after a failure of operation {n}");
        fs::remove_dir_all(folder).expect("removes");
    }
}

#[tokio::test]
async fn parquet_files_are_right_after_a_failure_and_a_restart() {
    fail_now_and_then(Output::Parquet).await;
}

#[tokio::test]
async fn a_memory_table_is_right_after_a_failure_and_a_restart() {
    fail_now_and_then(Output::Memory).await;
}
