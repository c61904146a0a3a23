//! All signatures of a bundle, verified together before anything else: that costs half of what they cost one by one.
//!
//! The keys come out of states that nobody has proven yet, so all that is learnt here is which signature is by which key.
//! Whether that key counts is found out afterwards, step by step as if nothing had been done; a step only finds its
//! signature known. Where one of them is not valid, none is known, and the step that needs it says so.

use std::collections::BTreeSet;

use ledger::{LogProof, TrustRoot};
use serde::Deserialize;

use super::request::UnverifiedRequest;
use super::states::{States, Unproven};
use super::{Bundle, BundleError, Full, TakenBack};
use crate::crypto::Together;
use crate::did::DidUrl;
use crate::duty::{DutyError, UnverifiedAttestation};
use crate::encoding::json::{self, Limits};
use crate::encoding::limits;
use crate::jose::{Jwk, UnverifiedJws};
use crate::receipt::{ReceiptError, UnverifiedReceipt};

/// What is signed in every bundle; only its form was looked at.
pub(super) struct Parts<'a> {
    pub(super) receipt: Result<UnverifiedReceipt<'a>, ReceiptError>,
    pub(super) request: Result<UnverifiedRequest<'a>, BundleError>,
    pub(super) attestation: Result<UnverifiedAttestation<'a>, DutyError>,
}

/// Reads the bundle, verifies its signatures together, proves its states, and goes on with `check`.
pub(super) fn opened<T>(
    bundle: &Bundle,
    trust_root: &TrustRoot,
    check: impl FnOnce(Parts<'_>, &States) -> Result<T, BundleError>,
) -> Result<T, BundleError> {
    let request = UnverifiedRequest::parse(&bundle.request);
    let word = request.as_ref().ok().and_then(UnverifiedRequest::attestation);
    let attestation = word.as_deref().map_or(Err(DutyError::Missing), UnverifiedAttestation::parse);
    let parts = Parts { receipt: UnverifiedReceipt::parse(&bundle.receipt), request, attestation };

    let (mut unproven, mut together) = (Unproven::of(bundle), Together::default());
    for note in notes(bundle) {
        trust_root.add_signatures(note, &mut together);
    }
    parts.join(&mut unproven, &mut together);
    for text in bundle.full.iter().flat_map(presentations) {
        let _unreadable = presentation(text, &mut unproven, &mut together);
    }
    let states = unproven.prove(trust_root, together.verify())?;
    check(parts, &states)
}

/// The presentations of an answer. One that is larger than any request can ask for is refused before a signature of its
/// counts, so there is nothing to find out ahead; and a file has room for thousands of them.
fn presentations(full: &Full) -> impl Iterator<Item = &String> {
    let answer = &full.vp_token;
    let is_larger =
        answer.len() > limits::DCQL_CREDENTIALS || answer.values().any(|texts| texts.len() > limits::DCQL_MULTIPLE);
    answer.values().flatten().filter(move |_| !is_larger)
}

/// Every note once.
fn notes(bundle: &Bundle) -> BTreeSet<&str> {
    let anchors = bundle.full.iter().flat_map(|Full { anchors, .. }| anchors.values().flatten());
    let anchors = anchors.chain(bundle.withdrawal.iter().flat_map(TakenBack::proofs));
    let anchors = bundle.receipt_proof.iter().chain(anchors).map(|anchored| &anchored.proof);
    let proofs = bundle.states.iter().map(|state| &state.proof).chain(anchors);
    proofs.filter_map(|proof| LogProof::note_in(proof)).collect()
}

impl Parts<'_> {
    fn join(&self, unproven: &mut Unproven<'_>, together: &mut Together) {
        if let Ok(receipt) = &self.receipt
            && let Some(history) = unproven.did(receipt.service())
        {
            receipt.join(&history, together);
        }
        if let Ok(request) = &self.request {
            by_named_key(request.jws(), unproven, together);
        }
        if let Ok(attestation) = &self.attestation
            && let Some(history) = unproven.duty(attestation.who())
        {
            attestation.join(&history, together);
        }
    }
}

/// The issuer's signature, and the holder's.
fn presentation(text: &str, unproven: &mut Unproven<'_>, together: &mut Together) -> Option<()> {
    #[derive(Deserialize)]
    struct Bound {
        cnf: Confirmed,
    }
    #[derive(Deserialize)]
    struct Confirmed {
        jwk: Jwk,
    }
    let issued = UnverifiedJws::parse(text.split('~').next()?).ok()?;
    by_named_key(&issued, unproven, together);
    let bound: Bound = json::read(issued.dangerous_payload(), Limits::of(limits::JWS)).ok()?;
    let key_binding = UnverifiedJws::parse(text.rsplit('~').next()?).ok()?;
    key_binding.join(bound.cnf.jwk.key(), together);
    Some(())
}

/// Adds a signature by the key that `kid` names, if that is a key in a state.
fn by_named_key(jws: &UnverifiedJws<'_>, unproven: &mut Unproven<'_>, together: &mut Together) {
    let Some(name) = jws.header().kid().ok().and_then(|kid| DidUrl::parse(kid).ok()) else { return };
    let Some(history) = unproven.did(name.did()) else { return };
    if let Some(key) = history.keys.iter().find(|key| key.id == name.fragment()) {
        jws.join(key.jwk.key(), together);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn of_an_answer_that_is_larger_than_any_can_be_nothing_is_looked_up() {
        let looked_at = |queries: usize, texts: usize| {
            let vp_token = (0..queries).map(|id| (id.to_string(), vec![String::new(); texts])).collect();
            presentations(&Full { vp_token, anchors: BTreeMap::new() }).count()
        };
        let (queries, texts) = (limits::DCQL_CREDENTIALS, limits::DCQL_MULTIPLE);
        assert_eq!(looked_at(queries, texts), queries * texts);
        assert_eq!(looked_at(queries + 1, 1), 0);
        assert_eq!(looked_at(1, texts + 1), 0);
    }
}
