//! SD-JWT (RFC 9901): issuing, holding, presenting, verifying.
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
//! verdict. All of it works on the compact form; the JSON serialisations (RFC 9901 §8) are turned into it and back.

mod concealment;
mod disclosure;
mod error;
mod hash;
mod held;
mod issue;
mod json_form;
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
pub use json_form::{JsonForm, compact_from_json, json_from_compact};
pub use parse::UnverifiedSdJwt;
pub use path::{ClaimPath, PathError, Segment};
pub use verified::VerifiedSdJwt;

pub(crate) use issue::Draft;
pub(crate) use process::Processed;
