//! `docs/workbench.md` shows the screens and keys that there are. What is between its marks is made here:
//!
//! ```text
//! <!-- screen: down enter -->   the picture after these keys, and the keys that apply then
//! <!-- actions -->              every action with its keys and its word
//! <!-- end -->
//! ```
//!
//! `just workbench-page` writes the page anew.

use std::fmt::Write as _;
use std::path::Path;

use crate::tui::action::{ACTIONS, Action, GROUPS, When};
use crate::tui::app::App;
use crate::tui::fake::{self, app, press, shop};
use crate::tui::picture;

const END: &str = "<!-- end -->";

#[test]
fn the_page_shows_what_there_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/workbench.md");
    let page = std::fs::read_to_string(&path).expect("the page");
    let made = made_anew(&page);
    if std::env::var_os("HIGHWATER_WRITE_PAGES").is_some() {
        std::fs::write(&path, &made).expect("the page is written");
    } else {
        assert!(
            page == made,
            "docs/workbench.md is out of date: just workbench-page"
        );
    }
    assert!(made.matches("<!-- screen:").count() >= 8, "every screen is there");
}

/// The page with all that is between its marks made anew.
fn made_anew(page: &str) -> String {
    let mut made = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        made.push_str(line);
        made.push('\n');
        let mark = line
            .strip_prefix("<!-- ")
            .and_then(|rest| rest.strip_suffix(" -->"));
        let part = match mark.map(|mark| mark.split_once(':').unwrap_or((mark, ""))) {
            Some(("screen", keys)) => screen(keys),
            Some(("actions", _)) => actions(),
            _ => continue,
        };
        made.push_str(&part);
        assert!(lines.by_ref().any(|line| line == END), "{line} has an end");
        made.push_str(END);
        made.push('\n');
    }
    made
}

fn screen(keys: &str) -> String {
    let (mut app, _) = app(100, 30, shop());
    press(&mut app, &keys.split_whitespace().collect::<Vec<_>>());
    let picture = picture::plain(&fake::buffer(&app));
    format!("```text\n{picture}```\n\n{}\n", keys_of(&app))
}

/// What can be done on a screen, moving about aside.
fn keys_of(app: &App) -> String {
    let shown: Vec<String> = ACTIONS
        .iter()
        .filter(|action| !action.short.is_empty() && action.when(app) == When::Now)
        .filter_map(|action| {
            Some(format!(
                "`{}` {}",
                app.keymap.keys(action.id).first()?,
                action.short
            ))
        })
        .collect();
    shown.join(" · ")
}

fn actions() -> String {
    let (app, _) = app(100, 30, shop());
    let mut table = "| keys | word | does |\n| --- | --- | --- |\n".to_string();
    for group in GROUPS {
        let _ = writeln!(table, "| | | **{group}** |");
        for Action { id, name, help, .. } in ACTIONS.iter().filter(|action| action.group == group) {
            let keys: Vec<String> = app
                .keymap
                .keys(*id)
                .iter()
                .map(|key| format!("`{key}`"))
                .collect();
            let _ = writeln!(table, "| {} | `{name}` | {help} |", keys.join(" "));
        }
    }
    table
}
