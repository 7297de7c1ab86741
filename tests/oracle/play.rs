//! Plays a case through the library: its streams by the builder API over files, its query by SQL into a console sink whose
//! batches a listener sees.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use filetime::FileTime;
use highwater::engine::QueryEvent;
use highwater::error::{self, Error, ErrorKind};
use highwater::execution::progress::StreamingQueryProgress;
use highwater::format::json_rows::write_json_rows;
use highwater::session::Session;
use serde_json::{Map, Value, json};

use crate::case::{Batch, Case, Expected, Refusal, Stream};
use crate::compare::{is_same, rows_differ};

/// No case takes longer than this, however slow the machine is.
const TIME_LIMIT: Duration = Duration::from_mins(1);
/// The modification time of a stream's first file, in seconds since the epoch; the next ones follow 10 s apart.
const FIRST_FILE_AT: i64 = 1_700_000_000;

type Rows = Vec<Map<String, Value>>;

/// What the engine said of the query.
#[derive(Debug, Default)]
struct Answer {
    batches: BTreeMap<u64, Rows>,
    progress: BTreeMap<u64, Arc<StreamingQueryProgress>>,
}

/// Plays a case and says how the answer differs from Spark's, if it does.
pub(crate) fn play(case: &Case) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        tokio::time::timeout(TIME_LIMIT, play_in(case, folder.path()))
            .await
            .map_err(|_| format!("no end within {TIME_LIMIT:?}"))?
    })
}

async fn play_in(case: &Case, folder: &Path) -> Result<(), String> {
    let session = Session::builder()
        .checkpoint_root(folder.join("checkpoints"))
        .threads(2)
        .build()
        .map_err(|error| error.report())?;
    let mut events = session.streams().add_listener();
    let ran = run(case, folder, &session).await;
    let mut answer = Answer::default();
    while let Ok(event) = events.try_recv() {
        answer.take(event)?;
    }
    match (&case.expected, ran) {
        (Expected::Answered { batches }, Ok(())) => compare(case, batches, &answer),
        (Expected::Answered { .. }, Err(error)) => Err(error.report()),
        (Expected::Refused { error }, Err(refusal)) => check_refusal(error, &refusal, &answer),
        (Expected::Refused { error }, Ok(())) => Err(format!("it ran, Spark refuses: {}", error.message)),
    }
}

impl Answer {
    fn take(&mut self, event: QueryEvent) -> Result<(), String> {
        match event {
            QueryEvent::Batch { batch_id, rows, .. } => {
                let mut text = String::new();
                write_json_rows(&rows, &mut text).map_err(|error| error.report())?;
                let rows = serde_json::from_str(&text).map_err(|error| format!("{error} in {text}"))?;
                self.batches.insert(batch_id, rows);
            }
            QueryEvent::Progress { progress, .. } => {
                self.progress.insert(progress.batch_id, progress);
            }
            QueryEvent::Started { .. } | QueryEvent::Idle { .. } | QueryEvent::Terminated { .. } => {}
        }
        Ok(())
    }
}

/// Declares the case's streams and tables and runs its query to its end.
async fn run(case: &Case, folder: &Path, session: &Session) -> error::Result<()> {
    for (key, value) in &case.conf {
        session.set(key, value)?;
    }
    for (name, stream) in &case.streams {
        declare_stream(session, folder, name, stream).await?;
    }
    for (name, table) in &case.tables {
        let path = folder.join(format!("table-{name}"));
        write_rows(&path.join("rows.json"), "json", &table.rows);
        let (schema, path) = (&table.schema, path.display());
        session
            .sql(&format!(
                "CREATE TABLE {name} ({schema}) USING json OPTIONS (path '{path}')"
            ))
            .await?;
    }
    let (mode, query) = (case.output_mode.to_uppercase(), &case.query);
    session
        .sql(&format!(
            "CREATE STREAMING QUERY q OUTPUT MODE {mode} TRIGGER AVAILABLE NOW SINK console AS\n{query}"
        ))
        .await?;
    session
        .streams()
        .get_by_name("q")?
        .await_termination(None)
        .await?;
    Ok(())
}

async fn declare_stream(session: &Session, folder: &Path, name: &str, stream: &Stream) -> error::Result<()> {
    let path = write_files(folder, name, stream);
    let mut reader = session
        .read_stream()
        .format(&stream.format)
        .option("path", path.display())
        .option("maxFilesPerTrigger", 1);
    if let Some(schema) = &stream.schema {
        reader = reader.schema(schema);
    }
    for (option, value) in &stream.options {
        reader = reader.option(option, value);
    }
    match &stream.select {
        None => {
            let mut frame = reader.table(name)?;
            if let Some(mark) = &stream.watermark {
                frame = frame.with_watermark(&mark.column, &mark.delay)?;
            }
            frame.create_view(name)
        }
        Some(expressions) => {
            let raw = format!("{name}_raw");
            reader.table(&raw)?.create_view(&raw)?;
            let mark = stream.watermark.as_ref().map_or(String::new(), |mark| {
                format!(" WATERMARK {} DELAY OF INTERVAL {}", mark.column, mark.delay)
            });
            let expressions = expressions.join(", ");
            let view = format!("CREATE VIEW {name}{mark} AS SELECT {expressions} FROM {raw}");
            session.sql(&view).await.map(|_| ())
        }
    }
}

/// Writes a stream's files, one a batch, and gives their folder.
fn write_files(folder: &Path, name: &str, stream: &Stream) -> PathBuf {
    let folder = folder.join(name);
    for (at, rows) in (FIRST_FILE_AT..).step_by(10).zip(&stream.batches) {
        let index = (at - FIRST_FILE_AT) / 10;
        let path = folder.join(format!("batch-{index:04}.{}", stream.format));
        write_rows(&path, &stream.format, rows);
        filetime::set_file_mtime(&path, FileTime::from_unix_time(at, 0)).expect("the file is ours");
    }
    folder
}

fn write_rows(path: &Path, format: &str, rows: &[Value]) {
    let lines = rows.iter().map(|row| match row {
        Value::String(line) if format == "text" => format!("{line}\n"),
        row => format!("{row}\n"),
    });
    fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is ours");
    fs::write(path, lines.collect::<String>()).expect("the folder is ours");
}

fn compare(case: &Case, want: &[Batch], answer: &Answer) -> Result<(), String> {
    let want_ids = want.iter().map(|batch| batch.id).collect::<Vec<_>>();
    let ids = answer.batches.keys().copied().collect::<Vec<_>>();
    if ids != want_ids {
        return Err(format!("batches {ids:?}, Spark has {want_ids:?}"));
    }
    for batch in want {
        let id = batch.id;
        rows_differ(&batch.rows, &answer.batches[&id], case.ordered)
            .map_err(|wrong| format!("batch {id}: {wrong}"))?;
        let progress = answer
            .progress
            .get(&id)
            .ok_or_else(|| format!("batch {id}: no progress"))?;
        let (rows, arrived) = (progress.num_input_rows, case.arrived(id));
        if rows != arrived {
            return Err(format!("batch {id}: numInputRows {rows}, {arrived} rows arrived"));
        }
        let watermark = progress.event_time.get("watermark");
        if let Some(want) = &batch.watermark
            && !is_same(&json!(want), &json!(watermark))
        {
            return Err(format!("batch {id}: watermark {watermark:?}, Spark has {want}"));
        }
    }
    Ok(())
}

/// A refusal comes before any batch, as a statement's error with a reason; only what Spark itself noticed while it ran may
/// be noticed as late.
fn check_refusal(spark: &Refusal, ours: &Error, answer: &Answer) -> Result<(), String> {
    let may_be_late = spark.condition == "STREAM_FAILED";
    if !answer.batches.is_empty() {
        return Err(format!("refused after {} batches", answer.batches.len()));
    }
    if ours.kind() != ErrorKind::Statement && !may_be_late {
        return Err(format!("no refusal of a statement: {}", ours.report()));
    }
    Ok(())
}
