//! Waiting for the operator to stop the service.

use tokio::signal::unix::{SignalKind, signal};

/// Returns when the process is told to stop (SIGINT, from Ctrl-C, or SIGTERM).
pub async fn asked_to_stop() {
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                // If Ctrl-C cannot be listened to, SIGTERM and SIGKILL remain.
                Ok(()) = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => std::future::pending().await,
    }
}
