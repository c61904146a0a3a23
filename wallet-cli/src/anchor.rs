//! Anchor proofs, which an issuer can give only once the ledger has certified the batch: seconds, or days, after the
//! credential. So a credential is stored without one, and the proof is asked for again whenever there is occasion. It is
//! also asked for again once other validators are in force: a service that knows them believes none of their
//! predecessors.

use crate::{error::WalletError, holdings::Credential, late::Silent, wallet::Wallet};
use identity_core::{
    anchor::{self, AnchorProof},
    did::DidUrl,
    jose::UnverifiedJws,
    registry::AnchorKind,
};
use ledger::TrustRoot;
use service_kit::fetch::Request;

/// Where a credential's anchor proof stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnchorState {
    /// Stored, and it holds.
    Here,
    /// Not certified yet, or the issuer cannot be reached.
    Later,
    /// The issuer gave something that does not hold.
    Bad,
}

/// Asks for every proof that is missing, and stores those that hold.
///
/// # Errors
/// A vault that cannot be written.
pub(crate) async fn fetch_late(wallet: &mut Wallet) -> Result<(), WalletError> {
    let trust_root = wallet.ledger.trust_root();
    let missing =
        wallet.holdings.credentials().filter(|(_, credential, proof)| !holds(credential, *proof, &trust_root));
    let missing: Vec<usize> = missing.map(|(number, ..)| number).collect();
    let mut silent = Silent::default();
    for number in missing {
        fetch(wallet, number, &mut silent).await?;
    }
    Ok(())
}

/// Asks for one credential's proof, unless it is here and holds.
///
/// # Errors
/// A vault that cannot be written.
pub(crate) async fn fetch(wallet: &mut Wallet, number: usize, silent: &mut Silent) -> Result<AnchorState, WalletError> {
    let found = wallet.holdings.credentials().find(|(held, ..)| *held == number);
    let Some((_, credential, proof)) = found else { return Err(WalletError::UnknownCredential { number }) };
    if holds(credential, proof, &wallet.ledger.trust_root()) {
        return Ok(AnchorState::Here);
    }
    let digest = credential.anchored_digest().to_base64url();
    let issuer = credential.issuer.trim_end_matches('/');
    let request = Request::get(format!("{issuer}/anchors/{digest}")).with_limit(anchor::MAX_BYTES);
    let Some(answer) = silent.ask(wallet, issuer, request).await else { return Ok(AnchorState::Later) };
    if answer.status != 200 {
        return Ok(AnchorState::Later);
    }
    let Some(proof) = checked(credential, &answer.body, &wallet.ledger.trust_root()) else {
        return Ok(AnchorState::Bad);
    };
    let mut rng = wallet.rng();
    wallet.holdings.add_anchor(number, proof, &mut rng)?;
    Ok(AnchorState::Here)
}

/// Whether a stored proof holds under the validators in force. What was stored was checked; only they change.
fn holds(credential: &Credential, proof: Option<&serde_json::Value>, trust_root: &TrustRoot) -> bool {
    let proof = proof.and_then(|proof| serde_json::from_value::<AnchorProof>(proof.clone()).ok());
    let digest = credential.anchored_digest();
    proof.is_some_and(|proof| proof.verify(&digest, AnchorKind::Credential, trust_root).is_ok())
}

/// The proof if it is about this credential, on our ledger, and sent by the credential's issuer.
fn checked(credential: &Credential, body: &[u8], trust_root: &TrustRoot) -> Option<serde_json::Value> {
    let proof = AnchorProof::parse(body).ok()?;
    let anchored = proof.verify(&credential.anchored_digest(), AnchorKind::Credential, trust_root).ok()?;
    let jwt = credential.sd_jwt.expose().split('~').next()?;
    let jws = UnverifiedJws::parse(jwt).ok()?;
    let key_id = DidUrl::parse(jws.header().kid().ok()?).ok()?;
    if key_id.did() != anchored.sender() {
        return None;
    }
    serde_json::to_value(&proof).ok()
}
