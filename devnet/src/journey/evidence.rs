//! The step in which the citizen hands out the evidence of a sharing, and somebody else checks it with nothing but the
//! trust root.

use anyhow::{Context, Result, ensure};
use identity_core::anchor::AnchorError;
use identity_core::bundle::{Bundle, BundleError, Holder, Moment};
use identity_core::encoding::base64url;
use ledger::{TrustRoot, sha256};
use service_kit::evidence_file;
use service_kit::ledger_client::load_trust_root;
use wallet_cli::holdings::Kept;

use super::runner::Seen;
use super::traveller::Traveller;
use crate::world::layout::PURPOSE;
use crate::world::query::DESK;

/// The bundle holds as of the receipt's place on the ledger, and names service, duty, purpose and authority; with the
/// presentation it shows the holder's signature, too. One byte changed is refused, and so is a forgery that fits its digest.
pub(super) async fn checked(traveller: &mut Traveller) -> Seen {
    let trust_root = load_trust_root(&traveller.layout.trust_root())?;
    let mut wallet = traveller.wallet()?;
    let (number, sharing, kept, _) = wallet.holdings().receipts().last().context("the service gave no receipt")?;
    let Kept::Holds { text: receipt, .. } = kept else { anyhow::bail!("the receipt does not hold: {kept:?}") };
    let (asker, receipt) = (sharing.asker.clone(), receipt.clone());
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
    let full = wallet.evidence(number, true).await?;
    let kept = traveller.layout.root().join("evidence-full.json");
    if kept.exists() {
        std::fs::remove_file(&kept)?;
    }
    evidence_file::write(&kept, &full)?;
    let full = full.check(&trust_root)?;
    ensure!(full.holder() == Holder::Signed, "the holder's signature is not shown");
    let text = std::fs::read(&path)?;
    refused_with_a_byte_changed(&text)?;
    refused_with_another_receipt(std::str::from_utf8(&text)?, &receipt, &trust_root)?;
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

/// A forger has the service promise to keep the answer for another time, and makes the digest anew: the ledger has another
/// receipt.
fn refused_with_another_receipt(text: &str, receipt: &str, trust_root: &TrustRoot) -> Result<()> {
    let forged = resealed(&text.replace(receipt, &forged(receipt)?))?;
    ensure!(forged != text, "nothing was forged");
    let bundle = Bundle::parse(forged.as_bytes()).context("the forgery does not fit its digest")?;
    let refused = bundle.check(trust_root).err();
    ensure!(refused == Some(BundleError::Anchor(AnchorError::NotInBatch)), "the forgery is not noticed: {refused:?}");
    Ok(())
}

fn forged(receipt: &str) -> Result<String> {
    let parts: Vec<&str> = receipt.split('.').collect();
    let [header, payload, signature] = parts[..] else { anyhow::bail!("the receipt is no JWS") };
    let payload = String::from_utf8(base64url::decode(payload)?)?;
    let payload = payload.replace(r#""retention_days":"#, r#""retention_days":1"#);
    Ok(format!("{header}.{}.{signature}", base64url::encode(payload.as_bytes())))
}

/// A file with the digest that fits it (`docs/formats.md`).
fn resealed(text: &str) -> Result<String> {
    let (said, _) = text.rsplit_once(r#","sha256":""#).context("the file has no digest")?;
    Ok(format!("{said},\"sha256\":\"{}\"}}\n", sha256(said.as_bytes()).to_base64url()))
}
