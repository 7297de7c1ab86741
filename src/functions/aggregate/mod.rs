//! Aggregate functions.

pub mod average;
