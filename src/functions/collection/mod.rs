//! Functions of arrays and maps.
//!
//! # Layout
//!
//! - `access`: one element or value; `a[i]`, `m[k]`
//! - `array`: arrays from arrays; `sequence`
//! - `map`: maps from maps
//! - `higher_order`: functions that take a lambda; `fold` is `aggregate`, `ordering` is `array_sort`
//! - `lists`: what they share

pub(crate) mod access;
pub(crate) mod array;
mod fold;
mod higher_order;
mod lists;
mod map;
mod ordering;
mod sequence;

use std::sync::Arc;

use crate::types::ddl::list_type;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{HigherOrderUDF, ScalarUDF};

/// The array type that several have together; what is null or empty takes the others' elements.
pub(crate) fn common_lists(function: &str, given: &[DataType]) -> Result<Vec<DataType>> {
    let elements = given.iter().map(|list| lists::element(function, list));
    let item = lists::common(function, &elements.collect::<Result<Vec<_>>>()?)?;
    Ok(vec![list_type(item); given.len()])
}

/// The functions of this folder.
pub(crate) fn functions() -> Vec<Arc<ScalarUDF>> {
    let mut functions = access::functions();
    functions.extend(array::functions());
    functions.extend(map::functions());
    functions.push(sequence::sequence());
    functions
}

/// The functions of this folder that take lambdas.
pub(crate) fn higher_order_functions() -> Vec<Arc<HigherOrderUDF>> {
    let mut functions = higher_order::functions();
    functions.push(fold::aggregate());
    functions.push(ordering::array_sort());
    functions
}
