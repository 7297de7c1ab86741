//! What can be done with a result: order, filter, look at a cell, chart.

use std::sync::Arc;

use arrow::array::ArrayRef;
use ratatui::layout::{Position, Rect};

use super::grid::Grid;
use super::pivot::{Axes, Pivot};
use super::rows::Rows;
use super::{App, Effect, Mode, Pane, cells, copy};
use crate::error::{Error, Result};
use crate::tui::layout::{self, GRID_MARK};

/// Windows that a chart can show at most; how many it does show is a question of its width.
const MAX_TIMES: usize = 400;
/// A pane of fewer rows has no room for a table and a chart.
const BOTH: u16 = 14;

/// How a result is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum View {
    /// As a table, with a chart below where there is room and something to draw.
    #[default]
    Both,
    /// As a chart alone.
    Chart,
    /// As a table alone.
    Table,
    /// As what each batch did to the table.
    Changes,
}

/// Whether a chart is drawn as bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Bars {
    /// Bars where enough of them fit, else lines.
    #[default]
    Fitting,
    /// Lines.
    Never,
    /// Bars, as many as fit.
    Always,
}

/// A cell that is looked at by itself, with the rest of its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// The row's place in the table, from 1 on.
    pub(crate) row: usize,
    /// Columns with their whole values.
    pub(crate) values: Vec<(String, String)>,
    /// The column that the cursor was on.
    pub(crate) column: usize,
    /// The first line in sight, counted from that column's.
    pub(crate) scroll: isize,
}

/// Columns of one row, with their names.
pub(super) type NamedColumns = Vec<(String, ArrayRef)>;

impl App {
    /// The rows of the selected query's result as the picture has them.
    pub(super) fn result_rows(&self) -> Option<Rows> {
        let query = self.shown_query()?;
        let table = query.result.as_ref()?;
        let as_of = self.past().map(|past| past.batch.batch_id);
        Some(match (&self.frozen, as_of) {
            _ if self.is_change_log() => Rows::Log(self.change_log.rows(table, as_of)),
            (_, Some(batch)) => Rows::AsOf(Arc::clone(table), batch),
            (Some(picture), None) => Rows::Kept(Arc::clone(picture.kept.get(&query.id)?)),
            (None, None) => Rows::Live(Arc::clone(table)),
        })
    }

    /// Whether the change log is shown: not of a frozen picture, which does not have it.
    pub(crate) fn is_change_log(&self) -> bool {
        self.view == View::Changes && (!self.is_frozen() || self.past().is_some())
    }

    /// The current table, or what each batch did to it.
    pub(super) fn turn_change_log(&mut self) {
        self.show_as(if self.view == View::Changes {
            View::Both
        } else {
            View::Changes
        });
    }

    /// The parts of a result pane that table and chart have; one of them may have none.
    pub(crate) fn result_parts(&self, area: Rect) -> (Option<Rect>, Option<Rect>) {
        let inner = layout::inside(area);
        let can_be_drawn = self
            .shown_query()
            .and_then(|query| query.result.as_ref())
            .is_some_and(|table| Axes::of(&table.schema()).is_some());
        match self.view {
            _ if !can_be_drawn || self.is_change_log() => (Some(inner), None),
            View::Table | View::Changes => (Some(inner), None),
            View::Chart => (None, Some(inner)),
            View::Both if inner.height < BOTH => (Some(inner), None),
            View::Both => {
                let chart = (inner.height / 3).clamp(7, 14);
                let table = Rect {
                    height: inner.height - chart - 1,
                    ..inner
                };
                let chart = Rect {
                    y: table.bottom() + 1,
                    height: chart,
                    ..inner
                };
                (Some(table), Some(chart))
            }
        }
    }

    /// The chart of the selected query's result.
    pub(crate) fn pivot(&self) -> Option<&Pivot> {
        self.pivot.as_ref()
    }

    /// Brings table and chart up to date for their part of the screen.
    pub(super) fn load_result(&mut self, area: Rect) {
        let (table, chart) = self.result_parts(area);
        if self.is_change_log()
            && let Some(query) = self.shown_query().map(Arc::clone)
            && let Some(result) = &query.result
            && let Err(error) = self.change_log.update(query.id, result.as_ref())
        {
            self.fail(&error);
        }
        let (Some(id), Some(rows)) = (self.selected, self.result_rows()) else {
            return;
        };
        let now_ms = self.moment_ms();
        // A table that is not shown is kept up to date all the same: it says how many rows there are.
        let viewport = layout::grid_viewport(table.unwrap_or_default());
        let symbols = self.symbols;
        self.grids
            .entry(id)
            .or_default()
            .load(&rows, viewport, now_ms, symbols);
        let Some(_) = chart else {
            self.pivot = None;
            return;
        };
        let is_fresh = |pivot: &Pivot| pivot.is_of(&rows, self.measure, MAX_TIMES);
        if self.pivot_of == Some(id) && self.pivot.as_ref().is_some_and(is_fresh) {
            return;
        }
        match Pivot::of(&rows, self.measure, MAX_TIMES) {
            Ok(pivot) => self.pivot = pivot,
            Err(error) => {
                self.pivot = None;
                self.fail(&error);
            }
        }
        self.pivot_of = Some(id);
    }

    /// Rows of the table in the pane of results.
    pub(super) fn result_height(&self, area: Rect) -> usize {
        let (table, _) = self.result_parts(area);
        layout::grid_viewport(table.unwrap_or_default()).rows
    }

    pub(super) fn grid_mut(&mut self) -> Option<&mut Grid> {
        self.grids.get_mut(&self.selected?)
    }

    /// Orders the result by a column, the cursor's if none is named.
    pub(super) fn sort_result(&mut self, column: Option<usize>) {
        let Some(rows) = self.result_rows() else { return };
        let schema = rows.schema();
        let Some(grid) = self.grid_mut() else { return };
        let column = column.unwrap_or(grid.cursor.1);
        if let Some(field) = schema.fields().get(column) {
            grid.sort_by(column, field.data_type().is_numeric());
        }
    }

    /// Turns the order of the result round.
    pub(super) fn reverse_result(&mut self) {
        if let Some(sort) = self.grid_mut().and_then(|grid| grid.sort.as_mut()) {
            sort.descending = !sort.descending;
        }
    }

    /// Orders the result by a column that is named.
    ///
    /// # Errors
    ///
    /// There is no such column.
    pub(super) fn sort_result_by(&mut self, name: &str) -> Result<()> {
        let names = self.result_columns();
        let found = names.iter().position(|known| known.eq_ignore_ascii_case(name));
        let begins = |known: &String| known.to_lowercase().starts_with(&name.to_lowercase());
        let Some(column) = found.or_else(|| names.iter().position(begins)) else {
            return Err(
                Error::statement(format!("there is no column {name:?} to sort by"))
                    .hint(format!("Columns are: {}.", names.join(", "))),
            );
        };
        self.sort_result(Some(column));
        Ok(())
    }

    /// The names of the result's columns.
    pub(super) fn result_columns(&self) -> Vec<String> {
        let schema = self.result_rows().map(|rows| rows.schema());
        let fields = schema.iter().flat_map(|schema| schema.fields());
        fields.map(|field| field.name().clone()).collect()
    }

    /// Opens the cell under the cursor.
    pub(super) fn open_cell(&mut self) {
        match self.record() {
            Ok(Some(record)) => self.mode = Mode::Record(record),
            Ok(None) => self.say("there is no row to look at"),
            Err(error) => self.fail(&error),
        }
    }

    fn record(&self) -> Result<Option<Record>> {
        let Some((place, row)) = self.cursor_row()? else {
            return Ok(None);
        };
        let values = row.into_iter().map(|(name, array)| {
            let text = cells::whole(&array, 0)?;
            Ok((name, copy::readable(text)))
        });
        Ok(Some(Record {
            row: place + 1,
            values: values.collect::<Result<_>>()?,
            column: self.focused_table().map_or(0, |(_, grid)| grid.cursor.1),
            scroll: 0,
        }))
    }

    /// The table that has the keyboard: a result, or a state.
    fn focused_table(&self) -> Option<(Rows, &Grid)> {
        if self.is_in_keys() {
            return Some((self.keys.rows()?.clone(), &self.keys.grid));
        }
        if let Some(answer) = self.sql.answer.as_ref().filter(|_| self.is_in_answer()) {
            return Some((answer.rows.clone(), &answer.grid));
        }
        Some((self.result_rows()?, self.grid()?))
    }

    /// The row under the cursor: its place in the table, its columns.
    fn cursor_row(&self) -> Result<Option<(usize, NamedColumns)>> {
        let Some((rows, grid)) = self.focused_table() else {
            return Ok(None);
        };
        let Some(place) = grid.place()? else {
            return Ok(None);
        };
        let page = rows.page(place, 1)?;
        if page.rows.num_rows() == 0 {
            return Ok(None);
        }
        let schema = page.rows.schema();
        let names = schema.fields().iter().map(|field| field.name().clone());
        let columns = names.zip(page.rows.columns().iter().map(Arc::clone));
        Ok(Some((place, columns.collect())))
    }

    /// Puts the cell under the cursor, or its row as JSON, on the clipboard.
    pub(super) fn copy(&mut self, whole_row: bool) {
        let text = self.cursor_row().and_then(|row| {
            let (Some((_, row)), Some((_, grid))) = (row, self.focused_table()) else {
                return Ok(None);
            };
            if whole_row {
                return copy::json(&row).map(Some);
            }
            let Some((_, array)) = row.get(grid.cursor.1) else {
                return Ok(None);
            };
            cells::whole(array, 0).map(Some)
        });
        match text {
            Ok(Some(text)) => {
                let what = if whole_row { "the row as JSON" } else { "the cell" };
                self.say(format!("copied {what}: {} bytes", text.len()));
                self.effects.push(Effect::Copy(text));
            }
            Ok(None) => self.say("there is nothing to copy"),
            Err(error) => self.fail(&error),
        }
    }

    /// Table and chart, the chart alone, the table alone.
    pub(super) fn turn_view(&mut self) {
        self.show_as(match self.view {
            View::Both => View::Chart,
            View::Chart => View::Table,
            View::Table | View::Changes => View::Both,
        });
    }

    fn show_as(&mut self, view: View) {
        if (view == View::Changes) != (self.view == View::Changes) {
            // Other rows with other columns: nothing of where one was means anything there.
            self.grids.clear();
        }
        self.view = view;
    }

    /// Bars or lines.
    pub(super) fn turn_bars(&mut self) {
        self.bars = match self.bars {
            Bars::Fitting => Bars::Never,
            Bars::Never => Bars::Always,
            Bars::Always => Bars::Fitting,
        };
    }

    /// Charts the next number.
    pub(super) fn next_measure(&mut self) {
        self.measure = self.measure.wrapping_add(1);
    }

    /// A click into a result: on a head it orders, on a cell the cursor goes there.
    pub(super) fn click_on_result(&mut self, area: Rect, at: Position) {
        let (Some(table), _) = self.result_parts(area) else {
            return;
        };
        if !table.contains(at) || at.x < table.x + GRID_MARK_WIDTH {
            return;
        }
        let cell = usize::from(at.x - table.x - GRID_MARK_WIDTH);
        if at.y == table.y {
            let column = self.grid().and_then(|grid| grid.column_at(cell));
            if column.is_some() {
                self.sort_result(column);
            }
            return;
        }
        let row = usize::from(at.y - table.y - 1);
        let now_ms = self.clock.now_ms();
        let Some(grid) = self.grid_mut() else { return };
        let before = grid.cursor;
        if !grid.point(row, cell) {
            return;
        }
        let is_same = grid.cursor == before;
        let last = self.last_cell_click.replace(now_ms);
        if is_same && last.is_some_and(|last| now_ms - last <= super::mouse::DOUBLE_CLICK_MS) {
            self.last_cell_click = None;
            self.open_cell();
        }
    }

    /// Whether the keyboard is in a result.
    pub(crate) fn is_in_result(&self) -> bool {
        self.focus == Pane::Result && self.result_rows().is_some()
    }
}

/// [`GRID_MARK`] in cells of the screen.
#[expect(clippy::cast_possible_truncation, reason = "a few cells")]
const GRID_MARK_WIDTH: u16 = GRID_MARK as u16;
