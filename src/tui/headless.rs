//! The workbench without a terminal: pictures for benchmarks, documents and bug reports.

use std::sync::Arc;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use super::app::{App, Message, Setup};
use super::keymap::Key;
use super::theme::ColorDepth;
use super::{TuiOptions, view};
use crate::engine::Snapshot;
use crate::error::{Error, Result};

/// A workbench that draws into memory. It gives no commands: what its keys ask of the engine is dropped.
#[derive(Debug)]
pub struct Headless {
    app: App,
    terminal: Terminal<TestBackend>,
}

impl Headless {
    /// Opens a workbench on a screen of so many columns and rows. `options.commands` are not carried out.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Statement`] if the theme cannot be loaded.
    pub fn open(options: &TuiOptions, width: u16, height: u16) -> Result<Self> {
        let mut app = App::try_new(Setup {
            title: options.title.clone(),
            theme: options.theme.clone(),
            theme_folders: options.theme_folders.clone(),
            depth: options.color_depth.unwrap_or(ColorDepth::True),
            ascii: options.ascii,
            clock: Arc::clone(&options.clock),
        })?;
        app.update(Message::Resize(width, height));
        let terminal = Terminal::new(TestBackend::new(width, height))
            .map_err(|error| Error::internal("a screen in memory cannot be made").caused_by(error))?;
        Ok(Self { app, terminal })
    }

    /// Takes the engine's account in.
    pub fn show(&mut self, snapshot: Arc<Snapshot>) {
        self.app.update(Message::Snapshot(snapshot));
    }

    /// Presses a key, written as in the key map: `enter`, `2`, `ctrl-l`.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Statement`] if there is no such key.
    pub fn press(&mut self, key: &str) -> Result<()> {
        let key: Key = key.parse()?;
        self.app.update(Message::Key(key.event()));
        Ok(())
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
