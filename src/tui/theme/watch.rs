//! Tells when a theme's file was written, so that who designs one sees it at once.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// Watches the folders that themes are in: editors put a new file in the place of the old one, which a watch of the file
/// itself would lose. Where the system gives no watcher, themes are read when they are chosen, and that is all.
pub(crate) struct ThemeWatch {
    watcher: Option<RecommendedWatcher>,
    folders: HashSet<PathBuf>,
}

impl ThemeWatch {
    /// Watches nothing yet; `changed` is called when a `.toml` file was written, renamed or removed.
    pub(crate) fn new(changed: impl Fn() + Send + 'static) -> Self {
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| is_written(&event)) {
                changed();
            }
        });
        Self {
            watcher: watcher.ok(),
            folders: HashSet::new(),
        }
    }

    /// Watches the folders of these files too.
    pub(crate) fn follow(&mut self, files: &[PathBuf]) {
        for file in files {
            let folder = match file.parent() {
                Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
                Some(folder) => folder,
                None => continue,
            };
            if self.folders.contains(folder) {
                continue;
            }
            self.folders.insert(folder.to_path_buf());
            if let Some(watcher) = &mut self.watcher
                && let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive)
            {
                tracing::debug!(%error, "a folder of themes cannot be watched");
            }
        }
    }
}

/// Whether a theme may look different now. Reading one must not count, for reading is the answer.
fn is_written(event: &Event) -> bool {
    let is_toml = event
        .paths
        .iter()
        .any(|path| path.extension().is_some_and(|extension| extension == "toml"));
    let is_change = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Modify(ModifyKind::Name(_))
        | EventKind::Remove(_) => true,
        // Where the system does not tell when a file is closed.
        EventKind::Modify(_) | EventKind::Any => !cfg!(target_os = "linux"),
        _ => false,
    };
    is_toml && is_change
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_written_theme_is_told_of_and_a_read_one_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let theme = folder.path().join("mine.toml");
        std::fs::write(&theme, "inherits = \"dark\"").expect("a file");
        let (sender, changes) = mpsc::channel();
        let mut watch = ThemeWatch::new(move || {
            sender.send(()).expect("the test listens");
        });
        watch.follow(std::slice::from_ref(&theme));
        std::fs::read_to_string(&theme).expect("a file");
        std::fs::write(folder.path().join("notes.txt"), "no theme").expect("a file");
        std::fs::write(&theme, "inherits = \"light\"").expect("a file");
        changes
            .recv_timeout(Duration::from_secs(30))
            .expect("news of the theme");
        let draft = folder.path().join("draft");
        std::fs::write(&draft, "inherits = \"dark\"").expect("a file");
        std::fs::rename(&draft, &theme).expect("a file in its place");
        changes
            .recv_timeout(Duration::from_secs(30))
            .expect("news of the new file");
    }
}
