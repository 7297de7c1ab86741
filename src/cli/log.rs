//! The log: what the engine has to say beside events and errors, on stderr.
//!
//! Warnings are shown; `HIGHWATER_LOG` takes another filter, `debug` or `highwater::execution=trace`. While the
//! workbench has the terminal nothing is written: it would stand in the middle of the picture. What it shows is in the
//! ring of [`crate::engine::log`], which takes information too.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::engine::log::{LogLayer, LogRing};
use crate::format::safe_text;

static IS_SCREEN_TAKEN: AtomicBool = AtomicBool::new(false);

/// Begins to log. A log that the program has already stays as it is.
pub(super) fn begin() {
    let filter = |otherwise: &str| {
        EnvFilter::try_from_env("HIGHWATER_LOG").unwrap_or_else(|_| EnvFilter::new(otherwise))
    };
    let stderr = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_target(false)
        .without_time()
        .with_writer(|| Stderr)
        .with_filter(filter("highwater=warn"));
    let ring = LogLayer::new(LogRing::of_process().clone()).with_filter(filter("warn,highwater=info"));
    let _ = tracing_subscriber::registry().with(stderr).with(ring).try_init();
}

/// Runs the workbench, without a log on its screen.
pub(super) fn without_log<T>(workbench: impl FnOnce() -> T) -> T {
    IS_SCREEN_TAKEN.store(true, Ordering::Release);
    let result = workbench();
    IS_SCREEN_TAKEN.store(false, Ordering::Release);
    result
}

struct Stderr;

impl Write for Stderr {
    /// Takes whole lines, as the subscriber writes them, and makes what they quote harmless.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !IS_SCREEN_TAKEN.load(Ordering::Acquire) {
            let text = String::from_utf8_lossy(bytes);
            for line in text.lines() {
                writeln!(io::stderr(), "{}", safe_text::clean(line))?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
