//! The steps in which the citizen looks back at what was shared: what for, who answers for it, and what the service says
//! it did.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use identity_core::encoding::base64url;
use ledger::sha256;
use serde_json::Value;
use wallet_cli::Wallet;
use wallet_cli::holdings::{Kept, Sharing};

use super::patience::until;
use super::runner::Seen;
use super::traveller::Traveller;
use crate::world::layout::PURPOSE;
use crate::world::query::{DESK, RETENTION_DAYS};

/// Time for the ledger to take a range of receipts.
const ANCHOR_PATIENCE: Duration = Duration::from_secs(60);

/// The wallet showed who answers and what for, as the official signed it; and the holder's signature, which the wallet
/// keeps, carries the digest of just that.
pub(super) async fn purpose_shown(traveller: &mut Traveller) -> Seen {
    let wallet = traveller.wallet()?;
    let sharing = last(&wallet)?;
    let word = sharing.word.as_ref().context("the wallet was shown nobody who answers")?;
    ensure!(word.purpose == PURPOSE && word.duty == DESK, "the wallet was shown {} and {}", word.purpose, word.duty);
    ensure!(word.retention_days == RETENTION_DAYS && word.service, "the wallet was shown another word");
    let request = payload(&sharing.request)?;
    let object = request.pointer("/transaction_data/0").and_then(Value::as_str);
    let object = object.context("the request has nothing for the holder to sign")?;
    let bound = payload(sharing.key_bindings.first().context("the wallet kept no signature of ours")?)?;
    let signed = bound.pointer("/transaction_data_hashes/0").and_then(Value::as_str);
    ensure!(signed == Some(sha256(object.as_bytes()).to_base64url().as_str()), "the holder signed something else");
    Ok(traveller.say("devnet-seen-purpose", &[("purpose", word.purpose.clone()), ("duty", word.duty.clone())]))
}

/// The wallet holds the service's receipt, which it has checked against what it sent.
pub(super) async fn held(traveller: &mut Traveller) -> Seen {
    let wallet = traveller.wallet()?;
    let (_, _, kept, _) = wallet.holdings().receipts().last().context("the service gave no receipt")?;
    let Kept::Holds { seq, text } = kept else { anyhow::bail!("the receipt does not hold: {kept:?}") };
    let said = payload(text)?;
    ensure!(said.get("verdict").and_then(Value::as_str) == Some("accepted"), "the receipt says otherwise");
    Ok(traveller.say("devnet-seen-receipt", &[("number", seq.to_string())]))
}

/// The wallet gets the proof that the ledger has the receipt, in a range that continues the service's chain.
pub(super) async fn anchored(traveller: &mut Traveller) -> Seen {
    let ui = traveller.ui();
    let proven = until(ANCHOR_PATIENCE, async || {
        let mut wallet = traveller.wallet()?;
        wallet.history(&ui).await?;
        let proven = wallet.holdings().receipts().last().is_some_and(|(.., proof)| proof.is_some());
        Ok(proven.then_some(()))
    });
    proven.await?.context("the ledger does not get the receipt in time")?;
    let wallet = traveller.wallet()?;
    let (.., proof) = wallet.holdings().receipts().last().context("the receipt is gone")?;
    let transaction = proof.and_then(|proof| proof.get("transaction")?.as_str().map(str::to_owned));
    let anchor = payload(&transaction.context("the proof holds no transaction")?)?;
    let number = |name: &str| anchor.get(name).and_then(Value::as_u64).unwrap_or_default().to_string();
    Ok(traveller.say("devnet-seen-receipt-anchored", &[("first", number("first")), ("last", number("last"))]))
}

fn last(wallet: &Wallet) -> Result<Sharing> {
    let (_, sharing, _) = wallet.holdings().sharings().last().context("the wallet shared nothing")?;
    Ok(sharing.clone())
}

/// The payload of a JWS that was verified when it came.
fn payload(jws: &str) -> Result<Value> {
    let payload = jws.split('.').nth(1).context("not a JWS")?;
    Ok(serde_json::from_slice(&base64url::decode(payload)?)?)
}
