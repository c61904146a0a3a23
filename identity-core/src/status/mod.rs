//! Token Status List: one bit, or a few, per credential, published in bulk so that nobody learns whose is read.
//!
//! Followed: draft-ietf-oauth-status-list (see `docs/profile.md`). Entries are packed from the least significant
//! bit of each byte, compressed with zlib (RFC 1950) and signed as `statuslist+jwt`. A credential's dates are
//! checked before its status: a status never makes an expired credential good.

mod error;
mod list;
mod reference;
mod standing;
mod token;

#[cfg(test)]
mod tests;

pub use error::StatusError;
pub use list::{Bits, Status, StatusList};
pub use reference::Reference;
pub use standing::{Change, ChangeRefusal, Standing};
pub use token::{ListAddress, SignError, StatusListToken, Validity, sign};
