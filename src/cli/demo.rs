//! `highwater demo`: the workbench on the bundled pipeline.

use std::sync::Arc;

use clap::Args;

use super::output::{Output, OutputFormat};
use super::{EngineOptions, SUCCESS, WorkbenchOptions, fail};
use crate::engine::Engine;
use crate::error::Result;

/// Open the workbench on a bundled pipeline: several queries over made-up shop events.
///
/// It needs nothing, never ends, and keeps nothing: all that it writes is in a temporary folder.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {}

/// Gives the exit code.
pub(super) fn run(
    _args: DemoArgs,
    theme: Option<String>,
    make_engine: impl FnOnce(EngineOptions) -> Result<Arc<dyn Engine>>,
    run_workbench: impl FnOnce(Arc<dyn Engine>, WorkbenchOptions) -> Result<()>,
) -> u8 {
    let options = EngineOptions {
        is_temporary: true,
        ..EngineOptions::default()
    };
    let workbench = WorkbenchOptions {
        scripts: Vec::new(),
        is_demo: true,
        theme,
    };
    match make_engine(options).and_then(|engine| run_workbench(engine, workbench)) {
        Ok(()) => SUCCESS,
        Err(error) => fail(&mut Output::of_process(OutputFormat::Text), &error, None),
    }
}
