//! Does an official answer for the question, under a duty that covers it?

use crate::verdict::Refusal;
use crate::verdict::duty::{Attested, attested_by};
use crate::verdict::judge::Bench;

pub(in crate::verdict) fn check(bench: &Bench<'_>) -> Result<Attested, Refusal> {
    attested_by(&bench.presentation.asked, bench.evidence, bench.reading())
}
