//! The steps in which the citizen looks back at what was shared: what for, who answers for it, and what the service says
//! it did.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use identity_core::encoding::base64url;
use identity_core::period::{Period, PeriodError};
use identity_core::problem::Code;
use identity_core::receipt::{ChainFault, ChainHead};
use identity_core::registry::receipts_key;
use identity_core::time::UnixSeconds;
use identity_core::trust;
use ledger::sha256;
use serde_json::Value;
use service_kit::clock::{Clock as _, SystemClock};
use service_kit::config;
use service_kit::ledger_client::load_trust_root;
use service_kit::messages::Lang;
use service_kit::store::Batch;
use wallet_cli::Wallet;
use wallet_cli::holdings::{Kept, Sharing};

use super::patience::until;
use super::present;
use super::runner::Seen;
use super::traveller::Traveller;
use crate::world::layout::{HOUSING_FUND, Layout, PURPOSE};
use crate::world::query::{BASIS, DESK, DESK_TITLE, RETENTION_DAYS};

/// Time for the ledger to take a range of receipts.
pub(super) const ANCHOR_PATIENCE: Duration = Duration::from_secs(60);

/// Who answers and what for stood on the screen before the citizen said yes, as the official signed it; and the holder's
/// signature, which the wallet keeps, carries the digest of just that.
pub(super) async fn purpose_shown(traveller: &mut Traveller) -> Seen {
    if traveller.screen.is_empty() {
        present::read_again(traveller).await?;
    }
    check_screen(&traveller.screen, traveller.lang)?;
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

/// The question told the citizen who answers for it, what for, and by which law.
fn check_screen(screen: &[String], lang: Lang) -> Result<()> {
    let [en, zh] = DESK_TITLE;
    let title = match lang {
        Lang::En => en,
        Lang::Zh => zh,
    };
    for expected in [title, PURPOSE, BASIS] {
        ensure!(
            screen.iter().any(|line| line.contains(expected)),
            "the citizen was not shown \u{201c}{expected}\u{201d}"
        );
    }
    Ok(())
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

/// The service's log of receipts is whole. In a copy from which one is cut out, the audit names it; and in one whose end
/// was cut off so well that the service's own note agrees, the ledger tells. An auditor sees the same from an export.
pub(super) async fn gap_detected(traveller: &mut Traveller) -> Seen {
    all_anchored(traveller).await?;
    traveller.services.stop_one(&HOUSING_FUND).await?;
    let seen = audits(&traveller.layout).await;
    // Whatever came of it, the world goes on.
    traveller.services.start_all().await?;
    let (receipts, gap) = seen?;
    Ok(traveller.say("devnet-seen-gap", &[("receipts", receipts.to_string()), ("number", gap.to_string())]))
}

/// Waits until the ledger has every receipt that the wallet was given.
pub(super) async fn all_anchored(traveller: &Traveller) -> Result<()> {
    let seq = |kept: &Kept| match kept {
        Kept::Holds { seq, .. } => Some(*seq),
        Kept::Fault { .. } => None,
    };
    let given = traveller.wallet()?.holdings().receipts().filter_map(|(_, _, kept, _)| seq(kept)).max();
    let (given, service) = (given.context("the wallet was given no receipt")?, &traveller.founded.housing_fund);
    let anchored = until(ANCHOR_PATIENCE, async || {
        let (state, _) = traveller.ledger.state(&receipts_key(service)).await?;
        Ok((trust::receipts_anchored(&state, service)?.seq >= given).then_some(()))
    });
    anchored.await?.context("the ledger does not get the receipts in time")
}

async fn audits(layout: &Layout) -> Result<(u64, u64)> {
    let config: verifier::Config = config::load(&layout.config(&HOUSING_FUND))?;
    let whole = verifier::verify_receipts_here(&config).await?.context("the log of receipts is not whole")?;
    let (last, anchored) = (whole.head.seq, whole.anchored?);
    ensure!(last >= 3 && anchored >= 3, "only {last} receipts, {anchored} on the ledger");
    // No day is over, unless midnight came meanwhile.
    whole.tallies.context("the ledger was not asked for the counts of days")??;

    exported(&config, layout, last).await?;
    let (gap, copy) = (2, layout.directory(&HOUSING_FUND).join("tampered-copy"));
    let cut_out = tampered(&config, &copy, Batch::new().delete(receipt_key(gap))).await?;
    ensure!(cut_out == Err(ChainFault::Gap { seq: gap }), "the audit says {cut_out:?}");

    // The last two go, and the service's note of its last receipt is made to fit.
    let store = verifier::open_ports(&config)?.0.store;
    let kept = store.get(receipt_key(anchored.saturating_sub(2)).as_bytes()).await?.context("a receipt is gone")?;
    drop(store);
    let head = ChainHead::after(anchored.saturating_sub(2), &String::from_utf8(kept)?);
    let mut batch = Batch::new().put("receipt-head", serde_json::to_vec(&head)?);
    for seq in anchored.saturating_sub(1)..=last {
        batch = batch.delete(receipt_key(seq));
    }
    let cut_off = tampered(&config, &copy, batch).await?;
    let expected = ChainFault::CutOff { seq: anchored.saturating_sub(1) };
    ensure!(cut_off == Err(expected), "the audit says {cut_off:?}");
    Ok((last, gap))
}

/// The whole log is exported for an auditor, who has nothing but the trust root: it holds, and with its last receipt cut off
/// it does not.
async fn exported(config: &verifier::Config, layout: &Layout, last: u64) -> Result<()> {
    let file = layout.root().join("period.json");
    // A world that is walked a second time has written it before.
    let _ = fs::remove_file(&file);
    let tomorrow = SystemClock.now().plus(86_400);
    verifier::export_here(config.clone(), UnixSeconds(0), tomorrow, &file).await?;
    let trust_root = load_trust_root(&layout.trust_root())?;
    let mut period = Period::parse(&fs::read(&file)?)?;
    let checked = period.check(&trust_root)?;
    ensure!(u64::try_from(checked.entries().len())? == last, "the export has {} receipts", checked.entries().len());
    for _ in 0..=checked.waiting() {
        period.entries.pop();
    }
    let cut_off = period.check(&trust_root).err().map(PeriodError::code);
    ensure!(cut_off == Some(Code::ReceiptCutOff), "of an export that was cut off the check says {cut_off:?}");
    Ok(())
}

/// What the audit says of a copy of the data after somebody changed it.
async fn tampered(
    config: &verifier::Config,
    place: &Path,
    change: Batch,
) -> Result<Result<verifier::ReceiptsRead, ChainFault>> {
    fs::create_dir_all(place)?;
    for entry in fs::read_dir(&config.data)? {
        let entry = entry?;
        fs::copy(entry.path(), place.join(entry.file_name()))?;
    }
    let config = verifier::Config { data: place.to_owned(), ..config.clone() };
    let (ports, lock) = verifier::open_ports(&config)?;
    ports.store.commit(change).await?;
    drop((ports, lock));
    let audited = verifier::verify_receipts_here(&config).await?;
    fs::remove_dir_all(place)?;
    Ok(audited)
}

/// Where the verifier's store has a receipt (`verifier/src/store/receipts.rs`).
fn receipt_key(seq: u64) -> String {
    format!("receipt/{seq:020}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_that_leaves_out_who_answers_what_for_or_by_which_law_is_none() {
        let lines = |texts: &[&str]| texts.iter().map(|text| format!("Fact  {text}.")).collect::<Vec<_>>();
        for (title, lang) in DESK_TITLE.into_iter().zip([Lang::En, Lang::Zh]) {
            let all = [title, PURPOSE, BASIS];
            assert!(check_screen(&lines(&all), lang).is_ok());
            for left_out in all {
                let others: Vec<&str> = all.into_iter().filter(|text| *text != left_out).collect();
                assert!(check_screen(&lines(&others), lang).is_err(), "{left_out}");
            }
        }
        assert!(check_screen(&[], Lang::En).is_err());
    }
}
