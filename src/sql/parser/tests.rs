//! Statements, good and bad, as snapshots: one file for what they are read as, one for what is said of them.

use std::fmt::Write as _;

use super::*;

/// Statements with every clause in every form.
const GOOD: &str = include_str!("good.sql");
/// Wrong statements, one a paragraph, each headed by a comment that says what is wrong.
const BAD: &str = include_str!("bad.sql");

/// Debug output with places on one line.
fn short(kind: &StatementKind) -> String {
    let mut shown = String::new();
    let text = format!("{kind:#?}");
    let mut rest = text.as_str();
    while let Some((before, behind)) = rest.split_once("Position {") {
        let (place, behind) = behind.split_once('}').expect("a closed place");
        let numbers: Vec<&str> = place
            .split(|c: char| !c.is_ascii_digit())
            .filter(|n| !n.is_empty())
            .collect();
        shown.push_str(before);
        shown.push_str(&numbers.join(":"));
        rest = behind;
    }
    shown + rest
}

#[test]
fn good_statements() {
    let mut shown = String::new();
    for statement in parse_script(GOOD).expect("good statements") {
        let text = statement.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let at = statement.position;
        let _ = writeln!(
            shown,
            "{}:{} {text}\n{}\n",
            at.line,
            at.column,
            short(&statement.kind)
        );
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn bad_statements() {
    let mut shown = String::new();
    let mut count = 0;
    let mut without_hint = Vec::new();
    for case in BAD.split("\n\n").filter(|case| !case.trim().is_empty()) {
        let (_, text) = case.trim().split_once('\n').expect("a heading and a statement");
        let error = parse_script(text).expect_err(text);
        let place = error.position().expect(text);
        let _ = writeln!(shown, "{}\n{place}: {}\n", case.trim(), error.report());
        if error.hint_text().is_none() {
            without_hint.push(text);
        }
        count += 1;
    }
    assert!(count >= 40, "only {count} bad statements");
    insta::assert_snapshot!(shown);
    assert_eq!(without_hint, Vec::<&str>::new());
}

#[test]
fn texts_and_places_are_exact() {
    let script = "-- é\nSTOP QUERY q ;\n\n  /* two */ SELECT 'ü;' -- end\n FROM `a b` ; ;\nSHOW TABLES";
    let statements = parse_script(script).expect("three statements");
    let shown: Vec<_> = statements
        .iter()
        .map(|statement| {
            (
                statement.text.as_str(),
                statement.position.line,
                statement.position.column,
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("STOP QUERY q", 2, 1),
            ("SELECT 'ü;' -- end\n FROM `a b`", 4, 13),
            ("SHOW TABLES", 6, 1),
        ]
    );
}

#[test]
fn a_text_without_statements_is_fine() {
    for text in ["", "  \n", ";;", "-- only a comment", "/* and /* nested */ */"] {
        assert_eq!(parse_script(text).expect(text), [], "{text}");
    }
}

#[test]
fn triggers_display_as_their_clause() {
    use crate::execution::Trigger;
    for clause in ["PROCESSING TIME '1 minute 30 seconds'", "AVAILABLE NOW", "ONCE"] {
        let text = format!("CREATE STREAMING QUERY q TRIGGER {clause} AS SELECT 1");
        let [
            Statement {
                kind: StatementKind::CreateStreamingQuery(query),
                ..
            },
        ] = &parse_script(&text).expect(clause)[..]
        else {
            panic!("{clause} is read as something else");
        };
        assert_eq!(query.trigger.to_string(), clause);
        assert_ne!(query.trigger, Trigger::Default);
    }
}

/// Nothing that is typed makes the parser panic: every prefix of good statements, and every one with a token left out.
#[test]
fn broken_statements_are_refused_and_never_panic() {
    let letters: Vec<char> = GOOD.chars().collect();
    for end in (0..letters.len()).step_by(7) {
        let prefix: String = letters[..end].iter().collect();
        if let Err(error) = parse_script(&prefix) {
            assert!(error.position().is_some(), "no place: {}", error.report());
        }
    }
    let words: Vec<&str> = GOOD.split(' ').collect();
    for missing in (0..words.len()).step_by(3) {
        let text = [&words[..missing], &words[missing + 1..]].concat().join(" ");
        if let Err(error) = parse_script(&text) {
            assert!(error.position().is_some(), "no place: {}", error.report());
        }
    }
}
