use super::*;
use ratatui::style::Color;

fn load_text(text: &str, depth: ColorDepth) -> Result<Theme> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("mine.toml"), text).expect("a theme file");
    Theme::load("mine", &[folder.path().to_path_buf()], depth)
}

#[test]
fn every_file_in_themes_loads_at_every_depth() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/themes"));
    let mut seen = 0;
    for entry in folder.read_dir().expect("the folder themes/") {
        let path = entry.expect("an entry").path();
        for depth in [
            ColorDepth::Mono,
            ColorDepth::Ansi16,
            ColorDepth::Ansi256,
            ColorDepth::True,
        ] {
            let theme = Theme::load(&path.display().to_string(), &[], depth);
            assert!(
                theme.is_ok(),
                "{}: {}",
                path.display(),
                theme.expect_err("an error").report()
            );
        }
        let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        assert!(
            BUNDLED.iter().any(|(name, _)| *name == stem),
            "{stem} is not in the binary"
        );
        seen += 1;
    }
    assert_eq!(seen, BUNDLED.len());
}

/// Contrast of two colours by WCAG 2: 1 (none) to 21.
fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let luminance = |rgb: [u8; 3]| {
        let part = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.03928 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * part(rgb[0]) + 0.7152 * part(rgb[1]) + 0.0722 * part(rgb[2])
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// A colour's value; of the sixteen that of a Linux console, which has no more; `None`: the terminal's own.
fn value(color: Color) -> Option<[u8; 3]> {
    Some(match color {
        Color::Rgb(red, green, blue) => [red, green, blue],
        Color::Black => [0, 0, 0],
        Color::Red => [0xaa, 0, 0],
        Color::Green => [0, 0xaa, 0],
        Color::Yellow => [0xaa, 0x55, 0],
        Color::Blue => [0, 0, 0xaa],
        Color::Magenta => [0xaa, 0, 0xaa],
        Color::Cyan => [0, 0xaa, 0xaa],
        Color::Gray => [0xaa, 0xaa, 0xaa],
        Color::DarkGray => [0x55, 0x55, 0x55],
        Color::LightRed => [0xff, 0x55, 0x55],
        Color::LightGreen => [0x55, 0xff, 0x55],
        Color::LightYellow => [0xff, 0xff, 0x55],
        Color::LightBlue => [0x55, 0x55, 0xff],
        Color::LightMagenta => [0xff, 0x55, 0xff],
        Color::LightCyan => [0x55, 0xff, 0xff],
        Color::White => [0xff, 0xff, 0xff],
        _ => return None,
    })
}

/// How many pairs of text and background a theme sets, all of which have at least that contrast.
fn assert_contrast(name: &str, depth: ColorDepth, least: f64) -> usize {
    let theme = Theme::load(name, &[], depth).expect("a bundled theme");
    let mut pairs = 0;
    for role in Role::ALL {
        if matches!(role, Role::Border | Role::BorderFocus) {
            continue; // lines, not text
        }
        for ground in [Role::Screen, Role::Overlay, Role::Selection] {
            let style = theme
                .style(Role::Screen)
                .patch(theme.style(ground))
                .patch(theme.style(*role));
            let (Some(fg), Some(bg)) = (style.fg.and_then(value), style.bg.and_then(value)) else {
                continue;
            };
            pairs += 1;
            let ratio = contrast(fg, bg);
            assert!(
                ratio >= least,
                "{name}, {depth:?}: {} on {} has contrast {ratio:.2}",
                role.name(),
                ground.name()
            );
        }
    }
    pairs
}

#[test]
fn text_is_readable_on_every_background() {
    let all = (Role::ALL.len() - 2) * 3;
    for (name, _) in BUNDLED {
        let least = if name == "high-contrast" { 7.0 } else { 4.5 };
        let pairs = assert_contrast(name, ColorDepth::True, least);
        assert_eq!(
            pairs,
            if name == "terminal" { 0 } else { all },
            "{name} sets both colours"
        );
    }
}

#[test]
fn sixteen_colours_are_readable_on_a_plain_console() {
    for (name, _) in BUNDLED {
        assert_contrast(name, ColorDepth::Ansi16, 3.0);
    }
}

#[test]
fn the_terminals_own_theme_assumes_no_background() {
    for depth in [ColorDepth::Ansi16, ColorDepth::Ansi256, ColorDepth::True] {
        let theme = Theme::load("terminal", &[], depth).expect("a bundled theme");
        for role in Role::ALL {
            let style = theme.style(*role);
            assert!(matches!(style.bg, None | Some(Color::Reset)), "{role:?}");
            assert!(
                !matches!(style.fg, Some(Color::Black | Color::White | Color::Rgb(..))),
                "{role:?}"
            );
        }
        assert!(
            theme
                .style(Role::Selection)
                .add_modifier
                .contains(Modifier::REVERSED)
        );
    }
}

#[test]
fn a_child_changes_only_what_it_says() {
    let text = "inherits = \"dark\"\n[palette]\nsea = \"#010203\"\n[roles]\ntext = \"red\"\n";
    let mine = load_text(text, ColorDepth::True).expect("a theme");
    let dark = Theme::load("dark", &[], ColorDepth::True).expect("a theme");
    assert_eq!(
        mine.style(Role::Spark).fg,
        Some(Color::Rgb(1, 2, 3)),
        "inherited roles use the new palette"
    );
    assert_eq!(mine.style(Role::Text).fg, Some(Color::Red));
    assert_eq!(mine.style(Role::Failed), dark.style(Role::Failed));
}

#[test]
fn without_colours_the_selection_is_reversed() {
    let mono = Theme::load("dark", &[], ColorDepth::Mono).expect("a theme");
    for role in Role::ALL {
        let style = mono.style(*role);
        assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
    }
    assert!(
        mono.style(Role::Selection)
            .add_modifier
            .contains(Modifier::REVERSED)
    );
}

#[test]
fn mistakes_name_file_line_and_what_is_allowed() {
    let cases = [
        (
            "[roles]\ntext = \"nope\"\ninherits = 3",
            "theme \"mine\", line 3: unknown role \"inherits\"",
        ),
        (
            "inherits = 3",
            "theme \"mine\", line 1: expected the name of a theme, found integer",
        ),
        (
            "inherits = \"dark\"\n\n[roles]\ntxt = \"red\"",
            "theme \"mine\", line 4: unknown role \"txt\"",
        ),
        (
            "inherits = \"dark\"\n[roles]\ntext = \"rainbow\"",
            "theme \"mine\", line 3: \"rainbow\" is no colour",
        ),
        (
            "[palette]\na = \"#12\"",
            "theme \"mine\", line 2: \"#12\" is no colour",
        ),
        (
            "[palette]\na = [\"#121212\", \"#121212\"]",
            "theme \"mine\", line 2: \"#121212\" is no colour",
        ),
        (
            "[roles]\ntext = { fg = \"red\", blink = true }",
            "theme \"mine\", line 2: unknown key \"blink\" in a role",
        ),
        (
            "[roles]\ntext = { add = [\"loud\"] }",
            "theme \"mine\", line 2: unknown modifier \"loud\"",
        ),
        ("colours = 1", "theme \"mine\", line 1: unknown key \"colours\""),
        ("inherits = \"mine\"", "theme \"mine\" inherits from itself"),
        ("inherits = \"gone\"", "there is no theme \"gone\""),
        (
            "[roles]\ntext = \"red\"",
            "theme \"mine\" does not say what role \"screen\" looks like",
        ),
    ];
    for (text, message) in cases {
        let error = load_text(text, ColorDepth::True).expect_err(text);
        let (before, after) = error
            .message()
            .split_once("theme file \"")
            .unwrap_or((error.message(), ""));
        let told = match after.split_once("mine.toml\"") {
            Some((_, rest)) => format!("{before}theme \"mine\"{rest}"),
            None => error.message().to_string(),
        };
        assert_eq!(told, message, "{text}");
        assert!(error.hint_text().is_some(), "{text}");
    }
    let broken = load_text("[roles\n", ColorDepth::True).expect_err("no TOML");
    assert!(
        broken.message().starts_with("theme file \"") && broken.message().contains("mine.toml\", line 1: "),
        "{}",
        broken.message()
    );
}
