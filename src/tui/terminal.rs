//! The terminal: taken over, given back whole.
//!
//! It is given back on every way out: the end, an error, a signal, a panic, Ctrl-Z. A panic of another thread is
//! the engine's and not the end: its words must not land in the middle of the screen, so they are passed on.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::panic;
use std::thread;

use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
};
use crossterm::{cursor, execute, queue, terminal};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use super::app::App;
use super::view;
use crate::error::{Error, Result};

/// A whole picture at 200x60 in 24-bit colours is some 200 kB; most are far less.
const OUTPUT_BYTES: usize = 64 * 1024;

type PanicHook = Box<dyn Fn(&panic::PanicHookInfo<'_>) + Send + Sync + 'static>;

/// The terminal, taken over until this is dropped.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    before: std::sync::Arc<PanicHook>,
}

impl Screen {
    /// Takes the terminal over. `panicked` gets what other threads say when they break down.
    pub(super) fn open(panicked: impl Fn(String) + Send + Sync + 'static) -> Result<Self> {
        if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
            return Err(
                Error::statement("the workbench needs a terminal for input and output")
                    .hint("Without one, run the pipeline headless: highwater run FILE.sql"),
            );
        }
        let before = std::sync::Arc::new(panic::take_hook());
        let owner = thread::current().id();
        let usual = std::sync::Arc::clone(&before);
        panic::set_hook(Box::new(move |info| {
            if thread::current().id() == owner {
                // Nothing more can be done about a terminal that does not take it.
                let _ = leave();
                usual(info);
            } else {
                let place = info
                    .location()
                    .map(|place| format!(" at {}:{}", place.file(), place.line()));
                let words = info.payload_as_str().unwrap_or("no words");
                panicked(format!("{words}{}", place.unwrap_or_default()));
            }
        }));
        let backend = CrosstermBackend::new(BufWriter::with_capacity(OUTPUT_BYTES, io::stdout()));
        let terminal = Terminal::new(backend).map_err(|error| broken(&error))?;
        let mut screen = Self { terminal, before };
        screen.enter()?;
        Ok(screen)
    }

    fn enter(&mut self) -> Result<()> {
        let enter = || -> io::Result<()> {
            terminal::enable_raw_mode()?;
            execute!(
                io::stdout(),
                EnterAlternateScreen,
                EnableMouseCapture,
                EnableBracketedPaste,
                cursor::Hide
            )
        };
        enter().map_err(|error| broken(&error))?;
        self.clear()
    }

    /// The size in columns and rows.
    pub(super) fn size(&self) -> Result<(u16, u16)> {
        let size = self.terminal.size().map_err(|error| broken(&error))?;
        Ok((size.width, size.height))
    }

    /// Draws the state; only cells that changed are sent, all at once.
    pub(super) fn draw(&mut self, app: &App) -> Result<()> {
        let mut draw = || -> io::Result<()> {
            queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
            self.terminal.draw(|frame| view::draw(frame, app))?;
            execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
        };
        draw().map_err(|error| broken(&error))
    }

    /// Forgets what the terminal shows, so that the next picture is sent whole. `Terminal::clear` would ask where the
    /// cursor is and wait for the answer, for two seconds on a terminal that gives none.
    pub(super) fn clear(&mut self) -> Result<()> {
        let clear = |terminal: &mut Terminal<_>| terminal.resize(terminal.size()?.into());
        clear(&mut self.terminal).map_err(|error: io::Error| broken(&error))
    }

    /// Gives the terminal back to the shell and stops the process, as Ctrl-Z does; returns when it goes on.
    #[cfg(unix)]
    pub(super) fn suspend(&mut self) -> Result<()> {
        leave().map_err(|error| broken(&error))?;
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)
            .map_err(|error| broken(&error))?;
        self.enter()
    }

    /// There is no such thing on this system.
    #[cfg(not(unix))]
    pub(super) fn suspend(&mut self) -> Result<()> {
        self.clear()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A panic's own hook has done this already; and a terminal that is gone cannot be given back.
        if !thread::panicking() {
            let _ = leave();
            let before = std::sync::Arc::clone(&self.before);
            panic::set_hook(Box::new(move |info| before(info)));
        }
    }
}

/// Gives the terminal back. As much as possible is tried, whatever fails.
fn leave() -> io::Result<()> {
    let mut out = io::stdout();
    let screen = execute!(
        out,
        EndSynchronizedUpdate,
        DisableBracketedPaste,
        DisableMouseCapture,
        LeaveAlternateScreen,
        cursor::Show
    );
    let raw = terminal::disable_raw_mode();
    let flushed = out.flush();
    screen.and(raw).and(flushed)
}

fn broken(error: &io::Error) -> Error {
    Error::internal(format!("the terminal cannot be used: {error}"))
        .hint("Queries go on from their checkpoints when they are started again.")
}
