//! The check of a bundle, part by part.

use std::borrow::Cow;

use ledger::{TrustRoot, sha256};

use super::chain::{self, Link, Named};
use super::holder::{self, Holder};
use super::states::States;
use super::{Bundle, BundleError, request};
use crate::anchor::AnchorError;
use crate::duty::{Attestation, DutyError, UnverifiedAttestation, VerifiedAttestation};
use crate::oid4vp::{Parameters, transaction_data};
use crate::receipt::{Receipt, ReceiptError, UnverifiedReceipt, VerifiedReceipt};
use crate::registry::{AnchorKind, Delegation};
use crate::time::UnixMillis;

/// What a bundle shows. Made in one function only.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    service: Named,
    receipt: Receipt,
    attested: VerifiedAttestation,
    chains: Vec<Vec<Link>>,
    moment: Moment,
    sealed_by: Option<UnixMillis>,
    holder: Holder,
}

/// As of when everything in a bundle was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The log index at which the ledger took the receipt.
    Anchored(u64),
    /// The receipt waits for the ledger: the newest log index that the bundle knows.
    Waiting(u64),
}

impl Moment {
    /// The log index.
    #[must_use]
    pub const fn index(self) -> u64 {
        match self {
            Self::Anchored(index) | Self::Waiting(index) => index,
        }
    }
}

impl Checked {
    /// The service that asked.
    #[must_use]
    pub const fn service(&self) -> &Named {
        &self.service
    }

    /// What the service says it did.
    #[must_use]
    pub const fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// What the official signed.
    #[must_use]
    pub fn attestation(&self) -> &Attestation {
        self.attested.attestation()
    }

    /// Under which duty.
    #[must_use]
    pub fn delegation(&self) -> &Delegation {
        self.attested.delegation()
    }

    /// On whose word the service asked: for each accreditation the chain from the service to the authority.
    #[must_use]
    pub fn chains(&self) -> &[Vec<Link>] {
        &self.chains
    }

    /// As of when.
    #[must_use]
    pub const fn moment(&self) -> Moment {
        self.moment
    }

    /// When, at the latest, the log had come to that moment: the time of the earliest seal after it that is here.
    #[must_use]
    pub const fn sealed_by(&self) -> Option<UnixMillis> {
        self.sealed_by
    }

    /// What is shown of the holder.
    #[must_use]
    pub const fn holder(&self) -> Holder {
        self.holder
    }
}

pub(super) fn missing(bundle: &Bundle, trust_root: &TrustRoot) -> Result<Vec<String>, BundleError> {
    let mut states = States::prove(bundle, trust_root)?;
    match checked(bundle, trust_root, &mut states) {
        Ok(_) | Err(BundleError::Incomplete) => Ok(states.wanted()),
        Err(error) => Err(error),
    }
}

pub(super) fn check(bundle: &Bundle, trust_root: &TrustRoot) -> Result<Checked, BundleError> {
    checked(bundle, trust_root, &mut States::prove(bundle, trust_root)?)
}

/// From the ledger inwards: when, who, under which duty, on whose word, and whether the holder knew.
fn checked(bundle: &Bundle, trust_root: &TrustRoot, states: &mut States) -> Result<Checked, BundleError> {
    let receipt = UnverifiedReceipt::parse(&bundle.receipt).map_err(BundleError::Receipt)?;
    let moment = moment(bundle, trust_root, states, &receipt)?;
    let (states, index) = (&*states, moment.index());
    states.reach(index)?;
    let service = receipt.service().clone();
    // Asked for together, so that they are fetched together.
    let (history, accredited) = (states.did(&service), states.accreditations(&service));
    let document = history?.document_at(index).ok_or(BundleError::Receipt(ReceiptError::Key))?;
    let receipt = receipt.verify(&document).map_err(BundleError::Receipt)?;
    let request = request::read(&bundle.request, &document)?;
    let attested = attested(states, &receipt, &request, index);
    let receipt = receipt.receipt();
    accredited?;
    let chains = chain::above(states, &service, &request.query, &receipt.purpose, index);
    let holder = holder::check(bundle, states, trust_root, &request, receipt, index);
    Ok(Checked {
        attested: attested?,
        chains: chains?,
        holder: holder?,
        service: chain::named(states, &service)?,
        receipt: receipt.clone(),
        moment,
        sealed_by: states.sealed_by(index),
    })
}

/// When the ledger took the receipt. Only the service itself can have put it there.
fn moment(
    bundle: &Bundle,
    trust_root: &TrustRoot,
    states: &mut States,
    receipt: &UnverifiedReceipt<'_>,
) -> Result<Moment, BundleError> {
    let Some(proof) = &bundle.receipt_proof else { return Ok(Moment::Waiting(states.newest())) };
    let mut certified = None;
    let certify = |note: &str| {
        let checkpoint = trust_root.verify_checkpoint(note)?;
        certified = Some(checkpoint.clone());
        Ok(Cow::Owned(checkpoint))
    };
    let digest = sha256(bundle.receipt.as_bytes());
    let at = proof.verify_with(&digest, AnchorKind::Receipt, trust_root.origin(), certify);
    let at = at.map_err(BundleError::Anchor)?;
    states.note(&certified.ok_or(BundleError::Anchor(AnchorError::NotCertified))?)?;
    if at.sender() == receipt.service() { Ok(Moment::Anchored(at.index())) } else { Err(BundleError::AnchorSender) }
}

/// The official's word: over this request, under a duty that held then, and what the receipt repeats of it.
fn attested(
    states: &States,
    receipt: &VerifiedReceipt,
    request: &Parameters,
    index: u64,
) -> Result<VerifiedAttestation, BundleError> {
    let text = request.duty.as_deref().ok_or(BundleError::Duty(DutyError::Missing))?;
    let attestation = UnverifiedAttestation::parse(text).map_err(BundleError::Duty)?;
    if attestation.digest() != receipt.receipt().request {
        return Err(BundleError::OtherRequest);
    }
    receipt.check_word(&attestation).map_err(BundleError::OtherWord)?;
    let (department, number) = attestation.who();
    if *department != receipt.receipt().iss {
        return Err(BundleError::Duty(DutyError::Department));
    }
    let history = states.duty(department, number)?.ok_or(BundleError::Duty(DutyError::Unknown))?;
    let attested = attestation.verify(&history, index).map_err(BundleError::Duty)?;
    attested.check(&receipt.receipt().iss, request).map_err(BundleError::Duty)?;
    if !transaction_data::are_over(&request.transaction_data, attested.digest()) {
        return Err(BundleError::Duty(DutyError::OtherRequest));
    }
    if attested.delegation().holder != receipt.receipt().act.holder {
        return Err(BundleError::Official);
    }
    Ok(attested)
}
