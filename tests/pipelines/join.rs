//! Joins of two streams: kinds, bounds on the time between their rows, further conditions.

use crate::rows::Side;
use crate::sources::{Sources, pick};
use crate::support::Random;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinKind {
    Inner,
    Left,
    Right,
    Full,
    LeftSemi,
}

/// A join of a and b on equal keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Join {
    pub(crate) kind: JoinKind,
    bound: TimeBound,
    /// A further condition, by its place in [`CONDITIONS`].
    condition: usize,
}

/// How the times of the two sides are bound to each other, in minutes.
#[derive(Debug, Clone, Copy)]
enum TimeBound {
    /// `b.at` is from `a.at + low` to `a.at + high`, in one of several spellings.
    Range {
        low: i64,
        high: i64,
        spelling: u64,
    },
    Equal,
    /// `b.at` is at or after `a.at + low`, however long: b's rows can be let go, a's never.
    From {
        low: i64,
    },
    /// None at all.
    Free,
}

/// Conditions that a join may have besides keys and times. Where the condition is on one side alone, that side comes first.
const CONDITIONS: [(Option<Side>, &str); 4] = [
    (None, ""),
    (None, "a.v < b.v"),
    (Some(Side::A), "a.v > 1"),
    (Some(Side::B), "b.v > 1"),
];

impl JoinKind {
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::Inner => "INNER",
            Self::Left => "LEFT",
            Self::Right => "RIGHT",
            Self::Full => "FULL",
            Self::LeftSemi => "LEFT SEMI",
        }
    }
}

impl Join {
    pub(crate) fn random(random: &mut Random) -> Self {
        let kinds = [
            JoinKind::Inner,
            JoinKind::Left,
            JoinKind::Right,
            JoinKind::Full,
            JoinKind::LeftSemi,
        ];
        let mut join = Self::bounded(random, &kinds);
        let low = signed(random, 30);
        match (join.kind, random.below(6)) {
            (_, 0) => join.bound = TimeBound::Equal,
            (JoinKind::Inner | JoinKind::Right, 1) => join.bound = TimeBound::From { low },
            (JoinKind::Inner, 2) => join.bound = TimeBound::Free,
            _ => {}
        }
        join
    }

    pub(crate) fn bounded(random: &mut Random, kinds: &[JoinKind]) -> Self {
        let low = signed(random, 30);
        Self {
            kind: kinds[pick(random, kinds.len())],
            bound: TimeBound::Range {
                low,
                high: low + i64::try_from(random.below(40)).unwrap_or(0),
                spelling: random.below(4),
            },
            condition: pick(random, 2 * CONDITIONS.len()).saturating_sub(CONDITIONS.len()),
        }
    }

    /// Whether the watermark lets rows of a side go.
    pub(crate) fn is_bounded(self) -> bool {
        !matches!(self.bound, TimeBound::Free)
    }

    /// Which conditions go below the WATERMARK of a side: on `v`, and that the key is not null. A side that is given with
    /// nulls takes none.
    pub(crate) fn goes_below(self, side: Side) -> (Option<i64>, bool) {
        let is_kept = match side {
            Side::A => matches!(self.kind, JoinKind::Left | JoinKind::Full),
            Side::B | Side::C => matches!(self.kind, JoinKind::Right | JoinKind::Full),
        };
        let above = (CONDITIONS[self.condition].0 == Some(side)).then_some(1);
        if is_kept { (None, false) } else { (above, true) }
    }

    /// The same join without a further condition.
    pub(crate) fn without_condition(self) -> Self {
        Self { condition: 0, ..self }
    }

    /// How long, in milliseconds, the watermark of what it gives is behind its own: as long as rows of either side are kept
    /// beyond it. (The last millisecond of a range still matches.)
    pub(crate) fn lag_ms(self) -> i64 {
        match self.bound {
            TimeBound::Range { low, high, .. } => (high.max(-low) * 60_000 + 1).max(0),
            TimeBound::Equal | TimeBound::From { .. } | TimeBound::Free => 0,
        }
    }

    pub(crate) fn columns(self) -> &'static str {
        if self.kind == JoinKind::LeftSemi {
            "a.k AS k, a.at AS at, a.seq AS x"
        } else {
            "a.k AS k, a.at AS at, a.seq AS x, b.k AS bk, b.at AS bat, b.seq AS y"
        }
    }

    /// `SELECT columns` over two relations.
    pub(crate) fn sql(self, over: &Sources, a: &str, b: &str, columns: &str) -> String {
        let kind = self.kind.sql();
        // In a full join, and only there, Spark takes null keys for equal.
        let equal = if over.is_static && self.kind == JoinKind::Full {
            "<=>"
        } else {
            "="
        };
        let mut on = format!("a.k {equal} b.k");
        let time = match self.bound {
            TimeBound::Range { low, high, spelling } => {
                let (low, high) = (minutes(low), minutes(high));
                match spelling {
                    0 => format!("b.at BETWEEN a.at {low} AND a.at {high}"),
                    1 => format!("b.at >= a.at {low} AND b.at <= a.at {high}"),
                    2 => format!("a.at {low} <= b.at AND a.at {high} >= b.at"),
                    _ => format!("NOT (b.at < a.at {low}) AND a.at {high} >= b.at AND b.at >= a.at {low}"),
                }
            }
            TimeBound::Equal => format!("a.at {equal} b.at"),
            TimeBound::From { low } => format!("b.at >= a.at {}", minutes(low)),
            TimeBound::Free => "true".to_owned(),
        };
        let (alone, condition) = CONDITIONS[self.condition];
        for part in [time.as_str(), condition] {
            if !part.is_empty() {
                on = format!("{on} AND {part}");
            }
        }
        let mut sql = format!("SELECT {columns} FROM {a} a {kind} JOIN {b} b ON {on}");
        if over.is_static {
            // A row of an outer side without a time stays in the state: no watermark passes it. Unless it is given at
            // once, because the condition says of it alone that nothing can match.
            let finite = |side: Side, other: Side| {
                let (one, other) = (side.name(), other.name());
                let at_once = match alone {
                    Some(alone) if alone == side => format!(" OR NOT coalesce({condition}, false)"),
                    _ => String::new(),
                };
                format!("({other}.seq IS NOT NULL OR {one}.at IS NOT NULL{at_once})")
            };
            let left = finite(Side::A, Side::B);
            let right = finite(Side::B, Side::A);
            match self.kind {
                JoinKind::Inner | JoinKind::LeftSemi => {}
                JoinKind::Left => sql = format!("{sql} WHERE {left}"),
                JoinKind::Right => sql = format!("{sql} WHERE {right}"),
                JoinKind::Full => sql = format!("{sql} WHERE {left} AND {right}"),
            }
        }
        sql
    }
}

fn minutes(minutes: i64) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign} INTERVAL {} MINUTES", minutes.abs())
}

fn signed(random: &mut Random, end: u64) -> i64 {
    let number = i64::try_from(random.below(end)).unwrap_or(0);
    if random.below(2) == 0 { number } else { -number }
}
