//! What `window` becomes in a plan where windows slide, so that a time is in several of them.
//!
//! ```text
//!   10 minutes every 4:   |---------|              panes of 2 minutes, the greatest common divisor:
//!                             |---------|          each window is some whole panes,
//!                                 |---------|      each pane is in some whole windows
//!   panes:                |-|-|-|-|-|-|-|-|-|
//! ```
//!
//! A streaming aggregate groups rows by pane and expands the panes' accumulator states into windows afterwards
//! ([`window_pane`], [`WindowSpec::starts_of`]). Where rows themselves are wanted once a window, there are
//! [`window_starts`], a list to unnest, and [`windowed_start`], which says again what unnesting forgets.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, ListArray, TimestampMicrosecondArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, TimestampMicrosecondType};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::functions::window::WindowSpec;
use crate::plan::event_time::{WINDOW_SIZE_KEY, mark_of, with_panes};

impl WindowSpec {
    /// How long a pane is: the greatest common divisor of size and slide.
    pub fn pane_us(&self) -> i64 {
        let (mut a, mut b) = (self.size_us, self.slide_us);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    }

    /// The start of the pane that a time is in.
    pub fn pane_start(&self, time: i64) -> i64 {
        time.wrapping_sub(time.wrapping_sub(self.offset_us).rem_euclid(self.pane_us()))
    }

    /// The starts of the windows that a time is in, or all of a pane if the time is its start, the latest first.
    pub fn starts_of(&self, time: i64) -> impl Iterator<Item = i64> + use<> {
        let (size_us, slide_us) = (self.size_us, self.slide_us);
        let last = self.last_start(time);
        std::iter::successors(Some(last), move |start| start.checked_sub(slide_us))
            .take_while(move |start| start.saturating_add(size_us) > time)
    }

    /// The first pane start whose windows are not all over at `watermark_us`.
    pub fn first_open_pane(&self, watermark_us: i64) -> i64 {
        self.last_start(watermark_us.saturating_sub(self.size_us))
            .saturating_add(self.slide_us)
    }
}

/// The start of the pane that a time is in, marked with what its windows are.
pub fn window_pane(spec: WindowSpec) -> Arc<ScalarUDF> {
    sliding(spec, Part::Pane)
}

/// The starts of the windows that a time is in, the earliest first: a list.
pub fn window_starts(spec: WindowSpec) -> Arc<ScalarUDF> {
    sliding(spec, Part::Starts)
}

/// `windowed_start(start, time)`: the start, marked as a window of the time.
pub fn windowed_start(spec: WindowSpec) -> Arc<ScalarUDF> {
    sliding(spec, Part::Start)
}

fn sliding(spec: WindowSpec, part: Part) -> Arc<ScalarUDF> {
    let num_args = if part == Part::Start { 2 } else { 1 };
    Arc::new(ScalarUDF::from(Sliding {
        spec,
        part,
        signature: Signature::any(num_args, Volatility::Immutable),
    }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    Pane,
    Starts,
    Start,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Sliding {
    spec: WindowSpec,
    part: Part,
    signature: Signature,
}

impl ScalarUDFImpl for Sliding {
    fn name(&self) -> &'static str {
        match self.part {
            Part::Pane => "window_pane",
            Part::Starts => "window_starts",
            Part::Start => "windowed_start",
        }
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let WindowSpec {
            size_us,
            slide_us,
            offset_us,
        } = self.spec;
        let args = args.iter().map(|arg| arg.schema_name().to_string());
        let args = args.collect::<Vec<_>>().join(", ");
        Ok(format!(
            "{}({args}, {size_us}, {slide_us}, {offset_us})",
            self.name()
        ))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(match self.part {
            Part::Pane | Part::Start => types[0].clone(),
            Part::Starts => DataType::List(Arc::new(Field::new_list_field(types[0].clone(), true))),
        })
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let first = &args.arg_fields[0];
        let data_type = self.return_type(&[first.data_type().clone()])?;
        let field = Field::new(self.name(), data_type, first.is_nullable());
        let size = self.spec.size_us.to_string();
        Ok(Arc::new(match self.part {
            Part::Starts => field,
            Part::Pane => with_panes(field.with_metadata(mark_of(first)), self.spec),
            Part::Start => {
                let mut metadata = mark_of(&args.arg_fields[1]);
                metadata.insert(WINDOW_SIZE_KEY.to_owned(), size);
                field.with_metadata(metadata)
            }
        }))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let times = args.args[0].to_array(args.number_rows)?;
        let DataType::Timestamp(_, zone) = times.data_type() else {
            return exec_err!("{} takes a timestamp, not {}", self.name(), times.data_type());
        };
        let typed = times.as_primitive::<TimestampMicrosecondType>();
        Ok(ColumnarValue::Array(match self.part {
            Part::Start => times,
            Part::Pane => {
                let panes = typed.unary::<_, TimestampMicrosecondType>(|time| self.spec.pane_start(time));
                Arc::new(panes.with_timezone_opt(zone.clone())) as ArrayRef
            }
            Part::Starts => {
                let mut starts = Vec::new();
                let lengths = typed.iter().map(|time| {
                    let from = starts.len();
                    starts.extend(time.into_iter().flat_map(|time| self.spec.starts_of(time)));
                    starts[from..].reverse();
                    starts.len() - from
                });
                let offsets = OffsetBuffer::from_lengths(lengths.collect::<Vec<_>>());
                let item = Arc::new(Field::new_list_field(times.data_type().clone(), true));
                let starts = TimestampMicrosecondArray::from(starts).with_timezone_opt(zone.clone());
                Arc::new(ListArray::try_new(item, offsets, Arc::new(starts), None)?)
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every combination of some sizes, slides, offsets and times, against the definition of a window.
    #[test]
    fn a_time_is_in_the_windows_of_its_pane() {
        for (size_us, slide_us, offset_us) in [(10, 5, 0), (10, 4, 3), (10, 3, -2), (7, 7, 1), (6, 1, 0)] {
            let spec = WindowSpec {
                size_us,
                slide_us,
                offset_us,
            };
            for time in -30..30 {
                let by_definition = (-50..50)
                    .rev()
                    .filter(|start: &i64| (start - offset_us).rem_euclid(slide_us) == 0)
                    .filter(|start| *start <= time && time < start + size_us)
                    .collect::<Vec<_>>();
                assert_eq!(spec.starts_of(time).collect::<Vec<_>>(), by_definition);
                let pane = spec.pane_start(time);
                assert!(pane <= time && time < pane + spec.pane_us());
                assert_eq!(spec.starts_of(pane).collect::<Vec<_>>(), by_definition);
                for watermark in -30..30 {
                    let is_over = by_definition.iter().all(|start| start + size_us <= watermark);
                    assert_eq!(is_over, pane < spec.first_open_pane(watermark), "{spec:?} {time}");
                }
            }
        }
    }
}
