//! Writes state snapshots in the background.
//!
//! A snapshot is made from the checkpoint itself (an older snapshot and the changelog since), not from the state
//! in memory, so the loop never waits for it. It is due when the changelog since the last one has grown past twice that
//! one's size: writing snapshots then costs less than the changelog does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::JoinHandle;

use crate::checkpoint::Checkpoint;
use crate::error::Result;
use crate::operators::context::OperatorContext;
use crate::state::{StateLayout, snapshot_of};

/// A changelog below this size is read back faster than a snapshot is worth.
const MIN_CHANGELOG_BYTES: usize = 4 << 20;
/// A batch's change costs at least as much to read back as so many bytes. Small batches over a large state then wait
/// longer for its next snapshot than small batches over a small one.
const MIN_BATCH_BYTES: usize = MIN_CHANGELOG_BYTES / 100;

/// Decides when an operator's snapshot is due and writes it.
#[derive(Debug)]
pub struct SnapshotWriter {
    checkpoint: Arc<Checkpoint>,
    operators: BTreeMap<u32, Due>,
    running: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Due {
    layout: StateLayout,
    changelog_bytes: usize,
    changelog_batches: usize,
    /// The last snapshot's size, set from the background.
    snapshot_bytes: Arc<AtomicUsize>,
}

impl SnapshotWriter {
    /// A writer for these operators' state. What earlier runs have left counts: many short runs are a long one.
    ///
    /// # Errors
    ///
    /// What the checkpoint says when its changelog is measured.
    pub fn try_new(checkpoint: Arc<Checkpoint>, operators: &[Arc<OperatorContext>]) -> Result<Self> {
        let operators = operators.iter().map(|operator| {
            let size = checkpoint.changelog_size(operator.id())?;
            let due = Due {
                layout: operator.layout(),
                changelog_bytes: size.bytes,
                changelog_batches: size.batches,
                snapshot_bytes: Arc::new(AtomicUsize::new(size.snapshot_bytes)),
            };
            Ok((operator.id(), due))
        });
        Ok(Self {
            operators: operators.collect::<Result<_>>()?,
            checkpoint,
            running: None,
        })
    }

    /// Takes note of a commit and its changes' sizes by operator, and begins what is due.
    pub fn committed(&mut self, batch_id: u64, sizes: &[(u32, usize)]) {
        for (operator, bytes) in sizes {
            if let Some(due) = self.operators.get_mut(operator) {
                due.changelog_bytes += bytes;
                due.changelog_batches += 1;
            }
        }
        if self
            .running
            .as_ref()
            .is_some_and(|running| !running.is_finished())
        {
            return;
        }
        let due = self.operators.iter_mut().filter(|(_, due)| {
            let changelog = due.changelog_bytes + due.changelog_batches * MIN_BATCH_BYTES;
            changelog > (2 * due.snapshot_bytes.load(Ordering::Relaxed)).max(MIN_CHANGELOG_BYTES)
        });
        let due = due.map(|(operator, due)| {
            due.changelog_bytes = 0;
            due.changelog_batches = 0;
            (*operator, due.layout.clone(), Arc::clone(&due.snapshot_bytes))
        });
        let due = due.collect::<Vec<_>>();
        if due.is_empty() {
            return;
        }
        let checkpoint = Arc::clone(&self.checkpoint);
        self.running = Some(tokio::task::spawn_blocking(move || {
            for (operator, layout, size) in due {
                match write_snapshot(&checkpoint, operator, &layout, batch_id) {
                    Ok(bytes) => {
                        tracing::debug!(operator, batch_id, bytes, "a state snapshot was written");
                        size.store(bytes, Ordering::Relaxed);
                    }
                    // The changelog says the same, so nothing is lost; the next one is due soon.
                    Err(error) => tracing::warn!(operator, batch_id, "no snapshot: {}", error.report()),
                }
            }
        }));
    }

    /// Waits for a snapshot that is being written.
    pub async fn finish(&mut self) {
        if let Some(running) = self.running.take() {
            // A panic there has lost nothing either.
            let _ = running.await;
        }
    }
}

fn write_snapshot(
    checkpoint: &Checkpoint,
    operator: u32,
    layout: &StateLayout,
    batch_id: u64,
) -> Result<usize> {
    let state = snapshot_of(layout, &checkpoint.state_as_of(operator, batch_id)?)?;
    checkpoint.write_snapshot(operator, batch_id, &state)
}
