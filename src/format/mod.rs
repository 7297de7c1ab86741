//! Values as text: for files, for pipes and for people.
//!
//! One set of column encoders writes Arrow values in three dialects, chosen once a column, not once a cell.
//! They write into a caller's buffer and build no values in between.
//!
//! # Layout
//!
//! - [`safe_text`]: text of data made harmless for terminals, measured and cut by display width
//! - [`json_rows`]: rows as JSON, in Highwater's own dialect and in that of Spark's JSON sink
//! - [`text_table`]: tables as Spark's `show()` prints them, and single cells for the workbench
//! - `encoder`: what the two above share, one encoder a column; `temporal` and `nested` have those of their types
//! - `scalar`: numbers, binary values and JSON strings as text
//! - `time`: timestamps, dates, times of day and intervals as text

mod encoder;
pub mod json_rows;
mod nested;
pub mod safe_text;
mod scalar;
mod temporal;
pub mod text_table;
mod time;

pub(crate) use encoder::{Dialect, column};
