//! A join of two streams gives, over all its batches and restarts, what a batch join gives over the same rows; a
//! deduplication keeps the first row of each key. Rows are random, and out of order within the watermark's delay.
#![allow(missing_docs)]

mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use datafusion::prelude::SessionContext;
use highwater::session::Session;
use highwater::source::memory::MemoryStream;

use support::{Random, TIMEOUT, sorted_lines};

const MINUTE_US: i64 = 60_000_000;
/// How far a batch's times begin after those of the batch before, in minutes.
const STEP: i64 = 10;
/// How far times spread within a batch; less than the watermark's delay and a step, so that no row is late.
const SPREAD: u64 = 45;
const BATCHES: i64 = 12;

fn schema() -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        Field::new("k", DataType::Utf8, true),
        Field::new("at", time, true),
        Field::new("n", DataType::Int64, true),
    ]))
}

type Row = (Option<String>, i64, i64);

fn rows(rows: &[Row]) -> RecordBatch {
    let at = rows.iter().map(|row| Some(row.1 * MINUTE_US));
    let at = at.collect::<TimestampMicrosecondArray>().with_timezone("UTC");
    RecordBatch::try_new(
        schema(),
        vec![
            Arc::new(rows.iter().map(|row| row.0.clone()).collect::<StringArray>()),
            Arc::new(at),
            Arc::new(rows.iter().map(|row| Some(row.2)).collect::<Int64Array>()),
        ],
    )
    .expect("columns of one length")
}

fn random_rows(random: &mut Random, batch: i64, with_nulls: bool, n: &mut i64) -> Vec<Row> {
    let mut made = Vec::new();
    for _ in 0..random.below(14) {
        let key = match random.below(8) {
            0 if with_nulls => None,
            key => Some(format!("k{}", key % 5)),
        };
        *n += 1;
        let minute = i64::try_from(random.below(SPREAD)).expect("small");
        made.push((key, 1000 + batch * STEP + minute, *n));
    }
    made
}

/// Two streams with watermarks, and what was put in.
struct Streams {
    session: Session,
    sides: [MemoryStream; 2],
    put: [Vec<RecordBatch>; 2],
}

impl Streams {
    fn new(folder: &std::path::Path) -> Self {
        let session = Session::builder()
            .checkpoint_root(folder)
            .threads(2)
            .build()
            .expect("a session");
        let sides = [MemoryStream::new(schema()), MemoryStream::new(schema())];
        for (name, stream) in ["l", "r"].into_iter().zip(&sides) {
            session
                .add_memory_stream(&format!("{name}_rows"), stream)
                .and_then(|frame| frame.with_watermark("at", "50 minutes"))
                .and_then(|frame| frame.create_view(name))
                .expect("a stream");
        }
        Self {
            session,
            sides,
            put: [Vec::new(), Vec::new()],
        }
    }

    fn add(&mut self, side: usize, batch: RecordBatch) {
        self.sides[side].add_batch(batch.clone()).expect("adds");
        self.put[side].push(batch);
    }

    /// What a batch engine answers over all rows.
    async fn batch_answer(&self, query: &str) -> Vec<String> {
        let context = SessionContext::new();
        for (name, put) in ["l", "r"].into_iter().zip(&self.put) {
            let all = arrow::compute::concat_batches(&schema(), put).expect("one schema");
            context.register_batch(name, all).expect("a table");
        }
        let frame = context.sql(query).await.expect("plans");
        value_lines(&frame.collect().await.expect("runs"))
    }

    async fn table(&self, name: &str) -> Vec<RecordBatch> {
        let table = self.session.table(name).expect("a table");
        table.collect().await.expect("reads")
    }
}

/// Rows as text without the headers, whose names may differ, and without the rows that end the streams.
fn value_lines(batches: &[RecordBatch]) -> Vec<String> {
    let lines = sorted_lines(batches).into_iter();
    let lines = lines.filter(|line| line.starts_with("| ") && !line.contains("end"));
    let values = lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    // The header is the line with column names; numbers and times have none of these letters.
    values.filter(|line| !line.contains("lk")).collect()
}

const COLUMNS: &str = "l.k AS lk, l.at AS lat, l.n AS ln, r.k AS rk, r.at AS rat, r.n AS rn";
const LEFT_COLUMNS: &str = "l.k AS lk, l.at AS lat, l.n AS ln";
const BOUNDED: &str = "r.at BETWEEN l.at AND l.at + INTERVAL '20 minutes'";
const SAME_WINDOW: &str = "window(l.at, '10 minutes') = window(r.at, '10 minutes')";
const STRICT: &str = "l.at < r.at + INTERVAL '7 minutes' AND r.at - INTERVAL '15 minutes' < l.at";

async fn check_join(seed: u64, join: &str, condition: &str, with_nulls: bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut streams = Streams::new(folder.path());
    let mut random = Random(seed);
    let columns = if join.contains("SEMI") {
        LEFT_COLUMNS
    } else {
        COLUMNS
    };
    let select = format!("SELECT {columns} FROM l {join} JOIN r ON l.k = r.k AND {condition}");
    streams
        .session
        .sql(&format!("CREATE STREAMING QUERY joined SINK memory AS {select}"))
        .await
        .unwrap_or_else(|error| panic!("{select}\n{}", error.report()));
    let query = streams.session.streams().get_by_name("joined").expect("a query");
    let mut n = 0;
    for batch in 0..BATCHES {
        for side in 0..2 {
            let made = random_rows(&mut random, batch, with_nulls, &mut n);
            streams.add(side, rows(&made));
        }
        if random.below(3) > 0 {
            query.process_all_available().await.expect("processes");
        }
        if random.below(5) == 0 {
            query.stop().await;
            query.start().await.expect("starts again");
        }
    }
    // Far rows move the watermark past everything, so that rows without a match come out.
    for (side, key) in ["end of left", "end of right"].into_iter().enumerate() {
        streams.add(side, rows(&[(Some(key.to_owned()), 1_000_000, 1)]));
    }
    query.process_all_available().await.expect("processes");
    let got = value_lines(&streams.table("joined").await);
    // DataFusion itself knows no windows.
    let batch_select = ["l", "r"].into_iter().fold(select.clone(), |select, side| {
        select.replace(
            &format!("window({side}.at, '10 minutes')"),
            &format!("date_bin(INTERVAL '10 minutes', {side}.at)"),
        )
    });
    let wanted = streams.batch_answer(&batch_select).await;
    if got != wanted {
        let mut report = format!("seed {seed}: {select}\n");
        let differ = |one: &[String], other: &[String]| {
            let other = other.iter().collect::<BTreeSet<_>>();
            let lines = one.iter().filter(|line| !other.contains(line));
            lines.cloned().collect::<Vec<_>>().join("\n")
        };
        writeln!(report, "too many:\n{}", differ(&got, &wanted)).expect("writes");
        writeln!(report, "missing:\n{}", differ(&wanted, &got)).expect("writes");
        panic!("{report}{} rows, {} wanted", got.len(), wanted.len());
    }
    assert!(!wanted.is_empty(), "seed {seed}: nothing to compare");
    let progress = query.last_progress().expect("progress");
    for side in &progress.state_operators {
        assert!(side.num_rows_total <= 1, "{select}: state is left: {side:?}");
    }
    query.stop().await;
}

async fn within_time(test: impl Future<Output = ()>) {
    tokio::time::timeout(TIMEOUT, test).await.expect("ends in time");
}

#[tokio::test]
async fn joins_equal_batch_joins() {
    within_time(async {
        for (seed, join) in (1..).zip(["INNER", "LEFT", "RIGHT", "LEFT SEMI"]) {
            check_join(seed, join, BOUNDED, true).await;
            check_join(seed + 10, join, STRICT, true).await;
            let further = format!("{STRICT} AND (l.n + r.n) % 3 > 0 AND l.n % 5 <> 0 AND r.n % 7 <> 0");
            check_join(seed + 20, join, &further, true).await;
            check_join(seed + 30, join, "l.at = r.at", true).await;
            check_join(seed + 40, join, SAME_WINDOW, true).await;
        }
    })
    .await;
}

/// Without null keys, which Spark takes for equal in a full join.
#[tokio::test]
async fn full_joins_equal_batch_joins() {
    within_time(async {
        let further = format!("{BOUNDED} AND l.n <> r.n - 1 AND l.n % 5 <> 0 AND r.n % 7 <> 0");
        for (seed, condition) in (1..).zip([BOUNDED, STRICT, &further, "l.at = r.at", SAME_WINDOW]) {
            check_join(seed, "FULL", condition, false).await;
            check_join(seed + 10, "FULL", condition, false).await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_first_row_of_each_key_stays() {
    within_time(async {
        let selects = [
            "SELECT DISTINCT ON (k, at) k AS lk, at AS lat, n AS ln FROM l",
            "SELECT DISTINCT ON (k, at) WITHIN WATERMARK k AS lk, at AS lat, n AS ln FROM l",
        ];
        for (seed, select) in (1..9).zip(selects.into_iter().cycle()) {
            check_deduplication(seed, select).await;
        }
    })
    .await;
}

async fn check_deduplication(seed: u64, select: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut streams = Streams::new(folder.path());
    let mut random = Random(seed);
    streams
        .session
        .sql(&format!("CREATE STREAMING QUERY firsts SINK memory AS {select}"))
        .await
        .unwrap_or_else(|error| panic!("{select}\n{}", error.report()));
    let query = streams.session.streams().get_by_name("firsts").expect("a query");
    let (mut n, mut known, mut wanted) = (0, BTreeSet::new(), BTreeSet::new());
    for batch in 0..BATCHES * 2 {
        let mut arrived = random_rows(&mut random, batch, true, &mut n);
        // Keys of a few minutes, so that many are equal.
        for row in &mut arrived {
            row.1 -= row.1 % 5;
        }
        for row in &arrived {
            if known.insert((row.0.clone(), row.1)) {
                wanted.insert(row.2);
            }
        }
        streams.add(0, rows(&arrived));
        if random.below(3) > 0 {
            query.process_all_available().await.expect("processes");
        }
        if random.below(6) == 0 {
            query.stop().await;
            query.start().await.expect("starts again");
        }
    }
    query.process_all_available().await.expect("processes");
    let mut got = BTreeSet::new();
    for batch in streams.table("firsts").await {
        for n in batch.column(2).as_primitive::<Int64Type>().values() {
            assert!(got.insert(*n), "seed {seed}: row {n} twice");
        }
    }
    assert_eq!(got, wanted, "seed {seed}: {select}");
    query.stop().await;
}
