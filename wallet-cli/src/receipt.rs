//! Receipts of sharings: checked when they come, kept, and proven to stand on the ledger once they do.
//!
//! A service that gives no valid receipt is told on, here and in the account: the sharing itself happened, and its
//! signed request and our signature are kept whatever the service says. A lost receipt never stops the holder.

use crate::{
    error::WalletError,
    holdings::{Kept, Sharing},
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
    registry::AnchorKind,
    time::UnixSeconds,
};
use ledger::{TrustRoot, sha256};
use serde_json::Value;
use service_kit::fetch::Request;

/// What came of the receipt of one sharing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// It holds, and says its place in the service's chain.
    Holds {
        /// The place, from 1.
        seq: u64,
    },
    /// There is none, or it does not hold.
    Fault(ReceiptError),
}

/// Checks what a service sent as its receipt, against what was shared with it.
pub(crate) fn checked(
    text: Option<&str>,
    request: &VerifiedRequest,
    document: &Document,
    token: &VpToken,
    accepted: bool,
    (sent, now): (UnixSeconds, UnixSeconds),
) -> Receipt {
    let check = || {
        let text = text.ok_or(ReceiptError::Missing)?;
        let verified = UnverifiedReceipt::parse(text)?.verify(document)?;
        let attestation = request.parameters().duty.as_deref().unwrap_or_default();
        let shared = Shared { service: request.asker(), attestation, presentations: &token.0, accepted, sent };
        verified.check(&shared, now)?;
        Ok(verified.receipt().seq)
    };
    match check() {
        Ok(seq) => Receipt::Holds { seq },
        Err(error) => Receipt::Fault(error),
    }
}

impl Receipt {
    /// What of it stands in the account.
    pub(crate) fn kept(self, text: Option<&str>) -> Kept {
        match (self, text) {
            (Self::Holds { seq }, Some(text)) => Kept::Holds { seq, text: text.to_owned() },
            (Self::Holds { .. }, None) => Kept::Fault { code: ReceiptError::Missing.code().to_string(), text: None },
            (Self::Fault(error), text) => Kept::Fault { code: error.code().to_string(), text: text.map(str::to_owned) },
        }
    }

    /// For a person.
    pub(crate) fn line(self, ui: &Ui) -> String {
        match self {
            Self::Holds { seq } => ui.text("wallet-receipt-holds", &[("number", seq.to_string().into())]),
            Self::Fault(error) => fault(error.code(), ui),
        }
    }
}

/// That a receipt is missing or does not hold, and why.
pub(crate) fn fault(code: Code, ui: &Ui) -> String {
    ui.text("wallet-receipt-fault", &[("reason", code.title(ui.lang()).into())])
}

/// Asks for the proofs of all receipts that have none yet, or one by validators that are not in force any more, and
/// stores those that hold. A service that cannot be reached is no error: the proof stays late.
///
/// # Errors
/// A vault that cannot be written.
pub(crate) async fn fetch_late(wallet: &mut Wallet) -> Result<(), WalletError> {
    let trust_root = wallet.ledger.trust_root();
    let late: Vec<(usize, String, Did, String)> = wallet
        .holdings
        .receipts()
        .filter_map(|(number, sharing, kept, proof)| {
            let Kept::Holds { text, .. } = kept else { return None };
            let asker = Did::parse(&sharing.asker).ok()?;
            let waits = proof.is_none_or(|proof| !holds(proof, text, &asker, &trust_root));
            Some((number, text.clone(), asker, base(sharing)?)).filter(|_| waits)
        })
        .collect();
    for (number, text, asker, base) in late {
        let url = format!("{base}/receipts/{}", sha256(text.as_bytes()).to_base64url());
        let Ok(answer) = wallet.fetch.send(Request::get(url).with_limit(anchor::MAX_BYTES)).await else { continue };
        let Ok(proof) = json::parse_strict(&answer.body, Limits::of(anchor::MAX_BYTES)) else { continue };
        if answer.status == 200 && holds(&proof, &text, &asker, &trust_root) {
            let mut rng = wallet.rng();
            wallet.holdings.add_receipt_proof(number, proof, &mut rng)?;
        }
    }
    Ok(())
}

/// Whether a proof shows that the service itself anchored this receipt.
fn holds(proof: &Value, text: &str, service: &Did, trust_root: &TrustRoot) -> bool {
    let proof = serde_json::from_value::<AnchorProof>(proof.clone()).ok();
    let digest = sha256(text.as_bytes());
    let anchored = proof.and_then(|proof| proof.verify(&digest, AnchorKind::Receipt, trust_root).ok());
    anchored.is_some_and(|anchored| anchored.sender() == service)
}

/// The service's base address, out of the request that was verified when it came.
fn base(sharing: &Sharing) -> Option<String> {
    let jws = UnverifiedJws::parse_limited(&sharing.request, MAX_REQUEST_BYTES).ok()?;
    let payload = json::parse_object(jws.dangerous_payload(), Limits::of(MAX_REQUEST_BYTES)).ok()?;
    let (base, _) = payload.get("response_uri")?.as_str()?.rsplit_once("/responses/")?;
    Some(base.to_owned())
}
