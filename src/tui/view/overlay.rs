//! Boxes above the screen: help, themes, questions, completions, errors.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::tui::action::{ACTIONS, Action, Argument, GROUPS};
use crate::tui::app::command_line::Completion;
use crate::tui::app::sql::Offer;
use crate::tui::app::tour::{STEPS, Step};
use crate::tui::app::{App, Mode, Record};
use crate::tui::doc::Line;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::units::{grouped, to_u16};

/// Completions that are shown at most.
const COMPLETIONS: usize = 8;

pub(super) fn draw(canvas: &mut Canvas<'_>, app: &App) {
    match &app.mode {
        Mode::Help(first) => help(canvas, app, *first),
        Mode::Record(record) => self::record(canvas, app, record),
        Mode::Themes(names, at, _) => themes(canvas, app, names, *at),
        Mode::Confirm(confirm) => {
            let width = usize::from(app.size().width).saturating_sub(10).min(64);
            let mut lines: Vec<Line> = vec![vec![(Role::Strong, confirm.question.clone())], Vec::new()];
            lines.extend(wrapped(Role::Text, &confirm.detail, width));
            lines.push(Vec::new());
            let (yes, no) = confirm.words;
            lines.push(vec![
                (Role::Accent, "y".to_string()),
                (Role::Text, format!(" {yes}     ")),
                (Role::Accent, "n".to_string()),
                (Role::Text, format!(" {no}")),
            ]);
            let area = centred(app.size(), width, lines.len());
            show(canvas, area, "", &lines, Role::Warning);
        }
        Mode::Command(line) => completions(canvas, app, &line.found, line.chosen),
        Mode::Normal => offers(canvas, app),
        Mode::Filter(..) => {}
    }
    if let Some((at, step)) = app.tour.and_then(|tour| tour.step()) {
        tour(canvas, app, at, step);
    }
    if let Some(notice) = app.notice.as_ref().filter(|notice| notice.is_error) {
        let width = usize::from(app.size().width).saturating_sub(8).min(90);
        let mut lines: Vec<Line> = Vec::new();
        for (at, line) in notice.text.lines().enumerate() {
            let role = if at == 0 { Role::Failed } else { Role::Text };
            lines.extend(wrapped(role, line, width));
        }
        let height = lines.len().min(usize::from(app.size().height).saturating_sub(6));
        let y = app.size().height.saturating_sub(to_u16(height) + 3);
        let area = Rect {
            y,
            ..centred(app.size(), width, height)
        };
        show(canvas, area, "error", &lines, Role::Failed);
    }
}

/// What the tour says, low on the screen so that what it speaks of is seen.
fn tour(canvas: &mut Canvas<'_>, app: &App, at: usize, step: &Step) {
    let width = usize::from(app.size().width).saturating_sub(8).min(96);
    let mut lines: Vec<Line> = wrapped(Role::Text, step.caption, width).collect();
    lines.push(vec![(Role::Muted, "any key takes over".to_string())]);
    let height = lines.len().min(usize::from(app.size().height).saturating_sub(6));
    let area = Rect {
        y: app.size().height.saturating_sub(to_u16(height) + 3),
        ..centred(app.size(), width, height)
    };
    let title = format!("{} of {}: {}", at + 1, STEPS.len(), step.title);
    show(canvas, area, &title, &lines, Role::Accent);
}

/// Text broken to a width, each line as far to the right as the first.
fn wrapped(role: Role, text: &str, width: usize) -> impl Iterator<Item = Line> {
    let rest = text.trim_start();
    let indent = text.len() - rest.len();
    let lines = text::wrap(rest, width.saturating_sub(indent));
    lines
        .into_iter()
        .map(move |line| vec![(role, format!("{}{line}", " ".repeat(indent)))])
}

fn help(canvas: &mut Canvas<'_>, app: &App, first: usize) {
    let mut lines: Vec<Line> = Vec::new();
    for group in GROUPS {
        if !lines.is_empty() {
            lines.push(Vec::new());
        }
        lines.push(vec![(Role::Strong, group.to_string())]);
        for action in ACTIONS.iter().filter(|action| action.group == group) {
            let keys: Vec<String> = app
                .keymap
                .keys(action.id)
                .iter()
                .map(ToString::to_string)
                .collect();
            lines.push(vec![
                (Role::Accent, text::left(&keys.join(" "), 20, "")),
                (Role::Text, text::left(action.help, 48, "")),
                (Role::Muted, word(action)),
            ]);
        }
    }
    lines.push(Vec::new());
    let mouse = "Mouse: click selects, twice opens, on a head sorts; the wheel scrolls.";
    lines.push(vec![(Role::Muted, mouse.to_string())]);
    let height = lines.len().min(usize::from(app.size().height).saturating_sub(4));
    let area = centred(
        app.size(),
        92.min(usize::from(app.size().width).saturating_sub(6)),
        height,
    );
    let first = first.min(lines.len() - height);
    let title = if height < lines.len() {
        let last = first + height;
        format!(
            "help  {}{}{last} of {}, j k scroll",
            first + 1,
            app.symbols.dash,
            lines.len()
        )
    } else {
        "help".to_string()
    };
    show(canvas, area, &title, &lines[first..], Role::BorderFocus);
}

/// A row of a result, a value below the other, from the cursor's column on.
fn record(canvas: &mut Canvas<'_>, app: &App, record: &Record) {
    let width = usize::from(app.size().width).saturating_sub(10).min(100);
    let names = record.values.iter().map(|(name, _)| text::width(name));
    let label = names.max().unwrap_or(0).min(width / 3);
    let mut lines: Vec<Line> = Vec::new();
    let mut begin = 0;
    for (at, (name, value)) in record.values.iter().enumerate() {
        let is_chosen = at == record.column;
        if is_chosen {
            begin = lines.len();
        }
        let (name_role, role) = if is_chosen {
            (Role::Accent, Role::Strong)
        } else {
            (Role::Muted, Role::Text)
        };
        let mut name = Some(text::left(name, label, app.symbols.ellipsis));
        let mut parts: Vec<String> = value
            .lines()
            .flat_map(|line| text::wrap(line, width.saturating_sub(label + 2)))
            .collect();
        if parts.is_empty() {
            parts.push(String::new());
        }
        for part in parts {
            let name = name.take().unwrap_or_else(|| " ".repeat(label));
            lines.push(vec![(name_role, name), (role, format!("  {part}"))]);
        }
    }
    let height = lines.len().min(usize::from(app.size().height).saturating_sub(6));
    let last = lines.len() - height;
    let first = begin.saturating_add_signed(record.scroll).min(last);
    // Where everything fits, nothing has to be scrolled to.
    let first = if last == 0 { 0 } else { first };
    let area = centred(app.size(), width, height);
    let title = format!("row {}: y copies, Tab next, Esc back", grouped(record.row as u64));
    show(canvas, area, &title, &lines[first..], Role::BorderFocus);
}

/// What to type on the command line.
fn word(action: &Action) -> String {
    let argument = match action.argument {
        Argument::None => "",
        Argument::Query => " [QUERY]",
        Argument::Column => " COLUMN [desc]",
        Argument::Theme => " NAME",
        Argument::File => " FILE",
        Argument::Text => " TEXT",
    };
    format!(":{}{argument}", action.name)
}

fn themes(canvas: &mut Canvas<'_>, app: &App, names: &[String], at: usize) {
    let height = names.len().min(usize::from(app.size().height).saturating_sub(6));
    let first = (at + 1).saturating_sub(height);
    let lines: Vec<Line> = names
        .iter()
        .enumerate()
        .skip(first)
        .map(|(row, name)| {
            let mark = if row == at { app.symbols.selected } else { " " };
            let role = if row == at { Role::Strong } else { Role::Text };
            vec![(Role::Accent, format!("{mark} ")), (role, name.clone())]
        })
        .collect();
    let area = centred(app.size(), 32, height);
    show(
        canvas,
        area,
        "theme: Enter takes, Esc not",
        &lines,
        Role::BorderFocus,
    );
}

fn completions(canvas: &mut Canvas<'_>, app: &App, found: &[Completion], chosen: Option<usize>) {
    if found.is_empty() {
        return;
    }
    let first = chosen.map_or(0, |at| (at + 1).saturating_sub(COMPLETIONS));
    let shown = &found[first..found.len().min(first + COMPLETIONS)];
    let lines: Vec<Line> = shown
        .iter()
        .enumerate()
        .map(
            |(
                row,
                Completion {
                    shown: word, help, ..
                },
            )| {
                let is_chosen = chosen == Some(first + row);
                let role = if is_chosen { Role::Strong } else { Role::Text };
                let mark = if is_chosen { app.symbols.selected } else { " " };
                vec![
                    (Role::Accent, format!("{mark} ")),
                    (role, text::left(word, 14.max(text::width(word) + 1), "")),
                    (Role::Muted, help.clone()),
                ]
            },
        )
        .collect();
    let size = app.size();
    let width = usize::from(size.width).saturating_sub(4).min(68);
    let y = size.height.saturating_sub(to_u16(lines.len()) + 3);
    let area = Rect {
        x: 0,
        y,
        width: to_u16(width + 4),
        height: to_u16(lines.len() + 2),
    };
    let title = if found.len() > shown.len() {
        format!("Tab: {} words", found.len())
    } else {
        "Tab".to_string()
    };
    show(canvas, area, &title, &lines, Role::Border);
}

/// Words for what is being typed in the editor, beside the cursor.
fn offers(canvas: &mut Canvas<'_>, app: &App) {
    let (Some(completions), Some((area, first))) = (&app.sql.completions, app.offers_area()) else {
        return;
    };
    let count = usize::from(area.height).saturating_sub(2);
    let shown: Vec<&Offer> = completions.offers.iter().skip(first).take(count).collect();
    let widest = shown
        .iter()
        .map(|offer| text::width(&offer.text))
        .max()
        .unwrap_or(0);
    let lines: Vec<Line> = shown
        .iter()
        .enumerate()
        .map(|(row, offer)| {
            let is_chosen = first + row == completions.at;
            let role = if is_chosen { Role::Strong } else { Role::Text };
            let mark = if is_chosen { app.symbols.selected } else { " " };
            vec![
                (Role::Accent, format!("{mark} ")),
                (role, text::left(&offer.text, widest + 2, app.symbols.ellipsis)),
                (Role::Muted, text::cut(&offer.detail, 24, app.symbols.ellipsis)),
            ]
        })
        .collect();
    show(canvas, area, "", &lines, Role::Border);
}

/// A box of so many cells inside, in the middle of the screen.
fn centred(screen: Rect, width: usize, height: usize) -> Rect {
    let width = to_u16(width + 4).min(screen.width);
    let height = to_u16(height + 2).min(screen.height);
    Rect {
        x: (screen.width - width) / 2,
        y: (screen.height - height) / 2,
        width,
        height,
    }
}

fn show(canvas: &mut Canvas<'_>, area: Rect, title: &str, lines: &[Line], border: Role) {
    canvas.fill(area, Role::Overlay);
    canvas.frame(area, border);
    if !title.is_empty() {
        canvas.at(area, 0, 2, Role::Strong, &format!(" {title} "));
    }
    let inner = crate::tui::layout::inside(area);
    for (row, line) in lines.iter().take(usize::from(inner.height)).enumerate() {
        canvas.line(inner, row, 0, line);
    }
}
