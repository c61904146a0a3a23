//! Which evidence a presentation wants, before anything about it is believed.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::presentation::Shown;
use super::{Asked, Policy, Presentation, Refusal};
use crate::did::Did;
use crate::encoding::json::{self, Limits};
use crate::encoding::limits;
use crate::registry::{accreditation_key, did_key, duty_key, schema_key, thumbprint_key};
use crate::sd_jwt::SdJwtError;

/// The evidence wanted. Nothing here is a credential's identity: to ask for it tells nobody who was shown.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Needs {
    /// Keys of the ledger's state, each with the log index that its proof must at least know.
    pub states: BTreeMap<String, u64>,
    /// Addresses of status lists, each with the DID that must have signed it.
    pub status_lists: BTreeMap<String, Did>,
}

/// Lists the evidence that [`super::judge`] will want, and refuses at once what no evidence can save.
///
/// Addresses stand here only if the issuer's accepted types are concerned; still they come from an unverified
/// credential, so the fetcher guards itself against addresses that it must not visit.
///
/// # Errors
/// [`Refusal`] for anything malformed, unbound to a holder, of a type that is not accepted, or without the anchor
/// proof that policy demands.
pub fn needs(presentation: &Presentation<'_>, policy: &Policy) -> Result<Needs, Refusal> {
    super::check::answer::outline(presentation.asked.query(), presentation.token)?;
    let mut needs = Needs::default();
    needs.want_party(presentation.asked.asker, 0);
    needs.want_duty(&presentation.asked)?;
    if let Some(leaf) = presentation.asked.certificate {
        needs.want_state(thumbprint_key(&leaf.thumbprint()), 0);
    }
    for shown in presentation.open()? {
        super::check::anchor::present(&shown, policy)?;
        needs.want_for(&shown, policy)?;
    }
    Ok(needs)
}

impl Needs {
    fn want_for(&mut self, shown: &Shown<'_>, policy: &Policy) -> Result<(), Refusal> {
        let at_least = shown.anchor.as_ref().map_or(Ok(0), |proof| proof.claimed_index()).map_err(Refusal::Anchor)?;
        let issuer = shown.key.did();
        self.want_party(issuer, at_least);
        let payload = shown.sd_jwt.jws().dangerous_payload();
        let claims = json::parse_object(payload, Limits::of(limits::SD_JWT))
            .map_err(|error| Refusal::SdJwt(SdJwtError::PayloadJson(error)))?;
        let vct = claims.get("vct").and_then(Value::as_str).ok_or(Refusal::TypeNotAccepted)?;
        if !policy.types.iter().any(|accepted| accepted.metadata.vct == vct) {
            return Err(Refusal::TypeNotAccepted);
        }
        self.want_state(schema_key(vct), at_least);
        if let Some(uri) = status_uri(&claims) {
            self.status_lists.insert(uri.to_owned(), issuer.clone());
        }
        Ok(())
    }

    /// The same, by evidence that knows at least this log index: that of the past moment as of which is judged.
    #[must_use]
    pub fn knowing(mut self, index: u64) -> Self {
        self.states.values_mut().for_each(|at_least| *at_least = index.max(*at_least));
        self
    }

    pub(super) fn want_party(&mut self, did: &Did, at_least: u64) {
        self.want_state(did_key(did), at_least);
        self.want_state(accreditation_key(did), at_least);
    }

    /// The history of the duty that the request's attestation claims.
    fn want_duty(&mut self, asked: &Asked<'_>) -> Result<(), Refusal> {
        let attestation = super::duty::claimed(asked.asker, asked.request)?;
        let (department, number) = attestation.who();
        self.want_state(duty_key(department, number), 0);
        Ok(())
    }

    fn want_state(&mut self, key: String, at_least: u64) {
        let wanted = self.states.entry(key).or_default();
        *wanted = at_least.max(*wanted);
    }
}

fn status_uri(claims: &Map<String, Value>) -> Option<&str> {
    claims.get("status")?.get("status_list")?.get("uri")?.as_str()
}
