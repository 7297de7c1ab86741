//! What a workspace brings back.

use serde_json::{Value, json};

use crate::process::{Ended, Workplace};

fn run(place: &Workplace, script: &str) -> Ended {
    let ended = place.highwater_with_stdin(&["run", "-", "--workspace", "w", "--output", "json"], script);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended
}

fn names(rows: &Value) -> Vec<&str> {
    let rows = rows.as_array().expect("rows").iter();
    rows.filter_map(|row| row["name"].as_str()).collect()
}

#[test]
fn views_over_a_stream_that_was_replaced_come_back() {
    let place = Workplace::new();
    run(
        &place,
        "CREATE STREAM t USING rate;
         CREATE VIEW evens AS SELECT value FROM t WHERE value % 2 = 0;
         CREATE VIEW fours AS SELECT value FROM evens WHERE value % 4 = 0;
         CREATE OR REPLACE STREAM t USING rate OPTIONS (rowsPerSecond '5');",
    );
    let ended = run(&place, "SHOW VIEWS;");
    assert_eq!(names(&ended.results()[0]), ["evens", "fours"]);
    assert_eq!(ended.stderr, "");
}

#[test]
fn what_cannot_be_made_again_is_said_and_stays_remembered() {
    let place = Workplace::new();
    place.write("in/a.json", "{\"v\":1}\n");
    run(
        &place,
        "CREATE STREAM s (v INT) USING json OPTIONS (path 'in'); CREATE VIEW v AS SELECT v FROM s;",
    );
    std::fs::rename(place.path().join("in"), place.path().join("away")).expect("the folder is ours");
    let ended = run(&place, "SHOW STREAMS;");
    assert_eq!(ended.results()[0], json!([]));
    assert!(
        ended
            .stderr
            .contains("\"s\" of the workspace cannot be made again"),
        "{}",
        ended.stderr
    );
    std::fs::rename(place.path().join("away"), place.path().join("in")).expect("the folder is ours");
    assert_eq!(names(&run(&place, "SHOW VIEWS;").results()[0]), ["v"]);
}

#[test]
fn a_query_keeps_the_settings_that_it_was_made_with() {
    let place = Workplace::new();
    place.write("a/1.json", "{\"at\":\"2026-01-01T10:00:00Z\"}\n");
    place.write("b/1.json", "{\"at\":\"2026-01-01T00:00:00Z\"}\n");
    run(
        &place,
        "SET spark.sql.streaming.multipleWatermarkPolicy = max;
         CREATE STREAM a (at TIMESTAMP) USING json OPTIONS (path 'a') WATERMARK at DELAY OF INTERVAL 0 SECONDS;
         CREATE STREAM b (at TIMESTAMP) USING json OPTIONS (path 'b') WATERMARK at DELAY OF INTERVAL 0 SECONDS;
         CREATE STREAMING QUERY q TRIGGER AVAILABLE NOW SINK noop AS SELECT at FROM a UNION ALL SELECT at FROM b;
         AWAIT QUERY q TIMEOUT '60 seconds';",
    );
    place.write("a/2.json", "{\"at\":\"2026-01-01T11:00:00Z\"}\n");
    let ended = run(
        &place,
        "START QUERY q; AWAIT QUERY q TIMEOUT '60 seconds'; SHOW PROGRESS FOR q;",
    );
    let rows = &ended.results()[0];
    assert_eq!(rows[0]["watermark"], "2026-01-01T10:00:00.000Z", "{rows}");
}

#[test]
fn the_table_of_a_query_that_is_not_started_has_its_rows() {
    let place = Workplace::new();
    let first = run(
        &place,
        "CREATE STREAM s (user_id STRING) USING json OPTIONS (path 'sample-data/events');
         CREATE STREAMING QUERY q OUTPUT MODE COMPLETE TRIGGER AVAILABLE NOW AS SELECT count(*) AS n FROM s;
         AWAIT QUERY q TIMEOUT '60 seconds'; SHOW QUERIES;",
    );
    let ended = run(&place, "SELECT n FROM q; SHOW QUERIES;");
    let results = ended.results();
    assert_eq!(results[0], json!([{"n": 6}]));
    assert_eq!(
        results[1][0]["id"],
        first.results()[0][0]["id"],
        "a query keeps its id"
    );
    assert_eq!(results[1][0]["state"], "stopped");
}
