//! The mouse: click to select, twice to open, on a head to sort, wheel to scroll what is under it, drag lines between
//! panes.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::{App, Mode, Pane, Screen, Tab};
use crate::tui::layout;
use crate::tui::table;

/// Rows that a notch of the wheel moves.
const WHEEL_ROWS: isize = 3;
/// Two clicks on the same row within this time open it.
pub(super) const DOUBLE_CLICK_MS: i64 = 400;

impl App {
    /// Whether anything came of it.
    pub(super) fn mouse(&mut self, mouse: MouseEvent) -> bool {
        if self.quitting {
            return false;
        }
        let at = Position::new(mouse.column, mouse.row);
        let sideways = mouse.modifiers.contains(KeyModifiers::SHIFT);
        match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => self.click(at),
            MouseEventKind::Drag(MouseButton::Left) => self.drag(at),
            MouseEventKind::Up(MouseButton::Left) => self.dragged.take().is_some(),
            MouseEventKind::ScrollUp if sideways => self.wheel(at, 0, -1),
            MouseEventKind::ScrollDown if sideways => self.wheel(at, 0, 1),
            MouseEventKind::ScrollUp => self.wheel(at, -WHEEL_ROWS, 0),
            MouseEventKind::ScrollDown => self.wheel(at, WHEEL_ROWS, 0),
            MouseEventKind::ScrollLeft => self.wheel(at, 0, -1),
            MouseEventKind::ScrollRight => self.wheel(at, 0, 1),
            _ => false,
        }
    }

    /// Moves the line that the mouse holds.
    fn drag(&mut self, at: Position) -> bool {
        let Some(split) = self.dragged else { return false };
        let layout = self.layout();
        let Some(divider) = layout.dividers.iter().find(|divider| divider.split == split) else {
            return false;
        };
        let share = divider.share(at);
        self.splits.insert(split, share) != Some(share)
    }

    fn wheel(&mut self, at: Position, rows: isize, columns: isize) -> bool {
        if let Mode::Help(first) = &mut self.mode {
            *first = first.saturating_add_signed(rows);
            return true;
        }
        if let Mode::Record(record) = &mut self.mode {
            record.scroll += rows;
            return true;
        }
        let Some((pane, _)) = self.layout().pane_at(at) else {
            return false;
        };
        if matches!(pane, Pane::Rates | Pane::Durations) {
            self.zoom(rows.signum());
            return true;
        }
        // A notch on the lists goes one row: there each row is something.
        let rows = if matches!(
            pane,
            Pane::Queries | Pane::Batches | Pane::Timings | Pane::Entries
        ) {
            rows.signum()
        } else {
            rows
        };
        if pane == Pane::Result && rows != 0 {
            let Some((_, area)) = self.layout().pane_at(at) else {
                return false;
            };
            let height = self.result_height(area);
            if let Some(grid) = self.grid_mut() {
                grid.scroll(rows, height);
            }
        } else if pane == Pane::Answer && rows != 0 {
            let area = self.layout().pane(pane);
            let height = area.map_or(1, |area| layout::inside(area).height);
            if let Some(answer) = &mut self.sql.answer {
                answer.grid.scroll(rows, usize::from(height).saturating_sub(1));
            }
        } else if pane == Pane::Keys && rows != 0 {
            let height = self
                .layout()
                .pane(pane)
                .map_or(1, |area| layout::inside(area).height);
            self.keys.grid.scroll(rows, usize::from(height).saturating_sub(1));
        } else if rows != 0 {
            self.scroll(pane, rows);
        }
        if columns != 0 {
            self.scroll_sideways(pane, columns);
        }
        true
    }

    fn click(&mut self, at: Position) -> bool {
        match self.mode {
            Mode::Normal => {}
            // A click beside a box closes it; questions want an answer.
            Mode::Help(_) | Mode::Record(_) => {
                self.mode = Mode::Normal;
                return true;
            }
            _ => return false,
        }
        if self.click_on_offers(at) {
            return true;
        }
        let layout = self.layout();
        if let Some(tab) = layout.tabs.and_then(|area| tab_at(area, at)) {
            self.go(Screen::Query(tab));
            return true;
        }
        let Some((pane, area)) = layout.pane_at(at) else {
            return false;
        };
        self.focus = pane;
        if let Some(divider) = layout.divider_at(at) {
            self.dragged = Some(divider.split);
            return true;
        }
        let inner = layout::inside(area);
        match pane {
            Pane::Queries if at.y == inner.y => {
                let columns = table::fit(usize::from(inner.width), &self.rows);
                if let Some(column) = columns
                    .at(at.x.saturating_sub(inner.x))
                    .filter(|column| column.sorts())
                {
                    self.sort = self.sort.by(column);
                }
            }
            Pane::Queries if at.y > inner.y && at.y < inner.bottom() => {
                let row = self.first_row + usize::from(at.y - inner.y - 1);
                self.click_on_query(row);
            }
            Pane::Result => self.click_on_result(area, at),
            Pane::Keys if at.y > inner.y && at.x >= inner.x => {
                let cell = usize::from(at.x - inner.x).saturating_sub(layout::GRID_MARK);
                self.keys.grid.point(usize::from(at.y - inner.y - 1), cell);
            }
            Pane::Batches if at.y > inner.y && at.y < inner.bottom() => self.click_on_batch(inner, at),
            Pane::Editor => self.click_on_text(area, at),
            Pane::Answer => self.click_on_answer(inner, at),
            Pane::Entries if at.y > inner.y && at.y < inner.bottom() => self.click_on_entry(inner, at),
            _ => {}
        }
        true
    }

    fn click_on_query(&mut self, row: usize) {
        let Some(id) = self.rows.get(row).map(|query| query.id) else {
            return;
        };
        self.select(Some(id));
        let now_ms = self.clock.now_ms();
        match self.last_click.take() {
            Some((before, at)) if before == id && now_ms - at <= DOUBLE_CLICK_MS => {
                self.go(Screen::Query(Tab::Overview));
            }
            _ => self.last_click = Some((id, now_ms)),
        }
    }

    /// A click into rows that a text gave: on a head it orders, on a cell the cursor goes there.
    fn click_on_answer(&mut self, inner: Rect, at: Position) {
        let cell = usize::from(at.x.saturating_sub(inner.x)).saturating_sub(layout::GRID_MARK);
        let Some(answer) = &mut self.sql.answer else {
            return;
        };
        if at.y == inner.y {
            let column = answer.grid.column_at(cell);
            if column.is_some() {
                self.sort_answer(column);
            }
        } else if at.y > inner.y {
            answer.grid.point(usize::from(at.y - inner.y - 1), cell);
        }
    }

    fn click_on_entry(&mut self, inner: Rect, at: Position) {
        let row = self.catalog.first_row + usize::from(at.y - inner.y - 1);
        if row < self.entries().len() {
            self.select_entry(row);
        }
    }

    fn click_on_batch(&mut self, inner: Rect, at: Position) {
        let height = usize::from(inner.height).saturating_sub(1);
        let row = self.first_batch(height) + usize::from(at.y - inner.y - 1);
        match self.ring().len().checked_sub(row + 1) {
            Some(_) if row == 0 => self.past = None,
            Some(place) => self.travel_to(place),
            None => {}
        }
    }
}

/// The texts of the tab bar with their places: column and width.
pub(crate) fn tab_places(width: u16) -> Vec<(Tab, u16, String)> {
    let mut column = 1;
    let mut places = Vec::new();
    for (number, tab) in Tab::ALL.into_iter().enumerate() {
        let title = if width < 70 {
            tab.short_title()
        } else {
            tab.title()
        };
        let text = format!("{} {title}", number + 1);
        let cells = u16::try_from(text.len()).unwrap_or(0);
        places.push((tab, column, text));
        column += cells + if width < 70 { 1 } else { 3 };
    }
    places
}

fn tab_at(area: Rect, at: Position) -> Option<Tab> {
    if !area.contains(at) {
        return None;
    }
    tab_places(area.width)
        .into_iter()
        .find_map(|(tab, column, text)| {
            let end = column + u16::try_from(text.len()).unwrap_or(0);
            (column..end).contains(&(at.x - area.x)).then_some(tab)
        })
}
