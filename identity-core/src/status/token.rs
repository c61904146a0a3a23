//! The signed list, as it is published and cached.

use serde_json::{Value, json};

use super::error::StatusError;
use super::list::{Bits, Status, StatusList};
use super::reference::Reference;
use crate::crypto::{PublicKey, Signer};
use crate::encoding::{base64url, limits};
use crate::jose::{ClaimError, ExpectedTyp, SignHeader, Times, UnverifiedJws, jwt, sign_compact, typ};
use crate::problem::Code;
use crate::time::UnixSeconds;

/// How long a published list holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// `iat`.
    pub issued_at: UnixSeconds,
    /// `exp`: from then on it says nothing.
    pub expires: UnixSeconds,
    /// `ttl`: for how many seconds a copy may be used before asking again.
    pub ttl: u32,
}

/// Where a list is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListAddress<'a> {
    /// The list's own address, which credentials refer to.
    pub uri: &'a str,
    /// Where all lists of this issuer are named, if anywhere (§9.2): who fetches them all tells nobody which one
    /// mattered.
    pub aggregation: Option<&'a str>,
}

impl<'a> From<&'a str> for ListAddress<'a> {
    fn from(uri: &'a str) -> Self {
        Self { uri, aggregation: None }
    }
}

/// A status list whose signature and claims hold.
#[derive(Clone, Debug)]
pub struct StatusListToken {
    list: StatusList,
    issued_at: UnixSeconds,
    expires: Option<UnixSeconds>,
    ttl: Option<i64>,
}

/// Why a list could not be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The list could not be compressed.
    #[error(transparent)]
    List(#[from] StatusError),
    /// The key could not sign.
    #[error(transparent)]
    Signing(#[from] crate::crypto::SigningFailed),
}

impl SignError {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::List(error) => error.code(),
            Self::Signing(error) => error.code(),
        }
    }
}

/// Signs the list that is published at `address`, under the key that `kid` (a DID URL) names.
///
/// # Errors
/// [`SignError`].
pub fn sign<'a>(
    list: &StatusList,
    address: impl Into<ListAddress<'a>>,
    validity: Validity,
    kid: &str,
    signer: &dyn Signer,
) -> Result<String, SignError> {
    let address = address.into();
    let mut entries = json!({"bits": list.bits().count(), "lst": base64url::encode(&list.compress()?)});
    if let (Some(aggregation), Some(members)) = (address.aggregation, entries.as_object_mut()) {
        members.insert("aggregation_uri".to_owned(), aggregation.into());
    }
    let claims = json!({
        "sub": address.uri,
        "iat": validity.issued_at,
        "exp": validity.expires,
        "ttl": validity.ttl,
        "status_list": entries,
    });
    Ok(sign_compact(SignHeader::new(typ::STATUS_LIST).kid(kid), claims.to_string().as_bytes(), signer)?)
}

impl StatusListToken {
    /// Verifies a token as the list that `reference` is to. That `key` is the issuer's is the caller's to know.
    ///
    /// # Errors
    /// [`StatusError`].
    pub fn verify(
        text: &str,
        key: &PublicKey,
        reference: &Reference,
        now: UnixSeconds,
        leeway: i64,
    ) -> Result<Self, StatusError> {
        let jws = UnverifiedJws::parse_limited(text, limits::STATUS_TOKEN)?;
        let jws = jws.verify(key, ExpectedTyp::Exactly(typ::STATUS_LIST))?;
        let claims = jws.claims()?;
        if jwt::string(&claims, "sub")? != reference.uri {
            return Err(StatusError::Subject);
        }
        let times = Times::read(&claims)?;
        let issued_at = times.issued_at.ok_or(ClaimError::Missing { claim: "iat" })?;
        times.check(now, leeway).map_err(|error| match error {
            ClaimError::Expired => StatusError::Expired,
            ClaimError::IssuedInFuture => StatusError::InFuture,
            other => StatusError::Claim(other),
        })?;
        let ttl = claims.get("ttl").map(read_ttl).transpose()?;
        let list = read_list(claims.get("status_list").ok_or(ClaimError::Missing { claim: "status_list" })?)?;
        Ok(Self { list, issued_at, expires: times.expires, ttl })
    }

    /// The status at `index`.
    ///
    /// # Errors
    /// [`StatusError::OutOfRange`].
    pub fn status(&self, index: usize) -> Result<Status, StatusError> {
        self.list.get(index)
    }

    /// When it was signed.
    #[must_use]
    pub const fn issued_at(&self) -> UnixSeconds {
        self.issued_at
    }

    /// Until when a copy fetched at `fetched_at` may be used: the earlier of `exp` and `ttl`, whatever HTTP says.
    /// `None` if the issuer set neither.
    #[must_use]
    pub fn usable_until(&self, fetched_at: UnixSeconds) -> Option<UnixSeconds> {
        let cached = self.ttl.map(|ttl| fetched_at.plus(ttl));
        [cached, self.expires].into_iter().flatten().min()
    }

    /// The entries.
    #[must_use]
    pub const fn list(&self) -> &StatusList {
        &self.list
    }
}

fn read_ttl(ttl: &Value) -> Result<i64, StatusError> {
    ttl.as_i64().filter(|ttl| *ttl > 0).ok_or(StatusError::Malformed)
}

fn read_list(claim: &Value) -> Result<StatusList, StatusError> {
    let bits = claim.get("bits").and_then(Value::as_u64).ok_or(StatusError::Malformed)?;
    let bits = Bits::from_count(bits).ok_or(StatusError::Bits)?;
    let text = claim.get("lst").and_then(Value::as_str).ok_or(StatusError::Malformed)?;
    let compressed = base64url::decode(text).map_err(StatusError::Encoding)?;
    StatusList::decompress(bits, &compressed)
}
