//! The pipeline language: from text to statements, and from Spark's SELECT to DataFusion's.
//!
//! Everything here is text and syntax trees. No catalog is asked, nothing is bound to sources or sinks, so a
//! statement is the same wherever it is read. Three steps:
//!
//!    sqlparser with the same tokens, so that every span in its tree is a place in the whole text.
//!    any case, `window` and its fields, Spark's operators, Spark's names of output columns.
//!
//! # Layout
//!
//! - [`statement`]: the statements and their parts
//! - [`parser`]: scripts, and every statement but CREATE; `create` the CREATE statements, `parts` what several
//!   statements have in common, `cursor` the walk over tokens, `tokens` text to tokens
//! - [`query`]: SELECT bodies; `streaming_clauses` what sqlparser does not know and is cut out before
//! - [`dialect`]: Spark's SQL, for sqlparser
//! - [`interval`]: lengths of time

mod create;
mod cursor;
pub mod dialect;
pub mod interval;
mod parser;
mod parts;
pub mod query;
pub mod span;
pub mod statement;
mod streaming_clauses;
mod syntax_error;
mod tokens;

pub use dialect::SparkDialect;

pub use parser::parse_script;
pub use query::QueryText;

pub use statement::{Statement, StatementKind};
