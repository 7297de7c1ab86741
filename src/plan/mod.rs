//! From a SELECT over streams to a plan that runs batch after batch.
//!
//! # Layout
//!
//! - [`stream_table`]: what a stream is to DataFusion: a table without rows of its own
//! - [`event_time`]: which column carries event time
//! - [`watermark`]: the logical node that marks it
//! - [`casts`]: the rule that gives casts Spark's meaning
//! - [`union_event_time`]: the event time of a union
//! - [`stream_join`]: the logical node of a join of two streams
//! - [`time_bound`]: how long such a join keeps rows, from its condition
//! - [`deduplicate`]: the logical node of DISTINCT ON
//! - [`top_n`]: the logical node of the first rows of each group
//! - [`stream_limit`]: the logical node of LIMIT
//! - [`subquery_filter`]: the rule that puts EXISTS and IN below the watermark
//! - [`filter_pushdown`]: keeps an optimizer rule away from where it is wrong
//! - [`generator`]: the rule that turns `explode(...)` into an unnesting
//! - [`time_window`]: the rule that turns `window(...)` into a key
//! - `join_window`: the same for the condition of a join
//! - [`session_window`]: the same for `session_window(...)`
//! - [`output_mode`]: what each output mode allows, checked before anything runs
//! - `aggregate_mode`: the part of it that is about aggregates
//! - [`result_keys`]: which output columns name a row in update mode
//! - [`physical`]: the physical plan with its stateful operators

mod aggregate_mode;
pub mod casts;
pub mod deduplicate;
pub mod event_time;
pub mod filter_pushdown;
pub mod generator;
mod join_window;
pub mod output_mode;
pub mod physical;
pub mod result_keys;
pub mod session_window;
pub mod stream_join;
pub mod stream_limit;
pub mod stream_table;
pub mod subquery_filter;
pub mod time_bound;
pub mod time_window;
pub mod top_n;
pub mod union_event_time;
pub mod watermark;
