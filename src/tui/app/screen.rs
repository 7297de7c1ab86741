//! The names of what can be on the screen.

/// A whole screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Screen {
    /// All queries.
    Queries,
    /// One tab of the selected query.
    Query(Tab),
    /// The editor, with what is said of its text and what it gave.
    Sql,
    /// Streams, tables, views, results.
    Catalog,
    /// All of the engine's log.
    Log,
}

/// A tab of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Tab {
    /// Rates, batches, watermark, state.
    Overview,
    /// The result table.
    Results,
    /// The numbers of the stateful operators.
    State,
    /// Statement and physical plan.
    Plan,
    /// Recent progress as JSON.
    Progress,
    /// Sources and sink.
    Sources,
    /// What the engine said about it.
    Log,
}

impl Tab {
    /// Every tab, left to right.
    pub(crate) const ALL: [Self; 7] = [
        Self::Overview,
        Self::Results,
        Self::State,
        Self::Plan,
        Self::Progress,
        Self::Sources,
        Self::Log,
    ];

    /// What the tab bar says.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Results => "Results",
            Self::State => "State",
            Self::Plan => "Plan",
            Self::Progress => "Progress",
            Self::Sources => "Sources",
            Self::Log => "Log",
        }
    }

    /// The same on a narrow screen.
    pub(crate) fn short_title(self) -> &'static str {
        match self {
            Self::Progress => "Batch",
            tab => tab.title(),
        }
    }

    /// The tab that is `by` to the right, round the end.
    pub(crate) fn turned(self, by: usize) -> Self {
        let at = Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0);
        Self::ALL[(at + by) % Self::ALL.len()]
    }
}

/// A frame with something in it, which can have the keyboard. The keyboard goes round in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Pane {
    /// The table of queries.
    Queries,
    /// What there is to know of the selected query, in short.
    Details,
    /// Its result.
    Result,
    /// The chart of its rates.
    Rates,
    /// The chart of its batches' durations.
    Durations,
    /// Where the time of its batches went.
    Timings,
    /// Event time: what has arrived, what the watermark has passed, which windows are open.
    Lane,
    /// Why an append query has given no rows yet.
    Waiting,
    /// Its stateful operators.
    State,
    /// Keys and values of one of them.
    Keys,
    /// Its statement and plan.
    Plan,
    /// The list of its recent batches.
    Batches,
    /// One batch's progress as JSON.
    Json,
    /// Its sources and its sink.
    Sources,
    /// What the engine said about it.
    Log,
    /// The text of the SQL screen.
    Editor,
    /// What the engine says of that text.
    Check,
    /// The rows that it gave.
    Answer,
    /// The list of streams, tables, views, results.
    Entries,
    /// One of them.
    Entry,
    /// All that the engine said.
    EngineLog,
}

impl Pane {
    /// What it is called where it is hidden.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Queries => "queries",
            Self::Details => "details",
            Self::Result => "result",
            Self::Rates => "rates",
            Self::Durations => "durations",
            Self::Timings => "batch times",
            Self::Lane => "event time",
            Self::Waiting => "why no rows yet",
            Self::Log => "log",
            Self::State => "state",
            Self::Keys => "keys and values",
            Self::Plan => "plan",
            Self::Batches => "batches",
            Self::Json => "progress",
            Self::Sources => "sources and sink",
            Self::Editor => "SQL",
            Self::Check => "check",
            Self::Answer => "rows",
            Self::Entries => "catalog",
            Self::Entry => "entry",
            Self::EngineLog => "log of the engine",
        }
    }
}
