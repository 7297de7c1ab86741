//! Highwater: streaming queries with the model and the words of Spark Structured Streaming, in one process.

pub mod checkpoint;
pub mod clock;
pub mod engine;
pub mod error;
pub mod execution;
pub mod functions;
pub mod interval;
pub mod operators;
pub mod plan;
pub mod format;
pub mod sink;
pub mod source;
pub mod state;
pub mod options;
pub mod suggest;
pub mod json;
pub mod types;
