//! The command line: what can be asked, and which answer it gets.
//!
//! Parsing comes first and starts nothing, so `--help` and `--version` answer at once. The engine and the workbench
//! come in as functions: this module knows them only by [`Engine`] and by what they are to do.
//!
//! # Layout
//!
//! - `run`, `check`, `checkpoint`, `demo`, `workbench`, `snapshot`: one file a command
//! - `headless`: what `run` does between the first statement and the exit code
//! - `output`: the one place that writes to stdout and stderr
//! - `diagnostic`: errors with the place in the script that they mean
//! - `script`: the text of a pipeline and where it came from
//! - `log`: warnings on stderr
//! - `signals`: SIGINT and SIGTERM

mod check;
mod checkpoint;
mod demo;
mod diagnostic;
mod headless;
mod log;
mod output;
mod run;
mod script;
mod signals;
mod snapshot;
mod workbench;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};

pub use script::Script;
pub use snapshot::{PictureFormat, PictureOptions};
pub use workbench::WorkbenchArgs;

use self::output::{Output, OutputFormat};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, ErrorReport, Result};

/// Everything went well, all queries included.
const SUCCESS: u8 = 0;
/// A query failed, or something that it needs.
const FAILURE: u8 = 1;
/// The command line or a statement was wrong, and nothing was run.
const USAGE: u8 = 2;
/// A signal ended it, after the batch in hand was committed.
const INTERRUPTED: u8 = 130;

const EXAMPLES: &str = "\
Examples:
  highwater demo                          see streaming queries at work; needs nothing
  highwater pipeline.sql                  open the workbench with these queries running
  highwater run pipeline.sql              run them without a screen, until all have ended
  highwater check pipeline.sql            find mistakes, run nothing
  highwater checkpoint FOLDER             look into a checkpoint, change nothing
  highwater snapshot pipeline.sql         a picture of the workbench, without a terminal

Exit codes: 0 all went well, 1 a query failed, 2 the command line or a statement was wrong
and nothing was run, 130 interrupted after the batch in hand was committed.";

/// A terminal workbench for streaming queries.
///
/// Without a command it opens the workbench: all streaming queries of this folder's workspace with their progress,
/// state and results, live. The queries of the files are started in it.
#[derive(Debug, Parser)]
#[command(name = "highwater", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    /// Pipelines to start in the workbench.
    #[arg(value_name = "FILE.sql")]
    files: Vec<PathBuf>,

    /// Remember streams, tables, views and queries in this folder. The workbench uses .highwater unless told
    /// otherwise, `run` and `check` use none.
    #[arg(long, value_name = "DIR", global = true)]
    workspace: Option<PathBuf>,

    #[command(flatten)]
    workbench: WorkbenchArgs,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::DemoArgs),
    Run(run::RunArgs),
    Check(check::CheckArgs),
    Checkpoint(checkpoint::CheckpointArgs),
    Snapshot(snapshot::SnapshotArgs),
}

/// What a command needs of an engine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EngineOptions {
    /// The folder that remembers streams, tables, views and queries; `None`: nothing is read or kept.
    pub workspace: Option<PathBuf>,
    /// Where the checkpoints of queries are that name none.
    pub checkpoint_root: Option<PathBuf>,
    /// Every query's trigger becomes AVAILABLE NOW.
    pub available_now: bool,
    /// Workspace and checkpoints are in a temporary folder that goes away with the engine: the demo.
    pub is_temporary: bool,
}

/// How a front end came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was left.
    Left,
    /// A signal ended it.
    Interrupted,
}

impl Ended {
    fn code(self) -> u8 {
        match self {
            Self::Left => SUCCESS,
            Self::Interrupted => INTERRUPTED,
        }
    }
}

/// What the workbench is opened with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkbenchOptions {
    /// The pipelines to start.
    pub scripts: Vec<Script>,
    /// The bundled pipeline is to be started.
    pub is_demo: bool,
    /// The bundled pipeline is to be shown step by step.
    pub is_tour: bool,
    /// How it looks and what may be done in it.
    pub workbench: WorkbenchArgs,
}

impl Cli {
    /// Carries the command out. `make_engine` is called at most once, when nothing is wrong with the command line;
    /// `run_workbench` has the terminal until it returns, with whether a signal ended it; `take_picture` draws without one.
    pub fn run(
        self,
        make_engine: impl FnOnce(EngineOptions) -> Result<Arc<dyn Engine>>,
        run_workbench: impl FnOnce(Arc<dyn Engine>, WorkbenchOptions) -> Result<Ended>,
        take_picture: impl FnOnce(Arc<dyn Engine>, PictureOptions) -> Result<String>,
    ) -> ExitCode {
        let Self {
            files,
            workspace,
            workbench,
            command,
        } = self;
        log::begin();
        let run_workbench = |engine, options| log::without_log(|| run_workbench(engine, options));
        ExitCode::from(match command {
            Some(Command::Run(args)) => run::run(args, workspace, make_engine),
            Some(Command::Check(args)) => check::run(&args, workspace, make_engine),
            Some(Command::Checkpoint(args)) => checkpoint::run(&args),
            Some(Command::Demo(args)) => demo::run(args, workbench, make_engine, run_workbench),
            Some(Command::Snapshot(args)) => snapshot::run(&args, make_engine, take_picture),
            None => workbench::run(&files, workspace, workbench, make_engine, run_workbench),
        })
    }
}

/// Stops every query after its batch in hand: what a workbench does last. Says so if it takes a moment; SIGINT or SIGTERM
/// cuts it short, and what is committed is safe.
///
/// # Errors
///
/// What the engine says.
pub async fn stop_all(engine: &dyn Engine) -> Result<()> {
    let interrupt = signals::interrupts()?;
    let mut stop = engine.execute(crate::engine::Command::StopAll);
    let patience = tokio::time::sleep(Duration::from_millis(500));
    let mut output = Output::of_process(OutputFormat::Text);
    tokio::select! {
        stopped = &mut stop => return stopped.map(|_| ()),
        () = patience => output.narrate("stopping when the batch in hand is committed; interrupt to stop at once"),
    }
    tokio::select! {
        stopped = stop => stopped.map(|_| ()),
        () = interrupt => Ok(()),
    }
}

/// Says what went wrong and gives the exit code for it.
fn fail(output: &mut Output, error: &Error, script: Option<&Script>) -> u8 {
    output.error(&ErrorReport::from(error), script);
    exit_code(error)
}

fn exit_code(error: &Error) -> u8 {
    match error.kind() {
        ErrorKind::Statement => USAGE,
        ErrorKind::Checkpoint
        | ErrorKind::Source
        | ErrorKind::Sink
        | ErrorKind::Execution
        | ErrorKind::Internal => FAILURE,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_shows_the_commands_with_examples() {
        let help = Cli::command().render_long_help().to_string();
        for expected in [
            "[FILE.sql]...",
            "demo",
            "run",
            "check",
            "checkpoint",
            "--workspace <DIR>",
            "--theme <NAME>",
            "--config <FILE>",
            "--read-only",
            "snapshot",
            "Examples:",
        ] {
            assert!(help.contains(expected), "{expected} in {help}");
        }
        let mut command = Cli::command();
        let run = command.find_subcommand_mut("run").expect("a command");
        let help = run.render_long_help().to_string();
        for expected in [
            "--available-now",
            "--for <DURATION>",
            "--output <FORMAT>",
            "--checkpoint-root <DIR>",
        ] {
            assert!(help.contains(expected), "{expected} in {help}");
        }
    }

    #[test]
    fn options_may_stand_on_either_side_of_the_command() {
        for line in [
            ["highwater", "--workspace", "w", "run", "a.sql"],
            ["highwater", "run", "a.sql", "--workspace", "w"],
        ] {
            let cli = Cli::try_parse_from(line).expect("a command line");
            assert_eq!(cli.workspace, Some(PathBuf::from("w")));
            assert!(matches!(cli.command, Some(Command::Run(_))));
        }
    }

    #[test]
    fn files_alone_open_the_workbench() {
        let cli =
            Cli::try_parse_from(["highwater", "a.sql", "b.sql", "--theme", "light"]).expect("a command line");
        assert_eq!(cli.files, [PathBuf::from("a.sql"), PathBuf::from("b.sql")]);
        assert!(cli.command.is_none());
        assert_eq!(cli.workbench.theme.as_deref(), Some("light"));
    }

    #[test]
    fn what_is_wrong_is_usage() {
        for line in [
            &["highwater", "run"][..],
            &["highwater", "run", "a.sql", "--for", "soon"],
            &["highwater", "run", "a.sql", "--output", "xml"],
            &["highwater", "check"],
            &["highwater", "--nonsense"],
        ] {
            let error = Cli::try_parse_from(line).expect_err("a refusal");
            assert_eq!(error.exit_code(), i32::from(USAGE), "{line:?}");
        }
    }
}
