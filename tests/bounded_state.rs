//! The state of queries over a moving event time stops growing, and so does the checkpoint: windows, sessions,
//! first rows, deduplication and every kind of join. `HIGHWATER_BATCHES` says over how many batches.
#![allow(missing_docs)]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use highwater::session::Session;
use highwater::source::memory::MemoryStream;

use support::TIMEOUT;

const MINUTE_US: i64 = 60_000_000;
/// As many batches as are played unless told otherwise.
const BATCHES: i64 = 250;
/// From this batch on no state may be larger than it was up to it.
const SETTLED: i64 = 40;

const QUERIES: [(&str, &str); 13] = [
    (
        "tumbling",
        "SELECT window, k, count(*) AS n FROM l GROUP BY window(at, '10 minutes'), k",
    ),
    (
        "sliding",
        "SELECT window, count(*) AS n FROM l GROUP BY window(at, '20 minutes', '5 minutes')",
    ),
    (
        "sessions",
        "SELECT session_window, k, count(*) AS n FROM l GROUP BY session_window(at, '10 minutes'), k",
    ),
    (
        "top_n",
        "SELECT * FROM l QUALIFY row_number() OVER (PARTITION BY window(at, '10 minutes') ORDER BY n DESC) <= 3",
    ),
    ("dedup", "SELECT DISTINCT ON (k, at) * FROM l"),
    ("dedup_within", "SELECT DISTINCT ON (k) WITHIN WATERMARK * FROM l"),
    ("distinct", "SELECT DISTINCT k, at FROM l"),
    (
        "inner_join",
        "SELECT l.k, r.n FROM l JOIN r ON l.k = r.k AND r.at BETWEEN l.at AND l.at + INTERVAL 20 MINUTES",
    ),
    (
        "left_join",
        "SELECT l.k, r.n FROM l LEFT JOIN r ON l.k = r.k AND r.at > l.at AND r.at < l.at + INTERVAL 20 MINUTES",
    ),
    (
        "right_join",
        "SELECT l.k, r.n FROM l RIGHT JOIN r ON l.k = r.k AND r.at BETWEEN l.at AND l.at + INTERVAL 20 MINUTES",
    ),
    (
        "full_join",
        "SELECT l.k, r.n FROM l FULL JOIN r ON l.k = r.k AND r.at BETWEEN l.at AND l.at + INTERVAL 20 MINUTES",
    ),
    (
        "semi_join",
        "SELECT l.k FROM l LEFT SEMI JOIN r ON l.k = r.k AND r.at BETWEEN l.at AND l.at + INTERVAL 20 MINUTES",
    ),
    (
        "window_join",
        "SELECT l.k, r.n FROM (SELECT k, window(at, '10 minutes') AS w FROM l) l
         LEFT JOIN (SELECT k, n, window(at, '10 minutes') AS w FROM r) r ON l.k = r.k AND l.w = r.w",
    ),
];

fn schema() -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        Field::new("k", DataType::Utf8, true),
        Field::new("at", time, true),
        Field::new("n", DataType::Int64, true),
    ]))
}

/// Ten rows a batch, two minutes later than those of the batch before, some keys for the first time.
fn rows(batch: i64, shift: i64) -> RecordBatch {
    let keys = (0..10).map(|row| Some(format!("k{}", (batch * 7 + row * shift) % 400)));
    let at = (0..10).map(|row| Some((batch * 2 + (row * 5) % 9) * MINUTE_US));
    let at = at.collect::<TimestampMicrosecondArray>().with_timezone("UTC");
    RecordBatch::try_new(
        schema(),
        vec![
            Arc::new(keys.collect::<StringArray>()),
            Arc::new(at),
            Arc::new((batch * 10..batch * 10 + 10).collect::<Int64Array>()),
        ],
    )
    .expect("columns of one length")
}

#[tokio::test]
async fn state_stops_growing() {
    let batches = std::env::var("HIGHWATER_BATCHES").map_or(BATCHES, |text| text.parse().expect("a number"));
    let patience = TIMEOUT * u32::try_from(batches / BATCHES + 1).expect("not so many");
    tokio::time::timeout(patience, async {
        let folder = tempfile::tempdir().expect("a folder");
        let session = Session::builder()
            .checkpoint_root(folder.path())
            .threads(2)
            .build()
            .expect("a session");
        let sides = [MemoryStream::new(schema()), MemoryStream::new(schema())];
        for (name, stream) in ["l", "r"].into_iter().zip(&sides) {
            session
                .add_memory_stream(&format!("{name}_rows"), stream)
                .and_then(|frame| frame.with_watermark("at", "15 minutes"))
                .and_then(|frame| frame.create_view(name))
                .expect("a stream");
        }
        session
            .set("spark.sql.streaming.minBatchesToRetain", "20")
            .expect("a setting");
        for (name, select) in QUERIES {
            session
                .sql(&format!("CREATE STREAMING QUERY {name} SINK noop AS {select}"))
                .await
                .unwrap_or_else(|error| panic!("{name}: {}", error.report()));
        }
        let mut most = BTreeMap::new();
        let mut settled_bytes = BTreeMap::new();
        for batch in 0..batches {
            for (side, shift) in sides.iter().zip([3, 5]) {
                side.add_batch(rows(batch, shift)).expect("adds");
            }
            for (name, _) in QUERIES {
                let query = session.streams().get_by_name(name).expect("a query");
                query.process_all_available().await.expect("processes");
                let file = folder.path().join(name).join("checkpoint.redb");
                let file_bytes = std::fs::metadata(file).expect("a checkpoint").len();
                if batch < SETTLED * 5 {
                    settled_bytes.insert(name, file_bytes);
                }
                // The file grows in steps, to twice its size at most.
                assert!(
                    file_bytes <= 2 * settled_bytes[name],
                    "{name}, batch {batch}: the checkpoint has {file_bytes} bytes, {} before",
                    settled_bytes[name]
                );
                let progress = query.last_progress().expect("progress");
                for (place, state) in progress.state_operators.iter().enumerate() {
                    let (rows, bytes) = (state.num_rows_total, state.memory_used_bytes);
                    assert!(batch < SETTLED || rows > 0, "{name}: the state is empty");
                    let most = most.entry((name, place)).or_insert((0, 0));
                    if batch < SETTLED * 2 {
                        *most = (rows.max(most.0), bytes.max(most.1));
                    }
                    assert!(
                        rows <= most.0,
                        "{name} {place}, batch {batch}: {rows} rows, {} before",
                        most.0
                    );
                    assert!(
                        bytes <= most.1 * 2,
                        "{name} {place}, batch {batch}: {bytes} bytes, {} before",
                        most.1
                    );
                }
            }
        }
        session.streams().stop_all().await;
    })
    .await
    .expect("ends in time");
}
