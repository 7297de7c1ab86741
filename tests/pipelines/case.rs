//! A case: a random pipeline with random rows, cut at random, stopped at random. A number makes all of it.

use std::fmt;

use highwater::sink::OutputMode;
use serde_json::Value;

use crate::model;
use crate::rows::{MINUTE_US, Row, Side, flush, random_batches, table_row};
use crate::shape::Shape;
use crate::sources::{Sources, pick};
use crate::support::Random;
use crate::watermark::{Reaching, Watermarks};

/// What happens to the query after a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restart {
    None,
    /// It stops and starts again.
    Same,
    /// It stops, and another session goes on from its checkpoint.
    Other,
}

#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) shape: Shape,
    pub(crate) mode: OutputMode,
    /// How long rows may be late, a side each, in minutes; `None`: there are no watermarks.
    pub(crate) delays: Option<[i64; 2]>,
    pub(crate) filter: Option<i64>,
    /// Whether the sides are streams of their own, of which each batch is a run to the end; or parts of one stream.
    pub(crate) is_separate: bool,
    pub(crate) no_data_batches: bool,
    /// Whether the query goes by the newest of its watermarks.
    pub(crate) is_max: bool,
    /// The rows, and in append mode what pushes the watermark to the end.
    pub(crate) batches: Vec<Vec<Row>>,
    /// A restart after each batch.
    pub(crate) restarts: Vec<Restart>,
}

/// Where the right answer comes from.
pub(crate) enum Expected {
    /// A SELECT over the static tables.
    Select(String),
    /// The test's own model.
    Lines(Vec<String>),
}

/// Longer than rows are late.
const LONG_DELAY_MINUTES: i64 = 10 * 24 * 60;

impl Case {
    pub(crate) fn of(seed: u64) -> Self {
        // Neighbouring numbers are to make different cases.
        let mut random = Random(seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        random.below(2);
        // Of four numbers one makes a longer pipeline, and two may go by the newest watermark. (The numbers that are kept
        // in `seeds.txt` go on to make what they made.)
        let shape = match seed % 4 {
            3 => Shape::random_long(&mut random),
            _ => Shape::random(&mut random),
        };
        let mode = match (&shape, random.below(3)) {
            (Shape::Groups { .. }, 0) => OutputMode::Update,
            (Shape::Groups { .. }, _) | (Shape::Sessions { .. } | Shape::DistinctThenSessions { .. }, 2) => {
                OutputMode::Complete
            }
            (shape, 1) if shape.is_one_aggregate() => OutputMode::Update,
            (shape, 2) if shape.is_one_aggregate() => OutputMode::Complete,
            (Shape::DistinctUpdated { .. }, _) => OutputMode::Update,
            _ => OutputMode::Append,
        };
        let is_timed = mode == OutputMode::Append
            || matches!(shape, Shape::Sessions { .. } | Shape::DistinctThenSessions { .. });
        let delay = if shape.forgets() || random.below(3) == 0 {
            [LONG_DELAY_MINUTES; 2]
        } else {
            [0, 0].map(|_: i64| [0, 1, 5, 20][pick(&mut random, 4)])
        };
        let delays = (is_timed || random.below(2) == 0).then_some(delay);
        let filter = (random.below(4) == 0).then(|| i64::from(random.below(2) == 0));
        let no_data_batches = random.below(4) > 0;
        let mut batches = random_batches(&mut random);
        if shape.sides().contains(&Side::C) {
            let rows = batches.iter_mut().flatten();
            rows.filter(|row| row.seq % 3 == 0)
                .for_each(|row| row.side = Side::C);
        }
        if mode == OutputMode::Append {
            batches.push(flush(shape.sides(), 0));
            if !no_data_batches {
                batches.push(flush(shape.sides(), 1));
            }
        }
        let restarts = batches.iter().map(|_| match random.below(12) {
            0 => Restart::Same,
            1 => Restart::Other,
            _ => Restart::None,
        });
        let restarts = restarts.collect();
        let is_separate = random.below(8) == 0;
        Self {
            seed,
            shape,
            mode,
            delays,
            filter,
            is_separate,
            is_max: matches!(seed % 4, 0 | 3) && random.below(2) == 0,
            no_data_batches,
            batches,
            restarts,
        }
    }

    pub(crate) fn watermarks(&self) -> Watermarks {
        let sides = self.shape.sides().iter();
        let each = sides.map(|side| Some((self.reaching(*side), self.delay_us(*side)?)));
        Watermarks {
            each: each.flatten().collect(),
            is_max: self.is_max,
            no_data_batches: self.no_data_batches
                && self.shape.is_timed()
                && (self.mode != OutputMode::Complete || self.shape.deduplicates()),
        }
    }

    /// The rows of a side that reach its WATERMARK.
    fn reaching(&self, side: Side) -> Reaching {
        let (above, with_key) = self.shape.goes_below(side);
        Reaching {
            side,
            above: above.max(self.filter),
            with_key,
        }
    }

    pub(crate) fn delay_us(&self, side: Side) -> Option<i64> {
        let index = usize::from(side != Side::A);
        self.delays.map(|delays| delays[index] * MINUTE_US)
    }

    /// The SELECT of the query.
    pub(crate) fn query(&self, number: usize) -> String {
        self.shape.sql(&Sources {
            number,
            is_static: false,
            leaves_out_late: false,
            filter: self.filter,
        })
    }

    /// The rows of the static tables.
    pub(crate) fn table_rows(&self, number: usize) -> Vec<Value> {
        let ran = self.watermarks().play(&self.batches);
        let rows = ran.iter().flat_map(|batch| {
            let rows = batch.rows.map_or(&[][..], |index| &self.batches[index]);
            rows.iter().map(|row| table_row(number, row, batch.late_us))
        });
        rows.filter(|row| row["seq"] != 0).collect()
    }

    pub(crate) fn expected(&self, number: usize) -> Expected {
        let ran = self.watermarks().play(&self.batches);
        let is_complete = self.mode == OutputMode::Complete;
        match self.shape {
            Shape::Sessions { gap } | Shape::DistinctThenSessions { gap } => {
                Expected::Lines(model::sessions(
                    gap,
                    is_complete,
                    self.shape.deduplicates(),
                    &self.reaching(Side::A),
                    &self.batches,
                    &ran,
                ))
            }
            Shape::DistinctWithin => {
                let delay_us = self.delay_us(Side::A).unwrap_or(0);
                Expected::Lines(model::distinct_within(
                    delay_us,
                    &self.reaching(Side::A),
                    &self.batches,
                    &ran,
                ))
            }
            _ => Expected::Select(self.shape.sql(&Sources {
                number,
                is_static: true,
                // In complete mode nothing is ever late.
                leaves_out_late: !is_complete,
                filter: self.filter,
            })),
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed {}, output mode {}, {:?}",
            self.seed, self.mode, self.shape
        )?;
        writeln!(f, "  {}", self.query(0))?;
        if let Expected::Select(select) = self.expected(0) {
            writeln!(f, "as a static table: {select}")?;
        }
        writeln!(
            f,
            "delays in minutes {:?}, streams of their own {}, batches without data {}, policy max {}",
            self.delays, self.is_separate, self.no_data_batches, self.is_max
        )?;
        for (rows, restart) in self.batches.iter().zip(&self.restarts) {
            writeln!(f, "  batch, then restart {restart:?}:")?;
            for row in rows {
                writeln!(f, "    {}", table_row(0, row, 0))?;
            }
        }
        let ran = self.watermarks().play(&self.batches);
        for batch in ran {
            let (late, evicted) = (
                crate::rows::iso(batch.late_us),
                crate::rows::iso(batch.eviction_us),
            );
            writeln!(f, "  runs {:?}: late {late}, evicted {evicted}", batch.rows)?;
        }
        Ok(())
    }
}
