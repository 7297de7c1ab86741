//! What SET knows: Spark's names where Spark has one.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::execution::QueryOptions;
use crate::execution::watermark::WatermarkPolicy;
use crate::suggest::did_you_mean;

const POLICY: &str = "spark.sql.streaming.multipleWatermarkPolicy";
const RETAIN: &str = "spark.sql.streaming.minBatchesToRetain";
const PROGRESS: &str = "spark.sql.streaming.numRecentProgressUpdates";
const NO_DATA: &str = "spark.sql.streaming.noDataMicroBatches.enabled";
const CHECKPOINT: &str = "spark.sql.streaming.checkpointLocation";
const TIME_ZONE: &str = "spark.sql.session.timeZone";

const KNOWN: [(&str, &str); 6] = [
    (POLICY, "min or max"),
    (RETAIN, "a whole number from 2 on"),
    (PROGRESS, "a whole number from 1 on"),
    (NO_DATA, "true or false"),
    (CHECKPOINT, "a folder"),
    (TIME_ZONE, "UTC or a region such as Europe/Oslo"),
];

/// A session's settings.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    values: BTreeMap<&'static str, String>,
    query: QueryOptions,
}

impl Settings {
    /// Changes a setting; names are case-insensitive.
    ///
    /// # Errors
    ///
    /// A statement error for an unknown setting or a wrong value.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let Some((name, allowed)) = KNOWN.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)) else {
            let names = KNOWN.map(|(name, _)| name);
            let hint = match did_you_mean(key, names) {
                Some(name) => format!("Did you mean \"{name}\"?"),
                None => format!("The settings are {}.", names.join(", ")),
            };
            return Err(Error::statement(format!("there is no setting \"{key}\"")).hint(hint));
        };
        let wrong = || {
            Error::statement(format!("setting \"{name}\" cannot be '{value}'"))
                .hint(format!("It takes {allowed}."))
        };
        match *name {
            POLICY => {
                self.query.watermark_policy = match value.to_ascii_lowercase().as_str() {
                    "min" => WatermarkPolicy::Min,
                    "max" => WatermarkPolicy::Max,
                    _ => return Err(wrong()),
                }
            }
            RETAIN => {
                let batches = value.parse().ok().filter(|batches| *batches >= 2);
                self.query.min_batches_to_retain = batches.ok_or_else(wrong)?;
            }
            PROGRESS => {
                let updates = value.parse().ok().filter(|updates| *updates >= 1);
                self.query.num_recent_progress = updates.ok_or_else(wrong)?;
            }
            NO_DATA => {
                self.query.no_data_batches = value.to_ascii_lowercase().parse().map_err(|_| wrong())?;
            }
            TIME_ZONE if value.parse::<chrono_tz::Tz>().is_err() => return Err(wrong()),
            _ => {}
        }
        self.values.insert(name, value.to_owned());
        Ok(())
    }

    /// What was set, by its name.
    pub fn changed(&self) -> BTreeMap<String, String> {
        let values = self.values.iter();
        values
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect()
    }

    /// What a new query takes from here.
    pub fn query_options(&self) -> QueryOptions {
        self.query
    }

    /// The session's time zone; UTC unless set.
    pub fn time_zone(&self) -> &str {
        self.values.get(TIME_ZONE).map_or("UTC", String::as_str)
    }

    /// Where checkpoints go that are not told a folder, if it is set.
    pub fn checkpoint_root(&self) -> Option<&str> {
        self.values.get(CHECKPOINT).map(String::as_str)
    }
}
