//! Receipts of sharings: checked when they come, kept, and proven to stand on the ledger once they do.
//!
//! A service that gives no valid receipt is told on, here and in the account: the sharing itself happened, and its
//! signed request and our signature are kept whatever the service says. A lost receipt never stops the holder.

use crate::{
    error::WalletError,
    holdings::{Kept, Sharing},
    late::Silent,
    ui::Ui,
    wallet::Wallet,
};
use identity_core::{
    anchor::{self, AnchorProof},
    did::{Did, Document},
    encoding::json::{self, Limits},
    jose::UnverifiedJws,
    oid4vp::{VerifiedRequest, VpToken, wallet::MAX_REQUEST_BYTES},
    problem::Code,
    receipt::{ReceiptError, Sharing as Shared, UnverifiedReceipt},
    registry::{AnchorKind, DutyHolder},
    time::UnixSeconds,
};
use ledger::{Hash, TrustRoot, sha256};
use serde_json::Value;
use service_kit::fetch::Request;

/// What came of the receipt of one sharing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// It holds, and says its place in the service's chain.
    Holds {
        /// The place, from 1.
        seq: u64,
        /// The receipt.
        text: String,
    },
    /// There is none, or it does not hold.
    Fault {
        /// Why.
        error: ReceiptError,
        /// What came, if anything did.
        text: Option<String>,
    },
}

/// Checks what a service sent as its receipt, against what was shared with it.
pub(crate) fn checked(
    text: Option<String>,
    request: &VerifiedRequest,
    document: &Document,
    token: &VpToken,
    (accepted, holder): (bool, DutyHolder),
    (sent, now): (UnixSeconds, UnixSeconds),
) -> Receipt {
    let check = |text: &str| {
        let verified = UnverifiedReceipt::parse(text)?.verify(document)?;
        let attestation = request.parameters().duty.as_deref().unwrap_or_default();
        let shared = Shared { service: request.asker(), attestation, presentations: &token.0, holder, accepted, sent };
        verified.check(&shared, now)?;
        Ok(verified.receipt().seq)
    };
    match text {
        None => Receipt::Fault { error: ReceiptError::Missing, text: None },
        Some(text) => match check(&text) {
            Ok(seq) => Receipt::Holds { seq, text },
            Err(error) => Receipt::Fault { error, text: Some(text) },
        },
    }
}

impl Receipt {
    /// What of it stands in the account.
    pub(crate) fn kept(&self) -> Kept {
        match self {
            Self::Holds { seq, text } => Kept::Holds { seq: *seq, text: text.clone() },
            Self::Fault { error, text } => Kept::Fault { code: error.code().to_string(), text: text.clone() },
        }
    }

    /// For a person.
    pub(crate) fn line(&self, ui: &Ui) -> String {
        match self {
            Self::Holds { seq, .. } => ui.text("wallet-receipt-holds", &[("number", seq.to_string().into())]),
            Self::Fault { error, .. } => fault(error.code(), ui),
        }
    }
}

/// That a receipt is missing or does not hold, and why.
pub(crate) fn fault(code: Code, ui: &Ui) -> String {
    ui.text("wallet-receipt-fault", &[("reason", code.title(ui.lang()).into())])
}

/// Asks for the proofs of those receipts, of the sharings whose numbers are `wanted`, that have none yet, or one by
/// validators that are not in force any more; and stores those that hold. A service that cannot be reached is no error: the
/// proof stays late.
///
/// # Errors
/// A vault that cannot be written.
pub(crate) async fn fetch_late(wallet: &mut Wallet, wanted: impl Fn(usize) -> bool) -> Result<(), WalletError> {
    let trust_root = wallet.ledger.trust_root();
    let due = wallet.holdings.receipts().filter(|(number, ..)| wanted(*number));
    let late: Vec<(usize, Anchored, String)> = due
        .filter_map(|(number, sharing, kept, proof)| {
            let receipt = Anchored::of(sharing, kept)?;
            let waits = proof.is_none_or(|proof| receipt.proven(proof, &trust_root).is_none());
            Some((number, receipt, base(sharing)?)).filter(|_| waits)
        })
        .collect();
    let mut silent = Silent::default();
    for (number, receipt, base) in late {
        if let Some(proof) = fetch(wallet, &mut silent, &base, &receipt, &trust_root).await {
            let mut rng = wallet.rng();
            wallet.holdings.add_receipt_proof(number, proof, &mut rng)?;
        }
    }
    Ok(())
}

/// Asks a service for the proof of one entry of its chain; `None` if it has none yet that holds.
pub(crate) async fn fetch(
    wallet: &Wallet,
    silent: &mut Silent,
    base: &str,
    entry: &Anchored,
    trust_root: &TrustRoot,
) -> Option<Value> {
    let request = Request::get(format!("{base}/receipts/{}", entry.digest.to_base64url()));
    let answer = silent.ask(wallet, base, request.with_limit(anchor::MAX_BYTES)).await;
    let answer = answer.filter(|answer| answer.status == 200)?;
    let proof = json::parse_strict(&answer.body, Limits::of(anchor::MAX_BYTES)).ok()?;
    entry.proven(&proof, trust_root).is_some().then_some(proof)
}

/// An entry of a service's chain that held when it came, as the ledger has it once its service has anchored it.
pub(crate) struct Anchored {
    service: Did,
    seq: u64,
    digest: Hash,
}

impl Anchored {
    /// `None` if what was kept is no valid receipt.
    pub(crate) fn of(sharing: &Sharing, kept: &Kept) -> Option<Self> {
        let Kept::Holds { seq, text } = kept else { return None };
        Some(Self::at(Did::parse(&sharing.asker).ok()?, *seq, text))
    }

    /// The entry with this text.
    pub(crate) fn at(service: Did, seq: u64, text: &str) -> Self {
        Self { service, seq, digest: sha256(text.as_bytes()) }
    }

    /// The proof, if it shows under the validators in force that the service itself anchored this entry at its place.
    pub(crate) fn proven(&self, proof: &Value, trust_root: &TrustRoot) -> Option<AnchorProof> {
        let proof = AnchorProof::from_value(proof).ok()?;
        let anchored = proof.verify(&self.digest, AnchorKind::Receipt, trust_root).ok()?;
        (*anchored.sender() == self.service && anchored.receipt() == Some(self.seq)).then_some(proof)
    }
}

/// The service's base address, out of the request that was verified when it came.
pub(crate) fn base(sharing: &Sharing) -> Option<String> {
    let jws = UnverifiedJws::parse_limited(&sharing.request, MAX_REQUEST_BYTES).ok()?;
    let payload = json::parse_object(jws.dangerous_payload(), Limits::of(MAX_REQUEST_BYTES)).ok()?;
    let (base, _) = payload.get("response_uri")?.as_str()?.rsplit_once("/responses/")?;
    Some(base.to_owned())
}
