//! What each action does.

use std::collections::HashSet;
use std::sync::Arc;

use super::{App, Confirm, Effect, Mode, Pane, Screen, Tab, Then};
use crate::engine::Command;
use crate::engine::snapshot::QuerySnapshot;
use crate::error::Error;
use crate::tui::action::{Action, ActionId, When};
use crate::tui::app::input::Input;
use crate::tui::layout;
use crate::tui::units;

impl App {
    /// Does the first of some actions that applies; if none does, says why.
    pub(super) fn perform_first(&mut self, actions: &[ActionId]) {
        for action in actions {
            match Action::of(*action).when(self) {
                When::Now => return self.perform(*action),
                When::No(reason) => return self.say(reason),
                When::Elsewhere => {}
            }
        }
    }

    /// Does an action that applies.
    pub(super) fn perform(&mut self, action: ActionId) {
        match action {
            ActionId::Open if self.screen == Screen::Catalog => self.open_entry(),
            ActionId::Open => self.go(Screen::Query(Tab::Overview)),
            ActionId::Back => self.back(),
            ActionId::Start => self.execute_on_targets("starting", Command::Start),
            ActionId::Stop => self.execute_on_targets("stopping", Command::Stop),
            ActionId::Restart => self.execute_on_targets("restarting", Command::Restart),
            ActionId::Drop => self.ask_to_drop(),
            ActionId::Mark => self.mark(),
            ActionId::MarkAll => self.mark_all(),
            ActionId::Tab(tab) => self.go(Screen::Query(tab)),
            ActionId::NextTab => self.turn_tab(1),
            ActionId::PreviousTab => self.turn_tab(Tab::ALL.len() - 1),
            ActionId::NextPane => self.next_pane(),
            ActionId::Maximise => self.maximised = !self.maximised,
            ActionId::Freeze => self.turn_freeze(),
            ActionId::Filter => {
                let before = self.filter_text().to_string();
                self.mode = Mode::Filter(Input::new(before.clone()), before);
            }
            ActionId::Sort => self.open_command_line("sort "),
            ActionId::SortNext if self.is_in_keys() => self.turn_key_order(),
            ActionId::NextOperator => self.next_operator(),
            ActionId::SortNext if self.is_in_answer() => self.sort_answer(None),
            ActionId::SortReverse if self.is_in_answer() => self.reverse_answer(),
            ActionId::SortNext if self.is_in_result() => self.sort_result(None),
            ActionId::SortReverse if self.is_in_result() => self.reverse_result(),
            ActionId::SortNext => self.sort = self.sort.by(self.sort.column.next_sorting()),
            ActionId::SortReverse => self.sort = self.sort.by(self.sort.column),
            ActionId::Look => self.open_cell(),
            ActionId::View => self.turn_view(),
            ActionId::Changes => self.turn_change_log(),
            ActionId::Export => self.open_command_line("export "),
            ActionId::ResetCheckpoint => self.ask_to_reset(),
            ActionId::Bars => self.turn_bars(),
            ActionId::Measure => self.next_measure(),
            ActionId::Copy => self.copy(false),
            ActionId::CopyRow => self.copy(true),
            ActionId::Up => self.scroll(self.focus, -1),
            ActionId::Down => self.scroll(self.focus, 1),
            ActionId::Left => self.scroll_sideways(self.focus, -1),
            ActionId::Right => self.scroll_sideways(self.focus, 1),
            ActionId::PageUp => self.scroll(self.focus, -self.page()),
            ActionId::PageDown => self.scroll(self.focus, self.page()),
            ActionId::Top => self.scroll(self.focus, isize::MIN),
            ActionId::Bottom => self.scroll(self.focus, isize::MAX),
            ActionId::Earlier => self.travel(-1),
            ActionId::Later => self.travel(1),
            ActionId::Pause => self.turn_pause(),
            ActionId::Live => self.past = None,
            ActionId::ZoomIn => self.zoom(-1),
            ActionId::ZoomOut => self.zoom(1),
            ActionId::Themes => self.open_themes(),
            ActionId::Theme => self.open_command_line("theme "),
            ActionId::CommandLine => self.open_command_line(""),
            ActionId::Queries => self.go(Screen::Queries),
            ActionId::Sql => self.go(Screen::Sql),
            ActionId::Catalog => self.go(Screen::Catalog),
            ActionId::EngineLog => self.go(Screen::Log),
            ActionId::Run if self.screen == Screen::Sql => self.run_text(false),
            ActionId::Run => self.open_command_line("run "),
            ActionId::RunStatement => self.run_text(true),
            ActionId::Undo => self.undo_text(false),
            ActionId::Redo => self.undo_text(true),
            ActionId::EarlierText => self.turn_history(1),
            ActionId::LaterText => self.turn_history(-1),
            ActionId::Complete => self.offer_words(true),
            ActionId::Level => self.turn_log_level(),
            ActionId::Help => self.mode = Mode::Help(0),
            ActionId::Redraw => self.effects.push(Effect::Redraw),
            ActionId::Suspend => self.effects.push(Effect::Suspend),
            ActionId::Quit => self.ask_to_quit(),
        }
    }

    /// Gives the engine a command for each query that is acted on and that it means something to.
    fn execute_on_targets(&mut self, doing: &str, command: fn(String) -> Command) {
        let all = self.targets();
        let fits = |query: &&&Arc<QuerySnapshot>| {
            let active = query.state.is_active();
            match command(String::new()) {
                Command::Start(_) => !active,
                Command::Stop(_) => active,
                _ => true,
            }
        };
        let names: Vec<String> = all.iter().filter(fits).map(|query| query.name.clone()).collect();
        let count = names.len();
        for name in names {
            self.execute(command(name));
        }
        if count > 1 {
            self.say(format!("{doing} {count} queries ..."));
        }
    }

    fn ask_to_drop(&mut self) {
        let targets = self.targets();
        let runs = targets.iter().filter(|query| query.state.is_active()).count();
        let (question, detail) = match targets.as_slice() {
            [] => return,
            [query] => {
                let runs = if runs > 0 {
                    "It runs, and is stopped first. "
                } else {
                    ""
                };
                let checkpoint = query.checkpoint.display();
                (
                    format!("Drop {}?", query.name),
                    format!("{runs}Its checkpoint stays at {checkpoint}."),
                )
            }
            many => {
                let names: Vec<&str> = many.iter().map(|query| query.name.as_str()).collect();
                let runs = match runs {
                    0 => String::new(),
                    1 => " One runs, and is stopped first.".to_string(),
                    runs => format!(" {runs} run, and are stopped first."),
                };
                (
                    format!("Drop {} queries?", many.len()),
                    format!("{}.{runs} Their checkpoints stay.", names.join(", ")),
                )
            }
        };
        let drops = targets.iter().map(|query| Command::Drop(query.name.clone()));
        self.mode = Mode::Confirm(Confirm {
            question,
            detail,
            words: ("drop", "keep"),
            then: Then::Execute(drops.collect()),
        });
    }

    /// Asks twice: what a query has worked out is put aside.
    fn ask_to_reset(&mut self) {
        let Some(query) = self.selected_query() else {
            return;
        };
        let name = &query.name;
        let batch = query.last_committed;
        let batch = batch.map_or("nothing".to_string(), |batch| {
            format!("{} batches", units::grouped(batch + 1))
        });
        let second = Confirm {
            question: format!("Really begin {name} anew?"),
            detail: format!(
                "{batch} of work are put aside, and its sources are read from their beginning. What it wrote to files \
                 or elsewhere stays there, and may come a second time."
            ),
            words: ("begin anew", "keep"),
            then: Then::Execute(vec![Command::ResetCheckpoint(name.clone())]),
        };
        self.mode = Mode::Confirm(Confirm {
            question: format!("Reset the checkpoint of {name}?"),
            detail: format!(
                "Offsets and state in {} are moved aside; nothing is deleted.",
                query.checkpoint.display()
            ),
            words: ("reset", "keep"),
            then: Then::Ask(Box::new(second)),
        });
    }

    /// Marks the selected query, or takes its mark away, and goes on to the next.
    fn mark(&mut self) {
        if let Some(id) = self.selected
            && !self.marked.remove(&id)
        {
            self.marked.insert(id);
        }
        self.scroll(Pane::Queries, 1);
    }

    /// Marks all queries in the table, or none if all of them are.
    fn mark_all(&mut self) {
        let shown: HashSet<_> = self.rows.iter().map(|query| query.id).collect();
        if shown.is_subset(&self.marked) {
            self.marked.clear();
        } else {
            self.marked.extend(shown);
        }
    }

    fn ask_to_quit(&mut self) {
        let active = self
            .live
            .snapshot
            .queries
            .iter()
            .filter(|query| query.state.is_active())
            .count();
        if active == 0 {
            return self.quit();
        }
        let them = if active == 1 { "It is" } else { "They are" };
        self.mode = Mode::Confirm(Confirm {
            question: format!("Stop {} and quit?", units::plural(active, "query", "queries")),
            detail: format!("{them} stopped after the batch in hand and can be started from there again."),
            words: ("quit", "stay"),
            then: Then::Quit,
        });
    }

    /// Goes to a screen, with the keyboard on its main pane.
    pub(super) fn go(&mut self, screen: Screen) {
        let was_maximised = self.maximised && self.screen == screen;
        self.screen = screen;
        self.maximised = was_maximised;
        self.focus = match screen {
            Screen::Queries => Pane::Queries,
            Screen::Query(Tab::Overview) => Pane::Details,
            Screen::Query(Tab::Results) => Pane::Result,
            Screen::Query(Tab::State) => Pane::State,
            Screen::Query(Tab::Plan) => Pane::Plan,
            Screen::Query(Tab::Progress) => Pane::Batches,
            Screen::Query(Tab::Sources) => Pane::Sources,
            Screen::Query(Tab::Log) => Pane::Log,
            Screen::Sql => Pane::Editor,
            Screen::Catalog => Pane::Entries,
            Screen::Log => Pane::EngineLog,
        };
        self.scrolls.clear();
        if !matches!(screen, Screen::Query(_)) {
            self.past = None;
        }
        if screen == Screen::Sql {
            self.ask_for_words();
        }
    }

    /// One step back: out of the large pane, to the present, to all queries, to the table without marks and filter,
    /// to the live picture.
    fn back(&mut self) {
        if self.maximised {
            self.maximised = false;
        } else if self.past.is_some() {
            self.past = None;
        } else if self.filters_here() && !self.filter_text().is_empty() {
            self.set_filter(String::new());
        } else if self.screen != Screen::Queries {
            self.go(Screen::Queries);
        } else if self.focus != Pane::Queries {
            self.focus = Pane::Queries;
        } else if !self.marked.is_empty() {
            self.marked.clear();
        } else if !self.filter.is_empty() {
            self.filter.clear();
        } else if self.is_frozen() {
            self.turn_freeze();
        }
    }

    /// Whether the pane that has the keyboard, or its screen, has a filter of its own.
    fn filters_here(&self) -> bool {
        let in_rows = self.is_in_result() || self.is_in_keys() || self.is_in_answer();
        in_rows || matches!(self.screen, Screen::Catalog | Screen::Log)
    }

    fn turn_tab(&mut self, by: usize) {
        if let Screen::Query(tab) = self.screen {
            self.go(Screen::Query(tab.turned(by)));
        }
    }

    /// The keyboard goes to the next pane of the screen, hidden ones included: a pane that gets it is shown.
    fn next_pane(&mut self) {
        let layout = self.layout_when(false);
        let mut panes: Vec<Pane> = layout.panes.iter().map(|(pane, _)| *pane).collect();
        panes.extend(&layout.hidden);
        panes.sort_unstable();
        let at = panes.iter().position(|pane| *pane == self.focus);
        if let Some(pane) = panes.get(at.map_or(0, |at| (at + 1) % panes.len())) {
            self.focus = *pane;
        }
    }

    /// Rows of the focused pane.
    fn page(&self) -> isize {
        isize::try_from(self.height_of(self.focus).saturating_sub(1).max(1)).unwrap_or(1)
    }

    fn height_of(&self, pane: Pane) -> usize {
        let Some(area) = self.layout().pane(pane) else {
            return 1;
        };
        match pane {
            Pane::Result => self.result_height(area),
            Pane::Queries | Pane::Batches | Pane::Keys | Pane::Answer | Pane::Entries => {
                usize::from(layout::inside(area).height).saturating_sub(1)
            }
            _ => usize::from(layout::inside(area).height),
        }
    }

    /// Moves in a pane by rows; the extremes are its ends.
    pub(super) fn scroll(&mut self, pane: Pane, rows: isize) {
        match pane {
            Pane::Queries => {
                let last = self.rows.len().saturating_sub(1);
                let at = self
                    .selected_row()
                    .unwrap_or(0)
                    .saturating_add_signed(rows)
                    .min(last);
                self.select(self.rows.get(at).map(|query| query.id));
            }
            Pane::Result => {
                let Some(grid) = self.grid_mut() else { return };
                match rows {
                    isize::MIN => grid.top(),
                    isize::MAX => grid.bottom(),
                    rows => grid.move_rows(rows),
                }
            }
            Pane::Batches | Pane::Timings => self.scroll_batches(rows),
            Pane::Editor => self.move_in_text(rows),
            Pane::Entries => self.select_entry(self.entry_row().saturating_add_signed(rows)),
            Pane::Answer => {
                let Some(answer) = &mut self.sql.answer else {
                    return;
                };
                match rows {
                    isize::MIN => answer.grid.top(),
                    isize::MAX => answer.grid.bottom(),
                    rows => answer.grid.move_rows(rows),
                }
            }
            Pane::Keys => match rows {
                isize::MIN => self.keys.grid.top(),
                isize::MAX => self.keys.grid.bottom(),
                rows => self.keys.grid.move_rows(rows),
            },
            _ => {
                let scroll = self.scrolls.entry(pane).or_default();
                scroll.0 = scroll.0.saturating_add_signed(rows);
                if rows == isize::MIN {
                    scroll.1 = 0;
                }
            }
        }
    }

    /// The list of batches has the newest on top; standing there means to stay with the newest.
    fn scroll_batches(&mut self, rows: isize) {
        match rows {
            isize::MIN => self.past = None,
            isize::MAX => self.travel_to(0),
            _ => {
                self.travel(-rows);
                if self.batch_row() == Some(0) {
                    self.past = None;
                }
            }
        }
    }

    /// Moves in a pane by columns.
    pub(super) fn scroll_sideways(&mut self, pane: Pane, columns: isize) {
        match pane {
            Pane::Result => {
                if let Some(grid) = self.grid_mut() {
                    grid.move_columns(columns);
                }
            }
            Pane::Keys => self.keys.grid.move_columns(columns),
            Pane::Answer => {
                if let Some(answer) = &mut self.sql.answer {
                    answer.grid.move_columns(columns);
                }
            }
            Pane::Plan | Pane::Json | Pane::Log | Pane::Entry | Pane::EngineLog => {
                let scroll = self.scrolls.entry(pane).or_default();
                scroll.1 = scroll.1.saturating_add_signed(columns * 4);
            }
            _ if !matches!(self.screen, Screen::Query(_)) => {}
            // What is no wider than its pane has time on its axis.
            _ if columns < 0 => self.perform_first(&[ActionId::Earlier]),
            _ => self.perform_first(&[ActionId::Later]),
        }
    }

    pub(super) fn fail(&mut self, error: &Error) {
        self.notice = Some(super::Notice::error(error, None));
    }
}
