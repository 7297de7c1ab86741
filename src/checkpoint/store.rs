//! The checkpoint's tables and transactions.
//!
//! ```text
//! metadata    name                       -> JSON
//! offsets     batch id                   -> OffsetRecord, JSON
//! source_log  (stream, batch id)         -> what the source wants to read the batch again, JSON
//! commits     batch id                   -> CommitRecord, JSON
//! changelog   (operator, key group, batch id) -> state change (state::codec)
//! snapshots   (operator, key group, batch id) -> whole state as of that batch (state::codec)
//! sink_log    batch id                   -> what the sink wants back on a restart, its own bytes
//! ```
//!
//! Every write is one `Durability::Immediate` transaction, except snapshots: they say again what the changelog
//! says, so they become durable with the next commit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use parking_lot::Mutex;
use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition};
use serde::Serialize;

use crate::checkpoint::log::{CommitRecord, OffsetRecord};
use crate::checkpoint::metadata::CheckpointMetadata;
use crate::checkpoint::open;
use crate::error::{Error, Result};
use crate::state::StateDelta;

const METADATA: TableDefinition<&str, &[u8]> = TableDefinition::new("metadata");
const OFFSETS: TableDefinition<u64, &[u8]> = TableDefinition::new("offsets");
const SOURCE_LOG: TableDefinition<(&str, u64), &[u8]> = TableDefinition::new("source_log");
const COMMITS: TableDefinition<u64, &[u8]> = TableDefinition::new("commits");
const CHANGELOG: TableDefinition<(u32, u16, u64), &[u8]> = TableDefinition::new("changelog");
const SNAPSHOTS: TableDefinition<(u32, u16, u64), &[u8]> = TableDefinition::new("snapshots");
const SINK_LOG: TableDefinition<u64, &[u8]> = TableDefinition::new("sink_log");

const METADATA_KEY: &str = "query";
/// The version of everything in the file: tables, keys and values.
pub const FORMAT_VERSION: u32 = 1;
/// The only key group of this version. Keys hold it so that state can be split by key hash later.
const KEY_GROUP: u16 = 0;

/// A batch's entries in the offset log and in the commit log.
pub type KeptBatch = (u64, Option<OffsetRecord>, Option<CommitRecord>);

/// What a restart would have to read of an operator's state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChangelogSize {
    /// The last snapshot's bytes, 0 if there is none.
    pub snapshot_bytes: usize,
    /// How many batches have changed the state since.
    pub batches: usize,
    /// What these changes take.
    pub bytes: usize,
}

/// Everything that one committed batch leaves behind.
#[derive(Debug)]
pub struct BatchCommit<'a> {
    /// The batch.
    pub batch_id: u64,
    /// Its commit record.
    pub record: &'a CommitRecord,
    /// State changes by operator.
    pub deltas: &'a [(u32, StateDelta)],
    /// The sink's log entry.
    pub sink_entry: Option<&'a [u8]>,
    /// Whether that entry supersedes all earlier ones.
    pub sink_replaces: bool,
    /// Batches before this one may be forgotten.
    pub keep_from: u64,
}

/// An open checkpoint. All methods block on the disk; callers on an async runtime move them off it.
#[derive(Debug)]
pub struct Checkpoint {
    database: Database,
    /// The snapshots that there are, (operator, batch id): reading their keys from the file would read them whole.
    snapshots: Mutex<BTreeSet<(u32, u64)>>,
}

impl Checkpoint {
    /// Opens, or makes, the checkpoint in `folder`. See [`open::open`].
    pub fn open(folder: &Path) -> Result<Self> {
        Self::open_on(folder, &|builder, _, file| builder.create_file(file), &|_| Ok(()))
    }

    /// As [`Self::open`], with redb put on the file by the caller, if the caller accepts what it says of its query.
    pub fn open_on(
        folder: &Path,
        database: open::OpenDatabase<'_>,
        accept: open::AcceptMetadata<'_>,
    ) -> Result<Self> {
        Self::with_database(open::open(folder, database, accept)?)
    }

    pub(super) fn with_database(database: Database) -> Result<Self> {
        let checkpoint = Self {
            database,
            snapshots: Mutex::default(),
        };
        checkpoint.write(Durability::Immediate, |transaction| {
            transaction.open_table(METADATA)?;
            transaction.open_table(OFFSETS)?;
            transaction.open_table(SOURCE_LOG)?;
            transaction.open_table(COMMITS)?;
            transaction.open_table(CHANGELOG)?;
            transaction.open_table(SINK_LOG)?;
            for entry in transaction.open_table(SNAPSHOTS)?.iter()? {
                let (operator, _, batch_id) = entry?.0.value();
                checkpoint.snapshots.lock().insert((operator, batch_id));
            }
            Ok(())
        })?;
        Ok(checkpoint)
    }

    /// What it says of its query; `None` in a new one.
    pub fn metadata(&self) -> Result<Option<CheckpointMetadata>> {
        read_metadata(&self.database)
    }

    /// Writes what it says of its query.
    pub fn set_metadata(&self, metadata: &CheckpointMetadata) -> Result<()> {
        let bytes = to_json(metadata)?;
        self.write(Durability::Immediate, |transaction| {
            transaction
                .open_table(METADATA)?
                .insert(METADATA_KEY, bytes.as_slice())?;
            Ok(())
        })
    }

    /// The newest entry of the offset log.
    pub fn latest_offsets(&self) -> Result<Option<(u64, OffsetRecord)>> {
        self.last(OFFSETS)
    }

    /// One entry of the offset log.
    pub fn offsets(&self, batch_id: u64) -> Result<Option<OffsetRecord>> {
        self.get(OFFSETS, batch_id)
    }

    /// The newest entry of the commit log.
    pub fn latest_commit(&self) -> Result<Option<(u64, CommitRecord)>> {
        self.last(COMMITS)
    }

    /// The oldest batch of the commit log: as of it and all later ones the state is kept.
    pub fn oldest_commit(&self) -> Result<Option<u64>> {
        let read = self.database.begin_read().map_err(redb_error)?;
        let table = read.open_table(COMMITS).map_err(redb_error)?;
        Ok(table.first().map_err(redb_error)?.map(|(key, _)| key.value()))
    }

    /// Every batch that is kept, oldest first: its entry in the offset log and, once it is committed, in the commit log.
    pub fn batches(&self) -> Result<Vec<KeptBatch>> {
        let read = self.database.begin_read().map_err(redb_error)?;
        let offsets = read.open_table(OFFSETS).map_err(redb_error)?;
        let commits = read.open_table(COMMITS).map_err(redb_error)?;
        let mut batches = BTreeMap::<u64, (Option<OffsetRecord>, Option<CommitRecord>)>::new();
        for entry in offsets.iter().map_err(redb_error)? {
            let (batch_id, record) = entry.map_err(redb_error)?;
            batches.entry(batch_id.value()).or_default().0 = Some(from_json(record.value())?);
        }
        for entry in commits.iter().map_err(redb_error)? {
            let (batch_id, record) = entry.map_err(redb_error)?;
            batches.entry(batch_id.value()).or_default().1 = Some(from_json(record.value())?);
        }
        let batches = batches.into_iter();
        Ok(batches
            .map(|(batch_id, (offsets, commit))| (batch_id, offsets, commit))
            .collect())
    }

    /// Writes a batch's entry in the offset log, with what its sources want kept, durably.
    pub fn write_offsets(
        &self,
        batch_id: u64,
        record: &OffsetRecord,
        source_entries: &[(String, serde_json::Value)],
    ) -> Result<()> {
        let bytes = to_json(record)?;
        let entries = source_entries
            .iter()
            .map(|(stream, entry)| Ok((stream, to_json(entry)?)));
        let entries = entries.collect::<Result<Vec<_>>>()?;
        self.write(Durability::Immediate, |transaction| {
            transaction
                .open_table(OFFSETS)?
                .insert(batch_id, bytes.as_slice())?;
            let mut log = transaction.open_table(SOURCE_LOG)?;
            for (stream, entry) in &entries {
                log.insert((stream.as_str(), batch_id), entry.as_slice())?;
            }
            Ok(())
        })
    }

    /// Every log entry of a stream, oldest first.
    pub fn source_log(&self, stream: &str) -> Result<Vec<(u64, serde_json::Value)>> {
        let read = self.database.begin_read().map_err(redb_error)?;
        let table = read.open_table(SOURCE_LOG).map_err(redb_error)?;
        let mut entries = Vec::new();
        for entry in table
            .range((stream, 0)..=(stream, u64::MAX))
            .map_err(redb_error)?
        {
            let (key, value) = entry.map_err(redb_error)?;
            entries.push((key.value().1, from_json(value.value())?));
        }
        Ok(entries)
    }

    /// Commits a batch: state changes, sink log and commit record in one durable transaction; forgets what is
    /// older than `keep_from` and not needed to rebuild the state as of it. Gives the bytes that each operator's
    /// change took.
    pub fn commit(&self, commit: &BatchCommit<'_>) -> Result<Vec<(u32, usize)>> {
        let record = to_json(commit.record)?;
        let deltas = commit.deltas.iter().filter(|(_, delta)| !delta.is_empty());
        let deltas = deltas
            .map(|(operator, delta)| Ok((*operator, delta.encode()?)))
            .collect::<Result<Vec<_>>>()?;
        self.write(Durability::Immediate, |transaction| {
            let mut changelog = transaction.open_table(CHANGELOG)?;
            for (operator, bytes) in &deltas {
                changelog.insert((*operator, KEY_GROUP, commit.batch_id), bytes.as_slice())?;
            }
            drop(changelog);
            if let Some(entry) = commit.sink_entry {
                let mut sink_log = transaction.open_table(SINK_LOG)?;
                if commit.sink_replaces {
                    sink_log.retain(|_, _| false)?;
                }
                sink_log.insert(commit.batch_id, entry)?;
            }
            transaction
                .open_table(COMMITS)?
                .insert(commit.batch_id, record.as_slice())?;
            self.forget(transaction, commit.keep_from)
        })?;
        Ok(deltas
            .into_iter()
            .map(|(operator, bytes)| (operator, bytes.len()))
            .collect())
    }

    /// The sink's log, oldest first.
    pub fn sink_log(&self) -> Result<Vec<(u64, Vec<u8>)>> {
        let read = self.database.begin_read().map_err(redb_error)?;
        let table = read.open_table(SINK_LOG).map_err(redb_error)?;
        let mut entries = Vec::new();
        for entry in table.iter().map_err(redb_error)? {
            let (key, value) = entry.map_err(redb_error)?;
            entries.push((key.value(), value.value().to_vec()));
        }
        Ok(entries)
    }

    /// An operator's state as of a committed batch, as changes to be applied in order: a snapshot, if there is one,
    /// and the changelog since.
    ///
    /// # Errors
    ///
    /// A checkpoint error if the batch is older than what is kept, or if a change is damaged.
    pub fn state_as_of(&self, operator: u32, batch_id: u64) -> Result<Vec<StateDelta>> {
        let read = self.database.begin_read().map_err(redb_error)?;
        let snapshots = read.open_table(SNAPSHOTS).map_err(redb_error)?;
        let mut deltas = Vec::new();
        let mut from = 0;
        let mut range = snapshots.range(keys(operator, 0, batch_id)).map_err(redb_error)?;
        if let Some(newest) = range.next_back() {
            let (key, value) = newest.map_err(redb_error)?;
            deltas.push(StateDelta::decode(value.value())?);
            from = key.value().2 + 1;
        }
        if deltas.is_empty() {
            let commits = read.open_table(COMMITS).map_err(redb_error)?;
            let oldest = commits.first().map_err(redb_error)?.map(|(key, _)| key.value());
            if let Some(oldest) = oldest.filter(|oldest| *oldest > batch_id) {
                return Err(kept_no_more(batch_id, oldest));
            }
        }
        if from > batch_id {
            return Ok(deltas);
        }
        let changelog = read.open_table(CHANGELOG).map_err(redb_error)?;
        for entry in changelog
            .range(keys(operator, from, batch_id))
            .map_err(redb_error)?
        {
            let (_, value) = entry.map_err(redb_error)?;
            deltas.push(StateDelta::decode(value.value())?);
        }
        Ok(deltas)
    }

    /// What changed in an operator's state after one committed batch and up to another; `None` if it is quicker, or
    /// the only way, to read the state as of the later one.
    ///
    /// # Errors
    ///
    /// A checkpoint error if a change is damaged.
    pub fn state_since(&self, operator: u32, after: u64, to: u64) -> Result<Option<Vec<StateDelta>>> {
        let read = self.database.begin_read().map_err(redb_error)?;
        let snapshots = read.open_table(SNAPSHOTS).map_err(redb_error)?;
        let mut range = snapshots
            .range(keys(operator, after + 1, to))
            .map_err(redb_error)?;
        // The changelog before a snapshot may be forgotten already.
        if range.next().is_some() {
            return Ok(None);
        }
        let changelog = read.open_table(CHANGELOG).map_err(redb_error)?;
        let mut deltas = Vec::new();
        for entry in changelog
            .range(keys(operator, after + 1, to))
            .map_err(redb_error)?
        {
            let (_, value) = entry.map_err(redb_error)?;
            deltas.push(StateDelta::decode(value.value())?);
        }
        Ok(Some(deltas))
    }

    /// How much of an operator's changelog there is after its last snapshot.
    pub fn changelog_size(&self, operator: u32) -> Result<ChangelogSize> {
        let read = self.database.begin_read().map_err(redb_error)?;
        let snapshots = read.open_table(SNAPSHOTS).map_err(redb_error)?;
        let mut size = ChangelogSize::default();
        let mut from = 0;
        if let Some(newest) = snapshots
            .range(keys(operator, 0, u64::MAX))
            .map_err(redb_error)?
            .next_back()
        {
            let (key, value) = newest.map_err(redb_error)?;
            size.snapshot_bytes = value.value().len();
            from = key.value().2 + 1;
        }
        let changelog = read.open_table(CHANGELOG).map_err(redb_error)?;
        for entry in changelog
            .range(keys(operator, from, u64::MAX))
            .map_err(redb_error)?
        {
            size.batches += 1;
            size.bytes += entry.map_err(redb_error)?.1.value().len();
        }
        Ok(size)
    }

    /// Writes an operator's whole state as of a committed batch, and gives the bytes that it took.
    pub fn write_snapshot(&self, operator: u32, batch_id: u64, state: &StateDelta) -> Result<usize> {
        let bytes = state.encode()?;
        self.write(Durability::None, |transaction| {
            transaction
                .open_table(SNAPSHOTS)?
                .insert((operator, KEY_GROUP, batch_id), bytes.as_slice())?;
            Ok(())
        })?;
        self.snapshots.lock().insert((operator, batch_id));
        Ok(bytes.len())
    }

    fn get<T: serde::de::DeserializeOwned>(
        &self,
        table: TableDefinition<'_, u64, &[u8]>,
        batch_id: u64,
    ) -> Result<Option<T>> {
        let read = self.database.begin_read().map_err(redb_error)?;
        let table = read.open_table(table).map_err(redb_error)?;
        let value = table.get(batch_id).map_err(redb_error)?;
        value.map(|value| from_json(value.value())).transpose()
    }

    fn last<T: serde::de::DeserializeOwned>(
        &self,
        table: TableDefinition<'_, u64, &[u8]>,
    ) -> Result<Option<(u64, T)>> {
        let read = self.database.begin_read().map_err(redb_error)?;
        let table = read.open_table(table).map_err(redb_error)?;
        let last = table.last().map_err(redb_error)?;
        last.map(|(key, value)| Ok((key.value(), from_json(value.value())?)))
            .transpose()
    }

    /// Takes out what no restart and no look back can need any more.
    fn forget(&self, transaction: &redb::WriteTransaction, keep_from: u64) -> Result<(), redb::Error> {
        if keep_from == 0 {
            return Ok(());
        }
        transaction
            .open_table(OFFSETS)?
            .retain_in(..keep_from, |_, _| false)?;
        transaction
            .open_table(COMMITS)?
            .retain_in(..keep_from, |_, _| false)?;
        // Of each operator the newest snapshot at or before `keep_from` is the base of everything after it.
        let mut known = self.snapshots.lock();
        let bases = known
            .iter()
            .filter(|(_, batch_id)| *batch_id <= keep_from)
            .copied()
            .collect::<BTreeMap<_, _>>();
        for (operator, base) in bases {
            let mut snapshots = transaction.open_table(SNAPSHOTS)?;
            snapshots.retain_in((operator, KEY_GROUP, 0)..(operator, KEY_GROUP, base), |_, _| {
                false
            })?;
            let mut changelog = transaction.open_table(CHANGELOG)?;
            changelog.retain_in((operator, KEY_GROUP, 0)..=(operator, KEY_GROUP, base), |_, _| {
                false
            })?;
            known.retain(|(other, batch_id)| *other != operator || *batch_id >= base);
        }
        Ok(())
    }

    fn write(
        &self,
        durability: Durability,
        work: impl FnOnce(&redb::WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<()> {
        let mut transaction = self.database.begin_write().map_err(redb_error)?;
        transaction.set_durability(durability).map_err(redb_error)?;
        work(&transaction)?;
        transaction.commit().map_err(redb_error)?;
        Ok(())
    }
}

/// What a checkpoint says of its query; `None` in a new one.
pub(super) fn read_metadata(database: &Database) -> Result<Option<CheckpointMetadata>> {
    let read = database.begin_read().map_err(redb_error)?;
    let table = match read.open_table(METADATA) {
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
        table => table.map_err(redb_error)?,
    };
    let Some(bytes) = table.get(METADATA_KEY).map_err(redb_error)? else {
        return Ok(None);
    };
    let metadata: CheckpointMetadata = from_json(bytes.value())?;
    if metadata.format_version != FORMAT_VERSION {
        return Err(Error::checkpoint(format!(
            "the checkpoint has format {}, this version reads format {FORMAT_VERSION}",
            metadata.format_version
        ))
        .hint("Use the version of highwater that wrote it, or another CHECKPOINT folder."));
    }
    Ok(Some(metadata))
}

/// What to say of a batch whose state is gone.
pub fn kept_no_more(batch_id: u64, oldest: u64) -> Error {
    Error::checkpoint(format!(
        "the state as of batch {batch_id} is kept no more: the oldest batch is {oldest}"
    ))
    .hint("SET spark.sql.streaming.minBatchesToRetain to keep more of them.")
}

fn keys(operator: u32, from: u64, to: u64) -> std::ops::RangeInclusive<(u32, u16, u64)> {
    (operator, KEY_GROUP, from)..=(operator, KEY_GROUP, to)
}

fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value)
        .map_err(|error| Error::internal("a checkpoint record has no JSON").caused_by(error))
}

fn from_json<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes)
        .map_err(|error| {
            Error::checkpoint("a record in the checkpoint is damaged")
                .hint("Restore the checkpoint from a copy, or give the query another CHECKPOINT folder to start anew.")
                .caused_by(error)
        })
}

fn redb_error(error: impl Into<redb::Error>) -> Error {
    Error::from(error.into())
}
