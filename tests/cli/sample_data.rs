//! The bundled pipelines run, and go on where they were.

use std::collections::HashSet;
use std::fs;

use serde_json::{Value, json};

use crate::process::Workplace;

const PIPELINE: &str = "sample-data/pipelines/structured-streaming.sql";
const QUERIES: [&str; 3] = ["spend_by_user", "events_by_hour", "events_to_parquet"];

const SPEND_BY_USER: &str = "\
+-------+------+------+
|user_id|events|amount|
+-------+------+------+
|u01    |2     |24.5  |
|u02    |2     |11.25 |
|u03    |2     |63.0  |
+-------+------+------+
";

const EVENTS_BY_HOUR: &str = "\
+-------------------+----------+------+------+
|hour               |event_type|events|amount|
+-------------------+----------+------+------+
|2026-01-01 09:00:00|purchase  |2     |35.75 |
|2026-01-01 09:00:00|view      |2     |0.0   |
|2026-01-01 10:00:00|purchase  |1     |63.0  |
|2026-01-01 10:00:00|view      |1     |0.0   |
+-------------------+----------+------+------+
";

const FROM_PARQUET: &str = "\
+--------+-------+----------+-------------------+------+
|event_id|user_id|event_type|event_time         |amount|
+--------+-------+----------+-------------------+------+
|e001    |u01    |view      |2026-01-01 09:00:00|0.0   |
|e002    |u01    |purchase  |2026-01-01 09:04:00|24.5  |
|e003    |u02    |view      |2026-01-01 09:05:00|0.0   |
|e004    |u02    |purchase  |2026-01-01 09:08:00|11.25 |
|e005    |u03    |view      |2026-01-01 10:01:00|0.0   |
|e006    |u03    |purchase  |2026-01-01 10:03:00|63.0  |
+--------+-------+----------+-------------------+------+
";

const INPUT_ROWS: &str = "\
+-------+----------+
|batches|input_rows|
+-------+----------+
|2      |6         |
+-------+----------+
";

#[test]
fn the_pipeline_prints_its_tables() {
    let place = Workplace::new();
    let ended = place.highwater(&["run", PIPELINE]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let mut rest = ended.stdout.as_str();
    for table in [SPEND_BY_USER, EVENTS_BY_HOUR, FROM_PARQUET, INPUT_ROWS] {
        let at = rest
            .find(table)
            .unwrap_or_else(|| panic!("no {table} in {}", ended.stdout));
        rest = &rest[at + table.len()..];
    }
    for query in QUERIES {
        let narrated = ended
            .stderr
            .lines()
            .find(|line| line.starts_with(&format!("query \"{query}\" ended after")));
        assert!(
            narrated.is_some_and(|line| line.contains(": 6 rows in, ")),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn a_second_run_reads_nothing_and_a_third_one_just_the_new_file() {
    let place = Workplace::new();
    let run = || {
        let ended = place.highwater(&["run", PIPELINE, "--output", "json"]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended
    };
    let (first, second) = (run(), run());
    for query in QUERIES {
        assert_eq!(
            (first.input_rows(query), second.input_rows(query)),
            (6, 0),
            "{query}"
        );
    }
    let tables = |ended: &crate::process::Ended| ended.results()[..4].to_vec();
    assert_eq!(
        tables(&first),
        tables(&second),
        "what the first run had is still there"
    );

    place.write(
        "sample-data/events/batch-003.json",
        r#"{"event_id":"e007","user_id":"u01","event_type":"purchase","event_time":"2026-01-01 10:30:00","amount":1.5}"#,
    );
    let third = run();
    for query in QUERIES {
        assert_eq!(third.input_rows(query), 1, "{query}");
    }
    let [spend, _, by_hour, archived, _, _] = <[Value; 6]>::try_from(third.results()).expect("six results");
    assert_eq!(spend[0], json!({"user_id": "u01", "events": 3, "amount": 26.0}));
    assert_eq!(
        by_hour[2],
        json!({"hour": "2026-01-01T10:00:00Z", "event_type": "purchase", "events": 2, "amount": 64.5})
    );
    let ids = archived
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| &row["event_id"]);
    assert_eq!(
        ids.collect::<Vec<_>>(),
        ["e001", "e002", "e003", "e004", "e005", "e006", "e007"]
    );
}

#[test]
fn recent_progress_adds_up_to_the_events() {
    let place = Workplace::new();
    let ended = place.highwater(&["run", PIPELINE, "--output", "json"]);
    let results = ended.results();
    let [.., progress, total] = &results[..] else {
        panic!("the progress and its sum are last");
    };
    assert_eq!(total, &json!([{"batches": 2, "input_rows": 6}]));
    let progress = progress.as_array().expect("SHOW PROGRESS");
    let rows = progress.iter().map(|batch| batch["numInputRows"].as_i64());
    assert_eq!(rows.collect::<Vec<_>>(), [Some(3), Some(3)], "a file a batch");
}

#[test]
fn the_demo_runs_until_it_is_interrupted() {
    let place = Workplace::new();
    let mut running = place.start(&["run", "sample-data/pipelines/demo.sql", "--output", "json"], "");
    // The Parquet query takes its time on purpose: its first batch may be five seconds away.
    let mut quiet = HashSet::from([
        "orders_by_window",
        "revenue_per_window",
        "totals_by_user",
        "shop_totals",
    ]);
    while !quiet.is_empty() {
        let line = running.line().expect("the demo never ends");
        let event = serde_json::from_str::<Value>(&line).expect("JSON");
        let has_rows = event["progress"]["numInputRows"]
            .as_u64()
            .is_some_and(|rows| rows > 0);
        if has_rows && let Some(query) = event["query"].as_str() {
            quiet.remove(query);
        }
    }
    running.signal("INT");
    let ended = running.end();
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    let events = ended.events();
    let of_kind = |kind: &str| events.iter().filter(|event| event["event"] == kind).count();
    assert_eq!((of_kind("started"), of_kind("terminated")), (5, 5));
    let failed = events.iter().find(|event| event["exception"].is_string());
    assert_eq!(failed, None, "stopping is no failure");
    assert_eq!(
        fs::read_dir(place.path().join("checkpoints/demo"))
            .expect("is there")
            .count(),
        5
    );
}

#[test]
fn explain_analyze_shows_the_last_batch() {
    let place = Workplace::new();
    let script = "CREATE STREAM s (user_id STRING, amount DOUBLE) USING json OPTIONS (path 'sample-data/events', maxFilesPerTrigger '1');
         CREATE STREAMING QUERY q OUTPUT MODE UPDATE TRIGGER AVAILABLE NOW SINK noop
         AS SELECT user_id, sum(amount) AS amount FROM s GROUP BY user_id;
         AWAIT QUERY q TIMEOUT '60 seconds';
         EXPLAIN ANALYZE QUERY q;";
    let ended = place.highwater_with_stdin(&["run", "-", "--output", "json"], script);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let results = ended.results();
    let lines = results[0].as_array().expect("rows").iter();
    let lines = lines
        .map(|row| row["plan"].as_str().expect("a line"))
        .collect::<Vec<_>>();
    assert_eq!(lines[0], "batch 1");
    let line = |node: &str| {
        lines
            .iter()
            .find(|line| line.trim_start().starts_with(node))
            .expect(node)
    };
    assert!(line("StreamScanExec").contains("output_rows=3"), "{lines:#?}");
    assert!(
        line("StreamingAggregateExec").contains("output_rows=2"),
        "{lines:#?}"
    );
}
