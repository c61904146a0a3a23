//! Reading the chain of receipts whole: is each as it was signed, do they follow each other, and does the ledger agree?

use identity_core::did::Did;
use identity_core::problem::Code;
use identity_core::receipt::{Chain, ChainFault, ChainHead, agrees_with_ledger};
use identity_core::registry::{DidHistory, did_key, receipts_key};
use identity_core::time::UnixSeconds;
use identity_core::trust::{self, TrustError};
use ledger::{Hash, sha256};
use service_kit::ledger_client::{LedgerClient, LedgerError};
use service_kit::messages::Catalogue;
use service_kit::store::StoreError;

use super::tally_audit::{self, Accepted, TalliesRead, TallyFault, Told};
use crate::store::VerifierStore;

/// Receipts read at once.
const PAGE: u64 = 1000;

/// What the ledger says of a service's receipts, and which keys it had.
pub(crate) struct LedgerView {
    history: DidHistory,
    anchored: ChainHead,
    tallies: Told,
}

/// Why the ledger says nothing of a service's receipts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unasked {
    /// It could not be asked.
    #[error("the ledger could not be asked about the receipts: {0}")]
    Ledger(#[from] LedgerError),
    /// What it proves cannot be read.
    #[error("what the ledger holds of the service cannot be read: {0}")]
    Unreadable(#[from] TrustError),
}

impl Unasked {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Ledger(error) => error.code(),
            Self::Unreadable(error) => error.code(),
        }
    }
}

/// A chain of receipts that is whole, as far as can be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptsRead {
    /// How many there are, and the digest of the last.
    pub head: ChainHead,
    /// The last that the ledger has. Where it said nothing, no signature was checked: whose keys they are is its to say.
    pub anchored: Result<u64, Unasked>,
    /// Whether the ledger's counts of days are what the receipts come to; none where the ledger said nothing.
    pub tallies: Option<Result<TalliesRead, TallyFault>>,
}

impl ReceiptsRead {
    /// For the operator.
    #[must_use]
    pub fn told(&self, messages: &Catalogue) -> String {
        let waiting = self.anchored.as_ref().map(|anchored| self.head.seq.saturating_sub(*anchored));
        let id = match waiting {
            Err(_) => "receipts-follow",
            Ok(0) => "receipts-hold",
            Ok(_) => "receipts-hold-waiting",
        };
        let values = [
            ("receipts", self.head.seq.to_string().into()),
            ("waiting", waiting.unwrap_or_default().to_string().into()),
        ];
        messages.text(id, &values)
    }
}

/// What the ledger proves of `service`.
///
/// # Errors
/// [`Unasked`].
pub(crate) async fn ask(ledger: &LedgerClient, service: &Did) -> Result<LedgerView, Unasked> {
    let (history, _) = ledger.state(&did_key(service)).await?;
    let (receipts, _) = ledger.state(&receipts_key(service)).await?;
    let history = trust::did_history(&history, service)?;
    let anchored = trust::receipts_anchored(&receipts, service)?;
    Ok(LedgerView { history, anchored, tallies: tally_audit::ask(ledger, service).await? })
}

/// Reads the whole chain, and holds it, and the counts of days that are over, against what the ledger says, if that says
/// anything.
///
/// # Errors
/// A store that fails; inside, the first receipt that is not as it was signed.
pub(crate) async fn read(
    store: &VerifierStore,
    service: &Did,
    ledger: Result<LedgerView, Unasked>,
    now: UnixSeconds,
) -> Result<Result<ReceiptsRead, ChainFault>, StoreError> {
    let noted = store.receipt_head().await?;
    let mut chain = Chain::of(service, ledger.as_ref().ok().map(|view| &view.history));
    let anchored = ledger.as_ref().ok().map(|view| view.anchored);
    let mut at_anchor: Option<Hash> = None;
    let mut accepted = Accepted::default();
    loop {
        let page = store.receipts_after(chain.head().seq, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for (seq, text) in page {
            match chain.read(seq, &text) {
                Ok(entry) => accepted.add(&entry),
                Err(fault) => return Ok(Err(fault)),
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
    let tallies = ledger.as_ref().ok().map(|view| accepted.agree(&view.tallies, now));
    Ok(agrees.map(|()| ReceiptsRead { head, anchored: ledger.map(|view| view.anchored.seq), tallies }))
}
