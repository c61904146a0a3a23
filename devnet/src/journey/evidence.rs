//! The step in which the citizen hands out the evidence of a sharing, and somebody else checks it with nothing but the
//! trust root.

use anyhow::{Context, Result, ensure};
use identity_core::bundle::{Bundle, BundleError, Holder, Moment};
use service_kit::evidence_file;
use service_kit::ledger_client::load_trust_root;

use super::runner::Seen;
use super::traveller::Traveller;
use crate::world::layout::PURPOSE;
use crate::world::query::DESK;

/// The bundle holds as of the receipt's place on the ledger, and names service, duty, purpose and authority; with the
/// presentation it shows the holder's signature, too. One byte changed is refused.
pub(super) async fn checked(traveller: &mut Traveller) -> Seen {
    let trust_root = load_trust_root(&traveller.layout.trust_root())?;
    let mut wallet = traveller.wallet()?;
    let (number, sharing, ..) = wallet.holdings().receipts().last().context("the service gave no receipt")?;
    let asker = sharing.asker.clone();
    let path = traveller.layout.root().join("evidence.json");
    evidence_file::write(&path, &wallet.evidence(number, false).await?)?;
    let bundle = evidence_file::read(&path)?;
    let checked = bundle.check(&trust_root)?;
    ensure!(checked.service().did.to_string() == asker, "the evidence is of another service");
    let said = checked.attestation();
    ensure!(said.duty == DESK && said.purpose == PURPOSE, "the evidence is of another duty or purpose");
    let chain = checked.chains().first().and_then(|chain| chain.last()).context("nobody accredited the service")?;
    ensure!(chain.by.label.is_some() && chain.grant.under.is_none(), "the chain does not end in an authority");
    let Moment::Anchored(index) = checked.moment() else { anyhow::bail!("the receipt is not on the ledger") };
    let full = wallet.evidence(number, true).await?.check(&trust_root)?;
    ensure!(full.holder() == Holder::Signed, "the holder's signature is not shown");
    let text = std::fs::read(&path)?;
    refused_with_a_byte_changed(&text)?;
    let values = [("bytes", text.len().to_string()), ("index", index.to_string())];
    Ok(traveller.say("devnet-seen-evidence", &values))
}

fn refused_with_a_byte_changed(text: &[u8]) -> Result<()> {
    let mut changed = text.to_vec();
    let middle = changed.len() / 2;
    *changed.get_mut(middle).context("the file is empty")? ^= 1;
    let refused = Bundle::parse(&changed);
    ensure!(refused.is_err_and(|error| error == BundleError::Changed), "a changed byte is not noticed");
    Ok(())
}
