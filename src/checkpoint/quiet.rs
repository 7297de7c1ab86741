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

/// Runs `work`; `None` if it panicked, of which nothing is reported.
pub(super) fn catch<T>(work: impl FnOnce() -> T) -> Option<T> {
    HOOK.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_QUIET.get() {
                hook(info);
            }
        }));
    });
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
