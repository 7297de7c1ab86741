//! Reads one theme file: its own words, before inheritance. Every mistake names the file, the line and what is allowed.

use std::collections::BTreeMap;

use ratatui::style::Modifier;

use super::Role;
use super::color::{self, Paint};
use crate::error::{Error, Result};
use crate::tui::toml_reader::{Reader, Value};

/// What a theme file says.
#[derive(Debug, Default)]
pub(super) struct ThemeFile {
    /// The theme that this one changes.
    pub(super) inherits: Option<String>,
    /// Named colours.
    pub(super) palette: BTreeMap<String, Paint>,
    /// What each role looks like, with the place that says so.
    pub(super) roles: Vec<(Role, RoleSpec)>,
}

/// One role as written; colours are still names.
#[derive(Debug, Clone, Default)]
pub(super) struct RoleSpec {
    pub(super) foreground: Option<String>,
    pub(super) background: Option<String>,
    pub(super) modifiers: Modifier,
    /// Instead of `modifiers`, where there are no colours.
    pub(super) mono: Option<Modifier>,
    /// `theme "x", line 3`.
    pub(super) place: String,
}

const MODIFIERS: [(&str, Modifier); 5] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underlined", Modifier::UNDERLINED),
    ("reversed", Modifier::REVERSED),
];

/// Reads the text of a theme; `place` is what messages call it.
pub(super) fn parse(place: &str, text: &str) -> Result<ThemeFile> {
    let reader = Reader {
        place,
        text,
        hint: "See the bundled themes `dark` and `light` for the form.",
    };
    let table = reader.table()?;
    let mut file = ThemeFile::default();
    for (key, value) in table.get_ref() {
        match key.get_ref().as_ref() {
            "inherits" => file.inherits = Some(reader.string(value, "the name of a theme")?.to_string()),
            "palette" => file.palette = reader.palette(value)?,
            "roles" => file.roles = reader.roles(value)?,
            other => {
                let message = format!("unknown key {other:?}");
                return Err(reader
                    .error(key.span().start, &message)
                    .hint("A theme has `inherits`, a table `[palette]` and a table `[roles]`."));
            }
        }
    }
    Ok(file)
}

impl Reader<'_> {
    fn palette(&self, value: &Value<'_>) -> Result<BTreeMap<String, Paint>> {
        let wanted = "a table of colours";
        let table = value
            .get_ref()
            .as_table()
            .ok_or_else(|| self.wrong_type(value, wanted))?;
        table
            .iter()
            .map(|(key, value)| Ok((key.get_ref().to_string(), self.paint(value)?)))
            .collect()
    }

    /// `"#rrggbb"`, `"red"`, or `["#rrggbb", "red"]` with the second for terminals of sixteen colours.
    fn paint(&self, value: &Value<'_>) -> Result<Paint> {
        if let Some(text) = value.get_ref().as_str() {
            return color::parse(text).ok_or_else(|| self.no_colour(value, text));
        }
        let wanted = "a colour or [colour, colour of sixteen]";
        let pair = value
            .get_ref()
            .as_array()
            .ok_or_else(|| self.wrong_type(value, wanted))?;
        let [rich, plain] = pair.as_ref() else {
            return Err(self.wrong_type(value, wanted));
        };
        let rich_text = self.string(rich, "a colour")?;
        let plain_text = self.string(plain, "the name of a colour")?;
        let rgb = color::parse(rich_text)
            .ok_or_else(|| self.no_colour(rich, rich_text))?
            .rgb;
        let named = color::parse(plain_text).and_then(|paint| paint.named);
        if named.is_none() {
            return Err(self.no_colour(plain, plain_text));
        }
        Ok(Paint { rgb, named })
    }

    fn no_colour(&self, value: &Value<'_>, text: &str) -> Error {
        let names: Vec<&str> = color::NAMED.iter().map(|(name, _)| *name).collect();
        self.error(value.span().start, &format!("{text:?} is no colour"))
            .hint(format!(
                "Write \"#rrggbb\", or one of {}, or both in brackets: [\"#d0d0d0\", \"white\"].",
                names.join(", ")
            ))
    }

    fn roles(&self, value: &Value<'_>) -> Result<Vec<(Role, RoleSpec)>> {
        let wanted = "a table of roles";
        let table = value
            .get_ref()
            .as_table()
            .ok_or_else(|| self.wrong_type(value, wanted))?;
        let mut roles = Vec::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let role = Role::named(name).ok_or_else(|| {
                let names: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
                self.error(key.span().start, &format!("unknown role {name:?}"))
                    .hint(format!("Roles are: {}.", names.join(", ")))
            })?;
            let mut spec = self.role(value)?;
            spec.place = self.place(key.span().start);
            roles.push((role, spec));
        }
        Ok(roles)
    }

    /// `"ink"` for the foreground alone, or `{ fg = .., bg = .., add = [..], mono = [..] }`.
    fn role(&self, value: &Value<'_>) -> Result<RoleSpec> {
        if let Some(text) = value.get_ref().as_str() {
            return Ok(RoleSpec {
                foreground: Some(text.to_string()),
                ..RoleSpec::default()
            });
        }
        let wanted = "a colour or a table of fg, bg, add, mono";
        let table = value
            .get_ref()
            .as_table()
            .ok_or_else(|| self.wrong_type(value, wanted))?;
        let mut spec = RoleSpec::default();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "fg" => spec.foreground = Some(self.string(value, "a colour")?.to_string()),
                "bg" => spec.background = Some(self.string(value, "a colour")?.to_string()),
                "add" => spec.modifiers = self.modifiers(value)?,
                "mono" => spec.mono = Some(self.modifiers(value)?),
                other => {
                    return Err(self
                        .error(key.span().start, &format!("unknown key {other:?} in a role"))
                        .hint(
                            "A role has `fg`, `bg`, `add` and `mono` (added where there are no colours).",
                        ));
                }
            }
        }
        Ok(spec)
    }

    fn modifiers(&self, value: &Value<'_>) -> Result<Modifier> {
        let wanted = "a list of modifiers";
        let list = value
            .get_ref()
            .as_array()
            .ok_or_else(|| self.wrong_type(value, wanted))?;
        let mut all = Modifier::empty();
        for entry in list {
            let text = self.string(entry, "a modifier")?;
            let found = MODIFIERS.iter().find(|(name, _)| *name == text);
            let Some((_, modifier)) = found else {
                let names: Vec<&str> = MODIFIERS.iter().map(|(name, _)| *name).collect();
                return Err(self
                    .error(entry.span().start, &format!("unknown modifier {text:?}"))
                    .hint(format!("Modifiers are: {}.", names.join(", "))));
            };
            all |= *modifier;
        }
        Ok(all)
    }
}
