//! What `docs/sql.md` says is so: every example runs and gives what the page shows, and its table of functions is whole.
//!
//! With `HIGHWATER_REWRITE_DOCS=1` the outputs and the table are written into the page instead of compared; read the
//! difference before it is committed.
#![allow(missing_docs)]

mod functions;
mod page;
mod play;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use page::{Kind, Page};
use play::Played;

/// No example may take longer.
const TIMEOUT: Duration = Duration::from_mins(1);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page_path() -> PathBuf {
    root().join("docs/sql.md")
}

/// A page as it should be, and what is wrong with it as it is.
struct Checked {
    text: String,
    /// What writing `text` mends.
    outdated: Vec<String>,
    /// What it does not.
    failed: Vec<String>,
}

/// One test, since the examples' relative paths need the process's current folder, and the table is in the same file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_is_right() {
    let text = fs::read_to_string(page_path()).expect("the page");
    let examples = check_examples(&text).await;
    let table = functions::check_table(&examples.text).await;
    let mut wrong = examples.failed;
    wrong.extend(table.failed);
    if std::env::var_os("HIGHWATER_REWRITE_DOCS").is_some() {
        fs::write(page_path(), table.text).expect("the page");
    } else {
        wrong.extend(examples.outdated);
        wrong.extend(table.outdated);
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
}

/// Runs every example: the first one by itself, each other one behind it.
async fn check_examples(text: &str) -> Checked {
    let mut page = Page::read(text);
    assert!(page.blocks.len() >= 60, "only {} examples", page.blocks.len());
    let prelude = page.blocks[0].sql.clone();
    let (mut outdated, mut failed, mut outputs) = (Vec::new(), Vec::new(), Vec::new());
    for (index, block) in page.blocks.iter().enumerate() {
        let script = match index {
            0 => prelude.clone(),
            _ => format!("{prelude}\n{}", block.sql),
        };
        let played = play_in_new_folder(&script).await;
        let place = format!("docs/sql.md:{}", block.line);
        let actual = match (block.kind, played.error) {
            (Kind::Runs, None) => played.shown,
            (Kind::Fails, Some(error)) => error,
            (Kind::Runs, Some(error)) => {
                failed.push(format!("{place} fails\n{error}"));
                continue;
            }
            (Kind::Fails, None) => {
                failed.push(format!(
                    "{place} is marked as an error and runs\n{}",
                    played.shown
                ));
                continue;
            }
        };
        let actual = actual.trim_end().to_owned();
        match &block.shown {
            Some(shown) if play::comparable(shown) == play::comparable(&actual) => {}
            Some(shown) => {
                outdated.push(format!("{place} shows\n{shown}\nand gives\n{actual}"));
                outputs.push((index, actual));
            }
            None if block.kind == Kind::Fails => failed.push(format!("{place} shows no message: {actual}")),
            None => {}
        }
    }
    page.replace(&outputs);
    Checked {
        text: page.text(),
        outdated,
        failed,
    }
}

async fn play_in_new_folder(script: &str) -> Played {
    let folder = tempfile::tempdir().expect("a folder");
    play::copy(&root().join("sample-data"), &folder.path().join("sample-data"));
    std::env::set_current_dir(folder.path()).expect("the folder");
    let played = tokio::time::timeout(TIMEOUT, play::play(script)).await;
    std::env::set_current_dir(root()).expect("the project's folder");
    played.unwrap_or_else(|_| Played {
        shown: String::new(),
        error: Some("takes too long".to_owned()),
    })
}
