//! Functions of dates and times. Local times are those of the session's zone.
//!
//! # Layout
//!
//! - `fields`: years, weekdays, seconds and so on of a time
//! - `shift`: so many days, months or hours later, and how many of them lie between
//! - `truncate`: the beginning of a month, an hour and so on
//! - `text`: from texts and to texts, by Java's patterns
//! - `epoch`: numbers of seconds and days since 1970
//! - `make`: from years, months, days and so on
//! - `zone`: from one time zone to another

mod epoch;
mod fields;
mod make;
mod shift;
mod text;
mod truncate;
mod unit;
mod zone;

use std::sync::Arc;

pub(crate) use self::unit::add_interval;
use arrow::array::{ArrayRef, TimestampMicrosecondArray};
use datafusion::logical_expr::ScalarUDF;

/// The functions of this folder.
pub(crate) fn functions() -> Vec<Arc<ScalarUDF>> {
    let mut functions = fields::functions();
    functions.extend(epoch::functions());
    functions.extend(make::functions());
    functions.extend(shift::functions());
    functions.extend(text::functions());
    functions.extend(truncate::functions());
    functions.extend(zone::functions());
    functions
}

/// TIMESTAMPs of microseconds since the epoch.
fn timestamps(micros: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}
