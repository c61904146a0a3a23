//! Making creations, proofs of possession, recoveries and transactions: the sender's side.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Refused;
use super::create::{Create, CreatePayload};
use super::recovery::{RecoveryAct, RecoveryEnvelope, RecoveryOperation};
use super::transaction::{Envelope, Operation};
use crate::crypto::Signer;
use crate::did::Did;
use crate::jose::{SignHeader, sign_compact, typ};

/// Signs a creation with one of its own keys, the one with fragment `key_id`.
///
/// # Errors
/// [`Refused`] when the ledger would refuse the result: the sender learns it before sending.
pub fn make_create(payload: &CreatePayload, key_id: &str, signer: &dyn Signer) -> Result<Create, Refused> {
    let bytes = serde_json::to_vec(payload).map_err(|_| Refused::CreateMalformed("payload"))?;
    let kid = format!("#{key_id}");
    let jws =
        sign_compact(SignHeader::new(typ::CREATE).kid(&kid), &bytes, signer).map_err(|_| Refused::CreateSignature)?;
    Create::parse(&jws)
}

/// Signs a proof of possession with the authentication key `did#key_id`, for [`super::Update::prove_keys`] on the ledger
/// with this `origin`.
///
/// # Errors
/// [`Refused::KeyProof`] when the signer fails.
pub fn make_key_proof(origin: &str, did: &Did, key_id: &str, signer: &dyn Signer) -> Result<String, Refused> {
    let payload = serde_json::to_vec(&BTreeMap::from([("aud", origin)])).map_err(|_| Refused::KeyProof("payload"))?;
    let kid = format!("{did}#{key_id}");
    sign_compact(SignHeader::new(typ::KEY_PROOF).kid(&kid), &payload, signer)
        .map_err(|_| Refused::KeyProof("signature"))
}

/// Signs an act with a DID's recovery key, to be carried by a member's relay.
///
/// # Errors
/// [`Refused`] when the ledger would refuse the result whatever it holds: the holder learns it before sending.
pub fn make_recovery(
    envelope: &RecoveryEnvelope,
    operation: &RecoveryOperation,
    signer: &dyn Signer,
) -> Result<RecoveryAct, Refused> {
    let malformed = |_| Refused::RecoveryMalformed("members of the operation");
    let (name, members) = operation.to_members().map_err(malformed)?;
    let mut payload = BTreeMap::from([("op".to_owned(), Value::from(name))]);
    for part in [serde_json::to_value(envelope).map_err(malformed)?, members] {
        if let Value::Object(part) = part {
            payload.extend(part);
        }
    }
    let bytes = serde_json::to_vec(&payload).map_err(malformed)?;
    let jws = sign_compact(SignHeader::new(typ::RECOVERY), &bytes, signer).map_err(|_| Refused::RecoverySignature)?;
    RecoveryAct::parse(&jws)
}

/// Signs a transaction with the key `sender#key_id`. The answer is the compact JWS to submit.
///
/// # Errors
/// [`Refused`] when the content cannot be written down or the signer fails.
pub fn make_transaction(
    envelope: &Envelope,
    operation: &Operation,
    sender: &Did,
    key_id: &str,
    signer: &dyn Signer,
) -> Result<String, Refused> {
    let malformed = |_| Refused::Malformed("members of the operation");
    let (name, members) = operation.to_members().map_err(malformed)?;
    // Sorted, so that the same content gives the same bytes in every build.
    let mut payload = BTreeMap::new();
    payload.insert("aud".to_owned(), Value::from(envelope.aud.as_str()));
    payload.insert("seq".to_owned(), Value::from(envelope.seq));
    payload.insert("exp".to_owned(), Value::from(envelope.exp));
    payload.insert("op".to_owned(), Value::from(name));
    if let Value::Object(members) = members {
        payload.extend(members);
    }
    let bytes = serde_json::to_vec(&payload).map_err(malformed)?;
    let kid = format!("{sender}#{key_id}");
    sign_compact(SignHeader::new(typ::TRANSACTION).kid(&kid), &bytes, signer).map_err(|_| Refused::Signature)
}
