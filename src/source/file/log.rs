//! Which files were seen, and which of them belong to which offset.

use std::collections::btree_map::OccupiedEntry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::Metadata;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::location::millis;
use crate::error::{Error, Result};
use crate::source::Offset;

/// A file as it was when it was listed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileEntry {
    /// The absolute path.
    pub path: String,
    /// When it was last modified, in milliseconds since the epoch.
    #[serde(rename = "timestamp")]
    pub modified_ms: i64,
    /// How many bytes it had: as many as are read, whatever it grows to.
    pub size: u64,
}

impl FileEntry {
    pub(super) fn new(path: &str, metadata: &Metadata) -> Self {
        Self {
            path: path.to_owned(),
            modified_ms: metadata.modified().map_or(0, millis),
            size: metadata.len(),
        }
    }
}

/// The order in which files are read.
pub(super) fn sort(files: &mut [FileEntry], latest_first: bool) {
    files.sort_by(|left, right| {
        let by_time = left.modified_ms.cmp(&right.modified_ms);
        let by_time = if latest_first { by_time.reverse() } else { by_time };
        by_time.then_with(|| left.path.cmp(&right.path))
    });
}

/// Every name that a source has taken or passed over for good, by folder.
///
/// As in Spark a file that is more than `maxFileAge` older than the newest file taken is passed over. Spark forgets
/// names by the same rule to bound its memory; here they stay, since a name that is known costs nothing to list.
#[derive(Debug)]
pub(super) struct SeenFiles {
    names: HashMap<String, HashSet<Box<str>>>,
    newest_ms: i64,
    max_age_ms: Option<i64>,
}

impl SeenFiles {
    pub(super) fn new(max_age_ms: Option<i64>) -> Self {
        Self {
            names: HashMap::new(),
            newest_ms: i64::MIN,
            max_age_ms,
        }
    }

    pub(super) fn contains(&self, folder: &str, name: &str) -> bool {
        self.names.get(folder).is_some_and(|names| names.contains(name))
    }

    pub(super) fn add(&mut self, file: &FileEntry) {
        self.newest_ms = self.newest_ms.max(file.modified_ms);
        self.pass_over(file);
    }

    /// Whether a file is too old to be taken.
    pub(super) fn is_too_old(&self, file: &FileEntry) -> bool {
        self.max_age_ms
            .is_some_and(|age| file.modified_ms < self.newest_ms.saturating_sub(age))
    }

    /// Never looks at this file again.
    pub(super) fn pass_over(&mut self, file: &FileEntry) {
        let (folder, name) = match file.path.rsplit_once('/') {
            Some(("", name)) => ("/", name),
            Some(split) => split,
            None => ("", file.path.as_str()),
        };
        match self.names.get_mut(folder) {
            Some(names) => drop(names.insert(name.into())),
            None => drop(self.names.insert(folder.to_owned(), HashSet::from([name.into()]))),
        }
    }
}

/// The files of each offset that may still be read.
#[derive(Debug, Default)]
pub(super) struct OffsetLog {
    entries: BTreeMap<u64, Vec<FileEntry>>,
    /// The offset that the next batch gets.
    next: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogEntry {
    log_offset: u64,
    files: Vec<FileEntry>,
}

impl OffsetLog {
    /// Takes the files as the next batch; gives its offset and what the checkpoint keeps.
    pub(super) fn append(&mut self, files: Vec<FileEntry>) -> (Offset, Value) {
        let offset = self.next;
        self.next += 1;
        let entry = json!({ "logOffset": offset, "files": files });
        self.entries.insert(offset, files);
        (to_offset(offset), entry)
    }

    /// Takes back an entry that an earlier run made; gives its files.
    pub(super) fn restore(&mut self, batch_id: u64, entry: Value) -> Result<&[FileEntry]> {
        let entry: LogEntry = serde_json::from_value(entry).map_err(|error| {
            Error::checkpoint(format!(
                "the log of a file source cannot be read at batch {batch_id}"
            ))
            .caused_by(error)
        })?;
        self.next = self.next.max(entry.log_offset + 1);
        let files = self.entries.entry(entry.log_offset).or_default();
        *files = entry.files;
        Ok(files)
    }

    /// Looks at the newest entry's files again: the batch that a failure or a crash cut off reads them as they are now.
    /// One that was mended keeps its name, and may be longer or shorter than it was.
    pub(super) fn refresh_newest(&mut self) {
        let newest = self.entries.last_entry().map(OccupiedEntry::into_mut);
        for file in newest.into_iter().flatten() {
            // One that is gone is missed when it is read.
            if let Ok(metadata) = std::fs::metadata(&file.path) {
                *file = FileEntry::new(&file.path, &metadata);
            }
        }
    }

    /// What was planned after `start` already, for a question that is asked twice.
    pub(super) fn planned_after(&self, start: Option<u64>) -> Option<(Offset, Value)> {
        let offset = start.map_or(0, |start| start + 1);
        let files = self.entries.get(&offset)?;
        Some((to_offset(offset), json!({ "logOffset": offset, "files": files })))
    }

    /// The files after `start` up to and including `end`, in reading order.
    pub(super) fn files(&self, start: Option<u64>, end: u64) -> Result<Vec<FileEntry>> {
        let first = start.map_or(0, |start| start + 1);
        let mut files = Vec::new();
        for offset in first..=end {
            let entry = self.entries.get(&offset).ok_or_else(|| {
                Error::checkpoint(format!(
                    "the log of the file source has no files for logOffset {offset}"
                ))
            })?;
            files.extend_from_slice(entry);
        }
        Ok(files)
    }

    /// Lets go of the files up to and including `end`.
    pub(super) fn forget(&mut self, end: u64) {
        self.entries = self.entries.split_off(&(end + 1));
    }

    /// The newest offset that was given out.
    pub(super) fn newest(&self) -> Option<u64> {
        self.next.checked_sub(1)
    }
}

pub(super) fn to_offset(log_offset: u64) -> Offset {
    json!({ "logOffset": log_offset })
}

pub(super) fn from_offset(offset: &Offset) -> Result<u64> {
    offset
        .get("logOffset")
        .and_then(Value::as_u64)
        .filter(|offset| *offset < u64::MAX)
        .ok_or_else(|| Error::checkpoint(format!("{offset} is no offset of a file source")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, modified_ms: i64) -> FileEntry {
        FileEntry {
            path: path.to_owned(),
            modified_ms,
            size: 3,
        }
    }

    #[test]
    fn entries_come_back_as_they_were_written() {
        let mut log = OffsetLog::default();
        let (first, entry) = log.append(vec![file("/in/a", 5)]);
        assert_eq!(first, json!({"logOffset": 0}));
        assert_eq!(
            entry,
            json!({"logOffset": 0, "files": [{"path": "/in/a", "timestamp": 5, "size": 3}]})
        );
        let (second, other) = log.append(vec![file("/in/b", 6), file("/in/c", 6)]);
        let mut restored = OffsetLog::default();
        restored.restore(0, entry).expect("is its own");
        assert_eq!(restored.restore(7, other.clone()).expect("is its own").len(), 2);
        assert_eq!(restored.newest(), Some(1));
        assert_eq!(restored.planned_after(Some(0)), Some((second, other)));
        assert_eq!(restored.planned_after(Some(1)), None);
        let all = restored.files(None, 1).expect("are there");
        assert_eq!(all, log.files(None, 1).expect("are there"));
        restored.forget(0);
        assert_eq!(restored.files(Some(0), 1).expect("is there").len(), 2);
        let error = restored.files(None, 1).expect_err("is forgotten");
        assert_eq!(
            error.message(),
            "the log of the file source has no files for logOffset 0"
        );
        assert_eq!(restored.append(Vec::new()).0, json!({"logOffset": 2}));
    }

    #[test]
    fn a_damaged_entry_names_its_batch() {
        let error = OffsetLog::default()
            .restore(4, json!({"files": 1}))
            .expect_err("is damaged");
        assert_eq!(
            error.message(),
            "the log of a file source cannot be read at batch 4"
        );
        assert!(from_offset(&json!({"value": 1})).is_err());
    }

    #[test]
    fn seen_names_are_kept_by_folder() {
        let mut seen = SeenFiles::new(None);
        seen.add(&file("/in/a", 1));
        seen.add(&file("/top", 1));
        assert!(seen.contains("/in", "a") && seen.contains("/", "top"));
        assert!(!seen.contains("/", "a") && !seen.contains("/in", "b"));
    }

    #[test]
    fn age_counts_from_the_newest_file_taken() {
        let mut seen = SeenFiles::new(Some(10));
        assert!(!seen.is_too_old(&file("/a", -5)));
        seen.add(&file("/b", 100));
        assert!(!seen.is_too_old(&file("/c", 90)));
        assert!(seen.is_too_old(&file("/d", 89)));
        seen.pass_over(&file("/e", 1000));
        assert!(!seen.is_too_old(&file("/c", 90)), "only files taken count");
    }

    #[test]
    fn files_are_ordered_by_time_then_path() {
        let mut files = [file("/b", 1), file("/a", 2), file("/a", 1)];
        sort(&mut files, false);
        assert_eq!(files, [file("/a", 1), file("/b", 1), file("/a", 2)]);
        sort(&mut files, true);
        assert_eq!(files, [file("/a", 2), file("/a", 1), file("/b", 1)]);
    }
}
