use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;

use super::fake::{FakeEngine, captured};
use super::*;
use crate::cli::USAGE;
use crate::cli::output::OutputFormat;
use crate::engine::snapshot::{ErrorReport, QuerySnapshot, QueryState, Warning};
use crate::engine::{Reply, Rows, Snapshot};
use crate::error::{ErrorKind, Position};
use crate::execution::progress::{SinkProgress, StreamingQueryProgress};
use crate::sink::OutputMode;

const ID: Uuid = Uuid::from_u128(1);
const RUN_ID: Uuid = Uuid::from_u128(2);

fn script() -> Script {
    Script {
        sql: "SELECT 1;\nSELECT nope;\n".into(),
        origin: Some("a.sql".into()),
    }
}

fn started() -> QueryEvent {
    QueryEvent::Started {
        name: "q".into(),
        id: ID,
        run_id: RUN_ID,
    }
}

fn terminated(exception: Option<ErrorReport>) -> QueryEvent {
    QueryEvent::Terminated {
        name: "q".into(),
        id: ID,
        run_id: RUN_ID,
        exception,
    }
}

fn failure() -> ErrorReport {
    ErrorReport {
        kind: ErrorKind::Source,
        message: "file \"a.json\" cannot be read".into(),
        causes: vec!["disk on \x1bfire".into()],
        hint: Some("Restore it.".into()),
        position: None,
    }
}

fn batch(rows: &[(&str, i64)]) -> RecordBatch {
    let keys: StringArray = rows.iter().map(|(key, _)| Some(*key)).collect();
    let numbers: Int64Array = rows.iter().map(|(_, number)| Some(*number)).collect();
    RecordBatch::try_from_iter([("k", Arc::new(keys) as ArrayRef), ("n", Arc::new(numbers))])
        .expect("a batch")
}

fn console(batch_id: u64, rows: &[(&str, i64)]) -> QueryEvent {
    let rows = batch(rows);
    QueryEvent::Batch {
        name: "q".into(),
        batch_id,
        schema: rows.schema(),
        rows: Arc::new(vec![rows]),
    }
}

fn progress(batch_id: u64) -> QueryEvent {
    QueryEvent::Progress {
        name: "q".into(),
        progress: Arc::new(StreamingQueryProgress {
            id: ID,
            run_id: RUN_ID,
            name: Some("q".into()),
            timestamp: "2026-01-01T09:00:00.000Z".into(),
            batch_id,
            batch_duration: 3,
            num_input_rows: 4,
            input_rows_per_second: 0.0,
            processed_rows_per_second: 0.0,
            duration_ms: BTreeMap::new(),
            event_time: BTreeMap::new(),
            state_operators: Vec::new(),
            sources: Vec::new(),
            sink: SinkProgress {
                description: "ConsoleSink\u{9b}".into(),
                num_output_rows: 2,
            },
            duration_us: BTreeMap::new(),
        }),
    }
}

fn result() -> Rows {
    let rows = batch(&[("r", 7)]);
    Rows {
        schema: rows.schema(),
        batches: vec![rows],
    }
}

/// A whole run: two batches, an end, the rows of a SELECT.
fn whole_run(engine: &FakeEngine) -> Reply {
    for event in [
        started(),
        console(0, &[("a\x1b", 1)]),
        progress(0),
        console(1, &[]),
        progress(1),
        terminated(None),
    ] {
        engine.emit(&event);
    }
    engine.emit_rows(result());
    Reply::done("ran")
}

async fn never() {
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn json_is_as_documented() {
    let (mut output, said) = captured(OutputFormat::Json);
    let engine = FakeEngine::new(|engine| Ok(whole_run(engine)));
    let code = drive(&engine, &script(), None, never(), &mut output).await;
    assert_eq!(code, SUCCESS);
    let stdout = said.stdout();
    let lines: Vec<&str> = stdout.lines().collect();
    let id = |number: u8| format!("00000000-0000-0000-0000-00000000000{number}");
    assert_eq!(
        lines[0],
        format!(
            r#"{{"event":"started","query":"q","id":"{}","runId":"{}"}}"#,
            id(1),
            id(2)
        )
    );
    assert_eq!(
        lines[1],
        r#"{"event":"batch","query":"q","batchId":0,"rows":[{"k":"a\u001b","n":1}]}"#
    );
    assert!(
        lines[2].starts_with(r#"{"event":"progress","query":"q","progress":{"id":"#),
        "{}",
        lines[2]
    );
    let progress: serde_json::Value = serde_json::from_str(lines[2]).expect("JSON");
    assert_eq!(progress["progress"]["numInputRows"], 4);
    assert_eq!(progress["progress"]["sink"]["description"], "ConsoleSink\u{9b}");
    assert!(!lines[2].contains('\u{9b}'));
    assert_eq!(lines[3], r#"{"event":"batch","query":"q","batchId":1,"rows":[]}"#);
    assert_eq!(lines[5], r#"{"event":"terminated","query":"q","exception":null}"#);
    assert_eq!(lines[6], r#"{"event":"result","rows":[{"k":"r","n":7}]}"#);
    assert_eq!(lines.len(), 7);
    assert_eq!(said.stderr(), "");
}

#[tokio::test]
async fn text_is_as_sparks_console_sink_prints_it() {
    let (mut output, said) = captured(OutputFormat::Text);
    let engine = FakeEngine::new(|engine| Ok(whole_run(engine)));
    let code = drive(&engine, &script(), None, never(), &mut output).await;
    assert_eq!(code, SUCCESS);
    assert_eq!(
        said.stdout(),
        "\
-------------------------------------------
Batch: 0
-------------------------------------------
+-----+---+
|    k|  n|
+-----+---+
|a\\x1b|  1|
+-----+---+

-------------------------------------------
Batch: 1
-------------------------------------------
+---+---+
|  k|  n|
+---+---+
+---+---+

+---+---+
|k  |n  |
+---+---+
|r  |7  |
+---+---+

"
    );
    let id = |number: u8| format!("00000000-0000-0000-0000-00000000000{number}");
    assert_eq!(
        said.stderr(),
        format!(
            "query \"q\" started, id {}, run {}\nquery \"q\" ended after 2 batches: 8 rows in, 4 rows out\n",
            id(1),
            id(2)
        )
    );
}

#[tokio::test]
async fn a_failed_query_is_exit_code_1() {
    for format in [OutputFormat::Text, OutputFormat::Json] {
        let (mut output, said) = captured(format);
        let engine = FakeEngine::new(|engine| {
            engine.emit(&started());
            engine.emit(&terminated(Some(failure())));
            Ok(Reply::done("done"))
        });
        let code = drive(&engine, &script(), None, never(), &mut output).await;
        assert_eq!(code, FAILURE);
        let report = "error: file \"a.json\" cannot be read\nbecause: disk on \\x1bfire\nhint: Restore it.\n";
        assert!(said.stderr().contains(report), "{}", said.stderr());
        if format == OutputFormat::Json {
            let last = said.stdout().lines().last().map(String::from).expect("a line");
            assert_eq!(
                last,
                r#"{"event":"terminated","query":"q","exception":"file \"a.json\" cannot be read\n  because: disk on \u001bfire\n  hint: Restore it."}"#
            );
        }
    }
}

#[tokio::test]
async fn a_failure_that_await_passes_on_is_told_once() {
    let (mut output, said) = captured(OutputFormat::Text);
    let engine = FakeEngine::new(|engine| {
        engine.emit(&started());
        engine.emit(&terminated(Some(failure())));
        Err(Error::source(failure().message))
    });
    let code = drive(&engine, &script(), None, never(), &mut output).await;
    assert_eq!(code, FAILURE);
    assert_eq!(said.stderr().matches("error:").count(), 1, "{}", said.stderr());
}

#[tokio::test]
async fn a_wrong_statement_is_exit_code_2_with_its_place() {
    let (mut output, said) = captured(OutputFormat::Json);
    let engine = FakeEngine::new(|_| {
        Err(Error::statement("there is no column \"nope\"")
            .at(Position { line: 2, column: 8 })
            .hint("Write another."))
    });
    let code = drive(&engine, &script(), None, never(), &mut output).await;
    assert_eq!(code, USAGE);
    assert_eq!(
        said.stderr(),
        "error: there is no column \"nope\"\n --> a.sql:2:8\n  |\n2 | SELECT nope;\n  |        ^\nhint: Write another.\n"
    );
    assert_eq!(said.stdout(), "");
}

#[tokio::test]
async fn an_interrupt_stops_all_queries_and_tells_their_end() {
    for is_awaiting in [false, true] {
        let (mut output, said) = captured(OutputFormat::Text);
        let engine = FakeEngine::new(|engine| {
            engine.emit(&started());
            Ok(Reply::done("done"))
        })
        .on_stop(|engine| {
            engine.emit(&console(0, &[("a", 1)]));
            engine.emit(&progress(0));
            engine.emit(&terminated(None));
            Ok(Reply::done("stopped"))
        });
        let engine = if is_awaiting {
            engine.awaiting_stop()
        } else {
            engine
        };
        let interrupt = async {};
        let code = drive(&engine, &script(), None, interrupt, &mut output).await;
        assert_eq!(code, INTERRUPTED);
        assert_eq!(engine.commands().last(), Some(&Command::StopAll));
        assert!(said.stdout().contains("Batch: 0"), "the batch in hand is told");
        assert!(
            said.stderr()
                .ends_with("query \"q\" ended after 1 batch: 4 rows in, 2 rows out\n"),
            "{}",
            said.stderr()
        );
    }
}

#[tokio::test]
async fn rows_are_written_while_a_later_statement_waits() {
    let (mut output, said) = captured(OutputFormat::Json);
    let engine = FakeEngine::new(|engine| Ok(whole_run(engine))).awaiting_stop();
    let once_written = async {
        while !said.stdout().contains(r#""event":"result""#) {
            tokio::task::yield_now().await;
        }
    };
    let code = drive(&engine, &script(), None, once_written, &mut output).await;
    assert_eq!(code, INTERRUPTED);
    let lines = said.stdout().lines().count();
    assert_eq!(lines, 7, "what happened before the rows is told before them");
}

#[tokio::test]
async fn the_end_of_the_time_is_a_good_end() {
    let (mut output, said) = captured(OutputFormat::Text);
    let engine = FakeEngine::new(|engine| {
        engine.emit(&started());
        Ok(Reply::done("done"))
    })
    .on_stop(|engine| {
        engine.emit(&terminated(None));
        Ok(Reply::done("stopped"))
    });
    let code = drive(
        &engine,
        &script(),
        Some(Duration::from_millis(5)),
        never(),
        &mut output,
    )
    .await;
    assert_eq!(code, SUCCESS);
    assert!(said.stderr().contains("the time is up"), "{}", said.stderr());
}

#[tokio::test]
async fn a_query_that_is_still_being_planned_is_waited_for() {
    let starting = QuerySnapshot {
        id: ID,
        run_id: None,
        name: "q".into(),
        state: QueryState::Starting,
        status_message: String::new(),
        output_mode: OutputMode::Append,
        trigger: String::new(),
        checkpoint: "c".into(),
        sql: "".into(),
        sources: Vec::new(),
        sink: String::new(),
        recent_progress: Arc::default(),
        last_committed: None,
        result: None,
        warnings: Vec::new(),
        exception: None,
        plan: "".into(),
        ..QuerySnapshot::default()
    };
    let with_state = move |state| Snapshot {
        queries: vec![Arc::new(QuerySnapshot {
            state,
            ..starting.clone()
        })],
        ..Snapshot::default()
    };
    let planning = with_state(QueryState::Starting);
    let engine = Arc::new(FakeEngine::new(move |engine| {
        engine.publish(planning.clone());
        Ok(Reply::done("done"))
    }));
    let (mut output, said) = captured(OutputFormat::Text);
    let text = script();
    let mut driven = pin!(drive(engine.as_ref(), &text, None, never(), &mut output));
    assert!(futures::poll!(&mut driven).is_pending());
    engine.emit(&started());
    engine.publish(with_state(QueryState::Finished));
    assert!(
        futures::poll!(&mut driven).is_pending(),
        "its end was not told yet"
    );
    engine.emit(&terminated(None));
    assert_eq!(driven.await, SUCCESS);
    assert!(said.stderr().contains("ended"), "{}", said.stderr());
}

struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_reader_that_went_away_ends_the_run_quietly() {
    let engine = FakeEngine::new(|engine| {
        engine.emit(&started());
        engine.emit(&console(0, &[("a", 1)]));
        Ok(Reply::done("done"))
    });
    for format in [OutputFormat::Text, OutputFormat::Json] {
        let (_, said) = captured(format);
        let mut output = Output::new(format, Box::new(Closed), Box::new(said.stderr_writer()));
        let code = drive(&engine, &script(), None, never(), &mut output).await;
        assert_eq!(code, SUCCESS);
        assert_eq!(engine.commands().last(), Some(&Command::StopAll));
        assert!(!said.stderr().contains("error"), "{}", said.stderr());
    }
}

#[tokio::test]
async fn what_is_worth_a_look_is_said_once_and_not_on_stdout() {
    for format in [OutputFormat::Text, OutputFormat::Json] {
        let engine = FakeEngine::new(|engine| {
            let late = Warning {
                lint: "late-rows",
                message: "2 rows came too late".to_owned(),
                hint: Some("Wait longer.".to_owned()),
            };
            engine.publish(Snapshot {
                queries: vec![Arc::new(QuerySnapshot {
                    name: "q".into(),
                    warnings: vec![late],
                    ..QuerySnapshot::default()
                })],
                ..Snapshot::default()
            });
            Ok(Reply::done("done"))
        });
        let (mut output, said) = captured(format);
        let code = drive(&engine, &script(), None, never(), &mut output).await;
        assert_eq!((code, said.stdout().as_str()), (SUCCESS, ""));
        let expected = match format {
            OutputFormat::Text => "query \"q\": late-rows: 2 rows came too late. Wait longer.\n",
            OutputFormat::Json => "",
        };
        assert_eq!(said.stderr(), expected);
    }
}
