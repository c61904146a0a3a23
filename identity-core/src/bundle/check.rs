//! The check of a bundle, part by part.

use ledger::{PastMoment, TrustRoot, sha256};

use super::ahead::{Parts, opened};
use super::chain::{self, Link, Named};
use super::holder::{self, Holder};
use super::past::{self, Stood};
use super::states::States;
use super::withdrawn::{self, Withdrawn};
use super::{Bundle, BundleError, LEEWAY};
use crate::anchor::AnchorError;
use crate::duty::{Attestation, DutyError, UnverifiedAttestation, VerifiedAttestation};
use crate::oid4vp::Parameters;
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
    withdrawn: Option<Withdrawn>,
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

    /// Whether the holder took the sharing back, and what came of it.
    #[must_use]
    pub const fn withdrawn(&self) -> Option<&Withdrawn> {
        self.withdrawn.as_ref()
    }
}

pub(super) fn missing(bundle: &Bundle, trust_root: &TrustRoot) -> Result<Vec<String>, BundleError> {
    opened(bundle, trust_root, |parts, states| match checked(bundle, trust_root, parts, states) {
        Ok(_) | Err(BundleError::Incomplete) => Ok(states.wanted()),
        Err(error) => Err(error),
    })
}

pub(super) fn check(bundle: &Bundle, trust_root: &TrustRoot) -> Result<Checked, BundleError> {
    opened(bundle, trust_root, |parts, states| checked(bundle, trust_root, parts, states))
}

pub(super) fn check_at(
    bundle: &Bundle,
    trust_root: &TrustRoot,
    moment: &PastMoment,
) -> Result<(Checked, Stood), BundleError> {
    opened(bundle, trust_root, |parts, states| {
        states.note(moment.checkpoint())?;
        let checked = checked(bundle, trust_root, parts, states)?;
        let stood = past::stood(bundle, trust_root, states, &checked, moment)?;
        Ok((checked, stood))
    })
}

/// From the ledger inwards: when, who, under which duty, on whose word, and whether the holder knew.
fn checked(bundle: &Bundle, trust_root: &TrustRoot, parts: Parts<'_>, states: &States) -> Result<Checked, BundleError> {
    let Parts { receipt, request, attestation } = parts;
    let mut receipt = receipt.map_err(BundleError::Receipt)?;
    let moment = moment(bundle, trust_root, states, &receipt)?;
    let index = moment.index();
    states.reach(index)?;
    let service = receipt.service().clone();
    // Asked for together, so that they are fetched together.
    let (history, accredited) = (states.did(&service), states.accreditations(&service));
    let document = history?.document_at(index).ok_or(BundleError::Receipt(ReceiptError::Key))?;
    receipt.recognise(&document, states.known());
    let receipt = receipt.verify(&document).map_err(BundleError::Receipt)?;
    let request = request?.verify(&document, states.known())?;
    let attested = attested(states, &receipt, &request, attestation, index);
    let receipt = receipt.receipt();
    let taken_by = states.sealed_by(index).filter(|_| matches!(moment, Moment::Anchored(_)));
    if !in_time(receipt, &request, taken_by) {
        return Err(BundleError::Receipt(ReceiptError::Time));
    }
    accredited?;
    let chains = chain::above(states, &service, &request.query, &receipt.purpose, index);
    let holder = holder::check(bundle, states, trust_root, &request, receipt, index);
    let withdrawn = withdrawn::check(bundle, states, trust_root, &request, receipt);
    Ok(Checked {
        attested: attested?,
        chains: chains?,
        holder: holder?,
        withdrawn: withdrawn?,
        service: chain::named(states, &service)?,
        receipt: receipt.clone(),
        moment,
        sealed_by: states.sealed_by(index),
    })
}

/// When the ledger took the receipt. Only the service itself can have put it there, and only at the receipt's own place
/// in the chain.
fn moment(
    bundle: &Bundle,
    trust_root: &TrustRoot,
    states: &States,
    receipt: &UnverifiedReceipt<'_>,
) -> Result<Moment, BundleError> {
    let said = receipt.dangerous_claims();
    let Some(proof) = &bundle.receipt_proof else {
        // Whoever leaves the proof out must not choose as of when in the past everything is read.
        let newest = Moment::Waiting(states.newest());
        return if states.is_since(said.iat) { Ok(newest) } else { Err(BundleError::Behind) };
    };
    let digest = sha256(bundle.receipt.as_bytes());
    let at = states.anchored(proof, &digest, AnchorKind::Receipt, trust_root)?.map_err(BundleError::Anchor)?;
    if at.sender() != receipt.service() {
        return Err(BundleError::AnchorSender);
    }
    if at.receipt() != Some(said.seq) {
        return Err(BundleError::Anchor(AnchorError::NotInBatch));
    }
    Ok(Moment::Anchored(at.index()))
}

/// No receipt is from after the ledger took it, and no answer was accepted after its question had ended.
fn in_time(receipt: &Receipt, request: &Parameters, taken_by: Option<UnixMillis>) -> bool {
    let before_it_was_taken = taken_by.is_none_or(|by| receipt.iat.0 <= by.0.div_euclid(1000).saturating_add(LEEWAY));
    let while_it_was_open = !receipt.is_accepted() || receipt.iat <= request.expires.plus(LEEWAY);
    before_it_was_taken && while_it_was_open
}

/// The official's word: over this request, under a duty that held then, and what the receipt repeats of it.
fn attested(
    states: &States,
    receipt: &VerifiedReceipt,
    request: &Parameters,
    attestation: Result<UnverifiedAttestation<'_>, DutyError>,
    index: u64,
) -> Result<VerifiedAttestation, BundleError> {
    let mut attestation = attestation.map_err(BundleError::Duty)?;
    if attestation.digest() != receipt.receipt().request {
        return Err(BundleError::OtherRequest);
    }
    receipt.check_word(&attestation).map_err(BundleError::OtherWord)?;
    let (department, number) = attestation.who();
    if *department != receipt.receipt().iss {
        return Err(BundleError::Duty(DutyError::Department));
    }
    let history = states.duty(department, number)?.ok_or(BundleError::Duty(DutyError::Unknown))?;
    attestation.recognise(&history, index, states.known());
    let attested = attestation.verify(&history, index).map_err(BundleError::Duty)?;
    attested.check(&receipt.receipt().iss, request).map_err(BundleError::Duty)?;
    attested.check_holder(receipt.receipt().act.holder).map_err(|_| BundleError::Official)?;
    Ok(attested)
}
