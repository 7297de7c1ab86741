//! Waiting for new files: the file system's notification as a hint, the folders' modification times as a second one.
//!
//! Neither is believed. Each hint only leads to a listing, and the listing says whether there is anything new. On
//! file systems that notify nobody, a look at the folders once a second finds what came.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

use super::location::is_hidden;

/// Folders beyond this number are only polled: the system's own supply of watches is limited.
const MAX_FOLDERS: usize = 1000;

/// Watches folders, not what is below them.
pub(super) struct FolderWatch {
    /// `None` where the system gives no watcher.
    watcher: Option<RecommendedWatcher>,
    watched: HashSet<PathBuf>,
}

impl FolderWatch {
    /// Watches nothing yet; `changed` will be notified of every change that may have brought a file.
    pub(super) fn new(changed: Arc<Notify>) -> Self {
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| may_bring_files(&event)) {
                changed.notify_one();
            }
        });
        if let Err(error) = &watcher {
            tracing::debug!(%error, "no file-system notification: polling");
        }
        Self {
            watcher: watcher.ok(),
            watched: HashSet::new(),
        }
    }

    /// Watches these folders too; says whether any of them was not watched before.
    pub(super) fn add<'a>(&mut self, folders: impl Iterator<Item = &'a Path>) -> bool {
        let Some(watcher) = &mut self.watcher else {
            return false;
        };
        let mut added = false;
        for folder in folders {
            if self.watched.len() >= MAX_FOLDERS {
                break;
            }
            if !self.watched.contains(folder) {
                self.watched.insert(folder.to_owned());
                match watcher.watch(folder, RecursiveMode::NonRecursive) {
                    Ok(()) => added = true,
                    Err(error) => tracing::debug!(%error, "a folder cannot be watched: polling"),
                }
            }
        }
        added
    }
}

impl std::fmt::Debug for FolderWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FolderWatch")
            .field("watched", &self.watched.len())
            .finish_non_exhaustive()
    }
}

/// Where the system tells when a writer closes a file, its creation is not yet a hint: it would lead to reading the
/// file half written.
fn may_bring_files(event: &Event) -> bool {
    let kind = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Modify(ModifyKind::Name(_))
        | EventKind::Create(CreateKind::Folder)
        | EventKind::Any
        | EventKind::Other => true,
        EventKind::Create(_) | EventKind::Modify(_) => !cfg!(target_os = "linux"),
        EventKind::Access(_) | EventKind::Remove(_) => false,
    };
    let is_visible = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        !name.is_some_and(is_hidden)
    };
    kind && (event.paths.is_empty() || event.paths.iter().any(is_visible))
}

#[cfg(test)]
mod tests {
    use notify::event::{DataChange, RemoveKind, RenameMode};

    use super::*;

    fn event(kind: EventKind, path: &str) -> Event {
        Event::new(kind).add_path(PathBuf::from(path))
    }

    #[test]
    fn only_what_may_bring_a_file_is_a_hint() {
        let moved = EventKind::Modify(ModifyKind::Name(RenameMode::To));
        let closed = EventKind::Access(AccessKind::Close(AccessMode::Write));
        assert!(may_bring_files(&event(moved, "/in/a.json")));
        assert!(may_bring_files(&event(closed, "/in/a.json")));
        assert!(may_bring_files(&event(
            EventKind::Create(CreateKind::Folder),
            "/in/sub"
        )));
        assert!(may_bring_files(&Event::new(EventKind::Other)), "events were lost");
        assert!(!may_bring_files(&event(closed, "/in/.a.json.tmp")));
        assert!(!may_bring_files(&event(
            EventKind::Remove(RemoveKind::File),
            "/in/a.json"
        )));
        if cfg!(target_os = "linux") {
            let written = EventKind::Modify(ModifyKind::Data(DataChange::Any));
            assert!(!may_bring_files(&event(written, "/in/a.json")));
            assert!(!may_bring_files(&event(
                EventKind::Create(CreateKind::File),
                "/in/a.json"
            )));
        }
    }
}
