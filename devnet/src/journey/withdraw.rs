//! The step in which the citizen takes a sharing back.

use anyhow::{Context, Result, bail, ensure};
use identity_core::crypto::{Alg, SecretKey};
use identity_core::problem::Code;
use identity_core::withdrawal::Withdrawal;
use ledger::sha256;
use serde_json::{Value, json};
use service_kit::evidence_file;
use service_kit::fetch::{Answer, Request};
use wallet_cli::holdings::{Kept, Outcome, WithdrawalAnswer};

use super::patience::until;
use super::present::Yes;
use super::receipt::ANCHOR_PATIENCE;
use super::runner::Seen;
use super::traveller::Traveller;
use crate::world::admin::Manner;
use crate::world::layout::HOUSING_FUND;
use crate::world::query::LOAN;

/// Nobody but the holder can take a sharing back. The holder does: the service says, signed, what it deleted, has nothing of
/// it any more, answers the same when asked again, and cannot leave its word out of the chain that the ledger keeps. The
/// evidence shows all of it to anybody.
pub(super) async fn taken_back(traveller: &mut Traveller) -> Seen {
    let counter = traveller.housing_fund()?;
    let asked = counter.ask(json!(LOAN), Manner::ENCRYPTED).await?;
    let shared = traveller.wallet()?.present(&asked.request_uri_link, &[], &mut Yes).await?;
    ensure!(shared.outcome == Outcome::Accepted, "the service answered {:?}", shared.outcome);
    ensure!(!counter.outcome(&asked.id).await?.claims.is_null(), "the service has no claims to delete");
    a_stranger_cannot(traveller, shared.sharing).await?;

    let (seq, text) = withdraw(traveller, shared.sharing).await?;
    let left = counter.outcome(&asked.id).await?;
    ensure!(left.state == "withdrawn" && left.claims.is_null(), "the service still has something: {}", left.state);
    let evidence = counter.export(&asked.id).await;
    ensure!(evidence.is_err(), "the service still hands out what was withdrawn");

    let sent = traveller.wallet()?.holdings().withdrawal(shared.sharing).map(|asked| asked.text.clone());
    let again = send(traveller, &sent.context("the wallet did not write down what it sent")?).await?;
    let again: Value = serde_json::from_slice(&again.body)?;
    ensure!(again.get("acknowledgement") == Some(&json!(text)), "asked again, the service answers something else");
    anchored(traveller, shared.sharing).await?;
    evidence_tells_it(traveller, shared.sharing).await?;
    Ok(traveller.say("devnet-seen-withdrawn", &[("number", seq.to_string())]))
}

async fn withdraw(traveller: &Traveller, sharing: usize) -> Result<(u64, String)> {
    let mut wallet = traveller.wallet()?;
    let asking = wallet.asking(sharing)?;
    match wallet.withdraw(&asking).await? {
        WithdrawalAnswer::Acknowledged { seq, text } => Ok((seq, text)),
        other => bail!("the withdrawal is not acknowledged: {other:?}"),
    }
}

/// A withdrawal of the same sharing under another key is refused, and by name.
async fn a_stranger_cannot(traveller: &Traveller, sharing: usize) -> Result<()> {
    let wallet = traveller.wallet()?;
    let receipt = wallet.holdings().receipts().find(|(number, ..)| *number == sharing);
    let Some((_, _, Kept::Holds { text, .. }, _)) = receipt else { bail!("the service gave no receipt") };
    let (receipt, service) = (sha256(text.as_bytes()), traveller.founded.housing_fund.clone());
    let key = SecretKey::from_bytes(Alg::EdDsa, &[7; 32])?;
    let forged = Withdrawal { aud: service, receipt, iat: traveller.now() }.sign(&key)?;
    let refused = send(traveller, &forged).await?;
    let body: Value = serde_json::from_slice(&refused.body)?;
    let code = body.get("code").and_then(Value::as_str).unwrap_or_default();
    ensure!((refused.status, code) == (403, Code::WithdrawalKey.as_str()), "a stranger was answered {code}");
    Ok(())
}

async fn send(traveller: &Traveller, withdrawal: &str) -> Result<Answer> {
    let url = format!("{}/withdrawals", traveller.layout.url(&HOUSING_FUND));
    Ok(traveller.fetch.send(Request::post(url, "application/jwt", withdrawal.to_owned())).await?)
}

/// The wallet gets the proof that the ledger has the acknowledgement, at its place in the service's chain.
async fn anchored(traveller: &Traveller, sharing: usize) -> Result<()> {
    let ui = traveller.ui();
    let proven = until(ANCHOR_PATIENCE, async || {
        let mut wallet = traveller.wallet()?;
        wallet.history(&ui).await?;
        let proven = wallet.holdings().withdrawal(sharing).is_some_and(|asked| asked.proof.is_some());
        Ok(proven.then_some(()))
    });
    proven.await?.context("the ledger does not get the acknowledgement in time")
}

/// A member has it noted on the ledger that the service was asked; the file tells that, and what the service answered.
async fn evidence_tells_it(traveller: &Traveller, sharing: usize) -> Result<()> {
    let mut wallet = traveller.wallet()?;
    let noted = wallet.notarise(sharing).await?;
    let path = traveller.layout.root().join("evidence-withdrawn.json");
    evidence_file::write(&path, &wallet.evidence(sharing, false).await?)?;
    let checked = evidence_file::read(&path)?.check(&traveller.ledger.trust_root())?;
    let withdrawn = checked.withdrawn().context("the evidence does not tell of the withdrawal")?;
    let notarised = withdrawn.notarised().context("the evidence does not tell by when the withdrawal was there")?;
    ensure!(notarised.index == noted, "the evidence names another place of the withdrawal");
    let acknowledged = withdrawn.acknowledged().context("the evidence does not tell what the service answered")?;
    ensure!(acknowledged.taken.is_some(), "the acknowledgement is not shown to be on the ledger");
    Ok(())
}
