//! `highwater run`: a pipeline without a screen.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::output::{Output, OutputFormat};
use super::{EngineOptions, FAILURE, Script, fail, headless, signals};
use crate::engine::Engine;
use crate::error::{Error, Result};

const EXAMPLES: &str = "\
Examples:
  highwater run pipeline.sql --available-now          process what is there, then end
  highwater run pipeline.sql --for 30s                stop after half a minute
  highwater run pipeline.sql --output json | jq .     one JSON object a line: started, batch,
                                                      progress, result, terminated
  echo 'SELECT 1;' | highwater run -                  statements from stdin";

/// Run a pipeline without a screen: its statements in order, then until all queries they started have ended.
///
/// The whole file is checked before its first statement runs. Rows of console sinks and of SELECT go to stdout,
/// everything else to stderr. SIGINT and SIGTERM stop the queries after the batch in hand was committed, a second one
/// stops at once; in both cases the next run goes on from the checkpoints.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct RunArgs {
    /// The pipeline, or - for stdin.
    #[arg(value_name = "FILE.sql|-")]
    file: PathBuf,

    /// Let every query process what is there and end, whatever its trigger says.
    #[arg(long)]
    available_now: bool,

    /// Stop all queries after this time: 30s, 5m, 1h 30m.
    #[arg(long = "for", value_name = "DURATION", value_parser = humantime::parse_duration)]
    run_for: Option<Duration>,

    /// What stdout is made of.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    output: OutputFormat,

    /// Keep the checkpoints of queries that name none in this folder.
    #[arg(long, value_name = "DIR")]
    checkpoint_root: Option<PathBuf>,
}

/// Gives the exit code.
pub(super) fn run(
    args: RunArgs,
    workspace: Option<PathBuf>,
    make_engine: impl FnOnce(EngineOptions) -> Result<Arc<dyn Engine>>,
) -> u8 {
    let mut output = Output::of_process(args.output);
    let script = match Script::read(&args.file) {
        Ok(script) => script,
        Err(error) => return fail(&mut output, &error, None),
    };
    let prepared = runtime().and_then(|runtime| {
        let engine = make_engine(EngineOptions {
            workspace,
            checkpoint_root: args.checkpoint_root,
            available_now: args.available_now,
            is_temporary: false,
        })?;
        Ok((runtime, engine))
    });
    let (runtime, engine) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return fail(&mut output, &error, None),
    };
    let code = runtime.block_on(async {
        match signals::interrupts() {
            Ok(interrupt) => {
                headless::drive(engine.as_ref(), &script, args.run_for, interrupt, &mut output).await
            }
            Err(error) => fail(&mut output, &error, None),
        }
    });
    runtime.shutdown_background();
    code
}

/// The runtime of the front end: one thread that prints, one that waits for signals. The engine has its own.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Error::internal("the front end's threads cannot be started").caused_by(error))
}

/// The exit code of a run whose queries have all ended.
pub(super) fn code_of(has_failure: bool) -> u8 {
    if has_failure { FAILURE } else { super::SUCCESS }
}
