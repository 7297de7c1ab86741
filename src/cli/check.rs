//! `highwater check`: finds mistakes and runs nothing.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::output::{Output, OutputFormat};
use super::run::runtime;
use super::{EngineOptions, SUCCESS, Script, fail};
use crate::engine::{Command, Engine};
use crate::error::Result;

const EXAMPLES: &str = "\
Examples:
  highwater check pipeline.sql
  highwater check pipeline.sql && highwater run pipeline.sql";

/// Check a pipeline and run nothing: statements, names, types, output modes, checkpoints.
///
/// The exit code is 0 if `run` would start it, and 2 with the place, the reason and a hint if a statement is wrong.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CheckArgs {
    /// The pipeline, or - for stdin.
    #[arg(value_name = "FILE.sql|-")]
    file: PathBuf,
}

/// Gives the exit code.
pub(super) fn run(
    args: &CheckArgs,
    workspace: Option<PathBuf>,
    make_engine: impl FnOnce(EngineOptions) -> Result<Arc<dyn Engine>>,
) -> u8 {
    let mut output = Output::of_process(OutputFormat::Text);
    let script = match Script::read(&args.file) {
        Ok(script) => script,
        Err(error) => return fail(&mut output, &error, None),
    };
    let options = EngineOptions {
        workspace,
        ..EngineOptions::default()
    };
    let checked = runtime().and_then(|runtime| {
        let engine = make_engine(options)?;
        runtime.block_on(check(engine.as_ref(), &script, &mut output))
    });
    match checked {
        Ok(()) => SUCCESS,
        Err(error) => fail(&mut output, &error, Some(&script)),
    }
}

async fn check(engine: &dyn Engine, script: &Script, output: &mut Output) -> Result<()> {
    let command = Command::Check {
        sql: script.sql.clone(),
        origin: script.origin.clone(),
    };
    output.narrate(&engine.execute(command).await?.sentence);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::headless::fake::{FakeEngine, captured};
    use super::*;
    use crate::engine::Reply;
    use crate::error::Error;

    #[tokio::test]
    async fn a_sentence_or_an_error() {
        let script = Script {
            sql: "SELECT 1;".into(),
            origin: Some("a.sql".into()),
        };
        let engine = FakeEngine::new(|_| Ok(Reply::done("a.sql: 1 statement, no mistakes")));
        let (mut output, said) = captured(OutputFormat::Text);
        check(&engine, &script, &mut output).await.expect("no mistake");
        assert_eq!(said.stderr(), "a.sql: 1 statement, no mistakes\n");
        let expected = Command::Check {
            sql: "SELECT 1;".into(),
            origin: Some("a.sql".into()),
        };
        assert_eq!(engine.commands(), [expected]);

        let engine = FakeEngine::new(|_| Err(Error::statement("no")));
        let error = check(&engine, &script, &mut output).await.expect_err("a mistake");
        assert_eq!(error.message(), "no");
    }
}
