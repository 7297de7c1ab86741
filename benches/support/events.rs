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
    let mut number = 0_u64;
    lines(name, files, rows, move |out, next| {
        // 40 events a second, up to 20 seconds out of order.
        let time = timestamp(number * 25 + next(20_000));
        writeln!(
            out,
            r#"{{"event_id":"e{number:08}","user_id":"u{:05}","action":"{}","event_time":"{time}","amount":{}.{:02}}}"#,
            next(98_000),
            ACTIONS[usize::try_from(next(6)).expect("small")],
            next(500),
            next(100),
        )
        .expect("writes");
        number += 1;
    })
}

/// Milliseconds after the first midnight of 2026 as text.
pub(crate) fn timestamp(millis: u64) -> String {
    let (seconds, millis) = (millis / 1000, millis % 1000);
    format!(
        "2026-01-{:02} {:02}:{:02}:{:02}.{millis:03}",
        1 + seconds / 86_400,
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60,
    )
}

/// Makes files of lines in a folder under the target folder, unless they are there. `line` writes one; what it is
/// given beside the file gives pseudo-random numbers below a limit, the same in every run.
pub(crate) fn lines(
    name: &str,
    files: usize,
    rows: usize,
    mut line: impl FnMut(&mut BufWriter<fs::File>, &mut dyn FnMut(u64) -> u64),
) -> PathBuf {
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
    for file in 0..files {
        let path = folder.join(format!("part-{file:05}.json"));
        let mut out = BufWriter::new(fs::File::create(&path).expect("a file for generated events"));
        for _ in 0..rows {
            line(&mut out, &mut next);
        }
        out.flush().expect("writes");
    }
    fs::write(done, "").expect("writes");
    folder
}
