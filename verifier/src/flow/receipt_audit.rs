//! Reading the chain of receipts whole: is each as it was signed, do they follow each other, and does the ledger agree?

use identity_core::did::Did;
use identity_core::receipt::{Chain, ChainFault, ChainHead, agrees_with_ledger};
use identity_core::registry::{DidHistory, did_key, receipts_key};
use identity_core::trust;
use ledger::{Hash, sha256};
use service_kit::ledger_client::LedgerClient;
use service_kit::messages::Catalogue;
use service_kit::store::StoreError;

use crate::store::VerifierStore;

/// Receipts read at once.
const PAGE: u64 = 1000;

/// What the ledger says of a service's receipts, and which keys it had.
pub(crate) struct LedgerView {
    history: DidHistory,
    anchored: ChainHead,
}

/// A chain of receipts that is as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptsRead {
    /// How many there are, and the digest of the last.
    pub head: ChainHead,
    /// The last that the ledger has; none if it could not be asked.
    pub anchored: Option<u64>,
}

impl ReceiptsRead {
    /// For the operator.
    #[must_use]
    pub fn told(&self, messages: &Catalogue) -> String {
        let waiting = self.anchored.map(|anchored| self.head.seq.saturating_sub(anchored));
        let id = match waiting {
            None => "receipts-hold-unasked",
            Some(0) => "receipts-hold",
            Some(_) => "receipts-hold-waiting",
        };
        let values = [
            ("receipts", self.head.seq.to_string().into()),
            ("waiting", waiting.unwrap_or_default().to_string().into()),
        ];
        messages.text(id, &values)
    }
}

/// What the ledger proves of `service`; none if it cannot be asked now.
pub(crate) async fn ask(ledger: &LedgerClient, service: &Did) -> Option<LedgerView> {
    let (history, _) = ledger.state(&did_key(service)).await.ok()?;
    let (receipts, _) = ledger.state(&receipts_key(service)).await.ok()?;
    let history = trust::did_history(&history, service).ok()?;
    Some(LedgerView { history, anchored: trust::receipts_anchored(&receipts, service).ok()? })
}

/// Reads the whole chain.
///
/// # Errors
/// A store that fails; inside, the first receipt that is not as it was signed.
pub(crate) async fn read(
    store: &VerifierStore,
    service: &Did,
    ledger: Option<&LedgerView>,
) -> Result<Result<ReceiptsRead, ChainFault>, StoreError> {
    let noted = store.receipt_head().await?;
    let mut chain = Chain::of(service, ledger.map(|view| &view.history));
    let anchored = ledger.map(|view| view.anchored);
    let mut at_anchor: Option<Hash> = None;
    loop {
        let page = store.receipts_after(chain.head().seq, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for (seq, text) in page {
            if let Err(fault) = chain.read(seq, &text) {
                return Ok(Err(fault));
            }
            if anchored.is_some_and(|anchored| anchored.seq == seq) {
                at_anchor = Some(sha256(text.as_bytes()));
            }
        }
    }
    let head = chain.head();
    let agrees = chain.ends_at(noted).and_then(|()| match anchored {
        Some(anchored) => agrees_with_ledger(head, anchored, |_| at_anchor),
        None => Ok(()),
    });
    Ok(agrees.map(|()| ReceiptsRead { head, anchored: anchored.map(|anchored| anchored.seq) }))
}
