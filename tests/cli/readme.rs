//! What the README shows is right: its SQL runs and gives its output; and the library's page has the example's program.

use std::fs;
use std::path::Path;

use crate::process::Workplace;

/// A page's code blocks of a language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let page = file(page);
    let opening = format!("```{language}\n");
    let rests = page.split(&opening).skip(1);
    let blocks = rests.map(|rest| rest.split("```").next().unwrap_or_default().to_owned());
    let blocks = blocks.collect::<Vec<_>>();
    assert!(!blocks.is_empty(), "the page has {language}");
    blocks
}

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("a file of the project")
}

#[test]
fn its_pipeline_runs() {
    let shown = blocks("README.md", "text");
    for sql in blocks("README.md", "sql") {
        let ended = Workplace::new().highwater_with_stdin(&["run", "-"], &sql);
        assert_eq!(ended.code, Some(0), "{sql}\n{}", ended.stderr);
        assert!(
            shown
                .iter()
                .any(|block| *block == format!("{}\n", ended.stdout.trim_end())),
            "{}",
            ended.stdout
        );
    }
}

#[test]
fn its_mistake_is_told_as_it_says() {
    let scripts = blocks("README.md", "sh");
    let script = scripts
        .iter()
        .find_map(|block| block.split_once("<<'SQL'\n"))
        .and_then(|(_, rest)| rest.strip_suffix("SQL\n"))
        .expect("a script on stdin");
    let ended = Workplace::new().highwater_with_stdin(&["check", "-"], script);
    assert_eq!(ended.code, Some(2));
    assert!(
        blocks("README.md", "text").contains(&ended.stderr),
        "{}",
        ended.stderr
    );
}

#[test]
fn its_program_is_the_example() {
    let program = blocks("docs/library.md", "rust").remove(0);
    let example = file("examples/spend_by_user.rs");
    assert!(
        example.ends_with(&program),
        "the page has another program:\n{program}"
    );
}
