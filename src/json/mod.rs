//! JSON as Spark reads it: lines to record batches, texts to values, records to a schema.
//!
//! # Layout
//!
//! - [`decoder`]: JSON lines into record batches.
//! - [`value`]: one value a text, for `from_json`.
//! - [`infer`]: a schema from records.
//! - [`options`]: the options of Spark's JSON source.
//! - [`path`]: parts of a JSON text, by their path.
//! - `scanner`, `scan_text`, `scan_number`: bytes to texts, numbers and whole values; `members`: from names to fields.
//! - `convert`: a value into a column, by Spark's rules; `numbers` and `base64` serve it.
//! - `column`: the vectors that become Arrow arrays; `nullable`: schemas without NOT NULL.
//! - `generate`: a value written anew.

mod base64;
mod column;
mod convert;
pub mod decoder;
mod generate;
pub mod infer;
mod members;
mod nullable;
mod numbers;
pub mod options;
pub mod path;
mod scan_number;
mod scan_text;
mod scanner;
pub mod value;

pub use decoder::JsonDecoder;
pub use infer::{SchemaInference, infer_schema};
pub use nullable::as_nullable;
pub(crate) use numbers::decimal as decimal_from_text;
pub use options::{JsonOptions, ParseMode};
pub use value::{JsonValueDecoder, decode_values};
