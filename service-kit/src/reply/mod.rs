//! The two wires on which refusals travel: problem+json on our own API, OAuth form on protocol endpoints.
//!
//! Both carry the dotted code of the catalogue (`schemas/problems.toml`), so one list explains either.

mod oauth_error;
mod problem;

pub use oauth_error::OAuthError;
pub use problem::Problem;
