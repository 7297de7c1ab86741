//! The checkpoint of one query: a redb file that holds everything a restart needs.
//!
//! An epoch is a transaction: the offset log gets its entry, durably, before any row is read; state changes, the
//! next watermark, the sink's log entry and the commit record go in together afterwards. `docs/checkpoint.md`
//! describes the file byte for byte.
//!
//! # Layout
//!
//! - [`log`]: what the offset log and the commit log say of a batch
//! - [`metadata`]: what it says of its query, and what may change
//! - [`store`]: the file, its tables, its transactions
//! - [`open`]: opening it: who holds it, whether it is whole
//! - `quiet`: panics that are answers
//! - [`overlay`]: a storage that reads a file and keeps writes to itself

pub mod log;
pub mod metadata;
pub mod open;
pub mod overlay;
pub(crate) mod quiet;
pub mod store;

pub use log::{CommitRecord, OffsetRecord};
pub use metadata::{CheckpointMetadata, QueryShape};
pub use store::{BatchCommit, Checkpoint};
