//! Snapshots made by hand, for tests.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, StructArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use chrono::DateTime;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use serde_json::json;
use uuid::Uuid;

use super::app::{App, Effect, FrameStats, Message, Setup};
use super::keymap::Key;
use super::theme::ColorDepth;
use super::{text, view};
use crate::clock::{Clock, ManualClock};
use crate::engine::Snapshot;
use crate::engine::snapshot::{
    CatalogEntry, CatalogKind, ErrorReport, EventTimeFacts, LateRows, LogEntry, LogLevel, NodeNumbers,
    OpenState, OpenWindow, PlanNode, QuerySnapshot, QueryState, ResultPage, ResultTable, StatePage,
    StateWeight, Waiting, WaitingKind, Warning, WatermarkSource,
};
use crate::error::{ErrorKind, Result};
use crate::execution::progress::{
    SinkProgress, SourceProgress, StateOperatorProgress, StreamingQueryProgress,
};
use crate::sink::OutputMode;
use crate::sink::result::{MarkedPage, RowChange};

/// 2026-03-01T14:02:30Z: now, as far as these snapshots go.
pub(crate) const BASE_MS: i64 = 1_772_373_750_000;

/// ISO 8601, as progress has it.
pub(crate) fn iso(at_ms: i64) -> String {
    let time = DateTime::from_timestamp_millis(at_ms).expect("a time");
    time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// A batch that took 8 ms and has no state.
pub(crate) fn progress(batch_id: u64, at_ms: i64, rows: u64) -> StreamingQueryProgress {
    let steps = [
        ("addBatch", 4_900),
        ("commitOffsets", 700),
        ("getBatch", 150),
        ("latestOffset", 250),
        ("queryPlanning", 100),
        ("stateCommit", 1_500),
        ("triggerExecution", 8_200),
        ("walCommit", 400),
    ];
    StreamingQueryProgress {
        id: Uuid::nil(),
        run_id: Uuid::nil(),
        name: None,
        timestamp: iso(at_ms),
        batch_id,
        batch_duration: 8,
        num_input_rows: rows,
        input_rows_per_second: 0.0,
        processed_rows_per_second: 0.0,
        duration_ms: steps.map(|(step, time)| (step.to_string(), time / 1000)).into(),
        duration_us: steps.map(|(step, time)| (step.to_string(), time)).into(),
        event_time: BTreeMap::new(),
        state_operators: Vec::new(),
        sources: Vec::new(),
        sink: SinkProgress {
            description: "MemorySink".to_string(),
            num_output_rows: 24,
        },
    }
}

/// A query with a hundred batches of a second each behind it, a watermark, state, and a result of 40 rows.
pub(crate) fn running(name: &str) -> QuerySnapshot {
    let id = id_of(name);
    let speed = 1_000 + 250 * (name.len() as u64 % 5);
    let recent = (0..100u64)
        .map(|at| {
            let when = BASE_MS - 1000 * (99 - i64::try_from(at).expect("small"));
            let rows = speed + (at * 37 + name.len() as u64 * 11) % 400;
            let mut progress = progress(43 + at, when, rows);
            progress.id = id;
            progress.name = Some(name.to_string());
            let took = 3_000 + (at * 531) % 5_000;
            progress.duration_us.insert("triggerExecution".to_string(), took);
            progress.duration_us.insert("addBatch".to_string(), took * 6 / 10);
            progress.duration_us.insert("stateCommit".to_string(), took / 5);
            progress
                .duration_us
                .insert("commitOffsets".to_string(), took / 20);
            progress.batch_duration = took / 1000;
            progress.event_time = [
                ("max", 0),
                ("min", 30_000),
                ("avg", 15_000),
                ("watermark", 33_000),
            ]
            .map(|(key, behind)| (key.to_string(), iso(when - behind)))
            .into();
            progress.state_operators.push(StateOperatorProgress {
                operator_name: "stateStoreSave".to_string(),
                num_rows_total: 400 + at * 8,
                num_rows_updated: 24,
                all_updates_time_ms: 2,
                num_rows_removed: 3,
                commit_time_ms: 1,
                memory_used_bytes: 51_200 + at * 1_000,
                num_rows_dropped_by_watermark: u64::from(at % 33 == 0),
                num_shuffle_partitions: 4,
                num_state_store_instances: 4,
                ..StateOperatorProgress::default()
            });
            progress.sources.push(SourceProgress {
                description: "RateStreamV2[rowsPerSecond=1000]".to_string(),
                start_offset: json!({"value": 142_000}),
                end_offset: json!({"value": 143_000}),
                latest_offset: json!({"value": 143_000}),
                num_input_rows: rows,
                input_rows_per_second: 1_000.0,
                processed_rows_per_second: 48_000.0,
                metrics: BTreeMap::new(),
            });
            Arc::new(progress)
        })
        .collect::<VecDeque<_>>();
    QuerySnapshot {
        id,
        run_id: Some(Uuid::nil()),
        name: name.to_string(),
        state: QueryState::Running,
        status_message: "waiting for data to arrive".to_string(),
        output_mode: OutputMode::Update,
        trigger: "PROCESSING TIME '1 second'".to_string(),
        checkpoint: PathBuf::from(format!(".highwater/checkpoints/{name}")),
        sql: format!(
            "CREATE STREAMING QUERY {name} OUTPUT MODE UPDATE TRIGGER PROCESSING TIME '1 second' SINK memory\nAS \
             SELECT window, kind, count(*) AS orders, round(sum(amount), 2) AS revenue\n   FROM orders GROUP BY \
             window(at, '10 seconds'), kind"
        )
        .into(),
        sources: vec!["RateStreamV2[rowsPerSecond=1000]".to_string()],
        sink: "MemorySink".to_string(),
        recent_progress: Arc::new(recent),
        last_committed: Some(142),
        result: Some(Arc::new(FakeTable::windows(40))),
        warnings: Vec::new(),
        exception: None,
        plan: "ProjectionExec: expr=[window, kind, orders, revenue]\n  StreamingAggregateExec: \
               gby=[window, kind], aggr=[count(*), sum(amount)]\n    WatermarkExec: at delay 30 seconds\n      \
               StreamSourceExec: orders"
            .into(),
        plan_nodes: plan_nodes(),
        event_time: Some(Arc::new(event_time(4))),
    }
}

/// A plan of four nodes that has run.
fn plan_nodes() -> Vec<PlanNode> {
    let nodes = [
        ("ProjectionExec", "expr=[window, kind, orders, revenue]", 24, 40),
        (
            "StreamingAggregateExec",
            "gby=[window, kind], aggr=[count(*), sum(amount)]",
            24,
            2_100,
        ),
        ("WatermarkExec", "at delay 30 seconds", 1_480, 130),
        ("StreamSourceExec", "orders", 1_480, 900),
    ];
    let node = |(id, (name, detail, rows, own_us)): (usize, (&str, &str, u64, u64))| PlanNode {
        id,
        parent: id.checked_sub(1),
        depth: id,
        name: name.into(),
        detail: detail.into(),
        operators: if id == 1 { [0].into() } else { [].into() },
        evicts: (id == 1).then(|| "window.end <= watermark".into()),
        last: NodeNumbers {
            rows: Some(rows),
            own_us: Some(own_us),
            with_inputs_us: None,
        },
        recent: NodeNumbers {
            rows: Some(rows * 100),
            own_us: Some(own_us * 100),
            with_inputs_us: None,
        },
        num_recent: 100,
    };
    nodes.into_iter().enumerate().map(node).collect()
}

/// Event time at [`BASE_MS`], with some open windows of ten seconds.
pub(crate) fn event_time(windows: i64) -> EventTimeFacts {
    let window = |at: i64| OpenWindow {
        start_us: Some((BASE_MS - 40_000 + 10_000 * at) * 1000),
        end_us: (BASE_MS - 30_000 + 10_000 * at) * 1000,
        closes_at_us: (BASE_MS - 30_000 + 10_000 * at) * 1000,
        num_keys: 6,
    };
    let open: Vec<OpenWindow> = (0..windows).map(window).collect();
    EventTimeFacts {
        newest_event_ms: Some(BASE_MS),
        watermark_ms: Some(BASE_MS - 33_000),
        late_cutoff_ms: Some(BASE_MS - 34_000),
        watermarks: vec![WatermarkSource {
            streams: vec!["orders".to_string()],
            column: "at".to_string(),
            delay_ms: 33_000,
            newest_event_ms: Some(BASE_MS),
            watermark_ms: Some(BASE_MS - 33_000),
            silent_since_ms: BASE_MS - 21_000,
            decides: true,
        }],
        open: vec![OpenState {
            operator: 0,
            operator_name: "stateStoreSave",
            num_windows: windows.unsigned_abs(),
            num_keys: 6 * windows.unsigned_abs(),
            last: open.last().copied(),
            first: open,
        }],
        late: LateRows {
            num_rows: 4,
            last_num_rows: 1,
            last_batch_id: Some(142),
            last_event_us: Some((BASE_MS - 70_000) * 1000),
        },
        waiting: None,
    }
}

/// The same for an append query, which waits for its windows to close.
pub(crate) fn waiting(windows: i64) -> EventTimeFacts {
    let mut facts = event_time(windows);
    facts.waiting = Some(Waiting {
        operator: 0,
        kind: WaitingKind::Windows,
        num_groups: 6 * windows.unsigned_abs(),
        num_windows: windows.unsigned_abs(),
        next: facts.open[0].first.first().copied(),
        needs_event_ms: Some(BASE_MS + 3_000),
        held_back_by: Some(0),
    });
    facts
}

/// A query that failed after some batches.
pub(crate) fn failed(name: &str) -> QuerySnapshot {
    let mut query = running(name);
    query.state = QueryState::Failed;
    query.output_mode = OutputMode::Append;
    query.result = None;
    query.sink = "FileSink[out/late]".to_string();
    query.last_committed = Some(18);
    query.exception = Some(ErrorReport {
        kind: ErrorKind::Source,
        message: "file \"b.json\" has a line that is no JSON".to_string(),
        causes: vec!["expected a value at column 3".to_string()],
        hint: Some("Mend the file, or set mode 'PERMISSIVE', and RESTART the query.".to_string()),
        position: None,
    });
    query
}

/// Four queries in different states.
pub(crate) fn shop() -> Snapshot {
    let orders = running("orders_by_window");
    let mut revenue = running("revenue_closed");
    revenue.output_mode = OutputMode::Append;
    revenue.event_time = Some(Arc::new(waiting(4)));
    let mut spend = running("spend_by_user");
    spend.output_mode = OutputMode::Complete;
    spend.warnings.push(Warning {
        lint: "unbounded-state",
        message: "state grows without end: 1.2 k keys and no watermark".to_string(),
        ..Warning::default()
    });
    spend.event_time = None;
    for progress in Arc::make_mut(&mut spend.recent_progress) {
        Arc::make_mut(progress).event_time.clear();
    }
    let mut shop = snapshot(vec![orders, revenue, spend, failed("late_to_parquet")]);
    shop.log = Arc::new(log().into());
    shop.catalog = Arc::new(catalog());
    shop
}

/// Streams, a table and a result with their columns.
pub(crate) fn catalog() -> Vec<CatalogEntry> {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let window = DataType::Struct(
        vec![
            Field::new("start", time.clone(), true),
            Field::new("end", time.clone(), true),
        ]
        .into(),
    );
    let entry = |name: &str, kind, columns: Vec<(&str, DataType)>, detail: &str| CatalogEntry {
        name: name.to_string(),
        kind,
        schema: Arc::new(arrow::datatypes::Schema::new(
            columns
                .into_iter()
                .map(|(name, kind)| Field::new(name, kind, true))
                .collect::<Vec<_>>(),
        )),
        detail: detail.to_string(),
    };
    vec![
        entry(
            "orders",
            CatalogKind::Stream,
            vec![
                ("at", time),
                ("kind", DataType::Utf8),
                ("amount", DataType::Float64),
            ],
            "rate, 1000 rows a second",
        ),
        entry(
            "users",
            CatalogKind::Table,
            vec![("user_id", DataType::Utf8), ("name", DataType::Utf8)],
            "json, sample-data/users",
        ),
        entry(
            "orders_by_window",
            CatalogKind::Result,
            vec![
                ("window", window),
                ("kind", DataType::Utf8),
                ("orders", DataType::Int64),
            ],
            "orders_by_window",
        ),
    ]
}

/// What the engine said.
fn log() -> Vec<Arc<LogEntry>> {
    let said = [
        (
            "orders_by_window",
            LogLevel::Info,
            "query",
            "started from batch 42",
        ),
        (
            "orders_by_window",
            LogLevel::Warn,
            "micro_batch",
            "a batch took 1.2 s, longer than its trigger's second",
        ),
        ("late_to_parquet", LogLevel::Error, "query", "failed in batch 19"),
    ];
    let entry = |(sequence, (query, level, target, message)): (usize, (&str, LogLevel, &str, &str))| {
        Arc::new(LogEntry {
            sequence: sequence as u64,
            at_ms: BASE_MS - 90_000 + 30_000 * i64::try_from(sequence).expect("small"),
            level,
            target: format!("highwater::execution::{target}"),
            query: Some(query.to_string()),
            message: message.to_string(),
        })
    };
    said.into_iter().enumerate().map(entry).collect()
}

/// A snapshot of some queries.
pub(crate) fn snapshot(queries: Vec<QuerySnapshot>) -> Snapshot {
    Snapshot {
        sequence: 1,
        at_ms: BASE_MS,
        queries: queries.into_iter().map(Arc::new).collect(),
        ..Snapshot::default()
    }
}

fn id_of(name: &str) -> Uuid {
    Uuid::from_u128(name.bytes().fold(7, |id, byte| id * 31 + u128::from(byte)))
}

/// A result table whose rows a test changes, and that remembers how many rows it was asked for.
#[derive(Debug)]
pub(crate) struct FakeTable {
    mode: OutputMode,
    content: Mutex<(RecordBatch, Vec<u64>)>,
    version: AtomicU64,
    pub(crate) asked: AtomicU64,
}

impl FakeTable {
    /// Rows of a windowed aggregate: window, kind, orders, revenue, note.
    pub(crate) fn windows(rows: usize) -> Self {
        Self::new(OutputMode::Update, window_rows(rows), vec![142; rows])
    }

    pub(crate) fn new(mode: OutputMode, rows: RecordBatch, changed_in: Vec<u64>) -> Self {
        Self {
            mode,
            content: Mutex::new((rows, changed_in)),
            version: AtomicU64::new(1),
            asked: AtomicU64::new(0),
        }
    }

    /// Puts other rows in.
    pub(crate) fn set(&self, rows: RecordBatch, changed_in: Vec<u64>) {
        *self.content.lock().expect("no panic") = (rows, changed_in);
        self.version.fetch_add(1, Ordering::SeqCst);
    }
}

impl ResultTable for FakeTable {
    fn schema(&self) -> SchemaRef {
        self.content.lock().expect("no panic").0.schema()
    }

    fn mode(&self) -> OutputMode {
        self.mode
    }

    fn version(&self) -> u64 {
        self.version.load(Ordering::SeqCst)
    }

    fn num_rows(&self) -> usize {
        self.content.lock().expect("no panic").0.num_rows()
    }

    fn page(&self, offset: usize, limit: usize) -> Result<ResultPage> {
        self.asked.fetch_add(limit as u64, Ordering::SeqCst);
        let (rows, changed_in) = &*self.content.lock().expect("no panic");
        let offset = offset.min(rows.num_rows());
        let count = limit.min(rows.num_rows() - offset);
        Ok(ResultPage {
            version: self.version(),
            num_rows: rows.num_rows(),
            rows: rows.slice(offset, count),
            changed_in: changed_in[offset..offset + count].to_vec(),
        })
    }

    fn history(&self) -> Option<RangeInclusive<u64>> {
        Some(103..=142)
    }

    /// One row a batch, the last one in batch 142.
    fn marked_page(&self, as_of: Option<u64>, offset: usize, limit: usize) -> Result<Option<MarkedPage>> {
        let batch = as_of.unwrap_or(142);
        if batch < 103 {
            return Ok(None);
        }
        let rows = self
            .num_rows()
            .saturating_sub(usize::try_from(142 - batch).expect("small"));
        let mut page = self.page(offset, limit.min(rows.saturating_sub(offset)))?;
        page.num_rows = rows;
        let mut marked = MarkedPage::unmarked(page);
        let newest = (offset..rows).take(limit).position(|row| row + 1 == rows);
        if let Some(at) = newest {
            marked.changes[at] = RowChange::New;
        }
        Ok(Some(marked))
    }

    fn batch_rows(&self, batch_id: u64, offset: usize, limit: usize) -> Result<Option<MarkedPage>> {
        let row = usize::try_from(batch_id - 103).expect("small");
        let page = self.marked_page(Some(batch_id), row + offset, limit.min(1 - offset.min(1)))?;
        Ok(page.map(|mut page| {
            page.page.num_rows = 1;
            page
        }))
    }

    fn batches(&self) -> Result<Vec<RecordBatch>> {
        Ok(vec![self.content.lock().expect("no panic").0.clone()])
    }
}

/// Rows of a windowed aggregate over ten seconds and two kinds.
pub(crate) fn window_rows(rows: usize) -> RecordBatch {
    let start = |row: usize| (BASE_MS - 10_000 * i64::try_from((rows - row) / 2).expect("small")) * 1000;
    let times = |shift: i64| -> ArrayRef {
        Arc::new(
            (0..rows)
                .map(|row| Some(start(row) + shift))
                .collect::<TimestampMicrosecondArray>(),
        )
    };
    let field = |name: &str| {
        Arc::new(Field::new(
            name,
            DataType::Timestamp(TimeUnit::Microsecond, None),
            true,
        ))
    };
    let window: ArrayRef = Arc::new(StructArray::from(vec![
        (field("start"), times(0)),
        (field("end"), times(10_000_000)),
    ]));
    let kinds = (0..rows)
        .map(|row| Some(if row % 2 == 0 { "buy" } else { "view" }))
        .collect::<StringArray>();
    let orders = (0..rows)
        .map(|row| Some(i64::try_from(row).expect("small") * 7 + 24))
        .collect::<Int64Array>();
    let revenue = (0..rows)
        .map(|row| {
            if row % 2 == 0 {
                Some(f64::from(u32::try_from(row).expect("small")) * 31.25 + 812.4)
            } else {
                None
            }
        })
        .collect::<Float64Array>();
    let notes = (0..rows)
        .map(|row| Some(format!("note {row} that is longer than others")))
        .collect::<StringArray>();
    RecordBatch::try_from_iter_with_nullable([
        ("window", window, true),
        ("kind", Arc::new(kinds) as ArrayRef, true),
        ("orders", Arc::new(orders) as ArrayRef, true),
        ("revenue", Arc::new(revenue) as ArrayRef, true),
        ("note", Arc::new(notes) as ArrayRef, true),
    ])
    .expect("rows")
}

/// Rows of a leader board.
pub(crate) fn totals(rows: &[(&str, i64)]) -> RecordBatch {
    let users = rows.iter().map(|(user, _)| Some(*user)).collect::<StringArray>();
    let totals = rows.iter().map(|(_, total)| Some(*total)).collect::<Int64Array>();
    RecordBatch::try_from_iter([
        ("user", Arc::new(users) as ArrayRef),
        ("total", Arc::new(totals) as ArrayRef),
    ])
    .expect("rows")
}

/// Some keys of a state of 1,192.
pub(crate) fn state_page(keys: &[&str]) -> StatePage {
    let sevens: Vec<(&str, i64)> = keys.iter().map(|key| (*key, 7)).collect();
    StatePage {
        operator: 0,
        signature: "count".to_string(),
        batch_id: Some(142),
        oldest_batch_id: Some(42),
        newest_batch_id: Some(142),
        num_keys: 1,
        num_rows: 1_192,
        num_found: keys.len() as u64,
        rows: totals(&sevens),
        weights: vec![64; keys.len()],
        weight: StateWeight::Bytes,
        lease: None,
    }
}

/// A workbench of some size over a snapshot, and the clock that it goes by, which shows [`BASE_MS`].
pub(crate) fn app(width: u16, height: u16, snapshot: Snapshot) -> (App, Arc<ManualClock>) {
    app_with(width, height, snapshot, ColorDepth::True, false)
}

/// The same on a terminal of some kind.
pub(crate) fn app_with(
    width: u16,
    height: u16,
    snapshot: Snapshot,
    depth: ColorDepth,
    ascii: bool,
) -> (App, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(BASE_MS));
    let mut app = App::try_new(Setup {
        title: "demo.sql".to_string(),
        theme: "dark".to_string(),
        theme_folders: Vec::new(),
        depth,
        ascii,
        is_read_only: false,
        is_tour: false,
        bindings: Vec::new(),
        splits: crate::tui::layout::Splits::new(),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
    })
    .expect("a workbench");
    app.update(Message::Resize(width, height));
    app.update(Message::Snapshot(Arc::new(snapshot)));
    app.frame = FrameStats {
        per_second: 4,
        last_us: 2_100,
    };
    app.prepare();
    (app, clock)
}

/// Presses keys as the key map writes them, `enter` and `x` and `ctrl-c`, and gives what is to be done outside.
pub(crate) fn press(app: &mut App, keys: &[&str]) -> Vec<Effect> {
    let mut effects = Vec::new();
    for key in keys {
        let key: Key = key.parse().expect("a key");
        effects.extend(app.update(Message::Key(key.event())));
        app.prepare();
    }
    effects
}

/// Types text, a key a character.
pub(crate) fn type_text(app: &mut App, text: &str) {
    for letter in text.chars() {
        app.update(Message::Key(KeyEvent::new(
            KeyCode::Char(letter),
            KeyModifiers::NONE,
        )));
    }
    app.prepare();
}

/// What is on the screen.
pub(crate) fn buffer(app: &App) -> Buffer {
    let size = app.size();
    let mut terminal = Terminal::new(TestBackend::new(size.width, size.height)).expect("a screen");
    terminal.draw(|frame| view::draw(frame, app)).expect("a picture");
    terminal.backend().buffer().clone()
}

/// The same as text, a line a row, without blanks at the ends.
pub(crate) fn picture(app: &App) -> String {
    let buffer = buffer(app);
    let mut lines = Vec::new();
    for row in 0..buffer.area.height {
        let mut line = String::new();
        let mut hidden = 0;
        for column in 0..buffer.area.width {
            let symbol = buffer[(column, row)].symbol();
            // A wide character hides the cell behind it.
            if hidden > 0 {
                hidden -= 1;
                continue;
            }
            line.push_str(symbol);
            hidden = text::width(symbol).saturating_sub(1);
        }
        lines.push(line.trim_end().to_string());
    }
    lines.join("\n")
}
