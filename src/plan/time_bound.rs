//! How long one side of a join has to keep its rows, from the join's condition.
//!
//! ```text
//! clicked >= seen AND clicked <= seen + INTERVAL 1 HOUR
//!
//!   impressions: seen >= clicked - 1 hour    kept until the watermark of clicked is an hour past seen
//!   clicks:      clicked >= seen             kept until the watermark of seen is past clicked
//! ```
//!
//! Each comparison is read as `kept > moving + offset`, however it is spelled. Rows of the moving side that are still
//! to come are newer than the watermark; so kept rows at or before `watermark + offset` never match again. With
//! several comparisons the longest time counts, and offsets are in whole milliseconds, as in Spark's
//! `StreamingJoinHelper.getStateValueWatermark`.

use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

use crate::plan::event_time::is_event_time;

const MILLISECOND_US: i64 = 1000;
const DAY_US: i64 = 86_400_000_000;

/// What bounds how long rows of a side are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateBound {
    /// The side's event time, among its columns; `None` if it has none: Spark takes such a side for bounded by any
    /// column, and never evicts it.
    pub time: Option<usize>,
    /// Rows whose event time is at or before the watermark plus this no longer match; in microseconds.
    pub offset_us: i64,
}

/// The bound that conditions set for the rows of `kept`, which are to match rows of `moving`; `None` if they set none.
/// A side may have several event times: the first one that is bounded counts.
pub fn state_bound(conditions: &[&Expr], kept: &DFSchema, moving: &DFSchema) -> Option<StateBound> {
    let kept_times = event_times(kept);
    let kept_times = if kept_times.is_empty() {
        vec![None]
    } else {
        kept_times.into_iter().map(Some).collect()
    };
    let moving_times = event_times(moving);
    kept_times.into_iter().find_map(|time| {
        let offsets = moving_times.iter().flat_map(|&moving_time| {
            let sides = Sides {
                kept,
                kept_time: time,
                moving,
                moving_time,
            };
            let offsets = conditions.iter().flat_map(|condition| sides.offsets(condition));
            offsets.collect::<Vec<_>>()
        });
        let offset_us = offsets.min()?;
        Some(StateBound { time, offset_us })
    })
}

fn event_times(schema: &DFSchema) -> Vec<usize> {
    let fields = schema.fields().iter().enumerate();
    let times = fields.filter(|(_, field)| is_event_time(field));
    times.map(|(column, _)| column).collect()
}

struct Sides<'a> {
    kept: &'a DFSchema,
    kept_time: Option<usize>,
    moving: &'a DFSchema,
    moving_time: usize,
}

/// `kept * (the kept side's time) + moving * (the moving side's time) + offset_us`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Linear {
    kept: i64,
    moving: i64,
    offset_us: i64,
}

impl Linear {
    fn minus(self, other: Self) -> Option<Self> {
        Some(Self {
            kept: self.kept - other.kept,
            moving: self.moving - other.moving,
            offset_us: self.offset_us.checked_sub(other.offset_us)?,
        })
    }
}

impl Sides<'_> {
    fn offsets(&self, condition: &Expr) -> Vec<i64> {
        match condition {
            Expr::Alias(alias) => self.offsets(&alias.expr),
            Expr::Between(between) if !between.negated => {
                let low = self.bound(&between.low, &between.expr, true);
                let high = self.bound(&between.expr, &between.high, true);
                low.into_iter().chain(high).collect()
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                let bound = match op {
                    Operator::And => {
                        let mut offsets = self.offsets(left);
                        offsets.extend(self.offsets(right));
                        return offsets;
                    }
                    Operator::Lt => self.bound(left, right, false),
                    Operator::LtEq => self.bound(left, right, true),
                    Operator::Gt => self.bound(right, left, false),
                    Operator::GtEq => self.bound(right, left, true),
                    _ => None,
                };
                bound.into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// The offset that `less < more` (or `<=`) says: `less - more = moving + offset - kept < 0`.
    fn bound(&self, less: &Expr, more: &Expr, inclusive: bool) -> Option<i64> {
        let difference = self.linear(less)?.minus(self.linear(more)?)?;
        if (difference.kept, difference.moving) != (-1, 1) {
            return None;
        }
        let offset = difference.offset_us.div_euclid(MILLISECOND_US) * MILLISECOND_US;
        // At `kept = moving + offset` rows still match.
        Some(if inclusive {
            offset - MILLISECOND_US
        } else {
            offset
        })
    }

    fn linear(&self, expr: &Expr) -> Option<Linear> {
        match expr {
            Expr::Alias(alias) => self.linear(&alias.expr),
            Expr::Cast(cast) if cast.field.data_type().is_temporal() => self.linear(&cast.expr),
            Expr::Negative(inner) => Linear::default().minus(self.linear(inner)?),
            Expr::Column(column) => {
                let kept = self.kept.maybe_index_of_column(column);
                let is_kept = kept.is_some_and(|kept| self.kept_time.is_none_or(|time| time == kept));
                let is_moving = self.moving.maybe_index_of_column(column) == Some(self.moving_time);
                match (is_kept, is_moving) {
                    (true, false) => Some(Linear {
                        kept: 1,
                        ..Linear::default()
                    }),
                    (false, true) => Some(Linear {
                        moving: 1,
                        ..Linear::default()
                    }),
                    _ => None,
                }
            }
            Expr::Literal(value, _) => Some(Linear {
                offset_us: microseconds(value)?,
                ..Linear::default()
            }),
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                let (left, right) = (self.linear(left)?, self.linear(right)?);
                match op {
                    Operator::Plus => left.minus(Linear::default().minus(right)?),
                    Operator::Minus => left.minus(right),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// A length of time, or a timestamp; `None` where a length depends on the calendar.
fn microseconds(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::IntervalMonthDayNano(Some(interval)) if interval.months == 0 => i64::from(interval.days)
            .checked_mul(DAY_US)?
            .checked_add(interval.nanoseconds.div_euclid(1000)),
        ScalarValue::IntervalDayTime(Some(interval)) => i64::from(interval.days)
            .checked_mul(DAY_US)?
            .checked_add(i64::from(interval.milliseconds) * MILLISECOND_US),
        ScalarValue::DurationSecond(Some(seconds)) => seconds.checked_mul(1_000_000),
        ScalarValue::DurationMillisecond(Some(millis)) => millis.checked_mul(MILLISECOND_US),
        ScalarValue::DurationMicrosecond(Some(micros))
        | ScalarValue::TimestampMicrosecond(Some(micros), _) => Some(*micros),
        ScalarValue::DurationNanosecond(Some(nanos)) => Some(nanos.div_euclid(1000)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use arrow::array::types::IntervalMonthDayNano;
    use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
    use datafusion::logical_expr::{col, lit};

    use super::*;
    use crate::plan::event_time::with_mark;

    fn side(name: &str) -> DFSchema {
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let at = with_mark(&Field::new("at", time.clone(), true), 0);
        let other = Field::new("other", time, true);
        let schema = Schema::new_with_metadata(vec![other, at], HashMap::new());
        DFSchema::try_from_qualified_schema(name, &schema).expect("a schema")
    }

    fn minutes(minutes: i64) -> Expr {
        let interval = IntervalMonthDayNano::new(0, 0, minutes * 60_000_000_000);
        lit(ScalarValue::IntervalMonthDayNano(Some(interval)))
    }

    /// The offsets for keeping l and r, in milliseconds.
    fn offsets(condition: &Expr) -> (Option<i64>, Option<i64>) {
        let (l, r) = (side("l"), side("r"));
        let of = |kept, moving| state_bound(&[condition], kept, moving).map(|bound| bound.offset_us / 1000);
        (of(&l, &r), of(&r, &l))
    }

    #[test]
    fn every_spelling_of_a_range_gives_the_same_bounds() {
        let (l, r) = (|| col("l.at"), || col("r.at"));
        let both = (Some(-3_600_001), Some(-1));
        for condition in [
            r().gt_eq(l()).and(r().lt_eq(l() + minutes(60))),
            l().lt_eq(r()).and((r() - minutes(60)).lt_eq(l())),
            r().between(l(), l() + minutes(60)),
            l().between(r() - minutes(60), r()),
            (r() - l()).between(minutes(0), minutes(60)),
            (minutes(60) + l()).gt_eq(r()).and(minutes(0).lt_eq(r() - l())),
            (l() - r())
                .gt_eq(Expr::Negative(Box::new(minutes(60))))
                .and(r().gt_eq(l())),
        ] {
            assert_eq!(offsets(&condition), both, "{condition}");
        }
    }

    #[test]
    fn a_strict_comparison_lets_go_a_millisecond_earlier() {
        assert_eq!(
            offsets(&col("l.at").gt(col("r.at") - minutes(8))),
            (Some(-480_000), None)
        );
        assert_eq!(
            offsets(&col("l.at").lt(col("r.at") + minutes(60))),
            (None, Some(-3_600_000))
        );
    }

    #[test]
    fn the_longest_time_counts() {
        let condition = col("l.at")
            .gt(col("r.at"))
            .and(col("l.at").gt(col("r.at") - minutes(5)));
        assert_eq!(offsets(&condition), (Some(-300_000), None));
    }

    #[test]
    fn any_event_time_of_a_side_may_be_bounded() {
        let time = DataType::Timestamp(TimeUnit::Microsecond, None);
        let marked = |name: &str| with_mark(&Field::new(name, time.clone(), true), 0);
        let schema = Schema::new(vec![marked("at"), marked("later")]);
        let joined = DFSchema::try_from_qualified_schema("l", &schema).expect("a schema");
        let condition = col("r.at").lt(col("l.later") + minutes(1));
        let bound = StateBound {
            time: Some(1),
            offset_us: -60_000_000,
        };
        assert_eq!(state_bound(&[&condition], &joined, &side("r")), Some(bound));
    }

    #[test]
    fn other_columns_and_months_bound_nothing() {
        let month = lit(ScalarValue::IntervalMonthDayNano(Some(
            IntervalMonthDayNano::new(1, 0, 0),
        )));
        for condition in [
            col("l.other").gt(col("r.at")),
            col("l.at").gt(col("r.at") - month),
            col("l.at").eq(col("r.at")),
            col("l.at").gt(lit(5_i64)),
            (col("l.at") + (col("l.at") - col("r.at"))).gt(col("r.at")),
            !col("l.at").between(col("r.at"), col("r.at") + minutes(1)),
        ] {
            assert_eq!(offsets(&condition), (None, None), "{condition}");
        }
    }
}
