//! P30, P31: checking an evidence bundle, from the bytes of its file to who answers for the act.

use std::hint::black_box;

use anyhow::Context as _;
use identity_core::bundle::{Bundle, Checked, Holder};
use ledger::TrustRoot;

use super::{Row, Target};
use crate::act::Act;
use crate::contained::Contained;
use crate::contest;

/// P30: without the answer.
pub(super) fn plain(rounds: u32) -> anyhow::Result<Row> {
    let act = Act::new()?;
    let what = "check evidence: its signatures and hashes";
    row(rounds, "P30", what, &act.trust_root, &act.plain, Holder::Claimed)
}

/// P31: with it.
pub(super) fn full(rounds: u32) -> anyhow::Result<Row> {
    let act = Act::new()?;
    let what = "check full evidence: its signatures and hashes";
    row(rounds, "P31", what, &act.trust_root, &act.full, Holder::Signed)
}

fn row(
    rounds: u32,
    id: &'static str,
    what: &'static str,
    trust_root: &TrustRoot,
    file: &str,
    holder: Holder,
) -> anyhow::Result<Row> {
    let contained = Contained::of(file, trust_root)?;
    anyhow::ensure!(check(file, trust_root)?.holder() == holder, "the bundle shows something else of the holder");
    eprintln!("{id}: {contained}, in a file of {} bytes", file.len());
    let ours = || {
        black_box(check(black_box(file), trust_root).is_ok());
    };
    Ok(Row {
        id,
        what,
        outcome: contest::hold(rounds, ours, || contained.run()),
        target: Target::CostAtMost(1.2),
        last_target: Target::CostAtMost(1.2),
    })
}

fn check(file: &str, trust_root: &TrustRoot) -> anyhow::Result<Checked> {
    Bundle::parse(file.as_bytes())?.check(trust_root).context("the bundle does not hold")
}
