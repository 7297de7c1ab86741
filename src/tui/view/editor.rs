//! The text of the SQL screen, and the rows that it gave.

use ratatui::layout::{Position, Rect};

use super::canvas::{Canvas, Titles};
use super::grid;
use crate::sql::highlight::{Piece, PieceKind};
use crate::tui::app::sql::{cells_before, editor_area};
use crate::tui::app::{App, Mode, Pane};
use crate::tui::doc::Line;
use crate::tui::layout::{self, GRID_MARK};
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::units::{grouped, plural, to_u16};

/// The text, with line numbers.
pub(super) fn draw(canvas: &mut Canvas<'_>, app: &App, area: Rect) {
    let sql = &app.sql;
    let (line, column) = sql.cursor();
    let mistake = sql.mistake();
    let left = Pane::Editor.title();
    let right = match mistake {
        Some((line, column)) => format!("wrong at {}:{}", line + 1, column + 1),
        None => String::new(),
    };
    canvas.panel(area, Pane::Editor, Titles { left, right: &right });
    canvas.below(area, &format!("{}:{}", line + 1, column + 1));
    let inner = editor_area(area, sql.gutter());
    let (first, skip) = sql.scroll;
    for (row, text) in sql
        .lines()
        .iter()
        .enumerate()
        .skip(first)
        .take(usize::from(inner.height))
    {
        let at = row - first;
        let gutter = Rect {
            x: area.x + 1,
            y: inner.y,
            width: inner.x.saturating_sub(area.x + 1),
            height: inner.height,
        };
        let number = text::right(
            &(row + 1).to_string(),
            usize::from(gutter.width).saturating_sub(1),
            "",
        );
        let is_wrong = mistake.is_some_and(|(line, _)| line == row);
        let role = match (is_wrong, row == line) {
            (true, _) => Role::Failed,
            (_, true) => Role::Text,
            (_, false) => Role::Muted,
        };
        canvas.at(gutter, at, 0, role, &number);
        if is_wrong {
            canvas.at(gutter, at, 0, Role::Failed, app.symbols.wrong);
        }
        canvas.line(inner, at, skip, &line_of(row, text, sql.pieces()));
        if text::width(text) > skip + usize::from(inner.width) && inner.width > 0 {
            let last = usize::from(inner.width) - 1;
            canvas.at(inner, at, last, Role::Muted, app.symbols.more[1]);
        }
    }
    if let Some((start, end)) = sql.selection() {
        for row in start.0..=end.0 {
            let from = if row == start.0 { start.1 } else { 0 };
            let to = if row == end.0 { end.1 } else { usize::MAX };
            mark(canvas, app, inner, row, from..to, Role::Selection);
        }
    }
    if let Some((row, from)) = mistake {
        // The whole word that is wrong, or one cell where there is none.
        let piece = sql
            .pieces()
            .iter()
            .find(|piece| piece.line == row && piece.columns.contains(&from));
        let to = piece.map_or(from + 1, |piece| piece.columns.end);
        mark(canvas, app, inner, row, from..to, Role::Mistake);
    }
}

/// The cell of the cursor, where the text has the keyboard and nothing is in front of it.
pub(super) fn cursor(app: &App) -> Option<Position> {
    let has_keyboard = app.is_in_editor() && matches!(app.mode, Mode::Normal) && !app.is_quitting();
    let area = app.layout().pane(Pane::Editor).filter(|_| has_keyboard)?;
    app.text_cursor(area)
}

/// A line in the roles of its pieces.
fn line_of(row: usize, text: &str, pieces: &[Piece]) -> Line {
    let letters: Vec<char> = text.chars().collect();
    let begin = pieces.partition_point(|piece| piece.line < row);
    let mut line = Line::new();
    let mut at = 0;
    for piece in pieces[begin..].iter().take_while(|piece| piece.line == row) {
        let (from, to) = (
            piece.columns.start.min(letters.len()),
            piece.columns.end.min(letters.len()),
        );
        if from < at {
            continue;
        }
        line.push((Role::Text, letters[at..from].iter().collect()));
        line.push((role(piece.kind), letters[from..to].iter().collect()));
        at = to;
    }
    line.push((Role::Text, letters[at..].iter().collect()));
    line
}

fn role(kind: PieceKind) -> Role {
    match kind {
        PieceKind::Keyword => Role::SqlWord,
        PieceKind::Call => Role::SqlCall,
        PieceKind::Text => Role::SqlText,
        PieceKind::Number => Role::SqlNumber,
        PieceKind::Comment => Role::SqlComment,
        PieceKind::Name => Role::Text,
        PieceKind::Sign | PieceKind::End => Role::Muted,
    }
}

/// Gives some columns of a line another look.
fn mark(
    canvas: &mut Canvas<'_>,
    app: &App,
    inner: Rect,
    row: usize,
    columns: std::ops::Range<usize>,
    role: Role,
) {
    let (first, skip) = app.sql.scroll;
    let Some(text) = app.sql.lines().get(row) else {
        return;
    };
    let Some(at) = row
        .checked_sub(first)
        .filter(|at| *at < usize::from(inner.height))
    else {
        return;
    };
    let length = text.chars().count();
    let from = cells_before(text, columns.start.min(length));
    let to = cells_before(text, columns.end.min(length)).max(from + 1);
    let (from, to) = (from.max(skip) - skip, to.max(skip) - skip);
    let place = Rect {
        x: inner.x + to_u16(from),
        y: inner.y + to_u16(at),
        width: to_u16(to - from),
        height: 1,
    };
    canvas.restyle(place.intersection(inner), role);
}

/// The rows that a text gave.
pub(super) fn answer(canvas: &mut Canvas<'_>, app: &App, area: Rect) {
    let inner = layout::inside(area);
    let left = Pane::Answer.title();
    let Some(answer) = &app.sql.answer else {
        canvas.panel(area, Pane::Answer, Titles { left, right: "" });
        return;
    };
    let grid = &answer.grid;
    let shown = &grid.shown;
    let mut right = plural(shown.num_all, "row", "rows");
    if shown.rows.len() < shown.num_rows {
        right = format!(
            "rows {}{}{} of {}",
            grouped(grid.offset as u64 + 1),
            app.symbols.dash,
            grouped((grid.offset + shown.rows.len()) as u64),
            grouped(shown.num_rows as u64)
        );
    }
    if !grid.filter.is_empty() {
        let filter = text::cut(&grid.filter, 16, app.symbols.ellipsis);
        right = format!("/{filter}  {right}, {} in all", grouped(shown.num_all as u64));
    }
    if answer.number > 1 {
        right = format!(
            "the last of {} results {} {right}",
            answer.number, app.symbols.dot
        );
    }
    canvas.panel(area, Pane::Answer, Titles { left, right: &right });
    if let Some(error) = &grid.error {
        return grid::paragraph(canvas, inner, Role::Failed, error);
    }
    canvas.below(area, &grid::columns_in_sight(app, grid));
    grid::heads(canvas, grid, inner, 0);
    if shown.num_rows == 0 {
        canvas.at(inner, 1, GRID_MARK, Role::Muted, "No rows.");
    }
    grid::cells(canvas, app, grid, inner, app.focus == Pane::Answer);
}
