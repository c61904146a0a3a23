//! Proofs of possession: that whoever registers a key's thumbprint holds the key.
//!
//! A DID document may name any public key, also a stranger's, so that a key stands in it proves nothing. A thumbprint
//! answers "whose is this key?" for software that has no DID to ask about (an `x509_hash` client), so it is registered
//! only with a signature by the key itself. The proof names DID and key (`kid`) and ledger (`aud`); it needs no number
//! and no time, because a DID's key id means one key once: when the key ends, the proof can never be used again.

use ledger::Hash;
use serde::Deserialize;

use super::{DidHistory, KeyUse, LIMITS, Refused};
use crate::did::DidUrl;
use crate::encoding::json;
use crate::jose::{ExpectedTyp, UnverifiedJws, typ};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    aud: String,
}

/// Checks a proof for a current authentication key of `history` on the ledger with this `origin`. The answer is the
/// key's thumbprint.
pub(super) fn verify_key_proof(text: &str, history: &DidHistory, origin: &str) -> Result<Hash, Refused> {
    let jws = UnverifiedJws::parse(text).map_err(|_| Refused::KeyProof("jws"))?;
    let name = jws.header().kid().ok().and_then(|kid| DidUrl::parse(kid).ok()).ok_or(Refused::KeyProof("kid"))?;
    if *name.did() != history.did {
        return Err(Refused::KeyProof("another DID's"));
    }
    let key = history.current_key(name.fragment()).filter(|key| key.key_use == KeyUse::Authentication);
    let jwk = &key.ok_or(Refused::KeyProof("no current authentication key"))?.jwk;
    let proven = jws
        .verify_low_s(jwk.key(), ExpectedTyp::Exactly(typ::KEY_PROOF))
        .map_err(|_| Refused::KeyProof("typ or signature"))?;
    let payload: Payload = json::read(proven.payload(), LIMITS).map_err(|_| Refused::KeyProof("payload"))?;
    if payload.aud == origin { Ok(jwk.thumbprint()) } else { Err(Refused::OtherLedger) }
}
