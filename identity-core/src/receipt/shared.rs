//! A sharing from the holder's side, and whether a receipt is over it.

use std::collections::BTreeMap;

use ledger::sha256;
use serde_json::Value;

use super::{MAX_NAMES_BYTES, Presented, ReceiptError, VerifiedReceipt};
use crate::did::Did;
use crate::duty::UnverifiedAttestation;
use crate::registry::DutyHolder;
use crate::sd_jwt::{ClaimPath, HeldSdJwt};
use crate::time::UnixSeconds;
use crate::verdict::Verified;

/// How far a service's clock may be ahead or behind the holder's, in seconds.
const LEEWAY: i64 = 300;

/// What a holder shared, and what came back. Holds claim values.
#[derive(Clone)]
pub struct Sharing<'a> {
    /// Whom the answer went to.
    pub service: &'a Did,
    /// The attestation of the request, which was verified before anything was shown.
    pub attestation: &'a str,
    /// What was sent, by query id.
    pub presentations: &'a BTreeMap<String, Vec<String>>,
    /// In whose hand the ledger has the duty key of the attestation.
    pub holder: DutyHolder,
    /// Whether the service's answer says that it was accepted.
    pub accepted: bool,
    /// When it was sent.
    pub sent: UnixSeconds,
}

/// An answer as a receipt names it, by query id: both sides come to the same from the texts alone.
#[must_use]
pub fn presented(answer: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<Presented>> {
    named(answer, |_, _, text| read(text))
}

/// As [`presented`], for an answer that was accepted: what the verdict read in it is not read again.
#[must_use]
pub fn presented_as(answer: &BTreeMap<String, Vec<String>>, verified: &Verified) -> BTreeMap<String, Vec<Presented>> {
    named(answer, |query, place, text| {
        let judged = verified.credentials().get(query).and_then(|credentials| credentials.get(place));
        judged.map_or_else(|| read(text), |one| (Some(one.credential_type.clone()), one.disclosed.clone()))
    })
}

/// Type and disclosed claims of a presentation.
type Names = (Option<String>, Vec<ClaimPath>);

/// Every presentation by its digest, and by its names as long as there is room for them.
fn named(
    answer: &BTreeMap<String, Vec<String>>,
    names_of: impl Fn(&str, usize, &str) -> Names,
) -> BTreeMap<String, Vec<Presented>> {
    let mut room = MAX_NAMES_BYTES;
    let mut one = |query: &str, place, text: &str| {
        let digest = sha256(text.as_bytes());
        let (vct, mut claims) = names_of(query, place, text);
        claims.sort();
        let bytes = serde_json::to_vec(&(&vct, &claims)).map_or(usize::MAX, |names| names.len());
        match room.checked_sub(bytes) {
            Some(left) => {
                room = left;
                Presented { digest, vct, claims }
            }
            None => Presented { digest, vct: None, claims: Vec::new() },
        }
    };
    let all = answer.iter().map(|(query, texts)| {
        let shown = texts.iter().enumerate().map(|(place, text)| one(query, place, text));
        (query.clone(), shown.collect())
    });
    all.collect()
}

fn read(presentation: &str) -> Names {
    let bound = presentation.rfind('~').and_then(|end| presentation.get(..=end)).unwrap_or_default();
    // The disclosures decide what is named, not whether they hold: a refused presentation was shown all the same.
    HeldSdJwt::dangerous_reopen(bound.to_owned()).map_or((None, Vec::new()), |held| {
        let vct = held.claims().get("vct").and_then(Value::as_str).map(str::to_owned);
        (vct, held.disclosable().cloned().collect())
    })
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
        if receipt.act.holder != sharing.holder {
            return Err(ReceiptError::OtherWord);
        }
        if receipt.presentations != presented(sharing.presentations) {
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
