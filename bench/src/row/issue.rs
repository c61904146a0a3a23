//! P1, P2: issuing the standard credential under Ed25519.

use std::future::Future;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use identity_core::encoding::base64url;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use ring::signature::Ed25519KeyPair;
use sd_jwt_payload::{JsonObject, JwsSigner, SdJwtBuilder};
use serde_json::{Value, json};

use super::{Row, Target};
use crate::contest;
use crate::limit::IssueLimit;
use crate::standard::{EXPIRES, ISSUED, Standard, VCT};

/// P1: against one signature and ten digests.
pub(super) fn limit(rounds: u32) -> anyhow::Result<Row> {
    let standard = Standard::new()?;
    let mut rng = StdRng::seed_from_u64(1);
    let limit = IssueLimit::of(&standard.issue(&mut rng)?)?;
    let ours = || {
        black_box(standard.issue(&mut rng).is_ok());
    };
    Ok(Row {
        id: "P1",
        what: "issue Ed25519, limit: sign + 10 hashes",
        outcome: contest::hold(rounds, ours, || limit.run()),
        target: Target::AtLeast(0.6),
        last_target: Target::AtLeast(0.9),
    })
}

/// P2: against the crate `sd-jwt-payload` with `ring`, the fastest pairing among the peers measured so far. The crate
/// leaves signing to its user.
pub(super) fn peer(rounds: u32) -> anyhow::Result<Row> {
    let standard = Standard::new()?;
    let mut rng = StdRng::seed_from_u64(1);
    let peer = Peer {
        pair: Ed25519KeyPair::from_seed_unchecked(&[1; 32]).map_err(|_| anyhow::anyhow!("no key"))?,
        kid: standard.kid.clone(),
        claims: peer_claims(&standard),
    };
    let names: Vec<String> = standard.subject().keys().map(|name| format!("/{name}")).collect();
    let ours = || {
        black_box(standard.issue(&mut rng).is_ok());
    };
    peer.issue(&names)?;
    let theirs = || {
        black_box(peer.issue(&names).is_ok());
    };
    Ok(Row {
        id: "P2",
        what: "issue Ed25519, peer: sd-jwt-payload + ring",
        outcome: contest::hold(rounds, ours, theirs),
        target: Target::AtLeast(3.0),
        last_target: Target::AtLeast(3.0),
    })
}

/// The same claims as the standard credential's, registered ones included.
fn peer_claims(standard: &Standard) -> Value {
    let mut claims = standard.subject().clone();
    let registered = json!({
        "iss": standard.issuer_url,
        "vct": VCT,
        "iat": ISSUED,
        "exp": EXPIRES,
        "cnf": {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": base64url::encode(&[9; 32])}},
        "status": {"status_list": standard.status},
    });
    claims.extend(registered.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
    Value::Object(claims)
}

struct Peer {
    pair: Ed25519KeyPair,
    kid: String,
    claims: Value,
}

impl Peer {
    fn issue(&self, names: &[String]) -> anyhow::Result<String> {
        let mut builder =
            SdJwtBuilder::new(self.claims.clone())?.header("typ", "dc+sd-jwt").header("kid", self.kid.as_str());
        for name in names {
            builder = builder.make_concealable(name)?;
        }
        Ok(at_once(builder.finish(self, "EdDSA"))?.presentation())
    }
}

/// Written out, since the trait is an `async_trait`.
impl JwsSigner for Peer {
    type Error = serde_json::Error;

    fn sign<'a, 'b, 'c, 'f>(
        &'a self,
        header: &'b JsonObject,
        payload: &'c JsonObject,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, serde_json::Error>> + Send + 'f>>
    where
        'a: 'f,
        'b: 'f,
        'c: 'f,
    {
        let signed = || {
            let mut jwt = base64url::encode(&serde_json::to_vec(header)?);
            jwt.push('.');
            base64url::encode_into(&serde_json::to_vec(payload)?, &mut jwt);
            let signature = self.pair.sign(jwt.as_bytes());
            jwt.push('.');
            base64url::encode_into(signature.as_ref(), &mut jwt);
            Ok(jwt.into_bytes())
        };
        Box::pin(std::future::ready(signed()))
    }
}

/// The value of a future that has nothing to wait for.
fn at_once<T>(future: impl Future<Output = sd_jwt_payload::Result<T>>) -> anyhow::Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(value?),
        Poll::Pending => anyhow::bail!("the peer waits for something"),
    }
}
