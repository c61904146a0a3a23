//! The evidence of one act, as a file for others: our side of what the holder's wallet makes too.

use std::collections::BTreeMap;

use identity_core::anchor::AnchorProof;
use identity_core::bundle::{Bundle, Full};
use identity_core::oid4vp::VpToken;
use identity_core::problem::Code;
use ledger::sha256;
use serde_json::Value;
use service_kit::audit::Act;
use service_kit::evidence_file::{self, EvidenceFileError};
use service_kit::store::StoreError;

use super::receipt::ProofMissing;
use super::redeem::Release;
use super::result::Undisclosed;
use crate::service::Verifier;
use crate::store::CaseRecord;

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BundleUnmade {
    #[error(transparent)]
    Undisclosed(#[from] Undisclosed),
    #[error("the request has no receipt")]
    NoReceipt,
    #[error(transparent)]
    Proof(ProofMissing),
    #[error(transparent)]
    File(#[from] EvidenceFileError),
}

impl BundleUnmade {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Undisclosed(error) => error.code(),
            Self::NoReceipt => Code::EvidenceNoReceipt,
            Self::Proof(error) => error.code(),
            Self::File(error) => error.code(),
        }
    }
}

impl From<StoreError> for BundleUnmade {
    fn from(error: StoreError) -> Self {
        Self::Undisclosed(Undisclosed::Store(error))
    }
}

impl Verifier {
    /// The evidence of the answer to a request; with the answer itself, while it is kept, for whoever reads it by the act
    /// `full`, which then stands in the audit log, and by which the values were passed on. Without, the holder's signatures
    /// go along while they are kept: they hold no claim.
    pub(crate) async fn bundle(&self, id: &str, full: Option<Act>) -> Result<Bundle, BundleUnmade> {
        let (record, session) = self.load(id).await?.ok_or(Undisclosed::Unknown)?;
        let outcome = self.store.outcome(id).await?.ok_or(BundleUnmade::NoReceipt)?;
        if self.release(id, &record, &outcome).await? == Release::Waiting {
            return Err(Undisclosed::NotBack.into());
        }
        let receipt = match outcome.receipt {
            Some(seq) => self.store.receipt(seq).await?.ok_or(BundleUnmade::NoReceipt)?,
            None => return Err(BundleUnmade::NoReceipt),
        };
        let proof = match self.receipt_proof(&sha256(receipt.as_bytes())).await {
            Ok(proof) => Some(proof),
            Err(ProofMissing::Waiting) => None,
            Err(error) => return Err(BundleUnmade::Proof(error)),
        };
        let case = self.store.case(id).await?;
        let answer = case.as_ref().and_then(|case| {
            let token = VpToken::parse(&case.vp_token.to_string(), &session.parameters.query).ok()?;
            Some(Full::new(token.0, anchors(case), &self.evidence.trust_root()))
        });
        if full.is_some() && answer.is_none() {
            return Err(Undisclosed::Erased.into());
        }
        let texts = answer.iter().flat_map(|answer| answer.vp_token.values().flatten());
        let key_bindings = texts.filter_map(|text| text.rsplit('~').next()).map(str::to_owned).collect();
        let request = record.signed.ok_or(Undisclosed::Unattested)?;
        let bundle = Bundle::of(request, receipt, proof, key_bindings, answer.filter(|_| full.is_some()));
        let bundle = evidence_file::complete(bundle, self.evidence.ledger()).await?;
        // Reading what a citizen disclosed is an act too: no line, no answer. And none of what was withdrawn meanwhile.
        if let Some(act) = full {
            self.pass_on(act, id).await?;
        }
        Ok(bundle)
    }
}

/// The credentials' anchor proofs as they came; without those that cannot be read.
fn anchors(case: &CaseRecord) -> BTreeMap<String, Vec<AnchorProof>> {
    let proofs = case.anchors.as_ref().and_then(Value::as_object).into_iter().flatten();
    let read = |proofs: &Value| -> Option<Vec<AnchorProof>> {
        proofs.as_array()?.iter().map(|proof| AnchorProof::from_value(proof).ok()).collect()
    };
    proofs.filter_map(|(query, proofs)| Some((query.clone(), read(proofs)?))).collect()
}
