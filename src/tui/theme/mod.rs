//! Themes: TOML files that say what each role on the screen looks like.
//!
//! A theme has a *palette* of named colours and gives each *role* (`text`, `selection`, `changed`, ...) a
//! foreground, a background and modifiers. It may say `inherits = "dark"` and change some of either: a palette
//! entry that it replaces changes every inherited role that uses it. Code asks for roles and never for colours.

mod color;
mod parse;
mod watch;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ratatui::style::{Modifier, Style};

pub use color::ColorDepth;
use color::Paint;
use parse::{RoleSpec, ThemeFile};
pub(crate) use watch::ThemeWatch;

use crate::error::{Error, Result};

/// The themes inside the binary.
const BUNDLED: [(&str, &str); 5] = [
    ("dark", include_str!("../../../themes/dark.toml")),
    ("light", include_str!("../../../themes/light.toml")),
    (
        "high-contrast",
        include_str!("../../../themes/high-contrast.toml"),
    ),
    ("colour-blind", include_str!("../../../themes/colour-blind.toml")),
    ("terminal", include_str!("../../../themes/terminal.toml")),
];

macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident = $name:literal),* $(,)?) => {
        /// What something on the screen is; a theme says what that looks like.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Role { $($(#[$doc])* $role),* }

        impl Role {
            /// Every role.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$role),*];

            /// Its name in a theme file.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$role => $name),* }
            }
        }
    };
}

roles! {
    /// The whole screen, before anything is drawn on it.
    Screen = "screen",
    /// Plain text.
    Text = "text",
    /// Text that explains, and what matters less.
    Muted = "muted",
    /// Names, keys of pairs, the thing to look at first.
    Strong = "strong",
    /// Something that can be pressed, and the open tab.
    Accent = "accent",
    /// Frames of panels.
    Border = "border",
    /// The frame of the panel that has the keyboard.
    BorderFocus = "border-focus",
    /// Column heads.
    Header = "header",
    /// The selected row.
    Selection = "selection",
    /// Text that was found or is typed.
    Input = "input",
    /// A query that runs, and what is well.
    Running = "running",
    /// A query that rests.
    Stopped = "stopped",
    /// A query that ended by itself.
    Finished = "finished",
    /// A query that failed, and errors.
    Failed = "failed",
    /// Something worth a look.
    Warning = "warning",
    /// Sparklines and charts of rates.
    Spark = "spark",
    /// Trends of state.
    Trend = "trend",
    /// A cell that has just changed.
    Changed = "changed",
    /// A cell that changed a moment ago.
    Fading = "fading",
    /// Parts of a stacked bar, first to last.
    Part1 = "part-1",
    /// The second part.
    Part2 = "part-2",
    /// The third part.
    Part3 = "part-3",
    /// The fourth part.
    Part4 = "part-4",
    /// The fifth part.
    Part5 = "part-5",
    /// The sixth part, and everything else.
    Part6 = "part-6",
    /// Boxes over the screen.
    Overlay = "overlay",
    /// Words of statements in SQL.
    SqlWord = "sql-word",
    /// Functions in SQL.
    SqlCall = "sql-call",
    /// Strings in SQL.
    SqlText = "sql-text",
    /// Numbers in SQL.
    SqlNumber = "sql-number",
    /// Comments in SQL.
    SqlComment = "sql-comment",
    /// What is wrong in SQL.
    Mistake = "mistake",
}

impl Role {
    /// The roles of a stacked bar's parts.
    pub(crate) const PARTS: [Self; 6] = [
        Self::Part1,
        Self::Part2,
        Self::Part3,
        Self::Part4,
        Self::Part5,
        Self::Part6,
    ];

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.name() == name)
    }
}

/// What every role looks like on this terminal.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    name: String,
    styles: Vec<Style>,
    files: Vec<PathBuf>,
}

impl Theme {
    /// Loads a theme by name, from `folders` first and then from the binary, or by the path of its file.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Statement`], if there is no such theme, or a file says something that is no theme:
    /// with the file, the line and what is allowed.
    pub fn load(name: &str, folders: &[PathBuf], depth: ColorDepth) -> Result<Self> {
        let mut palette = BTreeMap::new();
        let mut roles: Vec<Option<RoleSpec>> = vec![None; Role::ALL.len()];
        let mut chain: Vec<(String, ThemeFile)> = Vec::new();
        let mut next = Some(name.to_string());
        let mut files = Vec::new();
        while let Some(name) = next.take() {
            if chain.iter().any(|(known, _)| *known == name) {
                let circle: Vec<&str> = chain.iter().map(|(name, _)| name.as_str()).collect();
                return Err(
                    Error::statement(format!("theme {name:?} inherits from itself")).hint(format!(
                        "The circle is {} -> {name}: take one `inherits` out.",
                        circle.join(" -> ")
                    )),
                );
            }
            let (text, path) = read(&name, folders)?;
            let place = path.as_ref().map_or_else(
                || format!("theme {name:?}"),
                |path| format!("theme file {:?}", path.display().to_string()),
            );
            files.extend(path);
            let file = parse::parse(&place, &text)?;
            next.clone_from(&file.inherits);
            chain.push((name, file));
        }
        for (_, file) in chain.into_iter().rev() {
            palette.extend(file.palette);
            for (role, spec) in file.roles {
                roles[role as usize] = Some(spec);
            }
        }
        let mut styles = Vec::with_capacity(roles.len());
        for (role, spec) in Role::ALL.iter().zip(roles) {
            let spec = spec.ok_or_else(|| {
                Error::statement(format!(
                    "theme {name:?} does not say what role {:?} looks like",
                    role.name()
                ))
                .hint("Add it under [roles], or build on a whole theme: inherits = \"dark\".")
            })?;
            styles.push(style(&spec, &palette, depth)?);
        }
        Ok(Self {
            name: name.to_string(),
            styles,
            files,
        })
    }

    /// The files that it was read from; none if all of it is in the binary.
    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// What it was loaded as.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the role looks like.
    pub(crate) fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    /// The names that [`Theme::load`] finds without a path, in order.
    pub fn names(folders: &[PathBuf]) -> Vec<String> {
        let mut names: Vec<String> = BUNDLED.iter().map(|(name, _)| (*name).to_string()).collect();
        for entry in folders
            .iter()
            .filter_map(|folder| folder.read_dir().ok())
            .flatten()
            .flatten()
        {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "toml")
                && let Some(stem) = path.file_stem().and_then(|stem| stem.to_str())
            {
                names.push(stem.to_string());
            }
        }
        names.sort();
        names.dedup();
        names
    }
}

/// The text of a theme, and the file that it is from.
fn read(name: &str, folders: &[PathBuf]) -> Result<(String, Option<PathBuf>)> {
    let is_path = name.contains(std::path::is_separator) || Path::new(name).extension().is_some();
    let candidates: Vec<PathBuf> = if is_path {
        vec![PathBuf::from(name)]
    } else {
        folders
            .iter()
            .map(|folder| folder.join(format!("{name}.toml")))
            .collect()
    };
    for path in candidates {
        match std::fs::read_to_string(&path) {
            Ok(text) => return Ok((text, Some(path))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !is_path => {}
            Err(error) => {
                let message = format!("theme file {:?} cannot be read", path.display().to_string());
                return Err(Error::statement(message)
                    .caused_by(error)
                    .hint("Name a file that can be read."));
            }
        }
    }
    match BUNDLED.iter().find(|(known, _)| *known == name) {
        Some((_, text)) => Ok(((*text).to_string(), None)),
        None => Err(
            Error::statement(format!("there is no theme {name:?}")).hint(format!(
                "Themes are {}; the path of a .toml file will do as well.",
                Theme::names(folders).join(", ")
            )),
        ),
    }
}

fn style(spec: &RoleSpec, palette: &BTreeMap<String, Paint>, depth: ColorDepth) -> Result<Style> {
    let paint = |name: &Option<String>| -> Result<Option<ratatui::style::Color>> {
        let Some(name) = name else { return Ok(None) };
        let paint = palette
            .get(name)
            .copied()
            .or_else(|| color::parse(name))
            .ok_or_else(|| {
                let names: Vec<&str> = palette.keys().map(String::as_str).collect();
                Error::statement(format!("{}: {name:?} is no colour", spec.place)).hint(format!(
                    "Write \"#rrggbb\" or a name of the palette: {}.",
                    names.join(", ")
                ))
            })?;
        Ok(paint.at(depth))
    };
    let mut style = Style::new();
    style.fg = paint(&spec.foreground)?;
    style.bg = paint(&spec.background)?;
    let modifiers = match spec.mono {
        Some(mono) if depth == ColorDepth::Mono => mono,
        _ => spec.modifiers,
    };
    Ok(if modifiers == Modifier::empty() {
        style
    } else {
        style.add_modifier(modifiers)
    })
}

#[cfg(test)]
mod tests;
