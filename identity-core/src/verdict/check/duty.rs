//! Does an official answer for the question, under a duty that covers it?

use crate::verdict::Refusal;
use crate::verdict::duty::{Attested, attested};
use crate::verdict::judge::Bench;

pub(in crate::verdict) fn check(bench: &Bench<'_>) -> Result<Attested, Refusal> {
    attested(&bench.presentation.asked, bench.evidence, bench.policy.evidence, bench.now)
}
