//! What the cryptography alone costs, with the fastest library for each operation that we know of.

use std::hint::black_box;

use anyhow::Context as _;
use aws_lc_rs::signature::Ed25519KeyPair;
use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
use sha2::{Digest as _, Sha256};

/// One Ed25519 signature by aws-lc over the signing input, and one SHA-256 per disclosure.
pub(crate) struct IssueLimit {
    pair: Ed25519KeyPair,
    signing_input: Vec<u8>,
    disclosures: Vec<Vec<u8>>,
}

impl IssueLimit {
    /// The limit for a credential such as `issued`.
    pub(crate) fn of(issued: &str) -> anyhow::Result<Self> {
        let (jwt, disclosures) = issued.split_once('~').context("no SD-JWT")?;
        Ok(Self {
            pair: Ed25519KeyPair::from_seed_unchecked(&[1; 32])?,
            signing_input: signed(jwt)?.0,
            disclosures: disclosures.split_terminator('~').map(|text| text.as_bytes().to_vec()).collect(),
        })
    }

    pub(crate) fn run(&self) {
        black_box(self.pair.sign(black_box(&self.signing_input)));
        for disclosure in &self.disclosures {
            hash(disclosure);
        }
    }
}

/// One Ed25519 signature by aws-lc over what a JWS signs.
pub(crate) struct SignatureLimit {
    pair: Ed25519KeyPair,
    signing_input: Vec<u8>,
}

impl SignatureLimit {
    /// The limit for a JWS such as this.
    pub(crate) fn of(jws: &str) -> anyhow::Result<Self> {
        Ok(Self { pair: Ed25519KeyPair::from_seed_unchecked(&[1; 32])?, signing_input: signed(jws)?.0 })
    }

    pub(crate) fn run(&self) {
        black_box(self.pair.sign(black_box(&self.signing_input)));
    }
}

/// Two Ed25519 verifications by dalek with keys at hand, and one SHA-256 per disclosure and for `sd_hash`.
pub(crate) struct VerifyLimit {
    signatures: [(VerifyingKey, Vec<u8>, Signature); 2],
    hashed: Vec<Vec<u8>>,
}

impl VerifyLimit {
    /// The limit for a presentation such as `presented`, by these keys.
    pub(crate) fn of(presented: &str, issuer: &[u8], holder: &[u8]) -> anyhow::Result<Self> {
        let (bound, kb_jwt) = presented.rsplit_once('~').context("no SD-JWT")?;
        let mut parts = bound.split('~');
        let jwt = parts.next().context("no JWT")?;
        let mut hashed: Vec<Vec<u8>> = parts.map(|text| text.as_bytes().to_vec()).collect();
        hashed.push(format!("{bound}~").into_bytes());
        Ok(Self { signatures: [signature(jwt, issuer)?, signature(kb_jwt, holder)?], hashed })
    }

    pub(crate) fn run(&self) {
        for (key, message, signature) in &self.signatures {
            black_box(key.verify(black_box(message), signature).is_ok());
        }
        for text in &self.hashed {
            hash(text);
        }
    }
}

fn hash(bytes: &[u8]) {
    black_box(Sha256::digest(black_box(bytes)));
}

fn signature(jwt: &str, key: &[u8]) -> anyhow::Result<(VerifyingKey, Vec<u8>, Signature)> {
    let (message, signature) = signed(jwt)?;
    let key = VerifyingKey::from_bytes(key.try_into()?)?;
    let signature = Signature::from_slice(&signature)?;
    key.verify(&message, &signature)?;
    Ok((key, message, signature))
}

/// Signing input and signature of a compact JWS.
pub(crate) fn signed(jwt: &str) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let (input, signature) = jwt.rsplit_once('.').context("no JWT")?;
    Ok((input.as_bytes().to_vec(), identity_core::encoding::base64url::decode(signature)?))
}
