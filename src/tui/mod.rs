//! The workbench: a terminal UI on the engine's handle.
//!
//! It sees the engine through [`Engine`] alone: commands go out, snapshots come in. One owner holds all state
//! (`app`), which takes messages in and gives effects out and knows no terminal; `view` draws that state and
//! changes nothing; `event_loop` sits between them and the world.
//!
//! ```text
//!  keys, mouse, size ─┐                     ┌─> commands to the engine
//!  snapshots ─────────┼─> App::update ──────┤
//!  replies, time ─────┘        │            └─> suspend, redraw, exit
//!                              v
//!                        App::prepare ──> view::draw ──> terminal
//! ```
//!
//! # Layout
//!
//! - `app`: the state; `action`: the one table of what can be done; `keymap`: keys for it
//! - `layout`: what is where, from the size of the screen; `table`: which columns fit
//! - `doc`: the texts of panes; `view`: drawing; `theme`, `symbols`: how it looks
//! - `config`: keys, theme and layout from a file; `toml_reader` tells its mistakes and those of themes
//! - `text`, `units`: measuring and cutting text, numbers for people; `fuzzy`: words that fit what was typed
//! - `headless`: the same without a terminal; `picture`: what is on it as text, ANSI or SVG
//! - `record`: what was done, as a script
//! - `event_loop`, `terminal`: when to draw, and the terminal itself

mod action;
mod app;
mod config;
mod doc;
mod event_loop;
#[cfg(test)]
mod fake;
mod fuzzy;
mod headless;
mod keymap;
mod layout;
mod picture;
mod record;
mod symbols;
mod table;
mod terminal;
mod text;
mod theme;
mod toml_reader;
mod units;
mod view;

use std::path::PathBuf;
use std::sync::Arc;

pub use config::Config;
pub use event_loop::Ending;
pub use headless::{Headless, PictureFormat};
pub use theme::{ColorDepth, Theme};

use crate::clock::{Clock, SystemClock};
use crate::engine::{Command, Engine};
use crate::error::Result;

/// How the workbench opens.
#[derive(Debug, Clone)]
pub struct TuiOptions {
    /// What is opened, for the top line: `demo.sql`.
    pub title: String,
    /// What the engine is asked to do as soon as the screen is there: run pipelines, say.
    pub commands: Vec<Command>,
    /// A theme by name, or the path of its file.
    pub theme: String,
    /// Folders with themes, before the bundled ones.
    pub theme_folders: Vec<PathBuf>,
    /// How many colours to use; `None` asks the environment.
    pub color_depth: Option<ColorDepth>,
    /// Uses nothing beyond ASCII.
    pub ascii: bool,
    /// Nothing that changes queries or checkpoints can be done from the keyboard.
    pub is_read_only: bool,
    /// The bundled pipeline is shown step by step, until a key is pressed.
    pub is_tour: bool,
    /// What is done is written to this file as statements. It must not be there yet.
    pub record: Option<PathBuf>,
    /// Keys and layout; what it says of theme and characters counts once [`TuiOptions::configure`] took it over.
    pub config: Config,
    /// Tells the time that relative times and rates go by.
    pub clock: Arc<dyn Clock>,
}

impl Default for TuiOptions {
    fn default() -> Self {
        Self {
            title: String::new(),
            commands: Vec::new(),
            theme: "dark".to_string(),
            theme_folders: Vec::new(),
            color_depth: None,
            ascii: false,
            is_read_only: false,
            is_tour: false,
            record: None,
            config: Config::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

/// Opens the workbench on the calling thread and says how it was left; then every query was stopped, unless the
/// person would not wait for that. Commands are carried out on `runtime`.
///
/// # Errors
///
/// [`crate::error::ErrorKind::Statement`] if the theme cannot be loaded or there is no terminal. An error of the
/// terminal itself comes after it was restored.
pub fn run(engine: Arc<dyn Engine>, runtime: tokio::runtime::Handle, options: TuiOptions) -> Result<Ending> {
    let depth = ColorDepth::detect(|variable| std::env::var(variable).ok());
    let app = app::App::try_new(options.setup(depth))?;
    let recorder = match &options.record {
        Some(path) => Some(record::Recorder::create(path, options.clock.now_ms())?),
        None => None,
    };
    event_loop::run(engine, runtime, app, options.clock, options.commands, recorder)
}

impl TuiOptions {
    /// What the state is made with, on a terminal of this depth unless another one was asked for.
    fn setup(&self, depth: ColorDepth) -> app::Setup {
        app::Setup {
            title: self.title.clone(),
            theme: self.theme.clone(),
            theme_folders: self.theme_folders.clone(),
            depth: self.color_depth.unwrap_or(depth),
            ascii: self.ascii,
            is_read_only: self.is_read_only,
            is_tour: self.is_tour,
            bindings: self.config.bindings.clone(),
            splits: self.config.splits.clone(),
            clock: Arc::clone(&self.clock),
        }
    }
}
