//! The stream of a folder's files.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::physical_plan::SendableRecordBatchStream;
use futures::FutureExt;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::folders::Records;
use super::format::open;
use super::log::{FileEntry, OffsetLog, SeenFiles, from_offset, sort, to_offset};
use super::options::{FileContext, FileLimit, FileOptions};
use super::reader::{partition_readers, streams};
use super::watch::FolderWatch;
use crate::error::{Error, Result};
use crate::options::Options;
use crate::source::{Offset, PlannedOffset, ReadLimit, Source};

const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// After a change a folder is listed this many polls more: a file that comes within the resolution of the folder's
/// modification time changes nothing that a poll could see.
const SETTLING_POLLS: u32 = 3;

/// How old a file without bytes has to be for these to be all that it holds, in milliseconds.
const SETTLING_MS: i64 = 2000;

/// Reads the files of a folder as they appear. See the module's documentation.
#[derive(Debug)]
pub struct FileSource {
    shared: Arc<Shared>,
    poll_interval: Duration,
}

#[derive(Debug)]
struct Shared {
    records: Records,
    options: FileOptions,
    state: Mutex<State>,
    watch: Mutex<Option<FolderWatch>>,
    changed: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    seen: SeenFiles,
    log: OffsetLog,
    /// New files of the last listing that no batch has taken yet, in reading order.
    unread: VecDeque<FileEntry>,
    /// The folders of the last listing with their modification times.
    folders: Vec<(PathBuf, Option<SystemTime>)>,
    /// Whether the last listing left files alone that may be filled, without a change in their folder.
    has_unsettled_files: bool,
    /// AVAILABLE NOW: what is unread is all that will be read.
    is_closed: bool,
}

impl FileSource {
    /// Opens the source `path` of a format (one of [`super::FORMATS`]). `schema` is the declared one.
    ///
    /// # Errors
    /// `Statement` for an unknown format or option and for a wrong value, `Source` if the folder does not exist.
    pub fn try_new(
        format: &str,
        schema: Option<SchemaRef>,
        options: &Options,
        context: &FileContext,
    ) -> Result<Self> {
        let (records, options) = open(format, schema, options, context)?;
        let state = State {
            seen: SeenFiles::new(options.max_file_age_ms),
            log: OffsetLog::default(),
            unread: VecDeque::new(),
            folders: Vec::new(),
            has_unsettled_files: false,
            is_closed: false,
        };
        Ok(Self {
            shared: Arc::new(Shared {
                records,
                options,
                state: Mutex::new(state),
                watch: Mutex::new(None),
                changed: Arc::new(Notify::new()),
            }),
            poll_interval: POLL_INTERVAL,
        })
    }

    /// Runs file-system work on a thread where it may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> T + Send + 'static,
    ) -> Result<T> {
        let shared = Arc::clone(&self.shared);
        tokio::task::spawn_blocking(move || work(&shared))
            .await
            .map_err(|error| Error::internal("listing a folder broke off").caused_by(error))
    }
}

#[async_trait]
impl Source for FileSource {
    fn schema(&self) -> SchemaRef {
        self.shared.records.schema()
    }

    fn description(&self) -> String {
        format!("FileStreamSource[{}]", self.shared.options.location.url())
    }

    async fn restore(&self, log: Vec<(u64, serde_json::Value)>) -> Result<()> {
        let mut state = self.shared.state.lock();
        let mut seen = SeenFiles::new(self.shared.options.max_file_age_ms);
        let mut offsets = OffsetLog::default();
        for (batch_id, entry) in log {
            for file in offsets.restore(batch_id, entry)? {
                seen.add(file);
            }
        }
        offsets.refresh_newest();
        state.seen = seen;
        state.log = offsets;
        state.unread.clear();
        state.is_closed = false;
        Ok(())
    }

    async fn prepare_available_now(&self) -> Result<()> {
        self.blocking(|shared| {
            let mut state = shared.state.lock();
            shared.list(&mut state)?;
            state.is_closed = true;
            Ok(())
        })
        .await?
    }

    async fn latest_offset(&self, start: Option<&Offset>, limit: ReadLimit) -> Result<Option<PlannedOffset>> {
        let start = start.map(from_offset).transpose()?;
        self.blocking(move |shared| shared.plan(start, limit)).await?
    }

    async fn read(
        &self,
        start: Option<&Offset>,
        end: &Offset,
        projection: &[usize],
        partitions: usize,
    ) -> Result<Vec<SendableRecordBatchStream>> {
        let shared = &self.shared;
        let files = {
            let start = start.map(from_offset).transpose()?;
            shared.state.lock().log.files(start, from_offset(end)?)?
        };
        let ignore_missing = shared.options.ignore_missing_files;
        let readers = partition_readers(&files, &shared.records, projection, partitions, ignore_missing)?;
        let schema = Arc::new(shared.records.schema().project(projection)?);
        Ok(streams(readers, &schema))
    }

    async fn commit(&self, end: &Offset) -> Result<()> {
        let end = from_offset(end)?;
        self.shared.state.lock().log.forget(end);
        Ok(())
    }

    async fn wait_for_data(&self, start: Option<&Offset>) {
        // An offset that cannot be read, and a folder that cannot be listed, return at once: the next
        // latest_offset says what is wrong.
        let Ok(start) = start.map(from_offset).transpose() else {
            return;
        };
        let mut found = self.blocking(move |shared| shared.begin_waiting(start)).await;
        let mut polls = 0;
        while let Ok(Ok(false)) = found {
            let is_hint = tokio::time::timeout(self.poll_interval, self.shared.changed.notified())
                .await
                .is_ok();
            polls = if is_hint { 0 } else { polls + 1 };
            found = self
                .blocking(move |shared| {
                    if is_hint || polls <= SETTLING_POLLS || shared.folders_changed() {
                        shared.look()
                    } else {
                        Ok(false)
                    }
                })
                .await;
        }
    }

    fn newest_known(&self) -> Option<Offset> {
        self.shared.state.lock().log.newest().map(to_offset)
    }
}

impl Shared {
    /// Lists what is there now into `unread`. AVAILABLE NOW has listed for the last time.
    fn list(&self, state: &mut State) -> Result<()> {
        if state.is_closed {
            return Ok(());
        }
        // Hints from before this moment are answered by this listing.
        let _ = self.changed.notified().now_or_never();
        let seen = &state.seen;
        let listing = self
            .options
            .location
            .list(&|folder, name| !seen.contains(folder, name))?;
        let mut files = listing.files;
        state.has_unsettled_files = false;
        files.retain(|file| {
            if self.is_unsettled(file) {
                state.has_unsettled_files = true;
                return false;
            }
            let too_old = state.seen.is_too_old(file);
            if too_old {
                state.seen.pass_over(file);
            }
            !too_old
        });
        sort(&mut files, self.options.latest_first);
        state.unread = files.into();
        state.folders = listing.folders;
        Ok(())
    }

    /// Whether a file is empty because someone has just made it and is about to fill it.
    fn is_unsettled(&self, file: &FileEntry) -> bool {
        let age_ms = self.options.clock.now_ms().saturating_sub(file.modified_ms);
        file.size == 0 && age_ms.saturating_abs() < SETTLING_MS
    }

    fn look(&self) -> Result<bool> {
        let mut state = self.state.lock();
        self.list(&mut state)?;
        Ok(!state.unread.is_empty())
    }

    /// Whether a poll sees a reason to list.
    fn folders_changed(&self) -> bool {
        let state = self.state.lock();
        let changed = |(folder, then): &(PathBuf, Option<SystemTime>)| {
            let now = fs::metadata(folder).and_then(|metadata| metadata.modified()).ok();
            now != *then
        };
        state.has_unsettled_files || state.folders.iter().any(changed)
    }

    /// Sets the watch on the folders that were listed last. What came before a watch stood gave no hint, so a new
    /// watch means listing again; says whether there is something to read.
    fn begin_waiting(&self, start: Option<u64>) -> Result<bool> {
        loop {
            let mut state = self.state.lock();
            if state.is_closed || !state.unread.is_empty() || state.log.newest() > start {
                return Ok(true);
            }
            let mut watch = self.watch.lock();
            let is_first = watch.is_none();
            let watch = watch.get_or_insert_with(|| FolderWatch::new(Arc::clone(&self.changed)));
            let is_new = watch.add(state.folders.iter().map(|(folder, _)| Path::new(folder)));
            if !is_first && !is_new {
                return Ok(false);
            }
            self.list(&mut state)?;
        }
    }

    fn plan(&self, start: Option<u64>, limit: ReadLimit) -> Result<Option<PlannedOffset>> {
        let mut state = self.state.lock();
        let planned = |(end, entry)| PlannedOffset {
            end,
            log_entry: Some(entry),
        };
        if let Some(again) = state.log.planned_after(start) {
            return Ok(Some(planned(again)));
        }
        if state.log.newest() != start {
            return Err(Error::checkpoint(format!(
                "the query is at logOffset {}, but the log of the file source ends at {}",
                start.map_or("none".to_owned(), |offset| offset.to_string()),
                state
                    .log
                    .newest()
                    .map_or("none".to_owned(), |offset| offset.to_string())
            )));
        }
        let limit = match limit {
            ReadLimit::Configured => self.options.limit,
            ReadLimit::Unlimited => FileLimit::None,
        };
        let mut files = Vec::new();
        if !self.options.latest_first && fills_a_batch(&state.unread, limit) {
            // As in Spark: what the last listing found is enough for this batch, so there is no need for another.
            // What has happened to these files since is looked at, as a listing would.
            files = take(&mut state.unread, limit);
            files.retain_mut(refresh);
        }
        if files.is_empty() {
            self.list(&mut state)?;
            files = take(&mut state.unread, limit);
        }
        if files.is_empty() {
            return Ok(None);
        }
        for file in &files {
            state.seen.add(file);
        }
        Ok(Some(planned(state.log.append(files))))
    }
}

/// Whether the files are as many as a batch may take.
fn fills_a_batch(files: &VecDeque<FileEntry>, limit: FileLimit) -> bool {
    match limit {
        FileLimit::None => false,
        FileLimit::Files(count) => files.len() as u64 >= count,
        FileLimit::Bytes(bytes) => files.iter().map(|file| file.size).sum::<u64>() >= bytes,
    }
}

/// Takes a batch's files off the front.
fn take(files: &mut VecDeque<FileEntry>, limit: FileLimit) -> Vec<FileEntry> {
    let count = match limit {
        FileLimit::None => files.len(),
        FileLimit::Files(count) => usize::try_from(count).unwrap_or(usize::MAX).min(files.len()),
        FileLimit::Bytes(bytes) => {
            let mut sum = 0_u64;
            let fits = |file: &&FileEntry| {
                sum = sum.saturating_add(file.size);
                sum <= bytes
            };
            files.iter().take_while(fits).count().max(1).min(files.len())
        }
    };
    files.drain(..count).collect()
}

/// Looks at a file again; says whether it is still there.
fn refresh(file: &mut FileEntry) -> bool {
    let metadata = fs::metadata(&file.path);
    if let Ok(metadata) = &metadata {
        *file = FileEntry::new(&file.path, metadata);
    }
    metadata.is_ok()
}

#[cfg(test)]
mod tests;
