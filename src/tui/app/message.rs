//! What comes in, and what goes out.

use std::sync::Arc;

use crossterm::event::{KeyEvent, MouseEvent};

use crate::engine::{Command, Reply, Snapshot};
use crate::error::Error;

/// Something that happened.
#[derive(Debug)]
pub(crate) enum Message {
    /// A key went down.
    Key(KeyEvent),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// Text was pasted.
    Paste(String),
    /// The screen has a new size: columns, rows.
    Resize(u16, u16),
    /// The engine's newest account of itself.
    Snapshot(Arc<Snapshot>),
    /// The engine carried out a command, or did not.
    Reply(Command, Result<Reply, Error>),
    /// The time came that [`super::App::next_wake_ms`] named.
    Tick,
    /// A theme's file was written.
    ThemesChanged,
    /// Somebody asked the process to end.
    Terminate,
    /// A thread of the engine broke down, with what it said.
    Panicked(String),
}

/// Something to be done outside.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// Give the engine a command; its answer comes back as [`Message::Reply`].
    Execute(Command),
    /// Put text on the clipboard.
    Copy(String),
    /// Draw everything anew, for other programs may have drawn over it.
    Redraw,
    /// Give the terminal back to the shell, until it lets us go on.
    Suspend,
    /// Leave.
    Exit,
}
