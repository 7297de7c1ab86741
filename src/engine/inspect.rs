//! Looks into a closed checkpoint without running its query, and without the query: the file says enough itself.
//!
//! Nothing is written. A checkpoint that somebody runs on is refused; what its query knows is in the engine's snapshots.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatch;

use crate::checkpoint::open::{FILE_NAME, peek};
use crate::checkpoint::{Checkpoint, CheckpointMetadata};
use crate::engine::Rows;
use crate::error::{Error, Result};
use crate::execution::progress::iso_millis;
use crate::execution::state_page::{self, StateOrder, StateRequest};

/// What a checkpoint says: its query, its stateful operators, its batches. A table each.
///
/// # Errors
///
/// A statement error if there is no checkpoint; a checkpoint error if it is in use or damaged.
pub fn describe(path: &Path) -> Result<Vec<Rows>> {
    look(path, |folder, checkpoint, metadata| {
        Ok(vec![
            query(folder, checkpoint, metadata)?,
            operators(checkpoint, metadata)?,
            batches(checkpoint)?,
        ])
    })
}

/// Keys and values of a stateful operator.
///
/// # Errors
///
/// As [`describe`]; a statement error for an operator or batch that there is not.
pub fn state(path: &Path, request: &StateRequest) -> Result<Rows> {
    look(path, |_, checkpoint, _| {
        let rows = state_page::read(checkpoint, request, None, &mut None)?.rows;
        Ok(Rows {
            schema: rows.schema(),
            batches: vec![rows],
        })
    })
}

fn look<T>(
    path: &Path,
    look: impl FnOnce(&Path, &Checkpoint, &CheckpointMetadata) -> Result<T>,
) -> Result<T> {
    let folder = folder_of(path);
    let none = || {
        Error::statement(format!("there is no checkpoint in {}", folder.display())).hint(
            "Name the folder that CHECKPOINT names; without one it is in the workspace's folder checkpoints.",
        )
    };
    if !folder.join(FILE_NAME).exists() {
        return Err(none());
    }
    let looked = peek(&folder, |checkpoint| {
        let metadata = checkpoint.metadata()?.ok_or_else(none)?;
        look(&folder, checkpoint, &metadata)
    })?;
    looked.ok_or_else(|| {
        Error::checkpoint(format!("checkpoint {} is in use", folder.display()))
            .hint("Stop its query first, or look there: SHOW STATE FOR query OPERATOR 0.")
    })
}

/// The folder, or that of the file in it.
fn folder_of(path: &Path) -> PathBuf {
    let is_file = path.file_name().is_some_and(|name| name == FILE_NAME) && path.is_file();
    match path.parent() {
        Some(folder) if is_file => folder.to_owned(),
        _ => path.to_owned(),
    }
}

fn query(folder: &Path, checkpoint: &Checkpoint, metadata: &CheckpointMetadata) -> Result<Rows> {
    let shape = &metadata.shape;
    let last = checkpoint.latest_commit()?;
    let mut facts = vec![
        ("checkpoint", folder.display().to_string()),
        ("queryId", metadata.query_id.to_string()),
        ("formatVersion", metadata.format_version.to_string()),
        ("outputMode", shape.output_mode.to_string()),
        ("sink", shape.sink.clone()),
    ];
    if let Some((batch_id, record)) = last {
        facts.push(("lastCommittedBatch", batch_id.to_string()));
        if record.next_watermark_ms > 0 {
            facts.push(("watermark", iso_millis(record.next_watermark_ms)));
        }
    }
    rows(vec![
        (
            "property",
            text(facts.iter().map(|(name, _)| Some((*name).to_owned()))),
        ),
        ("value", text(facts.iter().map(|(_, value)| Some(value.clone())))),
    ])
}

fn operators(checkpoint: &Checkpoint, metadata: &CheckpointMetadata) -> Result<Rows> {
    let signatures = &metadata.shape.operators;
    let mut counts = Vec::new();
    for operator in 0..u32::try_from(signatures.len()).unwrap_or(u32::MAX) {
        let request = StateRequest {
            operator,
            as_of: None,
            find: None,
            order: StateOrder::Key,
            offset: 0,
            limit: 0,
        };
        counts.push(state_page::read(checkpoint, &request, None, &mut None)?.num_rows);
    }
    rows(vec![
        ("operator", integers((0..signatures.len() as u64).map(Some))),
        ("numRowsTotal", integers(counts.into_iter().map(Some))),
        (
            "keeps",
            text(signatures.iter().map(|signature| Some(signature.clone()))),
        ),
    ])
}

fn batches(checkpoint: &Checkpoint) -> Result<Rows> {
    let batches = checkpoint.batches()?;
    let offsets = batches.iter().map(|(_, offsets, _)| offsets.as_ref());
    let watermark = |ms: i64| (ms > 0).then(|| iso_millis(ms));
    rows(vec![
        (
            "batchId",
            integers(batches.iter().map(|(batch_id, ..)| Some(*batch_id))),
        ),
        (
            "timestamp",
            text(
                offsets
                    .clone()
                    .map(|offsets| Some(iso_millis(offsets?.batch_timestamp_ms))),
            ),
        ),
        (
            "watermark",
            text(
                offsets
                    .clone()
                    .map(|offsets| watermark(offsets?.batch_watermark_ms)),
            ),
        ),
        (
            "offsets",
            text(offsets.map(|offsets| serde_json::to_string(&offsets?.sources).ok())),
        ),
        (
            "committed",
            text(batches.iter().map(|(.., commit)| {
                Some(
                    if commit.is_some() {
                        "yes"
                    } else {
                        "no: it runs again"
                    }
                    .to_owned(),
                )
            })),
        ),
    ])
}

fn rows(columns: Vec<(&str, ArrayRef)>) -> Result<Rows> {
    let fields = columns
        .iter()
        .map(|(name, values)| Field::new(*name, values.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let values = columns.into_iter().map(|(_, values)| values).collect();
    Ok(Rows {
        batches: vec![RecordBatch::try_new(Arc::clone(&schema), values)?],
        schema,
    })
}

fn text(values: impl Iterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn integers(values: impl Iterator<Item = Option<u64>>) -> ArrayRef {
    let values = values.map(|value| i64::try_from(value?).ok());
    Arc::new(values.collect::<Int64Array>())
}
