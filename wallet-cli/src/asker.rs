//! Who asks, by the ledger and with proof: keys, name, and what it may ask for.

use crate::{duty::Word, error::WalletError, wallet::Wallet};
use identity_core::{
    dcql::Query,
    did::{Did, Document},
    duty::{Attestation, Order},
    oid4vp::{Parameters, WhoAsks},
    registry::{Delegation, accreditation_key, did_key, duty_key, thumbprint_key},
    time::UnixSeconds,
    verdict::{
        Asked, EvidenceError, Excess, Freshness, PreparedEvidence, attested, claimed, orderable, signable, standing,
    },
};
use ledger::{Hash, TrustRoot};

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
    /// Asks the ledger: for a client known by its certificate, first whose key that is.
    ///
    /// # Errors
    /// [`WalletError::AskerUndetermined`] if the ledger cannot be asked, or its answer does not hold or is too old;
    /// [`WalletError::AskerUnregistered`] if it proves that nobody has registered the certificate's key.
    pub(crate) async fn look_up(wallet: &Wallet, who: WhoAsks<'_>, now: UnixSeconds) -> Result<Self, WalletError> {
        loop {
            let trust_root = wallet.ledger.trust_root();
            let found = Self::look_up_under(&trust_root, wallet, &who, now).await;
            // Where other validators came into force on the way, what the ones before said counts for nothing.
            if *wallet.ledger.trust_root() == *trust_root {
                return found;
            }
        }
    }

    async fn look_up_under(
        trust_root: &TrustRoot,
        wallet: &Wallet,
        who: &WhoAsks<'_>,
        now: UnixSeconds,
    ) -> Result<Self, WalletError> {
        let mut evidence = PreparedEvidence::new(trust_root.clone());
        let did = match who {
            WhoAsks::Did(did) => (*did).clone(),
            WhoAsks::KeyHolder(thumbprint) => {
                learn(wallet, &mut evidence, &thumbprint_key(thumbprint)).await?;
                match evidence.thumbprint_owner(thumbprint, FRESHNESS, now) {
                    Ok(did) => did.clone(),
                    Err(EvidenceError::Absent) => return Err(WalletError::AskerUnregistered),
                    Err(error) => return Err(error.into()),
                }
            }
        };
        for key in [did_key(&did), accreditation_key(&did)] {
            learn(wallet, &mut evidence, &key).await?;
        }
        Ok(Self { did, evidence })
    }

    /// The asker's DID document as of now.
    ///
    /// # Errors
    /// The ledger does not know the DID, or its answer is too old.
    pub(crate) fn document(&self, now: UnixSeconds) -> Result<Document, WalletError> {
        Ok(self.evidence.document(&self.did, FRESHNESS, now)?)
    }

    /// Who answers for the request, and what the data is wanted for.
    ///
    /// # Errors
    /// Nobody does, or nobody who may: with the code that says why.
    pub(crate) async fn word(
        &mut self,
        wallet: &Wallet,
        request: &Parameters,
        now: UnixSeconds,
    ) -> Result<Word, WalletError> {
        let attestation = claimed(&self.did, request)?;
        let (department, number) = attestation.who();
        learn(wallet, &mut self.evidence, &duty_key(department, number)).await?;
        let asked = Asked { request, asker: &self.did, certificate: None };
        Ok(Word::of(&attested(&asked, &self.evidence, FRESHNESS, now)?.attestation))
    }

    /// The duty under which an official signs `draft` with the key of this thumbprint, so that citizens' wallets take it.
    ///
    /// # Errors
    /// No such duty, not theirs, or one that does not cover `query`: with the code that says so.
    pub(crate) async fn duty_of(
        &mut self,
        wallet: &Wallet,
        (draft, query): (&Attestation, &Query),
        key: &Hash,
        now: UnixSeconds,
    ) -> Result<Delegation, WalletError> {
        learn(wallet, &mut self.evidence, &duty_key(&draft.iss, &draft.duty)).await?;
        Ok(signable(draft, query, key, &self.evidence, FRESHNESS, now)?.clone())
    }

    /// The duty under which an official signs an order with the key of this thumbprint, so that the department takes it.
    ///
    /// # Errors
    /// No such duty, not theirs, or one that does not cover the order: with the code that says so.
    pub(crate) async fn duty_of_order(
        &mut self,
        wallet: &Wallet,
        draft: &Order,
        key: &Hash,
        now: UnixSeconds,
    ) -> Result<Delegation, WalletError> {
        learn(wallet, &mut self.evidence, &duty_key(&draft.iss, &draft.duty)).await?;
        Ok(orderable(draft, key, &self.evidence, FRESHNESS, now)?.clone())
    }

    /// The asker's name, English and Chinese, as it registered it.
    ///
    /// # Errors
    /// The ledger's answer is too old.
    pub(crate) fn label(&self, now: UnixSeconds) -> Result<Option<(String, String)>, WalletError> {
        let label = self.evidence.label(&self.did, FRESHNESS, now)?;
        Ok(label.map(|label| (label.en.clone(), label.zh.clone())))
    }

    /// The asker's name, English and Chinese, and whether it may ask this.
    ///
    /// # Errors
    /// The ledger's answer is too old.
    pub(crate) fn standing(
        &self,
        query: &Query,
        purpose: Option<&str>,
        now: UnixSeconds,
    ) -> Result<(Option<(String, String)>, Accreditation), WalletError> {
        let standing = standing(&self.did, query, purpose, &self.evidence, FRESHNESS, now)?;
        let label = standing.label.map(|label| (label.en, label.zh));
        let accreditation = if standing.excess.is_empty() {
            Accreditation::Covers { as_of: standing.as_of }
        } else {
            Accreditation::Beyond(standing.excess)
        };
        Ok((label, accreditation))
    }
}

async fn learn(wallet: &Wallet, evidence: &mut PreparedEvidence, key: &str) -> Result<(), WalletError> {
    let undetermined = |detail: String| WalletError::AskerUndetermined(detail);
    let (_, proof) = wallet.ledger.state(key).await.map_err(|error| undetermined(error.to_string()))?;
    evidence.add_state(&proof).map_err(|error| undetermined(error.to_string()))
}
