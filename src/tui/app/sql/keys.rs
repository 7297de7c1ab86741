//! What keys and the mouse do in the text.
//!
//! Letters, arrows and the like are the text's. Every other key is first looked up in the table of actions, so that
//! running, undoing and leaving are actions like all others; what means nothing there is the text area's again.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Position, Rect};
use ratatui_textarea::CursorMove;

use super::{App, TAB, clean, editor_area};
use crate::tui::action::{Action, ActionId, When};
use crate::tui::app::{Effect, Pane};
use crate::tui::keymap::Key;
use crate::tui::text;
use crate::tui::units::to_u16;

/// Words that are shown of those that are offered.
pub(crate) const SHOWN_OFFERS: usize = 8;

impl App {
    /// A key while the keyboard is in the text.
    pub(in crate::tui::app) fn key_in_editor(&mut self, key: KeyEvent) {
        if self.key_in_offers(key) {
            return;
        }
        if !is_typing(key) {
            if key.code == KeyCode::Char('c') && self.sql.selection().is_some() {
                return self.copy_selection();
            }
            let actions = self.keymap.actions(Key::of(key)).to_vec();
            let means_something = |id: &ActionId| Action::of(*id).when(self) != When::Elsewhere;
            if actions.iter().any(means_something) {
                return self.perform_first(&actions);
            }
        }
        self.sql.completions = None;
        let before = (self.sql.whole(), self.sql.cursor());
        match key.code {
            KeyCode::Tab if self.sql.selection().is_none() => {
                self.offer_words(false);
                if self.sql.completions.is_some() {
                    return self.take_offer();
                }
                self.sql.text.insert_str(TAB);
            }
            KeyCode::Enter => self.new_line(),
            _ => {
                self.sql.text.input(key);
            }
        }
        if before.0 != self.sql.whole() {
            self.sql.back = 0;
            self.text_changed();
            if matches!(key.code, KeyCode::Char(_) | KeyCode::Backspace) {
                self.offer_words(false);
            }
        }
    }

    /// The key to show for an action: in the text none that would be typed.
    pub(crate) fn key_here(&self, action: ActionId) -> Option<Key> {
        let keys = self.keymap.keys(action).iter().copied();
        let mut keys = keys.filter(|key| !self.is_in_editor() || !is_typing(key.event()));
        keys.next()
    }

    /// A key that chooses among the words that are offered; whether it did.
    fn key_in_offers(&mut self, key: KeyEvent) -> bool {
        let Some(completions) = &mut self.sql.completions else {
            return false;
        };
        let last = completions.offers.len().saturating_sub(1);
        match key.code {
            _ if !(key.modifiers - KeyModifiers::SHIFT).is_empty() => return false,
            KeyCode::Down if completions.at < last => completions.at += 1,
            KeyCode::Down => completions.at = 0,
            KeyCode::Up if completions.at > 0 => completions.at -= 1,
            KeyCode::Up => completions.at = last,
            KeyCode::Tab => self.take_offer(),
            KeyCode::Esc => self.sql.completions = None,
            _ => return false,
        }
        true
    }

    /// A new line, as far to the right as the one before it.
    fn new_line(&mut self) {
        let (line, column) = self.sql.cursor();
        let before = self.sql.lines()[line].chars().take(column);
        let blanks: String = before.take_while(|one| *one == ' ').collect();
        self.sql.text.insert_newline();
        self.sql.text.insert_str(blanks);
    }

    fn copy_selection(&mut self) {
        let Some((start, end)) = self.sql.selection() else {
            return;
        };
        let text = self.sql.part(start, end);
        self.say(format!("copied {} bytes", text.len()));
        self.effects.push(Effect::Copy(text));
        self.sql.text.cancel_selection();
    }

    /// Takes back what was changed last, or does it again.
    pub(in crate::tui::app) fn undo_text(&mut self, again: bool) {
        let changed = if again {
            self.sql.text.redo()
        } else {
            self.sql.text.undo()
        };
        self.sql.completions = None;
        if changed {
            self.text_changed();
        }
    }

    /// Text that was pasted.
    pub(in crate::tui::app) fn paste_into_editor(&mut self, pasted: &str) {
        self.sql.completions = None;
        self.sql.text.insert_str(clean(pasted));
        self.sql.back = 0;
        self.text_changed();
    }

    /// Moves the cursor by lines; the extremes are the ends of the text.
    pub(in crate::tui::app) fn move_in_text(&mut self, lines: isize) {
        self.sql.completions = None;
        self.sql.text.cancel_selection();
        let (line, column) = self.sql.cursor();
        match lines {
            isize::MIN => self.sql.text.move_cursor(CursorMove::Top),
            isize::MAX => self.sql.text.move_cursor(CursorMove::Bottom),
            lines => self.sql.jump(line.saturating_add_signed(lines), column),
        }
    }

    /// A click into the text: the cursor goes there.
    pub(in crate::tui::app) fn click_on_text(&mut self, area: Rect, at: Position) {
        let inner = editor_area(area, self.sql.gutter());
        if at.y < inner.y || at.y >= inner.bottom() {
            return;
        }
        let line = self.sql.scroll.0 + usize::from(at.y - inner.y);
        let cell = self.sql.scroll.1 + usize::from(at.x.saturating_sub(inner.x));
        let mut column = 0;
        let mut cells = 0;
        if let Some(letters) = self.sql.lines().get(line) {
            for letter in letters.chars() {
                cells += text::width(letter.encode_utf8(&mut [0; 4]));
                if cells > cell {
                    break;
                }
                column += 1;
            }
        }
        self.sql.completions = None;
        self.sql.jump(line, column);
    }

    /// Where the words that are offered are shown, and the first of them.
    pub(crate) fn offers_area(&self) -> Option<(Rect, usize)> {
        let completions = self.sql.completions.as_ref()?;
        let area = self.layout().pane(Pane::Editor)?;
        let cursor = self.text_cursor(area)?;
        let count = completions.offers.len().min(SHOWN_OFFERS);
        let first = (completions.at + 1).saturating_sub(count);
        let shown = &completions.offers[first..first + count];
        let widest = shown
            .iter()
            .map(|offer| text::width(&offer.text) + 2 + text::width(&offer.detail).min(24));
        let width = to_u16(widest.max().unwrap_or(0) + 6).min(self.size.width);
        let height = to_u16(count + 2);
        let below = self.size.height.saturating_sub(cursor.y + 2);
        let y = if below >= height {
            cursor.y + 1
        } else {
            cursor.y.saturating_sub(height)
        };
        let x = cursor.x.saturating_sub(to_u16(completions.letters) + 4);
        let x = x.min(self.size.width - width);
        Some((Rect { x, y, width, height }, first))
    }

    /// The cell of the cursor in the text.
    pub(crate) fn text_cursor(&self, area: Rect) -> Option<Position> {
        let inner = editor_area(area, self.sql.gutter());
        let (line, column) = self.sql.cursor();
        let cell = super::cells_before(&self.sql.lines()[line], column);
        let row = line.checked_sub(self.sql.scroll.0)?;
        let place = cell.checked_sub(self.sql.scroll.1)?;
        let at = Position::new(inner.x + to_u16(place), inner.y + to_u16(row));
        inner.contains(at).then_some(at)
    }

    /// A click on one of the words that are offered takes it; whether there was one.
    pub(in crate::tui::app) fn click_on_offers(&mut self, at: Position) -> bool {
        let Some((area, first)) = self.offers_area() else {
            return false;
        };
        if !area.contains(at) {
            return false;
        }
        if at.y > area.y && at.y + 1 < area.bottom() {
            if let Some(completions) = &mut self.sql.completions {
                completions.at = first + usize::from(at.y - area.y - 1);
            }
            self.take_offer();
        }
        true
    }
}

/// Whether a key is the text's own, whatever the table of actions says.
fn is_typing(key: KeyEvent) -> bool {
    let steers = key
        .modifiers
        .intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    match key.code {
        KeyCode::Char(_) | KeyCode::Enter | KeyCode::Up | KeyCode::Down => !steers,
        KeyCode::Backspace
        | KeyCode::Delete
        | KeyCode::Left
        | KeyCode::Right
        | KeyCode::Home
        | KeyCode::End
        | KeyCode::Tab => true,
        _ => false,
    }
}
