//! What Spark answers to each line of `functions/expressions.sql`, and what we do.
//!
//! `functions/answers.jsonl` was recorded from Spark 4.3 by `functions/record.py`. Lines where we differ are listed in
//! `functions/differences.txt`, each group with its reason; a line that is listed and no longer differs fails too.
#![allow(missing_docs)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use highwater::format::json_rows::write_json_rows;
use highwater::session::Session;
use highwater::types::spark_type_name;
use serde_json::{Map, Value};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/functions")
}

/// Numbers as a query gives them may differ in their last digits.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(ours), Value::Number(theirs)) => match (ours.as_f64(), theirs.as_f64()) {
            (Some(ours), Some(theirs)) => {
                (ours - theirs).abs() <= 1e-9 * ours.abs().max(theirs.abs()).max(1e-3)
            }
            _ => false,
        },
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Value::Object(ours), Value::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .all(|(name, ours)| theirs.get(name).is_some_and(|theirs| same(ours, theirs)))
        }
        (ours, theirs) => ours == theirs,
    }
}

/// Columns, types and rows, or an error.
async fn answer(session: &Session, sql: &str) -> Result<(Value, Value, Value), String> {
    let select = if sql.starts_with("SELECT ") {
        sql.to_owned()
    } else {
        format!("SELECT {sql} AS r")
    };
    let results = session
        .sql(&format!("{select};"))
        .await
        .map_err(|error| error.report())?;
    let result = results.first().ok_or("no rows")?;
    let (schema, batches) = (&result.schema, &result.batches);
    let columns = schema
        .fields()
        .iter()
        .map(|field| Value::from(field.name().as_str()));
    let types = schema
        .fields()
        .iter()
        .map(|field| Value::from(spark_type_name(field.data_type())));
    let mut text = String::new();
    write_json_rows(batches, &mut text).map_err(|error| error.to_string())?;
    let rows: Vec<Map<String, Value>> = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let rows = rows
        .into_iter()
        .map(|row| Value::from(row.into_iter().map(|(_, value)| value).collect::<Vec<_>>()));
    Ok((columns.collect(), types.collect(), rows.collect()))
}

fn compare(ours: Result<(Value, Value, Value), String>, theirs: &Value) -> Result<(), String> {
    match (ours, theirs.get("error")) {
        (Err(_), Some(_)) => Ok(()),
        (Err(ours), None) => Err(format!("Spark gives {}, we fail: {ours}", theirs["rows"])),
        (Ok((.., rows)), Some(error)) => Err(format!("Spark fails with {error}, we give {rows}")),
        (Ok((columns, types, rows)), None) => {
            if !same(&rows, &theirs["rows"]) {
                Err(format!("Spark gives {}, we give {rows}", theirs["rows"]))
            } else if types != theirs["types"] {
                Err(format!("Spark's types are {}, ours {types}", theirs["types"]))
            } else if columns != theirs["columns"] {
                Err(format!(
                    "Spark's columns are {}, ours {columns}",
                    theirs["columns"]
                ))
            } else {
                Ok(())
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn functions_answer_as_sparks() {
    let read = |name: &str| std::fs::read_to_string(folder().join(name)).expect("a file of the repository");
    let listed = read("differences.txt");
    let listed: BTreeSet<&str> = listed
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("# "))
        .collect();
    let answers = read("answers.jsonl");
    let session = Session::new().expect("a session");
    let (mut played, mut wrong) = (0, Vec::new());
    for line in answers.lines() {
        let theirs: Value = serde_json::from_str(line).expect("JSON");
        let sql = theirs["sql"].as_str().expect("a text");
        let ours = answer(&session, sql);
        let ours = tokio::time::timeout(std::time::Duration::from_secs(30), ours).await;
        let ours = ours.unwrap_or_else(|_| Err("takes too long".to_owned()));
        played += 1;
        match (compare(ours, &theirs), listed.contains(sql)) {
            (Ok(()), true) => wrong.push(format!("{sql}\n    is listed as different and is the same")),
            (Err(why), false) => wrong.push(format!("{sql}\n    {}", why.replace('\n', " "))),
            _ => {}
        }
    }
    assert!(played > 700, "only {played} answers");
    assert!(
        wrong.is_empty(),
        "{} of {played}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
