//! What each message does.

use std::sync::Arc;

use crossterm::event::{KeyEventKind, MouseEventKind};

use super::{App, Effect, Message, Notice};
use crate::engine::{Answer, Command, Reply, Snapshot};
use crate::error::Error;
use crate::tui::action::READ_ONLY;

impl App {
    /// Takes a message in and says what is to be done outside.
    pub(crate) fn update(&mut self, message: Message) -> Vec<Effect> {
        match message {
            Message::Key(key) if key.kind == KeyEventKind::Release => return Vec::new(),
            Message::Key(key) => self.key(key),
            Message::Mouse(mouse) => {
                if matches!(mouse.kind, MouseEventKind::Down(_)) {
                    self.leave_tour();
                }
                if !self.mouse(mouse) {
                    return Vec::new();
                }
            }
            Message::Paste(text) => self.paste(&text),
            Message::Resize(width, height) => {
                self.size.width = width;
                self.size.height = height;
            }
            Message::Snapshot(snapshot) => {
                self.snapshot(snapshot);
                if self.is_frozen() {
                    return Vec::new();
                }
            }
            Message::Reply(command, result) => self.reply(&command, result),
            Message::Tick => {
                let now_ms = self.clock.now_ms();
                self.notice.take_if(|notice| notice.until_ms <= now_ms);
            }
            Message::ThemesChanged => self.reload_theme(),
            Message::Terminate => self.quit(),
            Message::Panicked(text) => {
                let error = Error::internal("a thread of the engine broke down").caused_by(text);
                self.notice = Some(Notice::error(
                    &error.hint("RESTART its query; please report this as a bug."),
                    None,
                ));
            }
        }
        self.take_rows();
        self.ask_for_keys();
        self.ask_for_check();
        self.dirty = true;
        self.go_on_tour();
        self.refuse_changes();
        std::mem::take(&mut self.effects)
    }

    /// Whatever asks for it, a read-only workbench changes nothing; leaving it stops its queries all the same.
    fn refuse_changes(&mut self) {
        if !self.is_read_only {
            return;
        }
        let is_change = |effect: &Effect| match effect {
            Effect::Execute(Command::StopAll) => false,
            Effect::Execute(command) => command.changes_something(),
            _ => false,
        };
        let before = self.effects.len();
        self.effects.retain(|effect| !is_change(effect));
        if self.effects.len() < before {
            let error = Error::statement(READ_ONLY).hint("Open it without --read-only to change something.");
            self.notice = Some(Notice::error(&error, None));
        }
    }

    fn snapshot(&mut self, snapshot: Arc<Snapshot>) {
        self.live.histories.ingest(&snapshot);
        self.grids
            .retain(|id, _| snapshot.queries.iter().any(|query| query.id == *id));
        self.live.snapshot = snapshot;
    }

    fn reply(&mut self, command: &Command, result: Result<Reply, Error>) {
        if let Command::ReadState { query, request } = command {
            let page = result.and_then(|reply| match reply.answer {
                Answer::State(page) => Ok(*page),
                _ => Err(Error::internal("the engine did not answer with a state")),
            });
            return self.keys_answered(query, request, page);
        }
        if *command == Command::Words {
            let words = result.ok().and_then(|reply| match reply.answer {
                Answer::Words(words) => Some(words),
                _ => None,
            });
            return self.words_answered(words);
        }
        if let Command::Check { origin: None, .. } = command {
            let checked = result.and_then(|reply| match reply.answer {
                Answer::Checked(queries) => Ok(queries),
                _ => Err(Error::internal("the engine did not answer with what it checked")),
            });
            return self.check_answered(checked);
        }
        if let Command::Run {
            rows: Some(sender), ..
        } = command
            && self.run_ended(sender, &result)
        {
            return;
        }
        if *command == Command::StopAll && self.quitting {
            // What cannot be stopped goes on from its checkpoint next time, so an error is no reason to stay.
            self.effects.push(Effect::Exit);
            return;
        }
        let origin = match command {
            Command::Run { origin, .. } | Command::Check { origin, .. } => origin.as_deref(),
            _ => None,
        };
        match result {
            Ok(reply) => self.say(reply.sentence),
            Err(error) => self.notice = Some(Notice::error(&error, origin)),
        }
    }

    pub(super) fn execute(&mut self, command: Command) {
        match &command {
            Command::Start(name) => self.say(format!("starting {name} ...")),
            Command::Stop(name) => self.say(format!("stopping {name} after its batch ...")),
            Command::Restart(name) => self.say(format!("restarting {name} ...")),
            Command::Drop(name) => self.say(format!("dropping {name} ...")),
            Command::ResetCheckpoint(name) => self.say(format!("putting the checkpoint of {name} aside ...")),
            Command::Export { query, path } => {
                self.say(format!("writing {query} to {} ...", path.display()));
            }
            _ => {}
        }
        self.effects.push(Effect::Execute(command));
    }

    /// Stops what runs, then leaves; asked again while that takes its time, leaves at once.
    pub(super) fn quit(&mut self) {
        let active = self
            .live
            .snapshot
            .queries
            .iter()
            .any(|query| query.state.is_active());
        if self.quitting || !active {
            self.effects.push(Effect::Exit);
            return;
        }
        self.quitting = true;
        self.effects.push(Effect::Execute(Command::StopAll));
    }
}
