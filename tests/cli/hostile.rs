//! Data that would do harm to a terminal comes out of `run` as text that can be read.

use unicode_width::UnicodeWidthStr as _;

use crate::process::{Ended, Workplace};

/// Escape sequences, controls, combining and wide characters: a row each, in JSON's own escapes.
const ROWS: &str = include_str!("../hostile/rows.json");
/// How long the value is of the last row, which has nothing else to it.
const LONG: usize = 1 << 20;

/// A folder with the rows above and one of a megabyte.
fn workplace() -> Workplace {
    let place = Workplace::new();
    let long = format!("{{\"what\":\"long\",\"value\":\"{}\"}}\n", "x".repeat(LONG));
    place.write("in/rows.json", &format!("{ROWS}{long}"));
    place
}

fn script(sink: &str, select: &str) -> String {
    format!(
        "CREATE STREAM rows (what STRING, value STRING) USING json OPTIONS (path 'in');
         CREATE STREAMING QUERY q TRIGGER AVAILABLE NOW SINK {sink} AS {select};
         AWAIT QUERY q TIMEOUT '60 seconds';
         "
    )
}

/// Nothing but text and line breaks, and nothing that turns the reading direction.
fn assert_harmless(text: &str) {
    let harmful = text.chars().find(|&character| {
        (character.is_control() && character != '\n')
            || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    });
    assert_eq!(harmful, None, "in {}", text.escape_debug());
}

/// Every table's lines take as many columns of the screen.
fn assert_aligned(text: &str) -> usize {
    let mut tables = 0;
    let mut lines = text.lines().peekable();
    while let Some(rule) = lines.next() {
        if !rule.starts_with('+') {
            continue;
        }
        tables += 1;
        while let Some(line) = lines.next_if(|line| line.starts_with(['|', '+'])) {
            assert_eq!(line.width(), rule.width(), "{line}");
        }
    }
    tables
}

fn run(place: &Workplace, script: &str) -> Ended {
    let ended = place.highwater_with_stdin(&["run", "-"], script);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_harmless(&ended.stdout);
    assert_harmless(&ended.stderr);
    ended
}

#[test]
fn values_and_names_come_out_of_run_harmless_and_aligned() {
    let place = workplace();
    let select = "SELECT what AS `\x1b[31mwhat\u{202e}`, value FROM rows";
    let ended = run(&place, &script("console OPTIONS (numRows '100')", select));
    assert_eq!(assert_aligned(&ended.stdout), 1);
    for shown in [
        "\\x1b[2J\\x1b[H",
        "\\x1b]0;pwned\\a",
        "\\u{9b}31m",
        "one\\ntwo\\r\\nthree",
        "\\x1b[31mwhat\\u{202e}",
    ] {
        assert!(ended.stdout.contains(shown), "no {shown} in\n{}", ended.stdout);
    }
    for line in ["漢字かな", "👩‍👩‍👧"] {
        assert!(ended.stdout.contains(line), "{line} is text and stays");
    }
}

#[test]
fn a_megabyte_in_a_cell_is_cut_by_the_console_and_whole_in_a_select() {
    let place = workplace();
    let whole = script("memory", "SELECT * FROM rows") + "SELECT value FROM q WHERE what = 'long';";
    let ended = run(&place, &whole);
    assert_eq!(assert_aligned(&ended.stdout), 1);
    assert!(ended.stdout.contains(&format!("|{}|", "x".repeat(LONG))));
    let cut = run(
        &workplace(),
        &script("console OPTIONS (numRows '100')", "SELECT * FROM rows"),
    );
    assert!(
        cut.stdout.len() < 10_000,
        "the console cuts: {}",
        cut.stdout.len()
    );
}

#[test]
fn json_keeps_every_value() {
    let place = workplace();
    let ended = place.highwater_with_stdin(
        &["run", "-", "--output", "json"],
        &(script("memory", "SELECT * FROM rows") + "SELECT * FROM q;"),
    );
    assert_harmless(&ended.stdout);
    let results = ended.results();
    let rows = results[0].as_array().expect("rows");
    for (line, row) in ROWS.lines().zip(rows) {
        let wanted: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(row, &wanted);
    }
    assert_eq!(
        rows[ROWS.lines().count()]["value"].as_str().map(str::len),
        Some(LONG)
    );
}

#[test]
fn what_is_wrong_is_said_harmlessly() {
    let place = workplace();
    for statement in [
        "SELECT * FROM `no\x1b[2Jtable`;",
        "SELECT '\x1b]0;pwned\x07' FRM x;",
        "CREATE STREAM s USING `\x1b[31mjsn`;",
        "CREATE STREAM s (a INT) USING json OPTIONS (path 'in/\x1b[2J\u{202e}');",
    ] {
        let ended = place.highwater_with_stdin(&["run", "-"], statement);
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert_harmless(&ended.stderr);
        assert_eq!(ended.stdout, "");
    }
}
