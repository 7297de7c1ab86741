//! A checkpoint in other circumstances than its own: held by another process, damaged, older than the query.
#![allow(missing_docs)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use highwater::checkpoint::open::FILE_NAME;
use highwater::error::{ErrorKind, Result};
use highwater::session::Session;
use support::{Random, TIMEOUT, copy_folder, sorted_lines, write_events};

/// The SELECT of most queries here.
const COUNTED: &str = "SELECT window.start AS start, kind, count(*) AS events, sum(n) AS total \
                       FROM events GROUP BY window(at, '10 minutes'), kind";

/// A pipeline of one query, `counted`, into memory, with its checkpoint in `folder`.
fn pipeline(events: &Path, folder: &Path, trigger: &str, select: &str) -> String {
    format!(
        "CREATE STREAM events (at TIMESTAMP, kind STRING, n BIGINT)\n\
         USING json OPTIONS (path '{}', maxFilesPerTrigger '1') WATERMARK at DELAY OF INTERVAL 5 MINUTES;\n\
         CREATE STREAMING QUERY counted OUTPUT MODE UPDATE {trigger} CHECKPOINT '{}' SINK memory AS {select};\n",
        events.display(),
        folder.display(),
    )
}

/// Runs a script whose query `counted` ends by itself.
async fn run_to_end(script: &str) -> Result<Session> {
    let session = Session::builder().threads(1).build()?;
    let work = async {
        session.sql(script).await?;
        let query = session.streams().get_by_name("counted")?;
        query.await_termination(Some(TIMEOUT)).await
    };
    let ended = tokio::time::timeout(TIMEOUT, work).await.expect("ends in time")?;
    assert!(ended, "the query ends in time");
    Ok(session)
}

/// As [`run_to_end`], and gives the rows of the query's table, sorted.
async fn run(script: &str) -> Result<Vec<String>> {
    let rows = run_to_end(script).await?.table("counted")?.collect().await?;
    Ok(sorted_lines(&rows))
}

async fn run_available_now(events: &Path, folder: &Path) -> Result<Vec<String>> {
    run(&pipeline(events, folder, "TRIGGER AVAILABLE NOW", COUNTED)).await
}

/// A process that is killed when the test ends, however it does.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may be over already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn binary(script: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_highwater"));
    command
        .args(["run", "--output", "json"])
        .arg(script)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs the binary to its end, which it must come to in time.
fn run_binary(script: &Path) -> Output {
    let child = binary(script).spawn().expect("the binary starts");
    let id = child.id();
    let (sender, ended) = channel();
    thread::spawn(move || sender.send(child.wait_with_output()));
    let output = ended.recv_timeout(TIMEOUT);
    let output = output.unwrap_or_else(|_| panic!("process {id} ends in time"));
    output.expect("output")
}

#[test]
fn a_second_process_is_refused_and_told_who_has_the_checkpoint() {
    let base = tempfile::tempdir().expect("a folder");
    let (events, folder) = (base.path().join("events"), base.path().join("checkpoint"));
    write_events(&events, 0..3);
    let script = base.path().join("pipeline.sql");
    fs::write(&script, pipeline(&events, &folder, "", COUNTED)).expect("a file");
    let mut first = Process(binary(&script).spawn().expect("the binary starts"));
    let stdout = first.0.stdout.take().expect("a pipe");
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(std::result::Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    while !lines
        .recv_timeout(TIMEOUT)
        .expect("the first process runs batches")
        .contains("\"event\":\"progress\"")
    {}

    let second = run_binary(&script);
    let narration = String::from_utf8_lossy(&second.stderr);
    let owner = format!("is in use by process {}", first.0.id());
    assert_eq!(second.status.code(), Some(1), "{narration}");
    assert!(narration.contains(&owner), "{narration}");
    assert!(String::from_utf8_lossy(&second.stdout).contains(&owner));

    // Nothing of a killed process is in the way of the next one.
    drop(first);
    fs::write(
        &script,
        pipeline(&events, &folder, "TRIGGER AVAILABLE NOW", COUNTED),
    )
    .expect("a file");
    let third = run_binary(&script);
    assert!(
        third.status.success(),
        "{}",
        String::from_utf8_lossy(&third.stderr)
    );
}

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// From now on, counts the panics that somebody would read of.
fn count_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICS.fetch_add(1, Ordering::SeqCst);
            hook(info);
        }));
    });
}

/// A checkpoint of ten files, more files to read, and what comes out then.
struct Damage {
    base: tempfile::TempDir,
    bytes: Vec<u8>,
    expected: Vec<String>,
}

impl Damage {
    async fn prepare() -> Self {
        count_panics();
        let base = tempfile::tempdir().expect("a folder");
        let (events, folder) = (base.path().join("events"), base.path().join("sound"));
        write_events(&events, 0..10);
        run_available_now(&events, &folder).await.expect("runs");
        write_events(&events, 10..13);
        let bytes = fs::read(folder.join(FILE_NAME)).expect("a checkpoint");
        let copy = base.path().join("copy");
        copy_folder(&folder, &copy);
        let expected = run_available_now(&events, &copy).await.expect("runs");
        Self {
            base,
            bytes,
            expected,
        }
    }

    /// Runs the query on other bytes: they are refused and stay as they are, or the rows are right. Says whether
    /// they were refused.
    async fn is_refused(&self, bytes: &[u8], what: &str) -> bool {
        let folder = self.base.path().join("damaged");
        fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join(FILE_NAME);
        fs::write(&path, bytes).expect("a file");
        let result = run_available_now(&self.base.path().join("events"), &folder).await;
        assert_eq!(PANICS.load(Ordering::SeqCst), 0, "{what}");
        match result {
            Ok(rows) => {
                assert_eq!(rows, self.expected, "{what}");
                false
            }
            Err(error) => {
                let report = error.report();
                assert!(report.contains("damaged"), "{what}: {report}");
                assert!(
                    matches!(error.kind(), ErrorKind::Checkpoint | ErrorKind::Statement),
                    "{what}: {:?}",
                    error.kind()
                );
                assert!(
                    fs::read(&path).expect("a file") == bytes,
                    "{what}: the file was changed"
                );
                true
            }
        }
    }
}

#[tokio::test]
async fn a_truncated_checkpoint_is_refused_and_not_changed() {
    let damage = Damage::prepare().await;
    let len = damage.bytes.len();
    for cut in [
        0,
        1,
        9,
        64,
        319,
        320,
        4095,
        4096,
        4097,
        40_000,
        len / 2,
        len - 4096,
        len - 1,
    ] {
        let is_refused = damage
            .is_refused(&damage.bytes[..cut], &format!("{cut} bytes of {len}"))
            .await;
        assert!(is_refused, "{cut} bytes of {len}");
    }
    let garbage = vec![0xa5; len];
    assert!(damage.is_refused(&garbage, "garbage").await);
    let zeros = vec![0; len];
    assert!(damage.is_refused(&zeros, "zeros").await);
}

#[tokio::test]
async fn a_flipped_bit_is_refused_or_does_no_harm() {
    let damage = Damage::prepare().await;
    let used = damage.bytes.iter().enumerate().filter(|(_, byte)| **byte != 0);
    let used = used.map(|(at, _)| at).collect::<Vec<_>>();
    let mut random = Random(42);
    let mut pick = |end: usize| usize::try_from(random.below(end as u64)).expect("small");
    let mut refused = 0;
    for round in 0..240 {
        // The header, what is in use, and anywhere.
        let at = match round % 4 {
            0 => pick(320),
            1 | 2 => used[pick(used.len())],
            _ => pick(damage.bytes.len()),
        };
        let mut bytes = damage.bytes.clone();
        let bit = pick(8);
        bytes[at] ^= 1 << bit;
        let is_refused = damage
            .is_refused(&bytes, &format!("bit {bit} of byte {at}"))
            .await;
        refused += usize::from(is_refused);
    }
    assert!(refused > 60, "{refused} of 240 were refused");
}

#[tokio::test]
async fn the_binary_tells_of_damage_without_a_panic() {
    let damage = Damage::prepare().await;
    let folder = damage.base.path().join("damaged");
    fs::create_dir_all(&folder).expect("a folder");
    let script = damage.base.path().join("pipeline.sql");
    let text = pipeline(
        &damage.base.path().join("events"),
        &folder,
        "TRIGGER AVAILABLE NOW",
        COUNTED,
    );
    fs::write(&script, text).expect("a file");
    let cut = &damage.bytes[..damage.bytes.len() / 2];
    fs::write(folder.join(FILE_NAME), cut).expect("a file");
    let output = run_binary(&script);
    let narration = String::from_utf8_lossy(&output.stderr);
    assert_ne!(output.status.code(), Some(0), "{narration}");
    assert!(
        narration.contains("is damaged") && narration.contains("It was not changed."),
        "{narration}"
    );
    assert!(!narration.contains("panic"), "{narration}");
    assert!(
        fs::read(folder.join(FILE_NAME)).expect("a file") == cut,
        "the file was changed"
    );
}

#[tokio::test]
async fn what_a_crash_left_of_a_new_checkpoint_is_not_in_the_way() {
    let base = tempfile::tempdir().expect("a folder");
    let (events, folder) = (base.path().join("events"), base.path().join("checkpoint"));
    write_events(&events, 0..3);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(format!("{FILE_NAME}.new")), b"half a checkpoint").expect("a file");
    let rows = run_available_now(&events, &folder).await.expect("runs");
    assert!(rows.len() > 5, "{rows:#?}");
    let left = fs::read_dir(&folder).expect("a folder").count();
    assert_eq!(left, 2, "the checkpoint, and who had it last");
}

#[tokio::test]
async fn other_state_is_refused_with_both_sides_shown() {
    let base = tempfile::tempdir().expect("a folder");
    let (events, folder) = (base.path().join("events"), base.path().join("checkpoint"));
    write_events(&events, 0..3);
    run_available_now(&events, &folder).await.expect("runs");
    let before = fs::read(folder.join(FILE_NAME)).expect("a checkpoint");
    for (from, to, stored, wanted) in [
        ("sum(n)", "max(n)", "sum(", "max("),
        ("sum(n)", "sum(n * 2)", "sum(n)", "2"),
        ("count(*) AS events, ", "", "count(", "sum("),
        (", kind", "", "kind", "aggregate"),
        ("'10 minutes'", "'20 minutes'", "10 minutes", "20 minutes"),
        (
            "'10 minutes'",
            "'10 minutes', '10 minutes', '3 minutes'",
            "10 minutes",
            "3 minutes",
        ),
    ] {
        let select = COUNTED.replace(from, to);
        let script = pipeline(&events, &folder, "TRIGGER AVAILABLE NOW", &select);
        let error = run(&script).await.expect_err("another query");
        let report = error.report();
        let sides = report
            .split_once("checkpoint:")
            .and_then(|(_, rest)| rest.split_once("query:"));
        let (left, right) = sides.unwrap_or_else(|| panic!("both sides are shown: {report}"));
        assert!(left.contains(stored) && right.contains(wanted), "{report}");
        let after = fs::read(folder.join(FILE_NAME)).expect("a checkpoint");
        assert!(before == after, "a refused query changes nothing");
    }
}

#[tokio::test]
async fn another_window_is_refused_without_a_watermark_too() {
    let base = tempfile::tempdir().expect("a folder");
    let (events, folder) = (base.path().join("events"), base.path().join("checkpoint"));
    write_events(&events, 0..3);
    let script = |select: &str| {
        pipeline(&events, &folder, "TRIGGER AVAILABLE NOW", select)
            .replace(" WATERMARK at DELAY OF INTERVAL 5 MINUTES", "")
    };
    run(&script(COUNTED)).await.expect("runs");
    for other in ["'20 minutes'", "'10 minutes', '10 minutes', '3 minutes'"] {
        let error = run(&script(&COUNTED.replace("'10 minutes'", other)))
            .await
            .expect_err("another query");
        assert!(
            error.report().contains("belongs to a query with other state"),
            "{other}"
        );
    }
}

#[tokio::test]
async fn another_output_mode_and_a_table_that_would_lack_rows_are_refused() {
    let base = tempfile::tempdir().expect("a folder");
    let (events, folder) = (base.path().join("events"), base.path().join("checkpoint"));
    write_events(&events, 0..3);
    let select = "SELECT kind, count(*) AS events FROM events GROUP BY kind";
    let script = |clauses: &str| {
        let text = pipeline(&events, &folder, "TRIGGER AVAILABLE NOW", select);
        text.replace(" SINK memory", "")
            .replace("OUTPUT MODE UPDATE", clauses)
    };
    run_to_end(&script("OUTPUT MODE UPDATE SINK noop"))
        .await
        .expect("runs");
    for (clauses, stored, wanted) in [
        (
            "OUTPUT MODE COMPLETE SINK noop",
            "checkpoint: update",
            "query:      complete",
        ),
        (
            "OUTPUT MODE UPDATE SINK memory",
            "checkpoint: NoopSink",
            "query:      MemorySink",
        ),
    ] {
        let error = run_to_end(&script(clauses)).await.expect_err("another query");
        let report = error.report();
        assert!(report.contains(stored) && report.contains(wanted), "{report}");
    }
    // A sink that keeps no rows may take over, and goes on.
    let session = run_to_end(&script("OUTPUT MODE UPDATE SINK console"))
        .await
        .expect("goes on");
    let query = session.streams().get_by_name("counted").expect("a query");
    assert!(query.last_progress().is_none(), "nothing is read again");
}

/// The numbers of events in all rows.
async fn total_events(script: &str) -> i64 {
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;
    let session = Session::builder().threads(1).build().expect("a session");
    session.sql(script).await.expect("a right script");
    let query = session.streams().get_by_name("counted").expect("a query");
    let ended = query.await_termination(Some(TIMEOUT)).await.expect("ends well");
    assert!(ended, "the query ends in time");
    let rows = session.table("counted").expect("a table");
    let rows = rows
        .select(["events"])
        .expect("a column")
        .collect()
        .await
        .expect("rows");
    let sums = rows.iter().map(|rows| {
        rows.column(0)
            .as_primitive::<Int64Type>()
            .values()
            .iter()
            .sum::<i64>()
    });
    sums.sum()
}

#[tokio::test]
async fn a_changed_filter_and_a_new_source_go_on() {
    let base = tempfile::tempdir().expect("a folder");
    let (events, folder) = (base.path().join("events"), base.path().join("checkpoint"));
    let more = base.path().join("more");
    let now = "TRIGGER AVAILABLE NOW";
    let plain = "SELECT kind, count(*) AS events, sum(n) AS total FROM events GROUP BY kind";
    write_events(&events, 0..2);
    assert_eq!(total_events(&pipeline(&events, &folder, now, plain)).await, 12);
    write_events(&events, 2..4);
    let filtered = plain.replace("GROUP", "WHERE n <= 3 GROUP");
    let filtered = pipeline(&events, &folder, now, &filtered);
    assert_eq!(
        total_events(&filtered).await,
        12 + 6,
        "three of six rows a file pass"
    );
    write_events(&more, 4..6);
    let second = format!(
        "CREATE STREAM more (at TIMESTAMP, kind STRING, n BIGINT) USING json OPTIONS (path '{}');\n",
        more.display()
    );
    let both = plain.replace(
        "FROM events",
        "FROM (SELECT kind, n FROM events UNION ALL SELECT kind, n FROM more)",
    );
    let both = second + &pipeline(&events, &folder, now, &both);
    assert_eq!(
        total_events(&both).await,
        18 + 12 + 2,
        "the new source's files, late rows and all"
    );
    write_events(&events, 6..7);
    write_events(&more, 7..8);
    assert_eq!(total_events(&both).await, 32 + 12);
}
