//! SD-JWT in compact form (RFC 9901): issuing, holding, presenting, verifying.
//!
//! ```text
//! claims + Concealment ──issue──► SD-JWT ──UnverifiedSdJwt::verify──► VerifiedSdJwt
//!                                    │                                    │ receive
//!                                    ▼                                    ▼
//!                        (kb_jwt) ◄─bind─ Presentation ◄──present──── HeldSdJwt
//! ```
//!
//! A digest is always taken of the text as it travelled, never of JSON written anew. Nothing here knows what
//! a claim means: dates, types, status and who may sign are for [`sd_jwt_vc`](crate::sd_jwt_vc) and for the
//! verdict. The JSON serialisations (RFC 9901 §8) are not read.

mod concealment;
mod disclosure;
mod error;
mod hash;
mod held;
mod issue;
mod parse;
mod path;
mod process;
mod verified;

#[cfg(test)]
mod tests;

pub use concealment::Concealment;
pub use error::SdJwtError;
pub use hash::HashAlg;
pub use held::{HeldSdJwt, Presentation};
pub use issue::issue;
pub use parse::UnverifiedSdJwt;
pub use path::{ClaimPath, PathError, Segment};
pub use verified::VerifiedSdJwt;

pub(crate) use issue::Draft;
pub(crate) use process::Processed;
