use std::fmt::Write as _;

use arrow::array::AsArray;
use tempfile::TempDir;

use super::super::folders::FolderColumns;
use super::super::text::TextFormat;
use super::*;
use crate::types::TimeZone;

fn entry(folder: &TempDir, name: &str, bytes: &[u8]) -> FileEntry {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("writes");
    let metadata = std::fs::metadata(&path).expect("is there");
    FileEntry::new(path.to_str().expect("is text"), &metadata)
}

fn readers(files: &[FileEntry], projection: &[usize], partitions: usize) -> Vec<PartitionReader> {
    let text = Arc::new(TextFormat::try_new(None).expect("needs no schema"));
    let text = Records::new(text, FolderColumns::none(TimeZone::utc()));
    partition_readers(files, &text, projection, partitions, false).expect("plans")
}

fn values(batches: impl Iterator<Item = Result<RecordBatch>>) -> Vec<String> {
    let batches: Vec<_> = batches.map(|batch| batch.expect("reads")).collect();
    let columns = batches
        .iter()
        .flat_map(|batch| batch.column(0).as_string::<i32>().iter());
    columns
        .map(|value| value.expect("is not null").to_owned())
        .collect()
}

#[test]
fn any_number_of_partitions_gives_the_same_rows_in_order() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let mut text = String::new();
    for line in 0..60_000 {
        writeln!(text, "line number {line}").expect("is memory");
    }
    let files = [
        entry(&folder, "a", text.as_bytes()),
        entry(&folder, "b", b"alone, without an end"),
        entry(&folder, "c", text.as_bytes()),
    ];
    let one = values(readers(&files, &[0], 1).into_iter().flatten());
    assert_eq!(one.len(), 120_001);
    assert_eq!(one[60_000], "alone, without an end");
    for partitions in [2, 3, 7] {
        let readers = readers(&files, &[0], partitions);
        assert_eq!(readers.len(), partitions, "two megabytes are worth it");
        assert_eq!(values(readers.into_iter().flatten()), one);
    }
}

#[test]
fn batches_are_full_over_the_ends_of_files() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let files: Vec<_> = (0..3)
        .map(|file| entry(&folder, &format!("f{file}"), "x\n".repeat(5000).as_bytes()))
        .collect();
    let sizes = |projection: &[usize]| -> Vec<usize> {
        let batches = readers(&files, projection, 1).into_iter().flatten();
        batches.map(|batch| batch.expect("reads").num_rows()).collect()
    };
    assert_eq!(sizes(&[0]), [8192, 6808]);
    assert_eq!(sizes(&[]), [8192, 6808], "rows count without columns too");
}

#[test]
fn long_lines_end_a_batch_early() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let line = "z".repeat(BATCH_BYTES / 4) + "\n";
    let files = [entry(&folder, "a", line.repeat(6).as_bytes())];
    let batches = readers(&files, &[0], 1).into_iter().flatten();
    let sizes: Vec<_> = batches.map(|batch| batch.expect("reads").num_rows()).collect();
    assert_eq!(sizes, [4, 2]);
}

#[test]
fn bytes_that_are_no_text_are_replaced() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let files = [entry(&folder, "a", b"good\nb\xffd\n\xf0\x9f\n")];
    let lines = values(readers(&files, &[0], 1).into_iter().flatten());
    assert_eq!(lines, ["good", "b\u{fffd}d", "\u{fffd}"]);
}

#[test]
fn an_error_names_the_file_and_ends_the_rows() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let files = [
        entry(&folder, "a.gz", b"this is not gzip"),
        entry(&folder, "b", b"x\n"),
    ];
    let mut reader = readers(&files, &[0], 1).remove(0);
    let error = reader.next().expect("fails first").expect_err("is not gzip");
    assert_eq!(
        error.message(),
        format!("compressed file \"{}\" cannot be unpacked", files[0].path)
    );
    assert!(reader.next().is_none());
}

#[test]
fn a_cut_off_file_is_named() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let packed = zstd::encode_all("text\n".repeat(10_000).as_bytes(), 1).expect("packs");
    let files = [entry(&folder, "a.zst", &packed[..packed.len() - 3])];
    let error = readers(&files, &[0], 1)
        .into_iter()
        .flatten()
        .find_map(Result::err)
        .expect("is cut off");
    assert_eq!(error.kind(), crate::error::ErrorKind::Source);
    assert_eq!(
        error.message(),
        format!("compressed file \"{}\" is cut off in the middle", files[0].path)
    );
}

#[test]
fn a_folder_in_a_file_s_place_is_an_error() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let file = entry(&folder, "a", b"x\n");
    std::fs::remove_file(&file.path).expect("removes");
    std::fs::create_dir(&file.path).expect("makes a folder");
    let error = readers(&[file], &[0], 1)
        .remove(0)
        .next()
        .expect("fails")
        .expect_err("is no file");
    assert!(error.message().starts_with("cannot read"), "{error}");
}
