//! Random pipelines, and their SQL: once as a stream runs it, once as a static table answers it.
//!
//! The two differ in what lateness does. A static table has the column `late`, the watermark that a row's batch measured
//! late rows by; its SQL leaves out what the first stateful operator over the row drops. (What that operator gives is
//! never late for the operators above it.)

use crate::join::{Join, JoinKind};
use crate::rows::Side;
use crate::sources::{STATIC, Sources, Window, pick, sessions};
use crate::support::Random;

/// What a pipeline does.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    /// Rows as they are.
    Rows,
    /// Groups without a window.
    Groups {
        keys: &'static str,
        aggregates: usize,
    },
    Windows {
        window: Window,
        by_key: bool,
        aggregates: usize,
        having: bool,
    },
    Sessions {
        gap: i64,
    },
    SessionsThenWindows {
        gap: i64,
        window: Window,
    },
    Distinct {
        keys: &'static str,
    },
    DistinctWithin,
    DistinctThenWindows {
        keys: &'static str,
        window: Window,
    },
    Union {
        distinct: bool,
    },
    UnionThenWindows {
        window: Window,
        by_key: bool,
        aggregates: usize,
    },
    UnionDistinctThenWindows {
        window: Window,
    },
    /// Windows over windows, and over those again.
    WindowsOverWindows {
        windows: Vec<Window>,
        by_key: bool,
    },
    Join(Join),
    JoinThenWindows {
        join: Join,
        window: Window,
    },
    JoinThenDistinct {
        join: Join,
    },
    DistinctThenJoin {
        join: Join,
    },
    /// Windows of both sides, joined on being the same.
    WindowsJoined {
        window: Window,
        kind: JoinKind,
    },
    /// a and b, and what comes of them with c.
    JoinThenJoin {
        first: Join,
        second: Join,
    },
    /// A join with static rows, and windows of its result.
    StaticJoin {
        kind: &'static str,
        window: Option<Window>,
    },
    /// A deduplication in update mode.
    DistinctUpdated {
        keys: &'static str,
    },
    DistinctThenSessions {
        gap: i64,
    },
}

const AGGREGATES: [&str; 4] = [
    "count(*) AS n",
    "count(*) AS n, sum(v) AS total, min(v) AS low, max(v) AS high",
    "count(v) AS n, sum(v) FILTER (WHERE v > 2) AS total, count(DISTINCT v) AS kinds",
    "max(seq) AS last, avg(v) AS mean, sort_array(collect_list(v)) AS vs",
];

impl Shape {
    pub(crate) fn random(random: &mut Random) -> Self {
        let window = Window::random;
        match random.below(20) {
            0 => Self::Rows,
            1 => Self::Groups {
                keys: ["k", "v", "k, v"][pick(random, 3)],
                aggregates: pick(random, AGGREGATES.len()),
            },
            2..=4 => Self::Windows {
                window: window(random),
                by_key: random.below(2) == 0,
                aggregates: pick(random, AGGREGATES.len()),
                having: random.below(4) == 0,
            },
            5 | 6 => Self::Sessions {
                gap: random_gap(random),
            },
            7 => Self::SessionsThenWindows {
                gap: random_gap(random),
                window: window(random),
            },
            8 => Self::Distinct {
                keys: ["k, at", "k", "k, v", "at"][pick(random, 4)],
            },
            9 => Self::DistinctWithin,
            10 => Self::DistinctThenWindows {
                keys: ["k, at", "k", "at, v"][pick(random, 3)],
                window: window(random),
            },
            11 => Self::Union {
                distinct: random.below(2) == 0,
            },
            12 => match random.below(2) {
                0 => Self::UnionThenWindows {
                    window: window(random),
                    by_key: random.below(2) == 0,
                    aggregates: pick(random, AGGREGATES.len()),
                },
                _ => Self::UnionDistinctThenWindows {
                    window: window(random),
                },
            },
            13 => Self::WindowsOverWindows {
                windows: (0..2 + random.below(2)).map(|_| window(random)).collect(),
                by_key: random.below(2) == 0,
            },
            14..=16 => Self::Join(Join::random(random)),
            17 => Self::JoinThenWindows {
                join: Join::bounded(random, &[JoinKind::Inner, JoinKind::Left]),
                window: window(random),
            },
            18 => match random.below(2) {
                0 => Self::JoinThenDistinct {
                    join: Join::bounded(random, &[JoinKind::Inner, JoinKind::Left]),
                },
                _ => Self::DistinctThenJoin {
                    join: Join::bounded(random, &[JoinKind::Inner, JoinKind::Left, JoinKind::Full]),
                },
            },
            _ => Self::WindowsJoined {
                window: Window::tumbling(random),
                kind: [JoinKind::Inner, JoinKind::Left, JoinKind::Full][pick(random, 3)],
            },
        }
    }

    /// Longer pipelines, and further ones.
    pub(crate) fn random_long(random: &mut Random) -> Self {
        match random.below(8) {
            0..=2 => Self::JoinThenJoin {
                first: Join::bounded(random, &[JoinKind::Inner, JoinKind::Left]),
                second: Join::bounded(random, &[JoinKind::Inner, JoinKind::Left]).without_condition(),
            },
            3 | 4 => Self::StaticJoin {
                kind: ["INNER", "LEFT", "LEFT SEMI", "LEFT ANTI"][pick(random, 4)],
                window: (random.below(3) > 0).then(|| Window::random(random)),
            },
            5 => Self::DistinctUpdated {
                keys: ["k, at", "k", "k, v", "at"][pick(random, 4)],
            },
            6 => Self::DistinctThenSessions {
                gap: random_gap(random),
            },
            _ => Self::DistinctThenWindows {
                keys: ["k, at", "k", "at, v"][pick(random, 3)],
                window: Window::random(random),
            },
        }
    }

    /// The sides that it reads, once each WATERMARK.
    pub(crate) fn sides(&self) -> &'static [Side] {
        match self {
            Self::Union { .. }
            | Self::UnionThenWindows { .. }
            | Self::UnionDistinctThenWindows { .. }
            | Self::Join(_)
            | Self::JoinThenWindows { .. }
            | Self::JoinThenDistinct { .. }
            | Self::DistinctThenJoin { .. }
            | Self::WindowsJoined { .. } => &Side::BOTH,
            Self::JoinThenJoin { .. } => &[Side::A, Side::B, Side::C],
            _ => &[Side::A],
        }
    }

    /// Whether it has a result that grows or changes, which update and complete mode can show.
    pub(crate) fn is_one_aggregate(&self) -> bool {
        matches!(
            self,
            Self::Groups { .. }
                | Self::Windows { .. }
                | Self::UnionThenWindows { .. }
                | Self::StaticJoin { window: Some(_), .. }
        )
    }

    /// Whether an aggregate has a deduplication below it.
    pub(crate) fn deduplicates(&self) -> bool {
        matches!(self, Self::DistinctThenSessions { .. })
    }

    /// Whether the moving watermark lets something go.
    pub(crate) fn is_timed(&self) -> bool {
        match self {
            Self::Rows
            | Self::Groups { .. }
            | Self::Union { distinct: false }
            | Self::StaticJoin { window: None, .. } => false,
            Self::Join(join) => join.is_bounded(),
            _ => true,
        }
    }

    /// Which conditions go below the WATERMARK of a side: on `v`, and that the key is not null. Nothing goes below a
    /// deduplication.
    pub(crate) fn goes_below(&self, side: Side) -> (Option<i64>, bool) {
        let join = match self {
            Self::StaticJoin { kind, .. } => return (None, matches!(*kind, "INNER" | "LEFT SEMI")),
            Self::JoinThenJoin { second, .. } if side == Side::C => return second.goes_below(side),
            Self::JoinThenJoin { first, second } => {
                let (above, with_key) = first.goes_below(side);
                // The second join's keys are those of a, whatever becomes of b.
                let is_left = side == Side::A && second.kind == JoinKind::Inner;
                return (above, with_key || is_left);
            }
            Self::Join(join) | Self::JoinThenWindows { join, .. } | Self::JoinThenDistinct { join } => join,
            Self::DistinctThenJoin { join } if side == Side::B => join,
            _ => return (None, false),
        };
        join.goes_below(side)
    }

    /// Whether rows that are late make another result than leaving them out: a session that was let go does not come back
    /// for a row that would have been part of it.
    pub(crate) fn forgets(&self) -> bool {
        matches!(self, Self::SessionsThenWindows { .. })
    }

    /// The SELECT over `a` and `b`.
    #[expect(clippy::too_many_lines, reason = "an arm a shape")]
    pub(crate) fn sql(&self, over: &Sources) -> String {
        match self {
            Self::Rows => format!("SELECT k, at, v * 2 AS twice, seq FROM {}", over.rows(Side::A)),
            Self::Groups { keys, aggregates } => {
                let (aggregates, rows) = (AGGREGATES[*aggregates], over.rows(Side::A));
                format!("SELECT {keys}, {aggregates} FROM {rows} GROUP BY {keys}")
            }
            Self::Windows {
                window,
                by_key,
                aggregates,
                having,
            } => {
                let having = if *having { " HAVING count(*) > 1" } else { "" };
                let windows = over.windows(&over.rows(Side::A), *window, *by_key, AGGREGATES[*aggregates]);
                format!("{windows}{having}")
            }
            Self::Sessions { gap } => {
                let columns = "session_window.start AS start, session_window.end AS end";
                sessions(&over.rows(Side::A), *gap, columns)
            }
            Self::DistinctThenSessions { gap } => {
                let columns = "session_window.start AS start, session_window.end AS end";
                sessions(
                    &over.distinct(&over.timely(Side::A), "k, at", false),
                    *gap,
                    columns,
                )
            }
            Self::SessionsThenWindows { gap, window } => {
                let sessions = sessions(&over.rows(Side::A), *gap, "session_window AS w");
                let window = window.sql("w");
                format!(
                    "SELECT window.start AS start, count(*) AS sessions, sum(n) AS n FROM ({sessions}) GROUP BY {window}"
                )
            }
            Self::Distinct { keys } | Self::DistinctUpdated { keys } => {
                let rows = over.distinct(&over.timely(Side::A), keys, false);
                format!("SELECT k, at, v, seq FROM {rows}")
            }
            Self::DistinctWithin => {
                let rows = over.distinct(&over.timely(Side::A), "k", true);
                format!("SELECT k, at, seq FROM {rows}")
            }
            Self::DistinctThenWindows { keys, window } => {
                let rows = over.distinct(&over.timely(Side::A), keys, false);
                window.grouped("at", true, "count(*) AS n, min(seq) AS first", &rows)
            }
            Self::Union { distinct: false } => {
                let (a, b) = (over.rows(Side::A), over.rows(Side::B));
                format!("SELECT k, v, seq FROM {a} UNION ALL SELECT k, v * 10, seq FROM {b}")
            }
            Self::Union { distinct: true } => {
                let rows = over.distinct(&over.union(true), "k, at", false);
                format!("SELECT k, at FROM {rows}")
            }
            Self::UnionThenWindows {
                window,
                by_key,
                aggregates,
            } => over.windows(&over.union(false), *window, *by_key, AGGREGATES[*aggregates]),
            Self::UnionDistinctThenWindows { window } => {
                let rows = over.distinct(&over.union(true), "k, at", false);
                window.grouped("at", true, "count(*) AS n", &rows)
            }
            Self::WindowsOverWindows { windows, by_key } => {
                let key = if *by_key { ", k" } else { "" };
                let time = windows[0].sql("at");
                let mut rows = if over.is_static {
                    let rows = over.with_window(&over.rows(Side::A), windows[0]);
                    format!("SELECT window AS w{key}, count(*) AS n FROM {rows} GROUP BY window{key}")
                } else {
                    format!(
                        "SELECT window AS w{key}, count(*) AS n FROM {} GROUP BY {time}{key}",
                        over.rows(Side::A)
                    )
                };
                for window in &windows[1..windows.len() - 1] {
                    rows = format!(
                        "SELECT window AS w{key}, sum(n) AS n FROM ({rows}) GROUP BY {}{key}",
                        window.sql("w")
                    );
                }
                let last = windows[windows.len() - 1];
                last.grouped("w", false, "count(*) AS parts, sum(n) AS n", &format!("({rows})"))
            }
            Self::Join(join) => join.sql(over, &over.timely(Side::A), &over.timely(Side::B), join.columns()),
            Self::JoinThenWindows { join, window } => {
                let rows = join.sql(
                    over,
                    &over.timely(Side::A),
                    &over.timely(Side::B),
                    "a.k AS k, a.at AS at, b.seq AS y",
                );
                window.grouped("at", true, "count(*) AS n, sum(y) AS ys", &format!("({rows})"))
            }
            Self::JoinThenDistinct { join } => {
                let columns = "a.k AS k, a.at AS at, a.seq AS x, b.k AS other";
                let rows = join.sql(over, &over.timely(Side::A), &over.timely(Side::B), columns);
                if over.is_static {
                    format!("SELECT DISTINCT k, at FROM ({rows})")
                } else {
                    format!("SELECT k, at FROM (SELECT DISTINCT ON (k, at) * FROM ({rows}))")
                }
            }
            Self::DistinctThenJoin { join } => {
                let left = over.distinct(&over.timely(Side::A), "k, at", false);
                join.sql(over, &left, &over.timely(Side::B), join.columns())
            }
            Self::JoinThenJoin { first, second } => {
                let columns = "a.k AS k, a.at AS at, a.v AS v, a.seq AS x, b.seq AS y";
                let both = first.sql(over, &over.timely(Side::A), &over.timely(Side::B), columns);
                let third = over.timely_behind(Side::C, first.lag_ms());
                let both = format!("({both})");
                second.sql(
                    over,
                    &both,
                    &third,
                    "a.k AS k, a.at AS at, a.x AS x, a.y AS y, b.seq AS z",
                )
            }
            Self::StaticJoin { kind, window } => {
                let w = if kind.starts_with("LEFT ") { "0" } else { "t.w" };
                let late = if over.is_static { ", a.late AS late" } else { "" };
                let rows = format!(
                    "SELECT a.k AS k, a.at AS at, a.seq AS x, {w} AS w{late} FROM {} a {kind} JOIN {STATIC} t ON a.k = t.tk",
                    over.rows(Side::A)
                );
                match window {
                    Some(window) => over.windows(
                        &format!("({rows})"),
                        *window,
                        true,
                        "count(*) AS n, sum(x + w) AS xs",
                    ),
                    None => format!("SELECT k, at, x, w FROM ({rows})"),
                }
            }
            Self::WindowsJoined { window, kind } => {
                let side = |side| {
                    let rows = over.rows(side);
                    if over.is_static {
                        let rows = over.with_window(&rows, *window);
                        format!("(SELECT window AS w, count(*) AS n FROM {rows} GROUP BY window)")
                    } else {
                        format!(
                            "(SELECT window AS w, count(*) AS n FROM {rows} GROUP BY {})",
                            window.sql("at")
                        )
                    }
                };
                let (a, b) = (side(Side::A), side(Side::B));
                let kind = kind.sql();
                format!(
                    "SELECT a.w.start AS start, b.w.start AS other, a.n AS n, b.n AS m FROM {a} a {kind} JOIN {b} b ON a.w = b.w"
                )
            }
        }
    }
}

fn random_gap(random: &mut Random) -> i64 {
    [1, 3, 5, 10][pick(random, 4)]
}
