//! Whole screens, at every size that they are made for.

use insta::assert_snapshot;
use ratatui::style::{Color, Modifier};

use crate::engine::{Answer, Reply};
use crate::error::{Error, Position};
use crate::tui::app::{App, Effect, Message};
use crate::tui::fake::{self, app, app_with, picture, press, shop, type_text};
use crate::tui::theme::ColorDepth;

const SIZES: [(u16, u16); 4] = [(60, 16), (80, 24), (120, 40), (200, 60)];

/// The same keys at every size.
fn at_every_size(name: &str, keys: &[&str]) {
    for (width, height) in SIZES {
        let (mut app, _) = app(width, height, shop());
        press(&mut app, keys);
        assert_snapshot!(format!("{name}_{width}x{height}"), picture(&app));
    }
}

#[test]
fn home() {
    at_every_size("home", &[]);
}

#[test]
fn home_on_a_failed_query() {
    at_every_size("home_failed", &["home"]);
}

#[test]
fn overview() {
    at_every_size("overview", &["down", "enter"]);
}

#[test]
fn overview_of_a_query_that_waits() {
    at_every_size("overview_append", &["down", "down", "enter"]);
}

#[test]
fn log() {
    at_every_size("log", &["down", "7"]);
}

#[test]
fn results() {
    at_every_size("results", &["down", "r"]);
}

#[test]
fn chart() {
    at_every_size("chart", &["down", "r", "v", "m"]);
}

#[test]
fn record() {
    at_every_size("record", &["down", "r", "l", "l", "l", "l", "enter"]);
}

#[test]
fn state() {
    at_every_size("state", &["down", "3"]);
}

#[test]
fn keys() {
    for (width, height) in SIZES {
        let (mut app, _) = app(width, height, shop());
        let effects = press(&mut app, &["down", "3", "w"]);
        let Some(Effect::Execute(command)) = effects.first().cloned() else {
            assert_eq!(
                (width, height),
                (60, 16),
                "only there the keys are not shown at once"
            );
            continue;
        };
        let page = fake::state_page(&["ann", "bob", "cleo"]);
        let reply = Reply::done("3 keys").with(Answer::State(Box::new(page)));
        app.update(Message::Reply(command, Ok(reply)));
        app.prepare();
        assert_snapshot!(format!("keys_{width}x{height}"), picture(&app));
    }
}

#[test]
fn plan() {
    at_every_size("plan", &["down", "4"]);
}

#[test]
fn progress() {
    at_every_size("progress", &["down", "5", "down", "down"]);
}

#[test]
fn sources() {
    at_every_size("sources", &["down", "6"]);
}

#[test]
fn help() {
    at_every_size("help", &["?"]);
}

#[test]
fn catalog() {
    at_every_size("catalog", &["C", "down"]);
}

#[test]
fn engine_log() {
    at_every_size("engine_log", &["L"]);
}

#[test]
fn sql() {
    at_every_size("sql", &["i"]);
    for (width, height) in SIZES {
        let (mut app, clock) = app(width, height, shop());
        press(&mut app, &["i"]);
        app.update(Message::Paste(
            "-- What is bought\nSELECT kind, count(*) AS n, 1.5\nFROM orders WHERE knd = 'buy';".to_string(),
        ));
        clock.advance_ms(300);
        let effects = app.update(Message::Tick);
        let Some(Effect::Execute(command)) = effects.first().cloned() else {
            panic!("a check is asked for: {effects:?}");
        };
        let error = Error::statement("there is no column \"knd\"").hint("Did you mean \"kind\"?");
        let place = Position { line: 3, column: 19 };
        app.update(Message::Reply(command, Err(error.at(place))));
        app.prepare();
        assert_snapshot!(format!("sql_wrong_{width}x{height}"), picture(&app));
    }
}

#[test]
fn sql_offers_words_at_the_cursor() {
    let (mut app, _) = app(80, 24, shop());
    press(&mut app, &["i"]);
    type_text(&mut app, "SELECT amount FROM or");
    assert_snapshot!("sql_offers_80x24", picture(&app));
}

#[test]
fn dropping_is_asked_first() {
    at_every_size("drop", &["D"]);
}

#[test]
fn without_queries() {
    for (width, height) in SIZES {
        let (app, _) = app(width, height, fake::snapshot(Vec::new()));
        assert_snapshot!(format!("empty_{width}x{height}"), picture(&app));
    }
}

#[test]
fn many_queries_say_how_many_are_in_sight() {
    let queries = (0..30)
        .map(|at| fake::running(&format!("query_{at:02}")))
        .collect();
    let (mut app, _) = app(60, 16, fake::snapshot(queries));
    assert!(picture(&app).contains("rows 1–4, 30 of 30"), "{}", picture(&app));
    press(&mut app, &["G"]);
    assert!(picture(&app).contains("rows 27–30, 30 of 30"));
    assert!(picture(&app).contains("▌  query_29"));
}

#[test]
fn boxes() {
    let (mut workbench, _) = app(80, 24, shop());
    press(&mut workbench, &["t"]);
    assert_snapshot!("themes_80x24", picture(&workbench));
    press(&mut workbench, &["esc", ":"]);
    type_text(&mut workbench, "st");
    assert_snapshot!("command_80x24", picture(&workbench));
    press(&mut workbench, &["esc", ":"]);
    type_text(&mut workbench, "sort colour");
    press(&mut workbench, &["enter"]);
    assert_snapshot!("error_80x24", picture(&workbench));
    press(&mut workbench, &["esc", "/"]);
    type_text(&mut workbench, "append");
    assert_snapshot!("filter_80x24", picture(&workbench));
}

#[test]
fn ascii_screens_hold_nothing_but_ascii() {
    for keys in [
        &[][..],
        &["down", "enter"],
        &["down", "r"],
        &["down", "3"],
        &["down", "5"],
        &["i", "s", "e"],
        &["C"],
        &["L"],
        &["?"],
        &["D"],
        &["t"],
    ] {
        let (mut app, _) = app_with(120, 40, shop(), ColorDepth::Ansi16, true);
        press(&mut app, keys);
        let picture = picture(&app);
        assert!(picture.is_ascii(), "{keys:?}\n{picture}");
    }
    let (mut app, _) = app_with(100, 30, shop(), ColorDepth::Ansi16, true);
    press(&mut app, &["down"]);
    assert_snapshot!("ascii_100x30", picture(&app));
}

/// The look of the first cell of a word.
fn look(app: &App, word: &str) -> (Color, Color, Modifier) {
    let picture = picture(app);
    let (row, line) = picture
        .lines()
        .enumerate()
        .find(|(_, line)| line.contains(word))
        .expect("the word");
    let column = crate::tui::text::width(&line[..line.find(word).expect("the word")]);
    let buffer = fake::buffer(app);
    let cell = &buffer[(
        u16::try_from(column).expect("small"),
        u16::try_from(row).expect("small"),
    )];
    (cell.fg, cell.bg, cell.modifier)
}

#[test]
fn roles_have_their_colours() {
    let (app, _) = app(120, 40, shop());
    let palette = |red, green, blue| Color::Rgb(red, green, blue);
    let screen = palette(0x12, 0x15, 0x1c);
    let selected = palette(0x25, 0x31, 0x4b);
    assert_eq!(
        look(&app, "✗ failed"),
        (palette(0xf0, 0x71, 0x78), selected, Modifier::BOLD)
    );
    let (fg, bg, _) = look(&app, "● running");
    assert_eq!((fg, bg), (palette(0x7b, 0xc9, 0x8f), screen));
    assert_eq!(look(&app, "? help").0, palette(0x6c, 0xb6, 0xff));
}

#[test]
fn without_colours_everything_is_still_told_apart() {
    let (app, _) = app_with(120, 40, shop(), ColorDepth::Mono, false);
    let buffer = fake::buffer(&app);
    assert!(
        buffer
            .content()
            .iter()
            .all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset)
    );
    assert!(
        look(&app, "late_to_parquet").2.contains(Modifier::REVERSED),
        "the selected row"
    );
    assert!(
        !look(&app, "orders_by_window").2.contains(Modifier::REVERSED),
        "another row"
    );
}

/// The same screens where there are fewer colours, none, or no characters beyond ASCII, with what each cell looks like.
#[test]
fn poor_terminals_show_the_same() {
    for (name, depth, ascii) in [
        ("no_color", ColorDepth::Mono, false),
        ("16_colours", ColorDepth::Ansi16, false),
        ("ascii", ColorDepth::Mono, true),
    ] {
        for (screen, keys) in [
            ("home", &["down"][..]),
            ("results", &["down", "r"]),
            ("themes", &["t"]),
        ] {
            let (mut app, _) = app_with(80, 24, shop(), depth, ascii);
            press(&mut app, keys);
            let ansi = crate::tui::picture::ansi(&fake::buffer(&app));
            assert_snapshot!(format!("{name}_{screen}_80x24"), ansi.replace('\u{1b}', "^"));
        }
    }
}

/// Every theme over the same screen.
#[test]
fn themes_are_seen_at_once() {
    for name in crate::tui::Theme::names(&[]) {
        let (mut app, _) = app(80, 24, shop());
        press(&mut app, &["down", ":"]);
        type_text(&mut app, &format!("theme {name}"));
        press(&mut app, &["enter"]);
        let ansi = crate::tui::picture::ansi(&fake::buffer(&app));
        assert_snapshot!(format!("theme_{name}_80x24"), ansi.replace('\u{1b}', "^"));
    }
}

#[test]
fn any_size_can_be_drawn() {
    for keys in [
        &[][..],
        &["down", "enter"],
        &["down", "r"],
        &["5"],
        &["?"],
        &["D"],
        &[":"],
        &["t"],
        &["e"],
        &["i", "S", "E"],
        &["C"],
        &["L"],
    ] {
        let (mut app, _) = app(80, 24, shop());
        press(&mut app, keys);
        for (width, height) in [
            (1, 1),
            (3, 2),
            (10, 40),
            (200, 3),
            (29, 9),
            (31, 9),
            (59, 15),
            (400, 100),
        ] {
            app.update(Message::Resize(width, height));
            app.prepare();
            assert_eq!(fake::buffer(&app).area.width, width);
        }
    }
}

#[test]
fn hostile_data_stays_in_its_cells() {
    let mut query = fake::running("日本\u{1b}[2J\u{202e}e\u{301}");
    query.status_message = "\u{1b}]0;owned\u{7}".to_string();
    query.sql = "SELECT '\u{1b}[31m\u{9b}2J'".into();
    for keys in [&[][..], &["enter"], &["4"], &["5"], &["6"], &["D"]] {
        let (mut app, _) = app(80, 24, fake::snapshot(vec![query.clone()]));
        press(&mut app, keys);
        let picture = picture(&app);
        assert!(
            !picture.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']),
            "{picture}"
        );
        let frame = picture
            .lines()
            .filter(|line| line.starts_with('│') && line.ends_with('│'));
        for line in frame {
            assert_eq!(crate::tui::text::width(line), 80, "{line}");
        }
    }
}
