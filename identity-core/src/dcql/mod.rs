//! DCQL (OpenID4VP 1.0 §6): what a verifier asks for, what of a wallet answers it, and whether an answer does.
//!
//! Read here: `credentials` of format `dc+sd-jwt` with `meta.vct_values`, `claims` (all three kinds of path
//! segments, `values`), `claim_sets` and `require_cryptographic_holder_binding`. What would change the meaning of a
//! query and is not implemented (`credential_sets`, `trusted_authorities`, `multiple`) is refused, each under its
//! own code; members that the specification does not define are ignored, as it demands.

mod answer;
mod error;
mod matching;
mod query;

#[cfg(test)]
mod tests;

pub use error::{AnswerError, NoMatch, QueryError};
pub use matching::Candidate;
pub use query::{ClaimQuery, CredentialQuery, Query};
