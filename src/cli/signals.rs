//! SIGINT and SIGTERM: the first asks to stop, the second stops.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use super::INTERRUPTED;
use crate::error::{Error, Result};

/// From here on the first signal resolves what is returned, and the second ends the process on the spot: whatever
/// the first one waits for may hang, and what is committed is safe.
///
/// # Errors
///
/// `Internal` if the system takes no handler.
pub(super) fn interrupts() -> Result<impl Future<Output = ()>> {
    let mut interrupt = handler(SignalKind::interrupt())?;
    let mut terminate = handler(SignalKind::terminate())?;
    let (first, asked) = oneshot::channel();
    tokio::spawn(async move {
        any(&mut interrupt, &mut terminate).await;
        // Nobody waits any more: the process is about to end anyway.
        let _ = first.send(());
        any(&mut interrupt, &mut terminate).await;
        std::process::exit(i32::from(INTERRUPTED));
    });
    Ok(async move {
        if asked.await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

async fn any(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

fn handler(kind: SignalKind) -> Result<Signal> {
    signal(kind).map_err(|error| Error::internal("signals cannot be handled").caused_by(error))
}
