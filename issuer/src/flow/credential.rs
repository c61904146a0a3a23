//! A good token and good key proofs become credentials.

use std::collections::BTreeMap;

use identity_core::kb_jwt::Confirmation;
use identity_core::oid4vci::error::{CredentialRefusal, RequestRefusal};
use identity_core::oid4vci::issuer::{Accepted, grant_of_token};
use identity_core::oid4vci::message::{CredentialRequest, CredentialResponse, IssuedCredential};
use identity_core::oid4vci::proof::ProofRefusal;
use identity_core::status::{Reference, Standing};
use ledger::sha256;
use serde_json::{Map, Value};
use service_kit::chance;
use service_kit::store::StoreError;

use super::MAX_RACES;
use crate::kind::Kind;
use crate::service::Service;
use crate::signing::{self, SignFailure};
use crate::store::{CredentialRecord, Issuance, Outcome};

/// Why no credential is given.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialFailure {
    #[error(transparent)]
    Refused(#[from] CredentialRefusal),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Sign(#[from] SignFailure),
}

impl From<RequestRefusal> for CredentialFailure {
    fn from(refusal: RequestRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

/// What is signed, for one holder key.
struct Copy {
    credential: String,
    record: CredentialRecord,
}

impl Service {
    /// Issues one credential per key proof. What is answered is on disk: spent offer, used nonces, status indices and
    /// the digests that wait for the ledger, all in one commit.
    pub(crate) async fn issue(
        &self,
        token: &str,
        request: &CredentialRequest,
    ) -> Result<CredentialResponse, CredentialFailure> {
        let id = grant_of_token(token).map_err(CredentialRefusal::from)?;
        for _ in 0..MAX_RACES {
            let unknown = identity_core::oid4vci::error::AccessRefusal::TokenUnknown;
            let grant = self.records.grant(id).await?.ok_or(CredentialRefusal::Access(unknown))?;
            let accepted = self.issuer.accept(&grant.value, token, request, self.clock.now())?;
            let (subject, configuration) = (&accepted.next.subject, &accepted.next.configuration);
            let kind = self.kinds.get(configuration).ok_or(RequestRefusal::ConfigurationUnknown)?;
            // Read now, not when the offer was made: the credential states what the source says today.
            let claims = self.records.subject(configuration, subject).await?.ok_or(RequestRefusal::SubjectGone)?;
            let copies = self.sign_copies(kind, &claims, &accepted).await?;
            let credentials: Vec<_> = copies.iter().map(|copy| copy.record.clone()).collect();
            let issuance =
                Issuance { grant: &grant, next: &accepted.next, nonces: &accepted.nonces, credentials: &credentials };
            match self.records.issue_once(&issuance).await? {
                Outcome::Done => return Ok(self.hand_over(copies)),
                Outcome::NonceUsed => {
                    return Err(RequestRefusal::Proof { position: 0, refusal: ProofRefusal::NonceUsed }.into());
                }
                // An issuance carries out no order of its own.
                Outcome::Changed | Outcome::IndexTaken | Outcome::OrderUsed => {}
            }
        }
        Err(StoreError::Broken("an offer changes without end".to_owned()).into())
    }

    async fn sign_copies(
        &self,
        kind: &Kind,
        claims: &Map<String, Value>,
        accepted: &Accepted,
    ) -> Result<Vec<Copy>, CredentialFailure> {
        let mut drawn = BTreeMap::new();
        let mut copies = Vec::with_capacity(accepted.holders.len());
        for holder in &accepted.holders {
            let place = self.lists.draw(&self.records, &*self.chance, kind.status_bits, &drawn).await?;
            drawn.insert(place, ());
            copies.push(self.sign_copy(kind, claims, holder, accepted, place)?);
        }
        Ok(copies)
    }

    fn sign_copy(
        &self,
        kind: &Kind,
        claims: &Map<String, Value>,
        holder: &Confirmation,
        accepted: &Accepted,
        (list, index): (u32, u32),
    ) -> Result<Copy, CredentialFailure> {
        let mut rng = self.chance.rng();
        let issued = self.clock.now();
        let expires = issued.plus(i64::from(self.config.credential.valid_days).saturating_mul(86_400));
        let wanted = signing::Wanted {
            issuer: &self.issuer.identifier,
            kind,
            claims,
            holder,
            issued,
            expires,
            status: &Reference { index: usize::try_from(index).unwrap_or(usize::MAX), uri: self.status_uri(list) },
        };
        let credential = signing::sign(&wanted, &self.keys, &mut *rng)?;
        let jwt = credential.split('~').next().unwrap_or_default();
        let record = CredentialRecord {
            id: chance::token(&mut *rng, 16),
            subject: accepted.next.subject.clone(),
            configuration: accepted.next.configuration.clone(),
            reference: accepted.next.reference.clone(),
            order: accepted.next.order,
            digest: sha256(jwt.as_bytes()),
            list,
            index,
            issued,
            expires,
            state: Standing::Valid,
        };
        Ok(Copy { credential, record })
    }

    fn hand_over(&self, copies: Vec<Copy>) -> CredentialResponse {
        self.counters.issued(copies.len());
        self.anchoring.wake();
        let credentials = copies.into_iter().map(|copy| IssuedCredential { credential: copy.credential }).collect();
        CredentialResponse { credentials, transaction_id: None }
    }
}
