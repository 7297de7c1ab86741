//! How long a picture of the workbench takes: 200x60, 20 running queries, a result of 10,000 rows of which 100 change
//! with every picture.
//!
//! ```text
//! cargo bench --bench frames
//! ```
//!
//! A picture is everything from a snapshot of the engine to the cells that a terminal would be sent: taking the snapshot
//! in, texts, visible cells, drawing, comparing with the picture before. It ends with an error if one in a hundred takes
//! 8 ms or more.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap
)]
#![allow(missing_docs, clippy::print_stdout, clippy::cast_precision_loss)]

use std::collections::VecDeque;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use highwater::clock::{Clock, ManualClock};
use highwater::engine::Snapshot;
use highwater::engine::snapshot::{QuerySnapshot, QueryState, ResultPage, ResultTable};
use highwater::error::Result;
use highwater::execution::progress::StreamingQueryProgress;
use highwater::sink::OutputMode;
use highwater::tui::{Headless, TuiOptions};
use serde_json::json;
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZE: (u16, u16) = (200, 60);
const QUERIES: u64 = 20;
const ROWS: usize = 10_000;
const CHANGED: usize = 100;
const PICTURES: usize = 1_000;
const LIMIT: Duration = Duration::from_millis(8);
/// 2026-03-01T14:02:30Z
const BEGIN_MS: i64 = 1_772_373_750_000;
/// A picture every 67 ms: fifteen a second.
const PICTURE_MS: i64 = 67;

fn main() -> ExitCode {
    println!(
        "{}x{}, {QUERIES} queries, {ROWS} rows, {CHANGED} changed; {PICTURES} pictures each:",
        SIZE.0, SIZE.1
    );
    let mut is_slow = false;
    for (name, keys) in [
        ("queries", &[][..]),
        ("overview", &["enter"]),
        ("results", &["2"]),
        ("results sorted", &["2", "l", "l", "o"]),
        ("change log", &["2", "c"]),
        ("state", &["3"]),
        ("plan", &["4"]),
        ("progress", &["5"]),
    ] {
        let mut times = pictures(keys).expect("pictures");
        times.sort_unstable();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100];
        let (p50, p99) = (at(50), at(99));
        println!(
            "  {name:<16} p50 {p50:>9.1?}   p99 {p99:>9.1?}   max {:>9.1?}",
            at(100)
        );
        is_slow |= p99 >= LIMIT;
    }
    if is_slow {
        println!("one picture in a hundred takes {LIMIT:?} or more");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn pictures(keys: &[&str]) -> Result<Vec<Duration>> {
    let clock = Arc::new(ManualClock::new(BEGIN_MS));
    let options = TuiOptions {
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        ..TuiOptions::default()
    };
    let mut workbench = Headless::open(&options, SIZE.0, SIZE.1)?;
    let table = Arc::new(Table::new());
    let mut rings: Vec<VecDeque<Arc<StreamingQueryProgress>>> =
        (0..QUERIES).map(|_| VecDeque::new()).collect();
    for batch in 0..100 {
        rings
            .iter_mut()
            .zip(0..)
            .for_each(|(ring, query)| ring.push_back(progress(query, batch)));
    }
    workbench.show(snapshot(&rings, &table));
    for key in keys {
        workbench.press(key)?;
        workbench.draw()?;
    }
    let mut times = Vec::with_capacity(PICTURES);
    for batch in 100..100 + PICTURES as u64 {
        clock.advance_ms(PICTURE_MS);
        table.change();
        for (ring, query) in rings.iter_mut().zip(0..) {
            ring.pop_front();
            ring.push_back(progress(query, batch));
        }
        let snapshot = snapshot(&rings, &table);
        let began = Instant::now();
        workbench.show(snapshot);
        workbench.draw()?;
        times.push(began.elapsed());
    }
    Ok(times)
}

fn snapshot(rings: &[VecDeque<Arc<StreamingQueryProgress>>], table: &Arc<Table>) -> Arc<Snapshot> {
    let query = |(number, ring): (u64, &VecDeque<Arc<StreamingQueryProgress>>)| {
        Arc::new(QuerySnapshot {
            id: Uuid::from_u128(u128::from(number) + 1),
            name: format!("query_{number:02}"),
            state: QueryState::Running,
            output_mode: OutputMode::Update,
            trigger: "PROCESSING TIME '67 milliseconds'".to_string(),
            sources: vec!["RateStreamV2[rowsPerSecond=10000]".to_string()],
            sink: "MemorySink".to_string(),
            last_committed: ring.back().map(|batch| batch.batch_id),
            recent_progress: Arc::new(ring.clone()),
            result: Some(Arc::clone(table) as Arc<dyn ResultTable>),
            ..QuerySnapshot::default()
        })
    };
    Arc::new(Snapshot {
        queries: (0..).zip(rings).map(query).collect(),
        ..Snapshot::default()
    })
}

fn progress(query: u64, batch: u64) -> Arc<StreamingQueryProgress> {
    let at_ms = BEGIN_MS + PICTURE_MS * (batch.cast_signed() - 99);
    let iso = |at_ms: i64| {
        let at = chrono::DateTime::from_timestamp_millis(at_ms).expect("a time");
        at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    };
    let took = 5 + (batch * 7 + query) % 9;
    let progress = json!({
        "id": Uuid::from_u128(u128::from(query) + 1), "runId": Uuid::nil(), "name": format!("query_{query:02}"),
        "timestamp": iso(at_ms), "batchId": batch, "batchDuration": took, "numInputRows": 670,
        "inputRowsPerSecond": 10_000.0, "processedRowsPerSecond": 90_000.0,
        "durationMs": {"addBatch": took - 3, "stateCommit": 2, "walCommit": 1, "triggerExecution": took},
        "eventTime": {"max": iso(at_ms), "watermark": iso(at_ms - 10_000)},
        "stateOperators": [{
            "operatorName": "stateStoreSave", "numRowsTotal": ROWS, "numRowsUpdated": CHANGED, "allUpdatesTimeMs": 1,
            "numRowsRemoved": 10, "allRemovalsTimeMs": 0, "commitTimeMs": 1, "memoryUsedBytes": 4_000_000,
            "numRowsDroppedByWatermark": 1, "numShufflePartitions": 1, "numStateStoreInstances": 1, "customMetrics": {},
        }],
        "sources": [], "sink": {"description": "MemorySink", "numOutputRows": CHANGED},
    });
    Arc::new(serde_json::from_value(progress).expect("a progress"))
}

/// A table of a windowed aggregate, of which some rows change at a time.
#[derive(Debug)]
struct Table {
    rows: Mutex<(RecordBatch, Vec<u64>)>,
    version: AtomicU64,
}

impl Table {
    fn new() -> Self {
        let rows = Self::rows(0);
        Self {
            rows: Mutex::new((rows, vec![0; ROWS])),
            version: AtomicU64::new(1),
        }
    }

    fn rows(version: u64) -> RecordBatch {
        let signed = |value: usize| i64::try_from(value).expect("small");
        let changes = |row: usize| row + CHANGED >= ROWS;
        let number =
            |row: usize| signed(row * 37 % 5_000) + if changes(row) { version.cast_signed() } else { 0 };
        let starts = (0..ROWS).map(|row| (BEGIN_MS - 10_000 * signed((ROWS - row) / 4)) * 1_000);
        let kinds = (0..ROWS).map(|row| ["view", "cart", "purchase", "refund"][row % 4]);
        let columns: [(&str, ArrayRef); 5] = [
            (
                "start",
                Arc::new(TimestampMicrosecondArray::from_iter_values(starts)),
            ),
            ("kind", Arc::new(StringArray::from_iter_values(kinds))),
            (
                "events",
                Arc::new(Int64Array::from_iter_values((0..ROWS).map(number))),
            ),
            (
                "amount",
                Arc::new(Float64Array::from_iter_values(
                    (0..ROWS).map(|row| number(row) as f64 * 1.25),
                )),
            ),
            (
                "note",
                Arc::new(StringArray::from_iter_values(
                    (0..ROWS).map(|row| format!("a note on row {row}")),
                )),
            ),
        ];
        RecordBatch::try_from_iter(columns).expect("rows")
    }

    fn change(&self) {
        let version = self.version.fetch_add(1, Ordering::SeqCst) + 1;
        let mut rows = self.rows.lock().expect("no panic");
        rows.0 = Self::rows(version);
        rows.1[ROWS - CHANGED..].fill(version);
    }
}

impl ResultTable for Table {
    fn schema(&self) -> SchemaRef {
        self.rows.lock().expect("no panic").0.schema()
    }

    fn mode(&self) -> OutputMode {
        OutputMode::Update
    }

    fn version(&self) -> u64 {
        self.version.load(Ordering::SeqCst)
    }

    fn num_rows(&self) -> usize {
        ROWS
    }

    fn page(&self, offset: usize, limit: usize) -> Result<ResultPage> {
        let rows = self.rows.lock().expect("no panic");
        let offset = offset.min(ROWS);
        let count = limit.min(ROWS - offset);
        Ok(ResultPage {
            version: self.version(),
            num_rows: ROWS,
            rows: rows.0.slice(offset, count),
            changed_in: rows.1[offset..offset + count].to_vec(),
        })
    }

    fn batches(&self) -> Result<Vec<RecordBatch>> {
        Ok(vec![self.rows.lock().expect("no panic").0.clone()])
    }
}
