//! Transactions: parsed, typed, and bound to the exact bytes that travelled.

use std::sync::Arc;

use ledger::split_view::SplitEvidence;
use ledger::{Hash, sha256};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::accreditation::Role;
use super::anchor::Anchor;
use super::create::Create;
use super::delegation::DutyHolder;
use super::keys::KeyEntry;
use super::recovery::RecoveryAct;
use super::services::{Label, ServiceEntry};
use super::tally::Tally;
use super::voting::{OnProposal, Propose};
use super::{LIMITS, MAX_TRANSACTION_BYTES, Refused};
use crate::crypto::{Alg, PublicKey, Signature, Signed};
use crate::did::method::xinfu;
use crate::did::{Did, DidUrl};
use crate::encoding::json;
use crate::jose::{Jwk, UnverifiedJws, typ};

/// A transaction, parsed. Its signature may or may not have been checked yet: [`super::apply`] sees to it. Cheap to
/// clone.
#[derive(Debug, Clone)]
pub struct Transaction {
    content: Arc<Content>,
    verified_with: Option<Arc<PublicKey>>,
}

/// What its text says.
#[derive(Debug)]
struct Content {
    jws: String,
    /// Bytes of the signing input, at the beginning of the text.
    signed: usize,
    alg: Alg,
    signature: Signature,
    digest: Hash,
    key_url: String,
    sender: Did,
    key_id: String,
    envelope: Envelope,
    operation: Operation,
}

/// What every transaction says inside its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Origin of the ledger it is for.
    pub aud: String,
    /// Number under its key, counted from 1.
    pub seq: u64,
    /// Unix seconds from which it is no longer accepted.
    pub exp: i64,
}

/// What a transaction does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Changes the sender's own DID document.
    Update(Update),
    /// Ends the sender's own DID.
    Deactivate,
    /// Reports a key of the sender's own as stolen.
    Compromise(Compromise),
    /// Carries an operation of another DID.
    Relay(Relayed),
    /// Anchors a batch of digests.
    Anchor(Anchor),
    /// Accredits a member.
    Accredit(Accredit),
    /// Ends an accreditation.
    EndAccreditation(EndAccreditation),
    /// Gives one of the sender's duties to whoever holds a key.
    Delegate(Box<Delegate>),
    /// Takes a duty back.
    EndDelegation(EndDelegation),
    /// Registers the digest of a credential type's metadata.
    Schema(Schema),
    /// Proposes a change of members or validators.
    Propose(Propose),
    /// Approves a proposal.
    Approve(OnProposal),
    /// Takes back an approval, or one's own proposal.
    Withdraw(OnProposal),
    /// Shows that validators have signed two histories.
    Evidence(SplitEvidence),
    /// Says how many answers the sender accepted in a day.
    Tally(Tally),
}

/// What rides inside a `relay`, signed by the DID it is about.
#[derive(Debug, Clone)]
pub enum Relayed {
    /// The creation of a DID.
    Create(Box<Create>),
    /// A DID's own `update`, `deactivate` or `compromise`.
    Change(Box<Transaction>),
    /// What a DID's recovery key says.
    Recovery(Box<RecoveryAct>),
}

impl PartialEq for Relayed {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Relayed {}

/// Members of `update`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// Keys to add.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add_keys: Vec<KeyEntry>,
    /// Ids of keys to remove.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove_keys: Vec<String>,
    /// Services to add.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add_services: Vec<ServiceEntry>,
    /// Ids of services to remove.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove_services: Vec<String>,
    /// Proofs of possession of authentication keys, made by [`super::make_key_proof`]: registers their
    /// thumbprints.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prove_keys: Vec<String>,
}

/// Members of `compromise`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compromise {
    /// Id of the key, current or ended.
    pub key: String,
}

/// Members of `accredit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accredit {
    /// The member to accredit.
    pub subject: Did,
    /// To do what.
    pub role: Role,
    /// For which credential types.
    pub types: Vec<String>,
    /// Verifier only: which claims may be asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Vec<String>>,
    /// For which purposes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purposes: Vec<String>,
    /// Unix seconds from which it holds.
    pub from: i64,
    /// Unix seconds from which it no longer holds.
    pub until: i64,
    /// Whether the subject may give it on.
    #[serde(default)]
    pub delegable: bool,
}

/// Members of `end-accreditation`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndAccreditation {
    /// Whose.
    pub subject: Did,
    /// Which: the log index of the transaction that gave it.
    pub accreditation: u64,
}

/// Members of `delegate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delegate {
    /// The duty number.
    pub duty: String,
    /// Whose hand the key is in.
    pub holder: DutyHolder,
    /// What the duty is called.
    pub title: Label,
    /// The duty key.
    pub key: Jwk,
    /// On which side it acts.
    pub role: Role,
    /// For which credential types.
    pub types: Vec<String>,
    /// Verifier only: which claims may be asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Vec<String>>,
    /// Verifier only: for which purposes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purposes: Vec<String>,
    /// Whether each act needs a case.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub case_required: bool,
    /// Unix seconds from which it holds.
    pub from: i64,
    /// Unix seconds from which it no longer holds.
    pub until: i64,
}

/// Members of `end-delegation`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndDelegation {
    /// The duty number.
    pub duty: String,
    /// Which delegation of it: the log index of the transaction that gave it.
    pub delegation: u64,
}

/// Members of `schema`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// The credential type.
    pub vct: String,
    /// SHA-256 of its metadata's exact bytes.
    pub digest: Hash,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RelayMembers {
    jws: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoMembers {}

impl Transaction {
    /// Parses a transaction; needs no state, so any node can do it before ordering.
    ///
    /// # Errors
    /// [`Refused`], each reason with its own code. The signature is not looked at.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        Self::parse_level(text, true)
    }

    /// `outer` is false for what rides inside a relay: relays do not nest.
    fn parse_level(text: &str, outer: bool) -> Result<Self, Refused> {
        if text.len() > MAX_TRANSACTION_BYTES {
            return Err(Refused::TooLarge { got: text.len(), limit: MAX_TRANSACTION_BYTES });
        }
        let jws = UnverifiedJws::parse(text).map_err(|_| Refused::Malformed("jws"))?;
        if jws.header().typ() != Some(typ::TRANSACTION) {
            return Err(Refused::WrongType);
        }
        let (key_url, sender, key_id) = parse_kid(jws.header().kid().ok())?;
        let mut members = payload_members(jws.dangerous_payload())?;
        let envelope = take_envelope(&mut members)?;
        let operation = take_operation(members, outer)?;
        let content = Content {
            jws: text.to_owned(),
            signed: jws.signing_input().len(),
            alg: jws.header().alg(),
            signature: *jws.signature(),
            digest: sha256(jws.signing_input().as_bytes()),
            key_url,
            sender,
            key_id,
            envelope,
            operation,
        };
        Ok(Self { content: Arc::new(content), verified_with: None })
    }

    /// The digest that a text would have as a transaction, whether it is one or not: enough to find out whether the
    /// same one was parsed before.
    #[must_use]
    pub fn digest_of(text: &str) -> Option<Hash> {
        text.rsplit_once('.').map(|(signing_input, _)| sha256(signing_input.as_bytes()))
    }

    /// Checks the signature under the key that the state holds for `kid`, unless it was checked under the very
    /// same key before.
    ///
    /// # Errors
    /// [`Refused::Signature`].
    pub fn authenticate(&mut self, key: &PublicKey) -> Result<(), Refused> {
        if !self.is_authentic_under(key) {
            return Err(Refused::Signature);
        }
        self.remember(key);
        Ok(())
    }

    /// The signature was checked under this key and is good.
    pub(super) fn remember(&mut self, key: &PublicKey) {
        if self.verified_with.as_deref() != Some(key) {
            self.verified_with = Some(Arc::new(key.clone()));
        }
    }

    /// Whether the signature was found good already, under whatever key: then there is nothing to verify ahead.
    #[must_use]
    pub fn is_checked(&self) -> bool {
        self.verified_with.is_some()
    }

    /// Whether the signature was checked under this very key.
    pub(super) fn is_remembered(&self, key: &PublicKey) -> bool {
        self.verified_with.as_deref() == Some(key)
    }

    /// What is to be verified under `key`, for many at once; nothing where the key is for another algorithm, or for one
    /// whose signatures are checked one by one.
    pub(super) fn signed_by<'a>(&'a self, key: &'a PublicKey) -> Option<Signed<'a>> {
        let Content { alg, signature, .. } = &*self.content;
        if *alg == key.alg() { key.signed(self.signing_input(), signature) } else { None }
    }

    fn signing_input(&self) -> &[u8] {
        // The length was taken from this very text.
        self.content.jws.as_bytes().get(..self.content.signed).unwrap_or_default()
    }

    /// Whether the signature holds under `key`. The answer depends on bytes and key alone, so remembering an
    /// earlier one changes nothing but the time it takes.
    pub(super) fn is_authentic_under(&self, key: &PublicKey) -> bool {
        if self.is_remembered(key) {
            return true;
        }
        // Its type was looked at when it was parsed.
        let Content { alg, signature, .. } = &*self.content;
        *alg == key.alg() && key.verify_low_s(self.signing_input(), signature).is_ok()
    }

    /// The exact text that was signed and travels.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.content.jws
    }

    /// Its identity: SHA-256 of the signing input, so a second signature makes no second transaction.
    #[must_use]
    pub fn digest(&self) -> Hash {
        self.content.digest
    }

    /// The signing key's DID URL, as `kid` spells it.
    #[must_use]
    pub fn key_url(&self) -> &str {
        &self.content.key_url
    }

    /// Whose key signed it.
    #[must_use]
    pub fn sender(&self) -> &Did {
        &self.content.sender
    }

    /// Fragment of the signing key's DID URL.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.content.key_id
    }

    /// Ledger, number and expiry.
    #[must_use]
    pub fn envelope(&self) -> &Envelope {
        &self.content.envelope
    }

    /// What it does.
    #[must_use]
    pub fn operation(&self) -> &Operation {
        &self.content.operation
    }
}

fn parse_kid(kid: Option<&str>) -> Result<(String, Did, String), Refused> {
    let kid = kid.ok_or(Refused::KeyName)?;
    // A DID URL has one spelling, so the sequence number can be kept under this very text.
    let url = DidUrl::parse(kid).map_err(|_| Refused::KeyName)?;
    xinfu::parts(url.did()).map_err(|_| Refused::KeyName)?;
    Ok((kid.to_owned(), url.did().clone(), url.fragment().to_owned()))
}

fn payload_members(bytes: &[u8]) -> Result<Map<String, Value>, Refused> {
    json::parse_object(bytes, LIMITS).map_err(|_| Refused::Malformed("payload"))
}

fn take_envelope(members: &mut Map<String, Value>) -> Result<Envelope, Refused> {
    let aud = match members.remove("aud") {
        Some(Value::String(aud)) => aud,
        _ => return Err(Refused::Malformed("aud")),
    };
    let seq = members.remove("seq").and_then(|seq| seq.as_u64()).ok_or(Refused::Malformed("seq"))?;
    let exp = members.remove("exp").and_then(|exp| exp.as_i64()).ok_or(Refused::Malformed("exp"))?;
    Ok(Envelope { aud, seq, exp })
}

fn take_operation(mut members: Map<String, Value>, outer: bool) -> Result<Operation, Refused> {
    let name = match members.remove("op") {
        Some(Value::String(name)) => name,
        _ => return Err(Refused::Malformed("op")),
    };
    match name.as_str() {
        "update" => Ok(Operation::Update(typed(members)?)),
        "deactivate" => typed::<NoMembers>(members).map(|NoMembers {}| Operation::Deactivate),
        "compromise" => Ok(Operation::Compromise(typed(members)?)),
        "relay" if outer => Ok(Operation::Relay(Relayed::parse(&typed::<RelayMembers>(members)?.jws)?)),
        "anchor" => Ok(Operation::Anchor(typed(members)?)),
        "accredit" => Ok(Operation::Accredit(typed(members)?)),
        "end-accreditation" => Ok(Operation::EndAccreditation(typed(members)?)),
        "delegate" => Ok(Operation::Delegate(typed(members)?)),
        "end-delegation" => Ok(Operation::EndDelegation(typed(members)?)),
        "schema" => Ok(Operation::Schema(typed(members)?)),
        "propose" => Ok(Operation::Propose(typed(members)?)),
        "approve" => Ok(Operation::Approve(typed(members)?)),
        "withdraw" => Ok(Operation::Withdraw(typed(members)?)),
        "evidence" => Ok(Operation::Evidence(typed(members)?)),
        "tally" => Ok(Operation::Tally(Tally::from_members(members)?)),
        _ => Err(if outer { Refused::UnknownOperation } else { Refused::NotRelayable }),
    }
}

fn typed<T: DeserializeOwned>(members: Map<String, Value>) -> Result<T, Refused> {
    serde_json::from_value(Value::Object(members)).map_err(|_| Refused::Malformed("members of the operation"))
}

impl Relayed {
    /// Parses what is to ride inside a relay.
    ///
    /// # Errors
    /// [`Refused`], each reason with its own code.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let jws = UnverifiedJws::parse(text).map_err(|_| Refused::Malformed("relayed jws"))?;
        match jws.header().typ() {
            Some(typ::CREATE) => return Create::parse(text).map(|create| Self::Create(Box::new(create))),
            Some(typ::RECOVERY) => return RecoveryAct::parse(text).map(|act| Self::Recovery(Box::new(act))),
            _ => {}
        }
        let change = Transaction::parse_level(text, false)?;
        match change.operation() {
            Operation::Update(_) | Operation::Deactivate | Operation::Compromise(_) => {
                Ok(Self::Change(Box::new(change)))
            }
            Operation::Relay(_)
            | Operation::Anchor(_)
            | Operation::Accredit(_)
            | Operation::EndAccreditation(_)
            | Operation::Delegate(_)
            | Operation::EndDelegation(_)
            | Operation::Schema(_)
            | Operation::Propose(_)
            | Operation::Approve(_)
            | Operation::Withdraw(_)
            | Operation::Evidence(_)
            | Operation::Tally(_) => Err(Refused::NotRelayable),
        }
    }

    /// The DID that it is about.
    #[must_use]
    pub fn subject(&self) -> &Did {
        match self {
            Self::Create(create) => create.did(),
            Self::Change(change) => change.sender(),
            Self::Recovery(act) => &act.envelope().did,
        }
    }

    /// The exact text that rides inside.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Create(create) => create.as_str(),
            Self::Change(change) => change.as_str(),
            Self::Recovery(act) => act.as_str(),
        }
    }
}

impl Operation {
    /// Name and members, as they stand in the payload beside the envelope.
    pub(super) fn to_members(&self) -> Result<(&'static str, Value), serde_json::Error> {
        Ok(match self {
            Self::Update(update) => ("update", serde_json::to_value(update)?),
            Self::Deactivate => ("deactivate", Value::Object(Map::new())),
            Self::Compromise(report) => ("compromise", serde_json::to_value(report)?),
            Self::Relay(relayed) => ("relay", serde_json::to_value(RelayMembers { jws: relayed.as_str().to_owned() })?),
            Self::Anchor(anchor) => ("anchor", serde_json::to_value(anchor)?),
            Self::Accredit(accredit) => ("accredit", serde_json::to_value(accredit)?),
            Self::EndAccreditation(end) => ("end-accreditation", serde_json::to_value(end)?),
            Self::Delegate(delegate) => ("delegate", serde_json::to_value(delegate)?),
            Self::EndDelegation(end) => ("end-delegation", serde_json::to_value(end)?),
            Self::Schema(schema) => ("schema", serde_json::to_value(schema)?),
            Self::Propose(propose) => ("propose", serde_json::to_value(propose)?),
            Self::Approve(on) => ("approve", serde_json::to_value(on)?),
            Self::Withdraw(on) => ("withdraw", serde_json::to_value(on)?),
            Self::Evidence(evidence) => ("evidence", serde_json::to_value(evidence)?),
            Self::Tally(tally) => ("tally", serde_json::to_value(tally)?),
        })
    }
}
