//! What a front end can see and ask of an engine whose queries run: event time, plan, state, check, reset, export.
#![allow(missing_docs)]

mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use highwater::engine::snapshot::{
    PlanNode, QuerySnapshot, StateOrder, StatePage, StateRequest, StateWeight, WaitingKind,
};
use highwater::engine::{Answer, Command, Engine, LocalEngine, Reply, Resumes};
use highwater::error::Result;
use highwater::session::Session;
use highwater::session::script::ScriptOptions;
use highwater::source::memory::MemoryStream;
use support::TIMEOUT;

fn schema() -> SchemaRef {
    let at = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        Field::new("at", at, true),
        Field::new("k", DataType::Utf8, true),
    ]))
}

/// An engine over a stream `events`, and a runtime for the front end.
struct Workbench {
    engine: LocalEngine,
    events: MemoryStream,
    runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
}

impl Workbench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let session = Session::builder()
            .threads(1)
            .checkpoint_root(folder.path().join("checkpoints"));
        let session = session.build().expect("a session");
        let events = MemoryStream::new(schema());
        session.add_memory_stream("events", &events).expect("a stream");
        Self {
            engine: LocalEngine::open(session, ScriptOptions::default(), None),
            events,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime"),
            folder,
        }
    }

    fn execute(&self, command: Command) -> Result<Reply> {
        let done = self
            .runtime
            .block_on(async { tokio::time::timeout(TIMEOUT, self.engine.execute(command)).await });
        done.expect("in time")
    }

    fn run(&self, sql: &str) {
        let run = Command::Run {
            sql: sql.to_owned(),
            origin: None,
            rows: None,
        };
        self.execute(run).expect("runs");
    }

    /// A batch of rows (minute, key), processed by query `q`.
    fn batch(&self, rows: &[(i64, &str)]) {
        let at = rows.iter().map(|row| Some(row.0 * 60_000_000));
        let at = at.collect::<TimestampMicrosecondArray>().with_timezone("UTC");
        let keys = rows.iter().map(|row| Some(row.1)).collect::<StringArray>();
        let rows = RecordBatch::try_new(schema(), vec![Arc::new(at), Arc::new(keys)]);
        self.events
            .add_batch(rows.expect("columns of one length"))
            .expect("adds");
        let query = self
            .engine
            .session()
            .streams()
            .get_by_name("q")
            .expect("the query");
        let processed = self
            .runtime
            .block_on(async { tokio::time::timeout(TIMEOUT, query.process_all_available()).await });
        processed.expect("in time").expect("processes");
    }

    /// Query `q` in the first snapshot that is as it should be.
    fn snapshot(&self, is_wanted: impl Fn(&QuerySnapshot) -> bool) -> Arc<QuerySnapshot> {
        let mut watch = self.engine.watch();
        let find = async {
            loop {
                let snapshot = Arc::clone(&watch.borrow_and_update());
                let query = snapshot.queries.iter().find(|query| query.name == "q");
                if let Some(query) = query.filter(|query| is_wanted(query)) {
                    return Arc::clone(query);
                }
                watch.changed().await.expect("the engine is there");
            }
        };
        let found = self
            .runtime
            .block_on(async { tokio::time::timeout(TIMEOUT, find).await });
        found.expect("in time")
    }

    fn state(&self, request: StateRequest) -> Result<StatePage> {
        let query = "q".to_owned();
        match self.execute(Command::ReadState { query, request })?.answer {
            Answer::State(page) => Ok(*page),
            other => panic!("{other:?}"),
        }
    }

    fn resumes(&self, sql: &str) -> Resumes {
        let check = Command::Check {
            sql: sql.to_owned(),
            origin: None,
        };
        match self.execute(check).expect("checks").answer {
            Answer::Checked(queries) => queries[0].resumes,
            other => panic!("{other:?}"),
        }
    }
}

fn first_rows() -> StateRequest {
    StateRequest {
        operator: 0,
        as_of: None,
        find: None,
        order: StateOrder::Key,
        offset: 0,
        limit: 10,
    }
}

/// Keys and counts of a page of `SELECT k, count(*) GROUP BY k`.
fn counts(page: &StatePage) -> Vec<(String, i64)> {
    let keys = page.rows.column(0).as_string::<i32>();
    let counts = page.rows.column(1).as_primitive::<Int64Type>();
    let rows = 0..page.rows.num_rows();
    rows.map(|row| (keys.value(row).to_owned(), counts.value(row)))
        .collect()
}

fn owned(rows: &[(&str, i64)]) -> Vec<(String, i64)> {
    rows.iter()
        .map(|(key, count)| ((*key).to_owned(), *count))
        .collect()
}

const BY_KEY: &str =
    "CREATE STREAMING QUERY q OUTPUT MODE UPDATE AS SELECT k, count(*) AS n FROM events GROUP BY k;";
const BY_WINDOW: &str = "CREATE STREAMING QUERY q AS SELECT window, k, count(*) AS n
    FROM events WATERMARK at DELAY OF INTERVAL 10 MINUTES GROUP BY window(at, '10 minutes'), k;";

#[test]
fn state_is_seen_as_of_any_batch_that_is_kept() {
    let bench = Workbench::new();
    bench.run(BY_KEY);
    let empty = bench.state(first_rows()).expect("an empty state");
    assert_eq!((empty.batch_id, empty.num_rows), (None, 0));
    bench.batch(&[(0, "b"), (0, "a"), (0, "b")]);
    let first = bench.state(first_rows()).expect("a page");
    assert_eq!(counts(&first), owned(&[("a", 1), ("b", 2)]));
    assert_eq!((first.num_keys, first.weight), (1, StateWeight::Bytes));
    assert_eq!(first.rows.schema().field(1).name(), "count(1)[count]");
    // The first page is held meanwhile: the second goes on from what was read for it.
    bench.batch(&[(0, "abc"), (0, "a")]);
    let second = bench.state(first_rows()).expect("a page");
    assert_eq!(counts(&second), owned(&[("a", 2), ("abc", 1), ("b", 2)]));
    assert_eq!(
        (second.batch_id, second.oldest_batch_id, second.newest_batch_id),
        (Some(1), Some(0), Some(1))
    );
    for is_stopped in [false, true] {
        if is_stopped {
            bench.execute(Command::Stop("q".to_owned())).expect("stops");
        }
        let found = bench.state(StateRequest {
            find: Some("A".to_owned()),
            limit: 1,
            offset: 1,
            ..first_rows()
        });
        let found = found.expect("a page");
        assert_eq!((counts(&found), found.num_found), (owned(&[("abc", 1)]), 2));
        let earlier = bench.state(StateRequest {
            as_of: Some(0),
            ..first_rows()
        });
        assert_eq!(counts(&earlier.expect("a page")), owned(&[("a", 1), ("b", 2)]));
        let largest = bench.state(StateRequest {
            order: StateOrder::Largest,
            ..first_rows()
        });
        let weights = largest.expect("a page").weights;
        assert!(weights.is_sorted_by(|one, next| one >= next), "{weights:?}");
        let none = bench.state(StateRequest {
            operator: 1,
            ..first_rows()
        });
        let error = none.expect_err("there is one operator");
        assert_eq!(error.hint_text(), Some("The query has one, 0."));
        let future = bench.state(StateRequest {
            as_of: Some(2),
            ..first_rows()
        });
        assert!(
            future
                .expect_err("not yet")
                .message()
                .contains("the last one is 1")
        );
    }
    // A reader does not keep a stopped query from running again.
    bench.execute(Command::Start("q".to_owned())).expect("starts");
    bench.batch(&[(0, "c")]);
    let rows = bench.runtime.block_on(async {
        let sql = "SHOW STATE FOR q OPERATOR 0 AS OF BATCH 2 LIKE 'c' LIMIT 1;";
        tokio::time::timeout(TIMEOUT, bench.engine.session().sql(sql)).await
    });
    let rows = rows.expect("in time").expect("rows");
    assert_eq!(rows[0].batches[0].num_rows(), 1);
}

#[test]
fn the_largest_keys_of_a_join_are_those_with_most_rows() {
    let bench = Workbench::new();
    let others = MemoryStream::new(schema());
    let session = bench.engine.session();
    session.add_memory_stream("others", &others).expect("a stream");
    bench.run(
        "CREATE STREAMING QUERY q SINK noop AS SELECT e.k FROM events WATERMARK at DELAY OF INTERVAL 1 HOUR AS e
         JOIN others WATERMARK at DELAY OF INTERVAL 1 HOUR AS o ON e.k = o.k AND e.at = o.at;",
    );
    bench.batch(&[(1, "a"), (2, "b"), (2, "b"), (2, "b"), (3, "c"), (3, "c")]);
    let largest = bench.state(StateRequest {
        order: StateOrder::Largest,
        ..first_rows()
    });
    let largest = largest.expect("a page");
    assert_eq!(largest.weight, StateWeight::RowsOfKey);
    assert_eq!(
        (largest.weights.as_slice(), largest.num_found),
        (&[3, 2, 1][..], 3)
    );
    assert_eq!(largest.num_rows, 6);
    let all = bench.state(first_rows()).expect("a page");
    assert_eq!((all.num_found, all.weights.iter().sum::<u64>()), (6, 9 + 4 + 1));
}

#[test]
fn an_append_query_tells_what_it_waits_for() {
    let bench = Workbench::new();
    bench.run(BY_WINDOW);
    let query = bench.snapshot(|query| query.event_time.is_some());
    let facts = query.event_time.clone().expect("a watermark");
    let waiting = facts.waiting.clone().expect("it holds rows back");
    assert_eq!((waiting.num_windows, waiting.next), (0, None), "nothing has come");

    bench.batch(&[(5, "a"), (15, "a"), (15, "b"), (8, "b")]);
    // A second batch, without rows, follows the moved watermark.
    let query = bench.snapshot(|query| query.last_committed == Some(1));
    let facts = query.event_time.clone().expect("a watermark");
    let minute = |minutes: i64| minutes * 60_000;
    assert_eq!(facts.newest_event_ms, Some(minute(15)));
    assert_eq!(facts.watermark_ms, Some(minute(5)), "for the next batch");
    assert_eq!(
        facts.late_cutoff_ms,
        Some(minute(5)),
        "what is older is late in it"
    );
    let watermark = &facts.watermarks[0];
    assert_eq!(
        (watermark.streams.as_slice(), watermark.column.as_str()),
        (&["events".to_owned()][..], "at")
    );
    assert_eq!((watermark.delay_ms, watermark.decides), (minute(10), true));
    let waiting = facts.waiting.as_ref().expect("it holds rows back");
    assert_eq!(
        (waiting.kind, waiting.num_windows, waiting.num_groups),
        (WaitingKind::Windows, 2, 4)
    );
    let next = waiting.next.expect("a window");
    assert_eq!(
        (next.start_us, next.end_us, next.num_keys),
        (Some(0), minute(10) * 1000, 2)
    );
    assert_eq!(waiting.needs_event_ms, Some(minute(20)));
    assert_eq!(waiting.held_back_by, Some(0));

    // What it said is what happens: a row at minute 20 closes the window, and one of minute 4 is too late then.
    bench.batch(&[(20, "a")]);
    bench.batch(&[(25, "a"), (4, "a")]);
    let query = bench.snapshot(|query| {
        let facts = query.event_time.as_ref();
        facts.is_some_and(|facts| facts.late.num_rows == 1)
    });
    let facts = query.event_time.clone().expect("a watermark");
    assert_eq!(facts.late.last_event_us, Some(0), "its window's start");
    let next = facts
        .waiting
        .clone()
        .and_then(|waiting| waiting.next)
        .expect("a window");
    assert_eq!(next.start_us, Some(minute(10) * 1000));
    let table = query.result.clone().expect("a memory sink");
    assert_eq!(table.num_rows(), 2, "both groups of the first window");
    assert!(query.warnings.iter().any(|warning| warning.lint == "late-rows"));
}

#[test]
fn the_plan_has_rows_and_times_by_node() {
    let bench = Workbench::new();
    bench.run(BY_WINDOW);
    bench.batch(&[(5, "a"), (15, "a"), (15, "b")]);
    bench.batch(&[(16, "a")]);
    let has_scanned = |node: &PlanNode| node.name.as_ref() == "StreamScanExec" && node.recent.rows == Some(4);
    let query = bench.snapshot(|query| query.plan_nodes.iter().any(has_scanned));
    let nodes = &query.plan_nodes;
    assert_eq!((nodes[0].parent, nodes[0].depth), (None, 0));
    for (at, node) in nodes.iter().enumerate().skip(1) {
        assert_eq!(node.id, at);
        let parent = node.parent.expect("a parent");
        assert!(parent < at && nodes[parent].depth + 1 == node.depth);
    }
    let aggregate = nodes
        .iter()
        .find(|node| node.name.as_ref() == "StreamingAggregateExec");
    let aggregate = aggregate.expect("an aggregate");
    assert_eq!(aggregate.operators.as_ref(), [0]);
    assert!(
        aggregate
            .evicts
            .as_ref()
            .is_some_and(|evicts| evicts.contains("watermark"))
    );
    let scan = nodes.iter().find(|node| has_scanned(node)).expect("a scan");
    assert!(scan.recent.with_inputs_us.is_some());
}

#[test]
fn a_reset_query_begins_anew_and_nothing_is_lost() {
    let bench = Workbench::new();
    assert_eq!(bench.resumes(BY_KEY), Resumes::New);
    bench.run(BY_KEY);
    bench.batch(&[(0, "a")]);
    let reset = || bench.execute(Command::ResetCheckpoint("q".to_owned()));
    let error = reset().expect_err("it runs");
    assert_eq!(error.hint_text(), Some("STOP QUERY it first."));
    bench.execute(Command::Stop("q".to_owned())).expect("stops");
    let other = BY_KEY.replace("QUERY q ", "QUERY other CHECKPOINT 'FOLDER' ");
    let folder = bench.folder.path().join("checkpoints/q");
    let other = other.replace("FOLDER", &folder.display().to_string());
    assert_eq!(bench.resumes(&other), Resumes::At(1));

    let sentence = reset().expect("resets").sentence;
    let query = bench.snapshot(|query| query.last_committed.is_none());
    let table = query.result.clone().expect("a memory sink");
    assert_eq!((table.num_rows(), query.recent_progress.len()), (0, 0));
    let aside = fs::read_dir(bench.folder.path().join("checkpoints"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.display().to_string().contains("q.reset-"))
        .expect("the checkpoint is aside");
    assert!(sentence.ends_with(&aside.display().to_string()), "{sentence}");
    assert!(aside.join("checkpoint.redb").exists());
    assert!(reset().is_err(), "there is nothing to reset any more");

    bench.execute(Command::Start("q".to_owned())).expect("starts");
    bench.batch(&[(0, "b")]);
    let query = bench.snapshot(|query| query.last_committed.is_some());
    let table = query.result.clone().expect("a memory sink");
    let rows = table.batches().expect("rows");
    let count = rows.iter().map(RecordBatch::num_rows).sum::<usize>();
    assert!(count >= 1, "the query runs again");
    let page = bench.state(first_rows()).expect("a page");
    assert!(counts(&page).contains(&("b".to_owned(), 1)));
}

#[test]
fn results_are_exported_and_files_are_opened() {
    let bench = Workbench::new();
    let pipeline = bench.folder.path().join("pipeline.sql");
    fs::write(&pipeline, BY_KEY).expect("a file");
    bench.execute(Command::Open(pipeline)).expect("opens");
    bench.batch(&[(0, "a"), (0, "b, c")]);
    let path = bench.folder.path().join("rows.csv");
    let export = Command::Export {
        query: "q".to_owned(),
        path: path.clone(),
    };
    let sentence = bench.execute(export).expect("exports").sentence;
    assert!(sentence.starts_with("wrote 2 rows of q"), "{sentence}");
    assert_eq!(
        fs::read_to_string(&path).expect("a file"),
        "k,n\na,1\n\"b, c\",1\n"
    );
    // The same as statements.
    let path = bench.folder.path().join("rows.json");
    bench.run(&format!("EXPORT QUERY q TO '{}';", path.display()));
    let lines = fs::read_to_string(&path).expect("a file");
    assert_eq!(lines, "{\"k\":\"a\",\"n\":1}\n{\"k\":\"b, c\",\"n\":1}\n");
    bench.run("STOP QUERY q; RESET QUERY q;");
    let query = bench.snapshot(|query| query.last_committed.is_none());
    assert!(!query.checkpoint.join("checkpoint.redb").exists());
    let missing = bench.execute(Command::Open(Path::new("none.sql").to_owned()));
    assert!(missing.expect_err("no file").message().contains("none.sql"));
}

#[test]
fn words_and_facts_for_an_editor() {
    let bench = Workbench::new();
    bench.run(BY_KEY);
    let Answer::Words(words) = bench.execute(Command::Words).expect("words").answer else {
        panic!("no words");
    };
    assert!(words.keywords.contains(&"WATERMARK"));
    assert!(words.functions.iter().any(|(name, _)| name == "session_window"));
    assert_eq!(
        (words.columns.as_slice(), words.queries.as_slice()),
        (
            &["at".to_owned(), "k".to_owned(), "n".to_owned()][..],
            &["q".to_owned()][..]
        )
    );
    let check = Command::Check {
        sql: BY_WINDOW.replace("QUERY q", "QUERY windows"),
        origin: None,
    };
    let Answer::Checked(checked) = bench.execute(check).expect("checks").answer else {
        panic!("no facts");
    };
    assert_eq!(checked[0].watermarks, ["at, 10 minutes"]);
    assert_eq!((checked[0].operators.len(), checked[0].unbounded.len()), (1, 0));
    let query = bench.snapshot(|query| query.name == "q");
    assert_eq!(query.name, "q");
}

#[test]
fn a_state_without_an_end_is_warned_of() {
    let bench = Workbench::new();
    bench.run(BY_KEY);
    bench.batch(&[(0, "a")]);
    let query = bench.snapshot(|query| !query.warnings.is_empty());
    assert_eq!(query.warnings[0].lint, "unbounded-state");
    let rows = bench.runtime.block_on(async {
        let sql = "SHOW QUERIES; DESCRIBE QUERY q;";
        tokio::time::timeout(TIMEOUT, bench.engine.session().sql(sql)).await
    });
    let rows = rows.expect("in time").expect("rows");
    let shown = rows[0].batches[0].column_by_name("warnings").expect("a column");
    assert_eq!(shown.as_string::<i32>().value(0), "unbounded-state");
    let told = rows[1].batches[0].column(1).as_string::<i32>();
    let mut told = (0..told.len()).map(|row| told.value(row));
    assert!(told.any(|fact| fact.contains("group by window(column, ...)")));
}

#[test]
fn a_query_of_yesterday_shows_its_last_batch() {
    let folder = tempfile::tempdir().expect("a folder");
    let events = folder.path().join("events");
    fs::create_dir(&events).expect("a folder");
    fs::write(events.join("a.json"), "{\"k\":\"a\"}\n{\"k\":\"b\"}\n").expect("a file");
    let open = || {
        let session = Session::builder()
            .threads(1)
            .workspace(folder.path().join("workspace"));
        LocalEngine::open(
            session.build().expect("a session"),
            ScriptOptions::default(),
            None,
        )
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let engine = open();
    let run = Command::Run {
        sql: format!(
            "CREATE STREAM events (k STRING) USING json OPTIONS (path '{}');
             CREATE STREAMING QUERY q OUTPUT MODE UPDATE TRIGGER AVAILABLE NOW
             AS SELECT k, count(*) AS n FROM events GROUP BY k;
             AWAIT QUERY q TIMEOUT '60 seconds';",
            events.display()
        ),
        origin: None,
        rows: None,
    };
    runtime.block_on(engine.execute(run)).expect("runs");
    drop(engine);
    let engine = open();
    let snapshot = Arc::clone(&engine.watch().borrow());
    let query = &snapshot.queries[0];
    assert_eq!((query.state.as_str(), query.last_committed), ("stopped", Some(0)));
    assert_eq!(query.result.as_ref().map(|table| table.num_rows()), Some(2));
    let request = first_rows();
    let read = Command::ReadState {
        query: "q".to_owned(),
        request,
    };
    let Answer::State(page) = runtime.block_on(engine.execute(read)).expect("reads").answer else {
        panic!("no state");
    };
    assert_eq!(counts(&page), owned(&[("a", 1), ("b", 1)]));
}
