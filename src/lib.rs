//! Highwater: streaming queries with the model and the words of Spark Structured Streaming, in one process.

pub mod clock;
pub mod engine;
pub mod error;
pub mod execution;
pub mod sink;
pub mod source;
