//! Where a grid's rows come from.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use super::change_log::LoggedRows;
use crate::engine::snapshot::{ResultPage, ResultTable};
use crate::error::{Error, Result};
use crate::sink::OutputMode;
use crate::sink::result::MarkedPage;

/// Where rows come from: the running table, what it was at an earlier batch, its change log, or what was kept of it when
/// the picture was frozen.
#[derive(Debug, Clone)]
pub(crate) enum Rows {
    /// The table itself.
    Live(Arc<dyn ResultTable>),
    /// The table as it was after a batch.
    AsOf(Arc<dyn ResultTable>, u64),
    /// What each batch did to it.
    Log(LoggedRows),
    /// Some of its rows at one moment.
    Kept(Arc<KeptRows>),
}

/// Versions of earlier batches are no versions of the table.
const AS_OF: u64 = 1 << 63;

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

impl KeptRows {
    /// A part of `num_rows` rows from `first` on. Rows of different versions are not compared by their places.
    pub(crate) fn part(rows: RecordBatch, first: usize, num_rows: usize, version: u64) -> Self {
        Self {
            schema: rows.schema(),
            mode: OutputMode::Complete,
            first,
            page: ResultPage {
                version,
                num_rows,
                changed_in: vec![version; rows.num_rows()],
                rows,
            },
        }
    }
}

impl Rows {
    /// What the rows mean.
    pub(crate) fn mode(&self) -> OutputMode {
        match self {
            Self::Live(table) | Self::AsOf(table, _) => table.mode(),
            Self::Log(_) => OutputMode::Append,
            Self::Kept(kept) => kept.mode,
        }
    }

    /// The columns.
    pub(crate) fn schema(&self) -> SchemaRef {
        match self {
            Self::Live(table) | Self::AsOf(table, _) => table.schema(),
            Self::Log(log) => log.schema(),
            Self::Kept(kept) => SchemaRef::clone(&kept.schema),
        }
    }

    /// Grows with every change.
    pub(crate) fn version(&self) -> u64 {
        match self {
            Self::Live(table) => table.version(),
            Self::AsOf(_, batch) => AS_OF | batch,
            Self::Log(log) => log.version(),
            Self::Kept(kept) => kept.page.version,
        }
    }

    /// The rows that can be shown: first and one after the last.
    pub(crate) fn reach(&self) -> (usize, usize) {
        match self {
            Self::Live(table) => (0, table.num_rows()),
            Self::AsOf(table, batch) => {
                let page = table.marked_page(Some(*batch), 0, 0).ok().flatten();
                (0, page.map_or(0, |page| page.page.num_rows))
            }
            Self::Log(log) => log.reach(),
            Self::Kept(kept) => (kept.first, kept.first + kept.page.rows.num_rows()),
        }
    }

    /// The same with what the last batch did to them, for a table as it was; `None` for others, whose changes can be
    /// seen as they happen.
    pub(crate) fn marked(&self, offset: usize, limit: usize) -> Result<Option<MarkedPage>> {
        match self {
            Self::AsOf(table, batch) => table.marked_page(Some(*batch), offset, limit),
            Self::Live(_) | Self::Log(_) | Self::Kept(_) => Ok(None),
        }
    }

    /// Up to `limit` rows from `offset` on.
    pub(crate) fn page(&self, offset: usize, limit: usize) -> Result<ResultPage> {
        match self {
            Self::Live(table) => table.page(offset, limit),
            Self::AsOf(_, batch) => match self.marked(offset, limit)? {
                Some(marked) => Ok(ResultPage {
                    version: self.version(),
                    ..marked.page
                }),
                None => Err(
                    Error::statement(format!("the rows as of batch {batch} are not kept any more"))
                        .hint("End goes back to the present."),
                ),
            },
            Self::Log(log) => log.page(offset, limit),
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
