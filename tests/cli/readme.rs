//! What the README shows is right: its SQL passes the check, its output is what comes out, its program is the example.

use std::fs;
use std::path::Path;

use crate::process::Workplace;

/// The README's code blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let readme = file("README.md");
    let opening = format!("```{language}\n");
    let rests = readme.split(&opening).skip(1);
    let blocks = rests.map(|rest| rest.split("```").next().unwrap_or_default().to_owned());
    let blocks = blocks.collect::<Vec<_>>();
    assert!(!blocks.is_empty(), "the README has {language}");
    blocks
}

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("a file of the project")
}

#[test]
fn its_pipeline_runs() {
    for sql in blocks("sql") {
        let ended = Workplace::new().highwater_with_stdin(&["run", "-"], &sql);
        assert_eq!(ended.code, Some(0), "{sql}\n{}", ended.stderr);
    }
}

#[test]
fn its_mistake_is_told_as_it_says() {
    let scripts = blocks("sh");
    let script = scripts
        .iter()
        .find_map(|block| block.split_once("<<'SQL'\n"))
        .and_then(|(_, rest)| rest.strip_suffix("SQL\n"))
        .expect("a script on stdin");
    let ended = Workplace::new().highwater_with_stdin(&["check", "-"], script);
    assert_eq!(ended.code, Some(2));
    assert!(blocks("text").contains(&ended.stderr), "{}", ended.stderr);
}

#[test]
fn its_program_is_the_example() {
    let program = blocks("rust").remove(0);
    let example = file("examples/spend_by_user.rs");
    assert!(
        example.ends_with(&program),
        "the README has another program:\n{program}"
    );
}
