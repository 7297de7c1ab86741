//! Small models of what DataFusion has no word for, batch by batch: sessions, and deduplication within the watermark.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::rows::{MINUTE_US, Row, iso};
use crate::watermark::{Ran, Reaching};

/// A session of one key.
#[derive(Debug, Clone)]
struct Session {
    start_us: i64,
    end_us: i64,
    rows: i64,
    total: Option<i64>,
}

/// The lines of `session_window(at, gap), k, count(*), sum(v)`, behind `DISTINCT ON (k, at)` if `is_distinct`; a complete
/// result shows what is left at the end.
pub(crate) fn sessions(
    gap_minutes: i64,
    is_complete: bool,
    is_distinct: bool,
    reaching: &Reaching,
    batches: &[Vec<Row>],
    ran: &[Ran],
) -> Vec<String> {
    let mut kept = BTreeMap::<Option<String>, Vec<Session>>::new();
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    for batch in ran {
        for row in rows_of(batch, reaching, batches) {
            if is_distinct {
                let is_late = row.at_us.is_some_and(|at_us| at_us <= batch.late_us);
                if is_late || !seen.insert((row.k.clone(), row.at_us)) {
                    continue;
                }
            }
            let Some(start_us) = row.at_us else { continue };
            let end_us = start_us + gap_minutes * MINUTE_US;
            if end_us <= batch.late_us {
                continue;
            }
            let mut session = Session {
                start_us,
                end_us,
                rows: 1,
                total: row.v,
            };
            let of_key = kept.entry(row.k.clone()).or_default();
            // What it touches becomes part of it; that may be long enough to touch another one.
            while let Some(place) = of_key.iter().position(|other| other.touches(&session)) {
                let other = of_key.swap_remove(place);
                session = Session {
                    start_us: session.start_us.min(other.start_us),
                    end_us: session.end_us.max(other.end_us),
                    rows: session.rows + other.rows,
                    total: session
                        .total
                        .map_or(other.total, |total| Some(total + other.total.unwrap_or(0))),
                };
            }
            of_key.push(session);
        }
        if is_complete {
            continue;
        }
        for (k, sessions) in &mut kept {
            for session in sessions.extract_if(.., |session| session.end_us <= batch.eviction_us) {
                lines.push(session.line(k.as_deref()));
            }
        }
    }
    if is_complete {
        for (k, sessions) in &kept {
            lines.extend(sessions.iter().map(|session| session.line(k.as_deref())));
        }
    }
    lines
}

impl Session {
    fn touches(&self, other: &Self) -> bool {
        self.start_us <= other.end_us && other.start_us <= self.end_us
    }

    fn line(&self, k: Option<&str>) -> String {
        let (start, end) = (iso(self.start_us), iso(self.end_us));
        json!({"start": start, "end": end, "k": k, "n": self.rows, "total": self.total}).to_string()
    }
}

/// The lines of `DISTINCT ON (k) WITHIN WATERMARK k, at, seq`.
pub(crate) fn distinct_within(
    delay_us: i64,
    reaching: &Reaching,
    batches: &[Vec<Row>],
    ran: &[Ran],
) -> Vec<String> {
    let mut expires_us = BTreeMap::<Option<String>, i64>::new();
    let mut lines = Vec::new();
    for batch in ran {
        for row in rows_of(batch, reaching, batches) {
            if row.at_us.is_some_and(|at_us| at_us <= batch.late_us) || expires_us.contains_key(&row.k) {
                continue;
            }
            // A row without a time counts as one of 1970.
            expires_us.insert(row.k.clone(), row.at_us.unwrap_or(0) + delay_us);
            lines.push(json!({"k": row.k, "at": row.at_us.map(iso), "seq": row.seq}).to_string());
        }
        expires_us.retain(|_, expires_us| *expires_us > batch.eviction_us);
    }
    lines
}

/// The rows that a batch reads.
fn rows_of<'a>(
    batch: &Ran,
    reaching: &'a Reaching,
    batches: &'a [Vec<Row>],
) -> impl Iterator<Item = &'a Row> {
    let rows = batch.rows.map_or(&[][..], |index| &batches[index]);
    rows.iter().filter(|row| reaching.has(row))
}
