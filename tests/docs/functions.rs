//! The page's table of functions: what SHOW FUNCTIONS says, beside Spark's names and the known differences.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use arrow::array::AsArray;
use highwater::session::Session;

use crate::{Checked, root};

const BEGIN: &str = "<!-- functions: written by tests/docs -->\n";
const END: &str = "<!-- end of functions -->\n";

/// What Spark's SHOW FUNCTIONS lists though it is no call: words of its grammar.
const SYNTAX: [&str; 10] = [
    "and", "between", "case", "cast", "div", "extract", "in", "not", "or", "when",
];

/// Compares the table with the functions that there are.
pub(crate) async fn check_table(text: &str) -> Checked {
    let session = Session::new().expect("a session");
    let ours = functions_of(&session).await;
    let spark = read("tests/docs/spark_functions.txt");
    let spark: BTreeSet<&str> = spark
        .lines()
        .filter(|name| name.starts_with(|first: char| first.is_ascii_alphabetic()))
        .filter(|name| !SYNTAX.contains(name))
        .collect();
    assert!(ours.len() > 300 && spark.len() > 500, "lists of functions");
    let mut failed = Vec::new();
    let names: BTreeSet<&str> = ours
        .keys()
        .map(String::as_str)
        .chain(spark.iter().copied())
        .collect();
    for name in names {
        let listed = ours.contains_key(name);
        if listed != is_known(&session, name).await {
            let says = if listed { "lists" } else { "does not list" };
            failed.push(format!(
                "SHOW FUNCTIONS {says} {name}, and a SELECT says otherwise"
            ));
        }
    }
    let (before, rest) = text.split_once(BEGIN).expect("the table's begin");
    let (table, after) = rest.split_once(END).expect("the table's end");
    let right = table_of(&ours, &spark, &differences());
    let outdated = (table != right).then(|| {
        "docs/sql.md: its functions are not those of SHOW FUNCTIONS and tests/functions/differences.txt; \
         HIGHWATER_REWRITE_DOCS=1 writes them"
            .to_owned()
    });
    Checked {
        text: format!("{before}{BEGIN}{right}{END}{after}"),
        outdated: outdated.into_iter().collect(),
        failed,
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect("a file of the project")
}

/// The functions by name, each with its kind.
async fn functions_of(session: &Session) -> BTreeMap<String, String> {
    let shown = session.sql("SHOW FUNCTIONS;").await.expect("functions");
    let mut functions = BTreeMap::new();
    for batch in &shown[0].batches {
        let (names, kinds) = (
            batch.column(0).as_string::<i32>(),
            batch.column(1).as_string::<i32>(),
        );
        for (name, kind) in names.iter().flatten().zip(kinds.iter().flatten()) {
            functions.insert(name.to_owned(), kind.to_owned());
        }
    }
    functions
}

/// Whether a SELECT may call the name; with what does not matter here.
async fn is_known(session: &Session, name: &str) -> bool {
    for rest in ["()", "(1)", "(1, 1)", "() OVER ()"] {
        let called = session.check_script(&format!("SELECT `{name}`{rest};")).await;
        if called
            .err()
            .is_none_or(|error| !error.message().ends_with("not found"))
        {
            return true;
        }
    }
    false
}

/// The calls that are known to answer otherwise than Spark's, by function.
fn differences() -> BTreeMap<String, Vec<String>> {
    let mut calls: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in read("tests/functions/differences.txt").lines() {
        if let Some(name) = called_first(line).filter(|_| !line.starts_with("# ")) {
            calls.entry(name).or_default().push(line.to_owned());
        }
    }
    calls
}

/// The function that an expression is about: that of its LATERAL VIEW, or else the first one that it calls.
fn called_first(sql: &str) -> Option<String> {
    let sql = sql.split_once("LATERAL VIEW ").map_or(sql, |(_, view)| view);
    let name = sql
        .split_once('(')?
        .0
        .rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let name = name.into_iter().next().unwrap_or_default();
    (!name.is_empty()).then(|| name.to_ascii_lowercase())
}

fn table_of(
    ours: &BTreeMap<String, String>,
    spark: &BTreeSet<&str>,
    differences: &BTreeMap<String, Vec<String>>,
) -> String {
    let (common, own): (Vec<_>, Vec<_>) = ours.iter().partition(|(name, _)| spark.contains(name.as_str()));
    let missing = spark.iter().filter(|name| !ours.contains_key(**name));
    let missing = missing.map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let own = own.into_iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    // Writing to a String cannot fail.
    let mut text =
        String::from("| Spark | Highwater | kind | answers that differ |\n| --- | --- | --- | --- |\n");
    for (name, kind) in common {
        let differing = differences.get(name).map(Vec::as_slice).unwrap_or_default();
        let differing = differing
            .iter()
            .map(|call| format!("`{}`", call.replace('|', "\\|")));
        let differing = differing.collect::<Vec<_>>().join("<br>");
        let _ = writeln!(text, "| `{name}` | `{name}` | {kind} | {differing} |");
    }
    let _ = writeln!(text, "\nIn Spark and not here: {}.", listed(&missing));
    let _ = writeln!(text, "\nHere and not in Spark: {}.", listed(&own));
    text
}

fn listed(names: &[String]) -> String {
    let names = names.iter().map(|name| format!("`{name}`"));
    names.collect::<Vec<_>>().join(", ")
}
