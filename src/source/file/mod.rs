//! Files of a folder as a stream, and as a static table: Spark's file source over local paths.
//!
//! A folder is listed, files that were not seen before are ordered by modification time and then by path, and a
//! batch takes as many of them as `maxFilesPerTrigger` or `maxBytesPerTrigger` let it. A file is read once, at the
//! length that it had when it was listed, whatever happens to it later: write elsewhere and move the file in, so
//! that it is whole when it appears. A file without bytes that is younger than two seconds is left alone: someone is
//! probably about to fill it.
//!
//! An offset is `{"logOffset":2}`: the third batch of files. Which files these are is the batch's log entry, durable
//! in the checkpoint before the first row is read, so a replay reads the same files in the same order, each as it is
//! then: a file that a query failed on may be mended under its name (as Spark, which keeps no lengths).
//!
//! # Layout
//! - `location`: `path` as a folder, a file or a glob, and its listing
//! - `folders`: columns in the names of folders, `day=2026-01-01`
//! - `log`: which files were seen, and which belong to which offset
//! - `source`: [`FileSource`], the stream
//! - `table`: [`FileTable`], the static table on the same code
//! - `watch`: waiting for new files
//! - `split`, `lines`, `reader`: from files to partitions, lines and batches
//! - `format`, `json`, `text`: what a line holds
//! - `options`: the options that all formats share

mod folders;
mod format;
mod json;
mod lines;
mod location;
mod log;
mod options;
mod reader;
mod source;
mod split;
mod table;
mod text;
mod watch;

pub use format::FORMATS;
pub use log::FileEntry;
pub use options::FileContext;
pub use source::FileSource;
pub use table::{FileTable, Fingerprint};
