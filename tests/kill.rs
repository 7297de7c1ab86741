//! The binary is killed at random moments and run again until it comes to its end. Its output must be that of a run that
//! nothing disturbed.
#![allow(missing_docs)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Random, TIMEOUT, parquet_lines, write_events};

const KILLS: usize = 50;
const FILES: usize = 60;

/// One run of the binary.
struct Run {
    child: Child,
    events: Receiver<Value>,
}

/// How a run ended.
enum End {
    /// By itself, and this is what its last SELECT gave.
    Done(Value),
    /// It was killed, after so many batches.
    Killed(usize),
}

impl Run {
    fn start(pipeline: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_highwater"))
            .args(["run", "--output", "json"])
            .arg(pipeline)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stdout = child.stdout.take().expect("a pipe");
        let (sender, events) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // A line that a kill cut off is no event.
                if let Ok(event) = serde_json::from_str(&line)
                    && sender.send(event).is_err()
                {
                    return;
                }
            }
        });
        Self { child, events }
    }

    /// Waits for its end, and kills it if it has not come until `moment`.
    fn end_until(mut self, moment: Instant) -> End {
        let mut batches = 0;
        let mut result = None;
        loop {
            match self
                .events
                .recv_timeout(moment.saturating_duration_since(Instant::now()))
            {
                Ok(event) if event["event"] == "progress" => batches += 1,
                Ok(mut event) if event["event"] == "result" => result = Some(event["rows"].take()),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    self.child.kill().expect("kills");
                    self.child.wait().expect("is over");
                    return End::Killed(batches);
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let output = self.child.wait_with_output().expect("is over");
        let narration = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {narration}", output.status);
        End::Done(result.expect("the SELECT has rows"))
    }
}

/// Writes the pipeline of a folder, with checkpoints and output in it.
fn write_pipeline(folder: &Path, events: &Path) -> PathBuf {
    fs::create_dir_all(folder).expect("a folder");
    let query = |name: &str, mode: &str, sink: &str| {
        format!(
            "CREATE STREAMING QUERY {name} OUTPUT MODE {mode} TRIGGER AVAILABLE NOW CHECKPOINT '{}' SINK {sink}\n\
             AS SELECT window.start AS start, kind, count(*) AS events, sum(n) AS total\n\
             FROM events GROUP BY window(at, '10 minutes'), kind;\n",
            folder.join(name).display()
        )
    };
    let out = folder.join("out");
    let parquet = query(
        "archive",
        "APPEND",
        &format!("parquet OPTIONS (path '{}')", out.display()),
    );
    let text = format!(
        "CREATE STREAM events (at TIMESTAMP, kind STRING, n BIGINT)\n\
         USING json OPTIONS (path '{}', maxFilesPerTrigger '1')\n\
         WATERMARK at DELAY OF INTERVAL 5 MINUTES;\n\
         {parquet}{}AWAIT QUERY archive;\nAWAIT QUERY counted;\n\
         SELECT * FROM counted ORDER BY start, kind;\n",
        events.display(),
        query("counted", "UPDATE", "memory"),
    );
    let path = folder.join("pipeline.sql");
    fs::write(&path, text).expect("a file");
    path
}

#[tokio::test]
async fn fifty_kills_lose_nothing_and_double_nothing() {
    let base = tempfile::tempdir().expect("a folder");
    let events = base.path().join("events");
    write_events(&events, 0..FILES);

    let undisturbed = base.path().join("undisturbed");
    let pipeline = write_pipeline(&undisturbed, &events);
    let begun = Instant::now();
    let End::Done(expected_table) = Run::start(&pipeline).end_until(begun + TIMEOUT) else {
        panic!("a run ends in time");
    };
    let usual = begun.elapsed();
    let expected_files = parquet_lines(&undisturbed.join("out")).await;
    assert!(expected_table.as_array().is_some_and(|rows| rows.len() > 100));
    assert!(expected_files.len() > 100);

    let mut random = Random(20_260_101);
    let (mut kills, mut kills_in_batches, mut pipelines) = (0, 0, 0);
    while kills < KILLS {
        let folder = base.path().join(format!("killed-{pipelines}"));
        let pipeline = write_pipeline(&folder, &events);
        pipelines += 1;
        let table = loop {
            let now = Instant::now();
            let moment = if kills < KILLS {
                let usual_us = u64::try_from(usual.as_micros()).expect("short");
                now + Duration::from_micros(random.below(usual_us))
            } else {
                now + TIMEOUT
            };
            match Run::start(&pipeline).end_until(moment) {
                End::Done(rows) => break rows,
                End::Killed(batches) => {
                    assert!(kills < KILLS, "a run ends in time");
                    kills += 1;
                    kills_in_batches += usize::from(batches > 0);
                }
            }
        };
        assert_eq!(table, expected_table, "after {kills} kills");
        assert_eq!(
            parquet_lines(&folder.join("out")).await,
            expected_files,
            "after {kills} kills"
        );
        fs::remove_dir_all(folder).expect("removes");
    }
    assert!(
        kills_in_batches > KILLS / 5,
        "{kills_in_batches} kills hit a run at work"
    );
}
