//! A demo that goes by itself: steps with captions, until a key or a click takes over.
//!
//! A step is lines of the command line, so it can do nothing that a person could not, and what it does is seen.

use super::App;
use super::result::View;

/// One thing to be seen.
pub(crate) struct Step {
    /// How long it is shown.
    seconds: i64,
    /// What it is about.
    pub(crate) title: &'static str,
    /// What there is to see.
    pub(crate) caption: &'static str,
    /// What is typed for it.
    lines: &'static [&'static str],
}

/// The tour of the bundled pipeline.
pub(crate) const STEPS: &[Step] = &[
    Step {
        seconds: 9,
        title: "five streaming queries",
        caption: "Each line is a query over the same made-up shop: its state, its batch, rows a second, how long a batch takes, \
                  and how far its watermark is behind. All of them run in this one process.",
        lines: &[],
    },
    Step {
        seconds: 10,
        title: "windows",
        caption: "Events are counted by windows of ten seconds. A batch touches the windows that its events are in, and no \
                  other: these cells light up.",
        lines: &["results orders_by_window"],
    },
    Step {
        seconds: 8,
        title: "windows as a chart",
        caption: "The same rows: a window on the x axis, a series for each kind of event.",
        lines: &["view"],
    },
    Step {
        seconds: 12,
        title: "late data",
        caption: "The watermark follows the newest event, ten seconds behind. What comes up to nine seconds late still counts. One \
                  event in a hundred comes two minutes late: its window is closed, so it is dropped, and counted as dropped.",
        lines: &["overview orders_by_window"],
    },
    Step {
        seconds: 12,
        title: "append mode waits",
        caption: "This query gives each window once, when the watermark has passed its end and nothing can change it any more. \
                  Until then the screen says what it waits for.",
        lines: &["overview revenue_per_window"],
    },
    Step {
        seconds: 9,
        title: "state",
        caption: "What it remembers between batches: the groups of its open windows. Closed windows are let go, so the state does \
                  not grow.",
        lines: &["state revenue_per_window"],
    },
    Step {
        seconds: 6,
        title: "a restart: stop",
        caption: "The query is stopped after the batch in hand. Its offsets, state and watermark are in one file, written in one \
                  transaction a batch. The others go on.",
        lines: &["overview orders_by_window", "stop orders_by_window"],
    },
    Step {
        seconds: 10,
        title: "a restart: start",
        caption: "It goes on behind its last batch and reads what it has missed: nothing is lost and nothing is counted twice.",
        lines: &["start orders_by_window"],
    },
    Step {
        seconds: 10,
        title: "the keyboard is yours",
        caption: "That was it. Enter opens a query, ? shows every key, and : takes words. Everything goes on from here.",
        lines: &["back"],
    },
];

/// How far the tour is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tour {
    /// The step that is shown; `None`: the first query does not run yet.
    step: Option<usize>,
    next_at_ms: i64,
}

impl Tour {
    /// The step that is shown, counted from 0.
    pub(crate) fn step(&self) -> Option<(usize, &'static Step)> {
        let at = self.step?;
        STEPS.get(at).map(|step| (at, step))
    }

    /// When the next one is due.
    pub(super) fn next_at_ms(&self) -> Option<i64> {
        self.step.map(|_| self.next_at_ms)
    }
}

impl App {
    /// The next step, if it is due.
    pub(super) fn go_on_tour(&mut self) {
        let Some(tour) = self.tour else { return };
        let now_ms = self.clock.now_ms();
        let queries = &self.live.snapshot.queries;
        let is_due = match tour.step {
            None => queries.iter().any(|query| query.last_committed.is_some()),
            Some(_) => tour.next_at_ms <= now_ms,
        };
        if !is_due {
            return;
        }
        let at = tour.step.map_or(0, |at| at + 1);
        let Some(step) = STEPS.get(at) else {
            self.tour = None;
            return;
        };
        self.view = View::default();
        for line in step.lines {
            self.run_line(line);
        }
        self.tour = Some(Tour {
            step: Some(at),
            next_at_ms: now_ms + 1000 * step.seconds,
        });
    }

    /// Somebody takes over.
    pub(super) fn leave_tour(&mut self) {
        if self.tour.take().is_some() {
            self.say("the tour is over, the keyboard is yours: ? for help");
        }
    }
}
