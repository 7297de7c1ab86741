//! Between the state and the world: takes what happens, decides when to draw.
//!
//! A key is answered with a picture at once. Data waits until the last picture is old enough, so that a busy engine
//! makes at most [`DATA_FRAMES_PER_SECOND`] of them; while it waits, the engine's snapshots do not even wake this
//! task. When nothing changes nothing happens: no timer runs but the one that the state asks for.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossterm::event::Event;
use tokio::runtime::{Builder, Handle};
use tokio::sync::{mpsc, watch};

use super::app::{App, Effect, Message};
use super::record::Recorder;
use super::terminal::Screen;
use super::theme::ThemeWatch;
use crate::clock::Clock;
use crate::engine::{Command, Engine, Snapshot};
use crate::error::{Error, Result};

/// Pictures that new data makes in a second, at most.
const DATA_FRAMES_PER_SECOND: u32 = 15;

/// How the workbench was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By the person before it.
    Left,
    /// By a signal, or because its terminal went away.
    Interrupted,
}

/// Runs the workbench until it is left.
pub(super) fn run(
    engine: Arc<dyn Engine>,
    runtime: Handle,
    app: App,
    clock: Arc<dyn Clock>,
    commands: Vec<Command>,
    recorder: Option<Recorder>,
) -> Result<Ending> {
    let own = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::internal("the workbench's own runtime does not start").caused_by(error))?;
    own.block_on(async move {
        let (sender, messages) = mpsc::unbounded_channel();
        let panics = sender.clone();
        let screen = Screen::open(move |words| {
            // After the end nobody listens, and that is fine.
            let _ = panics.send(Message::Panicked(words));
        })?;
        let snapshots = engine.watch();
        let changes = sender.clone();
        let themes = ThemeWatch::new(move || {
            let _ = changes.send(Message::ThemesChanged);
        });
        let mut driver = Driver {
            engine,
            runtime,
            app,
            clock,
            screen,
            sender,
            messages,
            snapshots,
            themes,
            recorder,
            drawn: Frames::default(),
        };
        let result = driver.run(commands).await;
        if result.is_err() {
            // Without a terminal nobody can stop the queries any more.
            driver.stop_all().await?;
        }
        result
    })
}

struct Driver {
    engine: Arc<dyn Engine>,
    runtime: Handle,
    app: App,
    clock: Arc<dyn Clock>,
    screen: Screen,
    sender: mpsc::UnboundedSender<Message>,
    messages: mpsc::UnboundedReceiver<Message>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    themes: ThemeWatch,
    recorder: Option<Recorder>,
    drawn: Frames,
}

/// What woke the loop.
enum Woken {
    Event(Option<std::io::Result<Event>>),
    Message(Message),
    Snapshot(bool),
    Timer,
    Signal(Signal),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Signal {
    /// SIGINT, SIGTERM: stop and leave.
    Terminate,
    /// SIGHUP: the terminal is gone.
    HangUp,
}

impl Driver {
    async fn run(&mut self, commands: Vec<Command>) -> Result<Ending> {
        let (width, height) = self.screen.size()?;
        self.app.update(Message::Resize(width, height));
        let first = Arc::clone(&self.snapshots.borrow_and_update());
        self.app.update(Message::Snapshot(first));
        let mut events = read_events()?;
        let mut signals = Signals::new()?;
        let mut has_news = false;
        let mut engine_lives = true;
        // The first picture comes before the first command: plans and checkpoints take their time.
        self.draw()?;
        for command in commands {
            self.execute(command)?;
        }
        let mut draw_now = false;
        let mut ending = Ending::Left;
        loop {
            if draw_now {
                self.draw()?;
                draw_now = false;
            }
            let data_at = has_news.then(|| self.drawn.next_data_frame());
            let wake_at = self.app.next_wake_ms().map(|at| self.instant(at));
            let timer = [data_at, wake_at].into_iter().flatten().min();
            let woken = tokio::select! {
                biased;
                event = events.recv() => Woken::Event(event),
                signal = signals.next() => Woken::Signal(signal),
                Some(message) = self.messages.recv() => Woken::Message(message),
                changed = self.snapshots.changed(), if !has_news && engine_lives => Woken::Snapshot(changed.is_ok()),
                () = sleep_until(timer), if timer.is_some() => Woken::Timer,
            };
            let effects = match woken {
                Woken::Event(event) => {
                    let mut effects = self.event(event)?;
                    // What has come in meanwhile is answered with the same picture.
                    while let Ok(event) = events.try_recv() {
                        effects.extend(self.event(Some(event))?);
                    }
                    effects
                }
                Woken::Message(message) => {
                    self.record(&message)?;
                    self.app.update(message)
                }
                Woken::Snapshot(alive) => {
                    has_news = alive;
                    engine_lives = alive;
                    continue;
                }
                Woken::Timer => {
                    let now = Instant::now();
                    let mut effects = Vec::new();
                    if data_at.is_some_and(|at| at <= now) {
                        has_news = false;
                        let newest = Arc::clone(&self.snapshots.borrow_and_update());
                        effects.extend(self.app.update(Message::Snapshot(newest)));
                    }
                    if wake_at.is_some_and(|at| at <= now) {
                        effects.extend(self.app.update(Message::Tick));
                    }
                    effects
                }
                Woken::Signal(Signal::HangUp) => {
                    self.stop_all().await?;
                    return Ok(Ending::Interrupted);
                }
                Woken::Signal(Signal::Terminate) => {
                    ending = Ending::Interrupted;
                    self.app.update(Message::Terminate)
                }
            };
            for effect in effects {
                if self.carry_out(effect)? {
                    return Ok(ending);
                }
            }
            draw_now = self.app.take_dirty();
            if draw_now {
                self.themes.follow(&self.app.theme_files());
            }
        }
    }

    fn event(&mut self, event: Option<std::io::Result<Event>>) -> Result<Vec<Effect>> {
        let event = match event {
            Some(Ok(event)) => event,
            Some(Err(error)) => {
                return Err(Error::internal("the terminal gives no more keys").caused_by(error));
            }
            None => return Err(Error::internal("the terminal was closed")),
        };
        let message = match event {
            Event::Key(key) => Message::Key(key),
            Event::Mouse(mouse) => Message::Mouse(mouse),
            Event::Paste(text) => Message::Paste(text),
            Event::Resize(width, height) => Message::Resize(width, height),
            Event::FocusGained | Event::FocusLost => return Ok(Vec::new()),
        };
        Ok(self.app.update(message))
    }

    /// Does what the state asks for; whether that is the end.
    fn carry_out(&mut self, effect: Effect) -> Result<bool> {
        match effect {
            Effect::Execute(command) => self.execute(command)?,
            Effect::Copy(text) => self.screen.copy(&text)?,
            Effect::Redraw => self.screen.clear()?,
            Effect::Suspend => {
                self.screen.suspend()?;
                let (width, height) = self.screen.size()?;
                self.app.update(Message::Resize(width, height));
            }
            Effect::Exit => return Ok(true),
        }
        Ok(false)
    }

    /// Writes down what the engine has done.
    fn record(&mut self, message: &Message) -> Result<()> {
        let (Some(recorder), Message::Reply(command, Ok(_))) = (&mut self.recorder, message) else {
            return Ok(());
        };
        let newest = Arc::clone(&self.snapshots.borrow());
        recorder.note(command, &newest, self.clock.now_ms())
    }

    /// Gives the engine a command; the answer comes back as a message.
    fn execute(&mut self, command: Command) -> Result<()> {
        if let (Some(recorder), Command::StopAll) = (&mut self.recorder, &command) {
            let newest = Arc::clone(&self.snapshots.borrow());
            recorder.end(&newest, self.clock.now_ms())?;
        }
        let engine = Arc::clone(&self.engine);
        let sender = self.sender.clone();
        self.runtime.spawn(async move {
            let result = engine.execute(command.clone()).await;
            let _ = sender.send(Message::Reply(command, result));
        });
        Ok(())
    }

    fn draw(&mut self) -> Result<()> {
        let began = Instant::now();
        self.app.frame.per_second = self.drawn.in_last_second(began);
        self.app.prepare();
        self.screen.draw(&self.app)?;
        self.app.frame.last_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        Ok(())
    }

    /// Stops the queries without a picture of it, for the terminal is gone.
    async fn stop_all(&mut self) -> Result<()> {
        let engine = Arc::clone(&self.engine);
        let stopped = self
            .runtime
            .spawn(async move { engine.execute(Command::StopAll).await });
        match stopped.await {
            Ok(result) => result.map(drop),
            Err(error) => Err(Error::internal("the queries were not stopped").caused_by(error)),
        }
    }

    /// The moment of this process at which the clock will show a time.
    fn instant(&self, at_ms: i64) -> Instant {
        let wait = u64::try_from(at_ms - self.clock.now_ms()).unwrap_or(0);
        Instant::now() + Duration::from_millis(wait)
    }
}

/// What comes from the terminal, read by a thread of its own: crossterm reads without blocking only for one waiting
/// task, and goes round for ever once the terminal is gone, which must not be this thread.
fn read_events() -> Result<mpsc::UnboundedReceiver<std::io::Result<Event>>> {
    let (sender, events) = mpsc::unbounded_channel();
    let read = move || {
        loop {
            let event = crossterm::event::read();
            let is_end = event.is_err();
            if sender.send(event).is_err() || is_end {
                return;
            }
        }
    };
    // It ends with the process: nothing can take it out of waiting for a key.
    std::thread::Builder::new()
        .name("highwater-keys".to_string())
        .spawn(read)
        .map_err(|error| Error::internal("no thread can be started to read keys").caused_by(error))?;
    Ok(events)
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// When pictures were drawn.
#[derive(Default)]
struct Frames(VecDeque<Instant>);

impl Frames {
    /// Counts a picture that is drawn now.
    fn in_last_second(&mut self, now: Instant) -> usize {
        self.0.push_back(now);
        self.0
            .retain(|at| now.duration_since(*at) < Duration::from_secs(1));
        self.0.len()
    }

    /// When new data may be drawn.
    fn next_data_frame(&self) -> Instant {
        let now = Instant::now();
        self.0.back().map_or(now, |last| {
            *last + Duration::from_secs(1) / DATA_FRAMES_PER_SECOND
        })
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| {
            signal(kind).map_err(|error| Error::internal("signals cannot be listened to").caused_by(error))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Terminate,
            _ = self.terminate.recv() => Signal::Terminate,
            _ = self.hang_up.recv() => Signal::HangUp,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Signal {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Signal::Terminate,
            Err(_) => std::future::pending().await,
        }
    }
}
