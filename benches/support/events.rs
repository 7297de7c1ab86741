//! Generated events: JSON lines of five columns, about 107 bytes each, the same for the same numbers.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// The columns, in Spark's DDL.
pub(crate) const SCHEMA: &str =
    "event_id STRING, user_id STRING, action STRING, event_time TIMESTAMP, amount DOUBLE";
const ACTIONS: [&str; 6] = ["view", "search", "cart", "purchase", "return", "share"];

/// Makes `files` files of `rows` rows each in a folder under the target folder, unless they are there.
pub(crate) fn generate(name: &str, files: usize, rows: usize) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let done = folder.join("_done");
    if done.exists() {
        return folder;
    }
    fs::create_dir_all(&folder).expect("a folder for generated events");
    let mut random = 42_u64;
    let mut next = move |below: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let mut number = 0_u64;
    for file in 0..files {
        let path = folder.join(format!("events-{file:05}.json"));
        let mut out = BufWriter::new(fs::File::create(&path).expect("a file for generated events"));
        for _ in 0..rows {
            // 40 events a second, from midnight on, up to 20 seconds out of order.
            let millis = number * 25 + next(20_000);
            let (seconds, millis) = (millis / 1000, millis % 1000);
            let (day, hour, minute, second) = (
                1 + seconds / 86_400,
                seconds / 3600 % 24,
                seconds / 60 % 60,
                seconds % 60,
            );
            writeln!(
                out,
                r#"{{"event_id":"e{number:08}","user_id":"u{:05}","action":"{}","event_time":"2026-01-{day:02} {hour:02}:{minute:02}:{second:02}.{millis:03}","amount":{}.{:02}}}"#,
                next(98_000),
                ACTIONS[usize::try_from(next(6)).expect("small")],
                next(500),
                next(100),
            )
            .expect("writes");
            number += 1;
        }
        out.flush().expect("writes");
    }
    fs::write(done, "").expect("writes");
    folder
}
