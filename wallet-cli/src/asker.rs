//! Who asks, by the ledger and with proof: keys, name, and what it may ask for.

use crate::{error::WalletError, wallet::Wallet};
use identity_core::{
    did::{Did, Document},
    oid4vp::Parameters,
    registry::{accreditation_key, did_key},
    time::UnixSeconds,
    verdict::{Excess, Freshness, PreparedEvidence, standing},
};

/// How old the checkpoint under the ledger's answer may be: an idle ledger is cosigned anew every 30 seconds, so an
/// hour means that something is held back from us.
const FRESHNESS: Freshness = Freshness { max_age: 3600, leeway: 300 };

/// What the ledger says about an asker, proven.
pub(crate) struct Asker {
    did: Did,
    evidence: PreparedEvidence,
}

/// Whether the asker may ask for what it asks.
#[derive(Debug, Clone, PartialEq)]
pub enum Accreditation {
    /// All of it, as of this time.
    Covers {
        /// When the checkpoint under this knowledge was cosigned.
        as_of: UnixSeconds,
    },
    /// Not all of it.
    Beyond(Vec<Excess>),
}

impl Asker {
    /// Asks the ledger.
    ///
    /// # Errors
    /// [`WalletError::AskerUndetermined`] if the ledger cannot be asked, or its answer does not hold.
    pub(crate) async fn look_up(wallet: &Wallet, did: &Did) -> Result<Self, WalletError> {
        let mut evidence = PreparedEvidence::new(wallet.ledger.trust_root().clone());
        for key in [did_key(did), accreditation_key(did)] {
            let undetermined = |detail: String| WalletError::AskerUndetermined(detail);
            let (_, proof) = wallet.ledger.state(&key).await.map_err(|error| undetermined(error.to_string()))?;
            evidence.add_state(&proof).map_err(|error| undetermined(error.to_string()))?;
        }
        Ok(Self { did: did.clone(), evidence })
    }

    /// The asker's DID document as of now.
    ///
    /// # Errors
    /// The ledger does not know the DID, or its answer is too old.
    pub(crate) fn document(&self, now: UnixSeconds) -> Result<Document, WalletError> {
        Ok(self.evidence.document(&self.did, FRESHNESS, now)?)
    }

    /// The asker's name, English and Chinese, and whether it may ask this.
    ///
    /// # Errors
    /// The ledger's answer is too old.
    pub(crate) fn standing(
        &self,
        parameters: &Parameters,
        now: UnixSeconds,
    ) -> Result<(Option<(String, String)>, Accreditation), WalletError> {
        let purpose = parameters.purpose.as_deref();
        let standing = standing(&self.did, &parameters.query, purpose, &self.evidence, FRESHNESS, now)?;
        let label = standing.label.map(|label| (label.en, label.zh));
        let accreditation = if standing.excess.is_empty() {
            Accreditation::Covers { as_of: standing.as_of }
        } else {
            Accreditation::Beyond(standing.excess)
        };
        Ok((label, accreditation))
    }
}
