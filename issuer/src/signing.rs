//! What a credential says, and its signature.

use identity_core::kb_jwt::Confirmation;
use identity_core::sd_jwt_vc::{self, CredentialError, Registered};
use identity_core::status::{self, ListAddress, Reference, SignError, StatusList, Validity};
use identity_core::time::UnixSeconds;
use rand::CryptoRng;
use serde_json::{Map, Value};

use crate::config::StatusConfig;
use crate::keys::Keys;
use crate::kind::Kind;

/// A credential to be signed.
pub(crate) struct Wanted<'a> {
    pub issuer: &'a str,
    pub kind: &'a Kind,
    pub claims: &'a Map<String, Value>,
    pub holder: &'a Confirmation,
    pub issued: UnixSeconds,
    pub expires: UnixSeconds,
    pub status: &'a Reference,
}

/// Something could not be signed: no fault of a caller.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignFailure {
    #[error("a credential cannot be made of the subject's claims: {0}")]
    Credential(#[from] CredentialError),
    #[error(transparent)]
    Status(SignError),
}

/// Signs one SD-JWT VC. The `kid` is the DID URL of the key, so that software that trusts the ledger and software that
/// trusts the issuer's web address find the same key.
pub(crate) fn sign(wanted: &Wanted<'_>, keys: &Keys, rng: &mut dyn CryptoRng) -> Result<String, SignFailure> {
    let registered = Registered {
        issuer: wanted.issuer,
        vct: &wanted.kind.vct,
        vct_integrity: None,
        issued_at: wanted.issued,
        not_before: Some(wanted.issued),
        expires: Some(wanted.expires),
        holder: Some(wanted.holder),
        status: Some(wanted.status),
    };
    let kid = keys.assertion_url();
    Ok(sd_jwt_vc::issue(&registered, wanted.claims, &wanted.kind.concealment, &kid, &keys.assertion, rng)?)
}

/// Signs a status list (Token Status List, JWT form).
pub(crate) fn sign_status_list(
    list: &StatusList,
    address: ListAddress<'_>,
    now: UnixSeconds,
    config: &StatusConfig,
    keys: &Keys,
) -> Result<String, SignFailure> {
    let validity = Validity { issued_at: now, expires: now.plus(i64::from(config.lifetime)), ttl: config.ttl };
    status::sign(list, address, validity, &keys.assertion_url(), &keys.assertion).map_err(SignFailure::Status)
}
