//! The workbench without a terminal: pictures for benchmarks, documents and bug reports.

use std::sync::Arc;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use super::app::{App, Effect, Message};
use super::keymap::Key;
use super::theme::ColorDepth;
use super::{TuiOptions, picture, view};
use crate::engine::{Engine, Snapshot};
use crate::error::{Error, Result};

/// How often answers may lead to further questions.
const ROUNDS: usize = 8;

/// What a picture is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PictureFormat {
    /// Characters alone.
    #[default]
    Text,
    /// Characters with the colours and attributes of a terminal.
    Ansi,
    /// A drawing for a browser.
    Svg,
}

/// A workbench that draws into memory. What its keys ask of the engine is done by [`Headless::carry_out`] alone.
#[derive(Debug)]
pub struct Headless {
    app: App,
    wishes: Vec<Effect>,
    terminal: Terminal<TestBackend>,
}

impl Headless {
    /// Opens a workbench on a screen of so many columns and rows. `options.commands` are not carried out.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Statement`] if the theme cannot be loaded.
    pub fn open(options: &TuiOptions, width: u16, height: u16) -> Result<Self> {
        let mut app = App::try_new(options.setup(ColorDepth::True))?;
        app.update(Message::Resize(width, height));
        let terminal = Terminal::new(TestBackend::new(width, height))
            .map_err(|error| Error::internal("a screen in memory cannot be made").caused_by(error))?;
        Ok(Self {
            app,
            wishes: Vec::new(),
            terminal,
        })
    }

    /// Takes the engine's account in.
    pub fn show(&mut self, snapshot: Arc<Snapshot>) {
        let wishes = self.app.update(Message::Snapshot(snapshot));
        self.wishes.extend(wishes);
    }

    /// Presses a key, written as in the key map: `enter`, `2`, `ctrl-l`.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Statement`] if there is no such key.
    pub fn press(&mut self, key: &str) -> Result<()> {
        let key: Key = key.parse()?;
        let wishes = self.app.update(Message::Key(key.event()));
        self.wishes.extend(wishes);
        Ok(())
    }

    /// Watches the engine until something else has happened, so that rates and trends have a past.
    pub async fn watch(&mut self, engine: &dyn Engine, until: impl Future<Output = ()>) {
        let mut snapshots = engine.watch();
        let mut until = std::pin::pin!(until);
        loop {
            let newest = Arc::clone(&snapshots.borrow_and_update());
            self.show(newest);
            tokio::select! {
                () = &mut until => return,
                changed = snapshots.changed() => {
                    if changed.is_err() {
                        return until.await;
                    }
                }
            }
        }
    }

    /// Does what keys have asked of the engine so far, and shows the answers.
    pub async fn carry_out(&mut self, engine: &dyn Engine) {
        // A picture asks for what it needs, and an answer may lead to the next question; it soon has all.
        for _ in 0..ROUNDS {
            self.app.prepare();
            let wishes = std::mem::take(&mut self.wishes);
            for wish in wishes {
                let Effect::Execute(command) = wish else { continue };
                let reply = engine.execute(command.clone()).await;
                let newest = Arc::clone(&engine.watch().borrow());
                self.show(newest);
                let more = self.app.update(Message::Reply(command, reply));
                self.wishes.extend(more);
            }
            if self.wishes.is_empty() {
                return;
            }
        }
    }

    /// Draws and writes the picture down.
    ///
    /// # Errors
    ///
    /// As [`Headless::draw`].
    pub fn picture(&mut self, format: PictureFormat) -> Result<String> {
        let buffer = self.draw()?;
        Ok(match format {
            PictureFormat::Text => picture::plain(buffer),
            PictureFormat::Ansi => picture::ansi(buffer),
            PictureFormat::Svg => picture::svg(buffer),
        })
    }

    /// Draws what there is to see, as the event loop does it.
    ///
    /// # Errors
    ///
    /// None that a screen in memory can cause.
    pub fn draw(&mut self) -> Result<&Buffer> {
        self.app.prepare();
        let app = &self.app;
        self.terminal
            .draw(|frame| view::draw(frame, app))
            .map_err(|error| Error::internal("a picture cannot be drawn").caused_by(error))?;
        Ok(self.terminal.backend().buffer())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::tui::fake;

    #[test]
    fn a_workbench_in_memory_shows_what_it_is_given() {
        let options = TuiOptions {
            clock: Arc::new(ManualClock::new(fake::BASE_MS)),
            ..TuiOptions::default()
        };
        let mut workbench = Headless::open(&options, 80, 24).expect("a workbench");
        workbench.show(Arc::new(fake::shop()));
        let text = |buffer: &Buffer| -> String {
            buffer
                .content()
                .iter()
                .map(ratatui::buffer::Cell::symbol)
                .collect()
        };
        assert!(text(workbench.draw().expect("a picture")).contains("orders_by_window"));
        assert!(workbench.press("nope-key").is_err());
        workbench.press("?").expect("a key");
        assert!(text(workbench.draw().expect("a picture")).contains("Open the selected query"));
    }
}
