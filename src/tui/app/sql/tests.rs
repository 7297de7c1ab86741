//! The SQL screen without a terminal and without an engine.

use std::sync::Arc;

use crate::clock::ManualClock;
use crate::engine::command::{RowSender, Words};
use crate::engine::{Answer as EngineAnswer, Command, Reply, Rows as EngineRows};
use crate::error::{Error, Position};
use crate::tui::app::{App, Effect, Message, Mode, Screen, Tab};
use crate::tui::fake::{app, picture, press, shop, totals, type_text};

fn editor() -> (App, Arc<ManualClock>) {
    let (mut app, clock) = app(120, 40, shop());
    let effects = press(&mut app, &["i"]);
    assert_eq!(effects, [Effect::Execute(Command::Words)]);
    let words = Words {
        keywords: &["FROM", "GROUP", "SELECT"],
        functions: vec![("sum".to_string(), "aggregate"), ("substr".to_string(), "scalar")],
        relations: Vec::new(),
        columns: Vec::new(),
        queries: Vec::new(),
    };
    let reply = Reply::done("2 functions").with(EngineAnswer::Words(Arc::new(words)));
    app.update(Message::Reply(Command::Words, Ok(reply)));
    (app, clock)
}

/// The text is checked after a pause; the command that asks for it.
fn check(app: &mut App, clock: &ManualClock) -> Option<Command> {
    clock.advance_ms(300);
    match app.update(Message::Tick).pop() {
        Some(Effect::Execute(command)) => Some(command),
        _ => None,
    }
}

fn sender(effects: &[Effect]) -> (Command, RowSender) {
    let [Effect::Execute(command)] = effects else {
        panic!("one command: {effects:?}")
    };
    let Command::Run {
        rows: Some(sender), ..
    } = command
    else {
        panic!("a run: {command:?}")
    };
    (command.clone(), sender.clone())
}

#[test]
fn letters_are_text_and_function_keys_are_actions() {
    let (mut app, _) = editor();
    type_text(&mut app, "q?:/");
    press(&mut app, &["enter", "D"]);
    assert_eq!(app.sql.whole(), "q?:/\nD");
    assert!(matches!(app.mode, Mode::Normal));
    press(&mut app, &["ctrl-u"]);
    assert_eq!(app.sql.whole(), "q?:/\n");
    press(&mut app, &["f1"]);
    assert!(matches!(app.mode, Mode::Help(_)));
    press(&mut app, &["q", "f4"]);
    assert_eq!(app.screen, Screen::Catalog);
    press(&mut app, &["f3", "esc"]);
    assert_eq!(app.screen, Screen::Queries);
    assert_eq!(app.sql.whole(), "q?:/\n", "the text stays");
}

#[test]
fn a_text_is_checked_once_after_a_pause_and_only_the_newest_counts() {
    let (mut app, clock) = editor();
    type_text(&mut app, "SELECT x");
    assert!(app.next_wake_ms().is_some());
    let first = check(&mut app, &clock).expect("a check");
    assert_eq!(
        first,
        Command::Check {
            sql: "SELECT x".to_string(),
            origin: None
        }
    );
    assert_eq!(check(&mut app, &clock), None, "one question is enough");
    type_text(&mut app, "y");
    let wrong = || Error::statement("there is no column \"x\"").at(Position { line: 1, column: 8 });
    app.update(Message::Reply(first, Err(wrong())));
    assert_eq!(app.sql.mistake(), None, "that was of another text");
    let second = check(&mut app, &clock).expect("another check");
    app.update(Message::Reply(second, Err(wrong())));
    assert_eq!(app.sql.mistake(), Some((0, 7)));
    app.prepare();
    assert!(picture(&app).contains("there is no column \"x\""));
}

#[test]
fn rows_of_a_text_are_shown_and_can_be_ordered() {
    let (mut app, _) = editor();
    type_text(&mut app, "SELECT 1");
    let (command, RowSender(rows)) = sender(&press(&mut app, &["f5"]));
    assert_eq!(press(&mut app, &["f5"]), [], "one at a time");
    let batch = totals(&[("ann", 3), ("bob", 5)]);
    rows.send(EngineRows {
        schema: batch.schema(),
        batches: vec![batch],
    })
    .expect("a listener");
    app.update(Message::Reply(command, Ok(Reply::done("ran the script"))));
    app.prepare();
    assert!(picture(&app).contains("bob"), "{}", picture(&app));
    press(&mut app, &["shift-tab", "shift-tab", "l", "o"]);
    let shown = picture(&app);
    assert!(
        shown.find("bob") < shown.find("ann"),
        "the largest first: {shown}"
    );
    press(&mut app, &["enter"]);
    assert!(matches!(app.mode, Mode::Record(_)));
}

#[test]
fn a_failed_run_puts_the_cursor_where_it_is_wrong() {
    let (mut app, _) = editor();
    app.update(Message::Paste("SELECT 1;\nSELECT y;".to_string()));
    let (command, _) = sender(&press(&mut app, &["f6"]));
    let Command::Run { sql, .. } = &command else {
        panic!("a run")
    };
    assert_eq!(sql, "         \nSELECT y;", "only that statement, in its place");
    let error = Error::statement("there is no column \"y\"").at(Position { line: 2, column: 8 });
    app.update(Message::Reply(command, Err(error)));
    assert_eq!((app.sql.cursor(), app.sql.mistake()), ((1, 7), Some((1, 7))));
}

#[test]
fn words_fit_their_place() {
    let (mut app, _) = editor();
    type_text(&mut app, "select su");
    let offers = |app: &App| -> Vec<String> {
        let completions = app.sql.completions.iter();
        completions
            .flat_map(|found| found.offers.iter().map(|offer| offer.text.clone()))
            .collect()
    };
    assert_eq!(offers(&app)[..2], ["sum(", "substr("]);
    press(&mut app, &["tab"]);
    type_text(&mut app, "o.am");
    assert_eq!(offers(&app), [] as [&str; 0], "nothing is known of o yet");
    type_text(&mut app, " fro");
    assert_eq!(offers(&app)[0], "from", "in small letters, as the person writes");
    press(&mut app, &["tab"]);
    type_text(&mut app, " or");
    assert_eq!(offers(&app), ["orders", "orders_by_window"]);
    press(&mut app, &["tab"]);
    type_text(&mut app, " o where o.am");
    assert_eq!(offers(&app), ["amount"]);
    press(&mut app, &["tab"]);
    assert_eq!(app.sql.whole(), "select sum(o.am from orders o where o.amount");
    type_text(&mut app, " = 'or");
    assert_eq!(offers(&app), [] as [&str; 0], "no words in quotes");
}

#[test]
fn what_was_run_comes_back() {
    let (mut app, _) = editor();
    for text in ["SELECT 1", "SELECT 2"] {
        press(&mut app, &["ctrl-u"]);
        app.sql.replace(text);
        app.text_changed();
        let (command, _) = sender(&press(&mut app, &["f5"]));
        app.update(Message::Reply(command, Ok(Reply::done("ran"))));
    }
    press(&mut app, &["ctrl-p"]);
    assert_eq!(app.sql.whole(), "SELECT 1");
    press(&mut app, &["ctrl-n", "ctrl-n"]);
    assert_eq!(app.sql.whole(), "SELECT 2");
}

#[test]
fn the_catalog_opens_results_and_writes_statements() {
    let (mut app, _) = app(120, 40, shop());
    press(&mut app, &["C", "down", "enter"]);
    assert_eq!(
        (app.screen, app.sql.whole().as_str()),
        (Screen::Sql, "SELECT * FROM users;")
    );
    press(&mut app, &["f4", "G", "enter"]);
    assert_eq!(app.screen, Screen::Query(Tab::Results));
    assert_eq!(
        app.selected_query().map(|query| query.name.as_str()),
        Some("orders_by_window")
    );
}

#[test]
fn the_log_shows_levels_and_words() {
    let (mut app, _) = app(120, 40, shop());
    press(&mut app, &["L"]);
    assert_eq!(app.log_entries().len(), 3);
    press(&mut app, &["v", "v"]);
    assert_eq!(app.log_entries().len(), 2, "warnings and errors");
    press(&mut app, &["/"]);
    type_text(&mut app, "parquet");
    press(&mut app, &["enter"]);
    assert_eq!(app.log_entries().len(), 1);
    press(&mut app, &["esc"]);
    assert_eq!((app.log_entries().len(), app.screen), (2, Screen::Log));
    assert_eq!(
        press(&mut app, &["s", "D"]),
        [],
        "no query is acted on that is not seen"
    );
    assert!(matches!(app.mode, Mode::Normal));
}

#[test]
fn a_file_opens_in_the_editor() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.sql");
    std::fs::write(&path, "SELECT\t1;\r\n").expect("a file");
    let (mut app, _) = app(120, 40, shop());
    press(&mut app, &[":"]);
    type_text(&mut app, &format!("sql {}", path.display()));
    press(&mut app, &["enter"]);
    assert_eq!(
        (app.screen, app.sql.whole().as_str()),
        (Screen::Sql, "SELECT  1;\n")
    );
    press(&mut app, &["esc", ":"]);
    type_text(&mut app, &format!("run {}", path.display()));
    assert_eq!(
        press(&mut app, &["enter"]),
        [Effect::Execute(Command::Open(path))]
    );
}

#[test]
fn a_read_only_workbench_does_not_wait_for_what_it_refuses() {
    let (mut app, _) = editor();
    app.is_read_only = true;
    type_text(&mut app, "DROP QUERY orders_by_window");
    assert_eq!(press(&mut app, &["f5"]), []);
    assert!(!app.sql.is_running());
    app.sql.replace("SELECT 1");
    app.text_changed();
    assert_eq!(press(&mut app, &["f5"]).len(), 1, "a look is no change");
}
