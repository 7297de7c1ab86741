//! Highwater: parse, run, exit code.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use highwater::cli::{Cli, EngineOptions, WorkbenchOptions};
use highwater::engine::Engine;
use highwater::error::{Error, Result};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    Cli::parse().run(make_engine, run_workbench)
}

/// Where the engine is plugged in.
fn make_engine(_options: EngineOptions) -> Result<Arc<dyn Engine>> {
    Err(Error::internal("this build has no engine"))
}

/// Where the workbench is plugged in.
fn run_workbench(_engine: Arc<dyn Engine>, _options: WorkbenchOptions) -> Result<()> {
    Err(Error::internal("this build has no workbench"))
}
