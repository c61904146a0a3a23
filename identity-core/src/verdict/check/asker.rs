//! May the one who asked ask this? A verdict for an asker who may not would serve it all the same.

use crate::time::UnixSeconds;
use crate::verdict::Refusal;
use crate::verdict::asker::{Excess, standing};
use crate::verdict::judge::Bench;

pub(in crate::verdict) fn check(bench: &Bench<'_>) -> Result<UnixSeconds, Refusal> {
    let asked = &bench.presentation.asked;
    let standing =
        standing(asked.client_id.did(), asked.query, asked.purpose, bench.evidence, bench.policy.evidence, bench.now)?;
    match standing.excess.first() {
        None => Ok(standing.as_of),
        Some(Excess::Type { .. }) => Err(Refusal::AskerType),
        Some(Excess::Claims { .. }) => Err(Refusal::AskerClaims),
        Some(Excess::Purpose { .. }) => Err(Refusal::AskerPurpose),
    }
}
