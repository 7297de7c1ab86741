//! What a caller learns from the exit code, and what stays undone when something is wrong.

use std::fs;

use crate::process::Workplace;

const STREAM: &str = "CREATE STREAM events (event_id STRING, amount DOUBLE)
  USING json OPTIONS (path 'sample-data/events');
";

#[test]
fn help_and_version_need_nothing() {
    let place = Workplace::new();
    let help = place.highwater(&["--help"]);
    assert_eq!(help.code, Some(0));
    assert!(help.stdout.contains("Usage: highwater"), "{}", help.stdout);
    let version = place.highwater(&["--version"]);
    assert_eq!(version.code, Some(0));
    assert_eq!(
        version.stdout,
        concat!("highwater ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn statements_come_from_stdin_too() {
    let place = Workplace::new();
    let ended = place.highwater_with_stdin(&["run", "-", "--output", "json"], "SELECT 1 AS one;");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(ended.stdout, "{\"event\":\"result\",\"rows\":[{\"one\":1}]}\n");
}

#[test]
fn a_wrong_command_line_is_2() {
    let place = Workplace::new();
    for arguments in [
        &["run"][..],
        &["run", "no/such/file.sql"],
        &["run", "-", "--output", "xml"],
        &["check", "no/such/file.sql"],
        &["--nonsense"],
    ] {
        let ended = place.highwater(arguments);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(2), ""),
            "{arguments:?}"
        );
        assert!(!ended.stderr.is_empty(), "{arguments:?} says why");
    }
}

#[test]
fn nothing_runs_if_a_later_statement_is_wrong() {
    let place = Workplace::new();
    let query = "CREATE STREAMING QUERY q TRIGGER AVAILABLE NOW CHECKPOINT 'checkpoints/q'
  SINK parquet OPTIONS (path 'out/q') AS SELECT event_id FROM events;
SELECT 1;
";
    let later = "SELECT no_such_column FROM events_of_nobody;";
    place.write("pipeline.sql", &format!("{STREAM}{query}{later}"));
    for arguments in [
        &["run", "pipeline.sql"][..],
        &["run", "pipeline.sql", "--output", "json"],
        &["check", "pipeline.sql"],
    ] {
        let ended = place.highwater(arguments);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(2), ""),
            "{arguments:?}"
        );
        assert!(ended.stderr.contains("pipeline.sql:6:"), "{}", ended.stderr);
        assert!(ended.stderr.contains("hint: "), "{}", ended.stderr);
    }
    for folder in ["checkpoints", "out"] {
        assert!(!place.path().join(folder).exists(), "{folder} was made");
    }
}

#[test]
fn check_runs_nothing() {
    let place = Workplace::new();
    let ended = place.highwater(&["check", "sample-data/pipelines/structured-streaming.sql"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let ended = place.highwater(&["check", "sample-data/pipelines/demo.sql"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let names = fs::read_dir(place.path()).expect("is there");
    let names = names.map(|entry| entry.expect("is readable").file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["sample-data"]);
}

#[test]
fn a_query_that_fails_is_1_and_goes_on_when_it_is_mended() {
    let place = Workplace::new();
    let query = "CREATE STREAMING QUERY q TRIGGER AVAILABLE NOW CHECKPOINT 'checkpoints/q'
  SINK console AS SELECT n FROM numbers;";
    let stream = "CREATE STREAM numbers (n INT) USING json OPTIONS (path 'in', maxFilesPerTrigger '1', mode 'FAILFAST');\n";
    place.write("pipeline.sql", &format!("{stream}{query}"));
    place.write("in/1.json", "{\"n\":1}\n");
    let run = || place.highwater(&["run", "pipeline.sql", "--output", "json"]);
    assert_eq!(run().code, Some(0));

    place.write("in/2.json", "{\"n\":\"two\"}\n");
    let failed = run();
    assert_eq!(failed.code, Some(1));
    assert!(failed.stderr.contains("error: "), "{}", failed.stderr);
    let terminated = failed
        .events()
        .into_iter()
        .find(|event| event["event"] == "terminated");
    let exception = terminated.expect("the run ended")["exception"].clone();
    assert!(exception.is_string(), "{exception}");

    // The batch is decided: it reads as many bytes as there were when the file was listed.
    place.write("in/2.json", "{\"n\":    2}\n");
    let mended = run();
    assert_eq!(mended.code, Some(0), "{}", mended.stderr);
    let batch = mended
        .events()
        .into_iter()
        .find(|event| event["event"] == "batch");
    let batch = batch.expect("the batch that had failed");
    assert_eq!(
        (&batch["batchId"], &batch["rows"]),
        (&1.into(), &serde_json::json!([{"n": 2}]))
    );
}

#[test]
fn json_output_is_one_object_a_line_with_the_event_first() {
    let place = Workplace::new();
    place.write(
        "pipeline.sql",
        &format!(
            "{STREAM}CREATE STREAMING QUERY q SINK console AS SELECT event_id FROM events; SHOW QUERIES;"
        ),
    );
    let ended = place.highwater(&["run", "pipeline.sql", "--available-now", "--output", "json"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let kinds = ended
        .events()
        .iter()
        .map(|event| {
            let (first, kind) = event
                .as_object()
                .and_then(|event| event.iter().next())
                .expect("is not empty");
            assert_eq!(first, "event");
            kind.as_str().expect("a word").to_owned()
        })
        .collect::<Vec<_>>();
    for kind in ["started", "batch", "progress", "result", "terminated"] {
        assert!(kinds.iter().any(|other| other == kind), "{kind} in {kinds:?}");
    }
}

#[test]
fn the_time_limit_is_a_good_end() {
    let place = Workplace::new();
    let ended = place.highwater_with_stdin(
        &["run", "-", "--for", "2s", "--checkpoint-root", "elsewhere"],
        "CREATE STREAM ticks USING rate; CREATE STREAMING QUERY q SINK noop AS SELECT * FROM ticks;",
    );
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(place.path().join("elsewhere/q/checkpoint.redb").exists());
}
