//! One case as its file has it. The keys are described in the README beside this file.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) query: String,
    pub(crate) output_mode: String,
    pub(crate) streams: BTreeMap<String, Stream>,
    #[serde(default)]
    pub(crate) tables: BTreeMap<String, Table>,
    #[serde(default)]
    pub(crate) conf: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) ordered: bool,
    pub(crate) expected: Expected,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Stream {
    pub(crate) schema: Option<String>,
    #[serde(default = "json")]
    pub(crate) format: String,
    #[serde(default)]
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) select: Option<Vec<String>>,
    pub(crate) watermark: Option<Watermark>,
    pub(crate) batches: Vec<Vec<Value>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Watermark {
    pub(crate) column: String,
    pub(crate) delay: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Table {
    pub(crate) schema: String,
    pub(crate) rows: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Expected {
    Refused { error: Refusal },
    Answered { batches: Vec<Batch> },
}

#[derive(Debug, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) condition: String,
    pub(crate) message: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Batch {
    #[serde(rename = "batch_id")]
    pub(crate) id: u64,
    pub(crate) watermark: Option<String>,
    pub(crate) rows: Vec<Map<String, Value>>,
}

impl Case {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }

    /// How many rows arrive in a batch, all streams together.
    pub(crate) fn arrived(&self, batch_id: u64) -> u64 {
        let index = usize::try_from(batch_id).unwrap_or(usize::MAX);
        let batches = self
            .streams
            .values()
            .filter_map(|stream| stream.batches.get(index));
        batches.map(|rows| rows.len() as u64).sum()
    }
}

fn json() -> String {
    "json".to_owned()
}
