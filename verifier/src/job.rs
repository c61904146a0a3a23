//! What happens without being asked: evidence is refreshed, what is due is erased, and the ledger is told what it is owed.

pub(crate) mod anchor;
pub(crate) mod tally;

use std::time::Duration;

use actix_web::web;
use tokio::time::Instant;

use crate::service::Verifier;

/// Longest pause when nobody wakes the job that submits: the net under lost wake-ups and restarts.
const IDLE: Duration = Duration::from_secs(30);
/// Pause after a round that failed.
const RETRY: Duration = Duration::from_secs(2);
/// Receipts that come within this time share a transaction.
const WINDOW: Duration = Duration::from_millis(200);

/// Seconds between two looks for what is to be erased: what was promised for a time is kept half a minute longer at most.
const ERASE: Duration = Duration::from_secs(30);

/// Keeps the evidence fresh. Runs until it is aborted; stopping anywhere is safe, since evidence is proven when it is read.
pub(crate) async fn refresh(verifier: web::Data<Verifier>, every_seconds: u64) {
    let mut ticks = ticks(Duration::from_secs(every_seconds.max(1)));
    loop {
        ticks.tick().await;
        if !verifier.evidence.refresh(verifier.clock.now()).await {
            tracing::warn!("the ledger cannot be reached; judging by the evidence at hand");
        }
    }
}

/// Erases what is due, by itself: it waits for nobody whose server does not answer. Runs until it is aborted; stopping
/// anywhere is safe, since erasing goes by batches that stand on their own.
pub(crate) async fn erase(verifier: web::Data<Verifier>) {
    let mut ticks = ticks(ERASE);
    loop {
        ticks.tick().await;
        match verifier.store.forget_due(verifier.clock.now()).await {
            Ok(0) => {}
            Ok(entries) => tracing::info!(entries, "erased what was due"),
            Err(error) => tracing::error!(%error, "what is due could not be erased"),
        }
    }
}

/// The first at once, and none made up for.
fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks
}

/// Brings receipts onto the ledger, and the counts of days: in one line, because both are numbered under one key. Runs until
/// it is aborted. Stopping in the middle of a round is one more crash, and those are provided for.
pub(crate) async fn submit(verifier: web::Data<Verifier>) {
    let Some(submitter) = verifier.receipts.submitter.as_ref() else { return };
    let mut tally_from = Instant::now();
    loop {
        let anchored = anchor::round(&verifier, submitter).await;
        if let Err(failure) = &anchored {
            tracing::warn!(%failure, "receipts wait for the ledger");
        }
        let mut tallied = false;
        if Instant::now() >= tally_from {
            tallied = tally::round(&verifier, submitter).await.unwrap_or_else(|failure| {
                tracing::warn!(%failure, "a day's counts wait for the ledger");
                tally_from = Instant::now() + IDLE;
                false
            });
        }
        match anchored {
            Ok(found) if found || tallied => {}
            Ok(_) => {
                if tokio::time::timeout(IDLE, verifier.receipts.wake.notified()).await.is_ok() {
                    tokio::time::sleep(WINDOW).await;
                }
            }
            Err(_) => tokio::time::sleep(RETRY).await,
        }
    }
}
