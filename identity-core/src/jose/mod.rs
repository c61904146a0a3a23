//! JOSE: public keys as JWK, compact JWS and JWE, and the time claims of JWT.
//!
//! A token comes in as [`UnverifiedJws`] and becomes a [`VerifiedJws`] in exactly one function,
//! [`UnverifiedJws::verify`]. What decides is never the token: algorithms are a closed list and must be the one of
//! the key that the caller chose, `typ` must be the one the caller expects, and keys or addresses in the header
//! (`jwk`, `jku`, `x5u`, `x5c`) are trusted by nobody and fetched by nobody.

pub mod jwe;
pub mod jwk;
pub mod jws;
pub mod jwt;
mod sign;
pub mod typ;

pub use jwk::{Jwk, JwkError};
pub use jws::{ExpectedTyp, Header, JwsError, Part, UnverifiedJws, VerifiedJws};
pub use jwt::{ClaimError, Times};
pub use sign::{SignHeader, sign_compact};

pub(crate) use sign::sign_followed;
