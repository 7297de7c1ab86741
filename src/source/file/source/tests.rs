use arrow::array::AsArray;
use arrow::record_batch::RecordBatch;
use filetime::{FileTime, set_file_mtime};
use futures::TryStreamExt;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::clock::ManualClock;
use crate::error::ErrorKind;

const DAY: i64 = 86_400;
/// Long enough that only a broken wait reaches it.
const PATIENCE: Duration = Duration::from_secs(20);

fn folder() -> TempDir {
    tempfile::tempdir().expect("makes a folder")
}

/// Writes a file of one line, its own name, with a modification time in seconds.
fn put(folder: &TempDir, name: &str, seconds: i64) {
    let path = folder.path().join(name);
    fs::write(&path, format!("{name}\n")).expect("writes");
    set_file_mtime(&path, FileTime::from_unix_time(seconds, 0)).expect("sets the time");
}

fn open(folder: &TempDir, options: &[(&str, &str)]) -> FileSource {
    let mut all: Options = options.iter().copied().collect();
    if !all.contains("path") {
        all.set("path", folder.path().to_str().expect("is text"));
    }
    FileSource::try_new("text", None, &all, &FileContext::default()).expect("opens")
}

async fn plan(source: &FileSource, start: Option<&Offset>) -> Option<PlannedOffset> {
    source
        .latest_offset(start, ReadLimit::Configured)
        .await
        .expect("lists")
}

async fn try_rows(source: &FileSource, start: Option<&Offset>, end: &Offset) -> Result<Vec<String>> {
    let mut rows = Vec::new();
    for stream in source.read(start, end, &[0], 4).await? {
        let batches: Vec<RecordBatch> = stream.try_collect().await?;
        for batch in &batches {
            rows.extend(
                batch
                    .column(0)
                    .as_string::<i32>()
                    .iter()
                    .flatten()
                    .map(str::to_owned),
            );
        }
    }
    Ok(rows)
}

async fn rows(source: &FileSource, start: Option<&Offset>, end: &Offset) -> Vec<String> {
    try_rows(source, start, end).await.expect("reads")
}

/// Runs batches until there is nothing new; gives the rows of each.
async fn run(source: &FileSource) -> Vec<Vec<String>> {
    let mut batches = Vec::new();
    let mut start: Option<Offset> = None;
    while let Some(planned) = plan(source, start.as_ref()).await {
        batches.push(rows(source, start.as_ref(), &planned.end).await);
        source.commit(&planned.end).await.expect("is planned");
        start = Some(planned.end);
    }
    batches
}

#[tokio::test]
async fn everything_that_is_there_is_the_first_batch() {
    let folder = folder();
    put(&folder, "b", 10);
    put(&folder, "a", 20);
    put(&folder, "c", 10);
    let source = open(&folder, &[]);
    assert_eq!(
        source.description(),
        format!("FileStreamSource[file:{}]", folder.path().display())
    );
    let first = plan(&source, None).await.expect("has files");
    assert_eq!(first.end, json!({"logOffset": 0}));
    let entry = first.log_entry.as_ref().expect("is kept");
    assert_eq!(entry["files"][0]["timestamp"], json!(10_000));
    assert_eq!(
        plan(&source, None).await.as_ref(),
        Some(&first),
        "asking again changes nothing"
    );
    assert_eq!(rows(&source, None, &first.end).await, ["b", "c", "a"]);
    assert_eq!(plan(&source, Some(&first.end)).await, None);
    put(&folder, "late", 5);
    let second = plan(&source, Some(&first.end)).await.expect("has a file");
    assert_eq!(second.end, json!({"logOffset": 1}));
    assert_eq!(rows(&source, Some(&first.end), &second.end).await, ["late"]);
    assert_eq!(rows(&source, None, &second.end).await, ["b", "c", "a", "late"]);
    assert_eq!(source.newest_known(), Some(second.end));
}

#[tokio::test]
async fn limits_make_batches() {
    let folder = folder();
    for (seconds, name) in (100..).zip(["v", "w", "x", "y", "z"]) {
        put(&folder, name, seconds);
    }
    let by_files = open(&folder, &[("maxFilesPerTrigger", "2")]);
    assert_eq!(run(&by_files).await, [vec!["v", "w"], vec!["x", "y"], vec!["z"]]);
    let by_bytes = open(&folder, &[("maxBytesPerTrigger", "5")]);
    assert_eq!(run(&by_bytes).await, [vec!["v", "w"], vec!["x", "y"], vec!["z"]]);
    let one_byte = open(&folder, &[("maxBytesPerTrigger", "1")]);
    assert_eq!(run(&one_byte).await.len(), 5, "a batch takes at least one file");
    let latest = open(&folder, &[("maxFilesPerTrigger", "2"), ("latestFirst", "true")]);
    assert_eq!(run(&latest).await, [vec!["z", "y"], vec!["x", "w"], vec!["v"]]);
    let unlimited = open(&folder, &[("maxFilesPerTrigger", "2")]);
    let all = unlimited
        .latest_offset(None, ReadLimit::Unlimited)
        .await
        .expect("lists");
    assert_eq!(
        rows(&unlimited, None, &all.expect("has files").end).await.len(),
        5
    );
}

#[tokio::test]
async fn what_an_earlier_listing_found_is_looked_at_again() {
    let folder = folder();
    for name in ["a", "b", "c", "d", "e"] {
        put(&folder, name, 100);
    }
    let source = open(&folder, &[("maxFilesPerTrigger", "2")]);
    let first = plan(&source, None).await.expect("has files");
    fs::remove_file(folder.path().join("c")).expect("removes");
    fs::write(folder.path().join("d"), "d\nlonger\n").expect("writes");
    let second = plan(&source, Some(&first.end)).await.expect("has a file");
    assert_eq!(
        rows(&source, Some(&first.end), &second.end).await,
        ["d", "longer"]
    );
}

#[tokio::test]
async fn latest_first_takes_what_came_meanwhile() {
    let folder = folder();
    put(&folder, "a", 1);
    put(&folder, "b", 2);
    put(&folder, "c", 3);
    let source = open(&folder, &[("maxFilesPerTrigger", "1"), ("latestFirst", "true")]);
    let first = plan(&source, None).await.expect("has a file");
    put(&folder, "d", 4);
    let second = plan(&source, Some(&first.end)).await.expect("has a file");
    assert_eq!(rows(&source, None, &second.end).await, ["c", "d"]);
}

#[tokio::test]
async fn available_now_reads_what_was_there_within_the_limits() {
    let folder = folder();
    put(&folder, "a", 1);
    put(&folder, "b", 2);
    put(&folder, "c", 3);
    let source = open(&folder, &[("maxFilesPerTrigger", "2")]);
    source.prepare_available_now().await.expect("lists");
    put(&folder, "d", 0);
    assert_eq!(run(&source).await, [vec!["a", "b"], vec!["c"]]);
}

#[tokio::test]
async fn a_restart_replays_its_batch_and_goes_on() {
    let folder = folder();
    put(&folder, "a", 10);
    put(&folder, "b", 20);
    let before = open(&folder, &[("maxFilesPerTrigger", "1")]);
    let first = plan(&before, None).await.expect("has a file");
    let second = plan(&before, Some(&first.end)).await.expect("has a file");
    let entry = |planned: &PlannedOffset| planned.log_entry.clone().expect("is kept");
    let log = vec![(0, entry(&first)), (3, entry(&second))];
    put(&folder, "c", 5);
    let after = open(&folder, &[("maxFilesPerTrigger", "1")]);
    after.restore(log).await.expect("is its own");
    assert_eq!(
        plan(&after, Some(&first.end)).await.as_ref(),
        Some(&second),
        "the batch that was planned"
    );
    assert_eq!(rows(&after, Some(&first.end), &second.end).await, ["b"]);
    after.commit(&second.end).await.expect("is planned");
    let third = plan(&after, Some(&second.end)).await.expect("has a file");
    assert_eq!(third.end, json!({"logOffset": 2}));
    assert_eq!(rows(&after, Some(&second.end), &third.end).await, ["c"]);
    assert_eq!(plan(&after, Some(&third.end)).await, None);
}

#[tokio::test]
async fn a_file_grown_since_gives_the_same_rows_again() {
    let folder = folder();
    put(&folder, "a", 10);
    let source = open(&folder, &[]);
    let first = plan(&source, None).await.expect("has a file");
    fs::write(folder.path().join("a"), "a\nmore\n").expect("writes");
    assert_eq!(rows(&source, None, &first.end).await, ["a"]);
}

#[tokio::test]
async fn a_checkpoint_of_something_else_is_refused() {
    let folder = folder();
    put(&folder, "a", 10);
    let source = open(&folder, &[]);
    let error = source
        .latest_offset(Some(&json!({"logOffset": 4})), ReadLimit::Configured)
        .await
        .expect_err("has no log");
    assert_eq!(error.kind(), ErrorKind::Checkpoint);
    assert_eq!(
        error.message(),
        "the query is at logOffset 4, but the log of the file source ends at none"
    );
}

#[tokio::test]
async fn old_files_are_passed_over_unless_the_newest_come_first() {
    let folder = folder();
    put(&folder, "new", 100 * DAY);
    let week = open(&folder, &[]);
    let first = plan(&week, None).await.expect("has a file");
    put(&folder, "old", 92 * DAY);
    put(&folder, "young", 94 * DAY);
    let second = plan(&week, Some(&first.end)).await.expect("has a file");
    assert_eq!(rows(&week, Some(&first.end), &second.end).await, ["young"]);
    let latest = open(&folder, &[("latestFirst", "true"), ("maxFilesPerTrigger", "1")]);
    assert_eq!(run(&latest).await, [["new"], ["young"], ["old"]]);
    let short = open(&folder, &[("maxFileAge", "1 hour"), ("maxFilesPerTrigger", "1")]);
    assert_eq!(
        run(&short).await.len(),
        3,
        "from old to new nothing is older than what was taken"
    );
}

#[tokio::test]
async fn a_vanished_file_fails_unless_that_is_allowed() {
    let folder = folder();
    put(&folder, "a", 10);
    put(&folder, "b", 20);
    for lenient in [false, true] {
        let source = open(
            &folder,
            &[("ignoreMissingFiles", if lenient { "true" } else { "false" })],
        );
        put(&folder, "a", 10);
        let first = plan(&source, None).await.expect("has files");
        fs::remove_file(folder.path().join("a")).expect("removes");
        match try_rows(&source, None, &first.end).await {
            Ok(rows) => assert_eq!((lenient, rows), (true, vec!["b".to_owned()])),
            Err(error) => {
                assert_eq!((lenient, error.kind()), (false, ErrorKind::Source));
                let path = folder.path().join("a");
                assert_eq!(
                    error.message(),
                    format!("file \"{}\" vanished before it was read", path.display())
                );
                put(&folder, "a", 10);
                assert_eq!(
                    rows(&source, None, &first.end).await,
                    ["a", "b"],
                    "it goes on once it is back"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_folder_that_vanishes_is_an_error_that_mends() {
    let outer = folder();
    let inner = outer.path().join("in");
    fs::create_dir(&inner).expect("makes a folder");
    let source = open(&outer, &[("path", inner.to_str().expect("is text"))]);
    assert_eq!(plan(&source, None).await, None);
    fs::remove_dir(&inner).expect("removes");
    let error = source
        .latest_offset(None, ReadLimit::Configured)
        .await
        .expect_err("is gone");
    assert_eq!(
        error.message(),
        format!("path \"{}\" does not exist", inner.display())
    );
    tokio::time::timeout(PATIENCE, source.wait_for_data(None))
        .await
        .expect("an error ends the wait");
    fs::create_dir(&inner).expect("makes a folder");
    fs::write(inner.join("a"), "a\n").expect("writes");
    assert!(plan(&source, None).await.is_some());
}

/// Waits in a task of its own; comes back when the watch stands.
async fn begin_wait(source: &Arc<FileSource>, start: Option<Offset>) -> tokio::task::JoinHandle<()> {
    let waiting = Arc::clone(source);
    let task = tokio::spawn(async move { waiting.wait_for_data(start.as_ref()).await });
    while source.shared.watch.lock().is_none() {
        tokio::task::yield_now().await;
    }
    assert!(!task.is_finished(), "there is nothing new");
    task
}

#[tokio::test]
async fn waiting_ends_when_a_file_is_moved_in() {
    let folder = folder();
    put(&folder, "a", 10);
    let mut source = open(&folder, &[]);
    // Only the notification can end this wait in time.
    source.poll_interval = Duration::from_hours(1);
    let source = Arc::new(source);
    let first = plan(&source, None).await.expect("has a file");
    let waiting = begin_wait(&source, Some(first.end.clone())).await;
    fs::write(folder.path().join(".b.tmp"), "b\n").expect("writes");
    fs::rename(folder.path().join(".b.tmp"), folder.path().join("b")).expect("moves");
    let ended = tokio::time::timeout(PATIENCE, waiting)
        .await
        .expect("the move was noticed");
    ended.expect("did not panic");
    let second = plan(&source, Some(&first.end)).await.expect("has a file");
    assert_eq!(rows(&source, Some(&first.end), &second.end).await, ["b"]);
}

/// A source without notification, as on a file system that has none, which polls often.
fn open_polling(folder: &TempDir) -> Arc<FileSource> {
    let mut source = open(folder, &[]);
    source.poll_interval = Duration::from_millis(1);
    *source.shared.watch.lock() = Some(FolderWatch::new(Arc::new(Notify::new())));
    Arc::new(source)
}

#[tokio::test]
async fn polling_alone_finds_files_too() {
    let folder = folder();
    let source = open_polling(&folder);
    assert_eq!(plan(&source, None).await, None);
    let waiting = begin_wait(&source, None).await;
    put(&folder, "a", 10);
    let ended = tokio::time::timeout(PATIENCE, waiting)
        .await
        .expect("the poll found it");
    ended.expect("did not panic");
}

#[tokio::test]
async fn polling_sees_a_file_that_gets_its_bytes_late() {
    let folder = folder();
    fs::write(folder.path().join("a"), "").expect("writes");
    let source = open_polling(&folder);
    assert_eq!(
        plan(&source, None).await,
        None,
        "a new file without bytes is left alone"
    );
    let waiting = begin_wait(&source, None).await;
    fs::write(folder.path().join("a"), "now\n").expect("writes");
    let ended = tokio::time::timeout(PATIENCE, waiting)
        .await
        .expect("the poll found it");
    ended.expect("did not panic");
    let first = plan(&source, None).await.expect("has a file");
    assert_eq!(rows(&source, None, &first.end).await, ["now"]);
}

#[tokio::test]
async fn an_empty_file_counts_once_it_is_settled() {
    let folder = folder();
    put(&folder, "a", 100);
    put(&folder, "c", 102);
    fs::write(folder.path().join("b"), "").expect("writes");
    set_file_mtime(folder.path().join("b"), FileTime::from_unix_time(101, 0)).expect("sets the time");
    let clock = Arc::new(ManualClock::new(102_999));
    let options: Options = [
        ("path", folder.path().to_str().expect("is text")),
        ("maxFilesPerTrigger", "1"),
    ]
    .into_iter()
    .collect();
    let context = FileContext {
        clock: Arc::<ManualClock>::clone(&clock),
        ..FileContext::default()
    };
    let source = FileSource::try_new("text", None, &options, &context).expect("opens");
    assert_eq!(run(&source).await, [["a"], ["c"]]);
    clock.advance_ms(1);
    let source = FileSource::try_new("text", None, &options, &context).expect("opens");
    assert_eq!(
        run(&source).await,
        [vec!["a"], vec![], vec!["c"]],
        "a batch without rows, as in Spark"
    );
}

#[tokio::test]
async fn a_poll_looks_for_a_reason_to_list() {
    let folder = folder();
    put(&folder, "a", 10);
    let source = open(&folder, &[]);
    let first = plan(&source, None).await.expect("has a file");
    assert!(!source.shared.folders_changed());
    set_file_mtime(folder.path(), FileTime::from_unix_time(DAY, 0)).expect("sets the time");
    assert!(source.shared.folders_changed());
    assert_eq!(plan(&source, Some(&first.end)).await, None);
    assert!(!source.shared.folders_changed(), "the listing has answered it");
    fs::write(folder.path().join("empty"), "").expect("writes");
    assert_eq!(plan(&source, Some(&first.end)).await, None);
    assert!(source.shared.folders_changed(), "the empty file may get bytes");
}

#[tokio::test]
async fn waiting_is_over_at_once_when_something_is_there() {
    let folder = folder();
    put(&folder, "a", 10);
    let source = open(&folder, &[]);
    let wait = |start| async {
        let start: Option<Offset> = start;
        tokio::time::timeout(PATIENCE, source.wait_for_data(start.as_ref()))
            .await
            .expect("has data");
    };
    wait(None).await;
    let first = plan(&source, None).await.expect("has a file");
    wait(None).await;
    put(&folder, "b", 20);
    wait(Some(first.end)).await;
}

#[test]
fn options_are_checked() {
    let folder = folder();
    let refuse = |format: &str, options: &[(&str, &str)]| {
        let mut all: Options = options.iter().copied().collect();
        if !all.contains("path") {
            all.set("path", folder.path().to_str().expect("is text"));
        }
        let error = FileSource::try_new(format, None, &all, &FileContext::default()).expect_err("is wrong");
        (error.kind(), error.message().to_owned())
    };
    let statement = |message: &str| (ErrorKind::Statement, message.to_owned());
    assert_eq!(refuse("texd", &[]), statement("there is no file format \"texd\""));
    assert_eq!(
        refuse("text", &[("maxFilePerTrigger", "1")]),
        statement("text has no option \"maxFilePerTrigger\"")
    );
    assert_eq!(
        refuse(
            "text",
            &[("maxFilesPerTrigger", "1"), ("maxBytesPerTrigger", "1")]
        ),
        statement("options \"maxFilesPerTrigger\" and \"maxBytesPerTrigger\" cannot both be set")
    );
    assert_eq!(
        refuse("text", &[("path", " ")]),
        statement("a text source needs the option \"path\"")
    );
    assert_eq!(
        refuse("text", &[("encoding", "latin1")]),
        statement("option \"encoding\" cannot be 'latin1'")
    );
    let missing = refuse("text", &[("path", "/nowhere/at/all")]);
    assert_eq!(
        missing,
        (
            ErrorKind::Source,
            "path \"/nowhere/at/all\" does not exist".to_owned()
        )
    );
}

#[tokio::test]
async fn relative_paths_begin_at_the_base() {
    let outer = folder();
    fs::create_dir(outer.path().join("in")).expect("makes a folder");
    fs::write(outer.path().join("in/a"), "a\n").expect("writes");
    let options: Options = [("path", "in")].into_iter().collect();
    let context = FileContext {
        base: outer.path().to_owned(),
        ..FileContext::default()
    };
    let source = FileSource::try_new("TEXT", None, &options, &context).expect("opens");
    assert_eq!(run(&source).await, [["a"]]);
}
