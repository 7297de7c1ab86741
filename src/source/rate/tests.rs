use arrow::array::AsArray;
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use futures::{FutureExt, TryStreamExt};

use super::*;
use crate::clock::ManualClock;

const START: i64 = 1_767_258_000_000;

fn source(options: &[(&str, &str)], clock: &Arc<ManualClock>) -> RateSource {
    let options: Options = options.iter().copied().collect();
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    RateSource::try_new(&options, clock, "UTC").expect("options are right")
}

async fn planned(source: &RateSource, start: Option<&Offset>) -> Option<PlannedOffset> {
    source
        .latest_offset(start, ReadLimit::Configured)
        .await
        .expect("rate always knows")
}

/// The rows of each partition: value, and milliseconds since the start.
async fn rows(source: &RateSource, start: Option<i64>, end: i64, partitions: usize) -> Vec<Vec<(i64, i64)>> {
    let start = start.map(offset);
    let streams = source
        .read(start.as_ref(), &offset(end), &[0, 1], partitions)
        .await
        .expect("fits");
    let mut parts = Vec::new();
    for stream in streams {
        let batches: Vec<RecordBatch> = stream.try_collect().await.expect("reads");
        let mut part = Vec::new();
        for batch in &batches {
            assert_eq!(batch.schema(), source.schema());
            let times = batch
                .column(0)
                .as_primitive::<TimestampMicrosecondType>()
                .values();
            let values = batch.column(1).as_primitive::<Int64Type>().values();
            part.extend(
                values
                    .iter()
                    .copied()
                    .zip(times.iter().map(|time| time / 1000 - START)),
            );
        }
        parts.push(part);
    }
    parts
}

#[test]
fn ramp_up_is_spark_s() {
    let rate = Rate {
        rows_per_second: 10,
        ramp_up_seconds: 4,
    };
    let due: Vec<_> = (0..7).map(|second| rate.value_at_second(second)).collect();
    assert_eq!(due, [0, 2, 6, 12, 20, 30, 40].map(Some));
    assert_eq!(rate.value_at(1500), Some(4), "evenly within the second");
    let flat = Rate {
        rows_per_second: 7,
        ramp_up_seconds: 0,
    };
    assert_eq!((flat.value_at(0), flat.value_at(3000)), (Some(0), Some(21)));
    assert_eq!(flat.value_at_second(i64::MAX), None, "does not fit");
}

#[tokio::test]
async fn whole_seconds_are_offsets() {
    let clock = Arc::new(ManualClock::new(START));
    let source = source(&[("rowsPerSecond", "4")], &clock);
    assert_eq!(planned(&source, None).await, None);
    clock.advance_ms(2999);
    let first = planned(&source, None).await.expect("two seconds have passed");
    assert_eq!(first.end, json!({"value": 2}));
    assert_eq!(
        first.log_entry,
        Some(json!({"startTimeMs": START, "tickMillis": 1000}))
    );
    assert_eq!(planned(&source, Some(&first.end)).await, None);
    clock.advance_ms(1);
    let second = planned(&source, Some(&first.end)).await.expect("three have");
    assert_eq!((second.end, second.log_entry), (json!({"value": 3}), None));
    assert_eq!(
        rows(&source, Some(2), 3, 1).await,
        [[(8, 2000), (9, 2250), (10, 2500), (11, 2750)]]
    );
}

#[tokio::test]
async fn partitions_take_turns_and_never_exceed_the_limit() {
    let clock = Arc::new(ManualClock::new(START));
    let three = source(&[("rowsPerSecond", "7"), ("numPartitions", "3")], &clock);
    let parts = rows(&three, None, 1, 8).await;
    let values: Vec<Vec<i64>> = parts
        .iter()
        .map(|part| part.iter().map(|row| row.0).collect())
        .collect();
    assert_eq!(values, [vec![0, 3, 6], vec![1, 4], vec![2, 5]]);
    assert_eq!(parts[1][0].1, 143, "1/7 second, rounded");
    assert_eq!(rows(&three, None, 1, 2).await.len(), 2);
    let one_row = source(&[], &clock);
    assert_eq!(rows(&one_row, Some(5), 6, 8).await, [[(5, 5000)]]);
    assert!(rows(&one_row, Some(6), 6, 8).await.is_empty());
}

#[tokio::test]
async fn long_ranges_come_in_batches() {
    let clock = Arc::new(ManualClock::new(START));
    let source = source(&[("rowsPerSecond", "20000")], &clock);
    let streams = source.read(None, &offset(1), &[1], 1).await.expect("fits");
    let batches: Vec<RecordBatch> = streams
        .into_iter()
        .next()
        .expect("one")
        .try_collect()
        .await
        .expect("reads");
    let sizes: Vec<_> = batches.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(sizes, [8192, 8192, 3616]);
    let streams = source.read(None, &offset(1), &[], 1).await.expect("fits");
    let batches: Vec<RecordBatch> = streams
        .into_iter()
        .next()
        .expect("one")
        .try_collect()
        .await
        .expect("reads");
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 20000);
}

#[tokio::test]
async fn a_restart_goes_on_with_what_is_due() {
    let clock = Arc::new(ManualClock::new(START));
    let before = source(&[], &clock);
    clock.advance_ms(1000);
    let entry = planned(&before, None)
        .await
        .expect("is due")
        .log_entry
        .expect("is the first");
    clock.advance_ms(9000);
    let after = source(&[], &clock);
    after.restore(vec![(0, entry)]).await.expect("is its own");
    let next = planned(&after, Some(&offset(1))).await.expect("is due");
    assert_eq!(next.end, offset(10));
    assert_eq!(rows(&after, Some(9), 10, 1).await, [[(9, 9000)]]);
    clock.advance_ms(-20_000);
    assert_eq!(
        planned(&after, Some(&offset(10))).await,
        None,
        "a clock that goes back takes nothing back"
    );
    let error = after
        .restore(vec![(0, json!("what"))])
        .await
        .expect_err("is not its own");
    assert_eq!(
        error.message(),
        "the log of a rate source holds \"what\" for batch 0"
    );
}

#[tokio::test]
async fn ticks_may_be_shorter_than_a_second() {
    let clock = Arc::new(ManualClock::new(START));
    let fine = source(&[("rowsPerSecond", "20"), ("tickMillis", "100")], &clock);
    clock.advance_ms(250);
    let first = planned(&fine, None).await.expect("is due");
    assert_eq!(first.end, offset(2));
    assert_eq!(
        rows(&fine, None, 2, 1).await,
        [[(0, 0), (1, 50), (2, 100), (3, 150)]]
    );
    let coarse = source(&[], &clock);
    let entry = first.log_entry.expect("is the first");
    let error = coarse.restore(vec![(0, entry)]).await.expect_err("ticks differ");
    assert_eq!(
        error.message(),
        "option \"tickMillis\" is 1000, but the checkpoint was written with 100"
    );
}

#[tokio::test]
async fn available_now_ends_at_the_present_tick() {
    let clock = Arc::new(ManualClock::new(START));
    let source = source(&[], &clock);
    clock.advance_ms(3000);
    source.prepare_available_now().await.expect("works");
    clock.advance_ms(3000);
    let planned = planned(&source, None).await.expect("is due");
    assert_eq!(planned.end, offset(3));
    assert_eq!(source.newest_known(), Some(offset(6)));
}

#[tokio::test]
async fn waiting_ends_at_the_next_tick() {
    let clock = Arc::new(ManualClock::new(START));
    let source = source(&[("tickMillis", "60000")], &clock);
    assert!(
        source.wait_for_data(None).now_or_never().is_none(),
        "a minute is left"
    );
    clock.advance_ms(60_000);
    source.wait_for_data(None).await;
    assert!(source.wait_for_data(Some(&offset(1))).now_or_never().is_none());
}

#[test]
fn options_are_checked() {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(START));
    let refuse = |name: &str, value: &str| {
        let options: Options = [(name, value)].into_iter().collect();
        let error = RateSource::try_new(&options, Arc::clone(&clock), "UTC").expect_err("is wrong");
        error.message().to_owned()
    };
    assert_eq!(
        refuse("rowsPerSecond", "0"),
        "option \"rowsPerSecond\" cannot be '0'"
    );
    assert_eq!(
        refuse("rampUpTime", "-5s"),
        "option \"rampUpTime\" cannot be '-5s'"
    );
    assert_eq!(refuse("rowPerSecond", "5"), "rate has no option \"rowPerSecond\"");
}

#[tokio::test]
async fn descriptions_and_overflow() {
    let clock = Arc::new(ManualClock::new(START));
    let source = source(
        &[
            ("rowsPerSecond", "9000000000000000000"),
            ("rampUpTime", "1 minute"),
        ],
        &clock,
    );
    assert_eq!(
        source.description(),
        "RateStreamV2[rowsPerSecond=9000000000000000000, rampUpTimeSeconds=60, numPartitions=default]"
    );
    let error = source
        .read(None, &offset(100), &[1], 1)
        .await
        .err()
        .expect("overflows");
    assert!(error.message().starts_with("integer overflow"), "{error}");
}
