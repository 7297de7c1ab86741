//! Plays cases through the library, some of them in one pair of sessions: making a session costs more than a case.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use highwater::error::{Error, Result};
use highwater::execution::{StreamingQuery, Trigger};
use highwater::fault::{FailingStorage, Trip};
use highwater::format::json_rows::write_json_rows;
use highwater::session::{DataFrame, Session};
use highwater::source::memory::MemoryStream;
use serde_json::Value;

use crate::case::{Case, Expected, Restart};
use crate::rows::{FLUSH, Row, Side, record_batch, schema};
use crate::support::TIMEOUT;

/// The streams of a case: all sides in one, or one a side.
struct Streams(Vec<(Option<Side>, MemoryStream)>);

/// Plays some cases; says of each that went wrong what is wrong.
pub(crate) async fn play_all(cases: &[Case]) -> Result<Vec<(u64, String)>> {
    let folder = tempfile::tempdir().expect("a folder");
    let streams = cases.iter().map(Streams::of).collect::<Vec<_>>();
    let sessions = [
        streaming_session(folder.path(), cases, &streams, false).await?,
        streaming_session(folder.path(), cases, &streams, true).await?,
    ];
    let tables = static_session(folder.path(), cases).await?;
    let mut wrong = Vec::new();
    for (number, (case, streams)) in cases.iter().zip(&streams).enumerate() {
        let played = tokio::time::timeout(TIMEOUT, check(number, case, streams, &sessions, &tables));
        let played = played.await.unwrap_or_else(|_| Err("it does not end".to_owned()));
        if let Err(what) = played {
            wrong.push((case.seed, format!("{case}{what}")));
        }
    }
    Ok(wrong)
}

/// Compares what the query gave at its end with the right answer.
async fn check(
    number: usize,
    case: &Case,
    streams: &Streams,
    sessions: &[Session; 2],
    tables: &Session,
) -> Result<(), String> {
    let got = play(number, case, streams, sessions).await;
    let got = got.map_err(|error| format!("failed: {}", error.report()))?;
    let want = match case.expected(number) {
        Expected::Lines(lines) => lines,
        Expected::Select(_) => {
            let answer = lines(&table(tables, &format!("q{number}")).map_err(|error| error.report())?).await;
            answer.map_err(|error| format!("the static answer failed: {}", error.report()))?
        }
    };
    let (got, want) = (arranged(got), arranged(want));
    if got == want {
        return Ok(());
    }
    let extra = difference(&got, &want).join("\n  ");
    let missing = difference(&want, &got).join("\n  ");
    Err(format!("got too much:\n  {extra}\nmissing:\n  {missing}"))
}

/// Runs a case's query over its batches and gives the lines of its result.
async fn play(number: usize, case: &Case, streams: &Streams, sessions: &[Session; 2]) -> Result<Vec<String>> {
    let mut queries: [Option<StreamingQuery>; 2] = [None, None];
    let mut current = 0;
    let trigger = if case.is_separate {
        Trigger::AvailableNow
    } else {
        Trigger::Default
    };
    for (rows, restart) in case.batches.iter().zip(&case.restarts) {
        if case.is_separate {
            streams.add(rows)?;
        }
        let query = start(&mut queries[current], &sessions[current], number, case, trigger).await?;
        if case.is_separate {
            query.await_termination(None).await?;
        } else {
            streams.add(rows)?;
            query.process_all_available().await?;
        }
        match restart {
            Restart::None => {}
            Restart::Same => query.stop().await,
            Restart::Other => {
                query.stop().await;
                current = 1 - current;
            }
        }
    }
    // Where the last restart is in the other session, that one knows the result from the checkpoint alone.
    let query = start(&mut queries[current], &sessions[current], number, case, trigger).await?;
    if case.is_separate {
        query.await_termination(None).await?;
    } else {
        query.process_all_available().await?;
        query.stop().await;
    }
    lines(&table(&sessions[current], &name(number))?).await
}

/// A query that runs: it is made if the engine at hand does not have it yet.
async fn start(
    query: &mut Option<StreamingQuery>,
    session: &Session,
    number: usize,
    case: &Case,
    trigger: Trigger,
) -> Result<StreamingQuery> {
    if let Some(query) = query {
        if !query.is_active() {
            query.start().await?;
        }
        return Ok(query.clone());
    }
    session.set(
        "spark.sql.streaming.noDataMicroBatches.enabled",
        &case.no_data_batches.to_string(),
    )?;
    let policy = if case.is_max { "max" } else { "min" };
    session.set("spark.sql.streaming.multipleWatermarkPolicy", policy)?;
    let writer = table(session, &format!("q{number}"))?.write_stream();
    let writer = writer.query_name(name(number)).format("memory");
    let made = writer.output_mode(case.mode).trigger(trigger).start().await?;
    Ok(query.insert(made).clone())
}

fn name(number: usize) -> String {
    format!("result{number}")
}

fn table(session: &Session, name: &str) -> Result<DataFrame> {
    session.table(name)
}

impl Streams {
    fn of(case: &Case) -> Self {
        let sides = case.shape.sides().iter().map(|side| Some(*side));
        let sides = if case.is_separate {
            sides.collect()
        } else {
            vec![None]
        };
        Self(
            sides
                .into_iter()
                .map(|side| (side, MemoryStream::new(schema())))
                .collect(),
        )
    }

    fn add(&self, rows: &[Row]) -> Result<()> {
        for (side, stream) in &self.0 {
            let rows = rows.iter().filter(|row| side.is_none_or(|side| side == row.side));
            stream.add_batch(record_batch(rows))?;
        }
        Ok(())
    }
}

/// A session with the streams and the queries' views of some cases; the second session has those that come to it.
async fn streaming_session(
    folder: &Path,
    cases: &[Case],
    streams: &[Streams],
    is_second: bool,
) -> Result<Session> {
    let session = Session::builder()
        .checkpoint_root(folder.join("checkpoints"))
        // Nothing is synced: no power is cut here.
        .storage(Arc::new(FailingStorage::new(Trip::never())))
        .threads(1)
        .build()?;
    let mut script = String::new();
    for (number, (case, streams)) in cases.iter().zip(streams).enumerate() {
        if is_second && !case.restarts.contains(&Restart::Other) {
            continue;
        }
        for (side, stream) in &streams.0 {
            let side = side.map_or("", Side::name);
            session.add_memory_stream(&format!("s{number}{side}"), stream)?;
        }
        let mut sides = case.shape.sides().to_vec();
        sides.dedup();
        for side in sides {
            let name = side.name();
            let mark = case.delay_us(side).map_or(String::new(), |us| {
                format!("WATERMARK at DELAY OF INTERVAL {} MINUTES ", us / 60_000_000)
            });
            let rows = if case.is_separate {
                format!("s{number}{name}")
            } else {
                format!("s{number} WHERE side = '{name}'")
            };
            writeln!(
                script,
                "CREATE VIEW {name}{number} {mark}AS SELECT at, k, v, seq FROM {rows};"
            )
            .expect("a text takes all");
        }
        writeln!(script, "CREATE VIEW q{number} AS {};", case.query(number)).expect("a text takes all");
    }
    run(&session, &script).await?;
    Ok(session)
}

/// A session with the rows of some cases as static tables, and the right answers as views.
async fn static_session(folder: &Path, cases: &[Case]) -> Result<Session> {
    let session = Session::builder()
        .checkpoint_root(folder.join("none"))
        .threads(1)
        .build()?;
    let path = folder.join("rows.json");
    let rows = cases.iter().enumerate();
    let rows = rows.flat_map(|(number, case)| case.table_rows(number));
    let rows = rows.map(|row| row.to_string()).collect::<Vec<_>>();
    std::fs::write(&path, rows.join("\n")).expect("the folder is ours");
    let mut script = format!(
        "CREATE TABLE rows (p INT, side STRING, at TIMESTAMP, k STRING, v BIGINT, seq BIGINT, late TIMESTAMP) \
         USING json OPTIONS (path '{}');\n",
        path.display()
    );
    for (number, case) in cases.iter().enumerate() {
        let Expected::Select(select) = case.expected(number) else {
            continue;
        };
        for side in case.shape.sides() {
            let name = side.name();
            writeln!(script, "CREATE VIEW {name}{number} AS SELECT at, k, v, seq, late FROM rows WHERE p = {number} AND side = '{name}';").expect("a text takes all");
        }
        writeln!(script, "CREATE VIEW q{number} AS {select};").expect("a text takes all");
    }
    run(&session, &script).await?;
    Ok(session)
}

async fn run(session: &Session, script: &str) -> Result<()> {
    let refused = |error: Error| {
        let place = error.position().map(|place| place.line);
        let line = place.and_then(|line| {
            script
                .lines()
                .nth(usize::try_from(line).unwrap_or(0).saturating_sub(1))
        });
        Error::internal(format!("{}\n{}", error.report(), line.unwrap_or("")))
    };
    session.sql(script).await.map(|_| ()).map_err(refused)
}

/// Rows as lines of JSON.
async fn lines(frame: &DataFrame) -> Result<Vec<String>> {
    let mut text = String::new();
    write_json_rows(&frame.collect().await?, &mut text)?;
    let rows = serde_json::from_str::<Vec<Value>>(&text).expect("the engine writes JSON");
    Ok(rows.iter().map(Value::to_string).collect())
}

/// The lines sorted, without those of the far future.
fn arranged(mut lines: Vec<String>) -> Vec<String> {
    lines.retain(|line| !line.contains(FLUSH));
    lines.sort();
    lines
}

/// What of some sorted lines the others do not have.
fn difference<'a>(lines: &'a [String], others: &[String]) -> Vec<&'a str> {
    let mut others = others.to_vec();
    let mut more = Vec::new();
    for line in lines {
        match others.iter().position(|other| other == line) {
            Some(place) => {
                others.swap_remove(place);
            }
            None => more.push(line.as_str()),
        }
    }
    more
}
