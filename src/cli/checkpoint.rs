//! `highwater checkpoint`: looks into a checkpoint and changes nothing.

use std::path::PathBuf;

use clap::Args;

use super::output::{Output, OutputFormat};
use super::{SUCCESS, fail};
use crate::engine::inspect;
use crate::engine::snapshot::{StateOrder, StateRequest};
use crate::error::{Error, Result};

const EXAMPLES: &str = "\
Examples:
  highwater checkpoint checkpoints/by_hour                     its query, operators and batches
  highwater checkpoint checkpoints/by_hour --operator 0        keys and values of a state
  highwater checkpoint checkpoints/by_hour --operator 0 --batch 12 --find alice --output json";

/// Look into a checkpoint without running its query: offsets, commits, watermark, state keys and values.
///
/// It shows the query, its stateful operators with the number of their keys, and the batches that are kept; with
/// --operator keys and values of one state, as of the last commit or of an earlier batch. Nothing is changed. A
/// checkpoint that a query runs on is refused.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CheckpointArgs {
    /// The checkpoint's folder.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,

    /// Show keys and values of this stateful operator.
    #[arg(long, value_name = "N")]
    operator: Option<u32>,

    /// The state as it was after this batch, instead of the last one.
    #[arg(long, value_name = "N", requires = "operator")]
    batch: Option<u64>,

    /// Only keys that have this text in them, in any case of letters.
    #[arg(long, value_name = "TEXT", requires = "operator")]
    find: Option<String>,

    /// The largest keys first, instead of by key.
    #[arg(long, requires = "operator")]
    largest: bool,

    /// How many keys at most.
    #[arg(long, value_name = "N", requires = "operator", default_value_t = 100)]
    limit: usize,

    /// Tables for people, or one JSON object a line and nothing else.
    #[arg(long, value_enum, default_value_t)]
    output: OutputFormat,
}

/// Gives the exit code.
pub(super) fn run(args: &CheckpointArgs) -> u8 {
    let mut output = Output::of_process(args.output);
    match show(args, &mut output) {
        Ok(()) => SUCCESS,
        Err(error) => fail(&mut output, &error, None),
    }
}

fn show(args: &CheckpointArgs, output: &mut Output) -> Result<()> {
    let tables = match args.operator {
        None => inspect::describe(&args.folder)?,
        Some(operator) => {
            let request = StateRequest {
                operator,
                as_of: args.batch,
                find: args.find.clone(),
                order: if args.largest {
                    StateOrder::Largest
                } else {
                    StateOrder::Key
                },
                offset: 0,
                limit: args.limit,
            };
            vec![inspect::state(&args.folder, &request)?]
        }
    };
    for rows in &tables {
        match output.rows(rows) {
            Err(error) if error.is_broken_pipe() => return Ok(()),
            written => written.map_err(Error::from)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::headless::fake::captured;
    use super::*;
    use crate::checkpoint::{
        BatchCommit, Checkpoint, CheckpointMetadata, CommitRecord, OffsetRecord, QueryShape,
    };
    use crate::execution::watermark::WatermarkPolicy;
    use crate::sink::OutputMode;
    use crate::sink::test_support::rows;
    use crate::state::StateDelta;

    /// Two committed batches of a count by key, and one that a crash cut off.
    fn checkpoint(folder: &Path) {
        let checkpoint = Checkpoint::open(folder).expect("a checkpoint");
        let shape = QueryShape {
            operators: vec!["aggregate by k STRING; computes count(1); keeps BIGINT".to_owned()],
            key_columns: vec![1],
            output_mode: OutputMode::Update,
            sink: "MemorySink".to_owned(),
            sink_keeps_rows: false,
            columns: String::new(),
            watermark_policy: WatermarkPolicy::Min,
        };
        let metadata = CheckpointMetadata::new(uuid::Uuid::nil(), shape);
        checkpoint.set_metadata(&metadata).expect("writes");
        for batch_id in 0..3_u64 {
            let batch = i64::try_from(batch_id).expect("small");
            let offsets = OffsetRecord {
                batch_timestamp_ms: 1_000 * batch,
                batch_watermark_ms: 60_000 * batch,
                sources: [("events".to_owned(), serde_json::json!({"logOffset": batch_id}))].into(),
            };
            checkpoint.write_offsets(batch_id, &offsets, &[]).expect("writes");
            if batch_id == 2 {
                break;
            }
            let record = CommitRecord {
                next_watermark_ms: 60_000 * (batch + 1),
                watermarks_ms: vec![None],
            };
            let change = StateDelta {
                puts: vec![rows(&[("alice", batch + 1), ("bob", 7)])],
                removes: Vec::new(),
            };
            let commit = BatchCommit {
                batch_id,
                record: &record,
                deltas: &[(0, change)],
                sink_entry: None,
                sink_replaces: false,
                keep_from: 0,
            };
            checkpoint.commit(&commit).expect("commits");
        }
    }

    fn shown(folder: &Path, format: OutputFormat, change: impl FnOnce(&mut CheckpointArgs)) -> String {
        let mut args = CheckpointArgs {
            folder: folder.to_owned(),
            operator: None,
            batch: None,
            find: None,
            largest: false,
            limit: 100,
            output: format,
        };
        change(&mut args);
        let (mut output, said) = captured(format);
        match show(&args, &mut output) {
            Ok(()) => said.stdout(),
            Err(error) => error.report(),
        }
    }

    #[test]
    fn batches_operators_and_state_of_a_closed_checkpoint() {
        let folder = tempfile::tempdir().expect("a folder");
        checkpoint(folder.path());
        let text = shown(folder.path(), OutputFormat::Text, |_| {});
        for expected in [
            "|lastCommittedBatch|1",
            "|watermark         |1970-01-01T00:02:00.000Z",
            "|0       |2           |aggregate by k STRING; computes count(1); keeps BIGINT|",
            "|1      |1970-01-01T00:00:01.000Z|1970-01-01T00:01:00.000Z|{\"events\":{\"logOffset\":1}}|yes",
            "|no: it runs again|",
        ] {
            assert!(text.contains(expected), "{expected} in\n{text}");
        }
        let state = |change: fn(&mut CheckpointArgs)| {
            shown(folder.path(), OutputFormat::Json, |args| {
                args.operator = Some(0);
                change(args);
            })
        };
        assert_eq!(
            state(|_| {}),
            "{\"event\":\"result\",\"rows\":[{\"k\":\"alice\",\"n\":2},{\"k\":\"bob\",\"n\":7}]}\n"
        );
        assert_eq!(
            state(|args| (args.batch, args.find) = (Some(0), Some("ALI".to_owned()))),
            "{\"event\":\"result\",\"rows\":[{\"k\":\"alice\",\"n\":1}]}\n"
        );
        let missing = state(|args| args.operator = Some(1));
        assert!(missing.contains("there is no stateful operator 1"), "{missing}");
    }

    #[test]
    fn what_cannot_be_looked_at_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let none = shown(folder.path(), OutputFormat::Text, |_| {});
        assert!(none.contains("there is no checkpoint in"), "{none}");
        let held = Checkpoint::open(folder.path()).expect("a checkpoint");
        let used = shown(folder.path(), OutputFormat::Text, |_| {});
        assert!(used.contains("is in use"), "{used}");
        drop(held);
    }
}
