//! Highwater: parse, run, exit code.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use highwater::cli::{Cli, Ended, EngineOptions, PictureFormat, PictureOptions, WorkbenchOptions};
use highwater::engine::{Command, Engine, LocalEngine, Snapshot};
use highwater::error::{Error, Result};
use highwater::session::Session;
use highwater::session::script::ScriptOptions;
use highwater::tui::{Config, Ending, Headless, TuiOptions};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The bundled pipeline.
const DEMO: &str = include_str!("../sample-data/pipelines/demo.sql");

fn main() -> ExitCode {
    Cli::parse().run(make_engine, run_workbench, take_picture)
}

/// A session in this process, behind the handle that all front ends know.
fn make_engine(options: EngineOptions) -> Result<Arc<dyn Engine>> {
    let mut builder = Session::builder();
    let mut folder = None;
    if options.is_temporary {
        let temporary = tempfile::Builder::new().prefix("highwater-").tempdir();
        let temporary = temporary.map_err(|error| {
            Error::internal("a temporary folder for the demo cannot be made").caused_by(error)
        })?;
        // The demo's pipeline names folders relative to the current one.
        std::env::set_current_dir(temporary.path())
            .map_err(|error| Error::internal("the temporary folder cannot be entered").caused_by(error))?;
        folder = Some(temporary);
    }
    if let Some(workspace) = options.workspace {
        builder = builder.workspace(workspace);
    }
    if let Some(root) = options.checkpoint_root {
        builder = builder.checkpoint_root(root);
    }
    let script = ScriptOptions {
        available_now: options.available_now,
    };
    Ok(Arc::new(LocalEngine::open(builder.build()?, script, folder)))
}

/// The workbench on this terminal, until it is left; the queries are stopped then.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the workbench is the engine's last owner"
)]
fn run_workbench(engine: Arc<dyn Engine>, options: WorkbenchOptions) -> Result<Ended> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Error::internal("the workbench's threads cannot be made").caused_by(error))?;
    let mut commands = options.scripts.into_iter().map(Command::from).collect::<Vec<_>>();
    let title = match commands.as_slice() {
        [
            Command::Run {
                origin: Some(path), ..
            },
        ] => path.display().to_string(),
        _ if options.is_demo => "demo.sql".to_owned(),
        _ => String::new(),
    };
    if options.is_demo {
        commands.push(Command::Run {
            sql: DEMO.to_owned(),
            origin: Some("demo.sql".into()),
            rows: None,
        });
    }
    for command in &commands {
        // What is wrong with a pipeline is better said on a plain screen, before the terminal is taken.
        if let (Command::Run { sql, origin, .. }, false) = (command, options.is_demo) {
            let check = Command::Check {
                sql: sql.clone(),
                origin: origin.clone(),
            };
            runtime.block_on(engine.execute(check))?;
        }
    }
    let workbench = options.workbench;
    let config = match workbench.config {
        Some(path) => Config::read(&path)?,
        None => Config::of_person()?,
    };
    let mut tui = TuiOptions {
        title,
        commands,
        is_read_only: workbench.read_only,
        is_tour: options.is_tour,
        record: workbench.record,
        ..TuiOptions::default()
    };
    tui.configure(config);
    if let Some(theme) = workbench.theme {
        tui.theme = theme;
    }
    let result = highwater::tui::run(Arc::clone(&engine), runtime.handle().clone(), tui);
    // Whatever ended the workbench, no batch is cut off, unless somebody does not want to wait for it.
    runtime.block_on(highwater::cli::stop_all(engine.as_ref()))?;
    runtime.shutdown_background();
    result.map(|ending| match ending {
        Ending::Left => Ended::Left,
        Ending::Interrupted => Ended::Interrupted,
    })
}

/// A picture of the workbench on a pipeline that runs for a while.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the picture is taken by the engine's last owner"
)]
fn take_picture(engine: Arc<dyn Engine>, options: PictureOptions) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Error::internal("the picture's threads cannot be made").caused_by(error))?;
    let mut tui = TuiOptions {
        ascii: options.ascii,
        ..TuiOptions::default()
    };
    if let Some(path) = options.script.origin.as_ref().and_then(|path| path.file_name()) {
        tui.title = path.to_string_lossy().into_owned();
    }
    if let Some(theme) = options.theme {
        tui.theme = theme;
    }
    let mut workbench = Headless::open(&tui, options.size.0, options.size.1)?;
    let engine = engine.as_ref();
    runtime.block_on(async {
        engine.execute(Command::from(options.script)).await?;
        if let Some(time) = options.after {
            workbench.watch(engine, tokio::time::sleep(time)).await;
        } else {
            let mut snapshots = engine.watch();
            let ended = async {
                let all_ended =
                    |now: &Arc<Snapshot>| now.queries.iter().all(|query| !query.state.is_active());
                // An engine that is gone runs nothing.
                let _ = snapshots.wait_for(all_ended).await;
            };
            workbench.watch(engine, ended).await;
        }
        workbench.draw()?;
        for key in &options.keys {
            workbench.press(key)?;
            workbench.carry_out(engine).await;
        }
        let picture = workbench.picture(match options.format {
            PictureFormat::Text => highwater::tui::PictureFormat::Text,
            PictureFormat::Ansi => highwater::tui::PictureFormat::Ansi,
            PictureFormat::Svg => highwater::tui::PictureFormat::Svg,
        });
        engine.execute(Command::StopAll).await?;
        picture
    })
}
