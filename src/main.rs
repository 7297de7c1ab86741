//! Highwater: parse, run, exit code.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use highwater::cli::{Cli, EngineOptions, WorkbenchOptions};
use highwater::engine::{Engine, LocalEngine};
use highwater::error::{Error, Result};
use highwater::session::Session;
use highwater::session::script::ScriptOptions;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    Cli::parse().run(make_engine, run_workbench)
}

/// A session in this process, behind the handle that all front ends know.
fn make_engine(options: EngineOptions) -> Result<Arc<dyn Engine>> {
    let mut builder = Session::builder();
    if let Some(folder) = options.checkpoint_root {
        builder = builder.checkpoint_root(folder);
    }
    let script = ScriptOptions {
        available_now: options.available_now,
    };
    Ok(Arc::new(LocalEngine::new(builder.build()?, script)))
}

/// Where the workbench is plugged in.
fn run_workbench(_engine: Arc<dyn Engine>, _options: WorkbenchOptions) -> Result<()> {
    Err(Error::internal("this build has no workbench"))
}
