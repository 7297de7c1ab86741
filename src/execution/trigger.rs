//! When the next batch may begin: Spark's triggers.

use std::fmt;
use std::time::Duration;

use crate::interval::format_duration_us;

/// When a query's batches run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Trigger {
    /// As soon as there is data.
    #[default]
    Default,
    /// At fixed times, whole multiples of the interval since the epoch; a batch that takes longer skips times.
    ProcessingTime(Duration),
    /// Reads everything that is there at the start, in batches within the rate limits, and ends.
    AvailableNow,
    /// Reads everything that is there in one batch, and ends.
    Once,
}

impl Trigger {
    /// Whether a run ends by itself.
    pub fn ends(self) -> bool {
        matches!(self, Self::AvailableNow | Self::Once)
    }

    /// When the next batch may begin after one that began at `now_ms`: milliseconds since the epoch.
    pub fn next_ms(self, now_ms: i64) -> i64 {
        match self {
            Self::ProcessingTime(interval) => {
                let interval = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1);
                now_ms
                    .div_euclid(interval)
                    .saturating_add(1)
                    .saturating_mul(interval)
            }
            _ => now_ms,
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("as soon as there is data"),
            Self::ProcessingTime(interval) => {
                let us = i64::try_from(interval.as_micros()).unwrap_or(i64::MAX);
                write!(f, "PROCESSING TIME '{}'", format_duration_us(us))
            }
            Self::AvailableNow => f.write_str("AVAILABLE NOW"),
            Self::Once => f.write_str("ONCE"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processing_time_fires_at_whole_multiples_and_skips_what_was_missed() {
        let trigger = Trigger::ProcessingTime(Duration::from_secs(10));
        assert_eq!(
            [0, 1, 9_999, 10_000, 25_000].map(|now| trigger.next_ms(now)),
            [10_000, 10_000, 10_000, 20_000, 30_000]
        );
    }
}
