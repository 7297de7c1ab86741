//! Random rows on two or three sides, cut into batches at random.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use serde_json::{Value, json};

use crate::support::Random;

/// 2026-01-01T00:00:00Z, which every window of these tests begins at, in microseconds.
const MIDNIGHT_US: i64 = 1_767_225_600_000_000;
pub(crate) const MINUTE_US: i64 = 60_000_000;
/// Later than any row, however long it may be late: 2035-01-01T00:00:00Z, and an hour on.
const FAR_FUTURE_US: [i64; 2] = [2_051_222_400_000_000, 2_051_226_000_000_000];
/// What the keys of the rows that push the watermark to the end begin with.
pub(crate) const FLUSH: &str = "flush";

/// One of the streams that a pipeline may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    A,
    B,
    C,
}

impl Side {
    pub(crate) const BOTH: [Self; 2] = [Self::A, Self::B];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
            Self::C => "c",
        }
    }
}

/// A row of a stream. `seq` tells in which place it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) side: Side,
    pub(crate) at_us: Option<i64>,
    pub(crate) k: Option<String>,
    pub(crate) v: Option<i64>,
    pub(crate) seq: i64,
}

/// Rows whose event times go forward by some minutes a batch, with some that are far behind, null times and null keys.
pub(crate) fn random_batches(random: &mut Random) -> Vec<Vec<Row>> {
    let num_batches = 1 + random.below(6);
    let step = random.below(30);
    let mut seq = 0;
    (0..num_batches)
        .map(|batch| {
            let num_rows = if random.below(12) == 0 { 0 } else { random.below(9) };
            (0..num_rows)
                .map(|_| {
                    seq += 1;
                    random_row(random, i64::try_from(batch * step).unwrap_or(0), seq)
                })
                .collect()
        })
        .collect()
}

fn random_row(random: &mut Random, minute: i64, seq: i64) -> Row {
    let side = Side::BOTH[usize::from(random.below(2) == 0)];
    let below = |random: &mut Random, end| i64::try_from(random.below(end)).unwrap_or(0);
    let behind = match random.below(6) {
        0 => below(random, 90),
        _ => below(random, 12),
    };
    // An hour and a half after midnight, so that rows that are behind are of the same day.
    let at_us = MIDNIGHT_US + (90 + minute + below(random, 25) - behind) * MINUTE_US;
    let within = match random.below(10) {
        0 => 999,
        1 => 1,
        2 => 30_000_000 + below(random, 1000) * 1000,
        _ => 0,
    };
    Row {
        side,
        at_us: (random.below(14) > 0).then_some(at_us + within),
        k: (random.below(10) > 0)
            .then(|| ["x", "y", "z"][usize::try_from(random.below(3)).unwrap_or(0)].to_owned()),
        v: (random.below(8) > 0).then(|| below(random, 7)),
        seq,
    }
}

/// The batch that comes last: rows of the far future on the sides that the pipeline reads, with a key of their own each.
pub(crate) fn flush(sides: &[Side], which: usize) -> Vec<Row> {
    let mut sides = sides.to_vec();
    sides.sort();
    sides.dedup();
    let rows = sides.into_iter().map(|side| Row {
        side,
        at_us: Some(FAR_FUTURE_US[which]),
        k: Some(format!("{FLUSH}-{}-{which}", side.name())),
        v: Some(100),
        seq: 0,
    });
    rows.collect()
}

/// The columns of the streams.
pub(crate) fn schema() -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        Field::new("side", DataType::Utf8, true),
        Field::new("at", time, true),
        Field::new("k", DataType::Utf8, true),
        Field::new("v", DataType::Int64, true),
        Field::new("seq", DataType::Int64, true),
    ]))
}

/// Rows as a stream gives them.
pub(crate) fn record_batch<'a>(rows: impl Iterator<Item = &'a Row> + Clone) -> RecordBatch {
    let at = rows.clone().map(|row| row.at_us);
    let at = at.collect::<TimestampMicrosecondArray>().with_timezone("UTC");
    let side = rows.clone().map(|row| Some(row.side.name()));
    let k = rows.clone().map(|row| row.k.as_deref());
    let columns: Vec<ArrayRef> = vec![
        Arc::new(side.collect::<StringArray>()),
        Arc::new(at),
        Arc::new(k.collect::<StringArray>()),
        Arc::new(rows.clone().map(|row| row.v).collect::<Int64Array>()),
        Arc::new(rows.map(|row| Some(row.seq)).collect::<Int64Array>()),
    ];
    RecordBatch::try_new(schema(), columns).expect("columns of one length")
}

/// A row as a line of the static table: with the number of its pipeline and the watermark that it may be late by.
pub(crate) fn table_row(pipeline: usize, row: &Row, late_us: i64) -> Value {
    json!({
        "p": pipeline,
        "side": row.side.name(),
        "at": row.at_us.map(iso),
        "k": row.k,
        "v": row.v,
        "seq": row.seq,
        "late": iso(late_us),
    })
}

/// A time as rows are printed: the fraction only where there is one.
pub(crate) fn iso(us: i64) -> String {
    let time = chrono::DateTime::from_timestamp_micros(us).expect("a time of this age");
    let text = time.format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}Z")
}
