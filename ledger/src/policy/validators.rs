//! The policy that a set of validators makes, in its one rendering: its SHA-256 stands in every seal.

use std::collections::HashSet;
use std::fmt::Write;

use crate::ed25519::PublicKey;
use crate::note::{KeyError, SignatureKind, VerifierKey};

/// The most validators of one set. Their quorum of 15 and one log signature fill a note's 16 signatures.
pub const MAX_VALIDATORS: usize = 21;

/// Name of the group that is the quorum; no validator may have it.
const GROUP: &str = "validators";

/// A member's keys for certifying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validator {
    /// The member's short name: `[a-z0-9-]`, 1 to 32 characters.
    pub name: String,
    /// Signs checkpoints as the log: type `0x01`, its name is the origin.
    pub log: VerifierKey,
    /// Cosigns checkpoints: type `0x04`, its name is `<origin>/<member's name>`.
    pub witness: VerifierKey,
}

impl Validator {
    /// A member's keys under the names that they have in notes: the log key's is the origin, the witness key's is
    /// `<origin>/<member's name>`.
    ///
    /// # Errors
    /// [`KeyError::Name`] if these are no key names.
    pub fn new(origin: &str, name: &str, log: PublicKey, witness: PublicKey) -> Result<Self, KeyError> {
        Ok(Self {
            name: name.to_owned(),
            log: VerifierKey::new(origin, SignatureKind::Ed25519, log)?,
            witness: VerifierKey::new(&witness_name(origin, name), SignatureKind::CosignatureV1, witness)?,
        })
    }
}

/// The validators of one epoch, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidatorSet {
    validators: Vec<Validator>,
}

impl ValidatorSet {
    /// Puts validators in their order.
    ///
    /// # Errors
    /// [`ValidatorSetError`] if their number, a name or a key does not fit the rules of [`Validator`], or if two share
    /// a name or a key, or two keys of one name a key id.
    pub fn new(origin: &str, mut validators: Vec<Validator>) -> Result<Self, ValidatorSetError> {
        if validators.is_empty() || validators.len() > MAX_VALIDATORS {
            return Err(ValidatorSetError::Count);
        }
        validators.sort_by(|a, b| a.name.cmp(&b.name));
        let (mut names, mut keys, mut ids) = (HashSet::new(), HashSet::new(), HashSet::new());
        for validator in &validators {
            if !is_name(&validator.name) {
                return Err(ValidatorSetError::Name);
            }
            if !names.insert(&validator.name) {
                return Err(ValidatorSetError::NameTwice);
            }
            let kinds = (validator.log.kind(), validator.witness.kind());
            if kinds != (SignatureKind::Ed25519, SignatureKind::CosignatureV1) {
                return Err(ValidatorSetError::KeyKind);
            }
            if validator.log.name() != origin || validator.witness.name() != witness_name(origin, &validator.name) {
                return Err(ValidatorSetError::KeyName);
            }
            for key in [&validator.log, &validator.witness] {
                if !keys.insert(key.public_key().as_bytes()) {
                    return Err(ValidatorSetError::KeyTwice);
                }
                // Four bytes that anybody can hit: a line by one of two such keys would claim to be by the other, too.
                if !ids.insert((key.name(), key.id())) {
                    return Err(ValidatorSetError::KeyIdTwice);
                }
            }
        }
        Ok(Self { validators })
    }

    /// The validators, sorted by name.
    #[must_use]
    pub fn validators(&self) -> &[Validator] {
        &self.validators
    }

    /// How many of them must cosign: [`quorum_of`] their number.
    #[must_use]
    pub fn quorum(&self) -> usize {
        quorum_of(self.validators.len())
    }

    /// The policy file, byte for byte.
    #[must_use]
    pub fn to_policy_text(&self) -> String {
        let mut text = String::new();
        for Validator { name, log, witness } in &self.validators {
            // Writing to a string cannot fail.
            let _ = write!(text, "log {log}\nwitness {name} {witness}\n");
        }
        let names: Vec<&str> = self.validators.iter().map(|validator| validator.name.as_str()).collect();
        let _ = write!(text, "group {GROUP} {} {}\nquorum {GROUP}\n", self.quorum(), names.join(" "));
        text
    }
}

/// More than two thirds of `n` validators: any two quorums share one that is honest while fewer than a third are not.
#[must_use]
pub const fn quorum_of(n: usize) -> usize {
    2 * n / 3 + 1
}

/// How many of `n` validators may be dishonest without harm: fewer than a third.
#[must_use]
pub const fn tolerated_of(n: usize) -> usize {
    n.saturating_sub(1) / 3
}

fn witness_name(origin: &str, name: &str) -> String {
    format!("{origin}/{name}")
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&name.len()) && name.bytes().all(allowed) && name != GROUP && name != "none"
}

/// Why validators make no set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValidatorSetError {
    /// None, or more than [`MAX_VALIDATORS`].
    #[error("a set has 1 to {MAX_VALIDATORS} validators")]
    Count,
    /// A name is not `[a-z0-9-]{1,32}`, or is `validators` or `none`.
    #[error("a validator's name is not allowed")]
    Name,
    /// Two validators have one name.
    #[error("two validators have the same name")]
    NameTwice,
    /// A log key is not of type `0x01` or a witness key not of type `0x04`.
    #[error("a validator's key has the wrong signature type")]
    KeyKind,
    /// The name of a log key is not the origin, or that of a witness key is not `<origin>/<member's name>`.
    #[error("a validator's key does not have the name it must have")]
    KeyName,
    /// One public key stands in two places.
    #[error("one public key stands in two places")]
    KeyTwice,
    /// Two keys of one name have the same key id, so that signatures do not tell them apart.
    #[error("two keys of one name have the same key id")]
    KeyIdTwice,
}
