//! An engine that does what a test says, and an output that is kept.

use std::io::{self, Write};
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};

use super::super::output::{Output, OutputFormat};
use crate::engine::{Command, Engine, QueryEvent, Reply, RowSender, Rows, Snapshot};
use crate::error::Result;

type OnCommand = Box<dyn Fn(&FakeEngine) -> Result<Reply> + Send + Sync>;

pub(in crate::cli) struct FakeEngine {
    commands: Mutex<Vec<Command>>,
    listeners: Mutex<Vec<mpsc::UnboundedSender<QueryEvent>>>,
    rows: Mutex<Option<RowSender>>,
    snapshots: watch::Sender<Arc<Snapshot>>,
    on_run: OnCommand,
    on_stop: OnCommand,
    /// The run's own reply waits for the stop, as an AWAIT would.
    awaits_stop: bool,
    stopped: watch::Sender<bool>,
}

impl FakeEngine {
    /// `on_run` answers `Run` and `Check`.
    pub(in crate::cli) fn new(on_run: impl Fn(&Self) -> Result<Reply> + Send + Sync + 'static) -> Self {
        Self {
            commands: Mutex::default(),
            listeners: Mutex::default(),
            rows: Mutex::default(),
            snapshots: watch::Sender::default(),
            on_run: Box::new(on_run),
            on_stop: Box::new(|_| Ok(Reply::done("stopped"))),
            awaits_stop: false,
            stopped: watch::Sender::new(false),
        }
    }

    pub(in crate::cli) fn on_stop(
        mut self,
        on_stop: impl Fn(&Self) -> Result<Reply> + Send + Sync + 'static,
    ) -> Self {
        self.on_stop = Box::new(on_stop);
        self
    }

    pub(in crate::cli) fn awaiting_stop(mut self) -> Self {
        self.awaits_stop = true;
        self
    }

    pub(in crate::cli) fn commands(&self) -> Vec<Command> {
        self.commands.lock().clone()
    }

    pub(in crate::cli) fn emit(&self, event: &QueryEvent) {
        for listener in self.listeners.lock().iter() {
            let _ = listener.send(event.clone());
        }
    }

    pub(in crate::cli) fn emit_rows(&self, rows: Rows) {
        if let Some(RowSender(sender)) = self.rows.lock().as_ref() {
            let _ = sender.send(rows);
        }
    }

    pub(in crate::cli) fn publish(&self, snapshot: Snapshot) {
        self.snapshots.send_replace(Arc::new(snapshot));
    }
}

#[async_trait]
impl Engine for FakeEngine {
    async fn execute(&self, command: Command) -> Result<Reply> {
        self.commands.lock().push(command.clone());
        if let Command::Run { rows, .. } = &command {
            rows.clone_into(&mut self.rows.lock());
        }
        if command == Command::StopAll {
            let reply = (self.on_stop)(self);
            self.stopped.send_replace(true);
            return reply;
        }
        let reply = (self.on_run)(self);
        if self.awaits_stop {
            let mut stopped = self.stopped.subscribe();
            let _ = stopped.wait_for(|is_stopped| *is_stopped).await;
        }
        reply
    }

    fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.subscribe()
    }

    fn events(&self) -> mpsc::UnboundedReceiver<QueryEvent> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.listeners.lock().push(sender);
        receiver
    }
}

/// What was written to stdout and stderr.
#[derive(Debug, Default, Clone)]
pub(in crate::cli) struct Said {
    stdout: Arc<Mutex<Vec<u8>>>,
    stderr: Arc<Mutex<Vec<u8>>>,
}

impl Said {
    pub(in crate::cli) fn stdout(&self) -> String {
        String::from_utf8(self.stdout.lock().clone()).expect("text")
    }

    pub(in crate::cli) fn stderr_writer(&self) -> impl Write + Send + 'static {
        Kept(Arc::clone(&self.stderr))
    }

    pub(in crate::cli) fn stderr(&self) -> String {
        String::from_utf8(self.stderr.lock().clone()).expect("text")
    }
}

/// An output that is kept.
pub(in crate::cli) fn captured(format: OutputFormat) -> (Output, Said) {
    let said = Said::default();
    let kept = |bytes: &Arc<Mutex<Vec<u8>>>| Box::new(Kept(Arc::clone(bytes)));
    (Output::new(format, kept(&said.stdout), kept(&said.stderr)), said)
}

struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
