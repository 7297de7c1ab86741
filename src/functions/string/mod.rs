//! Functions of text.

mod charset;
pub(crate) mod java_regex;
pub(crate) mod regexp;
mod text;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

/// The functions of this folder.
pub(crate) fn functions() -> Vec<Arc<ScalarUDF>> {
    let mut functions = regexp::functions();
    functions.extend(charset::functions());
    functions.extend(text::functions());
    functions
}
