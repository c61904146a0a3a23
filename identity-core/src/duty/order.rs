//! The order: an official's own signature over something that a department does as an issuer.

use ledger::Hash;
use serde::{Deserialize, Serialize};

use super::DutyError;
use super::attestation::{check_holder, is_basis};
use super::signed::{self, Signed};
use crate::crypto::{Signer, SigningFailed};
use crate::did::Did;
use crate::registry::{Delegation, DutyHistory, DutyHolder, Role, is_duty_number};
use crate::time::UnixSeconds;

/// The largest order read, in bytes: it travels in a header, and servers take 8 KiB of one at least.
pub const MAX_ORDER_BYTES: usize = 4 * 1024;
/// The longest that an order counts after it is made, in seconds: a working day with what was left over from it.
pub const MAX_ORDER_SECONDS: i64 = 86_400;
/// Characters of an order's nonce: 128 bits of base64url.
pub const ORDER_NONCE_CHARS: usize = 22;
/// The longest name of a credential type in an order, in bytes.
const MAX_VCT_BYTES: usize = 512;

/// What a department does as an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IssuerAct {
    /// Takes a table of subjects over from the authoritative source. The content is the table.
    Import,
    /// Offers somebody a credential. The content is the request for the offer.
    Offer,
    /// Revokes a credential for good. The content is the credential's id.
    Revoke,
    /// Suspends a credential. The content is the credential's id.
    Suspend,
    /// Lifts a suspension. The content is the credential's id.
    Reinstate,
}

/// What is done, as whoever does it sees it: an order must say the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deed {
    /// What kind of act.
    pub act: IssuerAct,
    /// The credential type.
    pub vct: String,
    /// SHA-256 of the exact bytes that the act is about.
    pub content: Hash,
    /// How many people it is about.
    pub count: u64,
}

/// What an official signs (`xinfu-duty+jwt`) so that a department does something as an issuer.
///
/// It names no subject: the content's digest stands for everything, and the content stays with the department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The department.
    pub iss: Did,
    /// The duty number.
    pub duty: String,
    /// What is to be done.
    pub deed: Deed,
    /// The legal basis, in the words of the law.
    pub basis: String,
    /// Digest of a salt and the case's number, which the department keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<Hash>,
    /// 128 random bits in base64url: two orders alike are two.
    pub nonce: String,
    /// When it stops counting.
    pub exp: UnixSeconds,
}

impl Order {
    /// Signs it with the duty key.
    ///
    /// # Errors
    /// [`SigningFailed`].
    pub fn sign(&self, key: &dyn Signer) -> Result<String, SigningFailed> {
        signed::sign(self, key)
    }

    /// Type and case within one delegation.
    pub(crate) fn check_scope(&self, duty: &Delegation) -> Result<(), DutyError> {
        if !duty.is_for(Role::Issuer, &self.deed.vct) {
            return Err(DutyError::Type);
        }
        if duty.case_required && self.case.is_none() {
            return Err(DutyError::CaseMissing);
        }
        Ok(())
    }

    /// Whether every member is within its bounds.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        is_duty_number(&self.duty)
            && is_basis(&self.basis)
            && (1..=MAX_VCT_BYTES).contains(&self.deed.vct.len())
            && self.nonce.len() == ORDER_NONCE_CHARS
            && self.nonce.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    }
}

/// An order as it travelled; only its form was looked at.
#[derive(Debug, Clone)]
pub struct UnverifiedOrder<'a>(Signed<'a, Order>);

impl<'a> UnverifiedOrder<'a> {
    /// Parses an order.
    ///
    /// # Errors
    /// [`DutyError::Malformed`]; an attestation over a request is no order.
    pub fn parse(text: &'a str) -> Result<Self, DutyError> {
        let signed = Signed::<Order>::parse(text, MAX_ORDER_BYTES)?;
        if signed.claimed.is_sound() { Ok(Self(signed)) } else { Err(DutyError::Malformed) }
    }

    /// The duty that it claims: department and duty number, whose history is wanted to verify it.
    #[must_use]
    pub fn who(&self) -> (&Did, &str) {
        (&self.0.claimed.iss, &self.0.claimed.duty)
    }

    /// SHA-256 of its text.
    #[must_use]
    pub fn digest(&self) -> Hash {
        self.0.digest
    }

    /// Verifies the signature under the key to which the ledger had delegated the duty at a log index. Nobody else
    /// can make a second text of an order that verifies, so its digest tells whether it was carried out.
    ///
    /// # Errors
    /// [`DutyError`]: no such delegation, not yet or no longer, or another signature.
    pub fn verify(self, history: &DutyHistory, index: u64) -> Result<VerifiedOrder, DutyError> {
        let delegation = self.0.under_low_s(self.who(), history, index)?;
        let digest = self.digest();
        Ok(VerifiedOrder { order: self.0.claimed, delegation, digest })
    }
}

/// An order that was signed under a duty that the ledger knew. Made in one function only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedOrder {
    order: Order,
    delegation: Delegation,
    digest: Hash,
}

impl VerifiedOrder {
    /// What was signed.
    #[must_use]
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// The delegation under which it was signed.
    #[must_use]
    pub fn delegation(&self) -> &Delegation {
        &self.delegation
    }

    /// SHA-256 of the order's text.
    #[must_use]
    pub fn digest(&self) -> &Hash {
        &self.digest
    }

    /// That it orders this very deed of this department, that it counts now, and that the duty covers it.
    ///
    /// # Errors
    /// [`DutyError`], by the first thing that does not fit.
    pub fn check(&self, department: &Did, deed: &Deed, now: UnixSeconds) -> Result<(), DutyError> {
        if self.order.iss != *department {
            return Err(DutyError::Department);
        }
        if self.order.deed != *deed {
            return Err(DutyError::OtherDeed);
        }
        if now >= self.order.exp || self.order.exp > now.plus(MAX_ORDER_SECONDS) {
            return Err(DutyError::Expired);
        }
        self.order.check_scope(&self.delegation)
    }

    /// Whether the duty was given to whoever acts.
    ///
    /// # Errors
    /// [`DutyError::Holder`].
    pub fn check_holder(&self, acts: DutyHolder) -> Result<(), DutyError> {
        check_holder(&self.delegation, acts)
    }
}
