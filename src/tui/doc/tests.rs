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
        log: &LogEntries::default(),
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

#[test]
fn what_waits_says_for_what_and_who_holds_it_back() {
    let mut query = fake::running("revenue");
    query.event_time = Some(Arc::new(fake::waiting(3)));
    let text = text_of(Pane::Waiting, &query, 200);
    assert_eq!(
        text,
        "3 windows with 18 rows wait. The next one, 14:01:50 – 14:02:00, closes when the watermark reaches 14:02:00: a \
         row of 14:02:33 or later does it.\nThe watermark is 14:01:57: newest at of orders 14:02:30 − 33 s. orders \
         has been silent for 21 s."
    );
    let mut closing = fake::waiting(1);
    closing.watermark_ms = Some(fake::BASE_MS);
    closing.watermarks[0].silent_since_ms = fake::BASE_MS;
    query.event_time = Some(Arc::new(closing));
    let text = text_of(Pane::Waiting, &query, 200);
    assert!(
        text.contains("1 window with 6 rows waits.") && text.contains("closes with the next batch."),
        "{text}"
    );
    assert!(!text.contains("silent") && !text.contains("or later"), "{text}");
}

#[test]
fn open_windows_lie_on_the_axis_of_event_time() {
    let mut query = fake::running("orders");
    let text = text_of(Pane::Lane, &query, 80);
    let line = text
        .lines()
        .find(|line| line.starts_with("windows"))
        .expect("windows");
    assert_eq!(line.matches('├').count(), 4, "{text}");
    let newest = text.lines().next().expect("the newest event");
    assert!(
        text::width(line) <= text::width(newest),
        "none reaches beyond the axis:\n{text}"
    );
    // Forty of them stand too close for that: how many there are in a cell is shown instead.
    query.event_time = Some(Arc::new(fake::event_time(40)));
    let text = text_of(Pane::Lane, &query, 50);
    assert!(text.contains("40 open") && !text.contains('├'), "{text}");
}
