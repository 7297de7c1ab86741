//! Keys: how they are written (`ctrl-z`, `G`, `pagedown`) and which actions they stand for.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::action::{ACTIONS, ActionId};
use crate::error::{Error, Result};

/// A key with its modifiers. Shift is part of a character (`G`), but not of `shift-tab`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

impl Key {
    /// The key that an event tells of.
    pub(crate) fn of(event: KeyEvent) -> Self {
        let keep = match event.code {
            KeyCode::Char(_) | KeyCode::BackTab => KeyModifiers::CONTROL | KeyModifiers::ALT,
            _ => KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT,
        };
        Self {
            code: event.code,
            modifiers: event.modifiers & keep,
        }
    }

    /// The event that tells of it.
    pub(crate) fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }
}

const NAMES: [(&str, KeyCode); 16] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("space", KeyCode::Char(' ')),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("shift-tab", KeyCode::BackTab),
];

impl FromStr for Key {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        loop {
            let (modifier, after) = match rest.split_once('-') {
                Some(("ctrl", after)) => (KeyModifiers::CONTROL, after),
                Some(("alt", after)) => (KeyModifiers::ALT, after),
                _ => break,
            };
            modifiers |= modifier;
            rest = after;
        }
        let mut characters = rest.chars();
        let code = match (characters.next(), characters.next()) {
            (Some(one), None) => Some(KeyCode::Char(one)),
            _ => NAMES
                .iter()
                .find(|(name, _)| *name == rest)
                .map(|(_, code)| *code)
                .or_else(|| {
                    let number = rest.strip_prefix('f')?.parse().ok()?;
                    (1..=12).contains(&number).then_some(KeyCode::F(number))
                }),
        };
        let code = code.ok_or_else(|| {
            let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            Error::statement(format!("{text:?} is no key")).hint(format!(
                "A key is a character, f1 to f12, or one of {}; with ctrl- or alt- before it.",
                names.join(", ")
            ))
        })?;
        Ok(Self { code, modifiers })
    }
}

impl fmt::Display for Key {
    /// As the help shows it: `Enter`, `Ctrl-Z`, `G`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            f.write_str("Ctrl-")?;
        }
        if self.modifiers.contains(KeyModifiers::ALT) {
            f.write_str("Alt-")?;
        }
        match self.code {
            KeyCode::Up => f.write_str("Up"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::PageDown => f.write_str("PgDn"),
            KeyCode::BackTab => f.write_str("Shift-Tab"),
            KeyCode::F(number) => write!(f, "F{number}"),
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(one) if self.modifiers.contains(KeyModifiers::CONTROL) => {
                write!(f, "{}", one.to_uppercase())
            }
            KeyCode::Char(one) => write!(f, "{one}"),
            code => {
                let name = NAMES
                    .iter()
                    .find(|(_, known)| *known == code)
                    .map_or("?", |(name, _)| name);
                let (head, tail) = name.split_at(1);
                write!(f, "{}{tail}", head.to_uppercase())
            }
        }
    }
}

/// Which actions each key stands for. A key may stand for several, of which only one applies on a screen.
#[derive(Debug, Default)]
pub(crate) struct Keymap {
    actions: HashMap<Key, Vec<ActionId>>,
    keys: HashMap<ActionId, Vec<Key>>,
}

impl Keymap {
    /// The keys of the action table.
    ///
    /// # Errors
    ///
    /// A key that is none.
    pub(crate) fn defaults() -> Result<Self> {
        let mut map = Self::default();
        for action in ACTIONS {
            for key in action.keys {
                let key: Key = key.parse()?;
                map.actions.entry(key).or_default().push(action.id);
                map.keys.entry(action.id).or_default().push(key);
            }
        }
        Ok(map)
    }

    /// The same with other keys for some actions. A key that one of them has is taken from all that are not among them.
    ///
    /// # Errors
    ///
    /// As [`Keymap::defaults`].
    pub(crate) fn with(bindings: &[(ActionId, Vec<Key>)]) -> Result<Self> {
        let mut map = Self::defaults()?;
        let given: Vec<Key> = bindings.iter().flat_map(|(_, keys)| keys).copied().collect();
        for keys in map.keys.values_mut() {
            keys.retain(|key| !given.contains(key));
        }
        for (action, keys) in bindings {
            map.keys.insert(*action, keys.clone());
        }
        map.actions.clear();
        for action in ACTIONS {
            for key in map.keys.get(&action.id).into_iter().flatten() {
                map.actions.entry(*key).or_default().push(action.id);
            }
        }
        Ok(map)
    }

    /// What the key stands for, in the table's order.
    pub(crate) fn actions(&self, key: Key) -> &[ActionId] {
        self.actions.get(&key).map_or(&[], Vec::as_slice)
    }

    /// The keys of an action, the one to show first.
    pub(crate) fn keys(&self, action: ActionId) -> &[Key] {
        self.keys.get(&action).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_and_show() {
        let shown = |text: &str| text.parse::<Key>().expect("a key").to_string();
        assert_eq!(shown("ctrl-z"), "Ctrl-Z");
        assert_eq!(shown("enter"), "Enter");
        assert_eq!(shown("G"), "G");
        assert_eq!(shown("-"), "-");
        assert_eq!(shown("shift-tab"), "Shift-Tab");
        assert_eq!(shown("f5"), "F5");
        let error = "ctrl-hyper".parse::<Key>().expect_err("no key");
        assert_eq!(error.message(), "\"ctrl-hyper\" is no key");
    }

    #[test]
    fn shift_belongs_to_the_character() {
        let event = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        assert_eq!(Key::of(event), "G".parse().expect("a key"));
        let event = KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT);
        assert_eq!(Key::of(event), "shift-tab".parse().expect("a key"));
    }

    #[test]
    fn no_two_actions_of_one_screen_share_a_key() {
        let map = Keymap::defaults().expect("the table's keys");
        let shared = map.actions.iter().filter(|(_, ids)| ids.len() > 1);
        let mut shared: Vec<String> = shared.map(|(key, _)| key.to_string()).collect();
        shared.sort();
        // m: the next number, or operator. Tab: the next tab, or pane. Space: a mark, or a pause. End: the present, or the last row. Enter: what is
        // under the cursor, a query or a row. v: a chart, or a level of the log. Ctrl-U: a page up, or in a text the last change back.
        assert_eq!(
            shared,
            ["Ctrl-U", "End", "Enter", "Shift-Tab", "Space", "Tab", "m", "v"]
        );
    }
}
