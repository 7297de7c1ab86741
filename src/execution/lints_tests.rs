use std::collections::BTreeMap;
use std::time::Duration;

use arrow::datatypes::Schema;
use serde_json::Value;
use uuid::Uuid;

use super::*;
use crate::execution::event_time::WatermarkSource;
use crate::execution::progress::{SinkProgress, SourceProgress, StateOperatorProgress};
use crate::state::StateLayout;

/// A batch of ten rows of the first of two sources that took 30 ms, 20 of them for the rows.
fn batch(batch_id: u64) -> StreamingQueryProgress {
    let source = |name: &str, rows| SourceProgress {
        description: name.to_owned(),
        start_offset: Value::Null,
        end_offset: Value::Null,
        latest_offset: Value::Null,
        num_input_rows: rows,
        input_rows_per_second: 0.0,
        processed_rows_per_second: 0.0,
        metrics: BTreeMap::new(),
    };
    let steps = [
        ("addBatch", 20_000),
        ("stateCommit", 8_000),
        ("triggerExecution", 30_000),
        ("walCommit", 2_000),
    ];
    StreamingQueryProgress {
        id: Uuid::nil(),
        run_id: Uuid::nil(),
        name: None,
        timestamp: iso_millis(1_000 * i64::try_from(batch_id).expect("small")),
        batch_id,
        batch_duration: 30,
        num_input_rows: 10,
        input_rows_per_second: 10.0,
        processed_rows_per_second: 300.0,
        duration_ms: BTreeMap::new(),
        event_time: BTreeMap::from([(
            "watermark".to_owned(),
            iso_millis(1_000 * i64::try_from(batch_id).expect("small")),
        )]),
        state_operators: vec![StateOperatorProgress {
            num_rows_total: 2_000,
            ..StateOperatorProgress::default()
        }],
        sources: vec![source("a", 10), source("b", 1)],
        sink: SinkProgress::default(),
        duration_us: steps.map(|(step, us)| (step.to_owned(), us)).into(),
    }
}

struct Query {
    recent: VecDeque<Arc<StreamingQueryProgress>>,
    operators: Vec<OperatorFacts>,
    largest_keys: Vec<u64>,
    event_time: Option<EventTimeFacts>,
    trigger: Trigger,
    output_mode: OutputMode,
}

impl Query {
    /// Twenty batches in which all is well, but for what `change` does to them.
    fn of(change: impl Fn(&mut StreamingQueryProgress)) -> Self {
        let batches = (0..20).map(|batch_id| {
            let mut progress = batch(batch_id);
            change(&mut progress);
            Arc::new(progress)
        });
        Self {
            recent: batches.collect(),
            operators: vec![operator("stateStoreSave", true, 1)],
            largest_keys: vec![0],
            event_time: None,
            trigger: Trigger::Default,
            output_mode: OutputMode::Update,
        }
    }

    fn warnings(&self) -> Vec<Warning> {
        warnings(&QueryFacts {
            recent: &self.recent,
            operators: &self.operators,
            largest_keys: &self.largest_keys,
            event_time: self.event_time.as_ref(),
            trigger: self.trigger,
            output_mode: self.output_mode,
        })
    }

    /// The one warning that there is.
    fn only(&self, lint: &str) -> Warning {
        let warnings = self.warnings();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert_eq!(warnings[0].lint, lint);
        warnings[0].clone()
    }
}

fn operator(name: &'static str, is_evicting: bool, num_keys: usize) -> OperatorFacts {
    OperatorFacts {
        name,
        signature: "aggregate by user_id STRING; computes count(1); keeps BIGINT".to_owned(),
        layout: StateLayout {
            schema: Arc::new(Schema::empty()),
            num_keys,
            eviction: None,
            is_numbered: false,
        },
        is_evicting,
    }
}

fn watermark(stream: &str, at_ms: i64, decides: bool) -> WatermarkSource {
    WatermarkSource {
        streams: vec![stream.to_owned()],
        column: "event_time".to_owned(),
        delay_ms: 0,
        newest_event_ms: Some(at_ms),
        watermark_ms: Some(at_ms),
        silent_since_ms: 0,
        decides,
    }
}

fn at_one_second(watermarks: Vec<WatermarkSource>) -> EventTimeFacts {
    EventTimeFacts {
        watermark_ms: Some(1_000),
        watermarks,
        ..EventTimeFacts::default()
    }
}

fn stand_still(progress: &mut StreamingQueryProgress) {
    progress
        .event_time
        .insert("watermark".to_owned(), iso_millis(1_000));
}

#[test]
fn a_query_that_is_well_has_no_warning() {
    let query = Query::of(|_| {});
    assert_eq!(query.warnings(), []);
    let none = Query {
        recent: VecDeque::new(),
        ..Query::of(|_| {})
    };
    assert_eq!(none.warnings(), []);
}

#[test]
fn late_rows_are_counted_and_the_last_batch_with_some_is_named() {
    let query = Query::of(|progress| {
        progress.state_operators[0].num_rows_dropped_by_watermark = u64::from(progress.batch_id % 8 == 1);
    });
    let message = query.only("late-rows").message;
    assert_eq!(
        message,
        "3 rows came too late in the last 20 batches and were dropped, the last in batch 17"
    );
}

#[test]
fn a_state_that_nothing_empties_is_named_with_what_to_write() {
    let mut query = Query::of(|_| {});
    query.operators = vec![operator("stateStoreSave", false, 1)];
    let warning = query.only("unbounded-state");
    assert_eq!(
        warning.message,
        "nothing takes keys out of the state of operator 0, aggregate by user_id STRING: 2000 keys so far"
    );
    assert!(
        warning
            .hint
            .expect("a hint")
            .contains("group by window(column, ...)")
    );
    query.operators = vec![operator("dedupe", false, 1)];
    assert!(
        query
            .only("unbounded-state")
            .hint
            .expect("a hint")
            .contains("WITHIN WATERMARK")
    );
    query.operators = vec![operator("symmetricHashJoinLeft", false, 1)];
    assert!(
        query
            .only("unbounded-state")
            .hint
            .expect("a hint")
            .contains("both streams")
    );
    query.operators = vec![operator("stateStoreSave", false, 0)];
    assert_eq!(query.warnings(), [], "one key does not grow");
}

#[test]
fn a_stuck_watermark_names_the_stream_that_holds_it() {
    let mut query = Query::of(stand_still);
    query.event_time = Some(at_one_second(vec![
        watermark("orders", 900_000, false),
        watermark("refunds", 1_000, true),
    ]));
    let message = query.only("watermark-stuck").message;
    assert!(message.contains("it waits for stream refunds"), "{message}");
    assert!(
        message.contains("1970-01-01T00:00:01.000Z for 20 batches"),
        "{message}"
    );

    query.event_time = Some(at_one_second(vec![watermark("orders", 1_000, true)]));
    let message = query.only("watermark-stuck").message;
    assert!(
        message.contains("rows of stream orders bring no newer event_time"),
        "{message}"
    );

    query.event_time = Some(EventTimeFacts {
        watermark_ms: Some(2_000),
        ..at_one_second(vec![watermark("orders", 2_000, true)])
    });
    assert_eq!(query.warnings(), [], "the next batch has another one");
}

#[test]
fn event_times_in_whole_seconds_are_not_a_stuck_watermark() {
    let mut query = Query::of(|progress| {
        stand_still(progress);
        progress.timestamp = iso_millis(200 * i64::try_from(progress.batch_id).expect("small"));
    });
    query.event_time = Some(at_one_second(vec![watermark("orders", 1_000, true)]));
    assert_eq!(query.warnings(), [], "it has stood for four seconds");
}

#[test]
fn silence_is_not_a_stuck_watermark() {
    let mut query = Query::of(|progress| {
        stand_still(progress);
        if progress.batch_id >= 3 {
            progress.num_input_rows = 0;
            progress
                .sources
                .iter_mut()
                .for_each(|source| source.num_input_rows = 0);
        }
    });
    query.event_time = Some(at_one_second(vec![watermark("orders", 1_000, true)]));
    assert_eq!(query.warnings(), []);
}

#[test]
fn a_source_without_rows_beside_others_is_starved() {
    let query = Query::of(|progress| progress.sources[1].num_input_rows = 0);
    let message = query.only("starved-source").message;
    assert_eq!(
        message,
        "b has given no row in the last 10 batches, while others have"
    );
    let query = Query::of(|progress| progress.sources[1].num_input_rows = u64::from(progress.batch_id == 12));
    assert_eq!(query.warnings(), [], "a quiet source is not a starved one");
}

#[test]
fn rows_that_arrive_faster_than_they_are_processed() {
    let query = Query::of(|progress| progress.input_rows_per_second = 400.0);
    let message = query.only("input-above-processing").message;
    assert_eq!(
        message,
        "400 rows/s arrive and 300 rows/s are processed, over the last 10 batches"
    );
    let query = Query::of(|progress| progress.input_rows_per_second = 301.0);
    assert_eq!(query.warnings(), [], "equal, but for noise");
}

#[test]
fn batches_longer_than_the_triggers_interval() {
    let mut query = Query::of(|_| {});
    query.trigger = Trigger::ProcessingTime(Duration::from_millis(20));
    let message = query.only("trigger-behind").message;
    assert!(message.contains("the trigger's interval is"), "{message}");
    query.trigger = Trigger::ProcessingTime(Duration::from_millis(40));
    assert_eq!(query.warnings(), []);
}

#[test]
fn a_commit_that_takes_longer_than_the_rows() {
    let slow = |us: u64| {
        Query::of(move |progress| {
            progress.duration_us.insert("stateCommit".to_owned(), us);
        })
    };
    let message = slow(120_000).only("slow-commit").message;
    assert_eq!(
        message,
        "the checkpoint took 122 ms a batch, the rows 20 ms, over the last 10 batches"
    );
    assert_eq!(slow(50_000).warnings(), [], "a quick disk is no trouble");
}

#[test]
fn a_key_with_most_of_a_join() {
    let mut query = Query::of(|_| {});
    query.largest_keys = vec![1_500];
    assert_eq!(
        query.warnings(),
        [],
        "many rows under one key of another operator"
    );
    query = Query::of(|progress| progress.state_operators[0].operator_name = "symmetricHashJoinLeft".into());
    query.largest_keys = vec![1_500];
    let message = query.only("skewed-key").message;
    assert_eq!(message, "one key has 1500 of the 2000 rows of operator 0, 75 %");
    query.largest_keys = vec![999];
    assert_eq!(query.warnings(), []);
}
