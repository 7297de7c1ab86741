use std::sync::Arc;

use super::*;
use crate::engine::snapshot::QueryState;
use crate::execution::progress::StreamingQueryProgress;
use crate::tui::fake;

fn text_of(pane: Pane, query: &QuerySnapshot, width: usize) -> String {
    let mut histories = crate::tui::app::history::Histories::default();
    histories.ingest(&fake::snapshot(vec![query.clone()]));
    let facts = Facts {
        query,
        history: &histories.of(query.id),
        now_ms: fake::BASE_MS,
        symbols: &Symbols::UNICODE,
        width,
        beside: &[pane],
    };
    let doc = of(pane, &facts).expect("a text");
    let line = |line: &Line| line.iter().map(|(_, piece)| piece.as_str()).collect::<String>();
    doc.lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_failure_says_what_why_and_what_to_do() {
    let text = text_of(Pane::Details, &fake::failed("late"), 60);
    assert!(
        text.contains("file \"b.json\" has a line that is no JSON"),
        "{text}"
    );
    assert!(text.contains("because: expected a value at column 3"), "{text}");
    assert!(text.contains("RESTART"), "{text}");
}

#[test]
fn texts_keep_to_their_width_and_hold_nothing_harmful() {
    let mut query = fake::running("orders");
    query.sources = vec![format!(
        "FileStreamSource[{}\u{1b}[2J\u{202e}]",
        "long/".repeat(40)
    )];
    query.status_message = "waits\u{7}".to_string();
    for pane in [Pane::Details, Pane::Lane, Pane::State, Pane::Sources] {
        for width in [34, 56, 116] {
            let text = text_of(pane, &query, width);
            assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{text}");
            for line in text.lines() {
                assert!(text::width(line) <= width, "{pane:?} {width}: {line:?}");
            }
        }
    }
}

#[test]
fn the_progress_is_sparks_json() {
    let query = fake::running("orders");
    let text = text_of(Pane::Json, &query, 60);
    let back: StreamingQueryProgress = serde_json::from_str(&text).expect("JSON");
    let mut newest = query.recent_progress.back().expect("a batch").as_ref().clone();
    newest.duration_us.clear();
    assert_eq!(back, newest);
}

#[test]
fn a_query_that_never_ran_says_so() {
    let mut query = fake::running("orders");
    query.state = QueryState::Stopped;
    query.recent_progress = Arc::default();
    assert!(text_of(Pane::Details, &query, 60).contains("has not run since the workbench opened"));
    assert!(text_of(Pane::State, &query, 60).contains("No batch has run"));
    assert!(text_of(Pane::Json, &query, 60).contains("No batch has run"));
}
