//! What is where, from the size of the screen alone. The view draws by it, and the mouse and paging go by it.

use std::collections::HashMap;

use ratatui::layout::{Position, Rect};

use super::app::Viewport;
use super::app::{Pane, Screen, Tab};

/// The smallest screen that everything is made for. Below it things are cut.
pub(crate) const SMALLEST: (u16, u16) = (60, 16);
/// Two panes stand side by side from this width on.
const SIDE_BY_SIDE: u16 = 80;
/// The editor and what is said of its text stand side by side from this width on.
const SQL_ABREAST: u16 = 100;
/// Three panes stand side by side from this width on.
const THREE_ABREAST: u16 = 160;
/// Rows of the pane that says why there are no rows yet.
const WAITING_ROWS: u16 = 6;
/// No pane is dragged to be smaller: columns, rows.
const LEAST: (u16, u16) = (20, 4);

/// A line between panes that can be dragged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Split {
    /// Below the table of queries.
    Table,
    /// Between the details and the result.
    Result,
    /// Below the charts of an overview.
    Charts,
    /// Between the first chart and the next.
    Rates,
    /// Between the second chart and the third.
    Durations,
    /// Below the second row of an overview.
    Middle,
    /// Between the panes of that row.
    Lane,
    /// Between a list and what it shows.
    List,
    /// Below the editor.
    Editor,
    /// Between the editor and its check.
    Check,
}

/// Where lines between panes were dragged to: the share of the whole that is before the line, in thousandths.
pub(crate) type Splits = HashMap<Split, u16>;

/// A line between panes on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Divider {
    pub(crate) split: Split,
    /// The cells by which it can be taken: the frames on both sides.
    pub(crate) handle: Rect,
    /// What it divides.
    whole: Rect,
    /// Whether it divides a row of panes, not a column.
    sideways: bool,
}

impl Divider {
    /// The share that a place of the mouse stands for.
    pub(crate) fn share(&self, at: Position) -> u16 {
        let (from, length, at) = if self.sideways {
            (self.whole.x, self.whole.width, at.x)
        } else {
            (self.whole.y, self.whole.height, at.y)
        };
        let before = u32::from(at.saturating_sub(from)) * 1000 + 500;
        u16::try_from((before / u32::from(length.max(1))).min(1000)).unwrap_or(1000)
    }
}

/// Where everything is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The line at the top.
    pub(crate) header: Rect,
    /// The tab bar of a query.
    pub(crate) tabs: Option<Rect>,
    /// The panes that are shown, in the order of the keyboard.
    pub(crate) panes: Vec<(Pane, Rect)>,
    /// The panes that this size hides, in the same order.
    pub(crate) hidden: Vec<Pane>,
    /// The lines between panes.
    pub(crate) dividers: Vec<Divider>,
    /// The line at the bottom.
    pub(crate) footer: Rect,
}

/// What a layout depends on beside the size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) screen: Screen,
    pub(crate) focus: Pane,
    pub(crate) maximised: bool,
    /// Rows of the queries table.
    pub(crate) queries: usize,
    /// Whether the query waits for event time to go on.
    pub(crate) waits: bool,
    /// Whether the editor's text gave rows.
    pub(crate) answers: bool,
    /// Where lines were dragged to.
    pub(crate) splits: &'a Splits,
}

impl Layout {
    /// Lays out a screen.
    pub(crate) fn of(screen: Rect, wanted: Wanted<'_>) -> Self {
        let (header, rest) = top(screen, 1);
        let (body, footer) = bottom(rest, 1);
        let (tabs, body) = match wanted.screen {
            Screen::Queries | Screen::Sql | Screen::Catalog | Screen::Log => (None, body),
            Screen::Query(_) => {
                let (tabs, body) = top(body, 1);
                (Some(tabs), body)
            }
        };
        let mut layout = Self {
            header,
            tabs,
            panes: Vec::new(),
            hidden: Vec::new(),
            dividers: Vec::new(),
            footer,
        };
        if wanted.maximised {
            layout.panes.push((wanted.focus, body));
            return layout;
        }
        match wanted.screen {
            Screen::Queries => layout.home(body, wanted),
            Screen::Query(Tab::Overview) => layout.overview(body, wanted),
            Screen::Query(Tab::Progress) => {
                let (list, json) = layout.columns(body, Split::List, (body.width / 3).clamp(20, 44), wanted);
                layout.panes = vec![(Pane::Batches, list), (Pane::Json, json)];
            }
            Screen::Query(Tab::Results) => layout.panes.push((Pane::Result, body)),
            Screen::Query(Tab::State) if body.width < SIDE_BY_SIDE => {
                layout.one_of(&[Pane::State, Pane::Keys], body, wanted);
            }
            Screen::Query(Tab::State) => {
                let width = (body.width * 2 / 5).clamp(36, 60);
                let (state, keys) = layout.columns(body, Split::List, width, wanted);
                layout.panes = vec![(Pane::State, state), (Pane::Keys, keys)];
            }
            Screen::Query(Tab::Plan) => layout.panes.push((Pane::Plan, body)),
            Screen::Query(Tab::Sources) => layout.panes.push((Pane::Sources, body)),
            Screen::Query(Tab::Log) => layout.panes.push((Pane::Log, body)),
            Screen::Sql => layout.sql(body, wanted),
            Screen::Catalog if body.width < SIDE_BY_SIDE => {
                layout.one_of(&[Pane::Entries, Pane::Entry], body, wanted);
            }
            Screen::Catalog => {
                let (list, entry) = layout.columns(body, Split::List, body.width / 2, wanted);
                layout.panes = vec![(Pane::Entries, list), (Pane::Entry, entry)];
            }
            Screen::Log => layout.panes.push((Pane::EngineLog, body)),
        }
        layout
    }

    fn home(&mut self, body: Rect, wanted: Wanted<'_>) {
        let rows = u16::try_from(wanted.queries.max(1) + 3).unwrap_or(u16::MAX);
        let rows = rows.min((body.height / 2).max(5));
        let (table, rest) = self.rows(body, Split::Table, rows, wanted);
        self.panes.push((Pane::Queries, table));
        if body.width >= SIDE_BY_SIDE {
            let width = (rest.width * 2 / 5).clamp(38, 64);
            let (details, result) = self.columns(rest, Split::Result, width, wanted);
            self.panes
                .extend([(Pane::Details, details), (Pane::Result, result)]);
        } else {
            self.one_of(&[Pane::Result, Pane::Details], rest, wanted);
        }
    }

    fn overview(&mut self, body: Rect, wanted: Wanted<'_>) {
        if body.width < SIDE_BY_SIDE || body.height < 18 {
            let all = [
                Pane::Details,
                Pane::Rates,
                Pane::Durations,
                Pane::Timings,
                Pane::Lane,
                Pane::Waiting,
            ];
            let waits = all.iter().filter(|pane| wanted.waits || **pane != Pane::Waiting);
            return self.one_of(&waits.copied().collect::<Vec<_>>(), body, wanted);
        }
        let charts = (body.height * 2 / 5).clamp(8, 16);
        let (charts, rest) = self.rows(body, Split::Charts, charts, wanted);
        let is_wide = body.width >= THREE_ABREAST;
        let width = charts.width / if is_wide { 3 } else { 2 };
        let (rates, more) = self.columns(charts, Split::Rates, width, wanted);
        self.panes.push((Pane::Rates, rates));
        if is_wide {
            let (durations, timings) = self.columns(more, Split::Durations, more.width / 2, wanted);
            self.panes
                .extend([(Pane::Durations, durations), (Pane::Timings, timings)]);
        } else {
            self.panes.push((Pane::Timings, more));
        }
        if rest.height < 20 {
            let mut below = vec![Pane::Details, Pane::Lane];
            if wanted.waits {
                below.push(Pane::Waiting);
            }
            if !is_wide {
                below.push(Pane::Durations);
            }
            return self.one_of(&below, rest, wanted);
        }
        let (middle, below) = self.rows(rest, Split::Middle, (rest.height / 2).min(12), wanted);
        let (one, lane) = self.columns(middle, Split::Lane, middle.width / 2, wanted);
        self.panes.push((Pane::Lane, lane));
        self.panes.push(if is_wide {
            (Pane::Details, one)
        } else {
            (Pane::Durations, one)
        });
        let below = if wanted.waits {
            let waiting = WAITING_ROWS.min(below.height / 2);
            let (waiting, below) = top(below, waiting);
            self.panes.push((Pane::Waiting, waiting));
            below
        } else {
            below
        };
        self.panes.push(if is_wide {
            (Pane::Result, below)
        } else {
            (Pane::Details, below)
        });
    }

    /// The editor, beside it what is said of its text, below it the rows that it gave.
    fn sql(&mut self, body: Rect, wanted: Wanted<'_>) {
        if body.width < SQL_ABREAST {
            let (editor, below) = self.rows(body, Split::Editor, body.height * 11 / 20, wanted);
            self.panes.push((Pane::Editor, editor));
            let panes: &[Pane] = if wanted.answers {
                &[Pane::Answer, Pane::Check]
            } else {
                &[Pane::Check]
            };
            return self.one_of(panes, below, wanted);
        }
        let (above, below) = if wanted.answers {
            self.rows(body, Split::Editor, body.height / 2, wanted)
        } else {
            (body, Rect::default())
        };
        let (editor, check) = self.columns(above, Split::Check, above.width * 3 / 5, wanted);
        self.panes.extend([(Pane::Editor, editor), (Pane::Check, check)]);
        if wanted.answers {
            self.panes.push((Pane::Answer, below));
        }
    }

    /// Shows the one of some panes that has the keyboard, or the first, and hides the others.
    fn one_of(&mut self, panes: &[Pane], area: Rect, wanted: Wanted<'_>) {
        let shown = panes.iter().find(|pane| **pane == wanted.focus);
        let shown = shown.or(panes.first()).copied();
        self.panes.extend(shown.map(|pane| (pane, area)));
        self.hidden
            .extend(panes.iter().filter(|pane| Some(**pane) != shown));
    }

    /// Two areas beside each other, the left one as wide as given, or as it was dragged to be.
    fn columns(&mut self, area: Rect, split: Split, width: u16, wanted: Wanted<'_>) -> (Rect, Rect) {
        let width = share(wanted, split, area.width, LEAST.0).unwrap_or(width);
        let (one, other) = left(area, width);
        let handle = Rect {
            x: other.x.saturating_sub(1),
            width: 2.min(other.width),
            ..area
        };
        self.dividers.push(Divider {
            split,
            handle,
            whole: area,
            sideways: true,
        });
        (one, other)
    }

    /// Two areas below each other, the upper one as high as given, or as it was dragged to be.
    fn rows(&mut self, area: Rect, split: Split, height: u16, wanted: Wanted<'_>) -> (Rect, Rect) {
        let height = share(wanted, split, area.height, LEAST.1).unwrap_or(height);
        let (one, other) = top(area, height);
        let handle = Rect {
            y: other.y.saturating_sub(1),
            height: 2.min(other.height),
            ..area
        };
        self.dividers.push(Divider {
            split,
            handle,
            whole: area,
            sideways: false,
        });
        (one, other)
    }

    /// The line between panes at a cell.
    pub(crate) fn divider_at(&self, at: Position) -> Option<&Divider> {
        self.dividers.iter().find(|divider| divider.handle.contains(at))
    }

    /// Where a pane is, if it is shown.
    pub(crate) fn pane(&self, pane: Pane) -> Option<Rect> {
        self.panes
            .iter()
            .find(|(known, _)| *known == pane)
            .map(|(_, area)| *area)
    }

    /// The pane at a cell.
    pub(crate) fn pane_at(&self, at: Position) -> Option<(Pane, Rect)> {
        self.panes.iter().copied().find(|(_, area)| area.contains(at))
    }
}

/// What is inside a frame, one blank left and right.
pub(crate) fn inside(area: Rect) -> Rect {
    Rect {
        x: area.x.saturating_add(2),
        y: area.y.saturating_add(1),
        width: area.width.saturating_sub(4),
        height: area.height.saturating_sub(2),
    }
}

/// The part of a table that its rows have: without the line of heads and the column of marks.
pub(crate) fn grid_viewport(table: Rect) -> Viewport {
    Viewport {
        width: usize::from(table.width).saturating_sub(GRID_MARK),
        rows: usize::from(table.height).saturating_sub(1),
    }
}

/// Cells before a grid's first column, for the marks of new and changed rows.
pub(crate) const GRID_MARK: usize = 2;

/// The cells before a line that was dragged; `None` where it was not, or there is no room to choose from.
fn share(wanted: Wanted<'_>, split: Split, length: u16, least: u16) -> Option<u16> {
    let share = u32::from(*wanted.splits.get(&split)?);
    let cells = u16::try_from(share * u32::from(length) / 1000).unwrap_or(length);
    (length >= 2 * least).then(|| cells.clamp(least, length - least))
}

fn top(area: Rect, height: u16) -> (Rect, Rect) {
    let height = height.min(area.height);
    let rest = Rect {
        y: area.y + height,
        height: area.height - height,
        ..area
    };
    (Rect { height, ..area }, rest)
}

fn bottom(area: Rect, height: u16) -> (Rect, Rect) {
    let (rest, below) = top(area, area.height.saturating_sub(height));
    (rest, below)
}

fn left(area: Rect, width: u16) -> (Rect, Rect) {
    let width = width.min(area.width);
    let rest = Rect {
        x: area.x + width,
        width: area.width - width,
        ..area
    };
    (Rect { width, ..area }, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(width: u16, height: u16, screen: Screen, focus: Pane) -> Layout {
        dragged(width, height, screen, focus, &Splits::default())
    }

    fn dragged(width: u16, height: u16, screen: Screen, focus: Pane, splits: &Splits) -> Layout {
        let wanted = Wanted {
            screen,
            focus,
            maximised: false,
            queries: 4,
            waits: true,
            answers: true,
            splits,
        };
        Layout::of(Rect::new(0, 0, width, height), wanted)
    }

    const OTHER_SCREENS: [Screen; 4] = [Screen::Queries, Screen::Sql, Screen::Catalog, Screen::Log];

    #[test]
    fn panes_never_overlap_and_never_leave_the_screen() {
        for width in (1..220).step_by(7) {
            for height in 1..70 {
                let screen = Rect::new(0, 0, width, height);
                let splits = [
                    Split::Table,
                    Split::Result,
                    Split::Charts,
                    Split::Rates,
                    Split::List,
                    Split::Editor,
                    Split::Check,
                ]
                .map(|split| (split, height * 14));
                for tab in Tab::ALL.map(Screen::Query).into_iter().chain(OTHER_SCREENS) {
                    let splits: Splits = splits.into_iter().collect();
                    let layout = dragged(width, height, tab, Pane::Queries, &splits);
                    let mut areas: Vec<Rect> = layout.panes.iter().map(|(_, area)| *area).collect();
                    areas.extend([layout.header, layout.footer]);
                    areas.extend(layout.tabs);
                    areas.retain(|area| !area.is_empty());
                    for (at, area) in areas.iter().enumerate() {
                        assert_eq!(area.intersection(screen), *area, "{width}x{height} {tab:?}");
                        assert!(
                            !areas[..at].iter().any(|other| other.intersects(*area)),
                            "{width}x{height} {tab:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_small_screen_shows_the_pane_that_has_the_keyboard() {
        let small = layout(60, 16, Screen::Queries, Pane::Queries);
        assert_eq!(small.hidden, [Pane::Details]);
        let small = layout(60, 16, Screen::Queries, Pane::Details);
        assert_eq!(small.hidden, [Pane::Result]);
        assert!(layout(80, 24, Screen::Queries, Pane::Queries).hidden.is_empty());
    }

    #[test]
    fn a_line_goes_where_it_is_dragged_and_leaves_room_on_both_sides() {
        let at_rest = layout(120, 40, Screen::Queries, Pane::Queries);
        let divider = *at_rest.divider_at(Position::new(48, 20)).expect("a line");
        assert_eq!(divider.split, Split::Result);
        for (column, width) in [(70, 70), (2, LEAST.0), (119, 120 - LEAST.0)] {
            let share = divider.share(Position::new(column, 20));
            let splits = [(Split::Result, share)].into_iter().collect();
            let moved = dragged(120, 40, Screen::Queries, Pane::Queries, &splits);
            let details = moved.pane(Pane::Details).expect("the left pane");
            assert_eq!(details.width, width);
        }
    }
}
