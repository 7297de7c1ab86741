//! Putting text in roles on the screen's cells, never beside them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Block, Borders, Widget};
use unicode_segmentation::UnicodeSegmentation;

use crate::format::safe_text;
use crate::tui::app::{App, Mode, Pane};
use crate::tui::symbols::Symbols;
use crate::tui::text;
use crate::tui::theme::{Role, Theme};
use crate::tui::units::to_u16;

/// The screen while it is being drawn.
pub(super) struct Canvas<'a> {
    buffer: &'a mut Buffer,
    theme: &'a Theme,
    pub(super) symbols: &'static Symbols,
    /// The pane whose frame is bright.
    focus: Option<Pane>,
}

/// What stands in the upper frame of a panel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Titles<'a> {
    pub(super) left: &'a str,
    pub(super) right: &'a str,
}

impl<'a> Canvas<'a> {
    pub(super) fn new(buffer: &'a mut Buffer, app: &'a App) -> Self {
        let focus = matches!(app.mode, Mode::Normal).then_some(app.focus);
        Self {
            buffer,
            theme: &app.theme,
            symbols: app.symbols,
            focus,
        }
    }

    /// Gives an area the look of a role and nothing in it.
    pub(super) fn fill(&mut self, area: Rect, role: Role) {
        let area = area.intersection(self.buffer.area);
        for position in area.positions() {
            if let Some(cell) = self.buffer.cell_mut(position) {
                cell.reset();
            }
        }
        self.buffer.set_style(area, self.theme.style(role));
    }

    /// Changes the look of an area, not what is in it.
    pub(super) fn restyle(&mut self, area: Rect, role: Role) {
        let area = area.intersection(self.buffer.area);
        self.buffer.set_style(area, self.theme.style(role));
    }

    /// Writes text into a row of an area, cut at its right end.
    pub(super) fn text(&mut self, area: Rect, row: usize, role: Role, text: &str) {
        self.put(area, row, 0, self.theme.style(role), text);
    }

    /// Writes text into a row of an area, from a column on.
    pub(super) fn at(&mut self, area: Rect, row: usize, column: usize, role: Role, text: &str) {
        self.put(area, row, column, self.theme.style(role), text);
    }

    /// Writes pieces after each other into a row of an area, without their first `skip` cells.
    pub(super) fn line(&mut self, area: Rect, row: usize, skip: usize, pieces: &[(Role, String)]) {
        let mut column = 0;
        for (role, piece) in pieces {
            let wide = text::width(piece);
            let (place, shown) = if column < skip {
                (0, without_cells(piece, skip - column))
            } else {
                (column - skip, piece.as_str())
            };
            self.put(area, row, place, self.theme.style(*role), shown);
            column += wide;
        }
    }

    /// A frame with titles. The one with the keyboard is brighter.
    pub(super) fn panel(&mut self, area: Rect, pane: Pane, titles: Titles<'_>) {
        let focused = self.focus == Some(pane);
        self.frame(area, if focused { Role::BorderFocus } else { Role::Border });
        let inner = usize::from(area.width).saturating_sub(4);
        let left_role = if focused { Role::Strong } else { Role::Text };
        let right_width = text::width(titles.right);
        let room = inner.saturating_sub(if right_width > 0 { right_width + 3 } else { 0 });
        let fits = right_width > 0 && room >= text::width(titles.left).min(6) && right_width + 3 < inner;
        let room = if fits { room } else { inner };
        let left = format!(
            " {} ",
            text::cut(titles.left, room.saturating_sub(2).max(1), self.symbols.ellipsis)
        );
        self.at(area, 0, 2, left_role, &left);
        if fits {
            let right = format!(" {} ", titles.right);
            self.at(
                area,
                0,
                usize::from(area.width).saturating_sub(right_width + 4),
                Role::Muted,
                &right,
            );
        }
    }

    /// Text in the lower frame of a panel, on the right.
    pub(super) fn below(&mut self, area: Rect, text: &str) {
        let wide = text::width(text) + 4;
        if !text.is_empty() && area.height > 1 && wide < usize::from(area.width) {
            let row = usize::from(area.height) - 1;
            self.at(
                area,
                row,
                usize::from(area.width) - wide,
                Role::Muted,
                &format!(" {text} "),
            );
        }
    }

    /// Text in the lower frame of a panel, on the left.
    pub(super) fn below_left(&mut self, area: Rect, text: &str) {
        if area.height > 1 && text::width(text) + 4 < usize::from(area.width) {
            self.at(
                area,
                usize::from(area.height) - 1,
                2,
                Role::Muted,
                &format!(" {text} "),
            );
        }
    }

    /// The lines round an area.
    pub(super) fn frame(&mut self, area: Rect, role: Role) {
        Block::new()
            .borders(Borders::ALL)
            .border_set(self.symbols.border)
            .border_style(self.theme.style(role))
            .render(area.intersection(self.buffer.area), self.buffer);
    }

    fn put(&mut self, area: Rect, row: usize, column: usize, style: Style, text: &str) {
        let area = area.intersection(self.buffer.area);
        let (row, column) = (to_u16(row), to_u16(column));
        if row >= area.height || column >= area.width {
            return;
        }
        // What comes here was made harmless where it was read; this is the last gate before the terminal.
        let text = safe_text::clean(text);
        self.buffer.set_stringn(
            area.x + column,
            area.y + row,
            text,
            usize::from(area.width - column),
            style,
        );
    }
}

/// The text without its first cells. Half of a wide character is left out.
fn without_cells(text: &str, cells: usize) -> &str {
    let mut taken = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        if taken >= cells {
            return &text[at..];
        }
        taken += text::width(grapheme);
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_taken_from_the_left() {
        assert_eq!(without_cells("abc", 1), "bc");
        assert_eq!(without_cells("日本語", 3), "語");
        assert_eq!(without_cells("ab", 5), "");
    }
}
