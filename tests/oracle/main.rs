//! Every case of the oracle, one test each: what Spark 4.3 answered must be what the library answers.
#![allow(missing_docs)]

mod case;
mod compare;
mod play;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::case::Case;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
    let not_yet = not_yet(&folder.join("not_yet.txt"));
    let copies = case_files(&folder.join("cases"));
    let paths = [copies.clone(), case_files(&folder.join("own"))].concat();
    let mut trials = Vec::new();
    for path in &paths {
        let (name, path) = (name_of(path), path.clone());
        let is_listed = not_yet.contains(&name);
        trials.push(Trial::test(name, move || Ok(passes(&path)?)).with_ignored_flag(is_listed));
    }
    let listed = paths.iter().filter(|path| not_yet.contains(&name_of(path)));
    let listed = listed.cloned().collect::<Vec<_>>();
    trials.push(Trial::test("what_is_in_not_yet_fails", move || {
        fail_still(&listed)
    }));
    let names = paths.iter().map(|path| name_of(path)).collect::<BTreeSet<_>>();
    trials.push(Trial::test("not_yet_names_cases", move || {
        let unknown = not_yet.difference(&names).collect::<Vec<_>>();
        if unknown.is_empty() {
            return Ok(());
        }
        Err(format!("not_yet.txt names {unknown:?}, which are no cases").into())
    }));
    trials.push(Trial::test("the_copy_equals_the_original", move || {
        let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/oracle/cases");
        is_copy(&copies, &original)
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn passes(path: &Path) -> Result<(), String> {
    let case = Case::read(path)?;
    if case.name != name_of(path) {
        return Err(format!("the case calls itself {}", case.name));
    }
    play::play(&case)
}

/// The list of what does not pass yet only shrinks.
fn fail_still(paths: &[PathBuf]) -> Result<(), Failed> {
    let passing = paths.iter().filter(|path| passes(path).is_ok());
    let names = passing.map(|path| name_of(path)).collect::<Vec<_>>();
    if names.is_empty() {
        return Ok(());
    }
    let names = names.join(", ");
    Err(format!("these pass now, take them out of tests/oracle/not_yet.txt: {names}").into())
}

fn is_copy(copies: &[PathBuf], original: &Path) -> Result<(), Failed> {
    if !original.is_dir() {
        return Ok(());
    }
    let originals = case_files(original);
    let names = |paths: &[PathBuf]| paths.iter().map(|path| name_of(path)).collect::<Vec<_>>();
    if names(copies) != names(&originals) {
        return Err(format!("other cases lie in {}", original.display()).into());
    }
    for (copy, original) in copies.iter().zip(&originals) {
        if fs::read(copy)? != fs::read(original)? {
            return Err(format!("{} differs from {}", copy.display(), original.display()).into());
        }
    }
    Ok(())
}

fn not_yet(path: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(path).expect("the list is part of the project");
    let lines = text.lines().map(str::trim);
    let names = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    names.map(str::to_owned).collect()
}

fn case_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the cases are part of the project");
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    let mut paths = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect::<Vec<_>>();
    paths.sort();
    assert!(!paths.is_empty(), "there are no cases in {}", folder.display());
    paths
}

fn name_of(path: &Path) -> String {
    path.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}
