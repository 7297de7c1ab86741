//! The one table of actions: what can be done, by which word, by which keys, and when.
//!
//! Keys, the help bar at the bottom, the `?` overlay and the `:` command line are all made from it, so they cannot
//! disagree. An action that does not apply at the moment says why, in words for the status line.

use ActionId as Id;

use super::app::{App, Mode, Pane, Screen, Tab};

/// Something a person can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ActionId {
    /// Opens the selected query.
    Open,
    /// Goes back to where one came from.
    Back,
    /// Starts the selected query.
    Start,
    /// Stops it.
    Stop,
    /// Stops and starts it.
    Restart,
    /// Forgets it, after a question.
    Drop,
    /// Marks the selected query and goes on to the next.
    Mark,
    /// Marks all queries, or none.
    MarkAll,
    /// Shows a tab of the selected query.
    Tab(Tab),
    /// The tab to the right.
    NextTab,
    /// The tab to the left.
    PreviousTab,
    /// Gives the keyboard to the next pane.
    NextPane,
    /// The pane that has the keyboard takes the whole screen, and back.
    Maximise,
    /// Keeps the picture as it is, and back.
    Freeze,
    /// Shows only the queries that match.
    Filter,
    /// Sorts by a column that is named.
    Sort,
    /// Sorts by the next column.
    SortNext,
    /// Turns the order round.
    SortReverse,
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// One column to the left.
    Left,
    /// One column to the right.
    Right,
    /// One page up.
    PageUp,
    /// One page down.
    PageDown,
    /// The first row.
    Top,
    /// The last row, and following it.
    Bottom,
    /// The query as it was a batch earlier.
    Earlier,
    /// A batch later.
    Later,
    /// Stays at the newest batch, and back.
    Pause,
    /// The present again.
    Live,
    /// Charts show less time.
    ZoomIn,
    /// Charts show more time.
    ZoomOut,
    /// Shows a cell of a result by itself.
    Look,
    /// Shows a result as a table, a chart, or both.
    View,
    /// Draws a chart as bars or as lines.
    Bars,
    /// Charts the next number of a result.
    Measure,
    /// The state of the next operator.
    NextOperator,
    /// Shows what each batch did to a result.
    Changes,
    /// Writes a result to a file.
    Export,
    /// Puts a query's checkpoint aside.
    ResetCheckpoint,
    /// Copies a cell.
    Copy,
    /// Copies a row.
    CopyRow,
    /// Chooses a theme from a list.
    Themes,
    /// Takes a theme that is named.
    Theme,
    /// The table of queries.
    Queries,
    /// The editor.
    Sql,
    /// Streams, tables, views, results.
    Catalog,
    /// All of the engine's log.
    EngineLog,
    /// Runs the text of the editor, or a file.
    Run,
    /// Runs the statement that the cursor is in.
    RunStatement,
    /// Takes the last change of the text back.
    Undo,
    /// Makes it again.
    Redo,
    /// The text that was run before.
    EarlierText,
    /// The text that was run after it.
    LaterText,
    /// Offers words for what is typed.
    Complete,
    /// Shows more, or less, of the log.
    Level,
    /// The command line.
    CommandLine,
    /// Every key with what it does.
    Help,
    /// Draws everything anew.
    Redraw,
    /// Gives the terminal back to the shell until `fg`.
    Suspend,
    /// Stops the queries and leaves.
    Quit,
}

/// What an action's word takes after it on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Argument {
    /// Nothing.
    None,
    /// A query's name; without it, the selected query.
    Query,
    /// A column of the queries table, and `desc`.
    Column,
    /// A theme.
    Theme,
    /// The path of a file.
    File,
    /// Any text.
    Text,
}

/// Whether an action can be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum When {
    /// It can.
    Now,
    /// It has no meaning on this screen: its key is free for other things.
    Elsewhere,
    /// It has, but not now, for this reason.
    No(String),
}

/// One entry of the table.
#[derive(Debug)]
pub(crate) struct Action {
    /// What it does.
    pub(crate) id: ActionId,
    /// Its word on the command line.
    pub(crate) name: &'static str,
    /// What the word takes.
    pub(crate) argument: Argument,
    /// Its keys, the one to show first.
    pub(crate) keys: &'static [&'static str],
    /// A word or two for the help bar; empty: not shown there.
    pub(crate) short: &'static str,
    /// A sentence for the help.
    pub(crate) help: &'static str,
    /// The heading it stands under.
    pub(crate) group: &'static str,
    when: fn(&App) -> When,
}

impl Action {
    /// Whether it can be done now.
    pub(crate) fn when(&self, app: &App) -> When {
        match (self.when)(app) {
            When::Now if app.is_read_only && self.changes_something() => When::No(READ_ONLY.to_string()),
            when => when,
        }
    }

    /// Whether it changes queries or checkpoints.
    fn changes_something(&self) -> bool {
        matches!(
            self.id,
            Id::Start | Id::Stop | Id::Restart | Id::Drop | Id::ResetCheckpoint
        )
    }

    /// The entry with this id.
    pub(crate) fn of(id: ActionId) -> &'static Self {
        // Every id has an entry; the first one stands in for what cannot be.
        ACTIONS
            .iter()
            .find(|action| action.id == id)
            .unwrap_or(&ACTIONS[0])
    }

    /// The entry with this word.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        ACTIONS.iter().find(|action| action.name == name)
    }
}

#[expect(clippy::too_many_arguments, reason = "the columns of the table below")]
const fn entry(
    id: ActionId,
    name: &'static str,
    argument: Argument,
    keys: &'static [&'static str],
    short: &'static str,
    help: &'static str,
    group: &'static str,
    when: fn(&App) -> When,
) -> Action {
    Action {
        id,
        name,
        argument,
        keys,
        short,
        help,
        group,
        when,
    }
}

/// Why nothing is changed.
pub(crate) const READ_ONLY: &str = "this workbench is read-only: queries and checkpoints stay as they are";

/// The headings, in the order in which the help shows them.
pub(crate) const GROUPS: [&str; 7] = [QUERY, SHOW, RESULT, TIME, SQL, MOVE, GENERAL];
const QUERY: &str = "Queries";
const SHOW: &str = "What is shown";
const RESULT: &str = "Results";
const TIME: &str = "Time";
const SQL: &str = "SQL";
const MOVE: &str = "Moving";
const GENERAL: &str = "Highwater";

/// Every action, in the order in which the help bar shows them.
#[rustfmt::skip]
pub(crate) const ACTIONS: &[Action] = &[
    entry(Id::Run, "run", Argument::File, &["f5", "ctrl-r"], "run",
        "Run the text or what is selected of it, or FILE", SQL, on_sql),
    entry(Id::RunStatement, "run-statement", Argument::None, &["f6"], "statement",
        "Run the statement that the cursor is in", SQL, on_sql),
    entry(Id::Complete, "complete", Argument::None, &["ctrl-space"], "",
        "Offer words; Tab takes one", SQL, in_editor),
    entry(Id::EarlierText, "earlier-text", Argument::None, &["ctrl-p", "alt-up"], "earlier",
        "The text that was run before", SQL, on_sql),
    entry(Id::LaterText, "later-text", Argument::None, &["ctrl-n", "alt-down"], "",
        "The text that was run after it", SQL, on_sql),
    entry(Id::Undo, "undo", Argument::None, &["ctrl-u"], "undo",
        "Take the last change of the text back", SQL, in_editor),
    entry(Id::Redo, "redo", Argument::None, &["ctrl-y"], "",
        "Make it again", SQL, in_editor),
    entry(Id::Open, "open", Argument::Query, &["enter"], "open",
        "Open the selected query", QUERY, open),
    entry(Id::Look, "look", Argument::None, &["enter"], "look",
        "The whole row, value by value", RESULT, in_table),
    entry(Id::Stop, "stop", Argument::Query, &["s"], "stop",
        "Stop the query after its batch", QUERY, stop),
    entry(Id::Start, "start", Argument::Query, &["S"], "start",
        "Start it where its checkpoint is", QUERY, start),
    entry(Id::Restart, "restart", Argument::Query, &["R"], "restart",
        "Stop it, if it runs, and start it", QUERY, restart),
    entry(Id::Drop, "drop", Argument::Query, &["D"], "",
        "Forget it, asked first; its checkpoint stays", QUERY, selected),
    entry(Id::ResetCheckpoint, "reset", Argument::Query, &[], "",
        "Begin anew, asked twice; the old one is kept", QUERY, reset),
    entry(Id::Mark, "mark", Argument::None, &["space"], "mark",
        "Mark it: actions act on all that are marked", QUERY, mark),
    entry(Id::MarkAll, "mark-all", Argument::None, &["a"], "",
        "Mark all queries in the table, or none", QUERY, mark),
    entry(Id::Earlier, "earlier", Argument::None, &[","], "earlier",
        "The query as it was a batch earlier", TIME, earlier),
    entry(Id::Later, "later", Argument::None, &["."], "later",
        "A batch later", TIME, later),
    entry(Id::Pause, "pause", Argument::None, &["space"], "pause",
        "Stay at this batch, and back to the present", TIME, has_batches),
    entry(Id::Live, "live", Argument::None, &["end"], "live",
        "Back to the present", TIME, live),
    entry(Id::ZoomIn, "zoom-in", Argument::None, &["+", "="], "",
        "Charts show less time", TIME, on_query),
    entry(Id::ZoomOut, "zoom-out", Argument::None, &["-"], "",
        "Charts show more time", TIME, on_query),
    entry(Id::Tab(Tab::Results), "results", Argument::Query, &["r", "2"], "results",
        "The query's result table", SHOW, results),
    entry(Id::Tab(Tab::Overview), "overview", Argument::Query, &["1"], "",
        "The query's rates, batches, watermark", SHOW, home_or_tab),
    entry(Id::Tab(Tab::State), "state", Argument::Query, &["3"], "",
        "The numbers of its stateful operators", SHOW, home_or_tab),
    entry(Id::Tab(Tab::Plan), "plan", Argument::Query, &["4"], "",
        "Its statement and physical plan", SHOW, home_or_tab),
    entry(Id::Tab(Tab::Progress), "progress", Argument::Query, &["5"], "",
        "Its recent progress as JSON", SHOW, home_or_tab),
    entry(Id::Tab(Tab::Sources), "sources", Argument::Query, &["6"], "",
        "Its sources and its sink", SHOW, home_or_tab),
    entry(Id::Tab(Tab::Log), "log", Argument::Query, &["7"], "",
        "What the engine said about it", SHOW, home_or_tab),
    entry(Id::Queries, "queries", Argument::None, &["f2"], "",
        "All queries", SHOW, not_home),
    entry(Id::Sql, "sql", Argument::File, &["i", "f3"], "SQL",
        "Write and run SQL; with FILE, what is in it", SHOW, not_sql),
    entry(Id::Catalog, "catalog", Argument::None, &["C", "f4"], "catalog",
        "Streams, tables, views and results", SHOW, not_catalog),
    entry(Id::EngineLog, "engine-log", Argument::None, &["L", "f7"], "",
        "All that the engine said", SHOW, not_log),
    entry(Id::Level, "level", Argument::None, &["v"], "level",
        "More or less of the engine's log", SHOW, on_log),
    entry(Id::NextTab, "next-tab", Argument::None, &["tab", "]"], "next tab",
        "The tab to the right", MOVE, on_query),
    entry(Id::PreviousTab, "previous-tab", Argument::None, &["shift-tab", "["], "",
        "The tab to the left", MOVE, on_query),
    entry(Id::NextPane, "next-pane", Argument::None, &["w", "tab", "shift-tab"], "pane",
        "Give the keyboard to the next pane", MOVE, panes),
    entry(Id::Maximise, "maximise", Argument::None, &["e", "f8"], "maximise",
        "Give the pane the whole screen, and back", SHOW, maximise),
    entry(Id::Freeze, "freeze", Argument::None, &["f"], "freeze",
        "Keep the picture while the engine runs on", SHOW, now),
    entry(Id::Filter, "filter", Argument::Text, &["/"], "filter",
        "Only the queries, or rows, with these words", SHOW, filters),
    entry(Id::Sort, "sort", Argument::Column, &[], "",
        "Sort by a column; a second time turns it round", SHOW, has_rows),
    entry(Id::SortNext, "sort-next", Argument::None, &["o"], "sort",
        "Sort by the next column, rows by the cursor's", SHOW, has_rows),
    entry(Id::SortReverse, "sort-reverse", Argument::None, &["O"], "",
        "Turn the order round", SHOW, has_rows),
    entry(Id::View, "view", Argument::None, &["v"], "chart",
        "Table and chart, the chart, or the table", RESULT, shows_result),
    entry(Id::Changes, "changes", Argument::None, &["c"], "changes",
        "The table, or what each batch did to it", RESULT, shows_result),
    entry(Id::Export, "export", Argument::File, &["x"], "",
        "Write all rows to a .csv, .json or .parquet", RESULT, exports),
    entry(Id::Bars, "bars", Argument::None, &["b"], "",
        "Draw the chart as bars or as lines", RESULT, shows_result),
    entry(Id::Measure, "measure", Argument::None, &["m"], "",
        "Chart the next number", RESULT, shows_result),
    entry(Id::Copy, "copy", Argument::None, &["y"], "copy",
        "Copy the cell to the clipboard", RESULT, in_table),
    entry(Id::CopyRow, "copy-row", Argument::None, &["Y"], "",
        "Copy the row as JSON", RESULT, in_table),
    entry(Id::NextOperator, "operator", Argument::None, &["m"], "",
        "The state of the next operator", RESULT, on_state),
    entry(Id::Up, "up", Argument::None, &["up", "k"], "",
        "A row up", MOVE, now),
    entry(Id::Down, "down", Argument::None, &["down", "j"], "",
        "A row down", MOVE, now),
    entry(Id::Left, "left", Argument::None, &["left", "h"], "",
        "A column to the left; in charts a batch earlier", MOVE, now),
    entry(Id::Right, "right", Argument::None, &["right", "l"], "",
        "A column to the right; in charts a batch later", MOVE, now),
    entry(Id::PageUp, "page-up", Argument::None, &["pageup", "ctrl-u", "ctrl-b"], "",
        "A page up", MOVE, now),
    entry(Id::PageDown, "page-down", Argument::None, &["pagedown", "ctrl-d", "ctrl-f"], "",
        "A page down", MOVE, now),
    entry(Id::Top, "top", Argument::None, &["home", "g"], "",
        "The first row", MOVE, now),
    entry(Id::Bottom, "bottom", Argument::None, &["end", "G"], "",
        "The last row; a result follows its new rows", MOVE, now),
    entry(Id::Themes, "themes", Argument::None, &["t"], "",
        "Choose a theme from a list", SHOW, now),
    entry(Id::Theme, "theme", Argument::Theme, &[], "",
        "Take this theme", SHOW, now),
    entry(Id::CommandLine, "command", Argument::None, &[":"], "command",
        "Type a command; Tab completes", GENERAL, now),
    entry(Id::Back, "back", Argument::None, &["esc", "backspace"], "back",
        "Back to where you came from", MOVE, back),
    entry(Id::Help, "help", Argument::None, &["?", "f1"], "help",
        "This page", GENERAL, now),
    entry(Id::Redraw, "redraw", Argument::None, &["ctrl-l"], "",
        "Draw everything anew", GENERAL, now),
    entry(Id::Suspend, "suspend", Argument::None, &["ctrl-z"], "",
        "Back to the shell until fg", GENERAL, now),
    entry(Id::Quit, "quit", Argument::None, &["q", "ctrl-c"], "quit",
        "Stop the queries and leave, asked if some run", GENERAL, now),
];

fn now(_: &App) -> When {
    When::Now
}

fn on_home(app: &App) -> When {
    if app.screen == Screen::Queries {
        When::Now
    } else {
        When::Elsewhere
    }
}

fn on_query(app: &App) -> When {
    applies(matches!(app.screen, Screen::Query(_)))
}

fn not_home(app: &App) -> When {
    applies(app.screen != Screen::Queries)
}

fn on_sql(app: &App) -> When {
    if app.screen == Screen::Sql && app.sql.is_running() {
        return When::No("the last text is still being run".to_string());
    }
    applies(app.screen == Screen::Sql)
}

fn not_sql(app: &App) -> When {
    applies(app.screen != Screen::Sql)
}

fn in_editor(app: &App) -> When {
    applies(app.is_in_editor())
}

fn not_catalog(app: &App) -> When {
    applies(app.screen != Screen::Catalog)
}

fn not_log(app: &App) -> When {
    applies(app.screen != Screen::Log)
}

fn on_log(app: &App) -> When {
    applies(app.screen == Screen::Log)
}

fn applies(here: bool) -> When {
    if here { When::Now } else { When::Elsewhere }
}

fn panes(app: &App) -> When {
    let layout = app.layout();
    if app.maximised || layout.panes.len() + layout.hidden.len() > 1 {
        When::Now
    } else {
        When::Elsewhere
    }
}

/// Marks are of the table of queries.
fn mark(app: &App) -> When {
    match on_home(app) {
        When::Now => selected(app),
        other => other,
    }
}

fn exports(app: &App) -> When {
    match app.selected_query().filter(|_| selected(app) == When::Now) {
        Some(query) if query.result.is_some() => When::Now,
        Some(query) => When::No(format!(
            "{} has no rows to export: only a memory sink keeps them",
            query.name
        )),
        None => When::Elsewhere,
    }
}

fn reset(app: &App) -> When {
    match app.selected_query() {
        Some(query) if query.state.is_active() && selected(app) == When::Now => {
            When::No(format!("{} runs: stop it first", query.name))
        }
        _ => selected(app),
    }
}

fn has_batches(app: &App) -> When {
    if on_query(app) == When::Elsewhere {
        return When::Elsewhere;
    }
    if app.ring().is_empty() {
        return When::No("no batch has run since the workbench opened".to_string());
    }
    When::Now
}

fn earlier(app: &App) -> When {
    match has_batches(app) {
        When::Now if app.place_in_ring() == Some(0) => {
            When::No("this is the oldest batch that is remembered".to_string())
        }
        other => other,
    }
}

fn later(app: &App) -> When {
    match has_batches(app) {
        When::Now if app.past().is_none() => When::No("this is the present".to_string()),
        other => other,
    }
}

fn live(app: &App) -> When {
    if app.past().is_some() {
        When::Now
    } else {
        When::Elsewhere
    }
}

fn maximise(app: &App) -> When {
    if app.layout().panes.len() > 1 || app.maximised {
        When::Now
    } else {
        When::Elsewhere
    }
}

/// There is a query to act on, and it can be seen.
fn selected(app: &App) -> When {
    if !matches!(app.screen, Screen::Queries | Screen::Query(_)) {
        When::Elsewhere
    } else if app.selected_query().is_some() {
        When::Now
    } else {
        When::No("no query is selected".to_string())
    }
}

fn results(app: &App) -> When {
    if app.screen == Screen::Query(Tab::Results) {
        return When::Elsewhere;
    }
    selected(app)
}

fn home_or_tab(app: &App) -> When {
    selected(app)
}

fn in_table(app: &App) -> When {
    if app.is_in_result() || app.is_in_keys() || app.is_in_answer() {
        When::Now
    } else {
        When::Elsewhere
    }
}

fn on_state(app: &App) -> When {
    if app.screen == Screen::Query(Tab::State) {
        When::Now
    } else {
        When::Elsewhere
    }
}

fn shows_result(app: &App) -> When {
    if app.layout().pane(Pane::Result).is_some() {
        When::Now
    } else {
        When::Elsewhere
    }
}

/// Something with rows has the keyboard.
fn has_rows(app: &App) -> When {
    match on_home(app) {
        When::Now => When::Now,
        _ => in_table(app),
    }
}

/// Something that can be filtered is on the screen.
fn filters(app: &App) -> When {
    match app.screen {
        Screen::Catalog | Screen::Log => When::Now,
        _ => has_rows(app),
    }
}

fn open(app: &App) -> When {
    match on_home(app) {
        _ if app.screen == Screen::Catalog => applies(app.entry().is_some()),
        _ if app.is_in_result() || app.is_in_keys() => When::Elsewhere,
        When::Now => selected(app),
        other => other,
    }
}

fn stop(app: &App) -> When {
    match app.targets().as_slice() {
        _ if selected(app) == When::Elsewhere => When::Elsewhere,
        [] => selected(app),
        all if all.iter().any(|query| query.state.is_active()) => When::Now,
        [query] => When::No(format!(
            "{} does not run: it is {}",
            query.name,
            query.state.as_str()
        )),
        many => When::No(format!("none of the {} marked queries runs", many.len())),
    }
}

fn start(app: &App) -> When {
    match app.targets().as_slice() {
        _ if selected(app) == When::Elsewhere => When::Elsewhere,
        [] => selected(app),
        all if all.iter().any(|query| !query.state.is_active()) => When::Now,
        [query] => When::No(format!("{} is {} already", query.name, query.state.as_str())),
        many => When::No(format!("all {} marked queries run already", many.len())),
    }
}

fn restart(app: &App) -> When {
    selected(app)
}

fn back(app: &App) -> When {
    let something = app.screen != Screen::Queries
        || app.maximised
        || !app.filter.is_empty()
        || !app.marked.is_empty()
        || app.is_frozen()
        || app.focus != Pane::Queries
        || !matches!(app.mode, Mode::Normal);
    if something { When::Now } else { When::Elsewhere }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keymap::Key;

    #[test]
    fn every_entry_is_whole_and_every_word_is_its_own() {
        for (at, action) in ACTIONS.iter().enumerate() {
            assert!(GROUPS.contains(&action.group), "{} has no group", action.name);
            assert!(
                !action.help.is_empty() && action.help.len() <= 48,
                "{}: help",
                action.name
            );
            assert!(
                ACTIONS[..at]
                    .iter()
                    .all(|other| other.name != action.name && other.id != action.id)
            );
            for key in action.keys {
                assert!(key.parse::<Key>().is_ok(), "{}: {key}", action.name);
            }
            assert_eq!(Action::of(action.id).name, action.name);
        }
    }
}
