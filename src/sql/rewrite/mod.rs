//! Spark's SELECT to DataFusion's: the same rows and column names, in words that DataFusion's planner takes.
//!
//! The session plans with identifier normalization off, so that columns keep their case; what Spark finds without
//! regard to case is found here. The walk goes query by query, each with the `scope` of the names that it sees:
//!
//! - names take their declared spelling, of relations, aliases, columns and CTEs; functions become lower case
//! - `window`, `window.start` and the like, where the query groups by `window(...)`, become that call or its field
//! - `<=>`, `DIV`, `RLIKE`, `!`, `struct(...)`, `LATERAL VIEW` and a few more become what DataFusion has for them
//! - columns without a name get the one that Spark gives them: `count(1)`, `(v + 1)`
//! - a relation with a WATERMARK behind it becomes a generated name, listed with the clause for the caller to bind
//!
//! What DataFusion would silently leave out of account is refused here.

pub(crate) mod calls;
mod expression;
mod from;
pub(crate) mod generators;
mod grouping;
mod lateral_view;
pub(crate) mod literal;
mod naming;
mod query;
mod scope;
mod time_window;
mod using;

use std::time::Duration;

use datafusion::sql::sqlparser::ast::Query;

use crate::error::{Position, Result};
use crate::sql::query::QueryText;
use crate::sql::rewrite::query::Rewriter;
use crate::sql::statement::Name;

/// A relation that a query may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRelation {
    /// Its name as it was declared.
    pub name: String,
    /// Its columns as they were declared.
    pub columns: Vec<String>,
}

/// A SELECT in DataFusion's terms.
#[derive(Debug, Clone, PartialEq)]
pub struct RewrittenQuery {
    /// The syntax tree; spans are still places in the text.
    pub query: Box<Query>,
    /// The generated relations, to be bound before planning.
    pub watermarks: Vec<TableWatermark>,
    /// The relations outside of the query that it reads, each time that it does: declared names where they are
    /// known, and the place of each.
    pub relations: Vec<Name>,
}

/// `FROM relation WATERMARK column DELAY OF ...`: the query reads `generated_name` instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableWatermark {
    /// What the rewritten query reads.
    pub generated_name: String,
    /// The relation that was written.
    pub relation: String,
    /// Its event-time column.
    pub column: String,
    /// How late a row may be.
    pub delay: Duration,
    /// Where the clause stands.
    pub position: Position,
}

/// Rewrites a query. `lookup` finds a relation of the catalog without regard to case.
///
/// # Errors
///
/// [`crate::error::ErrorKind::Statement`] for what cannot be said in DataFusion's terms. Unknown names are no
/// error here: DataFusion reports them, and [`crate::sql::locate()`] says where.
pub fn rewrite_query(
    query: &QueryText,
    lookup: &dyn Fn(&str) -> Option<KnownRelation>,
) -> Result<RewrittenQuery> {
    let mut rewritten = query.query.clone();
    let mut rewriter = Rewriter::new(query, lookup);
    rewriter.query(&mut rewritten, None)?;
    Ok(RewrittenQuery {
        query: rewritten,
        watermarks: rewriter.watermarks,
        relations: rewriter.relations,
    })
}

#[cfg(test)]
pub(crate) mod tests;
