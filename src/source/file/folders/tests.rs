use std::fs;

use arrow::util::display::array_value_to_string;
use tempfile::TempDir;

use crate::options::Options;
use crate::source::file::{FileContext, FileTable};
use crate::types::{ddl_of, parse_ddl};

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("makes a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("is below the folder")).expect("makes folders");
        fs::write(path, text).expect("writes");
    }
    folder
}

fn open(folder: &TempDir, format: &str, declared: Option<&str>) -> crate::error::Result<FileTable> {
    let options: Options = [("path", folder.path().to_str().expect("is text"))]
        .into_iter()
        .collect();
    let schema = declared.map(|ddl| parse_ddl(ddl, "UTC").expect("is a schema"));
    FileTable::try_new(format, schema, &options, &FileContext::default())
}

/// Columns, and the sorted rows as texts.
fn read(table: &FileTable) -> (String, Vec<String>) {
    let files = table.fingerprint().expect("lists");
    let mut rows = Vec::new();
    for batch in table.read_all(&files).expect("reads") {
        for row in 0..batch.num_rows() {
            let values = batch.columns().iter().map(|column| {
                if column.is_null(row) {
                    "null".to_owned()
                } else {
                    array_value_to_string(column, row).expect("has a text")
                }
            });
            rows.push(values.collect::<Vec<_>>().join(","));
        }
    }
    rows.sort();
    (ddl_of(&table.schema()), rows)
}

#[test]
fn columns_come_last_with_types_that_fit_all_folders() {
    let folder = folder(&[
        ("day=2026-01-01/kind=a%2Fb/x", "one\ntwo\n"),
        ("day=2026-01-02/kind=__HIVE_DEFAULT_PARTITION__/x", "three\n"),
        ("beside/x", "not in a folder of columns\n"),
    ]);
    let (columns, rows) = read(&open(&folder, "text", None).expect("opens"));
    assert_eq!(columns, "value string, day date, kind string");
    assert_eq!(
        rows,
        [
            "one,2026-01-01,a/b",
            "three,2026-01-02,null",
            "two,2026-01-01,a/b"
        ]
    );
}

#[test]
fn declared_types_count_and_files_lack_these_columns() {
    let folder = folder(&[
        ("n=1/x", "{\"v\":\"a\",\"n\":7}\n{\"v\":\"b\"}\n"),
        ("n=2/x", "{\"v\":\"c\"}\n"),
        ("x", "{\"v\":\"passed over\"}\n"),
    ]);
    let table = open(&folder, "json", Some("N BIGINT, v STRING")).expect("opens");
    let (columns, rows) = read(&table);
    assert_eq!(columns, "v string, N bigint");
    assert_eq!(rows, ["a,1", "b,1", "c,2"]);
    let only_folders = table.read(&table.fingerprint().expect("lists"), &[1, 1], 1);
    assert_eq!(only_folders.expect("plans").len(), 1);
}

#[test]
fn a_value_that_does_not_fit_is_refused() {
    let folder = folder(&[("n=1/x", ""), ("n=one/x", "")]);
    let error = open(&folder, "text", Some("n INT, value STRING")).expect_err("is no number");
    assert_eq!(error.message(), "folder \"n=one\" has no value of type int");
    let (columns, _) = read(&open(&folder, "text", None).expect("are texts"));
    assert_eq!(columns, "value string, n string");
}

#[test]
fn folders_of_one_level_name_one_column() {
    let folder = folder(&[("n=1/x", ""), ("m=1/x", "")]);
    let error = open(&folder, "text", None).expect_err("do not agree");
    assert!(error.message().contains("do not agree on their columns"));
}
