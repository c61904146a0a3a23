//! Waiting for what happens by itself a little later.

use std::time::{Duration, Instant};

use anyhow::Result;

/// Time between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Looks again and again until there is something or patience ends; none then.
pub(crate) async fn until<T>(
    patience: Duration,
    mut look: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<Option<T>> {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await? {
            return Ok(Some(found));
        }
        if started.elapsed() > patience {
            return Ok(None);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
