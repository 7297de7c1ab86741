//! Random windows, sessions, chains of them and the first rows of each over random rows in random batches, with restarts in between: the result
//! is the one of the same SELECT over a table of all rows.
//!
//! Every row is on time. Append mode is flushed by a row far in the future, whose own windows stay open. `HIGHWATER_WINDOW_PIPELINES`
//! says how many pipelines to try, `HIGHWATER_SEED` the first seed; a failure names its seed.
#![allow(missing_docs)]

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use highwater::session::Session;
use highwater::source::memory::MemoryStream;

/// No pipeline takes longer.
const TIMEOUT: Duration = Duration::from_mins(1);
/// 2026-01-01, in seconds.
const BASE_S: i64 = 1_767_225_600;

/// Sebastiano Vigna's `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: i64) -> i64 {
        i64::try_from(self.next() % end.unsigned_abs()).expect("less than an i64")
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.below(i64::try_from(of.len()).expect("short"))).expect("a place")]
    }

    fn chance(&mut self, percent: i64) -> bool {
        self.below(100) < percent
    }
}

/// Second, kind, n.
type Row = (Option<i64>, Option<&'static str>, Option<i64>);

struct Pipeline {
    /// `FROM input` is to be replaced.
    select: String,
    mode: &'static str,
    batches: Vec<Vec<Row>>,
    /// After which batches the query is stopped and started.
    restarts: Vec<bool>,
}

fn window(random: &mut Random, time: &str) -> String {
    let size = 1 + random.below(20);
    let seconds = |seconds: i64| format!("'{seconds} seconds'");
    match random.below(3) {
        0 => format!("window({time}, {})", seconds(size * 7)),
        1 => {
            let slide = 1 + random.below(size);
            format!("window({time}, {}, {})", seconds(size * 5), seconds(slide * 5))
        }
        _ => {
            let slide = 1 + random.below(size * 3);
            let offset = random.below(slide * 2 - 1) - (slide - 1);
            let (size, slide, offset) = (seconds(size * 3), seconds(slide), seconds(offset));
            format!("window({time}, {size}, {slide}, {offset})")
        }
    }
}

fn aggregates(random: &mut Random) -> String {
    const ALL: [&str; 8] = [
        "count(*) AS all_rows",
        "sum(n) AS total",
        "min(n) AS low",
        "max(n) AS high",
        "avg(n) AS mean",
        "count(DISTINCT n) AS different",
        "sum(DISTINCT n) AS of_different",
        "count(*) FILTER (WHERE n > 5) AS many",
    ];
    let mut chosen = vec!["count(n) AS known"];
    chosen.extend(ALL.iter().filter(|_| random.chance(40)));
    chosen.join(", ")
}

/// The first rows of each window, of input rows or of groups. Where only the order of arrival could tell rows apart, they
/// are all alike.
fn top_n(random: &mut Random, keys: &str) -> String {
    let window = window(random, "at");
    let (order, last) = (random.pick(&["n DESC", "n", "n % 3 DESC"]), 1 + random.below(4));
    let (ranking, order) = match random.below(3) {
        0 => ("row_number", format!("{order}, at, kind, n")),
        1 => ("rank", order.to_owned()),
        _ => ("dense_rank", order.to_owned()),
    };
    let groups = "SELECT window AS w, kind, count(*) AS n, max(at) AS at FROM input";
    let (from, keys) = match random.below(3) {
        0 => (format!("({groups} GROUP BY {window}, kind)"), ""),
        1 => (format!("(SELECT {window} AS w, kind, n, at FROM input)"), keys),
        // A window that slides would be another one in the output.
        _ => {
            let window = format!("window(at, '{} seconds')", 7 + random.below(90));
            return format!(
                "SELECT kind, n FROM input QUALIFY {ranking}() OVER (PARTITION BY {window}{keys} ORDER BY {order}) <= {last}"
            );
        }
    };
    format!(
        "SELECT w.start, kind, n, place FROM (SELECT *, {ranking}() OVER (PARTITION BY w{keys} ORDER BY {order}) AS place
         FROM {from}) WHERE place <= {last}"
    )
}

fn pipeline(seed: u64) -> Pipeline {
    let mut random = Random(seed);
    let mut mode = random.pick(&["APPEND", "UPDATE", "COMPLETE"]);
    let keys = random.pick(&["", ", kind", ", kind, n % 2"]);
    let aggregates = aggregates(&mut random);
    let select = match random.below(5) {
        0 => {
            if mode == "UPDATE" {
                mode = "APPEND";
            }
            let keys = if keys.is_empty() { ", kind" } else { keys };
            let gap = if random.chance(50) {
                format!("'{} seconds'", 1 + random.below(40))
            } else {
                "CASE WHEN n > 7 THEN '0 seconds' WHEN n > 4 THEN '3 seconds' ELSE '11 seconds' END"
                    .to_owned()
            };
            format!(
                "SELECT session_window{keys}, {aggregates} FROM input GROUP BY session_window(at, {gap}){keys}"
            )
        }
        1 => {
            mode = "APPEND";
            let (inner, outer) = (window(&mut random, "at"), window(&mut random, "w"));
            format!(
                "SELECT window{keys_out}, sum(counted) AS counted, max(total) AS most FROM (SELECT window AS w{keys_as}, count(*) AS counted, \
                 sum(n) AS total FROM input GROUP BY {inner}{keys}) GROUP BY {outer}{keys_out}",
                keys_out = if keys.is_empty() { "" } else { ", kind" },
                keys_as = keys,
            )
        }
        2 => {
            mode = "APPEND";
            top_n(&mut random, keys)
        }
        _ => {
            let window = window(&mut random, "at");
            format!("SELECT window{keys}, {aggregates} FROM input GROUP BY {window}{keys}")
        }
    };
    let mut batches = Vec::new();
    for _ in 0..=random.below(6) {
        let rows = (0..random.below(12)).map(|_| {
            let at = random.below(400);
            let kind = ["a", "b", "c"][usize::try_from(random.below(3)).expect("a place")];
            let n = random.below(10);
            (
                (!random.chance(4)).then_some(at),
                (!random.chance(8)).then_some(kind),
                (!random.chance(8)).then_some(n),
            )
        });
        batches.push(rows.collect());
    }
    let restarts = (0..batches.len()).map(|_| random.chance(25)).collect();
    Pipeline {
        select,
        mode,
        batches,
        restarts,
    }
}

fn schema() -> SchemaRef {
    let at = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        Field::new("at", at, true),
        Field::new("kind", DataType::Utf8, true),
        Field::new("n", DataType::Int64, true),
    ]))
}

fn batch(rows: &[Row]) -> RecordBatch {
    let at = rows.iter().map(|row| row.0.map(|at| (BASE_S + at) * 1_000_000));
    let at = at.collect::<TimestampMicrosecondArray>().with_timezone("UTC");
    let kind = rows.iter().map(|row| row.1).collect::<StringArray>();
    let n = rows.iter().map(|row| row.2).collect::<Int64Array>();
    RecordBatch::try_new(schema(), vec![Arc::new(at), Arc::new(kind), Arc::new(n)])
        .expect("columns of one length")
}

async fn lines(session: &Session, select: &str) -> Vec<String> {
    let rows = session
        .sql(select)
        .await
        .unwrap_or_else(|error| panic!("{select}: {}", error.report()));
    let text = pretty_format_batches(&rows[0].batches)
        .expect("formats")
        .to_string();
    let lines = text.lines().filter(|line| line.starts_with("| ")).skip(1);
    let mut lines = lines.map(str::to_owned).collect::<Vec<_>>();
    lines.sort();
    lines
}

fn write_table(path: &std::path::Path, batches: &[Vec<Row>]) {
    let mut text = String::new();
    for (at, kind, n) in batches.iter().flatten() {
        let at = at.map(|at| format!("\"2026-01-01T00:{:02}:{:02}Z\"", at / 60, at % 60));
        let kind = kind.map(|kind| format!("\"{kind}\""));
        let n = n.map(|n| n.to_string());
        let or_null = |value: Option<String>| value.unwrap_or_else(|| "null".to_owned());
        let (at, kind, n) = (or_null(at), or_null(kind), or_null(n));
        writeln!(text, "{{\"at\": {at}, \"kind\": {kind}, \"n\": {n}}}").expect("a text");
    }
    std::fs::create_dir_all(path).expect("a folder");
    std::fs::write(path.join("rows.json"), text).expect("a file");
}

/// Plays one pipeline; gives what the stream and what the table answers.
async fn play(
    session: &Session,
    folder: &std::path::Path,
    seed: u64,
    pipeline: &Pipeline,
) -> [Vec<String>; 2] {
    let (input, table, query) = (format!("s{seed}"), format!("t{seed}"), format!("q{seed}"));
    let stream = MemoryStream::new(schema());
    let path = folder.join(&table);
    write_table(&path, &pipeline.batches);
    let of = |name: &str| pipeline.select.replace("input", name);
    session
        .add_memory_stream(&format!("raw{seed}"), &stream)
        .and_then(|frame| frame.with_watermark("at", "1 day"))
        .and_then(|frame| frame.create_view(&input))
        .expect("a stream");
    let (mode, select) = (pipeline.mode, of(&input));
    let statements = format!(
        "CREATE TABLE {table} (at TIMESTAMP, kind STRING, n BIGINT) USING json OPTIONS (path '{}');
         CREATE STREAMING QUERY {query} OUTPUT MODE {mode} SINK memory AS {select};",
        path.display()
    );
    session
        .sql(&statements)
        .await
        .unwrap_or_else(|error| panic!("seed {seed}: {select}: {}", error.report()));
    let handle = session.streams().get_by_name(&query).expect("a query");
    for (rows, restart) in pipeline.batches.iter().zip(&pipeline.restarts) {
        stream.add_batch(batch(rows)).expect("adds");
        handle.process_all_available().await.expect(&select);
        if *restart {
            handle.stop().await;
            handle.start().await.expect(&select);
        }
    }
    if mode == "APPEND" {
        stream
            .add_batch(batch(&[(Some(10 * 86_400), Some("flush"), Some(1))]))
            .expect("adds");
        handle.process_all_available().await.expect(&select);
    }
    handle.stop().await;
    [
        lines(session, &format!("SELECT * FROM {query}")).await,
        lines(session, &of(&table)).await,
    ]
}

fn number(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(otherwise, |text| text.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_of_windows_gives_what_the_table_of_its_rows_gives() {
    let folder = tempfile::tempdir().expect("a folder");
    let session = Session::builder()
        .checkpoint_root(folder.path().join("checkpoints"))
        .threads(2)
        .build()
        .expect("a session");
    let first = number("HIGHWATER_SEED", 1);
    let mut num_rows = 0;
    for seed in first..first + number("HIGHWATER_WINDOW_PIPELINES", 40) {
        let pipeline = pipeline(seed);
        let played = play(&session, folder.path(), seed, &pipeline);
        let [streamed, at_once] = tokio::time::timeout(TIMEOUT, played).await.expect("an end");
        let Pipeline { select, mode, .. } = &pipeline;
        assert_eq!(
            streamed, at_once,
            "seed {seed}: {mode} {select}\n{:?}",
            pipeline.batches
        );
        num_rows += streamed.len();
    }
    assert!(num_rows > 0, "nothing was compared");
}
