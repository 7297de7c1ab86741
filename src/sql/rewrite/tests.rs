//! What queries become, as snapshots; that DataFusion plans it; and every query of the oracle.

use std::fmt::Write as _;
use std::path::Path;

use super::*;
use crate::sql::parse_script;
use crate::sql::statement::StatementKind;

pub(crate) mod planning;

/// Queries, one a paragraph.
const QUERIES: &str = include_str!("tests/queries.sql");
/// Queries that cannot be said in DataFusion's terms, one a paragraph.
const REFUSED: &str = include_str!("tests/refused.sql");

fn known(name: &str, columns: &[&str]) -> KnownRelation {
    KnownRelation {
        name: name.to_owned(),
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
    }
}

/// The catalog of these tests.
fn lookup(name: &str) -> Option<KnownRelation> {
    let relations = [
        known(
            "events",
            &[
                "event_id",
                "user_id",
                "event_type",
                "event_time",
                "amount",
                "tags",
            ],
        ),
        known("clicks", &["Click_Id", "user_id", "at"]),
        known("kv", &["k", "v"]),
        known("by_hour", &["window", "n"]),
    ];
    relations
        .into_iter()
        .find(|relation| relation.name.eq_ignore_ascii_case(name))
}

/// The one SELECT of a text.
fn select(text: &str) -> QueryText {
    let mut statements = parse_script(text).unwrap_or_else(|error| panic!("{text}\n{}", error.report()));
    assert_eq!(statements.len(), 1, "{text}");
    match statements.remove(0).kind {
        StatementKind::Select(query) => query,
        other => panic!("no SELECT: {other:?}"),
    }
}

#[test]
fn queries() {
    let mut shown = String::new();
    for text in QUERIES.split("\n\n").map(str::trim) {
        let rewritten = rewrite_query(&select(text), &lookup)
            .unwrap_or_else(|error| panic!("{text}\n{}", error.report()));
        let _ = writeln!(shown, "{text}\n=> {}", rewritten.query);
        for watermark in &rewritten.watermarks {
            let _ = writeln!(shown, "   {watermark:?}");
        }
        let _ = writeln!(shown, "   reads {:?}\n", rewritten.relations);
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn refused_queries() {
    let mut shown = String::new();
    for text in REFUSED.split("\n\n").map(str::trim) {
        let error = rewrite_query(&select(text), &lookup).expect_err(text);
        let place = error.position().expect(text);
        assert!(error.hint_text().is_some(), "no hint for {text}");
        let _ = writeln!(shown, "{text}\n{place}: {}\n", error.report());
    }
    insta::assert_snapshot!(shown);
}

/// Whatever is left of a query that still reads as one is rewritten or refused, without a panic.
#[test]
fn broken_queries_never_panic() {
    for text in QUERIES.split("\n\n").chain(REFUSED.split("\n\n")) {
        let words: Vec<&str> = text.split(' ').collect();
        for missing in 0..words.len() {
            let text = [&words[..missing], &words[missing + 1..]].concat().join(" ");
            let Ok(statements) = parse_script(&text) else {
                continue;
            };
            for statement in statements {
                if let StatementKind::Select(query) = statement.kind
                    && let Err(error) = rewrite_query(&query, &lookup)
                {
                    assert!(
                        error.position().is_some(),
                        "no place for {text}: {}",
                        error.report()
                    );
                }
            }
        }
    }
}

/// Rewriting what is rewritten changes nothing: names that were generated are as good as written ones.
#[test]
fn spelling_is_stable() {
    let text = "SELECT event_id, count(*) AS n FROM events e JOIN kv ON e.user_id = kv.k GROUP BY event_id";
    let once = rewrite_query(&select(text), &lookup)
        .expect(text)
        .query
        .to_string();
    let twice = rewrite_query(&select(&once), &lookup)
        .expect(text)
        .query
        .to_string();
    assert_eq!(once, twice);
}

/// Every query of the oracle is read and rewritten; what it reads is known by the names of its streams and tables.
#[test]
fn queries_of_the_oracle() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/cases");
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("the oracle's folder") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a case");
        let case: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let query = case["query"].as_str().expect("a query");
        let relations = relations_of(&case);
        let find = |name: &str| {
            relations
                .iter()
                .find(|known| known.name.eq_ignore_ascii_case(name))
                .cloned()
        };
        let rewritten = rewrite_query(&select(query), &find)
            .unwrap_or_else(|error| panic!("{}: {}", path.display(), error.report()));
        for relation in &rewritten.relations {
            assert!(
                find(&relation.value).is_some(),
                "{}: {relation:?}",
                path.display()
            );
        }
        // The rewritten text is Spark SQL as well, and is read to the same tree.
        let text = rewritten.query.to_string();
        assert_eq!(select(&text).query.to_string(), text, "{}", path.display());
        count += 1;
    }
    assert!(count > 50, "only {count} cases in {}", folder.display());
}

fn relations_of(case: &serde_json::Value) -> Vec<KnownRelation> {
    let sections = ["streams", "tables"]
        .into_iter()
        .filter_map(|section| case[section].as_object());
    sections
        .flatten()
        .map(|(name, relation)| {
            let columns = match (&relation["select"], relation["schema"].as_str()) {
                (serde_json::Value::Array(exprs), _) => {
                    let exprs = exprs.iter().filter_map(serde_json::Value::as_str);
                    exprs
                        .map(|expr| expr.rsplit(' ').next().unwrap_or(expr).to_owned())
                        .collect()
                }
                (_, Some(schema)) => top_level_names(schema),
                (_, None) => vec!["value".to_owned()],
            };
            KnownRelation {
                name: name.clone(),
                columns,
            }
        })
        .collect()
}

/// The columns of a DDL schema, the fields of its structs left out.
fn top_level_names(schema: &str) -> Vec<String> {
    let mut depth = 0_i32;
    let columns = schema.split(|letter| {
        depth += i32::from(matches!(letter, '<' | '(')) - i32::from(matches!(letter, '>' | ')'));
        letter == ',' && depth == 0
    });
    columns
        .filter_map(|column| column.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}
