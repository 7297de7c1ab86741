//! `highwater demo`: the workbench on the bundled pipeline.

use std::sync::Arc;

use clap::Args;

use super::output::{Output, OutputFormat};
use super::{Ended, EngineOptions, WorkbenchArgs, WorkbenchOptions, fail};
use crate::engine::Engine;
use crate::error::Result;

/// Open the workbench on a bundled pipeline: several queries over made-up shop events.
///
/// It needs nothing, never ends, and keeps nothing: all that it writes is in a temporary folder.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Show it step by step, with captions: windows, late data, state, a restart. Any key takes over.
    #[arg(long)]
    tour: bool,

    #[command(flatten)]
    workbench: WorkbenchArgs,
}

/// Gives the exit code.
pub(super) fn run(
    args: DemoArgs,
    workbench: WorkbenchArgs,
    make_engine: impl FnOnce(EngineOptions) -> Result<Arc<dyn Engine>>,
    run_workbench: impl FnOnce(Arc<dyn Engine>, WorkbenchOptions) -> Result<Ended>,
) -> u8 {
    let options = EngineOptions {
        is_temporary: true,
        ..EngineOptions::default()
    };
    let workbench = WorkbenchOptions {
        scripts: Vec::new(),
        is_demo: true,
        is_tour: args.tour,
        workbench: args.workbench.or(workbench).located(),
    };
    match make_engine(options).and_then(|engine| run_workbench(engine, workbench)) {
        Ok(ended) => ended.code(),
        Err(error) => fail(&mut Output::of_process(OutputFormat::Text), &error, None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::SUCCESS;
    use super::super::headless::fake::FakeEngine;
    use super::*;
    use crate::engine::Reply;

    #[test]
    fn the_demo_keeps_nothing() {
        let theme = |name: &str| WorkbenchArgs {
            theme: Some(name.into()),
            ..WorkbenchArgs::default()
        };
        let args = DemoArgs {
            tour: true,
            workbench: theme("light"),
        };
        let mut asked = None;
        let mut opened = None;
        let code = run(
            args,
            theme("dark"),
            |options| {
                asked = Some(options);
                Ok(Arc::new(FakeEngine::new(|_| Ok(Reply::done(String::new())))))
            },
            |_, options| {
                opened = Some(options);
                Ok(Ended::Left)
            },
        );
        assert_eq!(code, SUCCESS);
        let asked = asked.expect("an engine was made");
        assert!(asked.is_temporary && asked.workspace.is_none(), "{asked:?}");
        let opened = opened.expect("the workbench was opened");
        assert_eq!(
            (
                opened.is_demo && opened.is_tour,
                opened.workbench.theme.as_deref()
            ),
            (true, Some("light"))
        );
    }
}
