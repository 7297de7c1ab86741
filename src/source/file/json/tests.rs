use std::fs;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema, TimestampMicrosecondType};
use filetime::{FileTime, set_file_mtime};
use tempfile::TempDir;

use super::*;
use crate::error::{ErrorKind, Position};
use crate::source::file::FileTable;
use crate::types::parse_ddl;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("makes a folder");
    for (seconds, (name, text)) in (0..).zip(files) {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("writes");
        set_file_mtime(&path, FileTime::from_unix_time(seconds, 0)).expect("sets the time");
    }
    folder
}

fn open(folder: &TempDir, ddl: Option<&str>, options: &[(&str, &str)]) -> Result<FileTable> {
    let mut all: Options = options.iter().copied().collect();
    all.set("path", folder.path().to_str().expect("is text"));
    let schema = ddl.map(|ddl| parse_ddl(ddl, "UTC").expect("is DDL"));
    FileTable::try_new("json", schema, &all, &FileContext::default())
}

fn read(table: &FileTable) -> Result<RecordBatch> {
    let batches = table.read_all(&table.fingerprint()?)?;
    Ok(arrow::compute::concat_batches(&table.schema(), &batches)?)
}

fn strings(batch: &RecordBatch, column: &str) -> Vec<Option<String>> {
    let values = batch
        .column_by_name(column)
        .expect("is a column")
        .as_string::<i32>();
    values.iter().map(|value| value.map(str::to_owned)).collect()
}

const GOOD_AND_BAD: &str =
    "{\"id\":1,\"name\":\"a\"}\nno json\n{\"id\":\"x\",\"name\":\"b\"}\r\n\n{\"id\":3,\"name\":\"c\"}";

#[test]
fn lines_are_records() {
    let folder = folder(&[
        (
            "a.json",
            "{\"id\":1,\"at\":\"2026-01-01 09:00:00\",\"more\":{\"n\":[1]}}\n",
        ),
        ("b.json", "{\"at\":\"2026-01-01T09:00:01Z\",\"id\":2}\n"),
    ]);
    let table = open(&folder, Some("at TIMESTAMP, id BIGINT NOT NULL"), &[]).expect("opens");
    assert!(table.schema().field(1).is_nullable(), "a file may lack any field");
    let rows = read(&table).expect("reads");
    assert_eq!(rows.column(1).as_primitive::<Int64Type>().values(), &[1, 2]);
    let times = rows.column(0).as_primitive::<TimestampMicrosecondType>().values();
    assert_eq!(times[1] - times[0], 1_000_000);
}

#[test]
fn bad_records_follow_the_mode() {
    let folder = folder(&[("a.json", GOOD_AND_BAD)]);
    let ddl = Some("id BIGINT, name STRING, _corrupt_record STRING");
    let permissive = read(&open(&folder, ddl, &[]).expect("opens")).expect("reads");
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        strings(&permissive, "name"),
        [text("a"), None, text("b"), text("c")]
    );
    let bad = [None, text("no json"), text("{\"id\":\"x\",\"name\":\"b\"}"), None];
    assert_eq!(strings(&permissive, "_corrupt_record"), bad);
    let ddl = Some("id BIGINT, name STRING");
    let dropped = read(&open(&folder, ddl, &[("mode", "dropmalformed")]).expect("opens")).expect("reads");
    assert_eq!(strings(&dropped, "name"), [text("a"), text("c")]);
    let failed = open(&folder, ddl, &[("mode", "FAILFAST")]).expect("opens");
    let error = read(&failed).expect_err("has a bad record");
    assert_eq!(error.kind(), ErrorKind::Source);
    let path = folder.path().join("a.json");
    assert!(
        error
            .message()
            .starts_with(&format!("file \"{}\": ", path.display())),
        "{error}"
    );
    assert!(error.message().contains("no json"), "{error}");
}

#[test]
fn a_schema_is_inferred_if_asked_for() {
    let folder = folder(&[
        ("a.json", "{\"id\":1,\"who\":{\"name\":\"x\"}}\n"),
        ("b.json", "{\"id\":1.5}\n"),
    ]);
    let table = open(&folder, None, &[("inferSchema", "true")]).expect("opens");
    let name = Field::new("name", DataType::Utf8, true);
    let expected = Schema::new(vec![
        Field::new("id", DataType::Float64, true),
        Field::new("who", DataType::Struct(vec![name].into()), true),
    ]);
    assert_eq!(table.schema().fields(), expected.fields());
    let rows = read(&table).expect("reads");
    assert_eq!(rows.column(0).as_primitive::<Float64Type>().values(), &[1.0, 1.5]);
    assert!(rows.column(1).is_null(1));
    let as_text = open(
        &folder,
        None,
        &[("inferSchema", "true"), ("primitivesAsString", "true")],
    )
    .expect("opens");
    assert_eq!(as_text.schema().field(0).data_type(), &DataType::Utf8);
}

#[test]
fn a_schema_is_needed() {
    let empty = folder(&[]);
    let error = open(&empty, None, &[]).expect_err("has none");
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::Statement, "a json source needs a schema")
    );
    let error = open(&empty, None, &[("inferSchema", "true")]).expect_err("has no files");
    assert!(error.message().contains("to infer a schema from"), "{error}");
}

#[test]
fn options_are_checked_at_their_place() {
    let folder = folder(&[]);
    let position = Position { line: 2, column: 5 };
    let mut options = Options::new();
    options.set("path", folder.path().to_str().expect("is text"));
    options.add("mode", "lax", position).expect("is new");
    let schema = parse_ddl("id BIGINT", "UTC").expect("is DDL");
    let error =
        FileTable::try_new("json", Some(schema), &options, &FileContext::default()).expect_err("is wrong");
    assert_eq!(
        (error.kind(), error.position()),
        (ErrorKind::Statement, Some(position))
    );
    let error = open(&folder, Some("id BIGINT"), &[("allowSingleQuote", "true")]).expect_err("is unknown");
    assert_eq!(error.message(), "json has no option \"allowSingleQuote\"");
    assert!(
        error
            .hint_text()
            .is_some_and(|hint| hint.starts_with("Did you mean \"allowSingleQuotes\"?"))
    );
}
