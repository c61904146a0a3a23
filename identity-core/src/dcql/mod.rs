//! DCQL (OpenID4VP 1.0 §6): what a verifier asks for, what of a wallet answers it, and whether an answer does.
//!
//! Read here: `credentials` of format `dc+sd-jwt` with `meta.vct_values`, `claims` (all three kinds of path
//! segments, `values`), `claim_sets`, `multiple`, `trusted_authorities` and `require_cryptographic_holder_binding`,
//! and `credential_sets`. Members that the specification does not define are ignored, as it demands.
//!
//! The wallet selects ([`Query::matches`]), the verifier checks everything again ([`Query::check_outline`],
//! [`CredentialQuery::check`]).

mod answer;
mod authority;
mod error;
mod matching;
mod query;
mod sets;

#[cfg(test)]
mod tests;

pub use authority::TrustedAuthority;
pub use error::{AnswerError, NoMatch, OutlineError, QueryError};
pub use matching::{Candidate, Matches, Need};
pub use query::{ClaimQuery, CredentialQuery, Query};
pub use sets::CredentialSet;
