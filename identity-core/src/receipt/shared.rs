//! A sharing from the holder's side, and whether a receipt is over it.

use std::collections::BTreeMap;

use ledger::sha256;
use serde_json::Value;

use super::{Presented, ReceiptError, VerifiedReceipt};
use crate::did::Did;
use crate::duty::UnverifiedAttestation;
use crate::sd_jwt::HeldSdJwt;
use crate::time::UnixSeconds;

/// How far a service's clock may be ahead or behind the holder's, in seconds.
const LEEWAY: i64 = 300;

/// What a holder shared, and what came back.
#[derive(Debug, Clone)]
pub struct Sharing<'a> {
    /// Whom the answer went to.
    pub service: &'a Did,
    /// The attestation of the request, which was verified before anything was shown.
    pub attestation: &'a str,
    /// What was sent, by query id.
    pub presentations: &'a BTreeMap<String, Vec<String>>,
    /// Whether the service's answer says that it was accepted.
    pub accepted: bool,
    /// When it was sent.
    pub sent: UnixSeconds,
}

/// A presentation as a receipt names it: both sides come to the same from the text alone.
#[must_use]
pub fn shown(presentation: &str) -> Presented {
    let digest = sha256(presentation.as_bytes());
    let bound = presentation.rfind('~').and_then(|end| presentation.get(..=end)).unwrap_or_default();
    // The disclosures decide what is named, not whether they hold: a refused presentation was shown all the same.
    match HeldSdJwt::dangerous_reopen(bound.to_owned()) {
        Err(_) => Presented { digest, vct: None, claims: Vec::new() },
        Ok(held) => {
            let vct = held.claims().get("vct").and_then(Value::as_str).map(str::to_owned);
            let mut claims: Vec<_> = held.disclosable().cloned().collect();
            claims.sort();
            Presented { digest, vct, claims }
        }
    }
}

impl VerifiedReceipt {
    /// That the receipt is over this very sharing.
    ///
    /// # Errors
    /// [`ReceiptError`], by the first thing that differs.
    pub fn check(&self, sharing: &Sharing<'_>, now: UnixSeconds) -> Result<(), ReceiptError> {
        let receipt = self.receipt();
        if receipt.iss != *sharing.service {
            return Err(ReceiptError::Service);
        }
        let attested = UnverifiedAttestation::parse(sharing.attestation).map_err(|_| ReceiptError::OtherRequest)?;
        self.check_word(&attested)?;
        let sent: BTreeMap<String, Vec<Presented>> = sharing
            .presentations
            .iter()
            .map(|(id, texts)| (id.clone(), texts.iter().map(|text| shown(text)).collect()))
            .collect();
        if receipt.presentations != sent {
            return Err(ReceiptError::OtherPresentation);
        }
        if receipt.is_accepted() != sharing.accepted {
            return Err(ReceiptError::OtherVerdict);
        }
        let in_time = receipt.iat >= sharing.sent.plus(-LEEWAY) && receipt.iat <= now.plus(LEEWAY);
        if in_time { Ok(()) } else { Err(ReceiptError::Time) }
    }

    /// That the receipt is over this official's word, and repeats it.
    ///
    /// # Errors
    /// [`ReceiptError::OtherRequest`], [`ReceiptError::OtherWord`].
    pub fn check_word(&self, attested: &UnverifiedAttestation<'_>) -> Result<(), ReceiptError> {
        let (receipt, said) = (self.receipt(), attested.dangerous_claims());
        if receipt.request != attested.digest() || receipt.act.duty != said.duty || receipt.act.key != attested.key() {
            return Err(ReceiptError::OtherRequest);
        }
        let same_word = receipt.purpose == said.purpose
            && receipt.basis == said.basis
            && receipt.retention_days == said.retention_days
            && receipt.case == said.case
            && receipt.holder_signs == said.holder_signs;
        if same_word { Ok(()) } else { Err(ReceiptError::OtherWord) }
    }
}
