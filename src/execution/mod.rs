//! The micro-batch loop and what surrounds it.
//!
//! # Layout
//!
//! - [`definition`]: what a query is, before it runs
//! - [`micro_batch`]: the loop, with recovery as pseudo-code
//! - `recovery`: what a run begins from
//! - [`snapshots`]: state snapshots in the background
//! - [`storage`]: what queries write to
//! - [`trigger`]: when the next batch may begin
//! - [`watermark`]: from event times to the watermark
//! - [`durations`]: where a batch's time goes
//! - [`event`]: what happened, for listeners
//! - [`event_time`]: where a query stands in event time, and what it waits for
//! - [`lints`]: what is worth a look
//! - [`state_page`]: a look into a query's state
//! - [`plan_nodes`]: the physical plan as a tree with numbers
//! - [`progress`]: Spark's `StreamingQueryProgress`
//! - [`query`]: a query as its owner sees it, over all its runs

pub mod definition;
pub mod durations;
pub mod event;
pub mod event_time;
pub mod lints;
pub mod micro_batch;
pub mod plan_nodes;
pub mod progress;
pub mod query;
pub(crate) mod recovery;
pub mod snapshots;
pub mod state_page;
pub mod storage;
pub mod trigger;
pub mod watermark;

pub use definition::{QueryDefinition, QueryOptions};
pub use query::{QueryStatus, StreamingQuery};
pub use trigger::Trigger;
