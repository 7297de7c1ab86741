//! The options that the file source takes in every format.

use std::path::PathBuf;
use std::sync::Arc;

use super::location::Location;
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Result};
use crate::options::Options;

/// The options that every format takes.
pub(super) const SHARED_OPTIONS: [&str; 9] = [
    "path",
    "maxFilesPerTrigger",
    "maxBytesPerTrigger",
    "latestFirst",
    "maxFileAge",
    "recursiveFileLookup",
    "pathGlobFilter",
    "ignoreMissingFiles",
    "encoding",
];

/// What the session settles for all its file sources and tables.
#[derive(Debug, Clone)]
pub struct FileContext {
    /// Where relative paths begin.
    pub base: PathBuf,
    /// The session's time zone, for timestamps without one.
    pub time_zone: String,
    /// Tells how old a file is.
    pub clock: Arc<dyn Clock>,
    /// `spark.sql.files.ignoreMissingFiles`: a file that vanished is passed over instead of failing the query.
    pub ignore_missing_files: bool,
}

impl Default for FileContext {
    /// The current folder, UTC, the machine's clock, and missing files are errors.
    fn default() -> Self {
        Self {
            base: PathBuf::from("."),
            time_zone: "UTC".to_owned(),
            clock: Arc::new(SystemClock),
            ignore_missing_files: false,
        }
    }
}

/// The shared options, read and checked.
#[derive(Debug, Clone)]
pub(super) struct FileOptions {
    pub(super) location: Location,
    pub(super) limit: FileLimit,
    pub(super) latest_first: bool,
    /// How much older than the newest file seen a file may be, in milliseconds; `None`: any age.
    pub(super) max_file_age_ms: Option<i64>,
    pub(super) ignore_missing_files: bool,
    pub(super) clock: Arc<dyn Clock>,
}

/// How much one batch takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileLimit {
    None,
    Files(u64),
    /// At least one file, then as many as stay within the bytes.
    Bytes(u64),
}

impl FileOptions {
    /// Reads the options of a source of `format`; whether they are all known was checked before.
    pub(super) fn try_new(format: &str, options: &Options, context: &FileContext) -> Result<Self> {
        let place = |error: Error, name: &str| match options.position(name) {
            Some(position) => error.at(position),
            None => error,
        };
        let path = options.path("path")?.ok_or_else(|| {
            let error = Error::statement(format!("a {format} source needs the option \"path\""));
            place(
                error.hint("Write OPTIONS (path 'folder'), with a folder, a file or a glob."),
                "path",
            )
        })?;
        let recursive = options.bool("recursiveFileLookup")?.unwrap_or(false);
        let name_filter = options.string("pathGlobFilter")?;
        let location = Location::try_new(&path, &context.base, recursive, name_filter.as_deref())
            .map_err(|error| place(error, "path"))?;
        let limit = match (
            options.positive("maxFilesPerTrigger")?,
            options.positive("maxBytesPerTrigger")?,
        ) {
            (Some(_), Some(_)) => {
                let error = Error::statement(
                    "options \"maxFilesPerTrigger\" and \"maxBytesPerTrigger\" cannot both be set",
                );
                return Err(place(error.hint("Keep one of them."), "maxBytesPerTrigger"));
            }
            (Some(files), None) => FileLimit::Files(files),
            (None, Some(bytes)) => FileLimit::Bytes(bytes),
            (None, None) => FileLimit::None,
        };
        let latest_first = options.bool("latestFirst")?.unwrap_or(false);
        let max_file_age = options.duration("maxFileAge")?.map_or(7 * 24 * 3_600_000, |age| {
            i64::try_from(age.as_millis()).unwrap_or(i64::MAX)
        });
        options.parse("encoding", "UTF-8, the only encoding there is", |name| {
            (name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("utf8")).then_some(())
        })?;
        Ok(Self {
            location,
            limit,
            latest_first,
            // As in Spark: old files that are put off for newer ones must not grow too old meanwhile.
            max_file_age_ms: (!latest_first || limit == FileLimit::None).then_some(max_file_age),
            ignore_missing_files: options
                .bool("ignoreMissingFiles")?
                .unwrap_or(context.ignore_missing_files),
            clock: Arc::clone(&context.clock),
        })
    }
}
