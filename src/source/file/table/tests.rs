use std::fs;

use arrow::array::AsArray;
use filetime::{FileTime, set_file_mtime};
use futures::TryStreamExt;
use tempfile::TempDir;

use super::*;

fn table(folder: &TempDir) -> FileTable {
    let options: Options = [("path", folder.path().to_str().expect("is text"))]
        .into_iter()
        .collect();
    FileTable::try_new("text", None, &options, &FileContext::default()).expect("opens")
}

fn lines(batches: &[RecordBatch]) -> Vec<&str> {
    let columns = batches
        .iter()
        .flat_map(|batch| batch.column(0).as_string::<i32>().iter());
    columns.flatten().collect()
}

#[tokio::test]
async fn a_table_is_read_anew_when_its_files_change() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let path = folder.path().join("a");
    fs::write(&path, "one\n").expect("writes");
    set_file_mtime(&path, FileTime::from_unix_time(10, 0)).expect("sets the time");
    let table = table(&folder);
    assert_eq!(table.url(), format!("file:{}", folder.path().display()));
    let before = table.fingerprint().expect("lists");
    assert_eq!(lines(&table.read_all(&before).expect("reads")), ["one"]);
    assert_eq!(table.fingerprint().expect("lists"), before);

    set_file_mtime(&path, FileTime::from_unix_time(11, 0)).expect("sets the time");
    let touched = table.fingerprint().expect("lists");
    assert_ne!(touched, before);
    fs::write(folder.path().join("b"), "two\nthree\n").expect("writes");
    let grown = table.fingerprint().expect("lists");
    assert_eq!(grown.files().len(), 2);
    assert_ne!(grown, touched);

    let mut rows = 0;
    for stream in table.read(&grown, &[], 4).expect("plans") {
        let batches: Vec<RecordBatch> = stream.try_collect().await.expect("reads");
        rows += batches.iter().map(RecordBatch::num_rows).sum::<usize>();
    }
    assert_eq!(rows, 3);
}

#[test]
fn no_files_are_no_rows() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let table = table(&folder);
    let none = table.fingerprint().expect("lists");
    assert!(table.read_all(&none).expect("reads").is_empty());
}
