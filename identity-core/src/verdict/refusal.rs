//! Why a presentation is not accepted.

use ledger::state_proof::StateProofError;
use thiserror::Error;

use super::StatusDoubt;
use crate::anchor::AnchorError;
use crate::dcql::{AnswerError, OutlineError};
use crate::did::DidError;
use crate::duty::DutyError;
use crate::kb_jwt::KbJwtError;
use crate::ledger_problem::LedgerProblem as _;
use crate::problem::Code;
use crate::sd_jwt::SdJwtError;
use crate::sd_jwt_vc::{CredentialError, TypeError};
use crate::status::StatusError;
use crate::trust::TrustError;

/// Whose fault it is: who has to do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The holder, or the holder's wallet.
    Holder,
    /// The issuer: revoked, not accredited, malformed at its source.
    Issuer,
    /// The one who asks: not accredited for the question.
    Asker,
    /// Us: evidence is missing or stale, or what the ledger serves does not hold.
    Evidence,
}

/// Why a presentation is refused. Carries no claim, no key and no name of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Nothing was presented.
    #[error("nothing was presented")]
    Empty,
    /// Not a well-formed SD-JWT signed by the key that it names.
    #[error("credential: {0}")]
    SdJwt(#[from] SdJwtError),
    /// Not a well-formed, valid credential.
    #[error("credential: {0}")]
    Credential(#[from] CredentialError),
    /// The holder's signature is missing or does not hold.
    #[error("holder binding: {0}")]
    Holder(#[from] KbJwtError),
    /// Something was presented that nobody asked for, a query is not answered, or by too many presentations.
    #[error("answer: {0}")]
    Outline(#[from] OutlineError),
    /// What was presented does not answer the question.
    #[error("answer: {0}")]
    Answer(#[from] AnswerError),
    /// The credential names its key in another way than as a key of a ledger DID.
    #[error("issuer key: {0}")]
    IssuerName(#[from] DidError),
    /// The ledger proves that there is no such issuer.
    #[error("the issuer is not on the ledger")]
    IssuerUnknown,
    /// The credential's `iss` was not registered by the DID of its key.
    #[error("the issuer's address does not belong to the issuer's DID")]
    IssuerAddress,
    /// The key was never the issuer's for credentials, or not yet when the credential was anchored.
    #[error("the key was not the issuer's when it was used")]
    IssuerKey,
    /// There is no anchor proof, and the key is no longer the issuer's.
    #[error("the key is no longer the issuer's, and nothing shows that it was when the credential was made")]
    IssuerKeyReplaced,
    /// The issuer no longer had the key when the credential was anchored.
    #[error("the key was no longer the issuer's when the credential was anchored")]
    IssuerKeyEnded,
    /// The key had been reported as stolen, and nothing shows that the credential is older.
    #[error("the issuer reported the key as stolen, and nothing shows that the credential is older")]
    IssuerKeyCompromised,
    /// The issuer's DID had been deactivated, and nothing shows that the credential is older.
    #[error("the issuer's DID is deactivated, and nothing shows that the credential is older")]
    IssuerDeactivated,
    /// The issuer was not accredited for this type of credential.
    #[error("the issuer was not accredited for this type of credential")]
    IssuerNotAccredited,
    /// A type of credential that this verifier does not understand.
    #[error("the type of credential is not accepted")]
    TypeNotAccepted,
    /// The type is not registered on the ledger, or with other content than the verifier has.
    #[error("the type of credential is not registered with this content")]
    TypeNotRegistered,
    /// The credential breaks the rules of its type.
    #[error("type of credential: {0}")]
    Type(#[from] TypeError),
    /// Policy demands an anchor proof and none came.
    #[error("the anchor proof is missing")]
    AnchorMissing,
    /// Not one anchor proof for each presentation.
    #[error("anchor proofs and presentations differ in number")]
    AnchorCount,
    /// The anchor proof does not hold.
    #[error("anchor proof: {0}")]
    Anchor(AnchorError),
    /// Someone else than the issuer anchored the credential.
    #[error("the credential was anchored by someone else than its issuer")]
    AnchorSender,
    /// The credential was not on the ledger yet at the moment that is asked about, whatever date it claims.
    #[error("the credential was anchored only after the moment that is asked about")]
    AnchoredLater,
    /// The issuer revoked the credential.
    #[error("the credential is revoked")]
    Revoked,
    /// The issuer suspended the credential.
    #[error("the credential is suspended")]
    Suspended,
    /// The status has a value that only the issuer knows: not valid, whatever it means.
    #[error("the credential's status has a meaning of the issuer's own")]
    StatusForeign,
    /// The credential's index is not in its list.
    #[error("{0}")]
    StatusIndex(StatusError),
    /// The status is undetermined, and policy does not accept that. Not the same as revoked.
    #[error("the credential's status is undetermined: {0}")]
    StatusUndetermined(StatusDoubt),
    /// The ledger does not say that the asker is who the client identifier names.
    #[error("the asker is not the one that its client identifier names")]
    AskerUnknown,
    /// The asker is not accredited to ask for this type of credential.
    #[error("the asker is not accredited for this type of credential")]
    AskerType,
    /// The asker is accredited for the type, but not for all the claims it asked for.
    #[error("the asker is not accredited for all the claims it asked for")]
    AskerClaims,
    /// The asker is accredited, but not for this purpose.
    #[error("the asker is not accredited for this purpose")]
    AskerPurpose,
    /// No official answers for the question, or none who may.
    #[error("duty: {0}")]
    Duty(#[from] DutyError),
    /// Evidence is missing, stale or does not hold.
    #[error("evidence: {0}")]
    Evidence(#[from] EvidenceError),
}

/// Why evidence cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EvidenceError {
    /// Needed and not there.
    #[error("missing")]
    Missing,
    /// Older than policy allows.
    #[error("stale")]
    Stale,
    /// Dated in the future beyond what clocks may differ.
    #[error("from the future")]
    FromTheFuture,
    /// Made before the credential was anchored, so it cannot know what held then.
    #[error("older than the anchor")]
    OlderThanAnchor,
    /// Made before the moment that is asked about, so it cannot know what held then.
    #[error("older than the moment that is asked about")]
    OlderThanMoment,
    /// The ledger proves that there is nothing under this key.
    #[error("proven absent")]
    Absent,
    /// A state proof does not hold.
    #[error(transparent)]
    Proof(#[from] StateProofError),
    /// The state proof's checkpoint is certified, and so is another one of the same size with another root.
    #[error("the ledger has certified two histories")]
    SplitView,
    /// A state proof about something that no check asks for.
    #[error("state proof of an unexpected key")]
    Unexpected,
    /// The proven value is no history.
    #[error("{0}")]
    Trust(TrustError),
}

impl EvidenceError {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::Missing => Code::VerdictEvidenceMissing,
            Self::Stale => Code::VerdictEvidenceStale,
            Self::FromTheFuture => Code::VerdictEvidenceFromTheFuture,
            Self::OlderThanAnchor => Code::VerdictEvidenceOlderThanAnchor,
            Self::OlderThanMoment => Code::VerdictEvidenceOlderThanMoment,
            Self::Absent => Code::RegistryEvidenceAbsent,
            Self::Proof(error) => error.code(),
            Self::SplitView => Code::LedgerCheckpointSplitView,
            Self::Unexpected => Code::RegistryEvidenceOtherKey,
            Self::Trust(error) => error.code(),
        }
    }
}

impl Refusal {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Empty => Code::VpResponseUnanswered,
            Self::SdJwt(error) => error.code(),
            Self::Credential(error) => error.code(),
            Self::Holder(error) => error.code(),
            Self::Outline(error) => error.code(),
            Self::Answer(error) => error.code(),
            Self::IssuerName(error) => error.code(),
            Self::IssuerUnknown => Code::VerdictIssuerUnknown,
            Self::IssuerAddress => Code::VerdictIssuerAddress,
            Self::IssuerKey => Code::VerdictIssuerKey,
            Self::IssuerKeyReplaced => Code::VerdictIssuerKeyReplaced,
            Self::IssuerKeyEnded => Code::VerdictIssuerKeyEnded,
            Self::IssuerKeyCompromised => Code::VerdictIssuerKeyCompromised,
            Self::IssuerDeactivated => Code::VerdictIssuerDeactivated,
            Self::IssuerNotAccredited => Code::VerdictIssuerNotAccredited,
            Self::TypeNotAccepted => Code::VerdictTypeNotAccepted,
            Self::TypeNotRegistered => Code::VerdictTypeNotRegistered,
            Self::Type(error) => error.code(),
            Self::AnchorMissing => Code::VerdictAnchorMissing,
            Self::AnchorCount => Code::VerdictAnchorCount,
            Self::Anchor(error) => error.code(),
            Self::AnchorSender => Code::VerdictAnchorSender,
            Self::AnchoredLater => Code::VerdictAnchorLater,
            Self::Revoked => Code::CredentialStatusRevoked,
            Self::Suspended => Code::CredentialStatusSuspended,
            Self::StatusForeign => Code::CredentialStatusApplicationSpecific,
            Self::StatusIndex(error) => error.code(),
            Self::StatusUndetermined(_) => Code::CredentialStatusUndetermined,
            Self::AskerUnknown => Code::VerdictAskerUnknown,
            Self::AskerType => Code::VerdictAskerType,
            Self::AskerClaims => Code::VerdictAskerClaims,
            Self::AskerPurpose => Code::VerdictAskerPurpose,
            Self::Duty(error) => error.code(),
            Self::Evidence(error) => error.code(),
        }
    }

    /// Whose fault it is.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Empty
            | Self::SdJwt(_)
            | Self::Holder(_)
            | Self::Outline(_)
            | Self::Answer(_)
            | Self::AnchorMissing
            | Self::AnchorCount
            | Self::Anchor(_)
            | Self::TypeNotAccepted => Fault::Holder,
            Self::Credential(_)
            | Self::IssuerName(_)
            | Self::IssuerUnknown
            | Self::IssuerAddress
            | Self::IssuerKey
            | Self::IssuerKeyReplaced
            | Self::IssuerKeyEnded
            | Self::IssuerKeyCompromised
            | Self::IssuerDeactivated
            | Self::IssuerNotAccredited
            | Self::TypeNotRegistered
            | Self::Type(_)
            | Self::AnchorSender
            | Self::AnchoredLater
            | Self::Revoked
            | Self::Suspended
            | Self::StatusForeign
            | Self::StatusIndex(_) => Fault::Issuer,
            Self::AskerUnknown | Self::AskerType | Self::AskerClaims | Self::AskerPurpose | Self::Duty(_) => {
                Fault::Asker
            }
            Self::StatusUndetermined(_) | Self::Evidence(_) => Fault::Evidence,
        }
    }

    /// Whether newer evidence might lift it: something was not yet on the ledger when the evidence was fetched, and may
    /// be by now. What the presentation itself says, and what only gets worse with time, stays.
    #[must_use]
    pub const fn may_be_lifted(&self) -> bool {
        match self {
            Self::IssuerUnknown
            | Self::IssuerAddress
            | Self::IssuerKey
            | Self::IssuerNotAccredited
            | Self::TypeNotRegistered
            | Self::AskerUnknown
            | Self::AskerType
            | Self::AskerClaims
            | Self::AskerPurpose
            | Self::Duty(
                DutyError::Unknown
                | DutyError::NotYet
                | DutyError::Ended
                | DutyError::Type
                | DutyError::Claims
                | DutyError::Purpose
                | DutyError::CaseMissing,
            )
            | Self::Evidence(_) => true,
            Self::Empty
            | Self::SdJwt(_)
            | Self::Credential(_)
            | Self::Holder(_)
            | Self::Outline(_)
            | Self::Answer(_)
            | Self::IssuerName(_)
            | Self::IssuerKeyReplaced
            | Self::IssuerKeyEnded
            | Self::IssuerKeyCompromised
            | Self::IssuerDeactivated
            | Self::TypeNotAccepted
            | Self::Type(_)
            | Self::AnchorMissing
            | Self::AnchorCount
            | Self::Anchor(_)
            | Self::AnchorSender
            | Self::AnchoredLater
            | Self::Revoked
            | Self::Suspended
            | Self::StatusForeign
            | Self::StatusIndex(_)
            | Self::Duty(_)
            | Self::StatusUndetermined(_) => false,
        }
    }

    /// How much it says, where several credentials of one presentation are refused: the highest is reported. A
    /// forgery says more than a lapse, a lapse more than missing evidence.
    #[must_use]
    pub const fn rank(&self) -> u8 {
        match self {
            Self::Evidence(_) => 0,
            Self::StatusUndetermined(_) => 1,
            Self::Empty
            | Self::Outline(_)
            | Self::Answer(_)
            | Self::AnchorMissing
            | Self::AnchorCount
            | Self::TypeNotAccepted => 2,
            Self::AskerUnknown | Self::AskerType | Self::AskerClaims | Self::AskerPurpose | Self::Duty(_) => 3,
            Self::TypeNotRegistered
            | Self::Type(_)
            | Self::StatusForeign
            | Self::StatusIndex(_)
            | Self::Credential(_) => 4,
            Self::Suspended | Self::Revoked => 5,
            Self::IssuerUnknown | Self::IssuerNotAccredited | Self::IssuerKeyReplaced | Self::IssuerDeactivated => 6,
            Self::IssuerName(_)
            | Self::IssuerAddress
            | Self::IssuerKey
            | Self::IssuerKeyEnded
            | Self::IssuerKeyCompromised
            | Self::Anchor(_)
            | Self::AnchorSender
            | Self::AnchoredLater
            | Self::Holder(_)
            | Self::SdJwt(_) => 7,
        }
    }
}
