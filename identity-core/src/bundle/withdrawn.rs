//! Whether the holder took the sharing back: by whose hand, by when that was there, and what the service says it did.
//!
//! That a service never answered cannot be shown. What can is by when it was asked; one that answered in time has an
//! acknowledgement that stands on the ledger from before its time was over.

use ledger::{TrustRoot, sha256};
use serde::{Deserialize, Serialize};

use super::chain::{self, Named};
use super::holder;
use super::states::States;
use super::{Bundle, BundleError, LEEWAY};
use crate::anchor::AnchorProof;
use crate::jose::{ExpectedTyp, UnverifiedJws, typ};
use crate::oid4vp::Parameters;
use crate::receipt::Receipt;
use crate::registry::AnchorKind;
use crate::time::{UnixMillis, UnixSeconds};
use crate::withdrawal::{
    ANSWER_DAYS, Acknowledgement, AcknowledgementError, Sent, Shared, UnverifiedAcknowledgement, UnverifiedWithdrawal,
    VerifiedWithdrawal, WithdrawalError,
};

/// Seconds in a day.
const DAY: i64 = 86_400;

/// A withdrawal as a bundle has it. Nothing in it is believed before the bundle is checked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakenBack {
    /// The withdrawal, as the holder signed it.
    pub text: String,
    /// That it was there: a member of the ledger anchored its digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notarised: Option<AnchorProof>,
    /// What the service says it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledgement: Option<String>,
    /// That the ledger has what the service says; absent while that waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledgement_proof: Option<AnchorProof>,
}

/// The text has the holder's key, which is shown to those who are given the file and to nobody else.
impl std::fmt::Debug for TakenBack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TakenBack")
            .field("notarised", &self.notarised.is_some())
            .field("acknowledged", &self.acknowledgement.is_some())
            .finish_non_exhaustive()
    }
}

impl TakenBack {
    /// Whether its parts belong together.
    pub(super) const fn is_whole(&self) -> bool {
        self.acknowledgement.is_some() || self.acknowledgement_proof.is_none()
    }

    pub(super) fn proofs(&self) -> impl Iterator<Item = &AnchorProof> {
        self.notarised.iter().chain(&self.acknowledgement_proof)
    }
}

/// What a bundle shows of a sharing that was taken back.
#[derive(Debug, Clone, PartialEq)]
pub struct Withdrawn {
    signed: UnixSeconds,
    notarised: Option<Notarised>,
    acknowledged: Option<Acknowledged>,
}

/// By when a withdrawal was there.
#[derive(Debug, Clone, PartialEq)]
pub struct Notarised {
    /// The member that had the ledger take note of it.
    pub by: Named,
    /// Where that stands in the log.
    pub index: u64,
    /// When, at the latest, it stood there.
    pub sealed_by: UnixMillis,
}

/// What the service says it did, in its own name.
#[derive(Debug, Clone, PartialEq)]
pub struct Acknowledged {
    /// What it says.
    pub said: Acknowledgement,
    /// The log index at which the ledger took that, and when, at the latest; none while it waits.
    pub taken: Option<(u64, UnixMillis)>,
}

impl Withdrawn {
    /// When the holder signed, by the holder's own word.
    #[must_use]
    pub const fn signed(&self) -> UnixSeconds {
        self.signed
    }

    /// By when it was there, if a member had the ledger take note of it.
    #[must_use]
    pub const fn notarised(&self) -> Option<&Notarised> {
        self.notarised.as_ref()
    }

    /// What the service says it did.
    #[must_use]
    pub const fn acknowledged(&self) -> Option<&Acknowledged> {
        self.acknowledged.as_ref()
    }

    /// When the service's time to answer was over at the latest, as far as it is shown that it was asked.
    #[must_use]
    pub fn answer_due(&self) -> Option<UnixSeconds> {
        Some(self.notarised.as_ref()?.sealed_by.to_seconds().plus(ANSWER_DAYS * DAY))
    }
}

/// The withdrawal of this very sharing, if the bundle has one.
pub(super) fn check(
    bundle: &Bundle,
    states: &States,
    trust_root: &TrustRoot,
    request: &Parameters,
    receipt: &Receipt,
) -> Result<Option<Withdrawn>, BundleError> {
    let Some(taken_back) = &bundle.withdrawal else { return Ok(None) };
    let withdrawal = by_the_same_hand(bundle, &taken_back.text, request, receipt).map_err(BundleError::Withdrawal)?;
    let held = Held { bundle, states, trust_root, receipt, withdrawal };
    let notarised = taken_back.notarised.as_ref().map(|proof| held.notarised(proof)).transpose()?;
    let said = taken_back.acknowledgement.as_deref();
    let acknowledged = said.map(|said| held.acknowledged(said, taken_back.acknowledgement_proof.as_ref()));
    let acknowledged = acknowledged.transpose()?;
    Ok(Some(Withdrawn { signed: held.withdrawal.withdrawal().iat, notarised, acknowledged }))
}

/// Whoever signed the withdrawal signed an answer to this question, too.
fn by_the_same_hand(
    bundle: &Bundle,
    text: &str,
    request: &Parameters,
    receipt: &Receipt,
) -> Result<VerifiedWithdrawal, WithdrawalError> {
    let withdrawal = UnverifiedWithdrawal::parse(text)?;
    let also_signed = |text: &String| {
        let answers = holder::answer_to(text, request).is_some();
        let jws = UnverifiedJws::parse(text).ok().filter(|_| answers);
        jws.is_some_and(|jws| jws.verify(withdrawal.key().key(), ExpectedTyp::Exactly(typ::KEY_BINDING)).is_ok())
    };
    let holders =
        if bundle.key_bindings.iter().any(also_signed) { vec![withdrawal.key().thumbprint()] } else { vec![] };
    let shared = Shared {
        service: &receipt.iss,
        receipt: sha256(bundle.receipt.as_bytes()),
        given: receipt.iat,
        holders: &holders,
    };
    // There is no clock here: by when it was there, a notary says or nobody does.
    let said = withdrawal.dangerous_claims().iat;
    withdrawal.verify(&shared, said)
}

/// A withdrawal that holds, and what else is held against it.
struct Held<'a> {
    bundle: &'a Bundle,
    states: &'a States,
    trust_root: &'a TrustRoot,
    receipt: &'a Receipt,
    withdrawal: VerifiedWithdrawal,
}

impl Held<'_> {
    fn notarised(&self, proof: &AnchorProof) -> Result<Notarised, BundleError> {
        let digest = self.withdrawal.digest();
        let at = self.states.anchored(proof, &digest, AnchorKind::Notarised, self.trust_root)?;
        let at = at.map_err(BundleError::Notarised)?;
        let sealed_by = self.sealed_by(at.index())?;
        if self.withdrawal.withdrawal().iat > latest(sealed_by) {
            return Err(BundleError::Withdrawal(WithdrawalError::Time));
        }
        Ok(Notarised { by: chain::named(self.states, at.sender())?, index: at.index(), sealed_by })
    }

    /// As of where the ledger took it, or as of the newest that is here while it waits.
    fn acknowledged(&self, text: &str, proof: Option<&AnchorProof>) -> Result<Acknowledged, BundleError> {
        let said = UnverifiedAcknowledgement::parse(text).map_err(BundleError::Acknowledgement)?;
        let claimed = said.dangerous_claims();
        let taken = match proof {
            Some(proof) => Some(self.taken(text, claimed, proof)?),
            // Whoever leaves the proof out must not choose as of when in the past the service's key is looked up.
            None if self.states.is_since(claimed.iat) => None,
            None => return Err(BundleError::Behind),
        };
        let index = taken.map_or_else(|| self.states.newest(), |(index, _)| index);
        let document = self.states.did(&self.receipt.iss)?.document_at(index);
        let document = document.ok_or(BundleError::Acknowledgement(AcknowledgementError::Key))?;
        let by = taken.map_or(claimed.iat, |(_, sealed_by)| sealed_by.to_seconds());
        let sent = Sent {
            service: &self.receipt.iss,
            withdrawal: self.withdrawal.digest(),
            receipt: sha256(self.bundle.receipt.as_bytes()),
            receipt_seq: self.receipt.seq,
            signed: self.withdrawal.withdrawal().iat,
        };
        let said = said.verify(&document).and_then(|said| said.check(&sent, by).map(|()| said));
        let said = said.map_err(BundleError::Acknowledgement)?.acknowledgement().clone();
        Ok(Acknowledged { said, taken })
    }

    /// Where the ledger took an acknowledgement: brought there by the service, at its own place in the chain.
    fn taken(
        &self,
        text: &str,
        claimed: &Acknowledgement,
        proof: &AnchorProof,
    ) -> Result<(u64, UnixMillis), BundleError> {
        let digest = sha256(text.as_bytes());
        let at = self.states.anchored(proof, &digest, AnchorKind::Receipt, self.trust_root)?;
        let at = at.map_err(BundleError::AcknowledgementAnchor)?;
        if *at.sender() != self.receipt.iss || at.receipt() != Some(claimed.seq) {
            return Err(BundleError::Acknowledgement(AcknowledgementError::Place));
        }
        Ok((at.index(), self.sealed_by(at.index())?))
    }

    /// When, at the latest, the log had come to `index`, which everything here knows.
    fn sealed_by(&self, index: u64) -> Result<UnixMillis, BundleError> {
        self.states.reach(index)?;
        self.states.sealed_by(index).ok_or(BundleError::Behind)
    }
}

/// The latest that something can have been signed that was there by then.
fn latest(sealed_by: UnixMillis) -> UnixSeconds {
    sealed_by.to_seconds().plus(LEEWAY)
}
