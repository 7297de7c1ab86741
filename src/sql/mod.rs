//! The pipeline language: from text to statements, and from Spark's SELECT to DataFusion's.
//!
//! Everything here is text and syntax trees. No catalog is asked, nothing is bound to sources or sinks, so a
//! statement is the same wherever it is read. Three steps:
//!
//! 1. [`parse_script`] cuts a text into statements. Ours are read by hand over located tokens; a SELECT goes to
//!    sqlparser with the same tokens, so that every span in its tree is a place in the whole text.
//! 2. [`rewrite_query`] turns a SELECT into what DataFusion's planner understands and means the same by: names in
//!    any case, `window` and its fields, Spark's operators, Spark's names of output columns.
//! 3. [`locate()`] turns what DataFusion's planner says of it into an error with a place and a hint.
//!
//! # Layout
//!
//! - [`statement`]: the statements and their parts
//! - `parser`: scripts, and every statement but CREATE; `create` the CREATE statements, `parts` what several
//!   statements have in common, `cursor` the walk over tokens, `tokens` text to tokens
//! - [`query`]: SELECT bodies; `streaming_clauses` what sqlparser does not know and is cut out before
//! - [`dialect`]: Spark's SQL, for sqlparser; `keywords` its words, for completion; `highlight` a text in pieces, for editors
//! - [`rewrite`]: Spark's SELECT to DataFusion's
//! - [`span`], [`mod@locate`]: places, and DataFusion's errors with them

mod create;
mod cursor;
pub mod dialect;
pub mod highlight;
mod keywords;
pub mod locate;
mod parser;
mod parts;
pub mod query;
pub mod rewrite;
pub mod span;
pub mod statement;
mod streaming_clauses;
mod syntax_error;
mod tokens;

pub use dialect::SparkDialect;
pub use keywords::KEYWORDS;
pub use locate::{Candidates, locate};
pub use parser::parse_script;
pub use query::QueryText;
pub use rewrite::{KnownRelation, RewrittenQuery, TableWatermark, rewrite_query};
pub use statement::{Statement, StatementKind};
