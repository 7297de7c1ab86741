//! Which column carries event time, as Spark does it: by field metadata.
//!
//! WATERMARK marks its column's field with the delay; the mark travels with the column through projections,
//! joins and unions, into the `window` made from it and out again through `window_time`. A stateful operator
//! finds the event time among its keys by the mark. (Spark: `EventTimeWatermark.delayKey`.)

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field};

use crate::functions::window::WindowSpec;
use crate::state::store::EvictionTime;

/// The mark: its value is the watermark's delay in milliseconds.
pub const DELAY_KEY: &str = "highwater.watermarkDelayMs";
/// On the start column of a window: the window's size in microseconds. Its event time is its end.
pub const WINDOW_SIZE_KEY: &str = "highwater.windowSizeUs";
/// On a column of pane starts: slide and offset of the windows that they are parts of, in microseconds.
const PANES_KEY: &str = "highwater.panesUs";
/// On the two columns of a session: which bound it is.
const SESSION_KEY: &str = "highwater.sessionBound";

/// Whether the field is marked as event time.
pub fn is_event_time(field: &Field) -> bool {
    field.metadata().contains_key(DELAY_KEY)
}

/// The field's mark, to hand on to a field that is made from it; empty without one.
pub fn mark_of(field: &Field) -> HashMap<String, String> {
    field
        .metadata()
        .get(DELAY_KEY)
        .map(|delay| HashMap::from([(DELAY_KEY.to_owned(), delay.clone())]))
        .unwrap_or_default()
}

/// Marks a field as event time with the delay in milliseconds.
pub fn with_mark(field: &Field, delay_ms: i64) -> Field {
    let mut metadata = field.metadata().clone();
    metadata.insert(DELAY_KEY.to_owned(), delay_ms.to_string());
    field.clone().with_metadata(metadata)
}

/// Takes the mark away.
pub fn without_mark(field: &Field) -> Field {
    let mut metadata = field.metadata().clone();
    metadata.remove(DELAY_KEY);
    field.clone().with_metadata(metadata)
}

/// Marks a field of pane starts with the windows that the panes are parts of.
pub fn with_panes(field: Field, windows: WindowSpec) -> Field {
    let mut metadata = field.metadata().clone();
    let panes = format!("{},{}", windows.slide_us, windows.offset_us);
    metadata.insert(PANES_KEY.to_owned(), panes);
    metadata.insert(WINDOW_SIZE_KEY.to_owned(), windows.size_us.to_string());
    field.with_metadata(metadata)
}

/// The windows that the panes of a field are parts of, where it has pane starts.
pub fn panes_of(field: &Field) -> Option<WindowSpec> {
    let (slide, offset) = field.metadata().get(PANES_KEY)?.split_once(',')?;
    Some(WindowSpec {
        size_us: field.metadata().get(WINDOW_SIZE_KEY)?.parse().ok()?,
        slide_us: slide.parse().ok()?,
        offset_us: offset.parse().ok()?,
    })
}

/// Which bound of a session a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Where the session begins.
    Start,
    /// Where the session ends, itself no longer in it.
    End,
}

impl Bound {
    fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::End => "end",
        }
    }
}

/// Marks a field as a bound of sessions that are to be merged.
pub fn with_session_bound(field: Field, bound: Bound) -> Field {
    let mut metadata = field.metadata().clone();
    metadata.insert(SESSION_KEY.to_owned(), bound.as_str().to_owned());
    field.with_metadata(metadata)
}

/// Whether a field is that bound of sessions that are to be merged.
pub fn is_session_bound(field: &Field, bound: Bound) -> bool {
    field
        .metadata()
        .get(SESSION_KEY)
        .is_some_and(|found| found == bound.as_str())
}

/// The first of some key fields that carries event time: what a state with these keys is evicted by.
pub fn eviction_among<'a>(keys: impl IntoIterator<Item = &'a Field>) -> Option<EvictionTime> {
    keys.into_iter()
        .enumerate()
        .find(|(_, field)| is_event_time(field))
        .map(|(column, field)| EvictionTime {
            column,
            offset_us: match field.data_type() {
                DataType::Struct(_) => 0,
                _ => field
                    .metadata()
                    .get(WINDOW_SIZE_KEY)
                    .and_then(|size| size.parse().ok())
                    .unwrap_or(0),
            },
        })
}
