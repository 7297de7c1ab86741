//! Where a grid's rows come from.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use crate::engine::snapshot::{ResultPage, ResultTable};
use crate::error::Result;
use crate::sink::OutputMode;

/// Where rows come from: the running table, or what was kept of it when the picture was frozen.
#[derive(Debug, Clone)]
pub(crate) enum Rows {
    /// The table itself.
    Live(Arc<dyn ResultTable>),
    /// Some of its rows at one moment.
    Kept(Arc<KeptRows>),
}

/// Rows of a picture that does not move.
#[derive(Debug)]
pub(crate) struct KeptRows {
    schema: SchemaRef,
    mode: OutputMode,
    /// The table's row that `page` begins with.
    first: usize,
    page: ResultPage,
}

impl KeptRows {
    /// Keeps up to `limit` rows around `offset`.
    pub(crate) fn keep(table: &dyn ResultTable, offset: usize, limit: usize) -> Result<Self> {
        let first = offset
            .saturating_sub(limit / 2)
            .min(table.num_rows().saturating_sub(limit));
        Ok(Self {
            schema: table.schema(),
            mode: table.mode(),
            first,
            page: table.page(first, limit)?,
        })
    }
}

impl Rows {
    /// What the rows mean.
    pub(crate) fn mode(&self) -> OutputMode {
        match self {
            Self::Live(table) => table.mode(),
            Self::Kept(kept) => kept.mode,
        }
    }

    /// The columns.
    pub(crate) fn schema(&self) -> SchemaRef {
        match self {
            Self::Live(table) => table.schema(),
            Self::Kept(kept) => SchemaRef::clone(&kept.schema),
        }
    }

    /// Grows with every change.
    pub(crate) fn version(&self) -> u64 {
        match self {
            Self::Live(table) => table.version(),
            Self::Kept(kept) => kept.page.version,
        }
    }

    /// The rows that can be shown: first and one after the last.
    pub(crate) fn reach(&self) -> (usize, usize) {
        match self {
            Self::Live(table) => (0, table.num_rows()),
            Self::Kept(kept) => (kept.first, kept.first + kept.page.rows.num_rows()),
        }
    }

    /// Up to `limit` rows from `offset` on.
    pub(crate) fn page(&self, offset: usize, limit: usize) -> Result<ResultPage> {
        match self {
            Self::Live(table) => table.page(offset, limit),
            Self::Kept(kept) => {
                let held = kept.page.rows.num_rows();
                let from = offset.saturating_sub(kept.first).min(held);
                let count = limit.min(held - from);
                Ok(ResultPage {
                    version: kept.page.version,
                    num_rows: kept.page.num_rows,
                    rows: kept.page.rows.slice(from, count),
                    changed_in: kept.page.changed_in[from..from + count].to_vec(),
                })
            }
        }
    }
}
