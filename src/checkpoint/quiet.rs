//! Panics that are answers.
//!
//! redb trusts what its checksums cover and may panic on what they do not. While a file is being checked, such a
//! panic says that the file is damaged; nobody is to read of it as of a bug.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// Makes panics quiet that are answers. Whoever puts a hook of its own in place does this first, and asks
/// [`is_quiet`] in it.
pub(crate) fn install() {
    HOOK.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !is_quiet() {
                hook(info);
            }
        }));
    });
}

/// Whether a panic of this thread would be an answer.
pub(crate) fn is_quiet() -> bool {
    IS_QUIET.get()
}

/// Runs `work`; `None` if it panicked, of which nothing is reported.
pub(super) fn catch<T>(work: impl FnOnce() -> T) -> Option<T> {
    install();
    IS_QUIET.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    IS_QUIET.set(false);
    result.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_none() {
        assert_eq!(catch(|| 1), Some(1));
        let broken: Option<()> = catch(|| panic!("an index out of range"));
        assert_eq!(broken, None);
        assert!(!IS_QUIET.get());
    }
}
