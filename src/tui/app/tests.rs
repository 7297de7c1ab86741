//! Messages in, state and effects out: no terminal, no engine.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::queries::Column;
use super::*;
use crate::engine::snapshot::{QueryState, ResultTable, StateOrder, StateRequest};
use crate::engine::{Answer, Command, Reply};
use crate::error::{Error, Position};
use crate::sink::OutputMode;
use crate::tui::action::{ACTIONS, ActionId};
use crate::tui::fake::{self, FakeTable, app, picture, press, shop, type_text, window_rows};

fn selected(app: &App) -> &str {
    &app.selected_query().expect("a selected query").name
}

fn names(app: &App) -> Vec<&str> {
    app.rows.iter().map(|query| query.name.as_str()).collect()
}

fn say(app: &App) -> &str {
    &app.notice.as_ref().expect("a notice").text
}

fn run_line(app: &mut App, line: &str) -> Vec<Effect> {
    press(app, &[":"]);
    type_text(app, line);
    press(app, &["enter"])
}

fn show(app: &mut App, snapshot: Snapshot) {
    app.update(Message::Snapshot(Arc::new(snapshot)));
    app.prepare();
}

fn mouse(app: &mut App, kind: MouseEventKind, column: u16, row: u16) {
    app.update(Message::Mouse(MouseEvent {
        kind,
        column,
        row,
        modifiers: KeyModifiers::NONE,
    }));
    app.prepare();
}

fn click(app: &mut App, column: u16, row: u16) {
    mouse(app, MouseEventKind::Down(MouseButton::Left), column, row);
}

#[test]
fn vim_and_arrow_keys_move_the_selection() {
    let (mut app, _) = app(120, 40, shop());
    assert_eq!(selected(&app), "late_to_parquet");
    press(&mut app, &["j", "down"]);
    assert_eq!(selected(&app), "revenue_closed");
    press(&mut app, &["G"]);
    assert_eq!(selected(&app), "spend_by_user");
    press(&mut app, &["k", "up", "up", "up", "up"]);
    assert_eq!(selected(&app), "late_to_parquet");
}

#[test]
fn start_stop_restart_are_commands_to_the_engine() {
    let (mut app, _) = app(120, 40, shop());
    assert_eq!(press(&mut app, &["s"]), []);
    assert_eq!(say(&app), "late_to_parquet does not run: it is failed");
    let name = || "late_to_parquet".to_string();
    assert_eq!(press(&mut app, &["S"]), [Effect::Execute(Command::Start(name()))]);
    assert_eq!(
        press(&mut app, &["R"]),
        [Effect::Execute(Command::Restart(name()))]
    );
    press(&mut app, &["down"]);
    assert_eq!(
        press(&mut app, &["s"]),
        [Effect::Execute(Command::Stop("orders_by_window".to_string()))]
    );
    assert_eq!(press(&mut app, &["S"]), []);
    assert_eq!(say(&app), "orders_by_window is running already");
}

#[test]
fn a_drop_is_asked_first_and_no_is_the_way_out() {
    let (mut app, _) = app(120, 40, shop());
    for no in ["n", "esc", "enter", "q", "ctrl-c"] {
        assert_eq!(press(&mut app, &["D", no]), [], "{no}");
        assert!(matches!(app.mode, Mode::Normal), "{no}");
    }
    assert_eq!(press(&mut app, &["D", "x"]), []);
    assert!(matches!(app.mode, Mode::Confirm(_)), "another key is no answer");
    assert_eq!(
        press(&mut app, &["y"]),
        [Effect::Execute(Command::Drop("late_to_parquet".to_string()))]
    );
}

#[test]
fn what_the_engine_answers_is_shown() {
    let (mut app, clock) = app(120, 40, shop());
    let stop = Command::Stop("a".to_string());
    app.update(Message::Reply(
        stop.clone(),
        Ok(Reply::done("stopped a after batch 142".to_string())),
    ));
    assert!(picture(&app).contains("stopped a after batch 142"));
    let gone = app.next_wake_ms().expect("a notice goes away");
    clock.advance_ms(gone.max(fake::BASE_MS + 7_000) - fake::BASE_MS);
    app.update(Message::Tick);
    assert_eq!(app.notice, None);

    let error = Error::source("the broker is gone")
        .caused_by("connection refused")
        .hint("Start it and RESTART.");
    app.update(Message::Reply(stop, Err(error)));
    let shown = picture(&app);
    for part in [
        "the broker is gone",
        "because: connection refused",
        "hint: Start it and RESTART.",
    ] {
        assert!(shown.contains(part), "{shown}");
    }
    let run = Command::Run {
        sql: "SELECT".to_string(),
        origin: Some("a.sql".into()),
        rows: None,
    };
    let place = Position { line: 3, column: 4 };
    app.update(Message::Reply(
        run,
        Err(Error::statement("no such column").at(place)),
    ));
    assert!(picture(&app).contains("a.sql, line 3, column 4: no such column"));
    clock.advance_ms(60_000);
    app.update(Message::Tick);
    assert!(app.notice.is_some(), "an error stays");
    press(&mut app, &["esc"]);
    assert_eq!(app.notice, None);
}

#[test]
fn the_selection_stays_on_its_query_while_rows_move() {
    let (mut app, _) = app(120, 40, shop());
    press(&mut app, &["down", "down"]);
    assert_eq!(selected(&app), "revenue_closed");
    run_line(&mut app, "sort in/s");
    assert_eq!(names(&app)[0], "revenue_closed", "the fastest comes first");
    assert_eq!(app.selected_row(), Some(0));
    press(&mut app, &["O"]);
    assert_eq!(
        names(&app),
        [
            "orders_by_window",
            "spend_by_user",
            "revenue_closed",
            "late_to_parquet"
        ]
    );
    assert_eq!(selected(&app), "revenue_closed");
    let mut fewer = shop();
    fewer.queries.remove(0);
    show(&mut app, fewer);
    assert_eq!(selected(&app), "revenue_closed");
    let mut gone = shop();
    gone.queries.retain(|query| query.name != "revenue_closed");
    show(&mut app, gone);
    assert!(app.selected_query().is_some(), "the row in its place is selected");
}

#[test]
fn a_filter_narrows_as_it_is_typed_and_escape_takes_it_back() {
    let (mut app, _) = app(120, 40, shop());
    press(&mut app, &["/"]);
    type_text(&mut app, "append run");
    assert_eq!(names(&app), ["revenue_closed"]);
    press(&mut app, &["esc"]);
    assert_eq!(app.rows.len(), 4);
    press(&mut app, &["/"]);
    type_text(&mut app, "PARQUET");
    press(&mut app, &["enter"]);
    assert_eq!(names(&app), ["late_to_parquet"]);
    press(&mut app, &["esc"]);
    assert_eq!(app.rows.len(), 4);
}

#[test]
fn tabs_turn_and_escape_leads_home() {
    let (mut app, _) = app(120, 40, shop());
    press(&mut app, &["down", "enter"]);
    assert_eq!(app.screen, Screen::Query(Tab::Overview));
    press(&mut app, &["tab"]);
    assert_eq!(app.screen, Screen::Query(Tab::Results));
    press(&mut app, &["shift-tab", "shift-tab"]);
    assert_eq!(app.screen, Screen::Query(Tab::Log));
    for (key, tab) in ["1", "2", "3", "4", "5", "6", "7"].into_iter().zip(Tab::ALL) {
        press(&mut app, &[key]);
        assert_eq!(app.screen, Screen::Query(tab));
    }
    press(&mut app, &["esc"]);
    assert_eq!(
        (app.screen, selected(&app)),
        (Screen::Queries, "orders_by_window")
    );
    press(&mut app, &["r"]);
    assert_eq!(app.screen, Screen::Query(Tab::Results));
}

#[test]
fn a_query_that_goes_away_takes_its_page_with_it() {
    let (mut app, _) = app(120, 40, fake::snapshot(vec![fake::running("only")]));
    press(&mut app, &["enter"]);
    show(&mut app, fake::snapshot(Vec::new()));
    assert_eq!(app.screen, Screen::Queries);
    assert!(app.selected_query().is_none());
    assert_eq!(press(&mut app, &["s", "S", "D", "enter", "r", "j", "G"]), []);
}

#[test]
fn the_command_line_does_what_keys_do() {
    let (mut app, _) = app(120, 40, shop());
    let effects = run_line(&mut app, "stop revenue_closed");
    assert_eq!(
        effects,
        [Effect::Execute(Command::Stop("revenue_closed".to_string()))]
    );
    let effects = run_line(&mut app, "start late");
    assert_eq!(
        effects,
        [Effect::Execute(Command::Start("late_to_parquet".to_string()))],
        "the only one so named"
    );
    run_line(&mut app, "drop spend_by_user");
    assert!(matches!(app.mode, Mode::Confirm(_)));
    press(&mut app, &["n"]);
    run_line(&mut app, "theme light");
    assert_eq!(app.theme.name(), "light");
    run_line(&mut app, "plan orders_by_window");
    assert_eq!(
        (app.screen, selected(&app)),
        (Screen::Query(Tab::Plan), "orders_by_window")
    );
    run_line(&mut app, "sort p99 desc");
    assert_eq!(
        (app.screen, app.sort.column, app.sort.descending),
        (Screen::Queries, Column::P99, true)
    );
    run_line(&mut app, "filter append");
    assert_eq!(app.rows.len(), 2);
    run_line(&mut app, "freeze");
    assert!(app.is_frozen());
}

#[test]
fn a_wrong_command_says_what_would_be_right() {
    let (mut app, _) = app(120, 40, shop());
    for (line, words) in [
        ("stpo", "there is no command \"stpo\""),
        ("rstart", "Did you mean restart?"),
        ("stop nobody", "Queries are: orders_by_window, revenue_closed"),
        (
            "stop late_to_parquet",
            "late_to_parquet does not run: it is failed",
        ),
        (
            "theme nope",
            "Themes are colour-blind, dark, high-contrast, light, terminal",
        ),
        ("sort nope", "Columns are: query, state"),
        ("quit now", "\"quit\" takes nothing after it"),
        ("next-tab", "\"next-tab\" means nothing on this screen"),
    ] {
        assert_eq!(run_line(&mut app, line), [], "{line}");
        assert!(say(&app).contains(words), "{line}: {}", say(&app));
        assert!(app.notice.as_ref().is_some_and(|notice| notice.is_error));
        press(&mut app, &["esc"]);
    }
    assert_eq!(app.theme.name(), "dark");
}

#[test]
fn completion_goes_through_what_fits() {
    let (mut app, _) = app(120, 40, shop());
    let line = |app: &App| match &app.mode {
        Mode::Command(line) => line.input.text().to_string(),
        other => panic!("{other:?}"),
    };
    press(&mut app, &[":"]);
    type_text(&mut app, "restar");
    press(&mut app, &["tab"]);
    assert_eq!(line(&app), "restart ", "the only one, ready for its query");
    press(&mut app, &["tab", "tab"]);
    assert_eq!(line(&app), "restart revenue_closed");
    press(&mut app, &["shift-tab"]);
    assert_eq!(line(&app), "restart orders_by_window");
    type_text(&mut app, "x");
    assert_eq!(line(&app), "restart orders_by_windowx");
    press(&mut app, &["esc"]);
    run_line(&mut app, "sort batch");
    press(&mut app, &[":", "up"]);
    assert_eq!(line(&app), "sort batch", "the history");
    press(&mut app, &["ctrl-c"]);
    assert!(matches!(app.mode, Mode::Normal));
}

#[test]
fn freezing_keeps_the_picture_and_thawing_shows_the_present() {
    let table = Arc::new(FakeTable::windows(40));
    let mut query = fake::running("orders");
    query.result = Some(Arc::clone(&table) as Arc<dyn ResultTable>);
    let (mut app, clock) = app(120, 40, fake::snapshot(vec![query.clone()]));
    press(&mut app, &["f"]);
    let before = picture(&app);
    clock.advance_ms(30_000);
    table.set(window_rows(60), vec![143; 60]);
    query.state = QueryState::Stopped;
    app.take_dirty();
    assert_eq!(
        app.update(Message::Snapshot(Arc::new(fake::snapshot(vec![query])))),
        []
    );
    assert!(!app.take_dirty(), "nothing is to be drawn");
    assert_eq!(app.next_wake_ms(), None);
    app.prepare();
    // The help bar alone tells what can be done at present.
    let without_bar = |picture: &str| picture.rsplit_once('\n').map(|(above, _)| above.to_string());
    assert_eq!(without_bar(&picture(&app)), without_bar(&before));
    assert_eq!(
        press(&mut app, &["s"]),
        [],
        "actions see the present: it is stopped already"
    );
    app.notice = None;
    press(&mut app, &["f"]);
    let after = picture(&app);
    assert!(after.contains("stopped") && after.contains("of 60"), "{after}");
}

#[test]
fn the_mouse_selects_opens_sorts_and_scrolls() {
    let (mut app, clock) = app(120, 40, shop());
    click(&mut app, 10, 4);
    assert_eq!(selected(&app), "orders_by_window");
    clock.advance_ms(1_000);
    click(&mut app, 10, 4);
    assert_eq!(app.screen, Screen::Queries, "too slow for a double click");
    click(&mut app, 10, 4);
    assert_eq!(app.screen, Screen::Query(Tab::Overview));
    let tabs = picture(&app).lines().nth(1).expect("tabs").to_string();
    let column = u16::try_from(tabs.find("4 Plan").expect("a tab")).expect("small");
    click(&mut app, column + 2, 1);
    assert_eq!(app.screen, Screen::Query(Tab::Plan));
    press(&mut app, &["esc"]);
    let heads = picture(&app).lines().nth(2).expect("heads").to_string();
    let column = heads.chars().position(|c| c == 'i').expect("in/s") + 1;
    click(&mut app, u16::try_from(column).expect("small"), 2);
    assert_eq!((app.sort.column, app.sort.descending), (Column::Rate, true));
    click(&mut app, u16::try_from(column).expect("small"), 2);
    assert!(!app.sort.descending);
    mouse(&mut app, MouseEventKind::ScrollDown, 10, 5);
    assert_eq!(app.selected_row(), Some(1));
    let before = app.grid().map(|grid| grid.offset);
    mouse(&mut app, MouseEventKind::ScrollUp, 100, 20);
    assert!(
        app.grid().map(|grid| grid.offset) < before,
        "the wheel scrolls what is under it"
    );
    assert_eq!(app.focus, Pane::Queries, "and leaves the keyboard where it is");
}

#[test]
fn only_visible_rows_are_asked_for() {
    let table = Arc::new(FakeTable::windows(10_000));
    let mut query = fake::running("orders");
    query.result = Some(Arc::clone(&table) as Arc<dyn ResultTable>);
    let (mut app, _) = app(120, 40, fake::snapshot(vec![query.clone()]));
    // As a table alone: a chart is made of more rows than are in sight.
    press(&mut app, &["v", "v"]);
    table.asked.store(0, Ordering::SeqCst);
    press(&mut app, &["2"]);
    let asked = table.asked.load(Ordering::SeqCst);
    show(&mut app, fake::snapshot(vec![query]));
    assert!(asked <= 40, "{asked} rows");
    assert_eq!(
        table.asked.load(Ordering::SeqCst),
        asked,
        "nothing changed, nothing is asked for"
    );
    press(&mut app, &["g"]);
    assert!(picture(&app).contains("rows 1–34 of 10,000"), "{}", picture(&app));
    press(&mut app, &["pagedown", "pagedown"]);
    assert_eq!(app.grid().map(|grid| grid.cursor.0), Some(66));
    press(&mut app, &["G"]);
    assert!(picture(&app).contains("of 10,000 · update · follows"));
}

#[test]
fn quitting_asks_if_queries_run_and_stops_them() {
    let (mut app, _) = app(120, 40, shop());
    assert_eq!(press(&mut app, &["q"]), []);
    assert!(picture(&app).contains("Stop 3 queries and quit?"));
    assert_eq!(press(&mut app, &["n"]), []);
    assert_eq!(press(&mut app, &["q", "y"]), [Effect::Execute(Command::StopAll)]);
    assert!(picture(&app).contains("stopping queries"));
    assert_eq!(press(&mut app, &["s", "j"]), [], "no more actions");
    let done = Reply::done("all stopped".to_string());
    assert_eq!(
        app.update(Message::Reply(Command::StopAll, Ok(done))),
        [Effect::Exit]
    );
}

#[test]
fn quitting_does_not_ask_when_nothing_runs_and_does_not_wait_when_asked_twice() {
    let (mut idle, _) = app(120, 40, fake::snapshot(vec![fake::failed("late")]));
    assert_eq!(press(&mut idle, &["q"]), [Effect::Exit]);
    let (mut busy, _) = app(120, 40, shop());
    assert_eq!(
        press(&mut busy, &["q", "y", "q"]),
        [Effect::Execute(Command::StopAll), Effect::Exit]
    );
    let (mut told, _) = app(120, 40, shop());
    assert_eq!(
        told.update(Message::Terminate),
        [Effect::Execute(Command::StopAll)],
        "a signal does not ask"
    );
    assert_eq!(told.update(Message::Terminate), [Effect::Exit]);
}

#[test]
fn an_idle_workbench_asks_for_no_wake_up() {
    let (mut idle, _) = app(120, 40, fake::snapshot(vec![fake::failed("late")]));
    assert_eq!(idle.next_wake_ms(), None);
    let (busy, _) = app(120, 40, shop());
    assert_eq!(
        busy.next_wake_ms(),
        Some(fake::BASE_MS + 1_000),
        "the lag of a watermark grows by the second"
    );
    idle.take_dirty();
    mouse(&mut idle, MouseEventKind::Moved, 5, 5);
    assert!(!idle.take_dirty(), "a moved mouse changes nothing");
}

#[test]
fn panes_take_the_keyboard_and_the_screen() {
    let (mut app, _) = app(120, 40, shop());
    press(&mut app, &["down", "w", "w"]);
    assert_eq!(app.focus, Pane::Result);
    press(&mut app, &["e"]);
    assert_eq!(app.layout().panes.len(), 1);
    press(&mut app, &["g"]);
    assert_eq!(app.grid().map(|grid| grid.offset), Some(0));
    press(&mut app, &["esc"]);
    assert_eq!((app.maximised, app.focus), (false, Pane::Result));
    press(&mut app, &["esc"]);
    assert_eq!(app.focus, Pane::Queries);
}

#[test]
fn progress_shows_the_newest_batch_until_another_is_chosen() {
    let (mut app, _) = app(120, 20, shop());
    press(&mut app, &["down", "5"]);
    assert!(picture(&app).contains("\"batchId\": 142"));
    press(&mut app, &["down", "down"]);
    assert!(picture(&app).contains("\"batchId\": 140"));
    let mut next = shop();
    let orders = Arc::make_mut(&mut next.queries[0]);
    let id = orders.id;
    // The same batches and one more, as the engine would publish them.
    let known = Arc::clone(&app.selected_query().expect("orders").recent_progress);
    let mut ring = known.as_ref().clone();
    let mut newest = fake::progress(143, fake::BASE_MS + 1_000, 900);
    newest.id = id;
    ring.pop_front();
    ring.push_back(Arc::new(newest));
    orders.recent_progress = Arc::new(ring);
    show(&mut app, next);
    assert!(picture(&app).contains("\"batchId\": 140"), "the chosen one stays");
    press(&mut app, &["home"]);
    assert!(picture(&app).contains("\"batchId\": 143"));
    press(&mut app, &["w", "pagedown"]);
    assert_eq!(app.doc(Pane::Json).map(|(_, (first, _))| first > 0), Some(true));
}

#[test]
fn themes_are_tried_on_and_taken_back() {
    let (mut app, _) = app(120, 40, shop());
    press(&mut app, &["t", "down"]);
    assert_eq!(app.theme.name(), "high-contrast");
    press(&mut app, &["esc"]);
    assert_eq!(app.theme.name(), "dark");
    press(&mut app, &["t", "j", "j", "enter"]);
    assert_eq!(app.theme.name(), "light");
}

#[test]
fn a_thread_that_breaks_down_is_told_of() {
    let (mut app, _) = app(120, 40, shop());
    app.update(Message::Panicked("index out of bounds at src/x.rs:3".to_string()));
    assert!(picture(&app).contains("index out of bounds at src/x.rs:3"));
}

#[test]
fn every_action_can_be_done_on_every_screen_without_harm() {
    let (some, none) = (shop(), fake::snapshot(Vec::new()));
    for action in ACTIONS {
        let screens = Tab::ALL.map(Screen::Query).into_iter().chain([Screen::Queries]);
        for screen in screens {
            for snapshot in [some.clone(), none.clone()] {
                let (mut app, _) = app(80, 24, snapshot);
                app.go(screen);
                app.prepare();
                app.perform(action.id);
                app.prepare();
                assert!(!picture(&app).is_empty());
                press(&mut app, &["esc"]);
                if action.id != ActionId::Suspend {
                    run_line(&mut app, action.name);
                }
            }
        }
    }
}

#[test]
fn every_word_of_the_table_is_a_command() {
    let snapshot = shop();
    for action in ACTIONS {
        let (mut app, _) = app(120, 40, snapshot.clone());
        press(&mut app, &["down"]);
        run_line(&mut app, action.name);
        let unknown = app
            .notice
            .as_ref()
            .is_some_and(|notice| notice.text.contains("there is no command"));
        assert!(!unknown, "{}", action.name);
    }
}

#[test]
fn modes_of_results_decide_where_they_open() {
    for (mode, first) in [
        (OutputMode::Append, 6),
        (OutputMode::Update, 6),
        (OutputMode::Complete, 0),
    ] {
        let table = FakeTable::new(mode, window_rows(40), vec![1; 40]);
        let mut query = fake::running("orders");
        query.result = Some(Arc::new(table));
        let (mut app, _) = app(120, 40, fake::snapshot(vec![query]));
        press(&mut app, &["2", "v", "v"]);
        assert_eq!(app.grid().map(|grid| grid.offset), Some(first), "{mode}");
    }
}

#[test]
fn actions_act_on_all_marked_queries() {
    let (mut app, _) = app(120, 40, shop());
    press(&mut app, &["down", "space", "space"]);
    assert_eq!((app.marked.len(), selected(&app)), (2, "spend_by_user"));
    let stop = |name: &str| Effect::Execute(Command::Stop(name.to_string()));
    assert_eq!(
        press(&mut app, &["s"]),
        [stop("orders_by_window"), stop("revenue_closed")]
    );
    assert_eq!(press(&mut app, &["S"]), []);
    assert_eq!(say(&app), "all 2 marked queries run already");
    assert_eq!(
        run_line(&mut app, "stop spend_by_user"),
        [stop("spend_by_user")],
        "a name means that query alone"
    );
    press(&mut app, &["D"]);
    assert!(picture(&app).contains("Drop 2 queries?"), "{}", picture(&app));
    let drops =
        ["orders_by_window", "revenue_closed"].map(|name| Effect::Execute(Command::Drop(name.to_string())));
    assert_eq!(press(&mut app, &["y"]), drops);
    press(&mut app, &["a"]);
    assert_eq!(app.marked.len(), 4);
    let mut fewer = shop();
    fewer.queries.truncate(1);
    show(&mut app, fewer);
    assert_eq!(app.marked.len(), 1, "what is gone is not marked");
    press(&mut app, &["esc"]);
    assert!(app.marked.is_empty());
}

#[test]
fn scrubbing_moves_all_of_a_query_together_and_end_is_live_again() {
    let (mut app, clock) = app(120, 40, shop());
    press(&mut app, &["down", "enter", "left", "left", ","]);
    let shown = picture(&app);
    assert!(
        shown.contains("3 batches ago") && shown.contains("batch 139"),
        "{shown}"
    );
    assert!(!shown.contains("│ 142 "), "no later batch in the bars:\n{shown}");
    // The engine runs on; the batch that is shown stays what it was.
    clock.advance_ms(1_000);
    let mut next = shop();
    let orders = Arc::make_mut(&mut next.queries[0]);
    let mut ring = app
        .selected_query()
        .expect("orders")
        .recent_progress
        .as_ref()
        .clone();
    ring.pop_front();
    let mut newest = fake::progress(143, fake::BASE_MS + 1_000, 90_000);
    newest.id = orders.id;
    ring.push_back(Arc::new(newest));
    orders.recent_progress = Arc::new(ring);
    show(&mut app, next);
    assert_eq!(picture(&app), shown.replace("3 batches ago", "4 batches ago"));
    press(&mut app, &["3"]);
    assert!(
        picture(&app).contains("keys") && picture(&app).contains("1,168"),
        "{}",
        picture(&app)
    );
    press(&mut app, &["1", "right", "l"]);
    assert!(picture(&app).contains("batch 141"));
    press(&mut app, &["end"]);
    let live = picture(&app);
    assert!(live.contains("batch 143") && !live.contains("ago"), "{live}");
    press(&mut app, &["right"]);
    assert_eq!(say(&app), "this is the present");
    press(&mut app, &["space"]);
    assert!(picture(&app).contains("paused at the newest batch"));
    press(&mut app, &["space"]);
    assert!(app.past().is_none());
    press(&mut app, &["left", "esc"]);
    assert_eq!(
        (app.screen, app.past().is_none()),
        (Screen::Query(Tab::Overview), true)
    );
}

#[test]
fn charts_zoom_by_keys_and_by_the_wheel() {
    let (mut app, _) = app(120, 40, shop());
    press(&mut app, &["down", "enter"]);
    assert!(picture(&app).contains("48 s"), "{}", picture(&app));
    press(&mut app, &["-"]);
    assert!(picture(&app).contains("96 s"));
    mouse(&mut app, MouseEventKind::ScrollDown, 10, 5);
    assert!(picture(&app).contains("4.0 min"));
    press(&mut app, &["+", "+", "+", "+"]);
    assert!(picture(&app).contains("48 s"));
}

#[test]
fn a_line_between_panes_can_be_dragged() {
    let (mut app, _) = app(120, 40, shop());
    let details = |app: &App| app.layout().pane(Pane::Details).expect("details").width;
    assert_eq!(details(&app), 48);
    click(&mut app, 48, 20);
    mouse(&mut app, MouseEventKind::Drag(MouseButton::Left), 70, 20);
    mouse(&mut app, MouseEventKind::Up(MouseButton::Left), 70, 20);
    assert_eq!(details(&app), 70);
    mouse(&mut app, MouseEventKind::Drag(MouseButton::Left), 90, 20);
    assert_eq!(details(&app), 70, "it was let go");
}

/// A workbench on the result tab of a query with these rows.
fn on_result(width: u16, height: u16, table: FakeTable) -> (App, Arc<FakeTable>) {
    let table = Arc::new(table);
    let mut query = fake::running("orders");
    query.result = Some(Arc::clone(&table) as Arc<dyn ResultTable>);
    let (mut app, _) = app(width, height, fake::snapshot(vec![query]));
    press(&mut app, &["2"]);
    (app, table)
}

#[test]
fn a_result_is_sorted_by_keys_heads_and_words_and_filtered() {
    let (mut app, table) = on_result(100, 30, FakeTable::windows(40));
    let orders = |app: &App| -> Vec<String> {
        let grid = app.grid().expect("a grid");
        grid.shown
            .rows
            .iter()
            .map(|row| row.cells[2].text.clone())
            .take(3)
            .collect()
    };
    press(&mut app, &["g", "l", "l", "o"]);
    assert_eq!(orders(&app), ["297", "290", "283"], "the largest first");
    assert!(picture(&app).contains("orders ▼"), "{}", picture(&app));
    press(&mut app, &["o"]);
    assert_eq!(orders(&app), ["24", "31", "38"]);
    press(&mut app, &["o"]);
    assert_eq!(
        app.grid().expect("a grid").sort,
        None,
        "a third time takes it back"
    );
    run_line(&mut app, "sort kind");
    assert_eq!(orders(&app), ["24", "38", "52"]);
    press(&mut app, &["/"]);
    type_text(&mut app, "VIEW 14:02");
    assert!(
        picture(&app).contains("/VIEW 14:02  5 rows, 40 in all"),
        "{}",
        picture(&app)
    );
    // What arrives is found by the same filter.
    press(&mut app, &["enter"]);
    table.set(window_rows(42), vec![143; 42]);
    let same = app.live.snapshot.as_ref().clone();
    show(&mut app, same);
    assert!(picture(&app).contains("42 in all"), "{}", picture(&app));
    press(&mut app, &["esc"]);
    assert_eq!(
        (app.screen, app.grid().expect("a grid").shown.num_rows),
        (Screen::Query(Tab::Results), 42)
    );
    let heads = picture(&app).lines().nth(3).expect("heads").to_string();
    let column = heads.find("orders").expect("a head") - "│".len() + 2;
    click(&mut app, u16::try_from(column).expect("small"), 3);
    assert_eq!(orders(&app), ["311", "304", "297"], "{heads}");
    assert!(run_line(&mut app, "sort nope").is_empty() && say(&app).contains("Columns are: window, kind"));
}

#[test]
fn a_cell_is_looked_at_and_copied() {
    let (mut app, _) = on_result(80, 24, FakeTable::windows(40));
    press(&mut app, &["g", "down", "end", "up", "right", "enter"]);
    let shown = picture(&app);
    assert!(
        shown.contains("row 39") && shown.contains("note 38 that is longer than others"),
        "{shown}"
    );
    assert_eq!(press(&mut app, &["y"]), [Effect::Copy("buy".to_string())]);
    press(&mut app, &["esc"]);
    assert_eq!(press(&mut app, &["l", "y"]), [Effect::Copy("290".to_string())]);
    let copied = press(&mut app, &["Y"]);
    let [Effect::Copy(row)] = copied.as_slice() else {
        panic!("{copied:?}")
    };
    assert!(
        row.starts_with("{\"window\":{\"start\":\"2026-03-01T14:02:20Z\"") && row.contains("\"orders\":290"),
        "{row}"
    );
    let grid = app.grid().expect("a grid");
    let before = grid.cursor;
    click(&mut app, 30, 5);
    click(&mut app, 30, 5);
    assert!(matches!(app.mode, Mode::Record(_)), "{before:?}");
}

#[test]
fn the_cursor_takes_hidden_columns_into_sight() {
    let (mut app, _) = on_result(60, 16, FakeTable::windows(40));
    assert!(!picture(&app).contains("note 39 that is"), "{}", picture(&app));
    press(&mut app, &["l", "l", "l", "l"]);
    assert!(
        picture(&app).contains("note 39 that is longer than others"),
        "{}",
        picture(&app)
    );
    press(&mut app, &["h", "h", "h", "h"]);
    assert!(picture(&app).contains("  window"));
}

#[test]
fn a_result_turns_from_table_to_chart_and_back() {
    let (mut app, _) = on_result(120, 40, FakeTable::windows(40));
    assert!(app.pivot().is_some(), "both have room");
    press(&mut app, &["v"]);
    assert!(!picture(&app).contains("note 39 that"), "{}", picture(&app));
    assert_eq!(app.pivot().map(|pivot| pivot.measure.as_str()), Some("orders"));
    press(&mut app, &["m"]);
    assert_eq!(app.pivot().map(|pivot| pivot.measure.as_str()), Some("revenue"));
    press(&mut app, &["v"]);
    assert!(app.pivot().is_none() && picture(&app).contains("note 39 that"));
}

/// The state that was asked for.
fn asked(effects: &[Effect]) -> (String, StateRequest) {
    match effects {
        [Effect::Execute(Command::ReadState { query, request })] => (query.clone(), request.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_state_is_looked_into_by_key_by_size_and_by_look_up() {
    let (mut app, clock) = app(120, 40, shop());
    let effects = press(&mut app, &["down", "3"]);
    let (query, request) = asked(&effects);
    assert_eq!(
        (query.as_str(), request.order, request.offset),
        ("orders_by_window", StateOrder::Key, 0)
    );
    let answer = |app: &mut App, effects: &[Effect], keys: &[&str]| {
        let (query, request) = asked(effects);
        let reply = Reply::done("3 keys").with(Answer::State(Box::new(fake::state_page(keys))));
        let effects = app.update(Message::Reply(Command::ReadState { query, request }, Ok(reply)));
        app.prepare();
        assert_eq!(effects, [], "what was answered is not asked again");
    };
    answer(&mut app, &effects, &["ann", "bob", "cleo"]);
    let shown = picture(&app);
    assert!(
        shown.contains("cleo") && shown.contains("1,192 · by key") && shown.contains("batch 142"),
        "{shown}"
    );
    press(&mut app, &["w"]);
    assert_eq!(app.focus, Pane::Keys);
    press(&mut app, &["down", "enter"]);
    assert!(
        picture(&app).contains("row 2") && picture(&app).contains("total  7"),
        "{}",
        picture(&app)
    );
    press(&mut app, &["esc"]);
    let effects = press(&mut app, &["o"]);
    assert_eq!(asked(&effects).1.order, StateOrder::Largest);
    answer(&mut app, &effects, &["cleo", "ann"]);
    let mut effects = press(&mut app, &["/"]);
    effects.extend(app.update(Message::Key(
        "b".parse::<crate::tui::keymap::Key>().expect("a key").event(),
    )));
    assert_eq!(asked(&effects).1.find.as_deref(), Some("b"));
    answer(&mut app, &effects, &["bob"]);
    assert!(picture(&app).contains("/b  1 of 1,192"), "{}", picture(&app));
    press(&mut app, &["enter"]);
    // At an earlier batch the state is that of then.
    let effects = press(&mut app, &[","]);
    assert_eq!(asked(&effects).1.as_of, Some(141));
    answer(&mut app, &effects, &["bob"]);
    let (query, request) = asked(&press(&mut app, &["end"]));
    assert_eq!(request.as_of, None);
    let gone = Error::statement("that batch is not kept any more");
    app.update(Message::Reply(Command::ReadState { query, request }, Err(gone)));
    app.prepare();
    assert!(
        picture(&app).contains("that batch is not kept any more"),
        "{}",
        picture(&app)
    );
    clock.advance_ms(5_000);
    asked(&app.update(Message::Tick));
}

#[test]
fn results_go_back_in_time_with_their_query() {
    let table = Arc::new(FakeTable::windows(40));
    let mut query = fake::running("orders");
    query.result = Some(Arc::clone(&table) as Arc<dyn ResultTable>);
    let (mut app, _) = app(120, 40, fake::snapshot(vec![query]));
    press(&mut app, &["2", ",", ","]);
    let shown = picture(&app);
    assert!(
        shown.contains("as of batch 140") && shown.contains("of 38 · update"),
        "{shown}"
    );
    assert!(
        shown.contains("+ 14:02:20"),
        "what that batch brought is marked:\n{shown}"
    );
    press(&mut app, &["end"]);
    assert!(
        picture(&app).contains("of 40 · update · follows"),
        "{}",
        picture(&app)
    );
    for _ in 0..45 {
        press(&mut app, &[","]);
    }
    assert!(
        picture(&app).contains("the rows as of batch 97 are not kept any more"),
        "{}",
        picture(&app)
    );
}

#[test]
fn the_change_log_shows_what_each_batch_did() {
    let (mut app, table) = on_result(120, 40, FakeTable::windows(40));
    press(&mut app, &["c"]);
    let shown = picture(&app);
    assert!(
        shown.contains("change log") && shown.contains("142  new"),
        "{shown}"
    );
    assert_eq!(app.grid().expect("a grid").shown.num_rows, 40);
    table.set(window_rows(41), vec![142; 41]);
    let same = app.live.snapshot.as_ref().clone();
    show(&mut app, same);
    press(&mut app, &["c"]);
    assert!(picture(&app).contains("of 41 · update"), "{}", picture(&app));
}

#[test]
fn exports_and_resets_are_commands_and_a_reset_is_asked_twice() {
    let (mut app, _) = app(120, 40, shop());
    assert_eq!(press(&mut app, &["x"]), []);
    assert_eq!(
        say(&app),
        "late_to_parquet has no rows to export: only a memory sink keeps them"
    );
    press(&mut app, &["down", "x"]);
    type_text(&mut app, "out/a.csv");
    let export = Command::Export {
        query: "orders_by_window".to_string(),
        path: "out/a.csv".into(),
    };
    assert_eq!(press(&mut app, &["enter"]), [Effect::Execute(export)]);
    run_line(&mut app, "reset orders_by_window");
    assert!(say(&app).contains("orders_by_window runs: stop it first"));
    press(&mut app, &["esc"]);
    run_line(&mut app, "reset late_to_parquet");
    assert!(picture(&app).contains("Reset the checkpoint of late_to_parquet?"));
    assert_eq!(press(&mut app, &["y"]), [], "asked a second time");
    assert!(
        picture(&app).contains("Really begin late_to_parquet anew?"),
        "{}",
        picture(&app)
    );
    let reset = Command::ResetCheckpoint("late_to_parquet".to_string());
    assert_eq!(press(&mut app, &["y"]), [Effect::Execute(reset)]);
}
