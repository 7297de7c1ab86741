//! What the tests of recovery share: a stream of small files, and ways to read what a query made of it.
#![allow(dead_code)] // Each test program uses a part of it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use arrow::record_batch::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::{ParquetReadOptions, SessionContext};

/// No wait may take longer.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(1);

/// Files of events (minute, kind, n), a batch each; in every third one there are rows that come too late.
pub(crate) fn write_events(folder: &Path, files: std::ops::Range<usize>) {
    fs::create_dir_all(folder).expect("a folder");
    let kinds = ["a", "b", "c"];
    for file in files {
        let mut rows = (0..6)
            .map(|row| (60 + file * 7 + row, kinds[(file + row) % 3], row + 1))
            .collect::<Vec<_>>();
        if file % 3 == 2 {
            rows.extend([(30 + file * 7, "a", 1000), (52 + file * 7, "b", 50)]);
        }
        let lines = rows.into_iter().map(|(minute, kind, n)| {
            let (day, minute) = (1 + minute / 1440, minute % 1440);
            let at = format!("2026-01-{day:02}T{:02}:{:02}:00Z", minute / 60, minute % 60);
            format!("{{\"at\":\"{at}\",\"kind\":\"{kind}\",\"n\":{n}}}\n")
        });
        let path = folder.join(format!("{file:04}.json"));
        fs::write(path, lines.collect::<String>()).expect("a file");
    }
}

/// The rows of a folder in which nothing but whole Parquet files may be, sorted.
pub(crate) async fn parquet_lines(folder: &Path) -> Vec<String> {
    for entry in fs::read_dir(folder).expect("a folder") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_str().expect("a plain name");
        assert!(
            name.starts_with("part-") && name.ends_with(".parquet"),
            "leftover {name}"
        );
    }
    let folder = folder.to_str().expect("a plain path");
    let frame = SessionContext::new()
        .read_parquet(folder, ParquetReadOptions::default())
        .await
        .expect("Parquet files");
    sorted_lines(&frame.collect().await.expect("rows"))
}

/// Rows as text, sorted.
pub(crate) fn sorted_lines(batches: &[RecordBatch]) -> Vec<String> {
    let text = pretty_format_batches(batches).expect("text").to_string();
    let mut lines = text.lines().map(str::to_owned).collect::<Vec<_>>();
    lines.sort();
    lines
}

/// Copies a folder and all that is in it.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a copy");
        }
    }
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// The next number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}
