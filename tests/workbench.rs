//! The real binary in a pseudo-terminal: what a person does in the first minutes.
#![allow(missing_docs)]

use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, ExitStatus, PtySize, native_pty_system};

/// Longer than anything takes on a busy machine; a wait ends as soon as its condition holds.
const PATIENCE: Duration = Duration::from_mins(1);

struct Terminal {
    parser: Arc<Mutex<vt100::Parser>>,
    /// Notified with every piece of output.
    drawn: Arc<Condvar>,
    raw: Arc<Mutex<Vec<u8>>>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn portable_pty::Child + Send + Sync>,
    master: Box<dyn portable_pty::MasterPty + Send>,
}

impl Terminal {
    fn start(arguments: &[&str], rows: u16, columns: u16) -> Self {
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_highwater"));
        command.args(arguments);
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        command.env_remove("NO_COLOR");
        let child = pair.slave.spawn_command(command).expect("starts");
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let parser = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 0)));
        let raw = Arc::new(Mutex::new(Vec::new()));
        let drawn = Arc::new(Condvar::new());
        let (screen, bytes, notify) = (Arc::clone(&parser), Arc::clone(&raw), Arc::clone(&drawn));
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                screen.lock().expect("no panic").process(&buffer[..count]);
                bytes
                    .lock()
                    .expect("no panic")
                    .extend_from_slice(&buffer[..count]);
                notify.notify_all();
            }
        });
        let writer = pair.master.take_writer().expect("a writer");
        Self {
            parser,
            drawn,
            raw,
            writer,
            child,
            master: pair.master,
        }
    }

    fn screen(&self) -> String {
        self.parser.lock().expect("no panic").screen().contents()
    }

    fn keys(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).expect("writes");
        self.writer.flush().expect("writes");
    }

    /// Waits until the screen is as wanted and gives it.
    fn wait_for(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let screen = self.screen();
            if wanted(&screen) {
                return screen;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "no {what} within {PATIENCE:?}:\n{screen}"
            );
            std::thread::yield_now();
        }
    }

    fn wait_for_text(&self, text: &str) -> String {
        self.wait_for(text, |screen| screen.contains(text))
    }

    fn wait_for_end(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("waits") {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end:\n{}", self.screen());
            // Its last output wakes this up, and then its end is near.
            let parser = self.parser.lock().expect("no panic");
            drop(
                self.drawn
                    .wait_timeout(parser, Duration::from_millis(20))
                    .expect("no panic"),
            );
        }
    }
}

impl Drop for Terminal {
    /// A test that failed leaves nothing running.
    fn drop(&mut self) {
        drop(self.child.kill());
    }
}

/// The line of the queries' table that a query is on.
fn line_of<'a>(screen: &'a str, query: &str) -> Option<&'a str> {
    screen
        .lines()
        .find(|line| line.contains(query) && (line.contains('●') || line.contains('■') || line.contains('✓')))
}

/// The batch number on a query's line: the first number that stands by itself.
fn batch_of(screen: &str, query: &str) -> Option<u64> {
    line_of(screen, query)?
        .split_whitespace()
        .find_map(|word| word.parse().ok())
}

const QUERIES: [&str; 5] = [
    "dear_purchases",
    "orders_by_window",
    "revenue_per_window",
    "shop_totals",
    "totals_by_user",
];

#[test]
fn the_demo_runs_a_query_stops_and_goes_on_and_the_terminal_comes_back() {
    let mut terminal = Terminal::start(&["demo"], 40, 120);
    let screen = terminal.wait_for("five running queries", |screen| {
        QUERIES
            .iter()
            .all(|query| line_of(screen, query).is_some_and(|line| line.contains("running")))
    });
    assert!(screen.contains("5 running"), "{screen}");

    // The second line is orders_by_window; its results are on the screen and change.
    terminal.keys("gj");
    terminal.wait_for_text("▌  orders_by_window");
    let first = terminal.wait_for("rows of the first windows", |screen| {
        screen.contains("event_type") && screen.contains("purchase")
    });
    terminal.wait_for("changed results", |screen| {
        screen.contains("purchase") && results_of(screen) != results_of(&first)
    });

    // Its page goes back in time as a whole, and comes back to the present.
    terminal.keys("\r");
    terminal.wait_for_text("where the time goes");
    terminal.keys(",,");
    terminal.wait_for_text("End is live");
    terminal.keys("2");
    terminal.wait_for_text("as of batch");
    terminal.keys("\x1b[F");
    terminal.wait_for("the present", |screen| !screen.contains("End is live"));
    // What each batch did, what the state holds, how the plan does.
    terminal.keys("c");
    terminal.wait_for("a change log", |screen| {
        screen.contains("change log") && screen.contains("changed")
    });
    terminal.keys("c3");
    terminal.wait_for("keys of the state", |screen| {
        screen.contains("keys and values of operator 1, batch")
    });
    terminal.keys("4");
    terminal.wait_for_text("StreamingAggregateExec");
    terminal.keys("\x1b");
    terminal.wait_for_text("5 running");

    // Stop: the others go on, this one stands still.
    terminal.keys("s");
    let stopped = terminal.wait_for("a stopped query", |screen| {
        screen
            .lines()
            .any(|line| line.contains("orders_by_window") && line.contains("stopped"))
    });
    let batch_of_stopped = |screen: &str| {
        let line = screen
            .lines()
            .find(|line| line.contains("orders_by_window") && line.contains("update"))?;
        line.split_whitespace().find_map(|word| word.parse::<u64>().ok())
    };
    let goes_on = |from: &str| {
        let before = batch_of(from, "shop_totals").expect("a batch number");
        terminal.wait_for("another query that goes on", |screen| {
            batch_of(screen, "shop_totals").is_some_and(|batch| batch > before + 3)
        })
    };
    let later = goes_on(&stopped);
    let last = batch_of_stopped(&later).expect("a batch number");
    assert_eq!(
        batch_of_stopped(&goes_on(&later)),
        Some(last),
        "a stopped query stands still"
    );

    // Start: it goes on behind its last batch.
    terminal.keys("S");
    let started = terminal.wait_for("the query running again", |screen| {
        line_of(screen, "orders_by_window").is_some_and(|line| line.contains("running"))
            && batch_of(screen, "orders_by_window").is_some_and(|batch| batch > last)
    });
    let next = batch_of(&started, "orders_by_window").expect("a batch number");
    assert!(next > last && next < last + 100, "went on at {next} after {last}");

    // A key is answered while all queries run.
    terminal.keys("?");
    terminal.wait_for_text("Stop the query after its batch");
    terminal.keys("?");
    terminal.wait_for("the help gone", |screen| {
        !screen.contains("Stop the query after its batch")
    });
    terminal.keys(":quit\r");
    terminal.wait_for("the question", |screen| screen.contains("y quit"));
    terminal.keys("y");
    let status = terminal.wait_for_end();
    assert!(status.success(), "{status:?}");
    assert_restored(&terminal);
}

#[test]
fn a_resize_is_followed_and_sigterm_restores_the_terminal() {
    let mut terminal = Terminal::start(&["demo"], 60, 200);
    terminal.wait_for("running queries", |screen| screen.contains("5 running"));
    for (rows, columns) in [(16, 60), (24, 80), (40, 120)] {
        terminal
            .parser
            .lock()
            .expect("no panic")
            .screen_mut()
            .set_size(rows, columns);
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        terminal.master.resize(size).expect("resizes");
        terminal.wait_for("a picture of that size", |screen| {
            screen.contains("running")
                && screen
                    .lines()
                    .all(|line| line.chars().count() <= usize::from(columns))
        });
    }
    let id = terminal.child.process_id().expect("a process").to_string();
    let killed = std::process::Command::new("kill")
        .args(["-TERM", &id])
        .status()
        .expect("kill runs");
    assert!(killed.success());
    assert_eq!(terminal.wait_for_end().exit_code(), 130);
    assert_restored(&terminal);
}

#[test]
fn hostile_data_is_drawn_harmless_and_aligned() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let long = format!("{{\"what\":\"long\",\"value\":\"{}\"}}\n", "x".repeat(1 << 20));
    let rows = include_str!("hostile/rows.json");
    std::fs::create_dir(path("in")).expect("a folder");
    std::fs::write(path("in/rows.json"), format!("{rows}{long}")).expect("writes");
    let script = format!(
        "CREATE STREAM rows (what STRING, value STRING) USING json OPTIONS (path '{}');
         CREATE STREAMING QUERY `q\x1b[31m` SINK memory AS SELECT value AS `va\x1b]0;pwned\x07lue`, what FROM rows;",
        path("in")
    );
    std::fs::write(path("hostile.sql"), script).expect("writes");
    let (script, workspace) = (path("hostile.sql"), path("workspace"));
    let mut terminal = Terminal::start(&["--workspace", &workspace, &script], 40, 120);
    let screen = terminal.wait_for("the last row", |screen| {
        screen.contains("pwned") && screen.contains("xxxxxxxx") && screen.contains("long")
    });
    // Each line of the results ends in the border, wherever wide and combining characters stand in it.
    let cells = |row: u16, column: u16| {
        let parser = terminal.parser.lock().expect("no panic");
        parser
            .screen()
            .cell(row, column)
            .map(|cell| cell.contents().to_owned())
    };
    let first = screen
        .lines()
        .position(|line| line.contains(" rows ") && line.contains('╮') && !line.contains("queries"));
    let first = u16::try_from(first.expect("the pane of the results")).expect("a row");
    for row in first + 1..first + 18 {
        assert_eq!(cells(row, 119).as_deref(), Some("│"), "row {row} of\n{screen}");
    }
    let raw = terminal.raw.lock().expect("no panic").clone();
    for payload in [
        "\x1b]0;pwned",
        "\x1b]52;c",
        "\u{9b}31m",
        "\x1b[?1049l",
        "\x1bc",
        "\u{202e}",
    ] {
        let at = raw
            .windows(payload.len())
            .position(|bytes| bytes == payload.as_bytes());
        assert_eq!(at, None, "{}", payload.escape_debug());
    }
    terminal.keys(":quit\r");
    terminal.wait_for("the question", |screen| screen.contains("y quit"));
    terminal.keys("y");
    assert!(terminal.wait_for_end().success());
}

/// The right pane: the rows of the selected query.
fn results_of(screen: &str) -> Vec<String> {
    let rows = screen
        .lines()
        .filter(|line| line.contains("purchase") && line.contains(':'));
    rows.map(str::to_owned).collect()
}

/// The alternate screen was left and the cursor is back.
fn assert_restored(terminal: &Terminal) {
    {
        let parser = terminal.parser.lock().expect("no panic");
        let screen = parser.screen();
        assert!(
            !screen.alternate_screen() && !screen.hide_cursor(),
            "{}",
            screen.contents()
        );
    }
    let raw = terminal.raw.lock().expect("no panic");
    let text = String::from_utf8_lossy(&raw);
    assert!(text.contains("\u{1b}[?1049l"), "the alternate screen was left");
}
