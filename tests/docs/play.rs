//! Running an example, and what `highwater run --available-now` would print for it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use highwater::error::Error;
use highwater::execution::event::QueryEvent;
use highwater::format::text_table::{ShowOptions, show};
use highwater::session::Session;
use highwater::session::script::ScriptOptions;
use highwater::sink::console::show_options;
use tokio::sync::mpsc::UnboundedReceiver;

const RULE: &str = "-------------------------------------------";

/// What came of an example.
pub(crate) struct Played {
    /// Results and the batches of console sinks, in their order.
    pub(crate) shown: String,
    /// Message, causes and hint of what went wrong, as the command line shows them without the place.
    pub(crate) error: Option<String>,
}

/// Runs a script in the current folder, and then its queries to their end.
pub(crate) async fn play(script: &str) -> Played {
    let session = Session::builder().threads(2).build().expect("a session");
    let mut events = session.streams().add_listener();
    let mut shown = String::new();
    let options = ScriptOptions { available_now: true };
    let ran = session
        .run_script(script, options, |rows| {
            push_batches(&mut events, &mut shown);
            shown.push_str(&show(&rows.schema, &rows.batches, ShowOptions::ALL).expect("a table"));
            shown.push('\n');
        })
        .await;
    let mut failed = ran.err();
    for query in session.streams().all() {
        if let Err(error) = query.await_termination(None).await {
            failed = failed.or(Some(error));
        }
    }
    push_batches(&mut events, &mut shown);
    let error = failed.map(|error| message(&error));
    Played { shown, error }
}

fn push_batches(events: &mut UnboundedReceiver<QueryEvent>, shown: &mut String) {
    while let Ok(event) = events.try_recv() {
        let QueryEvent::Batch {
            batch_id,
            schema,
            rows,
            ..
        } = event
        else {
            continue;
        };
        let table = show(&schema, &rows, show_options(&schema)).expect("a table");
        // Writing to a String cannot fail.
        let _ = write!(shown, "{RULE}\nBatch: {batch_id}\n{RULE}\n{table}\n");
    }
}

fn message(error: &Error) -> String {
    let lines = error.report();
    let lines = lines.lines().map(str::trim_start).collect::<Vec<_>>();
    format!("error: {}", lines.join("\n"))
}

/// An output with the rows of each console batch sorted: a batch has no order.
pub(crate) fn comparable(shown: &str) -> Vec<String> {
    let mut lines: Vec<String> = shown.trim_end().lines().map(str::to_owned).collect();
    let mut at = 0;
    while at < lines.len() {
        if lines[at].starts_with("Batch: ") {
            // Two rules, the names, a rule, the rows.
            let first = (at + 5).min(lines.len());
            let rows = lines[first..].iter().take_while(|line| line.starts_with('|'));
            let end = first + rows.count();
            lines[first..end].sort();
            at = end;
        } else {
            at += 1;
        }
    }
    lines
}

/// Copies a folder with all that is in it. Files are as old as their names say: the first one is read first.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    let entries = fs::read_dir(from).expect("a folder");
    let mut entries: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for (age, entry) in (0..).zip(entries) {
        let target = to.join(entry.file_name().expect("a name"));
        if entry.is_dir() {
            copy(&entry, &target);
        } else {
            fs::copy(entry, &target).expect("a copy");
            let time = filetime::FileTime::from_unix_time(1_767_225_600 + age, 0);
            filetime::set_file_mtime(target, time).expect("a time");
        }
    }
}
