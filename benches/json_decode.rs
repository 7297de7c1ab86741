//! JSON decoding beside arrow-json's, in one run: rows per second of both, and the ratio.
//!
//! `cargo bench --bench json_decode` makes the same rows in memory for both. Every line is timed three times, the best counts.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use arrow::datatypes::SchemaRef;
use highwater::error::{Error, Result};
use highwater::json::{JsonDecoder, JsonOptions};
use highwater::types::parse_ddl;

const ROWS: usize = 1_000_000;
const BATCH_ROWS: usize = 8192;
const RUNS: usize = 3;
const SCHEMA: &str = "user_id STRING, action STRING, at TIMESTAMP, amount DOUBLE, n BIGINT";

fn main() -> Result<()> {
    let text = rows();
    println!("{ROWS} rows, {} MB", text.len() / 1_000_000);
    for (what, ddl) in [
        ("all columns", SCHEMA),
        ("two of five", "action STRING, amount DOUBLE"),
        ("none", ""),
    ] {
        let schema = if ddl.is_empty() {
            Arc::new(arrow::datatypes::Schema::empty())
        } else {
            parse_ddl(ddl, "UTC")?
        };
        let own = best(|| decode(&text, &schema))?;
        let arrow = best(|| decode_with_arrow(&text, &schema))?;
        println!(
            "{what:12} highwater {own:6.2} M rows/s   arrow-json {arrow:6.2} M rows/s   ratio {:.2}",
            own / arrow
        );
    }
    Ok(())
}

/// Rows as an application logs them.
fn rows() -> String {
    const ACTIONS: [&str; 4] = ["view", "click", "purchase", "add_to_cart"];
    let mut text = String::new();
    let mut state = 1_u64;
    for row in 0..ROWS {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let random = state >> 33;
        let (action, second) = (ACTIONS[(random % 4) as usize], row / 100);
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            r#"{{"user_id":"u{}","action":"{action}","at":"2026-01-01T{:02}:{:02}:{:02}.{:03}Z","amount":{}.{:02},"n":{row}}}"#,
            random % 100_000,
            second / 3600 % 24,
            second / 60 % 60,
            second % 60,
            random % 1000,
            random % 500,
            random % 100,
        );
    }
    text
}

/// The best of the runs, in million rows per second.
fn best(run: impl Fn() -> Result<usize>) -> Result<f64> {
    let mut best = 0.0_f64;
    for _ in 0..RUNS {
        let start = Instant::now();
        let rows = run()?;
        if rows != ROWS {
            return Err(Error::internal(format!("{rows} rows came out of {ROWS}")));
        }
        #[expect(clippy::cast_precision_loss, reason = "a million")]
        let million_rows = rows as f64 / 1e6;
        best = best.max(million_rows / start.elapsed().as_secs_f64());
    }
    Ok(best)
}

fn decode(text: &str, schema: &SchemaRef) -> Result<usize> {
    let mut decoder = JsonDecoder::try_new(Arc::clone(schema), JsonOptions::default())?;
    let mut rows = 0;
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', text.as_bytes()) {
        decoder.decode_line(&text.as_bytes()[start..end])?;
        start = end + 1;
        if decoder.num_rows() == BATCH_ROWS {
            rows += black_box(decoder.flush()?).num_rows();
        }
    }
    rows += black_box(decoder.flush()?).num_rows();
    Ok(rows)
}

fn decode_with_arrow(text: &str, schema: &SchemaRef) -> Result<usize> {
    let reader = arrow::json::ReaderBuilder::new(Arc::clone(schema))
        .with_batch_size(BATCH_ROWS)
        .build(text.as_bytes())?;
    let mut rows = 0;
    for batch in reader {
        rows += black_box(batch?).num_rows();
    }
    Ok(rows)
}
