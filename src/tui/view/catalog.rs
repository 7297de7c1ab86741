//! The list of streams, tables, views and results.

use ratatui::layout::Rect;

use super::canvas::{Canvas, Titles};
use crate::tui::app::{App, Pane};
use crate::tui::layout;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::units::to_u16;

/// Cells of the sign of the selected row.
const MARK: usize = 2;
/// Cells of a kind: `query's result`.
const KIND: usize = 14;

pub(super) fn draw(canvas: &mut Canvas<'_>, app: &App, area: Rect) {
    let inner = layout::inside(area);
    let entries = app.entries();
    let all = app.picture().snapshot.catalog.len();
    let symbols = app.symbols;
    let height = usize::from(inner.height).saturating_sub(1);
    let first = app.catalog.first_row;
    let mut right = format!("{} of {all}", entries.len());
    if entries.len() > height {
        let last = (first + height).min(entries.len());
        right = format!("rows {}{}{last}, {right}", first + 1, symbols.dash);
    }
    if !app.catalog.filter.is_empty() {
        let filter = text::cut(&app.catalog.filter, 20, symbols.ellipsis);
        right = format!("/{filter}  {right}");
    }
    let left = Pane::Entries.title();
    canvas.panel(area, Pane::Entries, Titles { left, right: &right });
    let width = usize::from(inner.width);
    let longest = entries.iter().map(|entry| text::width(&entry.name)).max();
    let name = longest.unwrap_or(0).clamp(8, (width / 2).max(8)) + 2;
    let [kind_at, columns_at] = [MARK + name, MARK + name + KIND + 2];
    let detail_at = columns_at + 9;
    for (column, head) in [
        (MARK, "name"),
        (kind_at, "kind"),
        (columns_at, "columns"),
        (detail_at, "from"),
    ] {
        canvas.at(inner, 0, column, Role::Header, head);
    }
    if entries.is_empty() {
        let words = if all == 0 {
            "Nothing has a name yet."
        } else {
            "Nothing matches. Esc shows all."
        };
        canvas.at(inner, 1, MARK, Role::Muted, words);
    }
    let selected = app.entry_row();
    for (row, entry) in entries.iter().enumerate().skip(first).take(height) {
        let at = row - first + 1;
        let is_selected = row == selected;
        if is_selected {
            let line = Rect {
                y: inner.y + to_u16(at),
                height: 1,
                ..inner
            };
            canvas.restyle(line, Role::Selection);
            canvas.at(inner, at, 0, Role::Accent, symbols.selected);
        }
        let role = |role| if is_selected { Role::Selection } else { role };
        let cut = |text: &str, cells| text::cut(text, cells, symbols.ellipsis);
        canvas.at(inner, at, MARK, role(Role::Strong), &cut(&entry.name, name - 1));
        canvas.at(inner, at, kind_at, role(Role::Text), entry.kind.as_str());
        let columns = text::right(&entry.schema.fields().len().to_string(), 7, symbols.ellipsis);
        canvas.at(inner, at, columns_at, role(Role::Text), &columns);
        let detail = cut(&entry.detail, width.saturating_sub(detail_at));
        canvas.at(inner, at, detail_at, role(Role::Muted), &detail);
    }
}
