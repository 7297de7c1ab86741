//! Functions of numbers.
//!
//! # Layout
//!
//! - `real`: logarithms, roots and signs of doubles
//! - `round`: rounding to digits, up, down, half up and half even
//! - `text`: numbers written with separators, or in another base

mod real;
mod round;
mod text;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

/// The functions of this folder.
pub(crate) fn functions() -> Vec<Arc<ScalarUDF>> {
    let mut functions = real::functions();
    functions.extend(round::functions());
    functions.extend(text::functions());
    functions
}
