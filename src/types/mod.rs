//! Spark's types and how their values are written: schemas as DDL text, dates and timestamps as text.
//!
//! # Layout
//!
//! - [`ddl`]: `id INT, at TIMESTAMP` to an Arrow schema.
//! - [`spark_type_name`], [`ddl_of`]: Spark's name of an Arrow type, of columns.
//! - [`calendar`]: days since 1970-01-01 and the proleptic Gregorian calendar.
//! - [`time_zone`]: zone ids and offsets as Java reads them.
//! - [`datetime_text`]: text to date and timestamp as Spark's CAST does it.
//! - [`datetime_pattern`]: Java's `DateTimeFormatter` patterns, for formatting and parsing.

pub mod calendar;
pub mod datetime_pattern;
pub mod datetime_text;
pub mod ddl;
mod ddl_lexer;
pub mod time_zone;
mod type_name;

pub use datetime_pattern::{DateTimePattern, PatternUse};
pub use datetime_text::{string_to_date, string_to_timestamp, string_to_timestamp_ntz};
pub use ddl::{parse_ddl, parse_ddl_type};
pub use time_zone::{TimeZone, ZoneRules};
pub use type_name::{ddl_of, spark_type_name};
