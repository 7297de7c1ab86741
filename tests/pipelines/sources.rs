//! What a SELECT of a pipeline reads, and the parts of its SQL.

use crate::rows::Side;
use crate::support::Random;

/// What a SELECT reads.
#[derive(Debug, Clone)]
pub(crate) struct Sources {
    /// The number of the pipeline, which ends the names of its streams.
    pub(crate) number: usize,
    /// Whether they are tables with a column `late`.
    pub(crate) is_static: bool,
    /// Whether groups that were over are left out of a static answer.
    pub(crate) leaves_out_late: bool,
    /// Only rows with `v` above it.
    pub(crate) filter: Option<i64>,
}

impl Sources {
    /// A side's rows, with a filter where there is one.
    pub(crate) fn rows(&self, side: Side) -> String {
        let name = format!("{}{}", side.name(), self.number);
        match self.filter {
            Some(filter) => format!("(SELECT * FROM {name} WHERE v > {filter})"),
            None => name,
        }
    }

    /// A side's rows without those that an operator drops which goes by the time of a row.
    pub(crate) fn timely(&self, side: Side) -> String {
        self.timely_behind(side, 0)
    }

    /// The same for an operator whose watermark is so many milliseconds behind the query's.
    pub(crate) fn timely_behind(&self, side: Side, lag_ms: i64) -> String {
        let rows = self.rows(side);
        if self.is_static {
            format!("(SELECT * FROM {rows} WHERE at IS NULL OR at > late - INTERVAL {lag_ms} MILLISECONDS)")
        } else {
            rows
        }
    }

    pub(crate) fn union(&self, timely: bool) -> String {
        let late = if self.is_static { ", late" } else { "" };
        let side = |side| {
            if timely {
                self.timely(side)
            } else {
                self.rows(side)
            }
        };
        let (a, b) = (side(Side::A), side(Side::B));
        format!("(SELECT at, k, v, seq{late} FROM {a} UNION ALL SELECT at, k, v, seq{late} FROM {b})")
    }

    /// The static rows once for each of their windows that was not over when they came.
    pub(crate) fn with_window(&self, rows: &str, window: Window) -> String {
        let window = window.sql("at");
        let open = if self.leaves_out_late {
            "window.end > late"
        } else {
            "true"
        };
        format!("(SELECT * FROM (SELECT *, {window} AS window FROM {rows}) WHERE {open})")
    }

    pub(crate) fn windows(&self, rows: &str, window: Window, by_key: bool, aggregates: &str) -> String {
        if !self.is_static {
            return window.grouped("at", by_key, aggregates, rows);
        }
        let key = if by_key { ", k" } else { "" };
        let rows = self.with_window(rows, window);
        format!(
            "SELECT window.start AS start, window.end AS end{key}, {aggregates} FROM {rows} GROUP BY window{key}"
        )
    }

    /// The first row of each key.
    pub(crate) fn distinct(&self, rows: &str, keys: &str, within: bool) -> String {
        if self.is_static {
            return format!(
                "(SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY {keys} ORDER BY seq) AS nth FROM {rows}) WHERE nth = 1)"
            );
        }
        let within = if within { " WITHIN WATERMARK" } else { "" };
        format!("(SELECT DISTINCT ON ({keys}){within} * FROM {rows})")
    }
}

/// A static table that a stream is joined with: a key has one row, another one two, a third none.
pub(crate) const STATIC: &str = "(SELECT * FROM VALUES ('x', 10), ('y', 20), ('y', 30) AS t(tk, w))";

/// `window(time, size, slide, offset)`, in minutes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    size: u64,
    slide: u64,
    offset: u64,
}

impl Window {
    pub(crate) fn random(random: &mut Random) -> Self {
        if random.below(2) == 0 {
            return Self::tumbling(random);
        }
        let size = 2 + random.below(29);
        let slide = size.div_ceil(1 + random.below(4));
        Self {
            size,
            slide,
            offset: random.below(2) * random.below(slide),
        }
    }

    pub(crate) fn tumbling(random: &mut Random) -> Self {
        let size = [1, 5, 10, 15, 60][pick(random, 5)];
        Self {
            size,
            slide: size,
            offset: 0,
        }
    }

    pub(crate) fn sql(self, time: &str) -> String {
        let Self { size, slide, offset } = self;
        match (slide == size, offset) {
            (true, 0) => format!("window({time}, '{size} minutes')"),
            (false, 0) => format!("window({time}, '{size} minutes', '{slide} minutes')"),
            _ => format!("window({time}, '{size} minutes', '{slide} minutes', '{offset} minutes')"),
        }
    }

    pub(crate) fn grouped(self, time: &str, by_key: bool, aggregates: &str, rows: &str) -> String {
        let key = if by_key { ", k" } else { "" };
        let window = self.sql(time);
        format!(
            "SELECT window.start AS start, window.end AS end{key}, {aggregates} FROM {rows} GROUP BY {window}{key}"
        )
    }
}

/// `session_window(at, gap)` by key.
pub(crate) fn sessions(rows: &str, gap: i64, columns: &str) -> String {
    format!(
        "SELECT {columns}, k, count(*) AS n, sum(v) AS total FROM {rows} GROUP BY session_window(at, '{gap} minutes'), k"
    )
}

/// A place in a list.
pub(crate) fn pick(random: &mut Random, len: usize) -> usize {
    usize::try_from(random.below(len as u64)).unwrap_or(0)
}
