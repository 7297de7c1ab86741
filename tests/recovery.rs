//! A query is stopped at every write and every sync that a run makes, on storage that fails from then on, and is started
//! again on what survived: once with what was not synced lost, once with it there. It must end with the output of a run
//! that nothing disturbed.
#![allow(missing_docs)]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::record_batch::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use highwater::error::ErrorKind;
use highwater::execution::{StreamingQuery, Trigger};
use highwater::fault::{FailingStorage, Trip};
use highwater::session::Session;
use highwater::sink::OutputMode;

/// No wait may take longer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The two kinds of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// A windowed aggregate in append mode, into Parquet files.
    Parquet,
    /// A windowed aggregate in update mode, into a memory table.
    Memory,
}

/// Ten files of events (minute, kind, n), a batch each; in every third one there are rows that come too late.
fn write_events(folder: &Path) {
    fs::create_dir_all(folder).expect("a folder");
    let kinds = ["a", "b", "c"];
    for file in 0..10_usize {
        let mut rows = (0..6)
            .map(|row| (60 + file * 7 + row, kinds[(file + row) % 3], row + 1))
            .collect::<Vec<_>>();
        if file % 3 == 2 {
            rows.extend([(30 + file * 7, "a", 1000), (52 + file * 7, "b", 50)]);
        }
        let lines = rows.into_iter().map(|(minute, kind, n)| {
            let at = format!("2026-01-01T{:02}:{:02}:00Z", minute / 60, minute % 60);
            format!("{{\"at\":\"{at}\",\"kind\":\"{kind}\",\"n\":{n}}}\n")
        });
        let path = folder.join(format!("{file:02}.json"));
        fs::write(path, lines.collect::<String>()).expect("a file");
    }
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
    let batches = match output {
        Output::Parquet => parquet_rows(&folder.join("out")).await,
        Output::Memory => {
            let table = session.table("counted").expect("a table");
            table.collect().await.expect("rows")
        }
    };
    sorted_lines(&batches)
}

/// The rows of a folder in which nothing but whole files may be.
async fn parquet_rows(folder: &Path) -> Vec<RecordBatch> {
    for entry in fs::read_dir(folder).expect("a folder") {
        let name = entry
            .expect("an entry")
            .file_name()
            .into_string()
            .expect("a name");
        assert!(
            name.starts_with("part-") && name.ends_with(".parquet"),
            "leftover {name}"
        );
    }
    let folder = folder.to_str().expect("a plain path");
    let frame = SessionContext::new()
        .read_parquet(folder, ParquetReadOptions::default())
        .await
        .expect("Parquet files");
    frame.collect().await.expect("rows")
}

fn sorted_lines(batches: &[RecordBatch]) -> Vec<String> {
    let text = pretty_format_batches(batches).expect("text").to_string();
    let mut lines = text.lines().map(str::to_owned).collect::<Vec<_>>();
    lines.sort();
    lines
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a copy");
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
    write_events(&events);
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
