//! What stateful operators cost: beside each other, beside Spark, and beside themselves with more state.
//!
//! ```text
//! cargo bench --bench operators
//! ```
//!
//! 1. One-hour windows over 4 million rows: tumbling, and sliding by a minute.
//! 2. Sessions of 100,000 keys, deduplication of 5 million distinct keys, and a join of two streams that keeps an
//!    hour: rows a second, beside what `benches/spark/operators.py` measured over the same files (run by hand; it
//!    leaves its numbers in `benches/spark/rows_per_second.json`).
//! 3. The time of a batch of 1,000 rows over a state of 10,000 rows, and over one of a million.
//!
//! All rows are JSON, generated once under the target folder. Checkpoints are on, sinks write nothing.
#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation
)]

#[path = "support/events.rs"]
mod events;

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use highwater::session::Session;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RUNS: usize = 3;

#[tokio::main]
async fn main() {
    // The name of one measurement may be given, to profile it.
    let only = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let spark = std::fs::read_to_string("benches/spark/rows_per_second.json").unwrap_or_default();
    let spark = serde_json::from_str::<serde_json::Value>(&spark).unwrap_or_default();
    if wanted("windows") {
        windows().await;
    }
    for (name, rows, script) in [sessions(), deduplication(), join()] {
        if !wanted(name) {
            continue;
        }
        let best = best_of(&script, rows as u64).await;
        let rate = rows as f64 / best.as_secs_f64();
        let beside = match spark["rows_per_second"][name].as_f64() {
            Some(spark) => format!("Spark {spark:>9.0} rows/s   ratio {:.1}", rate / spark),
            None => "Spark was not measured".to_string(),
        };
        println!("{name:<15} {rate:>12.0} rows/s   {beside}");
    }
    if wanted("state") {
        growing_state().await;
    }
}

async fn windows() {
    let folder = events::generate("events-4m", 40, 100_000);
    let script = |window: &str| {
        format!(
            "CREATE STREAM events ({}) USING json OPTIONS (path '{}', maxFilesPerTrigger '4')
               WATERMARK event_time DELAY OF INTERVAL 1 MINUTE;
             CREATE STREAMING QUERY q OUTPUT MODE UPDATE TRIGGER AVAILABLE NOW SINK noop AS
               SELECT window, action, count(*) AS n, avg(amount) AS mean FROM events
               GROUP BY window(event_time, {window}), action;",
            events::SCHEMA,
            folder.display()
        )
    };
    let tumbling = best_of(&script("'1 hour'"), 4_000_000).await;
    let sliding = best_of(&script("'1 hour', '1 minute'"), 4_000_000).await;
    let rate = |time: Duration| 4e6 / time.as_secs_f64();
    println!("1 hour, tumbling            {:>12.0} rows/s", rate(tumbling));
    println!(
        "1 hour, sliding by 1 minute {:>12.0} rows/s   cost {:.2} of the tumbling",
        rate(sliding),
        sliding.as_secs_f64() / tumbling.as_secs_f64()
    );
}

fn sessions() -> (&'static str, usize, String) {
    let mut number = 0_u64;
    let folder = events::lines("sessions-4m", 40, 100_000, |out, next| {
        let time = events::timestamp(number * 25 + next(20_000));
        let user = next(100_000);
        let amount = next(500);
        writeln!(
            out,
            r#"{{"user_id":"u{user:05}","event_time":"{time}","amount":{amount}.5}}"#
        )
        .expect("writes");
        number += 1;
    });
    let script = format!(
        "CREATE STREAM events (user_id STRING, event_time TIMESTAMP, amount DOUBLE)
           USING json OPTIONS (path '{}', maxFilesPerTrigger '4') WATERMARK event_time DELAY OF INTERVAL 1 MINUTE;
         CREATE STREAMING QUERY q TRIGGER AVAILABLE NOW SINK noop AS
           SELECT session_window, user_id, count(*) AS n, sum(amount) AS spent FROM events
           GROUP BY session_window(event_time, '30 minutes'), user_id;",
        folder.display()
    );
    ("sessions", 4_000_000, script)
}

fn deduplication() -> (&'static str, usize, String) {
    let mut fresh = 0_u64;
    let mut number = 0_u64;
    let folder = events::lines("duplicates-6m", 60, 100_000, |out, next| {
        // Every sixth row repeats an earlier one.
        let id = if number % 6 == 5 { next(fresh) } else { fresh };
        fresh += u64::from(number % 6 != 5);
        let time = events::timestamp(number * 25);
        let amount = next(500);
        writeln!(
            out,
            r#"{{"event_id":"e{id:08}","event_time":"{time}","amount":{amount}.5}}"#
        )
        .expect("writes");
        number += 1;
    });
    let script = format!(
        "CREATE STREAM events (event_id STRING, event_time TIMESTAMP, amount DOUBLE)
           USING json OPTIONS (path '{}', maxFilesPerTrigger '4');
         CREATE STREAMING QUERY q TRIGGER AVAILABLE NOW SINK noop AS SELECT DISTINCT ON (event_id) * FROM events;",
        folder.display()
    );
    ("deduplication", 6_000_000, script)
}

fn join() -> (&'static str, usize, String) {
    // 40 impressions a second; every second one is clicked, up to 50 minutes later.
    let mut number = 0_u64;
    let impressions = events::lines("impressions-2m", 20, 100_000, |out, _| {
        let time = events::timestamp(number * 25);
        writeln!(
            out,
            r#"{{"ad":{number},"seen":"{time}","cost":0.{:03}}}"#,
            number % 1000
        )
        .expect("writes");
        number += 1;
    });
    let mut number = 0_u64;
    let clicks = events::lines("clicks-1m", 20, 50_000, |out, next| {
        let ad = (number * 2).saturating_sub(next(120_000));
        let time = events::timestamp(number * 50);
        writeln!(
            out,
            r#"{{"clicked_ad":{ad},"clicked":"{time}","user_id":"u{}"}}"#,
            next(98_000)
        )
        .expect("writes");
        number += 1;
    });
    let script = format!(
        "CREATE STREAM impressions (ad BIGINT, seen TIMESTAMP, cost DOUBLE)
           USING json OPTIONS (path '{}', maxFilesPerTrigger '2') WATERMARK seen DELAY OF INTERVAL 1 MINUTE;
         CREATE STREAM clicks (clicked_ad BIGINT, clicked TIMESTAMP, user_id STRING)
           USING json OPTIONS (path '{}', maxFilesPerTrigger '2') WATERMARK clicked DELAY OF INTERVAL 1 MINUTE;
         CREATE STREAMING QUERY q TRIGGER AVAILABLE NOW SINK noop AS
           SELECT * FROM impressions JOIN clicks
           ON ad = clicked_ad AND clicked BETWEEN seen AND seen + INTERVAL 1 HOUR;",
        impressions.display(),
        clicks.display()
    );
    ("join", 3_000_000, script)
}

/// The same small batches over a state a hundred times larger.
async fn growing_state() {
    const BATCHES: usize = 1000;
    for (name, select) in [
        (
            "aggregate",
            "SELECT k, count(*) AS n, avg(v) AS mean FROM s GROUP BY k",
        ),
        ("deduplicate", "SELECT DISTINCT ON (k) * FROM s"),
        (
            "sessions",
            "SELECT session_window, k, count(*) AS n FROM s GROUP BY session_window(t, '30 days'), k",
        ),
        ("join", "SELECT s.k, s.v FROM s JOIN other ON s.k = other.o"),
    ] {
        let mut medians = [f64::MAX; 2];
        for run_number in 0..4 {
            // By turns, as a machine is not the same all the time.
            let keys = [10_000_u64, 1_000_000][run_number % 2];
            // The first file has every key once, each of the others a thousand of the first ten thousand.
            let first = keys as usize;
            let mut number = 0_u64;
            let folder = events::lines(&format!("state-{keys}"), 1, first, |out, _| {
                writeln!(out, r#"{{"k":"k{number:08}","t":"2026-01-01 00:00:00","v":1}}"#).expect("writes");
                number += 1;
            });
            let small = events::lines("state-small-1000", BATCHES, 1000, |out, next| {
                let (k, v) = (next(10_000), next(100));
                writeln!(out, r#"{{"k":"k{k:08}","t":"2026-01-01 00:10:00","v":{v}}}"#).expect("writes");
            });
            let mode = if name == "aggregate" { "UPDATE" } else { "APPEND" };
            let all = tempfile::tempdir().expect("a folder");
            std::fs::copy(folder.join("part-00000.json"), all.path().join("a.json")).expect("copies");
            for entry in std::fs::read_dir(&small).expect("a folder").flatten() {
                if entry
                    .path()
                    .extension()
                    .is_some_and(|extension| extension == "json")
                {
                    let name = entry.file_name();
                    let to = all.path().join(format!("b{}", name.to_string_lossy()));
                    // Copied, not linked: a source reads files in the order of their times.
                    std::fs::copy(entry.path(), to).expect("copies");
                }
            }
            let script = format!(
                "SET spark.sql.streaming.numRecentProgressUpdates = 1000;
                 CREATE STREAM s (k STRING, t TIMESTAMP, v INT) USING json
                   OPTIONS (path '{0}', maxFilesPerTrigger '1') WATERMARK t DELAY OF INTERVAL 1 DAY;
                 CREATE STREAM other (o STRING, ot TIMESTAMP) USING json
                   OPTIONS (path '{1}', maxFilesPerTrigger '1') WATERMARK ot DELAY OF INTERVAL 1 DAY;
                 CREATE STREAMING QUERY q OUTPUT MODE {mode} TRIGGER AVAILABLE NOW SINK noop AS {select};",
                all.path().display(),
                folder.display(),
            );
            let (_, times, _) = run(&script).await;
            // The snapshot that the first batch makes due is written meanwhile, so only the later half counts.
            let mut times = times[times.len() / 2..].to_vec();
            times.sort_unstable();
            let median = &mut medians[run_number % 2];
            *median = median.min(times[times.len() / 2] as f64 / 1000.0);
        }
        println!(
            "1,000 rows, {name:<12} {:>7.2} ms over 10,000 keys, {:>7.2} ms over 1,000,000   ratio {:.2}",
            medians[0],
            medians[1],
            medians[1] / medians[0]
        );
    }
}

/// The shortest of some runs, each of which has to read so many rows.
async fn best_of(script: &str, rows: u64) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..RUNS {
        let (time, _, read) = run(script).await;
        assert_eq!(read, rows, "not all rows were read");
        best = best.min(time);
    }
    best
}

/// Runs the query of a script to its end; how long it took, the microseconds of each batch, and how many rows it read.
async fn run(script: &str) -> (Duration, Vec<u64>, u64) {
    let checkpoints = tempfile::tempdir().expect("a folder");
    let begun = Instant::now();
    let session = session(checkpoints.path());
    session.sql(script).await.expect("a script that runs");
    let query = session.streams().get_by_name("q").expect("the query");
    query.await_termination(None).await.expect("ends well");
    let time = begun.elapsed();
    let progress = query.recent_progress();
    if std::env::var_os("HIGHWATER_BENCH_PROGRESS").is_some() {
        for progress in progress.iter() {
            println!(
                "{} {} {:?}",
                progress.batch_id, progress.num_input_rows, progress.duration_us
            );
        }
        let last = progress.back().expect("a batch");
        println!("{}", serde_json::to_string(&last.state_operators).expect("JSON"));
    }
    let with_rows = progress.iter().filter(|progress| progress.num_input_rows > 0);
    let times = with_rows.map(|progress| progress.duration_us["triggerExecution"]);
    let read = progress.iter().map(|progress| progress.num_input_rows).sum();
    (time, times.collect(), read)
}

fn session(checkpoints: &Path) -> Session {
    Session::builder()
        .checkpoint_root(checkpoints)
        .build()
        .expect("a session")
}
