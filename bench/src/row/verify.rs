//! P4: verifying the standard presentation, from the issuer's signature to the holder's key binding. P16: the whole
//! verdict on it, with and without an anchor proof.

use std::hint::black_box;

use anyhow::Context as _;

use identity_core::crypto::{PublicKey, Signer as _};
use identity_core::kb_jwt;
use identity_core::sd_jwt::UnverifiedSdJwt;
use identity_core::sd_jwt_vc::Credential;
use identity_core::verdict::judge;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::{Row, Target};
use crate::case::Case;
use crate::contest;
use crate::limit::VerifyLimit;
use crate::standard::{OCCASION, PRESENTED, Standard, WINDOW};

/// P4: against two verifications and four digests.
pub(super) fn limit(rounds: u32) -> anyhow::Result<Row> {
    let standard = Standard::new()?;
    let presented = standard.present(standard.issue(&mut StdRng::seed_from_u64(1))?, OCCASION)?;
    let issuer = standard.issuer.public_key();
    let limit = VerifyLimit::of(&presented, issuer.bytes(), standard.holder.public_key().bytes())?;
    verify(&presented, issuer)?;
    let ours = || {
        black_box(verify(black_box(&presented), issuer).is_ok());
    };
    Ok(Row {
        id: "P4",
        what: "verify presentation, limit: 2 verify + 4 hashes",
        outcome: contest::hold(rounds, ours, || limit.run()),
        target: Target::AtLeast(0.8),
        last_target: Target::AtLeast(0.92),
    })
}

fn verify(presented: &str, issuer: &PublicKey) -> anyhow::Result<()> {
    let credential = Credential::verify(UnverifiedSdJwt::parse(presented)?, issuer)?;
    credential.check_time(PRESENTED, WINDOW.leeway)?;
    let holder = credential.holder().context("no holder key")?;
    black_box(kb_jwt::verify_by(credential.sd_jwt(), holder, OCCASION, WINDOW, PRESENTED)?);
    Ok(())
}

/// P16: the verdict with an anchor proof under a checkpoint that is known, against the verdict without a proof.
pub(super) fn anchored(rounds: u32) -> anyhow::Result<Row> {
    let case = Case::new()?;
    let (with_proof, without) = (case.presentation(true), case.presentation(false));
    let verdict = |presentation| judge(presentation, &case.evidence, &case.policy, PRESENTED);
    anyhow::ensure!(verdict(&with_proof)?.credentials().values().flatten().all(|one| one.anchor.is_some()));
    anyhow::ensure!(verdict(&without)?.credentials().values().flatten().all(|one| one.anchor.is_none()));
    let ours = || {
        black_box(verdict(black_box(&with_proof)).is_ok());
    };
    let unanchored = || {
        black_box(verdict(black_box(&without)).is_ok());
    };
    Ok(Row {
        id: "P16",
        what: "offline verdict anchored, against not anchored",
        outcome: contest::hold(rounds, ours, unanchored),
        target: Target::CostAtMost(1.1),
        last_target: Target::CostAtMost(1.1),
    })
}
