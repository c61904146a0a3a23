//! Why a transaction was refused. Every reason has its own code; none carries a value of the transaction.

use ledger::split_view::SplitEvidenceError;

use super::state::StateUnreadable;
use crate::ledger_problem::LedgerProblem as _;
use crate::problem::Code;

/// A transaction that changes nothing, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Longer than [`super::MAX_TRANSACTION_BYTES`].
    #[error("a transaction of {got} bytes; at most {limit} are allowed")]
    TooLarge {
        /// Bytes received.
        got: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not a compact JWS with the members a transaction has.
    #[error("malformed transaction: {0}")]
    Malformed(&'static str),
    /// The JWS header's `typ` is another object's.
    #[error("the header's typ is not that of a transaction")]
    WrongType,
    /// The header's `kid` is not the DID URL of a key.
    #[error("the header's kid does not name a key of a did:xinfu on this chain")]
    KeyName,
    /// `op` is none of the known operations.
    #[error("unknown operation")]
    UnknownOperation,
    /// The signature does not hold under the named key, or an ES256 signature has a high S.
    #[error("the signature does not hold")]
    Signature,
    /// `aud` is another ledger's origin.
    #[error("made for another ledger")]
    OtherLedger,
    /// The block's time is at or past `exp`.
    #[error("expired")]
    Expired,
    /// Not the next number under its key.
    #[error("sequence number {got}; the next one is {expected}")]
    Sequence {
        /// The next number.
        expected: u64,
        /// The transaction's number.
        got: u64,
    },
    /// The sender's DID is not on this ledger.
    #[error("the sender's DID is not on this ledger")]
    SenderUnknown,
    /// The sender, or the DID whose operation is relayed, has been deactivated.
    #[error("the DID is deactivated")]
    Deactivated,
    /// The sender is not a member of the consortium.
    #[error("the sender is not a member")]
    NotMember,
    /// The key named by `kid` is not in the DID's current document.
    #[error("the key is not in the current DID document")]
    KeyUnknown,
    /// The key's use does not allow transactions.
    #[error("the key's use does not allow transactions")]
    KeyRole,
    /// A relay key was used for something other than relaying and notarising.
    #[error("a relay key may only relay and notarise")]
    RelayKeyOnly,
    /// A key is malformed: id, JWK or use.
    #[error("malformed key: {0}")]
    KeyMalformed(&'static str),
    /// A key id that the DID's history already holds, or that stands twice.
    #[error("a key id may be used once")]
    KeyIdTaken,
    /// The same public key under a second id, now or earlier.
    #[error("a public key may stand once in a DID's history")]
    KeyReused,
    /// A proof of possession of a key that is registered by its thumbprint does not hold.
    #[error("the proof of possession of a key does not hold: {0}")]
    KeyProof(&'static str),
    /// The thumbprint of a key is registered by another DID.
    #[error("the key's thumbprint is registered by another DID")]
    ThumbprintTaken,
    /// The key was reported as stolen before.
    #[error("the key was reported before")]
    KeyReported,
    /// An act under a recovery key is malformed.
    #[error("malformed act of a recovery key: {0}")]
    RecoveryMalformed(&'static str),
    /// An act under a recovery key is not signed by the key it names.
    #[error("the act is not signed by the recovery key that it names")]
    RecoverySignature,
    /// The recovery key is not the one that the DID committed to.
    #[error("the recovery key is not the one that the DID committed to")]
    RecoveryKey,
    /// The recovery key was used for an earlier recovery.
    #[error("the recovery key was used for an earlier recovery")]
    RecoveryKeyUsed,
    /// The next commitment is malformed, stood before, or is to a key of the document.
    #[error("the next recovery key must be new and stand nowhere else")]
    RecoveryCommitment,
    /// The change would leave nobody able to change the DID document.
    #[error("the last capabilityInvocation key cannot be removed")]
    LastKey,
    /// More keys or services than [`super::MAX_KEYS`] and its neighbours allow.
    #[error("too many keys or services")]
    TooMany,
    /// The `create` names another chain.
    #[error("the creation names another chain")]
    OtherChain,
    /// The `create` is malformed.
    #[error("malformed creation: {0}")]
    CreateMalformed(&'static str),
    /// The `create` is not signed by one of the keys it names.
    #[error("the creation is not signed by one of its keys")]
    CreateSignature,
    /// The DID exists already.
    #[error("the DID exists already")]
    DidExists,
    /// The DID that is spoken of is not on this ledger.
    #[error("no such DID on this ledger")]
    DidUnknown,
    /// A service is malformed: id, type or URL.
    #[error("malformed service: {0}")]
    ServiceMalformed(&'static str),
    /// A service id that stands already.
    #[error("a service id may stand once")]
    ServiceIdTaken,
    /// The service to remove is not there.
    #[error("no such service")]
    ServiceUnknown,
    /// The URL is registered by another DID.
    #[error("the URL is registered by another DID")]
    UrlTaken,
    /// An update that changes nothing.
    #[error("the update changes nothing")]
    NothingToChange,
    /// A genesis authority cannot deactivate itself: every chain of trust ends in it.
    #[error("a genesis authority cannot be deactivated")]
    Authority,
    /// What is relayed is neither a creation, nor an act of a recovery key, nor a DID's own change.
    #[error("only a creation, an act of a recovery key, or a DID's own change can be relayed")]
    NotRelayable,
    /// The anchor's count or root is out of range.
    #[error("malformed anchor: {0}")]
    AnchorMalformed(&'static str),
    /// The receipts' range does not continue the sender's last one.
    #[error("the receipts start at {got}; the next one is {expected}")]
    ReceiptRange {
        /// The next receipt's number.
        expected: u64,
        /// The transaction's first number.
        got: u64,
    },
    /// The accreditation is malformed.
    #[error("malformed accreditation: {0}")]
    AccreditationMalformed(&'static str),
    /// `from` and `until` are not a period that is still to come or running.
    #[error("the accreditation's period is over, empty or too long")]
    AccreditationPeriod,
    /// The accredited DID is not a member.
    #[error("only a member can be accredited")]
    SubjectNotMember,
    /// The sender is neither a genesis authority nor holds a delegable accreditation.
    #[error("the sender may not accredit")]
    NotEntitled,
    /// The accreditation goes beyond what the sender itself was given.
    #[error("the accreditation goes beyond the sender's own")]
    BeyondOwn,
    /// The chain of delegations would be longer than [`super::MAX_CHAIN`].
    #[error("the chain of accreditations is too long")]
    ChainTooLong,
    /// More than [`super::MAX_GRANTS`], more than [`super::MAX_GRANTS_BYTES`] of them, or more than others than genesis
    /// authorities may give.
    #[error("the member's history has no room for this accreditation")]
    TooManyAccreditations,
    /// More than [`super::MAX_TALLIED_PURPOSES`] in all accreditations as a verifier, or more than others than genesis
    /// authorities may give.
    #[error("the member would be accredited for more purposes than a tally has room for")]
    TooManyPurposes,
    /// There is no such accreditation.
    #[error("no such accreditation")]
    AccreditationUnknown,
    /// The accreditation has ended already.
    #[error("the accreditation has ended already")]
    AccreditationEnded,
    /// The sender may not end this accreditation.
    #[error("the sender may not end this accreditation")]
    EndNotEntitled,
    /// The delegation is malformed.
    #[error("malformed delegation: {0}")]
    DelegationMalformed(&'static str),
    /// `from` and `until` are not a period that is still to come or running.
    #[error("the delegation's period is over, empty or too long")]
    DelegationPeriod,
    /// The duty key is, or was, a key of the department's DID, or its recovery key.
    #[error("a duty key may not be a key of the department's DID")]
    DelegationKey,
    /// More than [`super::MAX_DELEGATIONS`], or more than [`super::MAX_DELEGATIONS_BYTES`] of them.
    #[error("the duty number has had too many delegations")]
    TooManyDelegations,
    /// There is no such delegation.
    #[error("no such delegation")]
    DelegationUnknown,
    /// The delegation has ended already.
    #[error("the delegation has ended already")]
    DelegationEnded,
    /// The schema's type name or digest is malformed.
    #[error("malformed schema: {0}")]
    SchemaMalformed(&'static str),
    /// The sender is neither accredited for this type nor its registrant nor a genesis authority.
    #[error("the sender may not register a schema for this type")]
    SchemaNotEntitled,
    /// More than [`super::MAX_SCHEMA_DIGESTS`], or more than others than genesis authorities may register.
    #[error("the type has had too many schema digests")]
    TooManySchemas,
    /// The member is suspended.
    #[error("the member is suspended until the others readmit it")]
    Suspended,
    /// A proposal is malformed.
    #[error("malformed proposal: {0}")]
    ProposalMalformed(&'static str),
    /// A proposal's end has passed or lies too far ahead.
    #[error("the proposal's end has passed or lies too far ahead")]
    ProposalPeriod,
    /// There is no such proposal.
    #[error("no such proposal")]
    ProposalUnknown,
    /// The proposal was accepted or withdrawn.
    #[error("the proposal was accepted or withdrawn")]
    ProposalClosed,
    /// The proposal has expired.
    #[error("the proposal has expired")]
    ProposalExpired,
    /// More than [`super::MAX_OPEN_PROPOSALS`].
    #[error("the sender has too many open proposals")]
    TooManyProposals,
    /// The rule of genesis gives the sender no vote.
    #[error("the rule of genesis gives the sender no vote")]
    NotAVoter,
    /// The sender approved the proposal before.
    #[error("the sender approved the proposal before")]
    ApprovedBefore,
    /// The sender has no approval to withdraw.
    #[error("the sender has not approved the proposal")]
    NotApproved,
    /// The DID to admit is a member in good standing.
    #[error("the DID is a member in good standing")]
    AlreadyMember,
    /// The DID to expel, or whose validator is named, is not a member.
    #[error("the DID is not a member")]
    MemberUnknown,
    /// Nobody could accredit any more.
    #[error("the last authority cannot be expelled")]
    LastAuthority,
    /// More than [`super::MAX_MEMBERS`].
    #[error("the chain has had too many members")]
    TooManyMembers,
    /// A validator's name, keys or address are malformed, or it has a peer where others have none.
    #[error("the validator's name, keys or address are malformed")]
    ValidatorMalformed,
    /// The name is another member's validator's, now or earlier.
    #[error("the validator's name is another member's")]
    ValidatorNameTaken,
    /// A key of the validator is in use or was used before.
    #[error("a key of the validator is in use or was used before")]
    ValidatorKeyUsed,
    /// The member has no validator that could be taken out.
    #[error("the member has no validator")]
    ValidatorUnknown,
    /// Nobody could certify any more.
    #[error("the last validator cannot leave")]
    LastValidator,
    /// More than [`ledger::policy::MAX_VALIDATORS`].
    #[error("a set of validators is full")]
    TooManyValidators,
    /// The evidence convicts nobody.
    #[error("{0}")]
    Evidence(SplitEvidenceError),
    /// Every key that the evidence convicts was convicted before.
    #[error("the validator was convicted before")]
    ConvictedBefore,
    /// The day of a tally is not one of the calendar in its one spelling.
    #[error("the tally's day is not a day of the calendar, written YYYY-MM-DD")]
    TallyDay,
    /// A count is neither `"<10"` nor a number from ten on.
    #[error("a count of the tally is neither \"<10\" nor a number from ten on")]
    TallyCount,
    /// The day is not over by the block's time.
    #[error("the tally's day is not over")]
    TallyNotOver,
    /// The sender has tallied this day, or a later one.
    #[error("the sender has tallied this day, or a later one")]
    TallyOrder,
    /// Not exactly the purposes that the sender was ever accredited for.
    #[error("a tally lists each purpose that the sender was ever accredited for, and no other")]
    TallyPurposes,
    /// The sender was never accredited as a verifier for any purpose.
    #[error("the sender was never accredited to ask for any purpose")]
    TallyNotAccredited,
}

impl Refused {
    /// The stable code of this reason.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::TooLarge { .. } => Code::RegistryTransactionTooLarge,
            Self::Malformed(_) => Code::RegistryTransactionMalformed,
            Self::WrongType => Code::RegistryTransactionTyp,
            Self::KeyName => Code::RegistryTransactionKid,
            Self::UnknownOperation => Code::RegistryTransactionOperation,
            Self::Signature => Code::RegistryTransactionSignature,
            Self::OtherLedger => Code::RegistryTransactionAudience,
            Self::Expired => Code::RegistryTransactionExpired,
            Self::Sequence { .. } => Code::RegistryTransactionSequence,
            Self::SenderUnknown => Code::RegistrySenderUnknown,
            Self::Deactivated => Code::RegistryDidDeactivated,
            Self::NotMember => Code::RegistrySenderNotMember,
            Self::KeyUnknown => Code::RegistryKeyUnknown,
            Self::KeyRole => Code::RegistryKeyRole,
            Self::RelayKeyOnly => Code::RegistryKeyRelayOnly,
            Self::KeyMalformed(_) => Code::RegistryKeyMalformed,
            Self::KeyIdTaken => Code::RegistryKeyIdTaken,
            Self::KeyReused => Code::RegistryKeyReused,
            Self::KeyProof(_) => Code::RegistryKeyProof,
            Self::ThumbprintTaken => Code::RegistryKeyThumbprintTaken,
            Self::KeyReported => Code::RegistryKeyReported,
            Self::RecoveryMalformed(_) => Code::RegistryRecoveryMalformed,
            Self::RecoverySignature => Code::RegistryRecoverySignature,
            Self::RecoveryKey => Code::RegistryRecoveryKey,
            Self::RecoveryKeyUsed => Code::RegistryRecoveryKeyUsed,
            Self::RecoveryCommitment => Code::RegistryRecoveryCommitment,
            Self::LastKey => Code::RegistryKeyLast,
            Self::TooMany => Code::RegistryDidTooMany,
            Self::OtherChain => Code::RegistryCreateChain,
            Self::CreateMalformed(_) => Code::RegistryCreateMalformed,
            Self::CreateSignature => Code::RegistryCreateSignature,
            Self::DidExists => Code::RegistryDidExists,
            Self::DidUnknown => Code::RegistryDidUnknown,
            Self::ServiceMalformed(_) => Code::RegistryServiceMalformed,
            Self::ServiceIdTaken => Code::RegistryServiceIdTaken,
            Self::ServiceUnknown => Code::RegistryServiceUnknown,
            Self::UrlTaken => Code::RegistryServiceUrlTaken,
            Self::NothingToChange => Code::RegistryUpdateEmpty,
            Self::Authority => Code::RegistryDidAuthority,
            Self::NotRelayable => Code::RegistryRelayContent,
            Self::AnchorMalformed(_) => Code::RegistryAnchorMalformed,
            Self::ReceiptRange { .. } => Code::RegistryAnchorRange,
            Self::AccreditationMalformed(_) => Code::RegistryAccreditationMalformed,
            Self::AccreditationPeriod => Code::RegistryAccreditationPeriod,
            Self::SubjectNotMember => Code::RegistryAccreditationSubject,
            Self::NotEntitled => Code::RegistryAccreditationNotEntitled,
            Self::BeyondOwn => Code::RegistryAccreditationBeyondOwn,
            Self::ChainTooLong => Code::RegistryAccreditationChain,
            Self::TooManyAccreditations => Code::RegistryAccreditationTooMany,
            Self::TooManyPurposes => Code::RegistryAccreditationTooManyPurposes,
            Self::AccreditationUnknown => Code::RegistryAccreditationUnknown,
            Self::AccreditationEnded => Code::RegistryAccreditationEnded,
            Self::EndNotEntitled => Code::RegistryAccreditationEndNotEntitled,
            Self::DelegationMalformed(_) => Code::RegistryDelegationMalformed,
            Self::DelegationPeriod => Code::RegistryDelegationPeriod,
            Self::DelegationKey => Code::RegistryDelegationKey,
            Self::TooManyDelegations => Code::RegistryDelegationTooMany,
            Self::DelegationUnknown => Code::RegistryDelegationUnknown,
            Self::DelegationEnded => Code::RegistryDelegationEnded,
            Self::SchemaMalformed(_) => Code::RegistrySchemaMalformed,
            Self::SchemaNotEntitled => Code::RegistrySchemaNotEntitled,
            Self::TooManySchemas => Code::RegistrySchemaTooMany,
            Self::Suspended => Code::RegistrySenderSuspended,
            Self::ProposalMalformed(_) => Code::RegistryProposalMalformed,
            Self::ProposalPeriod => Code::RegistryProposalPeriod,
            Self::ProposalUnknown => Code::RegistryProposalUnknown,
            Self::ProposalClosed => Code::RegistryProposalClosed,
            Self::ProposalExpired => Code::RegistryProposalExpired,
            Self::TooManyProposals => Code::RegistryProposalTooMany,
            Self::NotAVoter => Code::RegistryProposalNoVote,
            Self::ApprovedBefore => Code::RegistryProposalApproved,
            Self::NotApproved => Code::RegistryProposalNotApproved,
            Self::AlreadyMember => Code::RegistryMemberExists,
            Self::MemberUnknown => Code::RegistryMemberUnknown,
            Self::LastAuthority => Code::RegistryMemberLastAuthority,
            Self::TooManyMembers => Code::RegistryMemberTooMany,
            Self::ValidatorMalformed => Code::RegistryValidatorMalformed,
            Self::ValidatorNameTaken => Code::RegistryValidatorNameTaken,
            Self::ValidatorKeyUsed => Code::RegistryValidatorKeyUsed,
            Self::ValidatorUnknown => Code::RegistryValidatorUnknown,
            Self::LastValidator => Code::RegistryValidatorLast,
            Self::TooManyValidators => Code::RegistryValidatorTooMany,
            Self::Evidence(error) => error.code(),
            Self::ConvictedBefore => Code::RegistryValidatorConvicted,
            Self::TallyDay => Code::RegistryTallyDay,
            Self::TallyCount => Code::RegistryTallyCount,
            Self::TallyNotOver => Code::RegistryTallyNotOver,
            Self::TallyOrder => Code::RegistryTallyOrder,
            Self::TallyPurposes => Code::RegistryTallyPurposes,
            Self::TallyNotAccredited => Code::RegistryTallyNotAccredited,
        }
    }
}

/// Why [`super::apply`] wrote nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotApplied {
    /// The rules refuse the transaction; every node refuses it alike.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// This node cannot read its state; no verdict on the transaction.
    #[error(transparent)]
    State(#[from] StateUnreadable),
}
