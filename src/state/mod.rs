//! The keyed state of a stateful operator: a log of Arrow batches with a hash index over it.
//!
//! A micro-batch's changed rows are one batch, appended to the log in memory ([`store`]), written to the
//! checkpoint as one blob ([`codec`]), and pointed to from the index. Looking rows up is an `interleave` over the
//! log, so the same columns serve memory, changelog and snapshot, and no per-key tree work is on the hot path.
//!
//! # Layout
//!
//! - [`store`]: the log, the index, eviction by event time
//! - `chains`: many rows to a lookup key
//! - `times`: when entries are evicted
//! - [`codec`]: a change or a snapshot as bytes; `merge`: many changes as one snapshot

mod chains;
pub mod codec;
mod merge;
pub mod store;
mod times;

pub use codec::StateDelta;
pub use merge::snapshot_of;
pub use store::{Probe, StateLayout, StateStore};
