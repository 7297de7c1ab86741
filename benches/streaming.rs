//! The engine against DataFusion's own batch answer over the same files, in the same run.
//!
//! ```text
//! cargo bench --bench streaming
//! ```
//!
//! 1. 4 million JSON rows (about 430 MB, generated once under the target folder): 10-minute windows by action with
//!    count and avg, update mode, AVAILABLE NOW, checkpoint on, once as one batch and once in batches of four files.
//! 2. 100 batches of 100 rows, a file each: the time of a whole batch with its commits.
#![allow(missing_docs, clippy::print_stdout, clippy::cast_precision_loss)]

#[path = "support/events.rs"]
mod events;

use std::path::Path;
use std::time::{Duration, Instant};

use datafusion::arrow::record_batch::RecordBatch;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::prelude::{SessionConfig, SessionContext};
use highwater::execution::Trigger;
use highwater::session::Session;
use highwater::sink::OutputMode;
use highwater::types::ddl::parse_ddl;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const FILES: usize = 40;
const ROWS_PER_FILE: usize = 100_000;
const RUNS: usize = 3;

#[tokio::main]
async fn main() {
    let folder = events::generate("events-4m", FILES, ROWS_PER_FILE);
    let rows = (FILES * ROWS_PER_FILE) as f64;
    let mut batch_times = Vec::new();
    let mut one_times = Vec::new();
    let mut many_times = Vec::new();
    for _ in 0..RUNS {
        batch_times.push(datafusion_batch(&folder).await);
        one_times.push(windows(&folder, None).await);
        many_times.push(windows(&folder, Some(4)).await);
    }
    let best = |times: &[Duration]| times.iter().min().expect("runs").as_secs_f64();
    let batch = best(&batch_times);
    println!("10-minute windows by action over {rows} JSON rows, best of {RUNS}:");
    println!("  DataFusion, batch answer       {:>12.0} rows/s", rows / batch);
    for (name, times) in [("one batch", &one_times), ("batches of 4 files", &many_times)] {
        let time = best(times);
        println!(
            "  highwater, {name:<19} {:>12.0} rows/s   ratio {:.2}",
            rows / time,
            batch / time
        );
    }
    small_batches().await;
}

/// DataFusion's own answer: the same rows, the same windows, no state and no checkpoint.
async fn datafusion_batch(folder: &Path) -> Duration {
    let begun = Instant::now();
    let context = SessionContext::new_with_config(SessionConfig::new());
    let options =
        ListingOptions::new(std::sync::Arc::new(JsonFormat::default())).with_file_extension(".json");
    let url = ListingTableUrl::parse(folder.to_str().expect("a path of text")).expect("a url");
    let schema = parse_ddl(events::SCHEMA, "UTC").expect("a schema");
    let config = ListingTableConfig::new(url)
        .with_listing_options(options)
        .with_schema(schema);
    let table = ListingTable::try_new(config).expect("a table");
    context
        .register_table("events", std::sync::Arc::new(table))
        .expect("registers");
    let frame = context
        .sql(
            "SELECT date_bin(INTERVAL '10 minutes', event_time) AS start, action, count(*) AS n, avg(amount) AS mean \
             FROM events GROUP BY 1, 2",
        )
        .await
        .expect("plans");
    let answer = frame.collect().await.expect("runs");
    assert!(
        answer.iter().map(RecordBatch::num_rows).sum::<usize>() > 100,
        "windows by action"
    );
    begun.elapsed()
}

async fn windows(folder: &Path, files_per_batch: Option<usize>) -> Duration {
    let checkpoints = tempfile::tempdir().expect("a folder");
    let begun = Instant::now();
    let session = Session::builder()
        .checkpoint_root(checkpoints.path())
        .build()
        .expect("a session");
    let mut reader = session.read_stream().format("json").schema(events::SCHEMA);
    if let Some(files) = files_per_batch {
        reader = reader.option("maxFilesPerTrigger", files);
    }
    let query = reader
        .load(folder)
        .and_then(|frame| frame.group_by(["window(event_time, '10 minutes')", "action"]))
        .and_then(|groups| groups.agg(["count(*) AS n", "avg(amount) AS mean"]))
        .expect("a query")
        .write_stream()
        .format("noop")
        .query_name("windows")
        .output_mode(OutputMode::Update)
        .trigger(Trigger::AvailableNow)
        .start()
        .await
        .expect("starts");
    query.await_termination(None).await.expect("ends well");
    let time = begun.elapsed();
    let read = query
        .recent_progress()
        .iter()
        .map(|progress| progress.num_input_rows)
        .sum::<u64>();
    assert_eq!(read, (FILES * ROWS_PER_FILE) as u64);
    if std::env::var_os("HIGHWATER_BENCH_PROGRESS").is_some() {
        for progress in query.recent_progress().iter() {
            println!("{} {:?}", progress.batch_id, progress.duration_us);
        }
    }
    time
}

async fn small_batches() {
    let folder = events::generate("events-100x100", 100, 100);
    let checkpoints = tempfile::tempdir().expect("a folder");
    let session = Session::builder()
        .checkpoint_root(checkpoints.path())
        .build()
        .expect("a session");
    let query = session
        .read_stream()
        .format("json")
        .schema(events::SCHEMA)
        .option("maxFilesPerTrigger", 1)
        .load(&folder)
        .and_then(|frame| frame.group_by(["window(event_time, '10 minutes')", "action"]))
        .and_then(|groups| groups.agg(["count(*) AS n", "avg(amount) AS mean"]))
        .expect("a query")
        .write_stream()
        .format("memory")
        .query_name("windows")
        .output_mode(OutputMode::Update)
        .trigger(Trigger::AvailableNow)
        .start()
        .await
        .expect("starts");
    query.await_termination(None).await.expect("ends well");
    let progress = query.recent_progress();
    let mut times = progress
        .iter()
        .map(|progress| progress.duration_us["triggerExecution"])
        .collect::<Vec<_>>();
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)] as f64 / 1000.0;
    println!("{} batches of 100 rows, with their commits:", times.len());
    println!(
        "  p50 {:.2} ms   p99 {:.2} ms   max {:.2} ms",
        at(50),
        at(99),
        at(100)
    );
    if std::env::var_os("HIGHWATER_BENCH_PROGRESS").is_some() {
        let mut steps = std::collections::BTreeMap::<&str, u64>::new();
        for progress in progress.iter() {
            for (name, us) in &progress.duration_us {
                *steps.entry(name).or_default() += us;
            }
        }
        println!(
            "  mean us by step: {:?}",
            steps
                .iter()
                .map(|(k, v)| (*k, v / times.len() as u64))
                .collect::<Vec<_>>()
        );
    }
}
