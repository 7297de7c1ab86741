//! Functions of text.

pub(crate) mod java_regex;
pub(crate) mod regexp;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

/// The functions of this folder.
pub(crate) fn functions() -> Vec<Arc<ScalarUDF>> {
    regexp::functions()
}
