//! What a service says it did upon a withdrawal: what it deleted, and what the law makes it keep.

use ledger::Hash;
use serde::{Deserialize, Serialize};

use super::{AcknowledgementError, LEEWAY, VerifiedWithdrawal};
use crate::crypto::{Signer, SigningFailed};
use crate::did::{Did, DidUrl, Document};
use crate::duty::is_basis;
use crate::jose::typ;
use crate::receipt::statement::{Stated, UnverifiedStatement};
use crate::receipt::{ChainHead, is_place};
use crate::registry::DidHistory;
use crate::time::UnixSeconds;

/// The largest acknowledgement read or made, in bytes: a basis in the longest words for each kind of record.
pub const MAX_ACKNOWLEDGEMENT_BYTES: usize = 24 * 1024;

/// The kinds of records that a service has of a sharing. The order is that of acknowledgements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The values of the disclosed claims, as they were read.
    Claims,
    /// The presentation as it travelled.
    Presentation,
    /// The holder's signatures over the answer.
    KeyBindings,
    /// The proofs that the credentials are anchored.
    AnchorProofs,
    /// What the holder's keys are recognised by.
    HolderKeys,
    /// The question. It names nobody.
    Request,
    /// How the answer was judged, without a value.
    Verdict,
    /// The receipt, by which the service answers for what it did.
    Receipt,
}

impl Kind {
    /// All kinds, in their order.
    pub const ALL: [Self; 8] = [
        Self::Claims,
        Self::Presentation,
        Self::KeyBindings,
        Self::AnchorProofs,
        Self::HolderKeys,
        Self::Request,
        Self::Verdict,
        Self::Receipt,
    ];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Claims => "claims",
            Self::Presentation => "presentation",
            Self::KeyBindings => "key_bindings",
            Self::AnchorProofs => "anchor_proofs",
            Self::HolderKeys => "holder_keys",
            Self::Request => "request",
            Self::Verdict => "verdict",
            Self::Receipt => "receipt",
        }
    }
}

/// A kind of record that stays, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// What.
    pub what: Kind,
    /// The legal basis, in the words of the law.
    pub basis: String,
    /// When it is deleted; absent if it never is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<UnixSeconds>,
}

/// What a service says it did (`xinfu-withdrawal-ack+jwt`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// The service.
    pub iss: Did,
    /// When it was done.
    pub iat: UnixSeconds,
    /// Digest of the withdrawal.
    pub withdrawal: Hash,
    /// Digest of the receipt of the sharing.
    pub receipt: Hash,
    /// What was deleted, each kind once and in their order.
    pub deleted: Vec<Kind>,
    /// What stays, likewise.
    pub kept: Vec<Kept>,
    /// Whether values had been handed to the department's own systems before: those are told of the withdrawal, and what
    /// they do is not for this statement to say.
    pub passed_on: bool,
    /// Its place in the chain of receipts.
    pub seq: u64,
    /// Digest of the entry before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Hash>,
}

/// A withdrawal that was carried out, before its acknowledgement has its place in the chain.
#[derive(Debug, Clone)]
pub struct Answered<'a> {
    /// The service.
    pub service: &'a Did,
    /// The withdrawal.
    pub withdrawal: &'a VerifiedWithdrawal,
    /// What is deleted, in any order.
    pub deleted: Vec<Kind>,
    /// What stays, in any order.
    pub kept: Vec<Kept>,
    /// Whether values had been handed on before.
    pub passed_on: bool,
    /// When.
    pub at: UnixSeconds,
}

impl Acknowledgement {
    /// The acknowledgement that follows `head`.
    #[must_use]
    pub fn following(head: ChainHead, answered: Answered<'_>) -> Self {
        let Answered { service, withdrawal, mut deleted, mut kept, passed_on, at } = answered;
        deleted.sort();
        kept.sort_by_key(|kept| kept.what);
        Self {
            iss: service.clone(),
            iat: at,
            withdrawal: withdrawal.digest(),
            receipt: withdrawal.withdrawal().receipt,
            deleted,
            kept,
            passed_on,
            seq: head.seq.saturating_add(1),
            previous: head.digest,
        }
    }

    /// Signs it with the service's authentication key. The text is what travels, and whose digest counts.
    ///
    /// # Errors
    /// [`SigningFailed`].
    pub fn sign(&self, key_name: &DidUrl, key: &dyn Signer) -> Result<String, SigningFailed> {
        self.sign_as(key_name, key)
    }
}

impl Stated for Acknowledgement {
    const TYP: &'static str = typ::WITHDRAWAL_ACK;
    const MAX_BYTES: usize = MAX_ACKNOWLEDGEMENT_BYTES;

    fn service(&self) -> &Did {
        &self.iss
    }

    /// The receipt is never deleted, for the chain could not be read without it: who says otherwise says what cannot be.
    fn is_sound(&self) -> bool {
        let stays: Vec<Kind> = self.kept.iter().map(|kept| kept.what).collect();
        is_ascending(&self.deleted)
            && is_ascending(&stays)
            && stays.contains(&Kind::Receipt)
            && !self.deleted.iter().any(|kind| stays.contains(kind))
            && self.kept.iter().all(|kept| is_basis(&kept.basis) && kept.until.is_none_or(|until| until >= self.iat))
            && self.seq > 1
            && is_place(self.seq, self.previous)
    }
}

fn is_ascending(kinds: &[Kind]) -> bool {
    kinds.is_sorted_by(|one, next| one < next)
}

/// A withdrawal from the holder's side.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'a> {
    /// Whom it went to.
    pub service: &'a Did,
    /// Digest of the withdrawal.
    pub withdrawal: Hash,
    /// Digest of the receipt.
    pub receipt: Hash,
    /// The receipt's place in the service's chain.
    pub receipt_seq: u64,
    /// When the withdrawal was signed.
    pub signed: UnixSeconds,
}

/// An acknowledgement as it travelled; only its form was looked at.
#[derive(Debug, Clone)]
pub struct UnverifiedAcknowledgement<'a>(UnverifiedStatement<'a, Acknowledgement>);

impl<'a> UnverifiedAcknowledgement<'a> {
    /// Parses an acknowledgement.
    ///
    /// # Errors
    /// [`AcknowledgementError::Malformed`].
    pub fn parse(text: &'a str) -> Result<Self, AcknowledgementError> {
        Ok(Self(UnverifiedStatement::parse(text)?))
    }

    /// The service that it claims to be by.
    #[must_use]
    pub fn service(&self) -> &Did {
        &self.dangerous_claims().iss
    }

    /// What it claims to say: for finding what it is about, and for nothing that rests on it.
    #[must_use]
    pub fn dangerous_claims(&self) -> &Acknowledgement {
        self.0.dangerous_claims()
    }

    pub(crate) fn into_dangerous_claims(self) -> Acknowledgement {
        self.0.into_dangerous_claims()
    }

    pub(crate) fn is_by_any_key_of(&self, history: &DidHistory) -> bool {
        self.0.is_by_any_key_of(history)
    }

    /// Verifies the signature by a key of the service's DID document, as of whenever the caller resolved it.
    ///
    /// # Errors
    /// [`AcknowledgementError::Key`], [`AcknowledgementError::Signature`].
    pub fn verify(self, document: &Document) -> Result<VerifiedAcknowledgement, AcknowledgementError> {
        Ok(VerifiedAcknowledgement { acknowledgement: self.0.verify(document)? })
    }
}

/// An acknowledgement that the service really signed. Made in one function only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedAcknowledgement {
    acknowledgement: Acknowledgement,
}

impl VerifiedAcknowledgement {
    /// What it says.
    #[must_use]
    pub fn acknowledgement(&self) -> &Acknowledgement {
        &self.acknowledgement
    }

    /// That it is over this very withdrawal.
    ///
    /// # Errors
    /// [`AcknowledgementError`], by the first thing that differs.
    pub fn check(&self, sent: &Sent<'_>, now: UnixSeconds) -> Result<(), AcknowledgementError> {
        let said = &self.acknowledgement;
        if said.iss != *sent.service {
            return Err(AcknowledgementError::Service);
        }
        if said.withdrawal != sent.withdrawal {
            return Err(AcknowledgementError::OtherWithdrawal);
        }
        if said.receipt != sent.receipt {
            return Err(AcknowledgementError::OtherReceipt);
        }
        if said.seq <= sent.receipt_seq {
            return Err(AcknowledgementError::Place);
        }
        let in_time = said.iat >= sent.signed.plus(-LEEWAY) && said.iat <= now.plus(LEEWAY);
        if in_time { Ok(()) } else { Err(AcknowledgementError::Time) }
    }
}
