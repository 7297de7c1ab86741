//! What is where, from the size of the screen alone. The view draws by it, and the mouse and paging go by it.

use ratatui::layout::{Position, Rect};

use super::app::Viewport;
use super::app::{Pane, Screen, Tab};

/// The smallest screen that everything is made for. Below it things are cut.
pub(crate) const SMALLEST: (u16, u16) = (60, 16);
/// Two panes stand side by side from this width on.
const SIDE_BY_SIDE: u16 = 80;

/// Where everything is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The line at the top.
    pub(crate) header: Rect,
    /// The tab bar of a query.
    pub(crate) tabs: Option<Rect>,
    /// The panes that are shown, in the order of the keyboard.
    pub(crate) panes: Vec<(Pane, Rect)>,
    /// The panes that this size hides.
    pub(crate) hidden: Vec<Pane>,
    /// The line at the bottom.
    pub(crate) footer: Rect,
}

/// What a layout depends on beside the size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) screen: Screen,
    pub(crate) focus: Pane,
    pub(crate) maximised: bool,
    /// Rows of the queries table.
    pub(crate) queries: usize,
}

impl Layout {
    /// Lays out a screen.
    pub(crate) fn of(screen: Rect, wanted: Wanted) -> Self {
        let (header, rest) = top(screen, 1);
        let (body, footer) = bottom(rest, 1);
        let (tabs, body) = match wanted.screen {
            Screen::Queries => (None, body),
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
            footer,
        };
        if wanted.maximised {
            layout.panes.push((wanted.focus, body));
            return layout;
        }
        match wanted.screen {
            Screen::Queries => layout.home(body, wanted),
            Screen::Query(Tab::Overview) => layout.overview(body),
            Screen::Query(Tab::Progress) => {
                let (list, json) = left(body, (body.width / 3).clamp(20, 44));
                layout.panes = vec![(Pane::Batches, list), (Pane::Json, json)];
            }
            Screen::Query(Tab::Results) => layout.panes.push((Pane::Result, body)),
            Screen::Query(Tab::State) => layout.panes.push((Pane::State, body)),
            Screen::Query(Tab::Plan) => layout.panes.push((Pane::Plan, body)),
            Screen::Query(Tab::Sources) => layout.panes.push((Pane::Sources, body)),
        }
        layout
    }

    fn home(&mut self, body: Rect, wanted: Wanted) {
        let rows = u16::try_from(wanted.queries.max(1) + 3).unwrap_or(u16::MAX);
        let (table, rest) = top(body, rows.min((body.height / 2).max(5)));
        self.panes.push((Pane::Queries, table));
        if body.width >= SIDE_BY_SIDE {
            let (details, result) = left(rest, (rest.width * 2 / 5).clamp(38, 64));
            self.panes
                .extend([(Pane::Details, details), (Pane::Result, result)]);
        } else if wanted.focus == Pane::Details {
            self.panes.push((Pane::Details, rest));
            self.hidden.push(Pane::Result);
        } else {
            self.panes.push((Pane::Result, rest));
            self.hidden.push(Pane::Details);
        }
    }

    fn overview(&mut self, body: Rect) {
        if body.width < SIDE_BY_SIDE || body.height < 18 {
            self.panes.push((Pane::Details, body));
            self.hidden.extend([Pane::Rates, Pane::Timings]);
            return;
        }
        let (charts, details) = top(body, (body.height * 2 / 5).clamp(8, 16));
        let (rates, timings) = left(charts, charts.width / 2);
        self.panes = vec![
            (Pane::Details, details),
            (Pane::Rates, rates),
            (Pane::Timings, timings),
        ];
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

/// The part of a result pane that its rows have: without the line of heads and the column of marks.
pub(crate) fn grid_viewport(area: Rect) -> Viewport {
    let inner = inside(area);
    Viewport {
        width: usize::from(inner.width).saturating_sub(GRID_MARK),
        rows: usize::from(inner.height).saturating_sub(1),
    }
}

/// Cells before a grid's first column, for the marks of new and changed rows.
pub(crate) const GRID_MARK: usize = 2;

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
        let wanted = Wanted {
            screen,
            focus,
            maximised: false,
            queries: 4,
        };
        Layout::of(Rect::new(0, 0, width, height), wanted)
    }

    #[test]
    fn panes_never_overlap_and_never_leave_the_screen() {
        for width in (1..220).step_by(7) {
            for height in 1..70 {
                let screen = Rect::new(0, 0, width, height);
                for tab in Tab::ALL.map(Screen::Query).into_iter().chain([Screen::Queries]) {
                    let layout = layout(width, height, tab, Pane::Queries);
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
}
