//! The issuer's side as a state machine: what becomes of an offer at each request.
//!
//! Nothing here saves. Every step takes the [`Grant`] as the store has it and returns the one to put in its place; the
//! shell replaces it in one transaction that requires the old value, so of two racing requests one wins and the other
//! is judged again, against what the first one left.
//!
//! Not decided here: who may be offered what, what a credential states, and whether a nonce was used before.

use std::collections::{BTreeMap, BTreeSet};

use rand::{CryptoRng, RngExt as _};
use serde::{Deserialize, Serialize};

use crate::kb_jwt::Confirmation;
use crate::problem::Code;
use crate::time::UnixSeconds;

use super::error::{AccessRefusal, CredentialRefusal, RequestRefusal, TokenRefusal};
use super::message::{CredentialRequest, NonceResponse, TokenRequest, TokenResponse};
use super::metadata::CredentialConfiguration;
use super::nonce::{self, NonceId};
use super::offer::{CredentialOffer, TxCodeHint};
use super::proof::{self, Expected};
use super::secrets::{IssuerSecret, Purpose, Tag, make_random_text};

#[cfg(test)]
mod tests;

/// How long things hold and how often one may guess. Times in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// An access token, from the exchange of the code.
    pub token_lifetime: u32,
    /// A nonce.
    pub nonce_lifetime: u32,
    /// Wrong transaction codes that lock an offer.
    pub max_wrong_guesses: u8,
    /// Digits of a transaction code; 0 for none.
    pub tx_code_digits: u8,
    /// The most keys bound in one request.
    pub batch_size: usize,
}

impl Default for Policy {
    fn default() -> Self {
        // Six digits and five guesses: a thief of the link has 5 in 1,000,000.
        Self { token_lifetime: 600, nonce_lifetime: 300, max_wrong_guesses: 5, tx_code_digits: 6, batch_size: 10 }
    }
}

/// An issuer: its identifier, what it issues, its policy and its secret.
#[derive(Debug)]
pub struct Issuer {
    /// The credential issuer identifier, an `https` URL; the audience of key proofs.
    pub identifier: String,
    /// What it issues, by configuration id.
    pub configurations: BTreeMap<String, CredentialConfiguration>,
    /// Lifetimes and limits.
    pub policy: Policy,
    /// The key of its codes and nonces.
    pub secret: IssuerSecret,
}

/// An offer to be made.
#[derive(Debug, Clone)]
pub struct NewOffer {
    /// Whose credential; opaque here.
    pub subject: String,
    /// Which configuration.
    pub configuration: String,
    /// The issuer's own name for the case; opaque here.
    pub reference: Option<String>,
    /// Digest of the order under which it is made; opaque here.
    pub order: Option<ledger::Hash>,
    /// Seconds the code holds.
    pub lifetime: u32,
}

/// An offer just made. The transaction code is nowhere else: the grant holds only its tag.
pub struct MadeOffer {
    /// To be stored.
    pub grant: Grant,
    /// To be handed to the wallet, by value or by reference.
    pub offer: CredentialOffer,
    /// To be told to the person, another way.
    pub tx_code: Option<String>,
}

/// What an issuer keeps of one offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// 128 random bits, base64url; public, part of the offer's URL.
    pub id: String,
    /// Whose credential.
    pub subject: String,
    /// Which configuration.
    pub configuration: String,
    /// The issuer's own name for the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Digest of the order under which the offer was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<ledger::Hash>,
    /// When the code ends.
    pub expires: UnixSeconds,
    /// The tag of the transaction code, if one is demanded.
    pub tx_code: Option<Tag>,
    /// Where it stands.
    pub state: GrantState,
}

/// Where an offer stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "name")]
pub enum GrantState {
    /// The code is open.
    Offered {
        /// Wrong transaction codes so far.
        wrong_guesses: u8,
    },
    /// Too many wrong transaction codes.
    Locked,
    /// The code was taken; a token is out.
    Redeemed {
        /// SHA-256 of the token, hex.
        token: ledger::Hash,
        /// When the token ends.
        expires: UnixSeconds,
    },
    /// The credential was issued.
    Issued {
        /// SHA-256 of the token it was issued under.
        token: ledger::Hash,
    },
}

/// Why an offer cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MakeOfferRefusal {
    /// A configuration this issuer does not have.
    #[error("the credential configuration is unknown")]
    ConfigurationUnknown,
}

impl MakeOfferRefusal {
    /// The stable code of this refusal.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::ConfigurationUnknown => Code::VciRequestConfigurationUnknown,
        }
    }
}

/// Why an offer is no longer shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OfferGone {
    /// Its time is over.
    #[error("the offer has expired")]
    Expired,
    /// Its code was taken.
    #[error("the offer was used before")]
    Used,
    /// Too many wrong transaction codes.
    #[error("the offer is locked")]
    Locked,
}

impl OfferGone {
    /// The stable code of this refusal.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Expired => Code::VciOfferExpired,
            Self::Used => Code::VciOfferUsed,
            Self::Locked => Code::VciOfferLocked,
        }
    }
}

/// What becomes of a token request.
pub enum Redemption {
    /// The code was right: save `next`, then answer.
    Granted {
        /// Takes the grant's place.
        next: Grant,
        /// The answer.
        response: TokenResponse,
    },
    /// Refused. A wrong guess is saved before it is answered, or guessing would be free.
    Refused {
        /// Takes the grant's place, if anything changed.
        next: Option<Grant>,
        /// The answer.
        refusal: TokenRefusal,
    },
}

/// A credential request that holds: sign one credential for each holder, and save everything at once.
#[derive(Debug)]
pub struct Accepted {
    /// Takes the grant's place.
    pub next: Grant,
    /// The keys to bind, all different, named as in the proofs and in their order.
    pub holders: Vec<Confirmation>,
    /// The nonces now used: none may have been stored before.
    pub nonces: BTreeSet<NonceId>,
}

impl Issuer {
    /// Makes an offer of one configuration for one subject.
    ///
    /// # Errors
    /// [`MakeOfferRefusal`].
    pub fn make_offer(
        &self,
        wanted: NewOffer,
        now: UnixSeconds,
        rng: &mut dyn CryptoRng,
    ) -> Result<MadeOffer, MakeOfferRefusal> {
        if !self.configurations.contains_key(&wanted.configuration) {
            return Err(MakeOfferRefusal::ConfigurationUnknown);
        }
        let id = make_random_text::<16>(rng);
        let tx_code = make_tx_code(self.policy.tx_code_digits, rng);
        let grant = Grant {
            tx_code: tx_code.as_deref().map(|text| self.tx_code_tag(&id, text)),
            id,
            subject: wanted.subject,
            configuration: wanted.configuration,
            reference: wanted.reference,
            order: wanted.order,
            expires: now.plus(i64::from(wanted.lifetime)),
            state: GrantState::Offered { wrong_guesses: 0 },
        };
        Ok(MadeOffer { offer: self.render_offer(&grant), grant, tx_code })
    }

    /// The offer as it is served by reference: readable until its code is taken, since a link preview or a lost answer
    /// must not cost a citizen their credential. What is single-use is the code.
    ///
    /// # Errors
    /// [`OfferGone`].
    pub fn show_offer(&self, grant: &Grant, now: UnixSeconds) -> Result<CredentialOffer, OfferGone> {
        match grant.state {
            GrantState::Offered { .. } if now < grant.expires => Ok(self.render_offer(grant)),
            GrantState::Offered { .. } => Err(OfferGone::Expired),
            GrantState::Locked => Err(OfferGone::Locked),
            GrantState::Redeemed { .. } | GrantState::Issued { .. } => Err(OfferGone::Used),
        }
    }

    fn render_offer(&self, grant: &Grant) -> CredentialOffer {
        let hint = grant.tx_code.map(|_| TxCodeHint::digits(u16::from(self.policy.tx_code_digits)));
        CredentialOffer::pre_authorized(&self.identifier, &grant.configuration, self.code(&grant.id), hint)
    }

    /// The grant that a pre-authorized code names, if this issuer gave the code out. Costs no store access.
    ///
    /// # Errors
    /// [`TokenRefusal::CodeUnknown`].
    pub fn grant_of_code<'a>(&self, request: &'a TokenRequest) -> Result<&'a str, TokenRefusal> {
        let (id, _) = request.code.split_once('.').ok_or(TokenRefusal::CodeUnknown)?;
        let ours = self.code(id);
        if bool::from(subtle::ConstantTimeEq::ct_eq(ours.as_bytes(), request.code.as_bytes())) {
            Ok(id)
        } else {
            Err(TokenRefusal::CodeUnknown)
        }
    }

    /// Exchanges the code for a token.
    pub fn redeem(
        &self,
        grant: &Grant,
        request: &TokenRequest,
        now: UnixSeconds,
        rng: &mut dyn CryptoRng,
    ) -> Redemption {
        let wrong_guesses = match open_guesses(grant, now) {
            Ok(guesses) => guesses,
            Err(refusal) => return Redemption::Refused { next: None, refusal },
        };
        match self.check_tx_code(grant, request) {
            Ok(()) => self.grant_token(grant, now, rng),
            Err(refusal @ TokenRefusal::TxCodeWrong) => {
                let state = self.state_after_wrong_guess(wrong_guesses.saturating_add(1));
                Redemption::Refused { next: Some(Grant { state, ..grant.clone() }), refusal }
            }
            Err(refusal) => Redemption::Refused { next: None, refusal },
        }
    }

    fn check_tx_code(&self, grant: &Grant, request: &TokenRequest) -> Result<(), TokenRefusal> {
        match (&grant.tx_code, &request.tx_code) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(TokenRefusal::TxCodeUnexpected),
            (Some(_), None) => Err(TokenRefusal::TxCodeMissing),
            (Some(tag), Some(text)) if *tag == self.tx_code_tag(&grant.id, text) => Ok(()),
            (Some(_), Some(_)) => Err(TokenRefusal::TxCodeWrong),
        }
    }

    fn state_after_wrong_guess(&self, wrong_guesses: u8) -> GrantState {
        if wrong_guesses >= self.policy.max_wrong_guesses {
            GrantState::Locked
        } else {
            GrantState::Offered { wrong_guesses }
        }
    }

    fn grant_token(&self, grant: &Grant, now: UnixSeconds, rng: &mut dyn CryptoRng) -> Redemption {
        let access_token = format!("{}.{}", grant.id, make_random_text::<32>(rng));
        let state = GrantState::Redeemed {
            token: ledger::sha256(access_token.as_bytes()),
            expires: now.plus(i64::from(self.policy.token_lifetime)),
        };
        let response = TokenResponse {
            access_token,
            token_type: "Bearer".to_owned(),
            expires_in: Some(u64::from(self.policy.token_lifetime)),
            authorization_details: None,
        };
        Redemption::Granted { next: Grant { state, ..grant.clone() }, response }
    }

    /// A fresh nonce.
    pub fn make_nonce(&self, now: UnixSeconds, rng: &mut dyn CryptoRng) -> NonceResponse {
        NonceResponse { c_nonce: nonce::make_nonce(&self.secret, self.policy.nonce_lifetime, now, rng) }
    }

    /// Judges a credential request: the token, what is asked for, every proof.
    ///
    /// # Errors
    /// The first rule that is broken; nothing changes then.
    pub fn accept(
        &self,
        grant: &Grant,
        token: &str,
        request: &CredentialRequest,
        now: UnixSeconds,
    ) -> Result<Accepted, CredentialRefusal> {
        let digest = check_token(grant, token, now)?;
        let configuration = self.check_configuration(grant, request)?;
        if matches!(grant.state, GrantState::Issued { .. }) {
            return Err(RequestRefusal::AlreadyIssued.into());
        }
        if request.credential_response_encryption.is_some() {
            return Err(RequestRefusal::EncryptionUnsupported.into());
        }
        let (holders, nonces) = self.check_proofs(configuration, request, now)?;
        let next = Grant { state: GrantState::Issued { token: digest }, ..grant.clone() };
        Ok(Accepted { next, holders, nonces })
    }

    fn check_configuration(
        &self,
        grant: &Grant,
        request: &CredentialRequest,
    ) -> Result<&CredentialConfiguration, CredentialRefusal> {
        let id = match (&request.credential_configuration_id, &request.credential_identifier) {
            (Some(_), Some(_)) => return Err(RequestRefusal::BothIdentifiers.into()),
            (None, Some(_)) => return Err(RequestRefusal::IdentifierUnknown.into()),
            (None, None) => return Err(RequestRefusal::ConfigurationMissing.into()),
            (Some(id), None) => id,
        };
        let configuration = self.configurations.get(id).ok_or(RequestRefusal::ConfigurationUnknown)?;
        if *id != grant.configuration {
            return Err(AccessRefusal::NotOffered.into());
        }
        Ok(configuration)
    }

    fn check_proofs(
        &self,
        configuration: &CredentialConfiguration,
        request: &CredentialRequest,
        now: UnixSeconds,
    ) -> Result<(Vec<Confirmation>, BTreeSet<NonceId>), RequestRefusal> {
        let jwts = request.jwt_proofs()?;
        // Counted before the first signature is checked: the work a request may ask for is bounded.
        if jwts.len() > self.policy.batch_size.max(1) {
            return Err(RequestRefusal::TooManyProofs);
        }
        let expected = Expected {
            audience: &self.identifier,
            algorithms: configuration.jwt_proof_algorithms(),
            secret: &self.secret,
            now,
        };
        let mut holders: Vec<Confirmation> = Vec::with_capacity(jwts.len());
        let mut nonces = BTreeSet::new();
        for (position, jwt) in jwts.into_iter().enumerate() {
            let proof = proof::verify(jwt, &expected).map_err(|refusal| RequestRefusal::Proof { position, refusal })?;
            // By key, not by name: one key has many names.
            if holders.iter().any(|holder| holder.key() == proof.holder.key()) {
                return Err(RequestRefusal::KeyRepeated);
            }
            holders.push(proof.holder);
            nonces.insert(proof.nonce);
        }
        Ok((holders, nonces))
    }

    fn code(&self, grant: &str) -> String {
        let tag = self.secret.tag(Purpose::Code, &[grant.as_bytes()]);
        format!("{grant}.{}", crate::encoding::base64url::encode(tag.as_bytes()))
    }

    fn tx_code_tag(&self, grant: &str, text: &str) -> Tag {
        self.secret.tag(Purpose::TxCode, &[grant.as_bytes(), text.as_bytes()])
    }
}

/// The grant that an access token names. Whether the token is good, [`Issuer::accept`] says.
///
/// # Errors
/// [`AccessRefusal::TokenUnknown`].
pub fn grant_of_token(token: &str) -> Result<&str, AccessRefusal> {
    token.split_once('.').map(|(id, _)| id).filter(|id| id.len() == 22).ok_or(AccessRefusal::TokenUnknown)
}

fn open_guesses(grant: &Grant, now: UnixSeconds) -> Result<u8, TokenRefusal> {
    match grant.state {
        GrantState::Offered { wrong_guesses } if now < grant.expires => Ok(wrong_guesses),
        GrantState::Offered { .. } => Err(TokenRefusal::CodeExpired),
        GrantState::Locked => Err(TokenRefusal::CodeLocked),
        GrantState::Redeemed { .. } | GrantState::Issued { .. } => Err(TokenRefusal::CodeUsed),
    }
}

fn check_token(grant: &Grant, token: &str, now: UnixSeconds) -> Result<ledger::Hash, AccessRefusal> {
    // Compared by digest: how far two digests agree tells nothing about the token.
    let digest = ledger::sha256(token.as_bytes());
    match &grant.state {
        GrantState::Redeemed { token, expires } if *token == digest => {
            if now < *expires {
                Ok(digest)
            } else {
                Err(AccessRefusal::TokenExpired)
            }
        }
        GrantState::Issued { token } if *token == digest => Ok(digest),
        GrantState::Offered { .. } | GrantState::Locked | GrantState::Redeemed { .. } | GrantState::Issued { .. } => {
            Err(AccessRefusal::TokenUnknown)
        }
    }
}

fn make_tx_code(digits: u8, rng: &mut dyn CryptoRng) -> Option<String> {
    (digits > 0).then(|| (0..digits).map(|_| char::from(rng.random_range(b'0'..=b'9'))).collect())
}
