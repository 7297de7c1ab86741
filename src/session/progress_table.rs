//! `progress('q')`: a query's recent batches as a table, for SELECT.
//!
//! ```sql
//! SELECT sum(numInputRows) AS rows, max(batchDuration) AS slowest_ms FROM progress('spend_by_user');
//! ```

use std::sync::Arc;

use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::datasource::MemTable;
use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;

use crate::error::Error;
use crate::session::{WeakSession, show};

/// The table function. The rows are those of `SHOW PROGRESS FOR q` when the SELECT is planned.
#[derive(Debug)]
pub(super) struct ProgressFunction {
    session: WeakSession,
}

impl ProgressFunction {
    /// The SQL name.
    pub(super) const NAME: &str = "progress";

    /// A function over the session's queries.
    pub(super) fn new(session: WeakSession) -> Self {
        Self { session }
    }
}

impl TableFunctionImpl for ProgressFunction {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let [Expr::Literal(ScalarValue::Utf8(Some(name)), _)] = args.exprs() else {
            return Err(Error::statement("progress takes the name of a query, in quotes")
                .hint("Write FROM progress('name'); SHOW QUERIES lists the names.")
                .into());
        };
        let session = self.session.upgrade();
        let session = session.ok_or_else(|| internal_datafusion_err!("the session has ended"))?;
        let rows = show::progress(&session.streams().get_by_name(name)?)?;
        Ok(Arc::new(MemTable::try_new(rows.schema, vec![rows.batches])?))
    }
}
