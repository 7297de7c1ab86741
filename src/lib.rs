//! Highwater: streaming queries with the model and the words of Spark Structured Streaming, in one process.

pub mod checkpoint;
pub mod cli;
pub mod clock;
pub mod engine;
pub mod error;
pub mod execution;
pub mod fault;
pub mod format;
pub mod functions;
pub mod interval;
pub mod json;
pub mod operators;
pub mod options;
pub mod plan;
pub mod session;
pub mod sink;
pub mod source;
pub mod sql;
pub mod state;
pub mod suggest;
pub mod tui;
pub mod types;
