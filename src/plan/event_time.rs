//! Which column carries event time, as Spark does it: by field metadata.
//!
//! WATERMARK marks its column's field with the delay; the mark travels with the column through projections,
//! joins and unions, into the `window` made from it and out again through `window_time`. A stateful operator
//! finds the event time among its keys by the mark. (Spark: `EventTimeWatermark.delayKey`.)

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field};

use crate::state::store::EvictionTime;

/// The mark: its value is the watermark's delay in milliseconds.
pub const DELAY_KEY: &str = "highwater.watermarkDelayMs";
/// On the start column of a window: the window's size in microseconds. Its event time is its end.
pub const WINDOW_SIZE_KEY: &str = "highwater.windowSizeUs";

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
