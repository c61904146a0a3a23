//! Was the credential on the ledger, put there by its issuer, and when?

use ledger::{CertifiedCheckpoint, sha256};

use crate::anchor::AnchoredAt;
use crate::registry::AnchorKind;
use crate::verdict::judge::Bench;
use crate::verdict::presentation::Shown;
use crate::verdict::{AnchorRule, AsOf, Policy, Refusal};

/// Whether a proof came along where policy demands one.
pub(in crate::verdict) fn present(shown: &Shown<'_>, policy: &Policy) -> Result<(), Refusal> {
    match (policy.anchor, &shown.anchor) {
        (AnchorRule::Required, None) => Err(Refusal::AnchorMissing),
        (AnchorRule::Required, Some(_)) | (AnchorRule::Optional, Some(_) | None) => Ok(()),
    }
}

/// That a credential was anchored by its issuer.
pub(in crate::verdict) struct Anchored {
    pub(in crate::verdict) at: AnchoredAt,
    /// The checkpoint over it, if nobody had certified it before.
    pub(in crate::verdict) newly_certified: Option<CertifiedCheckpoint>,
}

/// A proof that came along must hold, also where policy would do without it.
pub(in crate::verdict) fn check(bench: &Bench<'_>, shown: &Shown<'_>) -> Result<Option<Anchored>, Refusal> {
    present(shown, bench.policy)?;
    let Some(proof) = &shown.anchor else {
        return match bench.when.as_of {
            AsOf::Now => Ok(None),
            // Nothing else tells that it was there by then, whatever date it claims.
            AsOf::Past(_) => Err(Refusal::AnchorMissing),
        };
    };
    let digest = sha256(shown.sd_jwt.jws().compact().as_bytes());
    let (at, newly_certified) =
        bench.evidence.verify_anchor(proof, &digest, AnchorKind::Credential).map_err(Refusal::Anchor)?;
    // The ledger accepts anchors from every member; only its issuer's word counts for a credential.
    if at.sender() != shown.key.did() {
        return Err(Refusal::AnchorSender);
    }
    match bench.when.as_of {
        AsOf::Past(moment) if at.index() > moment.index() => Err(Refusal::AnchoredLater),
        AsOf::Past(_) | AsOf::Now => Ok(Some(Anchored { at, newly_certified })),
    }
}
