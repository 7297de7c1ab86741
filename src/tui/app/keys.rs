//! A look into a query's state: keys and values of one operator, by key or the largest first, and those that one looks up.
//!
//! The engine reads a state from its checkpoint and gives a part of it, which is kept here with a grid on it. Another
//! part is asked for when the cursor comes near its end, when somebody looks something up, and now and then while the
//! query runs. There is never more than one question on its way.

use std::sync::Arc;

use arrow::array::{ArrayRef, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use ratatui::layout::Rect;

use super::grid::Grid;
use super::rows::{KeptRows, Rows};
use super::{App, Effect, Pane};
use crate::engine::Command;
use crate::engine::snapshot::{StateOrder, StatePage, StateRequest, StateWeight};
use crate::error::{Error, Result};
use crate::tui::layout;

/// Keys that are asked for at once.
const PART: usize = 500;
/// The cursor comes no nearer to the end of a part.
const NEAR: usize = 100;
/// While the query runs its state is read again after so long.
const AGAIN_MS: i64 = 1_000;

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    query: String,
    request: StateRequest,
}

/// The browser of a state.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    pub(crate) operator: u32,
    pub(crate) order: StateOrder,
    /// Only keys with this in them are shown.
    pub(crate) find: String,
    offset: usize,
    num_answers: u64,
    /// The question that is on its way.
    asked: Option<Wish>,
    answered_ms: i64,
    /// What was answered, and to which question.
    part: Option<(Wish, Part)>,
    pub(crate) grid: Grid,
    /// Why there is no answer.
    pub(crate) error: Option<String>,
}

/// A part of a state.
#[derive(Debug)]
pub(crate) struct Part {
    /// The engine's answer, held as long as it is shown: the engine keeps what it has read for the next question.
    pub(crate) page: StatePage,
    rows: Rows,
}

impl Keys {
    /// What is shown.
    pub(crate) fn part(&self) -> Option<&Part> {
        self.part.as_ref().map(|(_, part)| part)
    }

    /// The rows that are shown.
    pub(crate) fn rows(&self) -> Option<&Rows> {
        self.part().map(|part| &part.rows)
    }
}

impl App {
    /// Whether the browser is on the screen.
    fn shows_keys(&self) -> bool {
        self.layout().pane(Pane::Keys).is_some()
    }

    /// Asks the engine for what the browser should show, if that is something else than it does show.
    pub(super) fn ask_for_keys(&mut self) {
        if !self.shows_keys() {
            // What the engine has read for it is let go of.
            self.keys.part = None;
            self.keys.asked = None;
            return;
        }
        let Some(query) = self.shown_query().filter(|query| {
            let newest = query.recent_progress.back();
            query.last_committed.is_some() && newest.is_none_or(|batch| !batch.state_operators.is_empty())
        }) else {
            return;
        };
        let (name, newest) = (query.name.clone(), query.last_committed);
        let wish = Wish {
            request: StateRequest {
                operator: self.keys.operator,
                as_of: self.past().map(|past| past.batch.batch_id),
                find: Some(self.keys.find.clone()).filter(|find| !find.is_empty()),
                order: self.keys.order,
                offset: self.part_offset(),
                limit: PART,
            },
            query: name,
        };
        if self.keys.asked.is_some() || self.is_frozen() && self.keys.part.is_some() {
            return;
        }
        let is_answered = match &self.keys.part {
            Some((known, part)) if *known == wish => {
                let is_newest = wish.request.as_of.is_some() || part.page.batch_id >= newest;
                is_newest || self.clock.now_ms() - self.keys.answered_ms < AGAIN_MS
            }
            Some(_) => false,
            // A question that went wrong is asked again when something else is wished, or after a while.
            None => self.keys.error.is_some() && self.clock.now_ms() - self.keys.answered_ms < AGAIN_MS,
        };
        if !is_answered {
            self.keys.offset = wish.request.offset;
            self.effects.push(Effect::Execute(Command::ReadState {
                query: wish.query.clone(),
                request: wish.request.clone(),
            }));
            self.keys.asked = Some(wish);
        }
    }

    /// Where the part begins that the cursor is in, with room before and after.
    fn part_offset(&self) -> usize {
        let Some((_, part)) = &self.keys.part else {
            return 0;
        };
        let (first, end) = part.rows.reach();
        let at = self.keys.grid.cursor.0;
        let found = usize::try_from(part.page.num_found).unwrap_or(usize::MAX);
        let is_inside = (first == 0 || at >= first + NEAR) && (end >= found || at + NEAR < end);
        if is_inside {
            self.keys.offset
        } else {
            at.saturating_sub(PART / 2)
        }
    }

    /// Takes the engine's answer.
    pub(super) fn keys_answered(&mut self, query: &str, request: &StateRequest, answer: Result<StatePage>) {
        let is_asked = |wish: &mut Wish| wish.query == query && wish.request == *request;
        let Some(wish) = self.keys.asked.take_if(is_asked) else {
            return;
        };
        self.keys.answered_ms = self.clock.now_ms();
        self.keys.num_answers += 1;
        let part = answer.and_then(|page| Part::try_new(page, wish.request.offset, self.keys.num_answers));
        match part {
            Ok(part) => {
                let is_other = self.keys.part.as_ref().is_none_or(|(before, _)| {
                    before.query != wish.query || before.request.operator != wish.request.operator
                });
                if is_other {
                    self.keys.grid = Grid::default();
                }
                self.keys.part = Some((wish, part));
                self.keys.error = None;
            }
            Err(error) => {
                self.keys.part = None;
                self.keys.error = Some(error.report());
            }
        }
    }

    /// Brings the browser up to date for its part of the screen.
    pub(super) fn load_keys(&mut self, area: Rect) {
        let Some((_, part)) = &self.keys.part else { return };
        let viewport = layout::grid_viewport(layout::inside(area));
        let now_ms = self.clock.now_ms();
        self.keys.grid.load(&part.rows, viewport, now_ms, self.symbols);
    }

    /// Looks for keys.
    pub(super) fn find_keys(&mut self, text: String) {
        if self.keys.find != text {
            self.keys.find = text;
            self.keys.offset = 0;
            self.keys.grid.top();
        }
    }

    /// Whether the keyboard is in the browser.
    pub(crate) fn is_in_keys(&self) -> bool {
        self.focus == Pane::Keys
    }

    /// By key, or the largest first.
    pub(super) fn turn_key_order(&mut self) {
        self.keys.order = match self.keys.order {
            StateOrder::Key => StateOrder::Largest,
            StateOrder::Largest => StateOrder::Key,
        };
        self.keys.grid.top();
    }

    /// The state of the query's next operator.
    pub(super) fn next_operator(&mut self) {
        let count = self
            .shown_query()
            .and_then(|query| query.recent_progress.back())
            .map_or(1, |batch| batch.state_operators.len());
        let next = usize::try_from(self.keys.operator).unwrap_or(0) + 1;
        self.keys.operator = u32::try_from(next % count.max(1)).unwrap_or(0);
        self.keys.part = None;
    }
}

impl Part {
    /// The rows of a page as a grid shows them: keys, values, and how big each is.
    fn try_new(page: StatePage, offset: usize, version: u64) -> Result<Self> {
        let weight = match page.weight {
            StateWeight::Bytes => "bytes",
            StateWeight::RowsOfKey => "rows of key",
        };
        let schema = page.rows.schema();
        let mut fields: Vec<Arc<Field>> = schema.fields().iter().map(Arc::clone).collect();
        fields.push(Arc::new(Field::new(weight, DataType::UInt64, false)));
        let mut columns: Vec<ArrayRef> = page.rows.columns().iter().map(Arc::clone).collect();
        columns.push(Arc::new(UInt64Array::from(page.weights.clone())));
        let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
            .map_err(|error| Error::internal("a state's weights do not fit its rows").caused_by(error))?;
        let found = usize::try_from(page.num_found).unwrap_or(usize::MAX);
        let kept = KeptRows::part(rows, offset, found, version);
        Ok(Self {
            rows: Rows::Kept(Arc::new(kept)),
            page,
        })
    }
}
