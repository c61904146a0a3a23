//! What happens without being asked: evidence is refreshed, and what is due is erased.

pub(crate) mod anchor;

use std::time::Duration;

use actix_web::web;

use crate::service::Verifier;

/// Runs until it is aborted. Stopping anywhere is safe: evidence is proven when it is read, and erasing goes by
/// batches that stand on their own.
pub(crate) async fn run(verifier: web::Data<Verifier>, every_seconds: u64) {
    let mut ticks = tokio::time::interval(Duration::from_secs(every_seconds.max(1)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now = verifier.clock.now();
        if !verifier.evidence.refresh(now).await {
            tracing::warn!("the ledger cannot be reached; judging by the evidence at hand");
        }
        match verifier.store.forget_due(now).await {
            Ok(0) => {}
            Ok(entries) => tracing::info!(entries, "erased what was due"),
            Err(error) => tracing::error!(%error, "what is due could not be erased"),
        }
    }
}
