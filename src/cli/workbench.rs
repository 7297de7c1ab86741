//! `highwater [FILE.sql ...]`: the workbench.

use std::path::PathBuf;
use std::sync::Arc;

use super::output::{Output, OutputFormat};
use super::{EngineOptions, SUCCESS, Script, WorkbenchOptions, fail};
use crate::engine::Engine;
use crate::error::Result;

/// The workspace of the current folder.
const DEFAULT_WORKSPACE: &str = ".highwater";

/// Gives the exit code.
pub(super) fn run(
    files: &[PathBuf],
    workspace: Option<PathBuf>,
    theme: Option<String>,
    make_engine: impl FnOnce(EngineOptions) -> Result<Arc<dyn Engine>>,
    run_workbench: impl FnOnce(Arc<dyn Engine>, WorkbenchOptions) -> Result<()>,
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
                theme,
            };
            run_workbench(engine, options)
        });
    match opened {
        Ok(()) => SUCCESS,
        Err(error) => fail(&mut Output::of_process(OutputFormat::Text), &error, None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::headless::fake::FakeEngine;
    use super::super::{FAILURE, USAGE};
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
            Some("light".into()),
            |options| {
                asked = Some(options.clone());
                Ok(engine())
            },
            |_, options| {
                opened = Some(options);
                Ok(())
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
            theme: Some("light".into()),
        };
        assert_eq!(opened, Some(expected));
    }

    #[test]
    fn a_missing_file_opens_nothing() {
        let files = ["no/such/pipeline.sql".into()];
        let code = run(
            &files,
            None,
            None,
            |_| unreachable!("no engine is made"),
            |_, _| Ok(()),
        );
        assert_eq!(code, USAGE);
        let code = run(
            &[],
            None,
            None,
            |_| Ok(engine()),
            |_, _| Err(Error::internal("no terminal")),
        );
        assert_eq!(code, FAILURE);
    }
}
