//! The terminal: taken over, given back whole.
//!
//! It is given back on every way out: the end, an error, a signal, a panic, Ctrl-Z. A panic of another thread is
//! the engine's and not the end: its words must not land in the middle of the screen, so they are passed on.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use base64::Engine as _;
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
use crate::checkpoint::quiet;
use crate::error::{Error, Result};

/// A whole picture at 200x60 in 24-bit colours is some 200 kB; most are far less.
const OUTPUT_BYTES: usize = 64 * 1024;

type PanicHook = Box<dyn Fn(&panic::PanicHookInfo<'_>) + Send + Sync + 'static>;

/// The terminal, taken over until this is dropped.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<WholeFrames<Stdout>>>,
    before: Arc<PanicHook>,
    /// Set when the terminal was given back: nothing is written to it any more.
    closed: Arc<AtomicBool>,
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
        quiet::install();
        let before = Arc::new(panic::take_hook());
        let owner = thread::current().id();
        let usual = Arc::clone(&before);
        panic::set_hook(Box::new(move |info| {
            if quiet::is_quiet() {
                return;
            }
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
        let closed = Arc::new(AtomicBool::new(false));
        let backend = CrosstermBackend::new(WholeFrames::new(io::stdout(), Arc::clone(&closed)));
        let terminal = Terminal::new(backend).map_err(|error| broken(&error))?;
        let mut screen = Self {
            terminal,
            before,
            closed,
        };
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
        let drawn = self.terminal.draw(|frame| view::draw(frame, app));
        drawn.map(drop).map_err(|error| broken(&error))
    }

    /// Puts text on the clipboard of whoever looks at the terminal, by OSC 52: through SSH and multiplexers too, where
    /// they let it pass.
    pub(super) fn copy(&mut self, text: &str) -> Result<()> {
        let code = base64::engine::general_purpose::STANDARD.encode(text);
        let out = self.terminal.backend_mut();
        write!(out, "\x1b]52;c;{code}\x07")
            .and_then(|()| Write::flush(out))
            .map_err(|error| broken(&error))
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
        }
        // Ratatui shows the cursor once more when it is dropped, and panics if it can do that no more and cannot say so
        // either, as on a terminal that is gone.
        self.closed.store(true, Ordering::Relaxed);
        if !thread::panicking() {
            let before = Arc::clone(&self.before);
            panic::set_hook(Box::new(move |info| before(info)));
        }
    }
}

/// Sends what is written between two flushes as one piece, between the marks of a synchronised update, so that a
/// terminal never shows half a picture. When nothing is written nothing is sent.
struct WholeFrames<W: Write> {
    out: BufWriter<W>,
    has_begun: bool,
    closed: Arc<AtomicBool>,
}

impl<W: Write> WholeFrames<W> {
    fn new(out: W, closed: Arc<AtomicBool>) -> Self {
        Self {
            out: BufWriter::with_capacity(OUTPUT_BYTES, out),
            has_begun: false,
            closed,
        }
    }
}

impl<W: Write> Write for WholeFrames<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.closed.load(Ordering::Relaxed) {
            return Ok(bytes.len());
        }
        if !self.has_begun {
            self.has_begun = true;
            queue!(self.out, BeginSynchronizedUpdate)?;
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.closed.load(Ordering::Relaxed) {
            return Ok(());
        }
        if self.has_begun {
            self.has_begun = false;
            queue!(self.out, EndSynchronizedUpdate)?;
        }
        self.out.flush()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_sent_whole_and_nothing_is_not_sent() {
        let mut frames = WholeFrames::new(Vec::new(), Arc::default());
        frames.flush().expect("a flush");
        assert!(frames.out.get_ref().is_empty());
        frames.write_all(b"one").expect("a write");
        frames.write_all(b"two").expect("a write");
        assert!(frames.out.get_ref().is_empty(), "not before it is whole");
        frames.flush().expect("a flush");
        frames.flush().expect("a flush");
        assert_eq!(frames.out.get_ref(), b"\x1b[?2026honetwo\x1b[?2026l");
        frames.closed.store(true, Ordering::Relaxed);
        frames.write_all(b"three").expect("a write");
        frames.flush().expect("a flush");
        assert_eq!(frames.out.get_ref().len(), 22, "nothing after the end");
    }
}
