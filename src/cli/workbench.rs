//! `highwater [FILE.sql ...]`: the workbench.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::output::{Output, OutputFormat};
use super::{Ended, EngineOptions, Script, WorkbenchOptions, fail};
use crate::engine::Engine;
use crate::error::Result;

/// The workspace of the current folder.
const DEFAULT_WORKSPACE: &str = ".highwater";

/// How the workbench looks and what may be done in it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Args)]
pub struct WorkbenchArgs {
    /// Colours of the workbench: a theme's name (dark, light, high-contrast, colour-blind, terminal), or a .toml file.
    #[arg(long, value_name = "NAME")]
    pub theme: Option<String>,

    /// Keys, theme and layout from this file instead of config.toml in the platform's folder for configuration.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Look only: nothing that changes queries or checkpoints can be done from the keyboard.
    #[arg(long)]
    pub read_only: bool,

    /// Write what is done to this new file, as a script that `highwater run` does again.
    #[arg(long, value_name = "FILE.sql")]
    pub record: Option<PathBuf>,
}

impl WorkbenchArgs {
    /// What is given here, and for the rest what is given there.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            theme: self.theme.or(other.theme),
            config: self.config.or(other.config),
            read_only: self.read_only || other.read_only,
            record: self.record.or(other.record),
        }
    }

    /// The same with paths that stay right in another folder, which the demo goes to.
    pub(super) fn located(self) -> Self {
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        let theme = self.theme.map(|theme| {
            let is_file = Path::new(&theme).extension().is_some() || theme.contains(std::path::is_separator);
            if is_file {
                absolute(theme.into()).display().to_string()
            } else {
                theme
            }
        });
        Self {
            theme,
            config: self.config.map(absolute),
            read_only: self.read_only,
            record: self.record.map(absolute),
        }
    }
}

/// Gives the exit code.
pub(super) fn run(
    files: &[PathBuf],
    workspace: Option<PathBuf>,
    workbench: WorkbenchArgs,
    make_engine: impl FnOnce(EngineOptions) -> Result<Arc<dyn Engine>>,
    run_workbench: impl FnOnce(Arc<dyn Engine>, WorkbenchOptions) -> Result<Ended>,
) -> u8 {
    // Files are read before the terminal is taken: a wrong name is better said on a plain screen.
    let opened = files
        .iter()
        .map(|path| Script::read(path))
        .collect::<Result<Vec<_>>>()
        .and_then(|scripts| {
            let engine = make_engine(EngineOptions {
                workspace: Some(workspace.unwrap_or_else(|| DEFAULT_WORKSPACE.into())),
                ..EngineOptions::default()
            })?;
            let options = WorkbenchOptions {
                scripts,
                is_demo: false,
                is_tour: false,
                workbench: workbench.located(),
            };
            run_workbench(engine, options)
        });
    match opened {
        Ok(ended) => ended.code(),
        Err(error) => fail(&mut Output::of_process(OutputFormat::Text), &error, None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::headless::fake::FakeEngine;
    use super::super::{FAILURE, INTERRUPTED, SUCCESS, USAGE};
    use super::*;
    use crate::engine::Reply;
    use crate::error::Error;

    fn engine() -> Arc<dyn Engine> {
        Arc::new(FakeEngine::new(|_| Ok(Reply::done(String::new()))))
    }

    #[test]
    fn the_workbench_gets_the_scripts_and_the_workspace() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.sql");
        std::fs::write(&path, "SELECT 1;").expect("a file");
        let mut asked = None;
        let mut opened = None;
        let code = run(
            std::slice::from_ref(&path),
            None,
            WorkbenchArgs {
                theme: Some("light".into()),
                ..WorkbenchArgs::default()
            },
            |options| {
                asked = Some(options.clone());
                Ok(engine())
            },
            |_, options| {
                opened = Some(options);
                Ok(Ended::Left)
            },
        );
        assert_eq!(code, SUCCESS);
        assert_eq!(
            asked.and_then(|options| options.workspace),
            Some(DEFAULT_WORKSPACE.into())
        );
        let script = Script {
            sql: "SELECT 1;".into(),
            origin: Some(path),
        };
        let expected = WorkbenchOptions {
            scripts: vec![script],
            is_demo: false,
            is_tour: false,
            workbench: WorkbenchArgs {
                theme: Some("light".into()),
                ..WorkbenchArgs::default()
            },
        };
        assert_eq!(opened, Some(expected));
    }

    #[test]
    fn a_missing_file_opens_nothing() {
        let files = ["no/such/pipeline.sql".into()];
        let code = run(
            &files,
            None,
            WorkbenchArgs::default(),
            |_| unreachable!("no engine is made"),
            |_, _| Ok(Ended::Left),
        );
        assert_eq!(code, USAGE);
        let code = run(
            &[],
            None,
            WorkbenchArgs::default(),
            |_| Ok(engine()),
            |_, _| Err(Error::internal("no terminal")),
        );
        assert_eq!(code, FAILURE);
        let code = run(
            &[],
            None,
            WorkbenchArgs::default(),
            |_| Ok(engine()),
            |_, _| Ok(Ended::Interrupted),
        );
        assert_eq!(code, INTERRUPTED);
    }
}
