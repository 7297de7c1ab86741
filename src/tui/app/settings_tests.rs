//! What options and files decide: read-only, keys, themes that change, the tour.

use std::path::Path;

use ratatui::style::Color;

use super::*;
use crate::clock::ManualClock;
use crate::engine::Command;
use crate::tui::fake::{self, picture, press, shop, type_text};
use crate::tui::theme::Role;

fn app(change: impl FnOnce(&mut Setup)) -> App {
    let mut setup = Setup {
        title: "demo.sql".to_string(),
        theme: "dark".to_string(),
        theme_folders: Vec::new(),
        depth: ColorDepth::True,
        ascii: false,
        is_read_only: false,
        is_tour: false,
        bindings: Vec::new(),
        splits: Splits::new(),
        clock: Arc::new(ManualClock::new(fake::BASE_MS)),
    };
    change(&mut setup);
    let mut app = App::try_new(setup).expect("a workbench");
    app.update(Message::Resize(120, 40));
    app.update(Message::Snapshot(Arc::new(shop())));
    app.prepare();
    app
}

fn say(app: &App) -> &str {
    &app.notice.as_ref().expect("a notice").text
}

fn run_line(app: &mut App, line: &str) -> Vec<Effect> {
    press(app, &[":"]);
    type_text(app, line);
    press(app, &["enter"])
}

#[test]
fn a_read_only_workbench_changes_nothing_and_says_so() {
    let mut app = app(|setup| setup.is_read_only = true);
    assert!(picture(&app).contains("read-only"), "{}", picture(&app));
    for key in ["S", "R", "D"] {
        app.notice = None;
        assert_eq!(press(&mut app, &[key]), [], "{key}");
        assert!(say(&app).contains("read-only"), "{key}: {}", say(&app));
        assert!(matches!(app.mode, Mode::Normal), "{key}");
    }
    press(&mut app, &["down"]);
    for line in [
        "stop orders_by_window",
        "start late_to_parquet",
        "restart",
        "drop",
        "reset late_to_parquet",
    ] {
        app.notice = None;
        assert_eq!(run_line(&mut app, line), [], "{line}");
        assert!(say(&app).contains("read-only"), "{line}: {}", say(&app));
    }
    assert!(
        !picture(&app).contains("s stop"),
        "the help bar shows what can be done"
    );
}

#[test]
fn commands_of_any_origin_are_refused_when_read_only() {
    let mut app = app(|setup| setup.is_read_only = true);
    let run = |sql: &str| Command::Run {
        sql: sql.to_string(),
        origin: None,
        rows: None,
    };
    for command in [
        run("SET a = 1"),
        run("SELECT 1; DROP QUERY q"),
        Command::Open("a.sql".into()),
    ] {
        app.execute(command);
        assert_eq!(app.update(Message::Tick), []);
        assert!(say(&app).contains("read-only"));
    }
    let looks = [run("SELECT 1; SHOW QUERIES"), Command::Words];
    for command in looks {
        app.execute(command.clone());
        assert_eq!(app.update(Message::Tick), [Effect::Execute(command)]);
    }
    press(&mut app, &["q", "y"]);
    assert!(app.is_quitting(), "leaving is no change");
}

#[test]
fn keys_of_the_configuration_replace_the_usual_ones() {
    let mut app = app(|setup| {
        let key = |text: &str| text.parse().expect("a key");
        setup.bindings = vec![(crate::tui::action::ActionId::Stop, vec![key("x"), key("f2")])];
    });
    press(&mut app, &["down"]);
    let stop = Effect::Execute(Command::Stop("orders_by_window".to_string()));
    assert_eq!(press(&mut app, &["s"]), [], "s has lost it");
    assert_eq!(press(&mut app, &["x"]), std::slice::from_ref(&stop));
    assert_eq!(press(&mut app, &["f2"]), [stop]);
    app.notice = None;
    assert!(picture(&app).contains("x stop"), "{}", picture(&app));
    press(&mut app, &["?"]);
    assert!(picture(&app).contains("x F2 "), "{}", picture(&app));
}

#[test]
fn a_theme_that_changes_is_taken_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.toml");
    let write = |text: &str| std::fs::write(&path, text).expect("a file");
    let ground = |app: &App| app.theme.style(Role::Screen).bg;
    write("inherits = \"dark\"\n[palette]\nnight = \"#010101\"\n");
    let mut app = app(|setup| {
        setup.theme = "mine".to_string();
        setup.theme_folders = vec![folder.path().to_path_buf()];
    });
    assert_eq!(ground(&app), Some(Color::Rgb(1, 1, 1)));
    assert!(app.theme_files().iter().any(|file| Path::new(file) == path));

    write("inherits = \"dark\"\n[palette]\nnight = \"#0202\"\n");
    app.update(Message::ThemesChanged);
    assert_eq!(ground(&app), Some(Color::Rgb(1, 1, 1)), "the old one stays");
    let told = format!(
        "theme file {:?}, line 3: \"#0202\" is no colour",
        path.display().to_string()
    );
    assert!(say(&app).starts_with(&told), "{}", say(&app));

    write("inherits = \"dark\"\n[palette]\nnight = \"#030303\"\n");
    app.update(Message::ThemesChanged);
    assert_eq!(ground(&app), Some(Color::Rgb(3, 3, 3)));
    assert_eq!(say(&app), "theme mine, as it was just written");
    app.notice = None;
    app.update(Message::ThemesChanged);
    assert_eq!(app.notice, None, "nothing has changed");
}

#[test]
fn the_list_of_themes_shows_each_and_takes_one() {
    let mut app = app(|_| ());
    press(&mut app, &["t", "G"]);
    assert_eq!(app.theme.name(), "terminal");
    press(&mut app, &["g"]);
    assert_eq!(app.theme.name(), "colour-blind");
    press(&mut app, &["esc"]);
    assert_eq!(app.theme.name(), "dark", "as it was before");
    press(&mut app, &["t", "j", "enter"]);
    assert_eq!(
        (app.theme.name(), say(&app)),
        ("high-contrast", "theme high-contrast")
    );
}

/// The shop with the names of the bundled pipeline, which the tour goes by.
fn demo() -> Snapshot {
    let mut queries = vec![
        fake::running("orders_by_window"),
        fake::running("revenue_per_window"),
    ];
    queries[1].event_time = Some(Arc::new(fake::waiting(4)));
    fake::snapshot(queries)
}

#[test]
fn the_tour_goes_by_itself_through_all_steps() {
    let clock = Arc::new(ManualClock::new(fake::BASE_MS));
    let mut app = app(|setup| {
        setup.is_tour = true;
        setup.clock = Arc::clone(&clock) as Arc<dyn Clock>;
    });
    app.update(Message::Snapshot(Arc::new(demo())));
    let mut seen = Vec::new();
    let mut commands = Vec::new();
    while let Some((at, step)) = app.tour.and_then(|tour| tour.step()) {
        assert_eq!(at, seen.len());
        app.prepare();
        assert!(
            picture(&app).contains(step.title),
            "{}\n{}",
            step.title,
            picture(&app)
        );
        assert!(
            app.notice.as_ref().is_none_or(|notice| !notice.is_error),
            "{:?}",
            app.notice
        );
        seen.push(app.screen);
        let due = app.tour.and_then(|tour| tour.next_at_ms()).expect("a next step");
        clock.advance_ms(due - 1 - clock.now_ms());
        let early = app.update(Message::Tick);
        let looks = |effect: &Effect| matches!(effect, Effect::Execute(Command::ReadState { .. }));
        assert!(early.iter().all(looks), "not before its time: {early:?}");
        assert_eq!(app.tour.and_then(|tour| tour.step()).map(|(at, _)| at), Some(at));
        clock.advance_ms(1);
        let mut next = demo();
        if at + 1 == 7 {
            // It was stopped in the step before.
            Arc::make_mut(&mut next.queries[0]).state = crate::engine::snapshot::QueryState::Stopped;
            app.live.snapshot = Arc::new(next);
        }
        commands.extend(app.update(Message::Tick));
    }
    assert_eq!(seen.len(), tour::STEPS.len());
    for screen in [
        Screen::Query(Tab::Results),
        Screen::Query(Tab::Overview),
        Screen::Query(Tab::State),
    ] {
        assert!(seen.contains(&screen), "{screen:?}");
    }
    let orders = || "orders_by_window".to_string();
    commands.retain(|effect| !matches!(effect, Effect::Execute(Command::ReadState { .. })));
    assert_eq!(
        commands,
        [
            Effect::Execute(Command::Stop(orders())),
            Effect::Execute(Command::Start(orders()))
        ]
    );
    assert_eq!(app.screen, Screen::Queries);
}

#[test]
fn any_key_takes_the_tour_over() {
    let mut app = app(|setup| setup.is_tour = true);
    assert!(picture(&app).contains("any key takes over"), "{}", picture(&app));
    press(&mut app, &["down"]);
    assert_eq!(app.tour, None);
    assert!(!picture(&app).contains("any key takes over"));
    assert_eq!(
        app.selected_query().map(|query| query.name.as_str()),
        Some("orders_by_window")
    );
}
