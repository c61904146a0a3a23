//! Is it they who asked, and may they ask this? A verdict for an asker who may not would serve it all the same.

use crate::oid4vp::ClientName;
use crate::time::UnixSeconds;
use crate::verdict::Refusal;
use crate::verdict::asker::{Excess, standing_by};
use crate::verdict::judge::Bench;

pub(in crate::verdict) fn check(bench: &Bench<'_>) -> Result<UnixSeconds, Refusal> {
    if !is_behind_its_name(bench)? {
        return Err(Refusal::AskerUnknown);
    }
    let asked = &bench.presentation.asked;
    let standing = standing_by(asked.asker, asked.query(), asked.purpose(), bench.evidence, bench.reading())?;
    match standing.excess.first() {
        None => Ok(standing.as_of),
        Some(Excess::Type { .. }) => Err(Refusal::AskerType),
        Some(Excess::Claims { .. }) => Err(Refusal::AskerClaims),
        Some(Excess::Purpose { .. }) => Err(Refusal::AskerPurpose),
    }
}

/// Whether the DID is the one that the client identifier names: itself, or through the key of the certificate whose
/// digest it names.
fn is_behind_its_name(bench: &Bench<'_>) -> Result<bool, Refusal> {
    let asked = &bench.presentation.asked;
    match (asked.request.client_id.name(), asked.certificate) {
        (ClientName::Did(did), _) => Ok(did == asked.asker),
        (ClientName::Certificate(digest), Some(leaf)) if leaf.digest() == digest => {
            let owner = bench.evidence.owner_by(&leaf.thumbprint(), bench.reading())?;
            Ok(owner == asked.asker)
        }
        (ClientName::Certificate(_), _) => Ok(false),
    }
}
