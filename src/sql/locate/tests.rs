//! What is said of queries that cannot be planned, as snapshots.

use std::fmt::Write as _;

use super::*;
use crate::sql::parse_script;
use crate::sql::rewrite::tests::planning::{context, plan};
use crate::sql::statement::StatementKind;

/// Queries that cannot be planned, one a paragraph.
const BAD: &str = include_str!("tests/bad.sql");

/// A query inside of a statement, so that places are not counted from the query's start.
fn query_in_a_view(text: &str) -> (String, QueryText) {
    let text = format!("CREATE VIEW v AS\n  {text}");
    match parse_script(&text).expect(&text).remove(0).kind {
        StatementKind::CreateView(view) => (text, view.query),
        other => panic!("no view: {other:?}"),
    }
}

#[tokio::test]
async fn errors_stand_at_their_place() {
    let context = context();
    let mut functions: Vec<String> = context.state().scalar_functions().keys().cloned().collect();
    functions.extend(context.state().aggregate_functions().keys().cloned());
    functions.sort_unstable();
    let relations = ["events", "clicks", "kv", "by_hour"].map(str::to_owned);
    let candidates = Candidates {
        functions: &functions,
        relations: &relations,
    };
    let mut shown = String::new();
    for case in BAD.split("\n\n").map(str::trim) {
        let (text, query) = query_in_a_view(case);
        let error = plan(&context, &query).await.expect_err(case);
        let raw = error.strip_backtrace();
        let ours = locate(error, &query, candidates);
        let place = ours.position().expect(case);
        assert_eq!(ours.kind(), ErrorKind::Statement, "{case}");
        let line = text
            .lines()
            .nth(usize::try_from(place.line).expect("a line") - 1)
            .expect(case);
        let marker = " ".repeat(usize::try_from(place.column).expect("a column") - 1) + "^";
        let _ = writeln!(
            shown,
            "{line}\n{marker} {}\n  was: {}\n",
            ours.report(),
            raw.lines().next().unwrap_or("")
        );
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn an_error_of_our_own_stays_as_it_is() {
    let (_, query) = query_in_a_view("SELECT 1");
    let own = Error::source("file \"a\" is gone").hint("Put it back.");
    let back = locate(
        DataFusionError::from(own).context("planning"),
        &query,
        Candidates::default(),
    );
    assert_eq!(
        (back.kind(), back.hint_text()),
        (ErrorKind::Source, Some("Put it back."))
    );
    assert_eq!(back.position(), Some(query.position));
}

#[test]
fn a_message_that_names_nothing_stands_at_the_query() {
    let (_, query) = query_in_a_view("SELECT 1");
    let error = locate(
        DataFusionError::NotImplemented("Nothing of the kind.".to_owned()),
        &query,
        Candidates::default(),
    );
    assert_eq!(error.message(), "nothing of the kind");
    assert_eq!(error.position(), Some(Position { line: 2, column: 3 }));
}
