//! P4: verifying the standard presentation, signature of the issuer to key binding of the holder.

use std::hint::black_box;

use identity_core::crypto::{PublicKey, Signer as _};
use identity_core::sd_jwt::UnverifiedSdJwt;
use identity_core::sd_jwt_vc::Credential;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::{Row, Target};
use crate::contest;
use crate::limit::VerifyLimit;
use crate::standard::{OCCASION, PRESENTED, Standard, WINDOW};

/// P4: against two verifications and four digests.
pub(super) fn limit(rounds: u32) -> anyhow::Result<Row> {
    let standard = Standard::new()?;
    let presented = standard.present(standard.issue(&mut StdRng::seed_from_u64(1))?)?;
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
    black_box(credential.verify_holder(OCCASION, WINDOW, PRESENTED)?);
    Ok(())
}
