//! Time claims of a JWT (RFC 7519 §4.1): integers or nothing.
//!
//! A verifier that reads `"exp":"1700000000"` as "no expiry" accepts a token for ever (CVE-2026-25537). Here a time
//! claim that is present is an integer number of seconds between 1970 and 9999, or the token is refused.

use serde_json::{Map, Value};
use thiserror::Error;

use crate::problem::Code;
use crate::time::UnixSeconds;

/// Why a claim cannot be read or does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ClaimError {
    /// A claim that must be there is not.
    #[error("claim {claim} is missing")]
    Missing {
        /// The claim's name.
        claim: &'static str,
    },
    /// A claim is of another JSON type than its definition says.
    #[error("claim {claim} has a wrong type")]
    WrongType {
        /// The claim's name.
        claim: &'static str,
    },
    /// A time is not a JSON number.
    #[error("claim {claim} is no number")]
    TimeNotANumber {
        /// The claim's name.
        claim: &'static str,
    },
    /// A time has a fraction or an exponent.
    #[error("claim {claim} is no integer")]
    TimeFractional {
        /// The claim's name.
        claim: &'static str,
    },
    /// A time lies before 1970.
    #[error("claim {claim} is negative")]
    TimeNegative {
        /// The claim's name.
        claim: &'static str,
    },
    /// A time lies beyond the year 9999.
    #[error("claim {claim} is too large")]
    TimeTooLarge {
        /// The claim's name.
        claim: &'static str,
    },
    /// `exp` has passed.
    #[error("expired")]
    Expired,
    /// `nbf` has not come.
    #[error("not valid yet")]
    NotYetValid,
    /// `iat` lies in the future.
    #[error("issued in the future")]
    IssuedInFuture,
    /// `iat` lies too far back for what this token is.
    #[error("issued too long ago")]
    IssuedTooLongAgo,
}

impl ClaimError {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Missing { .. } => Code::JoseClaimMissing,
            Self::WrongType { .. } => Code::JoseClaimWrongType,
            Self::TimeNotANumber { .. } => Code::JoseTimeNotANumber,
            Self::TimeFractional { .. } => Code::JoseTimeFractional,
            Self::TimeNegative { .. } => Code::JoseTimeNegative,
            Self::TimeTooLarge { .. } => Code::JoseTimeTooLarge,
            Self::Expired => Code::JoseTimeExpired,
            Self::NotYetValid => Code::JoseTimeNotYetValid,
            Self::IssuedInFuture => Code::JoseTimeIssuedInFuture,
            Self::IssuedTooLongAgo => Code::JoseTimeIssuedTooLongAgo,
        }
    }
}

/// Reads a NumericDate; `None` if the claim is absent.
///
/// # Errors
/// One [`ClaimError`] per way of not being an integer between 1970 and 9999.
pub fn numeric_date(claims: &Map<String, Value>, claim: &'static str) -> Result<Option<UnixSeconds>, ClaimError> {
    let number = match claims.get(claim) {
        None => return Ok(None),
        Some(Value::Number(number)) => number,
        Some(_) => return Err(ClaimError::TimeNotANumber { claim }),
    };
    if number.is_f64() {
        return Err(ClaimError::TimeFractional { claim });
    }
    // Neither i64 nor float: between 2^63 and 2^64.
    let seconds = UnixSeconds(number.as_i64().ok_or(ClaimError::TimeTooLarge { claim })?);
    if seconds.0 < 0 {
        Err(ClaimError::TimeNegative { claim })
    } else if seconds > UnixSeconds::MAX {
        Err(ClaimError::TimeTooLarge { claim })
    } else {
        Ok(Some(seconds))
    }
}

/// Reads a claim that must be a string.
///
/// # Errors
/// [`ClaimError::Missing`], [`ClaimError::WrongType`].
pub fn string<'a>(claims: &'a Map<String, Value>, claim: &'static str) -> Result<&'a str, ClaimError> {
    match claims.get(claim) {
        None => Err(ClaimError::Missing { claim }),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(ClaimError::WrongType { claim }),
    }
}

/// The three time claims of one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Times {
    /// `iat`.
    pub issued_at: Option<UnixSeconds>,
    /// `nbf`: valid from this second on.
    pub not_before: Option<UnixSeconds>,
    /// `exp`: valid before this second.
    pub expires: Option<UnixSeconds>,
}

impl Times {
    /// Reads `iat`, `nbf` and `exp`.
    ///
    /// # Errors
    /// As [`numeric_date`].
    pub fn read(claims: &Map<String, Value>) -> Result<Self, ClaimError> {
        Ok(Self {
            issued_at: numeric_date(claims, "iat")?,
            not_before: numeric_date(claims, "nbf")?,
            expires: numeric_date(claims, "exp")?,
        })
    }

    /// Whether the token is valid at `now`, with clocks `leeway` seconds apart: `nbf - leeway <= now < exp + leeway`,
    /// and `iat` not beyond `now + leeway`. Absent claims bind nothing.
    ///
    /// # Errors
    /// [`ClaimError::Expired`], [`ClaimError::NotYetValid`], [`ClaimError::IssuedInFuture`].
    pub fn check(&self, now: UnixSeconds, leeway: i64) -> Result<(), ClaimError> {
        if self.expires.is_some_and(|expires| now >= expires.plus(leeway)) {
            return Err(ClaimError::Expired);
        }
        if self.not_before.is_some_and(|start| now < start.plus(-leeway)) {
            return Err(ClaimError::NotYetValid);
        }
        if self.issued_at.is_some_and(|issued| issued > now.plus(leeway)) {
            return Err(ClaimError::IssuedInFuture);
        }
        Ok(())
    }

    /// Whether the token was made within the last `max_age` seconds, clocks `leeway` apart. `iat` must be there.
    ///
    /// # Errors
    /// [`ClaimError::Missing`], [`ClaimError::IssuedInFuture`], [`ClaimError::IssuedTooLongAgo`].
    pub fn check_fresh(&self, now: UnixSeconds, max_age: i64, leeway: i64) -> Result<(), ClaimError> {
        let issued = self.issued_at.ok_or(ClaimError::Missing { claim: "iat" })?;
        if issued > now.plus(leeway) {
            return Err(ClaimError::IssuedInFuture);
        }
        if now.since(issued) > max_age.saturating_add(leeway) {
            return Err(ClaimError::IssuedTooLongAgo);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
