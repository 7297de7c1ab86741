//! Statements that are wrong: each is refused with its place, a reason and a hint, before anything runs.
#![allow(missing_docs)]

use std::fmt::Write as _;
use std::process::Command;

use highwater::error::ErrorKind;
use highwater::session::Session;

fn blocks() -> Vec<&'static str> {
    include_str!("bad/statements.sql").split("\n----\n").collect()
}

#[tokio::test]
async fn each_says_where_why_and_what_instead() {
    let session = Session::new().expect("a session");
    let mut report = String::new();
    assert!(blocks().len() >= 40);
    for block in blocks() {
        // The folder `events` of the list is the sample's. Tests run in the crate's folder, and a relative path keeps columns the same
        // wherever that is.
        let text = block.replace("'events'", "'sample-data/events'");
        let error = session.check_script(&text).await.expect_err(block);
        assert_eq!(error.kind(), ErrorKind::Statement, "{block}\n{}", error.report());
        let place = error
            .position()
            .unwrap_or_else(|| panic!("no place: {block}\n{}", error.report()));
        assert!(
            error.hint_text().is_some(),
            "no hint: {block}\n{}",
            error.report()
        );
        let said = error.report().replace(
            &std::env::current_dir().expect("a folder").display().to_string(),
            ".",
        );
        writeln!(report, "{block}\n    {place}: {}\n", said.replace('\n', "\n    ")).expect("writes");
    }
    insta::assert_snapshot!(report);
}

#[test]
fn the_binary_ends_with_exit_code_2_and_names_line_and_column() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("events")).expect("a folder of events");
    for block in blocks() {
        let script = folder.path().join("bad.sql");
        std::fs::write(&script, block).expect("writes");
        let mut command = Command::new(env!("CARGO_BIN_EXE_highwater"));
        let done = command
            .arg("run")
            .arg(&script)
            .current_dir(folder.path())
            .output()
            .expect("runs");
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{block}\n{said}");
        assert!(
            said.contains("bad.sql:") && said.contains("hint: "),
            "{block}\n{said}"
        );
        assert!(done.stdout.is_empty(), "{block}");
    }
}
